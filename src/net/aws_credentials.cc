#include "net/aws_credentials.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/aws_error.h"
#include "base/aws_query.h"
#include "base/json.h"
#include "base/text.h"

namespace nbform {

namespace {

constexpr std::string_view kStsVersion = "2011-06-15";
constexpr std::size_t kMaxAnswer = 1 << 20;

Diagnostic unusable(std::string_view from, std::string_view why) {
  return error(Code::unauthenticated, "AWS credentials cannot be used", fmt::format("{}: {}", from, why));
}

Request secretive(Request request, std::chrono::milliseconds timeout) {
  request.timeout = timeout;
  request.max_body = kMaxAnswer;
  request.secret_answer = true;
  return request;
}

Map role_parameters(const AwsRole& role) {
  Map parameters = {{"RoleArn", Value(role.arn)}, {"RoleSessionName", Value(role.session_name)}};
  if (role.duration_seconds != 0) parameters.set("DurationSeconds", Value(role.duration_seconds));
  return parameters;
}

Request sts_request(const std::string& base, std::string_view action, Map parameters) {
  return secretive(query_request(base, action, kStsVersion, Value(std::move(parameters)), QueryLists::member),
                   std::chrono::seconds(30));
}

Result<std::optional<Time>> expiry(const Value& value, std::string_view from) {
  if (value.is_null() || value.as_text("-").empty()) return std::optional<Time>();
  if (value.is_int()) return std::optional(Time{value.as_int() * 1000});
  auto time = parse_rfc3339(value.as_text());
  if (!time) return unusable(from, "the time at which they expire is not readable.");
  return std::optional(*time);
}

// A session token travels in a header as it is.
bool fits_a_header(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

bool may_be_plain(const Url& url) {
  return is_loopback(url.host) || url.host == "169.254.170.2" || url.host == "169.254.170.23" ||
         url.host == "fd00:ec2::23";
}

std::chrono::milliseconds instance_timeout(const Lookup& env) {
  std::string text = env("AWS_METADATA_SERVICE_TIMEOUT").value_or("");
  int seconds = 1;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::chrono::seconds(std::clamp(seconds, 1, 60));
}

}  // namespace

Request assume_role_request(const std::string& base, const AwsRole& role, const Secret& mfa_code) {
  Map parameters = role_parameters(role);
  if (!role.external_id.empty()) parameters.set("ExternalId", Value(role.external_id));
  if (!role.mfa_serial.empty()) {
    parameters.set("SerialNumber", Value(role.mfa_serial));
    parameters.set("TokenCode", Value(mfa_code.reveal()));
  }
  return sts_request(base, "AssumeRole", std::move(parameters));
}

Request web_identity_request(const std::string& base, const AwsRole& role, const Secret& token) {
  Map parameters = role_parameters(role);
  parameters.set("WebIdentityToken", Value(token.reveal()));
  return sts_request(base, "AssumeRoleWithWebIdentity", std::move(parameters));
}

Result<AwsCredentials> parse_sts_credentials(const Response& response) {
  if (!response.ok()) return aws_error(response);
  auto body = read_aws_body(response.body);
  if (!body.ok()) return unusable("STS", "its answer cannot be read.");
  for (const char* result : {"AssumeRoleResult", "AssumeRoleWithWebIdentityResult"})
    if (const Value& found = (*body)[result]["Credentials"]; found.is_map())
      return parse_credentials(found, kProcessNames, "STS");
  return unusable("STS", "its answer has no credentials.");
}

Result<AwsCredentials> parse_credentials(const Value& json, const CredentialNames& names,
                                         std::string_view from) {
  AwsCredentials found;
  found.keys.id = json[names.id].as_text();
  found.keys.secret = Secret(std::string(json[names.secret].as_text()));
  found.keys.token = Secret(std::string(json[names.token].as_text()));
  if (found.keys.id.empty() || found.keys.secret.empty())
    return unusable(from, fmt::format("{} or {} is missing.", names.id, names.secret));
  if (!fits_a_header(found.keys.token.reveal()))
    return unusable(from, fmt::format("{} has blanks or other characters that none has.", names.token));
  found.expires = NB_TRY(expiry(json[names.expires], from));
  return found;
}

Result<AwsCredentials> parse_process_output(std::string_view text, std::string_view program) {
  auto json = parse_json(text);
  // The parser's own words might quote the credentials.
  if (!json.ok() || !json->is_map()) return unusable(program, "its output is not a JSON object.");
  if ((*json)["Version"].as_int() != 1) return unusable(program, "the Version of its output is not 1.");
  return parse_credentials(*json, kProcessNames, program);
}

std::string AwsSso::cache_name() const {
  return hex(sha1(session.empty() ? start_url : session)) + ".json";
}

bool SsoToken::is_renewable(Time now) const {
  for (const char* member : {"refreshToken", "clientId", "clientSecret"})
    if (file[member].as_text().empty()) return false;
  auto registered = parse_rfc3339(file["registrationExpiresAt"].as_text());
  return registered && *registered > now;
}

Diagnostic sso_login_needed(const AwsSso& sso, std::string why) {
  std::string which = sso.session.empty() ? "--profile " + sso.profile : "--sso-session " + sso.session;
  return error(Code::unauthenticated, "The login to AWS has ended", std::move(why))
      .with_hint("Log in again:\n  aws sso login " + which);
}

Result<SsoToken> parse_sso_token(std::string_view text, const AwsSso& sso) {
  auto json = parse_json(text);
  if (!json.ok() || !json->is_map())
    return sso_login_needed(sso, fmt::format("~/.aws/sso/cache/{} is not a JSON object.", sso.cache_name()));
  SsoToken token;
  token.access_token = Secret(std::string((*json)["accessToken"].as_text()));
  // Older tools wrote "2020-01-01T00:00:00UTC".
  std::string until((*json)["expiresAt"].as_text());
  if (until.ends_with("UTC")) until.replace(until.size() - 3, 3, "Z");
  token.expires = parse_rfc3339(until);
  if (token.access_token.empty() || !token.expires)
    return sso_login_needed(sso, fmt::format("~/.aws/sso/cache/{} has no token.", sso.cache_name()));
  token.file = std::move(json).value();
  return token;
}

Request sso_renewal_request(const std::string& oidc_base, const SsoToken& token) {
  Map body = {{"grantType", Value("refresh_token")}};
  for (const char* member : {"clientId", "clientSecret", "refreshToken"})
    body.set(member, token.file[member]);
  return secretive({.method = "POST",
                    .url = oidc_base + "token",
                    .headers = {{"Content-Type", "application/json"}},
                    .body = to_json(Value(std::move(body)))},
                   std::chrono::seconds(30));
}

Result<SsoToken> renewed_sso_token(const SsoToken& old, const Value& answer, Time now) {
  SsoToken token = old;
  token.access_token = Secret(std::string(answer["accessToken"].as_text()));
  if (token.access_token.empty()) return unusable("SSO", "the answer has no token.");
  auto seconds = std::clamp<std::int64_t>(answer["expiresIn"].as_int(3600), 0, 7 * 86'400);
  token.expires = Time::from_seconds(now.seconds() + seconds);
  Map& file = token.file.map();
  file.set("accessToken", answer["accessToken"]);
  file.set("expiresAt", Value(format_rfc3339(*token.expires)));
  if (!answer["refreshToken"].is_null()) file.set("refreshToken", answer["refreshToken"]);
  return token;
}

Request sso_credentials_request(const std::string& portal_base, const AwsSso& sso, const SsoToken& token) {
  return secretive({.url = portal_base + "federation/credentials?" +
                           form_encode({{"role_name", sso.role}, {"account_id", sso.account}}),
                    .headers = {{"x-amz-sso_bearer_token", token.access_token.reveal()}}},
                   std::chrono::seconds(30));
}

Result<std::optional<Request>> container_request(const Lookup& env, const Secret& token) {
  std::string url;
  if (auto path = env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"))
    url = fmt::format("http://169.254.170.2{}{}", path->starts_with('/') ? "" : "/", *path);
  else if (auto full = env("AWS_CONTAINER_CREDENTIALS_FULL_URI"))
    url = *full;
  else
    return std::optional<Request>();
  auto parsed = parse_url(url);
  if (!parsed || (parsed->scheme != "https" && !(parsed->scheme == "http" && may_be_plain(*parsed))))
    return error(Code::denied, "A container's credentials would come from a foreign host",
                 "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or http to a loopback address, "
                 "169.254.170.2, 169.254.170.23 or [fd00:ec2::23].");
  Request request{.url = std::move(url), .headers = {{"Accept", "application/json"}}};
  if (!token.empty()) request.headers.emplace_back("Authorization", token.reveal());
  return std::optional(secretive(std::move(request), std::chrono::seconds(2)));
}

std::string instance_metadata_url(const Lookup& env, std::string_view path) {
  bool six = iequals(env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE").value_or(""), "ipv6");
  std::string base = env("AWS_EC2_METADATA_SERVICE_ENDPOINT")
                         .value_or(six ? "http://[fd00:ec2::254]/" : "http://169.254.169.254/");
  return fmt::format("{}{}latest/{}", base, base.ends_with('/') ? "" : "/", path);
}

Request instance_token_request(const Lookup& env) {
  return secretive({.method = "PUT",
                    .url = instance_metadata_url(env, "api/token"),
                    .headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}}},
                   instance_timeout(env));
}

Request instance_metadata_request(const Lookup& env, std::string_view path, const Secret& token) {
  Request request{.url = instance_metadata_url(env, fmt::format("meta-data/{}", path))};
  if (!token.empty()) request.headers.emplace_back("X-aws-ec2-metadata-token", token.reveal());
  return secretive(std::move(request), instance_timeout(env));
}

Result<Secret> header_secret(std::string_view text, std::string_view from) {
  std::string_view token = trim(text);
  bool visible = std::all_of(token.begin(), token.end(), [](char c) { return c >= ' ' && c < 0x7f; });
  if (!token.empty() && visible) return Secret(std::string(token));
  return unusable(from, token.empty() ? "it is empty." : "it is not one line of text.");
}

}  // namespace nbform
