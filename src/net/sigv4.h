// Signature Version 4: signs one request to AWS at one moment (IAM User Guide). Pure; knows no credential
// source, no endpoint and no clock.
#pragma once

#include <string>

#include "base/crypto.h"
#include "base/message.h"
#include "base/time.h"

namespace nbform {

struct AwsKeys {
  std::string id;
  Secret secret;
  Secret token;  // of a session; empty for long-term keys
};

struct SigningScope {
  std::string service, region;  // "ec2", "us-west-2"
};

// X-Amz-Date, the session's token and, for S3, x-amz-content-sha256 where there is none are added, then
// Authorization over every header but those that a transport adds or alters. What an earlier attempt left of
// these is replaced.
Request sign_v4(Request request, const AwsKeys& keys, const SigningScope& scope, Time at);

// The text whose hash is signed, of a request that has X-Amz-Date already. The path of S3 is taken as it is;
// any other is normalised and encoded again.
std::string canonical_request(const Request& request, const SigningScope& scope);

}  // namespace nbform
