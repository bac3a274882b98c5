// AWS credentials as data, and the requests that turn one kind into another (STS, SSO). Pure: reads no
// file, sends nothing, knows no clock and no order of sources.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/message.h"
#include "base/result.h"
#include "base/time.h"
#include "base/value.h"
#include "net/route.h"
#include "net/sigv4.h"

namespace nbform {

struct AwsCredentials {
  AwsKeys keys;
  std::optional<Time> expires;  // none: until revoked
};

// A role to act as.
struct AwsRole {
  std::string arn, session_name, external_id, mfa_serial;
  int duration_seconds = 0;  // 0: what the role allows by default
  std::string from;          // for people: "clouds.aws.assume_role", "profile dev"
};

// `base`: the endpoint of STS. To be signed, but for a web identity's.
Request assume_role_request(const std::string& base, const AwsRole& role, const Secret& mfa_code);
Request web_identity_request(const std::string& base, const AwsRole& role, const Secret& token);
Result<AwsCredentials> parse_sts_credentials(const Response& response);

// What names the members have where credentials arrive as JSON.
struct CredentialNames {
  const char *id, *secret, *token, *expires;
};
inline constexpr CredentialNames kProcessNames{"AccessKeyId", "SecretAccessKey", "SessionToken",
                                               "Expiration"};
inline constexpr CredentialNames kMachineNames{"AccessKeyId", "SecretAccessKey", "Token", "Expiration"};
inline constexpr CredentialNames kSsoNames{"accessKeyId", "secretAccessKey", "sessionToken", "expiration"};
// `expires`: RFC 3339 text or milliseconds since 1970. Errors (unauthenticated): id or secret missing, or an
// expiry that is no time; never with a value.
Result<AwsCredentials> parse_credentials(const Value& json, const CredentialNames& names,
                                         std::string_view from);
// The same of a program's output: Version 1.
Result<AwsCredentials> parse_process_output(std::string_view text, std::string_view program);

// Where a login by `aws sso login` is kept, and what it is for.
struct AwsSso {
  std::string start_url, region, account, role, session;  // session: "" for a profile of the older form
  std::string profile;

  std::string cache_name() const;  // of the file in ~/.aws/sso/cache
};
struct SsoToken {
  Secret access_token;
  std::optional<Time> expires;
  Value file;  // the whole of it, to be written back

  // Whether a new one may be had without a person.
  bool is_renewable(Time now) const;
};
Result<SsoToken> parse_sso_token(std::string_view text, const AwsSso& sso);
Request sso_renewal_request(const std::string& oidc_base, const SsoToken& token);
// The file with what the answer brought.
Result<SsoToken> renewed_sso_token(const SsoToken& old, const Value& answer, Time now);
Request sso_credentials_request(const std::string& portal_base, const AwsSso& sso, const SsoToken& token);
Diagnostic sso_login_needed(const AwsSso& sso, std::string why);

// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI; none where neither is set. Errors: denied, for http to
// another host than this machine's own. `token`: for the Authorization header, may be empty.
Result<std::optional<Request>> container_request(const Lookup& env, const Secret& token);

// The instance metadata service. `path` below /latest/.
std::string instance_metadata_url(const Lookup& env, std::string_view path);
Request instance_token_request(const Lookup& env);
Request instance_metadata_request(const Lookup& env, std::string_view path, const Secret& token);

// One line of visible characters, trimmed; fit for a header.
Result<Secret> header_secret(std::string_view text, std::string_view from);

}  // namespace nbform
