#include "sim/tokens.h"

#include <fmt/format.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/refusal.h"

namespace nbform::sim {

namespace {

constexpr std::string_view kJwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
constexpr std::string_view kTokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
constexpr std::string_view kAccessToken = "urn:ietf:params:oauth:token-type:access_token";
constexpr std::string_view kGoogleAudience = "https://oauth2.googleapis.com/token";
constexpr std::int64_t kSkew = 300;  // seconds that a caller's clock may be off

std::string field(const Query& form, std::string_view name) {
  for (const auto& [key, value] : form)
    if (key == name) return value;
  return {};
}

Response token_response(std::string token, std::int64_t seconds) {
  return json_response(
      200,
      to_json(Map{{"access_token", std::move(token)}, {"expires_in", seconds}, {"token_type", "Bearer"}}));
}

// A JWT's parts, decoded; absent where it is none.
struct Jwt {
  Value header, claims;
  std::string signed_text, signature;
};
std::optional<Jwt> read_jwt(std::string_view text) {
  auto parts = split(text, '.');
  if (parts.size() != 3) return std::nullopt;
  auto header = base64url_decode(parts[0]), claims = base64url_decode(parts[1]),
       signature = base64url_decode(parts[2]);
  if (!header || !claims || !signature) return std::nullopt;
  auto h = parse_json(*header), c = parse_json(*claims);
  if (!h || !c || !h->is_map() || !c->is_map()) return std::nullopt;
  return Jwt{std::move(*h), std::move(*c), std::string(text.substr(0, parts[0].size() + 1 + parts[1].size())),
             std::move(*signature)};
}

Result<> check_times(const State& state, const Value& claims) {
  std::int64_t now = state.cloud_time().seconds(), iat = claims["iat"].as_int(-1),
               exp = claims["exp"].as_int(-1);
  if (!claims["iat"].is_int() || !claims["exp"].is_int())
    return refuse("invalid_grant", "Invalid JWT: iat and exp are required.");
  if (exp - iat > 3600)
    return refuse(
        "invalid_grant",
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.");
  if (iat > now + kSkew || exp < now)
    return refuse("invalid_grant",
                  "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
                  "timeframe. Check your iat and exp values in the JWT claim.");
  return Ok{};
}

// The service account that signed the assertion.
Result<std::string> judge_assertion(const State& state, std::string_view assertion,
                                    std::string_view own_url) {
  auto jwt = read_jwt(assertion);
  if (!jwt) return refuse("invalid_grant", "Bad Request: the assertion is not a JWT.");
  if (jwt->header["alg"].as_text() != "RS256")
    return refuse("invalid_grant", "Invalid JWT: alg must be RS256.");
  std::string email(jwt->claims["iss"].as_text());
  auto account = state.service_accounts.find(email);
  if (account == state.service_accounts.end())
    return refuse("invalid_grant", "Invalid grant: account not found");
  if (!verify_rs256(account->second, jwt->signed_text, jwt->signature))
    return refuse("invalid_grant", "Invalid JWT Signature.");
  std::string_view audience = jwt->claims["aud"].as_text();
  if (audience != kGoogleAudience && audience != own_url)
    return refuse("invalid_grant", "Invalid JWT: Failed audience check.");
  NB_TRY(check_times(state, jwt->claims));
  if (trim(jwt->claims["scope"].as_text()).empty())
    return refuse("invalid_scope", "Invalid OAuth scope or ID token audience provided.");
  return email;
}

// Who signed a token that no endpoint gave out: for scopes, or for the root of the service that is asked.
std::optional<std::string> self_signer(const State& state, const Jwt& jwt, std::string_view asked) {
  std::string email(jwt.claims["iss"].as_text());
  auto account = state.service_accounts.find(email);
  auto url = parse_url(asked);
  const Value &audience = jwt.claims["aud"], &scope = jwt.claims["scope"];
  bool is_for_us = audience.is_null() ? !scope.as_text().empty()
                                      : scope.is_null() && url && audience.as_text() == url->origin() + "/";
  if (account == state.service_accounts.end() || !is_for_us || jwt.claims["sub"] != jwt.claims["iss"] ||
      !check_times(state, jwt.claims) || !verify_rs256(account->second, jwt.signed_text, jwt.signature))
    return std::nullopt;
  return email;
}

}  // namespace

std::string issue_token(State& state, const std::string& principal, std::int64_t seconds) {
  std::string token =
      fmt::format("ya29.sim-{:016x}{:016x}", state.next_random(~0ull), state.next_random(~0ull));
  state.tokens[token] = {principal, state.cloud_time() + std::chrono::seconds(seconds)};
  return token;
}

Result<std::string> bearer(const State& state, const Request& request) {
  if (!state.options.auth) return std::string("user@example.com");
  auto given = header(request.headers, "authorization");
  if (!given)
    return refuse("authError",
                  "Request is missing required authentication credential. Expected OAuth 2 access token, "
                  "login cookie or other valid authentication credential.");
  auto refused = refuse("authError",
                        "Request had invalid authentication credentials. Expected OAuth 2 access token, "
                        "login cookie or other valid authentication credential.");
  if (given->size() < 8 || !iequals(given->substr(0, 7), "Bearer ")) return refused;
  std::string_view text = given->substr(7);
  auto token = state.tokens.find(std::string(text));
  if (token != state.tokens.end()) {
    bool over = token->second.expires && *token->second.expires <= state.cloud_time();
    return over ? refused : Result<std::string>(token->second.principal);
  }
  auto jwt = read_jwt(text);
  auto signer = jwt ? self_signer(state, *jwt, request.url) : std::nullopt;
  return signer ? Result<std::string>(*signer) : refused;
}

Response answer_oauth(State& state, const Request& request, const Url& url) {
  if (request.method != "POST") return oauth_refusal("invalid_request", "Only POST is accepted.", 405);
  if (!header(request.headers, "content-type").value_or("").starts_with("application/x-www-form-urlencoded"))
    return oauth_refusal("invalid_request", "The body must be form-encoded.");
  Query form = form_decode(request.body);
  std::string grant = field(form, "grant_type");
  if (grant == "refresh_token") {
    if (field(form, "refresh_token").empty() || field(form, "client_id").empty())
      return oauth_refusal("invalid_request", "Missing required parameter: refresh_token");
    if (!field(form, "refresh_token").starts_with("1//"))
      return oauth_refusal("invalid_grant", "Bad Request");
    return token_response(issue_token(state, "user@example.com", state.options.token_lifetime),
                          state.options.token_lifetime - 1);
  }
  if (grant != kJwtBearer) return oauth_refusal("unsupported_grant_type", "Invalid grant_type: " + grant);
  auto email = judge_assertion(state, field(form, "assertion"), url.origin() + url.path);
  if (!email) return oauth_refusal(email.error().provider_code, email.error().detail);
  return token_response(issue_token(state, *email, state.options.token_lifetime),
                        state.options.token_lifetime - 1);
}

namespace {

// Form names, or the camelCase names of a JSON body.
Query sts_form(const Request& request) {
  if (!header(request.headers, "content-type").value_or("").starts_with("application/json"))
    return form_decode(request.body);
  Query form;
  auto body = parse_json(request.body);
  if (!body) return form;
  for (const auto& [json, plain] :
       {std::pair("grantType", "grant_type"), std::pair("audience", "audience"),
        std::pair("subjectToken", "subject_token"), std::pair("subjectTokenType", "subject_token_type"),
        std::pair("requestedTokenType", "requested_token_type"), std::pair("scope", "scope")})
    form.emplace_back(plain, (*body)[json].as_text());
  return form;
}

}  // namespace

Response answer_sts(State& state, const Request& request) {
  if (request.method != "POST") return oauth_refusal("invalid_request", "Only POST is accepted.", 405);
  Query form = sts_form(request);
  if (field(form, "grant_type") != kTokenExchange)
    return oauth_refusal("unsupported_grant_type", "Only token exchange is accepted.");
  if (field(form, "requested_token_type") != kAccessToken)
    return oauth_refusal("invalid_request", "Invalid value for \"requestedTokenType\".");
  if (!field(form, "audience").starts_with("//iam.googleapis.com/"))
    return oauth_refusal("invalid_target", "The audience is not a workload identity provider.");
  if (field(form, "scope").empty()) return oauth_refusal("invalid_scope", "The scope is required.");
  std::string type = field(form, "subject_token_type");
  if (!type.starts_with("urn:"))
    return oauth_refusal("invalid_request", "Invalid value for \"subjectTokenType\".");
  if (trim(field(form, "subject_token")).empty())
    return oauth_refusal("invalid_grant", "The subject token is empty.");
  std::int64_t seconds = state.options.token_lifetime;
  return json_response(
      200, to_json(Map{{"access_token", issue_token(state, "principal:" + field(form, "audience"), seconds)},
                       {"issued_token_type", kAccessToken},
                       {"token_type", "Bearer"},
                       {"expires_in", seconds}}));
}

namespace {

std::optional<std::int64_t> lifetime(const Value& asked) {
  if (asked.is_null()) return 3600;
  std::string_view text = asked.as_text();
  if (!text.ends_with('s')) return std::nullopt;
  std::int64_t n = Value(text.substr(0, text.size() - 1)).as_int(-1);
  return n > 0 && n <= 3600 ? std::optional(n) : std::nullopt;
}

Result<Value> generate_access_token(State& state, const Request& request, std::string_view email) {
  (void)NB_TRY(bearer(state, request));
  if (request.method != "POST") return refuse("methodNotAllowed", "Only POST is accepted.");
  auto body = parse_json(request.body);
  if (!body || !body->is_map()) return refuse("badRequest", "Invalid JSON payload received.");
  for (const auto& [key, value] : body->as_map())
    if (key != "scope" && key != "lifetime" && key != "delegates")
      return refuse(
          "badRequest",
          fmt::format("Invalid JSON payload received. Unknown name \"{}\": Cannot find field.", key));
  if ((*body)["scope"].as_list().empty())
    return refuse("badRequest", "Request contains an invalid argument: scope is required.");
  auto seconds = lifetime((*body)["lifetime"]);
  if (!seconds) return refuse("badRequest", "Request contains an invalid argument: lifetime.");
  if (state.denied.contains("iam.serviceAccounts.getAccessToken"))
    return refuse(
        "forbidden",
        "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).");
  std::string token = issue_token(state, std::string(email), *seconds);
  Time end{(state.cloud_time() + std::chrono::seconds(*seconds)).seconds() * 1'000'000};
  return Value(Map{{"accessToken", token}, {"expireTime", format_rfc3339(end)}});
}

}  // namespace

Response answer_iam(State& state, const Request& request, const Url& url) {
  constexpr std::string_view kPrefix = "/v1/projects/-/serviceAccounts/", kVerb = ":generateAccessToken";
  std::string path = percent_decode(url.path);
  if (!path.starts_with(kPrefix) || !path.ends_with(kVerb))
    return rpc_refusal(refuse("notFound", "Method not found."));
  auto result = generate_access_token(
      state, request,
      std::string_view(path).substr(kPrefix.size(), path.size() - kPrefix.size() - kVerb.size()));
  return result ? json_response(200, to_json(*result)) : rpc_refusal(result.error());
}

namespace {
constexpr std::string_view kAccount = "123456789012-compute@developer.gserviceaccount.com";

std::optional<std::string> metadata_text(State& state, std::string_view path) {
  if (path == "/" || path == "/computeMetadata/v1/") return "computeMetadata/\n";
  if (path == "/computeMetadata/v1/project/project-id") return state.options.project;
  if (path == "/computeMetadata/v1/project/numeric-project-id") return "123456789012";
  if (path == "/computeMetadata/v1/instance/zone") return "projects/123456789012/zones/us-central1-a";
  if (path == "/computeMetadata/v1/universe/universe-domain" ||
      path == "/computeMetadata/v1/universe/universe_domain")
    return "googleapis.com";
  if (path == "/computeMetadata/v1/instance/service-accounts/default/email") return std::string(kAccount);
  return std::nullopt;
}

std::optional<Value> metadata_value(State& state, std::string_view path) {
  constexpr std::string_view kDefault = "/computeMetadata/v1/instance/service-accounts/default/";
  if (path == kDefault)
    return Map{{"aliases", List{"default"}},
               {"email", kAccount},
               {"scopes", List{"https://www.googleapis.com/auth/cloud-platform"}}};
  if (path != std::string(kDefault) + "token") return std::nullopt;
  std::int64_t seconds = state.options.token_lifetime;
  return Map{{"access_token", issue_token(state, std::string(kAccount), seconds)},
             {"expires_in", seconds - 1},
             {"token_type", "Bearer"}};
}
}  // namespace

Response answer_metadata(State& state, const Request& request, const Url& url) {
  Headers flavor{{"Metadata-Flavor", "Google"}, {"Server", "Metadata Server for VM"}};
  auto with_type = [&](std::string type) {
    Headers h = flavor;
    h.emplace_back("Content-Type", std::move(type));
    return h;
  };
  if (url.path != "/" && header(request.headers, "metadata-flavor").value_or("") != "Google")
    return {403, with_type("text/html"), "Missing Metadata-Flavor:Google header."};
  if (auto text = metadata_text(state, url.path)) return {200, with_type("application/text"), *text};
  if (auto value = metadata_value(state, url.path))
    return {200, with_type("application/json"), to_json(*value)};
  return {404, with_type("text/html"), "not found"};
}

}  // namespace nbform::sim
