#include <fmt/format.h>

#include <array>

#include "base/json.h"
#include "base/text.h"
#include "sim/aws/front.h"
#include "sim/compute.h"
#include "sim/iap.h"
#include "sim/oslogin.h"
#include "sim/refusal.h"
#include "sim/service.h"
#include "sim/tokens.h"

namespace nbform::sim {

namespace {

Answer compute(State& state, const Request& request, const Url& url) {
  auto principal = bearer(state, request);
  if (!principal) return {compute_refusal(principal.error())};
  state.actor = *principal;
  return answer_compute(state, request, url, *principal);
}
Answer oauth(State& state, const Request& request, const Url& url) {
  return {answer_oauth(state, request, url)};
}
Answer sts(State& state, const Request& request, const Url&) {
  return {answer_sts(state, request)};
}
Answer iam(State& state, const Request& request, const Url& url) {
  return {answer_iam(state, request, url)};
}
Answer oslogin(State& state, const Request& request, const Url& url) {
  return {answer_oslogin(state, request, url)};
}
Answer userinfo(State& state, const Request& request, const Url& url) {
  return {answer_userinfo(state, request, url)};
}
Answer metadata(State& state, const Request& request, const Url& url) {
  return {answer_metadata(state, request, url)};
}
Answer nowhere(State&, const Request&, const Url& url) {
  return {compute_refusal(refuse(
      "notFound",
      fmt::format("The requested URL {} was not found on this server (nbsim: no such service).", url.path)))};
}

Response google_trouble(State&, int status, std::string_view code, std::string_view message) {
  std::string_view reason = !code.empty() ? code : status >= 500 ? "backendError" : "rateLimitExceeded";
  Map item{{"domain", "global"}, {"reason", reason}, {"message", message}};
  return json_response(
      status, to_json(Map{{"error", Map{{"code", status}, {"message", message}, {"errors", List{item}}}}}));
}

Value compute_note(const Request& request, const Url&) {
  auto body = parse_json(request.body);
  return body && body->is_map() ? Map{{"body", std::move(*body)}} : Map();
}

// Calls "connect" and "reconnect".
Subject iap_subject(State&, const Request&, const Url& url) {
  return {std::string(last_segment(url.path)), "", ""};
}

constexpr std::array kGoogle = {
    Service{"compute", compute, google_trouble, compute_subject, http_status, compute_note},
    Service{"oauth", oauth, google_trouble, nullptr, http_status},
    Service{"sts", sts, google_trouble, nullptr, http_status},
    Service{"iamcredentials", iam, google_trouble, nullptr, http_status},
    Service{"oslogin", oslogin, google_trouble, nullptr, http_status, compute_note},
    Service{"userinfo", userinfo, google_trouble, nullptr, http_status},
    Service{"metadata", metadata, google_trouble, nullptr, http_status},
    Service{"iap", answer_iap_relay, google_trouble, iap_subject, http_status},
    Service{"", nowhere, google_trouble, nullptr, http_status},
};

// The host may be the real one or nbsim's: the path decides.
std::string_view google_service(std::string_view path) {
  if (path.starts_with("/compute/v1/")) return "compute";
  if (path == "/token" || path == "/oauth2/v4/token") return "oauth";
  if (path == "/v1/token") return "sts";
  if (path.starts_with("/v1/projects/-/serviceAccounts/")) return "iamcredentials";
  if (path.starts_with("/v1/users/")) return "oslogin";
  if (path == "/oauth2/v3/userinfo") return "userinfo";
  if (path == "/v4/connect" || path == "/v4/reconnect") return "iap";
  if (path == "/" || path.starts_with("/computeMetadata/")) return "metadata";
  return "";
}

}  // namespace

const Service& service_for(const Request& request, const Url& url) {
  if (const Service* s = aws::service_for(request, url)) return *s;
  std::string_view name = google_service(url.path);
  for (const Service& s : kGoogle)
    if (s.name == name) return s;
  bug("a service without a row");
}

}  // namespace nbform::sim
