#include "base/google_error.h"

#include "base/json.h"
#include "support/catch.h"

using namespace nbform;

namespace {

Response answer(int status, std::string body) {
  return {status, {}, std::move(body)};
}

// Compute's older shape: a reason in errors[], no status.
Response legacy(int status, const std::string& reason, const std::string& message = "m") {
  return answer(status, R"({"error":{"code":)" + std::to_string(status) +
                            R"(,"errors":[{"domain":"global","message":")" + message + R"(","reason":")" +
                            reason + R"("}],"message":")" + message + R"("}})");
}

const char* kDisabled =
    R"({"error":{"code":403,"message":"Compute Engine API has not been used in project 1 before.",
  "errors":[{"message":"m","domain":"usageLimits","reason":"accessNotConfigured"}],"status":"PERMISSION_DENIED",
  "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"SERVICE_DISABLED","domain":"googleapis.com",
  "metadata":{"service":"compute.googleapis.com","activationUrl":"https://console.developers.google.com/apis/api/x"}}]}})";

}  // namespace

TEST_CASE("the reason decides before the status") {
  CHECK(classify_google(legacy(403, "rateLimitExceeded")) == Code::throttled);
  CHECK(classify_google(legacy(403, "quotaExceeded",
                               "Quota 'GPUS_ALL_REGIONS' exceeded.  Limit: 0.0 globally.")) == Code::quota);
  CHECK(classify_google(
            legacy(403, "quotaExceeded",
                   "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service")) ==
        Code::throttled);
  CHECK(classify_google(legacy(403, "forbidden")) == Code::denied);
  CHECK(classify_google(legacy(409, "alreadyExists")) == Code::exists);
  CHECK(classify_google(legacy(409, "operationInProgress")) == Code::busy);
  CHECK(classify_google(legacy(412, "conditionNotMet")) == Code::conflict);
  CHECK(classify_google(legacy(400, "resourceNotReady")) == Code::busy);
  CHECK(classify_google(legacy(400, "resourceInUseByAnotherResource")) == Code::conflict);
  CHECK(classify_google(legacy(400, "invalid")) == Code::bad_manifest);
  CHECK(classify_google(legacy(400, "invalidResourceUsage")) == Code::denied);
  CHECK(classify_google(legacy(401, "required")) == Code::unauthenticated);
  CHECK(classify_google(legacy(404, "notFound")) == Code::not_found);
  CHECK(classify_google(legacy(503, "backendError")) == Code::unavailable);
}

TEST_CASE("an ErrorInfo reason goes before the older ones") {
  auto r = answer(403, R"({"error":{"code":403,"message":"m","errors":[{"reason":"rateLimitExceeded"}],
    "status":"PERMISSION_DENIED","details":[{"reason":"CONCURRENT_OPERATIONS_QUOTA_EXCEEDED"}]}})");
  CHECK(classify_google(r) == Code::throttled);
  CHECK(google_error(r).provider_code == "CONCURRENT_OPERATIONS_QUOTA_EXCEEDED");
}

TEST_CASE("without a known reason the status decides") {
  for (auto [status, code] : std::vector<std::pair<int, Code>>{{400, Code::bad_manifest},
                                                               {401, Code::unauthenticated},
                                                               {403, Code::denied},
                                                               {404, Code::not_found},
                                                               {408, Code::unavailable},
                                                               {409, Code::conflict},
                                                               {412, Code::conflict},
                                                               {429, Code::throttled},
                                                               {500, Code::unavailable},
                                                               {502, Code::unavailable},
                                                               {599, Code::unavailable},
                                                               {302, Code::io}}) {
    CHECK(classify_google(answer(status, "")) == code);
    CHECK(classify_google(answer(status, "<html>Bad</html>")) == code);
    CHECK(classify_google(answer(status, R"({"error":{"message":"m","status":"NEW_WORD"}})")) == code);
  }
}

TEST_CASE("codes of operations: stock-outs, quota, and both spellings") {
  for (auto code :
       {"ZONE_RESOURCE_POOL_EXHAUSTED", "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", "GPU_STOCKOUT",
        "REGION_RESOURCE_POOL_EXHAUSTED", "insufficientCapacity", "UNSUPPORTED_OPERATION"})
    CHECK(classify_google_code(code, 503) == Code::capacity);
  CHECK(classify_google_code("QUOTA_EXCEEDED", 403, "Quota 'NVIDIA_T4_GPUS' exceeded.") == Code::quota);
  CHECK(classify_google_code("RESOURCE_ALREADY_EXISTS", 409) == Code::exists);
  CHECK(classify_google_code("RESOURCE_NOT_FOUND", 404) == Code::not_found);
  CHECK(classify_google_code("RESOURCE_NOT_READY", 400) == Code::busy);
  CHECK(classify_google_code("RESOURCE_IN_USE_BY_ANOTHER_RESOURCE", 400) == Code::conflict);
  CHECK(classify_google_code("RESOURCE_OPERATION_RATE_EXCEEDED", 0) == Code::throttled);
  CHECK(classify_google_code("unsupportedOperation", 400) == Code::unsupported);
  Value preempted = parse_json(R"({"code":"UNSUPPORTED_OPERATION","message":"m"})").value();
  CHECK(classify_google(parse_google_operation_error(preempted, 400)) == Code::capacity);
}

TEST_CASE("what something else uses is said to be so, and is nothing to wait for") {
  Diagnostic d = google_error(
      legacy(400, "resourceInUseByAnotherResource", "The disk resource 'd' is already being used by 'v'"));
  CHECK(d.code == Code::conflict);
  CHECK(d.summary == "Something else uses the resource");
  CHECK(d.detail.find("'v'") != std::string::npos);
}

TEST_CASE("a disabled API names the API and the page that switches it on") {
  auto problem = parse_google_error(answer(403, kDisabled));
  CHECK(problem.url == "https://console.developers.google.com/apis/api/x");
  Diagnostic d = google_error(problem);
  CHECK(d.code == Code::denied);
  CHECK(d.summary == "A Google Cloud API is not enabled");
  CHECK(d.hint == "Switch the API on:\n  gcloud services enable compute.googleapis.com");
}

TEST_CASE("a disabled API in the older shape: the page is taken from the sentence") {
  auto d = google_error(legacy(403, "accessNotConfigured",
                               "Enable it by visiting https://console.cloud.google.com/x?project=1."));
  CHECK(d.hint == "Switch the API on: https://console.cloud.google.com/x?project=1");
}

TEST_CASE("the shapes of Notebooks, OAuth, a list, plain text and HTML") {
  CHECK(parse_google_error(answer(404, R"({"error":{"code":404,"message":"gone","status":"NOT_FOUND"}})"))
            .reason() == "NOT_FOUND");
  auto oauth = google_error(answer(400, R"({"error":"invalid_grant","error_description":"Bad JWT"})"));
  CHECK(oauth.code == Code::unauthenticated);
  CHECK(oauth.detail == "Bad JWT (HTTP 400, invalid_grant)");
  CHECK(classify_google(answer(400, R"({"error":"temporarily_unavailable"})")) == Code::unavailable);
  CHECK(parse_google_error(answer(403, R"([{"error":{"message":"in a list"}}])")).message == "in a list");
  CHECK(parse_google_error(answer(502, "upstream\x1b[31m gone\nmore")).message == "upstream\\x1b[31m gone");
  CHECK(parse_google_error(answer(502, "<html>x</html>")).message.empty());
}

TEST_CASE("shapes that are wrong in every member are survived") {
  for (auto body :
       {R"({"error":[]})", R"({"error":{"errors":{},"details":"x","message":7,"status":[]}})", "[]", "null",
        R"({"error":{"errors":[1,null],"details":[null,[]]}})", R"({"error":42})", "{\"error\":{\"mess"}) {
    Diagnostic d = google_error(answer(503, body));
    CHECK(d.code == Code::unavailable);
    CHECK(d.summary == "Google Cloud is not available");
  }
}

TEST_CASE("an operation's stock-out carries the zones that the cloud names") {
  auto item = parse_json(R"({"code":"ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS","message":"no",
    "errorDetails":[{"errorInfo":{"reason":"resource_availability","metadatas":
      {"zone":"us-central1-b","zonesAvailable":"us-central1-a,us-central1-f"}}},
      {"help":{"links":[{"url":"https://cloud.google.com/compute/docs/resource-error"}]}}]})");
  auto problem = parse_google_operation_error(*item, 503);
  CHECK(problem.zones_available == "us-central1-a,us-central1-f");
  CHECK(problem.url == "https://cloud.google.com/compute/docs/resource-error");
  Diagnostic d = google_error(problem);
  CHECK(d.code == Code::capacity);
  CHECK(d.provider_code == "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS");
  CHECK(d.hint == "Zones said to have capacity: us-central1-a,us-central1-f");
}

TEST_CASE("an endless message is cut") {
  CHECK(google_error(legacy(400, "invalid", std::string(100'000, 'x'))).detail.size() < 3000);
}
