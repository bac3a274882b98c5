#include "sim/aws/identity.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/refusal.h"
#include "sim/tokens.h"

namespace nbform::sim::aws {

namespace {

constexpr std::string_view kRoleId = "AROANBFORMSANDBOX0001";

// --- STS

struct Role {
  std::string account, name;
};

// arn:aws:iam::123456789012:role/path/name
Result<Role> read_role(std::string_view arn) {
  auto parts = split(arn, ':');
  bool fits = parts.size() == 6 && parts[0] == "arn" && parts[2] == "iam" && parts[4].size() == 12 &&
              parts[5].starts_with("role/") && parts[5].size() > 5;
  if (!fits) return refuse("ValidationError", fmt::format("{} is invalid", arn));
  return Role{std::string(parts[4]), std::string(last_segment(parts[5]))};
}

bool session_name(std::string_view text) {
  return text.size() >= 2 && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) ||
                  std::string_view("_+=,.@-").find(c) != std::string_view::npos;
         });
}

Value credentials(const Session& s) {
  return Map{{"AccessKeyId", s.key_id},
             {"SecretAccessKey", s.key.secret},
             {"SessionToken", s.key.session_token},
             {"Expiration", format_rfc3339(Time::from_seconds(s.key.expires->seconds()))}};
}

Result<Value> assume(State& state, const Value& in) {
  Role role = NB_TRY(read_role(in["RoleArn"].as_text()));
  std::string_view name = in["RoleSessionName"].as_text();
  if (!session_name(name))
    return refuse(
        "ValidationError",
        fmt::format("1 validation error detected: Value '{}' at 'roleSessionName' failed to satisfy "
                    "constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
                    name));
  std::int64_t seconds = in["DurationSeconds"].as_int(3600);
  if (seconds < 900 || seconds > 43200)
    return refuse("ValidationError",
                  fmt::format("1 validation error detected: Value '{}' at 'durationSeconds' "
                              "failed to satisfy constraint",
                              seconds));
  std::string arn = fmt::format("arn:aws:sts::{}:assumed-role/{}/{}", role.account, role.name, name),
              id = fmt::format("{}:{}", kRoleId, name);
  Session session = issue_session(state, role.account, arn, id, seconds);
  return Value(Map{{"Credentials", credentials(session)},
                   {"AssumedRoleUser", Map{{"AssumedRoleId", id}, {"Arn", arn}}}});
}

Result<Value> assume_role(State& state, const Caller& caller, const Value& in) {
  if (state.denied.contains("sts:AssumeRole"))
    return refuse("AccessDenied",
                  fmt::format("User: {} is not authorized to perform: sts:AssumeRole on resource: {}",
                              caller.arn, in["RoleArn"].as_text()));
  return assume(state, in);
}

// The token must be a JWT in form; "exp" is judged where it has one.
Result<Value> assume_with_web_identity(State& state, const Value& in) {
  auto parts = split(in["WebIdentityToken"].as_text(), '.');
  auto claims = parts.size() == 3 ? base64url_decode(parts[1]) : std::nullopt;
  auto read = claims ? parse_json(*claims) : Result<Value>(refuse("InvalidIdentityToken", ""));
  if (!read || !read->is_map())
    return refuse("InvalidIdentityToken",
                  "The ID Token provided is not a valid JWT. (You may see this error "
                  "if you sent an Access Token)");
  if (!(*read)["exp"].is_null() && (*read)["exp"].as_int() <= state.cloud_time().seconds())
    return refuse("ExpiredTokenException",
                  "Token expired: current date/time must be before the expiration date/time");
  Value out = NB_TRY(assume(state, in));
  out.map().set("SubjectFromWebIdentityToken", (*read)["sub"].as_text("nbsim"));
  out.map().set("Audience", (*read)["aud"].as_text("sts.amazonaws.com"));
  return out;
}

}  // namespace

Result<Value> answer_identity(State& state, const std::optional<Caller>& caller, const std::string& action,
                              const Value& in) {
  if (action == "AssumeRoleWithWebIdentity") return assume_with_web_identity(state, in);
  if (action == "AssumeRole") return assume_role(state, *caller, in);
  return Value(Map{{"UserId", caller->user_id}, {"Account", caller->account}, {"Arn", caller->arn}});
}

// --- SSO

namespace {

Response sso_answer(int status, const Value& body, std::string_view error_type = {}) {
  Response r{status, {{"Content-Type", "application/json"}}, to_json(body)};
  if (!error_type.empty()) set_header(r.headers, "x-amzn-ErrorType", std::string(error_type));
  return r;
}

Response refresh(State& state, const Request& request) {
  auto body = parse_json(request.body);
  if (!body || (*body)["grantType"].as_text() != "refresh_token" || (*body)["refreshToken"].as_text().empty())
    return sso_answer(400, Map{{"error", "invalid_request"}, {"error_description", "Only refresh_token."}},
                      "InvalidRequestException");
  return sso_answer(200, Map{{"accessToken", issue_token(state, "sso", 28'800)},
                             {"tokenType", "Bearer"},
                             {"expiresIn", 28'800},
                             {"refreshToken", (*body)["refreshToken"]}});
}

}  // namespace

Response answer_sso(State& state, const Request& request, const Url& url) {
  if (url.path == "/token") return refresh(state, request);
  auto token = state.tokens.find(std::string(header(request.headers, "x-amz-sso_bearer_token").value_or("")));
  bool known =
      token != state.tokens.end() && (!token->second.expires || *token->second.expires > state.cloud_time());
  if (!known)
    return sso_answer(401, Map{{"message", "Session token not found or invalid"}}, "UnauthorizedException");
  std::string role, account;
  for (const auto& [name, value] : form_decode(url.query))
    if (name == "role_name")
      role = value;
    else if (name == "account_id")
      account = value;
  Session s = issue_session(state, account,
                            fmt::format("arn:aws:sts::{}:assumed-role/AWSReservedSSO_{}/sso", account, role),
                            fmt::format("{}:sso", kRoleId), 3600);
  return sso_answer(200, Map{{"roleCredentials", Map{{"accessKeyId", s.key_id},
                                                     {"secretAccessKey", s.key.secret},
                                                     {"sessionToken", s.key.session_token},
                                                     {"expiration", s.key.expires->millis()}}}});
}

}  // namespace nbform::sim::aws
