#include "base/google_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/json.h"
#include "base/refusal.h"
#include "base/text.h"

namespace nbform {

namespace {

// Words of all services, lower case and without '_', so that camelCase and UPPER_SNAKE meet.
const std::map<std::string_view, Code>& known_words() {
  static const std::map<std::string_view, Code> kWords = {
      {"ratelimitexceeded", Code::throttled},
      {"userratelimitexceeded", Code::throttled},
      {"concurrentoperationsquotaexceeded", Code::throttled},
      {"resourceoperationrateexceeded", Code::throttled},
      {"toomanyrequests", Code::throttled},
      {"slowdown", Code::throttled},
      {"quotaexceeded", Code::quota},
      {"dailylimitexceeded", Code::quota},
      {"limitexceeded", Code::quota},
      {"zoneresourcepoolexhausted", Code::capacity},
      {"zoneresourcepoolexhaustedwithdetails", Code::capacity},
      {"regionresourcepoolexhausted", Code::capacity},
      {"resourcepoolexhausted", Code::capacity},
      {"gpustockout", Code::capacity},
      {"stockout", Code::capacity},
      {"insufficientcapacity", Code::capacity},
      {"unsupportedoperation", Code::capacity},  // a Spot VM preempted while it was being made
      {"notfound", Code::not_found},
      {"resourcenotfound", Code::not_found},
      {"alreadyexists", Code::exists},
      {"resourcealreadyexists", Code::exists},
      {"duplicate", Code::exists},
      {"operationinprogress", Code::busy},
      {"resourcenotready", Code::busy},
      {"aborted", Code::busy},
      {"resourceinusebyanotherresource", Code::conflict},  // until somebody lets go of it: no use in waiting
      {"conditionnotmet", Code::conflict},
      {"failedprecondition", Code::conflict},
      {"forbidden", Code::denied},
      {"permissiondenied", Code::denied},
      {"iampermissiondenied", Code::denied},
      {"insufficientpermissions", Code::denied},
      {"accesstokenscopeinsufficient", Code::denied},
      {"servicedisabled", Code::denied},
      {"accessnotconfigured", Code::denied},
      {"billingdisabled", Code::denied},
      {"userprojectdenied", Code::denied},
      {"invalidresourceusage", Code::denied},  // deletion protection
      {"autherror", Code::unauthenticated},
      {"unauthenticated", Code::unauthenticated},
      {"invalidcredentials", Code::unauthenticated},
      {"invalidgrant", Code::unauthenticated},
      {"invalidclient", Code::unauthenticated},
      {"unauthorizedclient", Code::unauthenticated},
      {"invalidtoken", Code::unauthenticated},
      {"invalidrapt", Code::unauthenticated},
      {"raptrequired", Code::unauthenticated},
      {"invalid", Code::bad_manifest},
      {"required", Code::bad_manifest},
      {"badrequest", Code::bad_manifest},
      {"invalidparameter", Code::bad_manifest},
      {"invalidargument", Code::bad_manifest},
      {"outofrange", Code::bad_manifest},
      {"unimplemented", Code::unsupported},
      {"cancelled", Code::cancelled},
      {"backenderror", Code::unavailable},
      {"internalerror", Code::unavailable},
      {"internal", Code::unavailable},
      {"unavailable", Code::unavailable},
      {"deadlineexceeded", Code::unavailable},
      {"internalfailure", Code::unavailable},
      {"servererror", Code::unavailable},
      {"temporarilyunavailable", Code::unavailable},
  };
  return kWords;
}

std::string plain_word(std::string_view code) {
  std::string word = to_lower(code);
  std::erase(word, '_');
  return word;
}

// A per-minute limit is called a quota too, but it refills by itself.
bool is_rate_message(std::string_view message) {
  return message.find("per minute") != std::string_view::npos ||
         message.find("rate limit") != std::string_view::npos;
}

std::optional<Code> code_of_word(std::string_view word, std::string_view message) {
  std::string plain = plain_word(word);
  if (plain == "resourceexhausted") return message.find("Quota '") == 0 ? Code::quota : Code::throttled;
  auto at = known_words().find(plain);
  if (at == known_words().end()) return std::nullopt;
  if (at->second == Code::quota && is_rate_message(message)) return Code::throttled;
  return at->second;
}

void add_reason(GoogleProblem& problem, std::string_view reason) {
  if (!reason.empty()) problem.reasons.emplace_back(reason.substr(0, 100));
}

// One entry of error.details[] (google.rpc.*), or of an operation error's errorDetails[].
void read_detail(GoogleProblem& problem, const Value& detail) {
  const Value& info = detail["errorInfo"].is_map() ? detail["errorInfo"] : detail;
  add_reason(problem, info["reason"].as_text());
  for (const char* key : {"metadata", "metadatas"}) {
    const Value& facts = info[key];
    if (!facts["zonesAvailable"].as_text().empty())
      problem.zones_available = facts["zonesAvailable"].as_text();
    if (!facts["activationUrl"].as_text().empty()) problem.url = facts["activationUrl"].as_text();
    if (!facts["service"].as_text().empty()) problem.api = facts["service"].as_text();
  }
  const Value& help = detail["help"].is_map() ? detail["help"] : detail;
  if (problem.url.empty()) problem.url = help.at_path("links/0/url").as_text();
  if (!detail["requestId"].as_text().empty()) problem.request_id = detail["requestId"].as_text();
}

void read_envelope(GoogleProblem& problem, const Value& body) {
  const Value& error = body["error"];
  if (error.is_text()) {  // OAuth and STS
    add_reason(problem, body["error_subtype"].as_text());
    add_reason(problem, error.as_text());
    problem.message = body["error_description"].as_text();
    return;
  }
  for (const Value& detail : error["details"].as_list()) read_detail(problem, detail);
  for (const Value& item : error["errors"].as_list()) {
    add_reason(problem, item["reason"].as_text());
    if (problem.url.empty()) problem.url = item["extendedHelp"].as_text();
  }
  add_reason(problem, error["status"].as_text());
  problem.message = error["message"].as_text();
}

constexpr std::size_t kMaxErrorValues = 10'000;

// What a body that is no envelope has to say: its first line, unless it is HTML.
std::string first_line(std::string_view body) {
  body = trim(body.substr(0, kMaxRefusalMessage));
  if (body.starts_with('<')) return {};
  return printable(trim(body.substr(0, std::min(body.find('\n'), std::size_t{300}))));
}

// The first address of Google's console in a sentence.
std::string url_in(std::string_view message) {
  auto at = message.find("https://console.");
  if (at == std::string_view::npos) return {};
  std::string_view url = message.substr(at, message.find_first_of(" \n\t\"'<>", at) - at);
  while (url.ends_with('.') || url.ends_with(',')) url.remove_suffix(1);
  return std::string(url);
}

bool says(const GoogleProblem& problem, std::string_view word) {
  return std::any_of(problem.reasons.begin(), problem.reasons.end(),
                     [&](const std::string& reason) { return plain_word(reason) == word; });
}

bool is_api_disabled(const GoogleProblem& problem) {
  return says(problem, "servicedisabled") || says(problem, "accessnotconfigured");
}

std::string_view summary_of(Code code, const GoogleProblem& problem) {
  if (is_api_disabled(problem)) return "A Google Cloud API is not enabled";
  if (says(problem, "resourceinusebyanotherresource")) return "Something else uses the resource";
  switch (code) {
    case Code::throttled:
      return "Google Cloud limits the rate of requests";
    case Code::quota:
      return "A quota of Google Cloud is used up";
    case Code::capacity:
      return "Google Cloud has no capacity there now";
    case Code::not_found:
      return "Google Cloud does not have this";
    case Code::exists:
      return "The name is taken in Google Cloud";
    case Code::busy:
      return "The resource is busy with something else";
    case Code::conflict:
      return "The resource was changed meanwhile";
    case Code::denied:
      return "Google Cloud denies permission";
    case Code::unauthenticated:
      return "Google Cloud does not accept the credentials";
    case Code::bad_manifest:
      return "Google Cloud refuses a value";
    case Code::unsupported:
      return "Google Cloud does not offer this";
    case Code::cancelled:
      return "Google Cloud cancelled the operation";
    case Code::io:
      return "The answer is not one of a Google API";
    default:
      return "Google Cloud is not available";
  }
}

std::string hint_of(Code code, const GoogleProblem& problem) {
  if (is_api_disabled(problem)) {
    if (!problem.api.empty())
      return fmt::format("Switch the API on:\n  gcloud services enable {}", problem.api);
    return problem.url.empty() ? "Switch the API on in the console" : "Switch the API on: " + problem.url;
  }
  switch (code) {
    case Code::unauthenticated:
      return "Log in again:\n  gcloud auth application-default login";
    case Code::quota:
      return "Ask for more: https://console.cloud.google.com/iam-admin/quotas";
    case Code::capacity:
      return problem.zones_available.empty() ? "Try another zone, or later"
                                             : "Zones said to have capacity: " + problem.zones_available;
    case Code::throttled:
      return "Try again in a minute, or with a smaller --parallelism";
    case Code::denied:
      return "Ask an owner of the project for the permission";
    default:
      return problem.url.empty() ? "" : "See " + problem.url;
  }
}

}  // namespace

GoogleProblem parse_google_error(const Response& response) {
  GoogleProblem problem;
  problem.http_status = response.status;
  for (const char* name : {"x-goog-request-id", "x-request-id", "x-guploader-uploadid"})
    if (auto id = header(response.headers, name); id && problem.request_id.empty()) problem.request_id = *id;
  auto body = parse_json(response.body, kMaxErrorValues);
  const Value none;
  const Value& root = !body.ok() ? none : body.value().is_list() ? body.value().at_path("0") : body.value();
  if (root["error"].is_null())
    problem.message = body.ok() ? std::string(root["message"].as_text()) : first_line(response.body);
  else
    read_envelope(problem, root);
  problem.message.resize(std::min(problem.message.size(), kMaxRefusalMessage));
  if (problem.url.empty()) problem.url = url_in(problem.message);
  return problem;
}

GoogleProblem parse_google_operation_error(const Value& item, int http_status) {
  GoogleProblem problem;
  problem.http_status = http_status;
  problem.in_operation = true;
  add_reason(problem, item["code"].as_text());
  for (const Value& detail : item["errorDetails"].as_list()) read_detail(problem, detail);
  problem.message = item["message"].as_text().substr(0, kMaxRefusalMessage);
  return problem;
}

Code classify_google(const GoogleProblem& problem) {
  if (problem.http_status == 401) return Code::unauthenticated;
  for (const std::string& reason : problem.reasons)
    if (auto code = code_of_word(reason, problem.message))
      return code == Code::capacity && problem.http_status == 400 && !problem.in_operation ? Code::unsupported
                                                                                           : *code;
  return code_of_http_status(problem.http_status);
}

Code classify_google(const Response& response) {
  return classify_google(parse_google_error(response));
}

Code classify_google_code(std::string_view code, int http_status, std::string_view message) {
  return classify_google(GoogleProblem{
      .http_status = http_status, .reasons = {std::string(code)}, .message = std::string(message)});
}

Diagnostic google_error(const GoogleProblem& problem) {
  Code code = classify_google(problem);
  Diagnostic d = error(code, std::string(summary_of(code, problem)),
                       refusal_detail(problem.message, problem.http_status, problem.reason()))
                     .with_hint(hint_of(code, problem));
  d.provider_code = problem.reason();
  d.request_id = problem.request_id;
  return d;
}

Diagnostic google_error(const Response& response) {
  return google_error(parse_google_error(response));
}

}  // namespace nbform
