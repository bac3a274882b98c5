#include "net/endpoints.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"

namespace nbform {

namespace {

// The service's own address, and its name in Terraform's variable where that is another than the service's.
struct Service {
  std::string_view name, base, terraform;
};

constexpr std::array<Service, 10> kServices = {{
    {"compute", "https://compute.googleapis.com/compute/v1/", "COMPUTE"},
    {"notebooks", "https://notebooks.googleapis.com/v2/", "NOTEBOOKS"},
    {"storage", "https://storage.googleapis.com/storage/v1/", "STORAGE"},
    {"iamcredentials", "https://iamcredentials.googleapis.com/v1/", "IAM_CREDENTIALS"},
    {"iam", "https://iam.googleapis.com/v1/", "IAM"},
    {"sts", "https://sts.googleapis.com/v1/", "STS"},
    {"cloudresourcemanager", "https://cloudresourcemanager.googleapis.com/v3/", "RESOURCE_MANAGER_V3"},
    {"serviceusage", "https://serviceusage.googleapis.com/v1/", "SERVICE_USAGE"},
    {"cloudbilling", "https://cloudbilling.googleapis.com/v1/", "CLOUD_BILLING"},
    {"cloudquotas", "https://cloudquotas.googleapis.com/v1/", "CLOUD_QUOTAS"},
}};
// No part of what a plan is about: the relay of IAP, whose keys let in where, and who one is.
constexpr std::array<Service, 3> kBesidePlans = {{
    {"iap_tunnel", "https://tunnel.cloudproxy.app/v4/", "IAP_TUNNEL"},
    {"oslogin", "https://oslogin.googleapis.com/v1/", "OS_LOGIN"},
    {"oauth2", "https://www.googleapis.com/oauth2/v3/", "OAUTH2"},
}};

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

Result<Endpoint> overridden(const Service& service, std::string_view value, std::string variable) {
  auto url = allowed_url(value);
  if (!url.ok()) {
    Diagnostic d = std::move(url).error();
    d.detail = fmt::format("{} is not usable. {}", variable, d.detail);
    return d;
  }
  if (!url->query.empty())
    return error(Code::usage, "Not a usable URL", fmt::format("{} must not carry a query.", variable));
  std::string path = url->path == "/" ? parse_url(service.base)->path : url->path;
  if (!path.ends_with('/')) path += '/';
  return Endpoint{url->origin() + path, std::move(variable)};
}

Result<Endpoint> resolve(const Service& service, const Lookup& env) {
  for (std::string variable : {"CLOUDSDK_API_ENDPOINT_OVERRIDES_" + upper(service.name),
                               fmt::format("GOOGLE_{}_CUSTOM_ENDPOINT", service.terraform)})
    if (auto value = env(variable)) return overridden(service, *value, std::move(variable));
  return Endpoint{std::string(service.base), ""};
}

}  // namespace

Result<Endpoint> google_endpoint(std::string_view service, const Lookup& env) {
  for (const Service& known : kServices)
    if (known.name == service) return resolve(known, env);
  for (const Service& known : kBesidePlans)
    if (known.name == service) return resolve(known, env);
  bug(fmt::format("no endpoint is known for the service '{}'", service));
}

Result<std::vector<Endpoint>> google_overrides(const Lookup& env) {
  std::vector<Endpoint> found;
  for (const Service& service : kServices) {
    Endpoint endpoint = NB_TRY(resolve(service, env));
    if (endpoint.is_overridden()) found.push_back(std::move(endpoint));
  }
  return found;
}

bool is_google_host(const Url& url) {
  return url.scheme == "https" && (url.port == 0 || url.port == 443) &&
         (url.host.ends_with(".googleapis.com") || url.host == "accounts.google.com");
}

bool may_receive_google_token(const Url& url, const Lookup& env) {
  if (is_google_host(url)) return true;
  for (const Service& beside : kBesidePlans)
    if (auto own = resolve(beside, env); own.ok() && parse_url(own->base)->origin() == url.origin())
      return true;
  auto named = google_overrides(env);
  if (!named.ok()) return false;
  for (const Endpoint& endpoint : *named)
    if (auto own = parse_url(endpoint.base); own && own->origin() == url.origin()) return true;
  return false;
}

}  // namespace nbform
