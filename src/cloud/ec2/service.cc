// The EC2 service: where its notebooks live, and what facts decide at create: zones, subnets, the image, its
// size.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cloud/ec2/ec2.h"
#include "cloud/ssh_access.h"

namespace nbform::ec2 {

namespace {

const Value& fact_at(const Facts& facts, const std::string& key) {
  static const Value kNone;
  auto it = facts.find(key);
  return it != facts.end() ? it->second : kNone;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}

// --- places ---

Diagnostic of_notebook(Diagnostic d, const Resource& r, std::string_view path) {
  d.address = r.notebook;
  if (r.mark) d.mark = r.mark(path);
  return d;
}

bool zone_fits(std::string_view pattern, std::string_view zone) {
  return glob_match(pattern, zone) || pattern == region_of(zone);
}

// Zones that offer the type, in the order of `where`.
std::vector<std::string> zones_for(const Resource& r, const Value& offers) {
  std::vector<std::string> sorted, out;
  for (const Value& zone : offers.as_list()) sorted.emplace_back(zone.as_text());
  std::sort(sorted.begin(), sorted.end());
  for (const std::string& pattern : r.where)
    for (const std::string& zone : sorted)
      if (zone_fits(pattern, zone) && std::find(out.begin(), out.end(), zone) == out.end())
        out.push_back(zone);
  return out;
}

Diagnostic not_offered(const Resource& r, const Value& offers) {
  std::string_view type = wanted(r, "machine_type").as_text();
  std::vector<std::string> zones;
  for (const Value& zone : offers.as_list()) zones.emplace_back(zone.as_text());
  std::sort(zones.begin(), zones.end());
  Diagnostic d = error(Code::not_found, "The machine type is not offered there",
                       fmt::format("No zone of {} offers {}.", join(r.where, ", "), type));
  d.hint = zones.empty() ? fmt::format("{} has none at all; take another region or type.", r.scope.region)
                         : fmt::format("{} offers it in {}.", r.scope.region, join(zones, ", "));
  return of_notebook(std::move(d), r, zones.empty() ? "machine.type" : "where");
}

Diagnostic no_subnet(const Resource& r, const std::vector<std::string>& zones) {
  std::string_view subnet = wanted(r, "subnet").as_text(), vpc = wanted(r, "network").as_text();
  if (!subnet.empty()) {
    Diagnostic d =
        error(Code::not_found, "The subnet is not there",
              fmt::format("{} is no subnet of {} in {}.", subnet, r.scope.region, join(zones, ", ")));
    return of_notebook(std::move(d), r, "network.subnet");
  }
  if (!vpc.empty()) {
    Diagnostic d = error(Code::not_found, "The VPC has no subnet there",
                         fmt::format("{} has no subnet in {}.", vpc, join(zones, ", ")));
    return of_notebook(std::move(d), r, "network.network");
  }
  Diagnostic d =
      error(Code::not_found, "There is no default subnet",
            fmt::format("{} has no default VPC with a subnet in {}.", r.scope.region, join(zones, ", ")));
  d.hint =
      "Name a subnet in `network.subnet`, or make a default VPC:\n  aws ec2 create-default-vpc --region " +
      r.scope.region;
  return of_notebook(std::move(d), r, "where");
}

// --- what does not go together ---

void check_root_size(const Resource& r, Diagnostics& problems) {
  std::int64_t image_gb = wanted(r, "resolved_image")["size_gb"].as_int();
  const Value* declared = r.attributes.find("root_size_gb");
  if (declared == nullptr || declared->as_int() >= image_gb) return;
  Diagnostic d =
      error(Code::bad_manifest, "The boot disk is smaller than its image",
            fmt::format("The image needs {} GB and the manifest says {} GB.", image_gb, declared->as_int()));
  d.hint = fmt::format("Write {}GB or more.", image_gb);
  problems.add(of_notebook(std::move(d), r, "disks.boot.size"));
}

void check_driver(const Resource& r, Diagnostics& problems) {
  std::string_view type = wanted(r, "machine_type").as_text();
  std::string_view image = wanted(r, "resolved_image")["name"].as_text();
  bool said_already = has_open_driver(wanted(r, "image").as_text());  // without a look at the cloud
  if (said_already || !needs_proprietary_driver(type) || !has_open_driver(image)) return;
  Diagnostic d =
      error(Code::bad_manifest, "The image's driver does not know the GPU",
            fmt::format("{} has NVIDIA's open driver, which starts with Turing; the GPU of {} is older.",
                        image, type));
  d.hint =
      "Take an AMI with the proprietary driver:\n"
      "  image: {name: \"Deep Learning Base Proprietary Nvidia Driver *\", owner: amazon}";
  problems.add(of_notebook(std::move(d), r, "image"));
}

void check_architecture(const Resource& r, const Value& type, Diagnostics& problems) {
  const Value& image = wanted(r, "resolved_image");
  const List& takes = type["architectures"].as_list();
  bool unknown = takes.empty() || image["architecture"].as_text().empty();
  if (unknown || std::find(takes.begin(), takes.end(), image["architecture"]) != takes.end()) return;
  Diagnostic d = error(Code::bad_manifest, "The image is for another processor",
                       fmt::format("{} ({}) is for {}; {} is {}.", image["id"].as_text(),
                                   image["name"].as_text(), image["architecture"].as_text(),
                                   wanted(r, "machine_type").as_text(), takes.front().as_text()));
  problems.add(of_notebook(std::move(d), r, "image"));
}

void check_market(const Resource& r, const Value& type, Diagnostics& problems) {
  const List& markets = type["markets"].as_list();
  bool spot_only = r.on_spot && !r.on_demand;
  if (!spot_only || markets.empty() ||
      std::find(markets.begin(), markets.end(), Value("spot")) != markets.end())
    return;
  Diagnostic d = error(Code::unsupported, "The machine type has no Spot",
                       fmt::format("{} is not sold as Spot.", wanted(r, "machine_type").as_text()));
  problems.add(of_notebook(std::move(d), r, "spot"));
}

// --- subnets ---

bool may_use(const Resource& r, const std::string& id, const Value& subnet) {
  std::string_view wish = wanted(r, "subnet").as_text(), vpc = wanted(r, "network").as_text();
  if (!wish.empty()) return id == wish;
  if (!vpc.empty()) return subnet["vpc"].as_text() == vpc;
  return subnet["default"].as_bool();
}

// One for each zone: those that give public addresses first, then the one with most room.
Map subnets_for(const Resource& r, const Value& subnets) {
  Map chosen;
  auto rank = [&](const Value& id) {
    const Value& subnet = subnets[id.as_text()];
    return std::pair(subnet["public"].as_bool(), subnet["free"].as_int());
  };
  for (const auto& [id, subnet] : subnets.as_map()) {
    if (!may_use(r, id, subnet)) continue;
    std::string zone(subnet["zone"].as_text());
    const Value* other = chosen.find(zone);
    if (other == nullptr || rank(*other) < rank(Value(id))) chosen.set(zone, id);
  }
  return chosen;
}

void complete_network(Resource& r, const Facts& facts) {
  const Value& subnets = fact_at(facts, subnets_fact(r.scope.region));
  Map chosen = subnets_for(r, subnets);
  if (chosen.empty()) return;
  r.defaults.set("vpc", subnets[chosen.begin()->second.as_text()]["vpc"]);
  r.defaults.set("subnets", std::move(chosen));
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

std::vector<Attempt> attempts(const Resource& r, const Facts& facts, Diagnostics& problems) {
  const std::string type(wanted(r, "machine_type").as_text());
  const Value& offers = fact_at(facts, offers_fact(r.scope.region, type));
  const Value& about = fact_at(facts, type_fact(r.scope.region, type));
  check_root_size(r, problems);
  check_driver(r, problems);
  check_architecture(r, about, problems);
  check_market(r, about, problems);
  std::vector<std::string> zones = zones_for(r, offers), usable;
  if (zones.empty()) problems.add(not_offered(r, offers));
  const Map& subnets = wanted(r, "subnets").as_map();
  for (const std::string& zone : zones)
    if (subnets.has(zone)) usable.push_back(zone);
  if (!zones.empty() && usable.empty()) problems.add(no_subnet(r, zones));
  std::vector<Attempt> out;
  for (bool spot : {true, false})
    if (spot ? r.on_spot : r.on_demand)
      for (const std::string& zone : usable) out.push_back({zone, spot});
  return out;
}

void complete(Resource& r, const Facts& facts) {
  if (r.kind == &instance_kind()) complete_image(r, facts);
  if (r.kind == &instance_kind() || r.kind == &security_group_kind()) complete_network(r, facts);
}

const Service& service() {
  static const Ec2Service ec2;
  return ec2;
}

}  // namespace nbform::ec2
