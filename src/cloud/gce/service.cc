// The GCE service: its lists and facts, and what facts decide at create: where, from which image, how large a
// boot disk.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cloud/gce/gce.h"
#include "cloud/ssh_access.h"

namespace nbform::gce {

namespace {

bool zone_fits(std::string_view pattern, std::string_view zone, std::string_view region) {
  return glob_match(pattern, zone) || glob_match(pattern, region);
}

// Zones that are up, in the order of `where`.
std::vector<std::string> zones_for(const Resource& resource, const Value& zones) {
  std::vector<std::string> out;
  for (const std::string& pattern : resource.where)
    for (const auto& [zone, about] : zones.as_map()) {
      bool fits = about["up"].as_bool() && zone_fits(pattern, zone, about["region"].as_text());
      if (fits && std::find(out.begin(), out.end(), zone) == out.end()) out.push_back(zone);
    }
  return out;
}

Diagnostic no_such_place(const Resource& resource, const Value& zones) {
  std::vector<std::string_view> names;
  for (const auto& [zone, about] : zones.as_map()) {
    names.push_back(zone);
    names.push_back(about["region"].as_text());
  }
  std::string pattern = resource.where.empty() ? "" : resource.where.front();
  Diagnostic d = error(Code::not_found, "There is no such place",
                       fmt::format("No zone of project {} that is up fits {}.", resource.scope.account,
                                   join(resource.where, ", ")));
  d.address = resource.notebook;
  if (resource.mark) d.mark = resource.mark("where");
  std::vector<std::string> near;
  std::string region = pattern.substr(0, pattern.rfind('-'));
  for (const auto& [zone, about] : zones.as_map())
    if (about["region"].as_text() == region) near.push_back(zone);
  if (!near.empty())
    d.hint = fmt::format("{} has {}.", region, join(near, ", "));
  else if (std::string_view close = nearest(pattern, names); !close.empty())
    d.hint = fmt::format("Did you mean {}?", close);
  return d;
}

Diagnostic no_project(const Notebook& notebook) {
  Diagnostic d =
      error(Code::bad_manifest, "No project is known",
            fmt::format("{} is to live in a Google Cloud project, and neither the manifest nor the "
                        "environment names one.",
                        notebook.key));
  d.mark = notebook.mark;
  d.address = notebook.key;
  d.hint = "Write\n    clouds: {gcp: {project: PROJECT}}\nor set GOOGLE_CLOUD_PROJECT.";
  return d;
}

class GceService final : public Service {
 public:
  std::string_view name() const override { return "gce"; }
  std::string_view cloud_type() const override { return "gcp"; }
  std::vector<const Kind*> kinds() const override {
    return {&instance_kind(), &disk_kind(), &firewall_kind()};
  }
  const SshAccess* ssh() const override { return &ssh_access(); }

  Result<Scope> scope(const Notebook& notebook, const LowerContext& context) const override {
    if (context.account.empty()) return no_project(notebook);
    return Scope{"gce", notebook.cloud, context.account, {}};
  }
  std::vector<Scope> scopes(const Cloud& cloud, const LowerContext& context) const override {
    if (context.account.empty()) return {};
    return {{"gce", cloud.name, context.account, {}}};
  }

  void lower(const Notebook& notebook, const LowerContext& context, Graph& graph,
             Diagnostics& problems) const override {
    lower_notebook(notebook, context, graph, problems);
  }
  std::vector<ListCall> lists(const Scope& scope, const Stack& stack) const override {
    return gce::lists(scope, stack);
  }
  std::unique_ptr<Listing> listing(const Scope& scope) const override { return gce::listing(scope); }
  Call fact_call(std::string_view key) const override { return gce::fact_call(key); }
  Result<std::string> add_fact(std::string_view key, const Response& answer, Value& fact) const override {
    return gce::add_fact(key, answer, fact);
  }

  std::vector<Attempt> attempts(const Resource& resource, const Facts& facts,
                                Diagnostics& problems) const override {
    auto it = facts.find(zones_fact(resource.scope));
    const Value& zones = it != facts.end() ? it->second : Value();
    std::vector<std::string> places = zones_for(resource, zones);
    if (places.empty()) problems.add(no_such_place(resource, zones));
    check_boot_size(resource, problems);
    std::vector<Attempt> out;
    for (bool spot : {true, false})
      if (spot ? resource.on_spot : resource.on_demand)
        for (const std::string& zone : places) out.push_back({zone, spot});
    return out;
  }

  void complete(Resource& resource, const Facts& facts) const override {
    const Value* key = resource.defaults.find("image_fact");
    if (key == nullptr) return;
    auto it = facts.find(std::string(key->as_text()));
    if (it == facts.end()) return;
    resource.defaults.set("resolved_image", it->second);
    if (resource.attributes.has("boot_size_gb")) return;
    std::int64_t size = std::max(kDefaultDiskGb, it->second["size_gb"].as_int());
    resource.defaults.set("boot_size_gb", size);
    std::string text = fmt::format("boot disk {} GB", size);
    auto type = std::find(resource.default_texts.begin(), resource.default_texts.end(), kDefaultBootText);
    if (type != resource.default_texts.end())
      *type = text + ", balanced";
    else
      resource.default_texts.push_back(std::move(text));
  }

 private:
  static void check_boot_size(const Resource& resource, Diagnostics& problems) {
    std::int64_t image_gb = wanted(resource, "resolved_image")["size_gb"].as_int();
    const Value* declared = resource.attributes.find("boot_size_gb");
    if (declared == nullptr || declared->as_int() >= image_gb) return;
    Diagnostic d = error(
        Code::bad_manifest, "The boot disk is smaller than its image",
        fmt::format("The image needs {} GB and the manifest says {} GB.", image_gb, declared->as_int()));
    d.address = resource.notebook;
    if (resource.mark) d.mark = resource.mark("disks.boot.size");
    d.hint = fmt::format("Write {}GB or more.", image_gb);
    problems.add(std::move(d));
  }
};

}  // namespace

const Service& service() {
  static const GceService gce;
  return gce;
}

}  // namespace nbform::gce
