#include "net/aws_endpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace nbform {

namespace {

struct Service {
  std::string_view name;      // ours, and the name it signs with unless `signs_as`
  std::string_view host;      // before the region
  std::string_view variable;  // AWS_ENDPOINT_URL_...; lower case in a [services] section
  std::string_view signs_as = {};
};

constexpr std::array<Service, 11> kServices = {{
    {"ec2", "ec2", "EC2"},
    {"sts", "sts", "STS"},
    {"ssm", "ssm", "SSM"},
    {"s3", "s3", "S3"},
    {"servicequotas", "servicequotas", "SERVICE_QUOTAS"},
    {"pricing", "api.pricing", "PRICING"},
    {"sagemaker", "api.sagemaker", "SAGEMAKER"},
    {"tagging", "tagging", "RESOURCE_GROUPS_TAGGING_API"},
    {"iam", "iam", "IAM"},
    {"sso", "portal.sso", "SSO", "awsssoportal"},
    {"oidc", "oidc", "SSO_OIDC", "sso-oauth"},
}};

struct Partition {
  std::string_view region_prefix, domain, dual_stack_domain;
};

// The first whose prefix fits; the last is the public one.
constexpr std::array<Partition, 6> kPartitions = {{
    {"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    {"us-iso-", "c2s.ic.gov", "api.aws.ic.gov"},
    {"us-isob-", "sc2s.sgov.gov", "api.aws.scloud"},
    {"eusc-", "amazonaws.eu", "api.amazonwebservices.eu"},
    {"us-gov-", "amazonaws.com", "api.aws"},
    {"", "amazonaws.com", "api.aws"},
}};

const Partition& partition_of(std::string_view region) {
  return *std::find_if(kPartitions.begin(), kPartitions.end(),
                       [&](const Partition& p) { return region.starts_with(p.region_prefix); });
}

const Service& service_named(std::string_view name) {
  for (const Service& service : kServices)
    if (service.name == name) return service;
  bug(fmt::format("no endpoint is known for the service '{}'", name));
}

// us-west-2, us-gov-east-1, ap-southeast-7: it becomes part of a host's name.
bool looks_like_region(std::string_view region) {
  auto parts = split(region, '-');
  bool plain = std::all_of(region.begin(), region.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  bool no_gap = std::none_of(parts.begin(), parts.end(), [](std::string_view p) { return p.empty(); });
  return plain && no_gap && parts.size() >= 3 && parts.size() <= 4 && region.back() >= '0' &&
         region.back() <= '9';
}

std::string own_host(const Service& service, std::string_view region, const AwsHome& home) {
  const Partition& partition = partition_of(region);
  bool fips = aws_switch(home, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
  bool dual = aws_switch(home, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");
  if (service.name == "iam") return fmt::format("iam{}.{}", fips ? "-fips" : "", partition.domain);
  std::string host(service.host);
  if (fips) host = service.name == "sagemaker" ? "api-fips.sagemaker" : host + "-fips";
  if (!dual) return fmt::format("{}.{}.{}", host, region, partition.domain);
  // S3 had a name of its own for it before the others got theirs.
  if (service.name == "s3") return fmt::format("{}.dualstack.{}.{}", host, region, partition.domain);
  return fmt::format("{}.{}.{}", host, region, partition.dual_stack_domain);
}

struct Override {
  std::string url, from;  // "" and "": none
};

Result<Override> override_of(const Service& service, const AwsHome& home) {
  if (aws_switch(home, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls"))
    return Override{};
  for (const std::string& variable :
       {fmt::format("AWS_ENDPOINT_URL_{}", service.variable), std::string("AWS_ENDPOINT_URL")})
    if (auto value = home.env(variable)) return Override{*value, variable};
  std::string of_profile = fmt::format("endpoint_url of the profile {}", home.profile);
  if (std::string name = home.settings.text("services"); !name.empty()) {
    auto section = home.files.services.find(name);
    if (section == home.files.services.end())
      return error(Code::usage, "There is no such section in AWS's configuration",
                   fmt::format("The profile {} names services = {}; {} has no [services {}].", home.profile,
                               printable(name), home.files.config_path, printable(name)))
          .at(home.settings.find("services")->mark);
    const IniSetting* own = section->second.find(to_lower(service.variable));
    if (own != nullptr && own->nested.contains("endpoint_url"))
      return Override{own->nested.find("endpoint_url")->second, fmt::format("[services {}]", name)};
  }
  std::string url = home.settings.text("endpoint_url");
  return url.empty() ? Override{} : Override{url, of_profile};
}

Result<Endpoint> overridden(const Override& given) {
  auto url = allowed_url(given.url);
  if (!url.ok()) {
    Diagnostic d = std::move(url).error();
    d.detail = fmt::format("{} is not usable. {}", given.from, d.detail);
    return d;
  }
  if (url->scheme == "http" && !is_loopback(url->host))
    return error(
        Code::usage, "A URL without TLS is refused",
        fmt::format("{} names {}; http is accepted for loopback hosts only.", given.from, url->origin()));
  if (!url->query.empty())
    return error(Code::usage, "Not a usable URL", fmt::format("{} must not carry a query.", given.from));
  return Endpoint{url->origin() + url->path + (url->path.ends_with('/') ? "" : "/"), given.from};
}

bool is_aws_host(const Url& url) {
  if (url.scheme != "https" || (url.port != 0 && url.port != 443)) return false;
  return std::any_of(kPartitions.begin(), kPartitions.end(), [&](const Partition& p) {
    return url.host.ends_with(fmt::format(".{}", p.domain)) ||
           url.host.ends_with(fmt::format(".{}", p.dual_stack_domain));
  });
}

// Of two services of the whole partition the region is fixed.
std::string signing_region(const Service& service, std::string_view region) {
  if (service.name != "iam") return std::string(region);
  if (region.starts_with("cn-")) return "cn-north-1";
  return region.starts_with("us-gov-") ? "us-gov-west-1" : "us-east-1";
}

}  // namespace

Result<AwsEndpoint> aws_endpoint(std::string_view name, std::string_view region, const AwsHome& home) {
  const Service& service = service_named(name);
  if (region.empty())
    return error(Code::usage, "No AWS region is known",
                 fmt::format("The manifest, AWS_REGION, AWS_DEFAULT_REGION and the profile {} name none.",
                             home.profile))
        .with_hint("export AWS_REGION=us-west-2");
  if (!looks_like_region(region))
    return error(Code::usage, "Not an AWS region",
                 fmt::format("'{}' is not of the form us-west-2.", printable(region)));
  AwsEndpoint endpoint;
  endpoint.scope.service = service.signs_as.empty() ? service.name : service.signs_as;
  endpoint.scope.region = signing_region(service, region);
  Override given = NB_TRY(override_of(service, home));
  if (given.url.empty())
    endpoint.at.base = fmt::format("https://{}/", own_host(service, region, home));
  else
    endpoint.at = NB_TRY(overridden(given));
  return endpoint;
}

Result<std::vector<Endpoint>> aws_overrides(const AwsHome& home) {
  std::vector<Endpoint> found;
  for (const Service& service : kServices) {
    Override given = NB_TRY(override_of(service, home));
    if (given.url.empty()) continue;
    Endpoint endpoint = NB_TRY(overridden(given));
    bool known = std::any_of(found.begin(), found.end(), [&](const Endpoint& other) {
      return other.base == endpoint.base && other.overridden_by == endpoint.overridden_by;
    });
    if (!known) found.push_back(std::move(endpoint));
  }
  return found;
}

bool may_receive_aws_signature(const Url& url, const AwsHome& home) {
  if (is_aws_host(url)) return true;
  auto named = aws_overrides(home);
  if (!named.ok()) return false;
  return std::any_of(named->begin(), named->end(), [&](const Endpoint& endpoint) {
    auto own = parse_url(endpoint.base);
    return own && own->origin() == url.origin();
  });
}

std::string s3_url(const Endpoint& endpoint, std::string_view bucket, std::string_view key) {
  std::string path = percent_encode(key, true);
  bool own_host = !endpoint.is_overridden() && bucket.find('.') == std::string_view::npos;
  if (!own_host) return fmt::format("{}{}{}{}", endpoint.base, bucket, key.empty() ? "" : "/", path);
  constexpr std::string_view kScheme = "https://";
  return fmt::format("{}{}.{}{}", kScheme, bucket, endpoint.base.substr(kScheme.size()), path);
}

}  // namespace nbform
