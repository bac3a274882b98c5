#include "sim/aws/parameters.h"

#include <fmt/format.h>

#include "base/text.h"
#include "sim/aws/catalogue.h"
#include "sim/aws/offers.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

namespace {

// "name", "name:3" or the ARN of either.
struct Selector {
  std::string name;
  std::int64_t version = 0;  // 0 = the newest
};

Result<Selector> read_selector(std::string_view text) {
  if (text.starts_with("arn:")) {
    auto slash = text.find("parameter/");
    if (slash == std::string_view::npos) return refuse("ValidationException", "Invalid parameter ARN.");
    text = text.substr(slash + std::string_view("parameter").size());
  }
  auto colon = text.find(':');
  Selector s{std::string(text.substr(0, colon)), 0};
  if (colon == std::string_view::npos) return s;
  s.version = Value(text.substr(colon + 1)).as_int(0);
  if (s.version < 1)
    return refuse("ParameterVersionNotFound", fmt::format("Systems Manager could not find version {} of {}.",
                                                          text.substr(colon + 1), s.name));
  return s;
}

Result<Value> parameter(Region& region, std::string_view asked) {
  Selector selector = NB_TRY(read_selector(asked));
  std::vector<const ImageFacts*> series;
  auto all = images_of(region);
  for (const ImageFacts& image : all)
    if (image.parameter == selector.name) series.push_back(&image);
  if (series.empty()) return refuse("ParameterNotFound", "");
  auto newest = static_cast<std::int64_t>(series.size());
  std::int64_t version = selector.version == 0 ? newest : selector.version;
  if (version > newest)
    return refuse("ParameterVersionNotFound",
                  fmt::format("Systems Manager could not find version {} of {}.", version, selector.name));
  const ImageFacts& image = *series[static_cast<std::size_t>(version) - 1];
  Time created = parse_rfc3339(image.created + "T06:00:00Z").value_or(Time{});
  return Value(Map{{"Name", selector.name},
                   {"Type", "String"},
                   {"Value", image_id(region.name, image.name)},
                   {"Version", version},
                   {"LastModifiedDate", static_cast<double>(created.millis()) / 1000.0 + 0.5},
                   {"ARN", fmt::format("arn:aws:ssm:{}::parameter{}", region.name, selector.name)},
                   {"DataType", "text"}});
}

}  // namespace

Result<Value> answer_parameters(Region& region, const std::string& action, const Value& in) {
  if (action == "GetParameter") {
    Value found = NB_TRY(parameter(region, in["Name"].as_text()));
    return Value(Map{{"Parameter", std::move(found)}});
  }
  List found, invalid;
  if (in["Names"].as_list().size() > 10)
    return refuse("ValidationException",
                  "1 validation error detected: Member must have length less than or "
                  "equal to 10");
  for (const std::string& name : texts(in["Names"]))
    if (auto value = parameter(region, name))
      found.push_back(*value);
    else
      invalid.push_back(name);
  return Value(Map{{"Parameters", std::move(found)}, {"InvalidParameters", std::move(invalid)}});
}

double quota_limit(const State& state, const std::string& account, const std::string& region,
                   std::string_view code) {
  for (auto rule = state.quota_rules.rbegin(); rule != state.quota_rules.rend(); ++rule)
    if (glob_match(rule->project_glob, account) && glob_match(rule->region_glob, region) &&
        glob_match(rule->metric_glob, code))
      return rule->limit;
  for (const QuotaFacts& q : quotas())
    if (q.code == code) return q.limit;
  return 0;
}

namespace {

Value quota(Region& region, const QuotaFacts& q) {
  return Map{
      {"ServiceCode", "ec2"},
      {"ServiceName", "Amazon Elastic Compute Cloud (Amazon EC2)"},
      {"QuotaArn", fmt::format("arn:aws:servicequotas:{}:{}:ec2/{}", region.name, region.account, q.code)},
      {"QuotaCode", q.code},
      {"QuotaName", q.name},
      {"Value", quota_limit(region.state, region.account, region.name, q.code)},
      {"Unit", "None"},
      {"Adjustable", true},
      {"GlobalQuota", false},
      {"QuotaAppliedAtLevel", "ACCOUNT"}};
}

}  // namespace

Result<Value> answer_service_quotas(Region& region, const std::string& action, const Value& in) {
  auto absent = [] {
    return refuse("NoSuchResourceException",
                  "The request failed because the specified service or quota does not exist.");
  };
  if (in["ServiceCode"].as_text() != "ec2") return absent();
  List all;
  for (const QuotaFacts& q : quotas())
    if (in["QuotaCode"].is_null() || in["QuotaCode"].as_text() == q.code) all.push_back(quota(region, q));
  if (action == "ListServiceQuotas") return Value(Map{{"Quotas", std::move(all)}});
  if (all.empty()) return absent();
  return Value(Map{{"Quota", all[0]}});
}

}  // namespace nbform::sim::aws
