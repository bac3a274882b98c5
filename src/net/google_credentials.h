// Google's credential files as data, and the requests that turn each kind into an access token (AIP-4110 to
// 4117). Pure: reads no file, sends nothing, knows no clock.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/crypto.h"
#include "base/message.h"
#include "base/result.h"
#include "base/time.h"
#include "base/value.h"
#include "net/route.h"

namespace nbform {

struct AccessToken {
  Secret token;
  std::optional<Time> expires;  // none: not known
};

// Where an external account's own identity token lies.
struct SubjectSource {
  std::string file, url;  // one of them
  Headers headers;        // of the url
  std::string field;      // member of a JSON document; "" = the whole text
};

// Acting as a service account on top of another credential.
struct Impersonation {
  std::string url;  // ...:generateAccessToken
  std::vector<std::string> delegates;
  int lifetime_seconds = 3600;
};

struct GoogleCredential {
  enum class Kind {
    ready_token,
    token_file,
    gcloud,
    metadata,
    service_account,
    authorized_user,
    external_account
  };

  Kind kind = Kind::ready_token;
  std::string source;   // the variable or file it came from, for people
  std::string path;     // token_file
  Secret token;         // ready_token
  std::string account;  // e-mail, where known
  std::string token_url;
  std::string key_id;
  Secret private_key;  // service_account, PEM
  std::string client_id;
  Secret client_secret, refresh_token;
  std::string audience, subject_token_type, workforce_project;  // external_account
  SubjectSource subject;
  std::vector<Impersonation> impersonate;  // in this order
  std::string quota_project, project;
};

// A file of type service_account, authorized_user, external_account or impersonated_service_account. Errors:
// unauthenticated (not such a file, a member is missing), unsupported (another type or source).
Result<GoogleCredential> parse_google_credential(std::string_view text, std::string source,
                                                 const Lookup& env);

// The step that acts as `email`.
Result<Impersonation> impersonation_of(std::string_view email, const Lookup& env);

// Credentials may go to: https on Google's own hosts, loopback, the origins of endpoint overrides and of
// CLOUDSDK_AUTH_TOKEN_HOST. Errors: denied.
Result<> may_receive_credentials(std::string_view url, const Lookup& env);

// What a service account signs itself and every service takes as a bearer token: an hour, no round trip. For
// scopes where the key is Google's, else for the audience of its token server.
Result<AccessToken> self_signed_token(const GoogleCredential& credential, Time now);
Result<Request> jwt_grant(const GoogleCredential& credential, Time now);
Request refresh_grant(const GoogleCredential& credential);
Request token_exchange(const GoogleCredential& credential, const Secret& subject_token);
Request impersonation_request(const Impersonation& step, const Secret& token);
Request metadata_token_request(const Lookup& env);
std::string metadata_url(const Lookup& env, std::string_view path);  // path below /computeMetadata/v1/

// The answer of any of these: {access_token, expires_in} or {accessToken, expireTime}.
Result<AccessToken> parse_token_answer(const Value& json, Time now);
// A token from a file, a program or a JSON document: trimmed, one line of visible ASCII.
Result<Secret> plain_token(std::string_view text, std::string_view source);
Result<Secret> subject_token(const SubjectSource& source, std::string_view text);

}  // namespace nbform
