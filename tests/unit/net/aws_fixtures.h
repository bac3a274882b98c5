// A caller of AWS with files, keys and answers made up, for tests of its credentials.
#pragma once

#include <fmt/format.h>

#include "base/aws_error.h"
#include "base/json.h"
#include "net/aws_account.h"
#include "net/aws_auth.h"
#include "net/aws_fetch.h"
#include "support/catch.h"
#include "support/fake_env.h"

namespace nbform::aws_fixtures {
inline const SigningScope kEc2{"ec2", "us-west-2"};
inline constexpr const char* kUrl = "https://ec2.us-west-2.amazonaws.com/";
inline constexpr const char* kSts = "https://sts.us-west-2.amazonaws.com/";

inline FakeEnv with_files(std::string config, std::string credentials = "") {
  FakeEnv env;
  env.variables = {{"HOME", "/h"}, {"AWS_REGION", "us-west-2"}};
  if (!config.empty()) env.files["/h/.aws/config"] = std::move(config);
  if (!credentials.empty()) env.files["/h/.aws/credentials"] = std::move(credentials);
  return env;
}

inline FakeEnv with_keys() {
  FakeEnv env = with_files("");
  env.variables["AWS_ACCESS_KEY_ID"] = "AKENV";
  env.variables["AWS_SECRET_ACCESS_KEY"] = "secret-canary";
  return env;
}

inline std::string until(FakeEnv& env, Duration life) {
  return format_rfc3339(Time::from_seconds((env.clock + life).seconds()));
}

inline std::string sts_answer(std::string_view action, std::string_view id, std::string_view expires) {
  return fmt::format(
      R"(<{0}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{0}Result><Credentials><AccessKeyId>{1}</AccessKeyId>
<SecretAccessKey>secret-canary</SecretAccessKey><SessionToken>token-{1}</SessionToken><Expiration>{2}</Expiration>
</Credentials></{0}Result></{0}Response>)",
      action, id, expires);
}

inline std::string machine_answer(std::string_view id, std::string_view expires) {
  return fmt::format(
      R"({{"Code":"Success","AccessKeyId":"{}","SecretAccessKey":"secret-canary","Token":"t","Expiration":"{}"}})",
      id, expires);
}

inline Result<Authorized> authorise(FakeEnv& env, AwsAuth& auth, const char* url = kUrl) {
  std::optional<Result<Authorized>> result;
  auth.authorizer(kEc2)({.method = "POST", .url = url}, {},
                        [&](Result<Authorized> r) { result = std::move(r); });
  env.run();
  REQUIRE(result);
  return *result;
}

inline std::string field(std::string_view authorization, std::string_view name) {
  auto at = authorization.find(name);
  if (at == std::string_view::npos) return "";
  authorization.remove_prefix(at + name.size());
  return std::string(authorization.substr(0, authorization.find_first_of("/,")));
}

inline std::string key_in(const Request& request) {
  return field(header(request.headers, "authorization").value_or(""), "Credential=");
}

// The key that a first request is signed with, or the error.
inline std::string key_id(FakeEnv& env, AwsAuthOptions options = {}) {
  AwsAuth auth(env, std::move(options));
  auto ready = authorise(env, auth);
  return ready.ok() ? key_in(ready->request) : ready.error().summary + ". " + ready.error().detail;
}

inline std::string parameter(const Request& request, std::string_view name) {
  for (const auto& [key, value] : form_decode(request.body))
    if (key == name) return value;
  return "";
}

inline Result<Answer> ask(FakeEnv& env, AwsAuth& auth) {
  Client client(env, aws_client_options(auth.authorizer(kEc2)));
  std::optional<Result<Answer>> result;
  client.send(
      {.http = {.method = "POST", .url = kUrl, .body = "Action=X"}, .repeat = ApiRequest::Repeat::never},
      [&](Result<Answer> r) { result = std::move(r); });
  env.run();
  REQUIRE(result);
  return *result;
}

inline std::string ec2_error(std::string_view code) {
  return fmt::format(
      "<Response><Errors><Error><Code>{}</Code><Message>m</Message></Error></Errors></Response>", code);
}

}  // namespace nbform::aws_fixtures
