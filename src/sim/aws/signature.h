// Signature Version 4 as a server sees it: what a request claims in its Authorization header, and what the
// signature must be. Written from the published algorithm and its vectors; shares nothing with any signer.
// Knows no keys and no clock.
#pragma once

#include <string>
#include <vector>

#include "base/message.h"
#include "base/result.h"

namespace nbform::sim::aws {

struct Claim {
  std::string key_id, date, region, service;  // of the credential scope
  std::vector<std::string> signed_headers;    // lower case
  std::string signature;
  std::string stamp;  // X-Amz-Date: 20150830T123600Z

  std::string scope() const;
};

// Refusals: MissingAuthenticationToken (no Authorization), IncompleteSignature (not well formed).
Result<Claim> read_claim(const Request& request);

// METHOD, path, query, headers, signed names, payload hash. `s3`: the path is taken as sent, encoded once.
std::string canonical_request(const Request& request, const Url& url, const Claim& claim, bool s3 = false);
std::string string_to_sign(const Claim& claim, const std::string& canonical);
std::string sign(const std::string& secret, const Claim& claim, const std::string& string_to_sign);

}  // namespace nbform::sim::aws
