#include "net/google_credentials.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "net/endpoints.h"

namespace nbform {

namespace {

constexpr std::string_view kScope = "https://www.googleapis.com/auth/cloud-platform";
constexpr std::string_view kTokenUrl = "https://oauth2.googleapis.com/token";

constexpr std::chrono::seconds kJwtLife{3600};

bool is_googles(std::string_view text) {
  auto url = parse_url(text);
  return url && is_google_host(*url);
}

Result<std::string> signed_jwt(const GoogleCredential& credential, Time now, Map claims) {
  Map header = {{"alg", Value("RS256")}, {"typ", Value("JWT")}};
  if (!credential.key_id.empty()) header.set("kid", Value(credential.key_id));
  claims.set("iss", Value(credential.account));
  claims.set("iat", Value(now.seconds()));
  claims.set("exp", Value(now.seconds() + kJwtLife.count()));
  std::string text = base64url(to_json(Value(header))) + "." + base64url(to_json(Value(claims)));
  return text + "." + base64url(NB_TRY(sign_rs256(credential.private_key, text)));
}

Diagnostic unusable(std::string_view source, std::string_view why) {
  return error(Code::unauthenticated, "A Google credential file cannot be used",
               fmt::format("{}: {}", source, why))
      .with_hint("Make a new one:\n  gcloud auth application-default login");
}

Request form_post(std::string url, const Query& form) {
  return {.method = "POST",
          .url = std::move(url),
          .headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}},
          .body = form_encode(form),
          .timeout = std::chrono::seconds(30),
          .max_body = 1 << 20,
          .secret_answer = true};
}

Result<std::string> required(const Value& json, const char* member, std::string_view source) {
  std::string_view text = json[member].as_text();
  if (text.empty()) return unusable(source, fmt::format("the member \"{}\" is missing.", member));
  return std::string(text);
}

std::string text_or(const Value& value, std::string_view fallback) {
  std::string_view text = value.as_text();
  return std::string(text.empty() ? fallback : text);
}

Result<GoogleCredential> service_account(const Value& json, GoogleCredential c) {
  c.kind = GoogleCredential::Kind::service_account;
  c.account = NB_TRY(required(json, "client_email", c.source));
  c.private_key = Secret(NB_TRY(required(json, "private_key", c.source)));
  c.key_id = json["private_key_id"].as_text();
  c.token_url = text_or(json["token_uri"], kTokenUrl);
  c.project = json["project_id"].as_text();
  return c;
}

Result<GoogleCredential> authorized_user(const Value& json, GoogleCredential c) {
  c.kind = GoogleCredential::Kind::authorized_user;
  c.client_id = NB_TRY(required(json, "client_id", c.source));
  c.client_secret = Secret(NB_TRY(required(json, "client_secret", c.source)));
  c.refresh_token = Secret(NB_TRY(required(json, "refresh_token", c.source)));
  c.account = json["account"].as_text();
  c.token_url = text_or(json["token_uri"], kTokenUrl);
  return c;
}

Result<SubjectSource> subject_source(const Value& json, std::string_view source) {
  SubjectSource subject;
  for (const char* other : {"environment_id", "executable", "certificate"})
    if (!json[other].is_null())
      return error(Code::unsupported, "This kind of external account is not supported",
                   fmt::format("{}: credential_source has \"{}\"; nbform reads \"file\" and \"url\" sources.",
                               source, other));
  subject.file = json["file"].as_text();
  subject.url = json["url"].as_text();
  if (subject.file.empty() == subject.url.empty())
    return unusable(source, "credential_source must have a \"file\" or a \"url\".");
  for (const auto& [name, value] : json["headers"].as_map())
    subject.headers.emplace_back(name, value.as_text());
  if (json.at_path("format/type").as_text() == "json") {
    subject.field = json.at_path("format/subject_token_field_name").as_text();
    if (subject.field.empty()) return unusable(source, "the format json needs subject_token_field_name.");
  }
  return subject;
}

Result<GoogleCredential> external_account(const Value& json, GoogleCredential c, const Lookup& env) {
  c.kind = GoogleCredential::Kind::external_account;
  c.audience = NB_TRY(required(json, "audience", c.source));
  c.subject_token_type = NB_TRY(required(json, "subject_token_type", c.source));
  c.subject = NB_TRY(subject_source(json["credential_source"], c.source));
  c.token_url = text_or(json["token_url"], NB_TRY(google_endpoint("sts", env)).base + "token");
  c.client_id = json["client_id"].as_text();
  c.client_secret = Secret(std::string(json["client_secret"].as_text()));
  c.workforce_project = json["workforce_pool_user_project"].as_text();
  if (std::string_view url = json["service_account_impersonation_url"].as_text(); !url.empty()) {
    auto lifetime = json.at_path("service_account_impersonation/token_lifetime_seconds").as_int(3600);
    c.impersonate.push_back(
        {std::string(url), {}, static_cast<int>(std::clamp<std::int64_t>(lifetime, 600, 43200))});
  }
  return c;
}

// "…/serviceAccounts/EMAIL:generateAccessToken" -> EMAIL
std::string account_in(std::string_view url) {
  std::string_view name = last_segment(url);
  return percent_decode(name.substr(0, name.find(':')));
}

Result<GoogleCredential> parse(const Value& json, GoogleCredential c, const Lookup& env, int depth);

Result<GoogleCredential> impersonated(const Value& json, GoogleCredential c, const Lookup& env, int depth) {
  std::string url = NB_TRY(required(json, "service_account_impersonation_url", c.source));
  std::string quota_project = c.quota_project;
  c = NB_TRY(parse(json["source_credentials"], std::move(c), env, depth + 1));
  Impersonation step{.url = std::move(url)};
  for (const Value& delegate : json["delegates"].as_list()) step.delegates.emplace_back(delegate.as_text());
  c.impersonate.push_back(std::move(step));
  if (!quota_project.empty()) c.quota_project = quota_project;
  return c;
}

Result<GoogleCredential> parse(const Value& json, GoogleCredential c, const Lookup& env, int depth) {
  std::string_view type = json["type"].as_text();
  if (auto universe = json["universe_domain"].as_text("googleapis.com"); universe != "googleapis.com")
    return error(Code::unsupported, "Another universe than Google Cloud's public one is not supported",
                 fmt::format("{}: universe_domain is {}.", c.source, universe));
  c.quota_project = json["quota_project_id"].as_text();
  if (type == "service_account") return service_account(json, std::move(c));
  if (type == "authorized_user") return authorized_user(json, std::move(c));
  if (type == "external_account") return external_account(json, std::move(c), env);
  if (type == "impersonated_service_account" && depth < 4)
    return impersonated(json, std::move(c), env, depth);
  if (type.empty()) return unusable(c.source, "the member \"type\" is missing.");
  return error(
      Code::unsupported, "This type of Google credential is not supported",
      fmt::format("{}: the type is {}; nbform reads service_account, authorized_user, external_account and "
                  "impersonated_service_account.",
                  c.source, printable(type)));
}

}  // namespace

Result<GoogleCredential> parse_google_credential(std::string_view text, std::string source,
                                                 const Lookup& env) {
  auto json = parse_json(text);
  // The parser's own words might quote the file.
  if (!json.ok() || !json->is_map()) return unusable(source, "it is not a JSON object.");
  GoogleCredential empty;
  empty.source = std::move(source);
  auto credential = parse(*json, std::move(empty), env, 0);
  if (!credential.ok()) return credential;
  if (!credential->impersonate.empty()) credential->account = account_in(credential->impersonate.back().url);
  if (!credential->token_url.empty()) NB_TRY(may_receive_credentials(credential->token_url, env));
  for (const Impersonation& step : credential->impersonate) NB_TRY(may_receive_credentials(step.url, env));
  if (!credential->subject.url.empty()) NB_TRY(allowed_url(credential->subject.url));
  return credential;
}

Result<Impersonation> impersonation_of(std::string_view email, const Lookup& env) {
  Endpoint endpoint = NB_TRY(google_endpoint("iamcredentials", env));
  return Impersonation{.url = fmt::format("{}projects/-/serviceAccounts/{}:generateAccessToken",
                                          endpoint.base, percent_encode(email))};
}

Result<> may_receive_credentials(std::string_view text, const Lookup& env) {
  Url url = NB_TRY(allowed_url(text));
  if (is_loopback(url.host) || may_receive_google_token(url, env)) return Ok{};
  if (auto host = env("CLOUDSDK_AUTH_TOKEN_HOST"))
    if (auto named = parse_url(*host); named && named->origin() == url.origin() && url.scheme == "https")
      return Ok{};
  return error(
      Code::denied, "Google credentials would go to a foreign host",
      fmt::format("{} is not a host of Google's, and no variable names it as an endpoint.", url.origin()));
}

Result<Request> jwt_grant(const GoogleCredential& credential, Time now) {
  // Google expects its constant; a token for another server must not be one for Google.
  std::string jwt = NB_TRY(signed_jwt(
      credential, now,
      {{"aud", Value(is_googles(credential.token_url) ? std::string(kTokenUrl) : credential.token_url)},
       {"scope", Value(kScope)}}));
  return form_post(credential.token_url,
                   {{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"}, {"assertion", jwt}});
}

Result<AccessToken> self_signed_token(const GoogleCredential& credential, Time now) {
  Map target = {{"scope", Value(kScope)}};
  if (auto url = parse_url(credential.token_url); url && !is_google_host(*url))
    target = {{"aud", Value(url->origin() + "/")}};  // a simulator's key: no token for Google
  target.set("sub", Value(credential.account));
  std::string jwt = NB_TRY(signed_jwt(credential, now, std::move(target)));
  return AccessToken{Secret(std::move(jwt)), now + kJwtLife};
}

Request refresh_grant(const GoogleCredential& credential) {
  return form_post(credential.token_url, {{"grant_type", "refresh_token"},
                                          {"client_id", credential.client_id},
                                          {"client_secret", credential.client_secret.reveal()},
                                          {"refresh_token", credential.refresh_token.reveal()}});
}

Request token_exchange(const GoogleCredential& credential, const Secret& subject_token) {
  Query form = {{"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"},
                {"audience", credential.audience},
                {"scope", std::string(kScope)},
                {"requested_token_type", "urn:ietf:params:oauth:token-type:access_token"},
                {"subject_token", subject_token.reveal()},
                {"subject_token_type", credential.subject_token_type}};
  if (!credential.workforce_project.empty() && credential.client_id.empty())
    form.emplace_back("options", to_json(Value(Map{{"userProject", Value(credential.workforce_project)}})));
  Request request = form_post(credential.token_url, form);
  if (!credential.client_id.empty())
    request.headers.emplace_back(
        "Authorization", "Basic " + base64(credential.client_id + ":" + credential.client_secret.reveal()));
  return request;
}

Request impersonation_request(const Impersonation& step, const Secret& token) {
  List delegates;
  for (const std::string& delegate : step.delegates) delegates.emplace_back(delegate);
  Map body = {{"delegates", Value(delegates)},
              {"scope", Value(List{Value(kScope)})},
              {"lifetime", Value(fmt::format("{}s", step.lifetime_seconds))}};
  return {.method = "POST",
          .url = step.url,
          .headers = {{"Content-Type", "application/json"}, {"Authorization", "Bearer " + token.reveal()}},
          .body = to_json(Value(body)),
          .timeout = std::chrono::seconds(30),
          .max_body = 1 << 20,
          .secret_answer = true};
}

std::string metadata_url(const Lookup& env, std::string_view path) {
  auto host = env("GCE_METADATA_HOST");
  if (!host) host = env("GCE_METADATA_ROOT");
  return fmt::format("http://{}/computeMetadata/v1/{}", host.value_or("metadata.google.internal"), path);
}

Request metadata_token_request(const Lookup& env) {
  return {.url = metadata_url(env, "instance/service-accounts/default/token"),
          .headers = {{"Metadata-Flavor", "Google"}},
          .timeout = std::chrono::seconds(3),
          .max_body = 1 << 20,
          .secret_answer = true};
}

Result<AccessToken> parse_token_answer(const Value& json, Time now) {
  std::string_view token = json["access_token"].as_text(json["accessToken"].as_text());
  if (token.empty())
    return error(Code::unauthenticated, "The token endpoint gave no token",
                 "Its answer has no access token.");
  AccessToken access{NB_TRY(plain_token(token, "the token endpoint")), std::nullopt};
  if (auto seconds = json["expires_in"].as_int(-1); seconds >= 0)
    access.expires = now + std::chrono::seconds(std::min<std::int64_t>(seconds, 86'400));
  else if (!json["expireTime"].is_null())
    access.expires = parse_rfc3339(json["expireTime"].as_text());
  return access;
}

Result<Secret> plain_token(std::string_view text, std::string_view source) {
  std::string_view token = trim(text);
  bool visible = std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!token.empty() && visible) return Secret(std::string(token));
  return error(Code::unauthenticated, "There is no usable token",
               fmt::format("What {} holds is {}.", source, token.empty() ? "empty" : "not a token"));
}

Result<Secret> subject_token(const SubjectSource& source, std::string_view text) {
  std::string_view where = source.file.empty() ? source.url : source.file;
  if (source.field.empty()) return plain_token(text, where);
  auto json = parse_json(text);
  if (!json.ok())
    return error(Code::unauthenticated, "There is no usable token", fmt::format("{} is not JSON.", where));
  return plain_token((*json)[source.field].as_text(), fmt::format("\"{}\" of {}", source.field, where));
}

}  // namespace nbform
