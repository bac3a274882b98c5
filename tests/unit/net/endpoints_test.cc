#include "net/endpoints.h"

#include <map>

#include "support/catch.h"

using namespace nbform;

namespace {

Lookup with(std::map<std::string, std::string> variables) {
  return [variables](const std::string& name) -> std::optional<std::string> {
    auto at = variables.find(name);
    return at == variables.end() ? std::nullopt : std::optional(at->second);
  };
}

std::string compute(const char* variable, const char* value) {
  auto endpoint = google_endpoint("compute", with({{variable, value}}));
  return endpoint.ok() ? endpoint->base : endpoint.error().summary;
}

}  // namespace

TEST_CASE("services have their own addresses until someone overrides them") {
  auto endpoint = google_endpoint("compute", with({}));
  CHECK(endpoint->base == "https://compute.googleapis.com/compute/v1/");
  CHECK_FALSE(endpoint->is_overridden());
  CHECK(google_endpoint("notebooks", with({}))->base == "https://notebooks.googleapis.com/v2/");
  CHECK(google_overrides(with({}))->empty());
}

TEST_CASE("a bare host gets the service's path, a path is used as it is") {
  const char* gcloud = "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE";
  CHECK(compute(gcloud, "http://localhost:8080") == "http://localhost:8080/compute/v1/");
  CHECK(compute(gcloud, "http://localhost:8080/") == "http://localhost:8080/compute/v1/");
  CHECK(compute(gcloud, "https://gw.example/proxy/compute/beta/") ==
        "https://gw.example/proxy/compute/beta/");
  CHECK(compute(gcloud, "https://gw.example/compute/v1") == "https://gw.example/compute/v1/");
  CHECK(compute("GOOGLE_COMPUTE_CUSTOM_ENDPOINT", "http://[::1]:1/") == "http://[::1]:1/compute/v1/");
}

TEST_CASE("gcloud's variable goes before Terraform's, and the winner is named") {
  auto endpoint =
      google_endpoint("compute", with({{"CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE", "https://a.example"},
                                       {"GOOGLE_COMPUTE_CUSTOM_ENDPOINT", "https://b.example"}}));
  CHECK(endpoint->base == "https://a.example/compute/v1/");
  CHECK(endpoint->overridden_by == "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE");
  CHECK(google_endpoint("iamcredentials",
                        with({{"GOOGLE_IAM_CREDENTIALS_CUSTOM_ENDPOINT", "https://c.example"}}))
            ->base == "https://c.example/v1/");
}

TEST_CASE("an endpoint without TLS that is not on this machine is refused, with the variable's name") {
  auto endpoint =
      google_endpoint("compute", with({{"GOOGLE_COMPUTE_CUSTOM_ENDPOINT", "http://compute.example/"}}));
  REQUIRE_FALSE(endpoint.ok());
  CHECK(endpoint.error().code == Code::usage);
  CHECK(endpoint.error().detail.find("GOOGLE_COMPUTE_CUSTOM_ENDPOINT") != std::string::npos);
  CHECK(compute("GOOGLE_COMPUTE_CUSTOM_ENDPOINT", "localhost:8080") == "Not a usable URL");
  CHECK(compute("GOOGLE_COMPUTE_CUSTOM_ENDPOINT", "https://a.example/?x=1") == "Not a usable URL");
}

TEST_CASE("a Google token goes to Google's hosts and to named endpoints only") {
  auto may = [](const char* url, std::map<std::string, std::string> env = {}) {
    return may_receive_google_token(parse_url(url).value(), with(std::move(env)));
  };
  CHECK(may("https://compute.googleapis.com/compute/v1/"));
  CHECK_FALSE(may("http://compute.googleapis.com/"));
  CHECK_FALSE(may("https://compute.googleapis.com:8443/"));
  CHECK_FALSE(may("https://compute.googleapis.com.evil.example/"));
  CHECK_FALSE(may("https://evilgoogleapis.com/"));
  CHECK_FALSE(may("http://localhost:8080/compute/v1/"));
  CHECK(may("https://tunnel.cloudproxy.app/v4/connect?port=22"));
  CHECK_FALSE(may("https://other.cloudproxy.app/v4/connect"));
  CHECK_FALSE(may("http://tunnel.cloudproxy.app/v4/connect"));
  std::map<std::string, std::string> named = {
      {"CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE", "http://localhost:8080"}};
  CHECK(may("http://localhost:8080/compute/v1/projects/p", named));
  CHECK_FALSE(may("http://localhost:8081/compute/v1/", named));
  CHECK_FALSE(may("https://localhost:8080/compute/v1/", named));
}
