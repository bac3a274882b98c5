// The EC2 service: where its notebooks live, and what facts decide at create: subnets, the image, its size.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "cloud/ec2/ec2.h"
#include "cloud/ssh_access.h"

namespace nbform::ec2 {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}

// --- subnets ---

bool may_use(const Resource& r, std::string_view id, const Value& subnet) {
  if (std::string_view wish = wanted(r, "subnet").as_text(); !wish.empty()) return id == wish;
  if (std::string_view vpc = wanted(r, "network").as_text(); !vpc.empty())
    return subnet["vpc"].as_text() == vpc;
  return subnet["default"].as_bool();
}

// All that may be used are in one VPC.
void complete_network(Resource& r, const Facts& facts) {
  for (const auto& [id, subnet] : fact_at(facts, subnets_fact(r.scope.region)).as_map())
    if (may_use(r, id.text(), subnet)) return r.defaults.set("vpc", subnet["vpc"]);
}

void complete_image(Resource& r, const Facts& facts) {
  const Value& image = fact_at(facts, std::string(wanted(r, "image_fact").as_text()));
  if (image.is_null()) return;
  r.defaults.set("resolved_image", image);
  if (r.attributes.has("root_size_gb")) return;
  std::int64_t size = std::max(kDefaultDiskGb, image["size_gb"].as_int());
  r.defaults.set("root_size_gb", size);
  std::string text = fmt::format("{} {} GB, {}", kDefaultBoot, size, wanted(r, "root_type").as_text());
  std::replace(r.default_texts.begin(), r.default_texts.end(), std::string(kDefaultBoot), text);
}

// --- scope ---

Diagnostic placed(Diagnostic d, const Notebook& notebook, std::string_view path) {
  d.mark = mark_of(notebook, path);
  d.address = notebook.key;
  return d;
}

class Ec2Service final : public Service {
 public:
  std::string_view name() const override { return "ec2"; }
  std::string_view cloud_type() const override { return "aws"; }
  std::vector<const Kind*> kinds() const override {
    return {&instance_kind(), &volume_kind(), &security_group_kind(), &key_pair_kind()};
  }
  const SshAccess* ssh() const override { return &ssh_access(); }

  Result<Scope> scope(const Notebook& notebook, const LowerContext& context) const override {
    std::string region;
    for (const std::string& place : notebook.where) {
      std::string one = region_of(place);
      if (one.empty())
        return placed(error(Code::bad_manifest, "A region is needed",
                            fmt::format("`{}` may mean several regions; a notebook of EC2 lives in one.",
                                        place)),
                      notebook, "where")
            .with_hint("Write the region in full, as in us-west-2*.");
      if (!region.empty() && one != region)
        return placed(
            error(Code::bad_manifest, "The places lie in several regions",
                  fmt::format("{} and {} are two regions; a notebook of EC2 lives in one.", region, one)),
            notebook, "where");
      region = std::move(one);
    }
    if (context.account.empty())
      return placed(error(Code::bad_manifest, "No AWS account is known",
                          fmt::format(
                              "{} is to live in AWS, and neither the manifest nor the credentials name an "
                              "account.",
                              notebook.key)),
                    notebook, "service")
          .with_hint("See who you are:\n  aws sts get-caller-identity");
    return Scope{"ec2", notebook.cloud, context.account, region};
  }
  std::vector<Scope> scopes(const Cloud& cloud, const LowerContext& context) const override {
    std::string region = cloud.region.value_or("");
    if (context.account.empty() || region.empty()) return {};
    return {{"ec2", cloud.name, context.account, region}};
  }

  void lower(const Notebook& notebook, const LowerContext& context, Graph& graph,
             Diagnostics& problems) const override {
    lower_notebook(notebook, context, graph, problems);
  }
  std::vector<ListCall> lists(const Scope& scope, const Stack& stack) const override {
    return ec2::lists(scope, stack);
  }
  std::unique_ptr<Listing> listing(const Scope& scope) const override { return ec2::listing(scope); }
  bool fact_is_of(std::string_view key, const Scope& scope) const override {
    return ec2::fact_is_of(key, scope);
  }
  bool is_optional_fact(std::string_view key) const override { return ec2::is_optional_fact(key); }
  Call fact_call(std::string_view key) const override { return ec2::fact_call(key); }
  Call fact_page(std::string_view key, std::string_view token) const override {
    return ec2::fact_page(key, token);
  }
  std::string_view page_parameter() const override { return "NextToken"; }
  Result<std::string> add_fact(std::string_view key, const Response& answer, Value& fact) const override {
    return ec2::add_fact(key, answer, fact);
  }
  std::vector<Attempt> attempts(const Resource& resource, const Facts& facts,
                                Diagnostics& problems) const override {
    return ec2::attempts(resource, facts, problems);
  }
  void complete(Resource& resource, const Facts& facts) const override { ec2::complete(resource, facts); }
};

}  // namespace

// "us-west-2": two or more words, then a number. What follows it is a zone's letter, a local zone or a
// pattern.
std::string region_of(std::string_view place) {
  std::size_t at = 0, words = 0;
  while (at < place.size() && is_letter(place[at])) {
    while (at < place.size() && is_letter(place[at])) ++at;
    if (at >= place.size() || place[at] != '-') return {};
    ++at;
    ++words;
  }
  std::size_t digits = at;
  while (at < place.size() && is_digit(place[at])) ++at;
  bool open_number = at < place.size() && (place[at] == '?' || place[at] == '*') && at == digits;
  return words >= 2 && at > digits && !open_number ? std::string(place.substr(0, at)) : std::string();
}

// Those that the internet reaches first, then those that give public addresses, then the one with most room.
Map subnets_for(const Resource& r, const Facts& facts) {
  const Value& subnets = fact_at(facts, subnets_fact(r.scope.region));
  const Value& ways = fact_at(facts, ways_fact(r.scope.region));
  auto rank = [&](const Value& id) {
    const Value& subnet = subnets[id.as_text()];
    return std::tuple(has_way_out(ways, id.as_text(), subnet["vpc"].as_text()), subnet["public"].as_bool(),
                      subnet["free"].as_int());
  };
  Map chosen;
  for (const auto& [id, subnet] : subnets.as_map()) {
    if (!may_use(r, id.text(), subnet)) continue;
    Value& best = chosen[subnet["zone"].as_text()];
    if (best.is_null() || rank(best) < rank(Value(id))) best = id;
  }
  return chosen;
}

void complete(Resource& r, const Facts& facts) {
  if (r.kind == &instance_kind()) complete_image(r, facts);
  if (r.kind == &security_group_kind()) complete_network(r, facts);
}

const Service& service() {
  static const Ec2Service ec2;
  return ec2;
}

}  // namespace nbform::ec2
