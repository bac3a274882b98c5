#include "net/route.h"

#include <map>

#include "support/catch.h"

using namespace nbform;

namespace {

Lookup environment(std::map<std::string, std::string> variables) {
  return [variables](const std::string& name) -> std::optional<std::string> {
    auto at = variables.find(name);
    return at == variables.end() ? std::nullopt : std::optional(at->second);
  };
}

std::string proxy(std::string_view url, std::map<std::string, std::string> variables) {
  return proxy_for(parse_url(url).value(), environment(std::move(variables)));
}

}  // namespace

TEST_CASE("http is for loopback and the machine's own metadata server only") {
  CHECK(allowed_url("https://compute.googleapis.com/x").ok());
  for (auto url : {"http://localhost:8080/", "http://127.0.0.1/", "http://[::1]:9/",
                   "http://169.254.169.254/", "http://metadata.google.internal/computeMetadata/v1/",
                   "http://[fd00:ec2::254]/latest/", "http://[fd00:ec2::23]/v1/credentials"})
    CHECK(allowed_url(url).ok());
  for (auto url : {"http://compute.googleapis.com/x", "http://10.0.0.1/", "http://localhost.evil.example/",
                   "http://127.0.0.1.evil.example/", "http://169.254.1.1.evil.example/", "ftp://localhost/",
                   "file:///etc/passwd", "https://user:pw@host/", "https:/x", ""})
    CHECK_FALSE(allowed_url(url).ok());
}

TEST_CASE("a refused URL does not repeat its query") {
  CHECK(allowed_url("nonsense?token=canary").error().detail.find("canary") == std::string::npos);
}

TEST_CASE("the proxy comes from HTTPS_PROXY and its lower-case twin, and has a scheme") {
  const char* url = "https://compute.googleapis.com/";
  CHECK(proxy(url, {}) == "");
  CHECK(proxy(url, {{"HTTPS_PROXY", "http://p:3128"}}) == "http://p:3128");
  CHECK(proxy(url, {{"https_proxy", "p:3128"}}) == "http://p:3128");
  CHECK(proxy(url, {{"all_proxy", "socks5h://p:1080"}}) == "socks5h://p:1080");
  CHECK(proxy(url, {{"http_proxy", "http://p:3128"}}) == "");
}

TEST_CASE("loopback and metadata hosts never go through a proxy") {
  std::map<std::string, std::string> set = {{"HTTPS_PROXY", "http://p:3128"}};
  for (auto url : {"https://localhost:9/", "http://127.0.0.1:9/", "http://169.254.169.254/",
                   "http://metadata.google.internal/"})
    CHECK(proxy(url, set) == "");
}

TEST_CASE("NO_PROXY names hosts, domains, ports, blocks or everything") {
  auto direct = [](std::string_view url, const char* exceptions) {
    return proxy(url, {{"HTTPS_PROXY", "http://p:1"}, {"NO_PROXY", exceptions}}).empty();
  };
  const char* url = "https://compute.googleapis.com/compute/v1/";
  CHECK(direct(url, "googleapis.com"));
  CHECK(direct(url, "other.example, .googleapis.com"));
  CHECK(direct(url, "*.googleapis.com"));
  CHECK(direct(url, "COMPUTE.googleapis.com:443"));
  CHECK(direct(url, "*"));
  CHECK_FALSE(direct(url, "compute.googleapis.com:8443"));
  CHECK_FALSE(direct(url, "apis.com"));  // a suffix within a label is another domain
  CHECK_FALSE(direct(url, ""));
  CHECK_FALSE(direct(url, "."));
  CHECK(direct("https://10.1.2.3/", "10.0.0.0/8"));
  CHECK_FALSE(direct("https://11.1.2.3/", "10.0.0.0/8"));
  CHECK_FALSE(direct("https://10.1.2.3/", "10.0.0.0/"));
  CHECK(direct("https://[2001:db8::1]/", "2001:db8::1"));
}

TEST_CASE(
    "an own CA file replaces the system's: the general variable, that of the host's cloud, the other's") {
  auto file = [](const char* url, const std::map<std::string, std::string>& variables) {
    return ca_file(*parse_url(url), environment(variables));
  };
  const char *google = "https://compute.googleapis.com/", *aws = "https://ec2.us-west-2.amazonaws.com/";
  std::map<std::string, std::string> both{{"AWS_CA_BUNDLE", "a"},
                                          {"CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "g"}};
  CHECK(file(google, {}) == "");
  CHECK(file(google, both) == "g");
  CHECK(file(aws, both) == "a");
  CHECK(file("https://ec2.eu-north-1.api.aws/", both) == "a");
  CHECK(file("https://amazonaws.com.example.org/", both) == "g");
  CHECK(file(google, {{"AWS_CA_BUNDLE", "a"}}) == "a");
  CHECK(file(aws, {{"CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "g"}}) == "g");
  both["SSL_CERT_FILE"] = "s";
  CHECK(file(google, both) == "s");
  CHECK(file(aws, both) == "s");
}

TEST_CASE("a refused URL is named without its user, password and query") {
  for (const char* url :
       {"https://ana:hunter2@example.com/x?key=hunter2", "ana:hunter2@example.com", "ftp://hunter2@h/"}) {
    auto refused = allowed_url(url);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().detail.find("hunter2") == std::string::npos);
    CHECK(refused.error().detail.find("[hidden]@") != std::string::npos);
  }
}
