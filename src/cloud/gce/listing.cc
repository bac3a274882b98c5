// Reading GCE: three aggregated lists a project and its firewall rules, folded into one Live a VM, one a data
// disk and one a rule of ours. Facts:
// Compute v1 aggregatedList, partial responses (`fields`), warnings and unreachable scopes.
#include <fmt/format.h>

#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/text.h"
#include "cloud/gce/firewall.h"
#include "cloud/labels.h"

namespace nbform::gce {

namespace {

constexpr std::string_view kInstanceFields =
    "id,name,zone,status,labels,labelFingerprint,metadata(fingerprint,items),tags,machineType,minCpuPlatform,"
    "guestAccelerators,disks(boot,autoDelete,deviceName,source,diskSizeGb),"
    "networkInterfaces(network,subnetwork,accessConfigs(name,natIP)),"
    "scheduling(provisioningModel,preemptible,instanceTerminationAction,maxRunDuration,automaticRestart,"
    "onHostMaintenance),serviceAccounts,shieldedInstanceConfig,deletionProtection,lastStartTimestamp,"
    "lastStopTimestamp";
constexpr std::string_view kDiskFields =
    "id,name,zone,status,sizeGb,type,users,labels,labelFingerprint,sourceImage,lastAttachTimestamp,"
    "diskEncryptionKey(kmsKeyName),provisionedIops,provisionedThroughput";
constexpr std::string_view kOperationFields = "name,status,operationType,targetLink,insertTime,endTime";

constexpr std::string_view kFirewallFields =
    "id,name,network,direction,priority,disabled,description,allowed,denied,sourceRanges,sourceTags,"
    "sourceServiceAccounts,targetTags,targetServiceAccounts";

std::string owner_filter(const Stack& stack) {
  std::string own = fmt::format("labels.{}={}", labels::kStack, stack.label());
  if (stack.id.empty()) return own;
  return fmt::format("({}) OR (labels.{}={})", own, labels::kStack, stack.name);
}

ListCall list(const Scope& scope, std::string_view what, std::string_view fields, std::string filter) {
  ListCall out;
  out.id = what;
  out.call = {"compute", "GET", fmt::format("projects/{}/aggregated/{}", scope.account, what), {}, {}};
  out.call.query = {
      {"filter", std::move(filter)},
      {"maxResults", "500"},
      {"returnPartialSuccess", "true"},
      {"fields", fmt::format("items/*({}({}),warning),nextPageToken,unreachables", what, fields)}};
  out.optional_parameter =
      "returnPartialSuccess";  // dated interfaces know it no more, and are always partial
  return out;
}

// All rules: those of others say who may come in as well.
ListCall list_firewalls(const Scope& scope) {
  ListCall out;
  out.id = "firewalls";
  out.call = firewall_call("GET", scope);
  out.call.query = {{"maxResults", "500"},
                    {"fields", fmt::format("items({}),nextPageToken", kFirewallFields)}};
  out.fact = firewalls_fact(scope);
  return out;
}

// A machine of Vertex AI Workbench is another service's, whatever labels it carries.
bool of_workbench(const Value& body) {
  const Map& labels = body["labels"].as_map();
  if (labels.has("notebooks-product") || labels.has("goog-caip-notebook")) return true;
  for (const Value& tag : body.at_path("tags/items").as_list())
    if (tag.as_text() == "notebook-instance") return true;
  return false;
}

class GceListing final : public Listing {
 public:
  explicit GceListing(Scope scope) : scope_(std::move(scope)) {}

  Result<std::string> add_page(std::string_view list_id, const Value& page) override {
    if (!page.is_map())
      return error(Code::unavailable, "A list cannot be read", "The answer is not an object.");
    for (const Value& scope : page["unreachables"].as_list())
      unreachable_.insert(std::string(last_segment(scope.as_text())));
    const Value &items = page["items"], &token = page["nextPageToken"];
    if (list_id == "firewalls") return add_firewalls(items, token);
    if ((!items.is_null() && !items.is_map()) || (!token.is_null() && !token.is_text())) return garbled();
    for (const auto& [scope, content] : items.as_map())
      if (!add_scope(list_id, scope, content)) return garbled();
    return std::string(token.as_text());
  }

  std::vector<std::string> unreachable() const override { return {unreachable_.begin(), unreachable_.end()}; }

  Folded fold() override {
    Folded all;
    all.making = unseen_inserts();
    fold_boot_disks();
    apply_operations();
    all.live = std::move(machines_);
    all.preempted = std::move(preempted_);
    for (Live& disk : disks_)
      if (!folded_.count(disk.id)) all.live.push_back(std::move(disk));
    for (Live& rule : rules_) all.live.push_back(std::move(rule));
    if (!firewalls_.is_null()) all.facts.emplace(firewalls_fact(scope_), std::move(firewalls_));
    return all;
  }

 private:
  static Diagnostic garbled() {
    return error(Code::unavailable, "A list cannot be read", "An entry of it lacks what each one has.");
  }

  // Ours: by name and by description, both. What `connect` opened is connect's to close.
  Result<std::string> add_firewalls(const Value& items, const Value& token) {
    if ((!items.is_null() && !items.is_list()) || (!token.is_null() && !token.is_text())) return garbled();
    add_to_fact(firewalls_, {});
    for (const Value& item : items.as_list()) {
      auto rule = firewall_kind().decode(scope_, item);
      if (!rule.ok()) return garbled();
      add_to_fact(firewalls_, item);
      std::string_view part = part_of_rule(rule->name);
      bool ours = rule->owner.whole() && (part == kSshPart || part == kPublicPart);
      if (ours) rules_.push_back(std::move(rule).value());
    }
    return std::string(token.as_text());
  }

  // False: an entry cannot be read, and must not pass for one that is not there.
  bool add_scope(std::string_view list_id, const std::string& scope, const Value& content) {
    std::string_view warning = content.at_path("warning/code").as_text();
    if (!warning.empty() && warning != "NO_RESULTS_ON_PAGE")
      unreachable_.insert(std::string(last_segment(scope)));
    if (const Value& items = content[list_id]; !items.is_null() && !items.is_list()) return false;
    for (const Value& item : content[list_id].as_list()) {
      if (list_id == "operations")
        add_operation(item);
      else if (!add_resource(list_id == "instances" ? instance_kind() : disk_kind(), item))
        return false;
    }
    return true;
  }

  bool add_resource(const Kind& kind, const Value& item) {
    if (of_workbench(item)) {
      for (const Value& disk : item["disks"].as_list())
        folded_.insert(std::string(resource_path(disk["source"].as_text())));
      return true;
    }
    auto live = kind.decode(scope_, item);
    if (!live.ok()) return false;
    (&kind == &instance_kind() ? machines_ : disks_).push_back(std::move(live).value());
    return true;
  }

  void add_operation(const Value& item) {
    std::string target(resource_path(item["targetLink"].as_text()));
    if (item["operationType"].as_text() == "compute.instances.preempted") {
      std::string_view time = item["endTime"].as_text(item["insertTime"].as_text());
      if (auto at = parse_rfc3339(time); at && *at > preempted_[target]) preempted_[target] = *at;
    } else if (item["status"].as_text() != "DONE") {
      unfinished_[target] = item;
    }
  }

  static const Kind& kind_of(std::string_view path) {
    if (path.find("/global/firewalls/") != std::string_view::npos) return firewall_kind();
    return path.find("/instances/") != std::string_view::npos ? instance_kind() : disk_kind();
  }

  // Owner labels show only on what a list shows: these may be anybody's.
  std::vector<Making> unseen_inserts() const {
    std::vector<Making> out;
    if (unfinished_.empty()) return out;
    std::unordered_set<std::string_view> listed;
    for (const auto* lives : {&machines_, &disks_, &rules_})
      for (const Live& live : *lives) listed.insert(live.id);
    for (const auto& [target, operation] : unfinished_) {
      if (operation["operationType"].as_text() != "insert" || listed.count(target)) continue;
      const Kind& kind = kind_of(target);
      if (auto place = kind.locate(target))
        out.push_back({&kind, scope_, place->first, place->second, std::string(operation["name"].as_text())});
    }
    return out;
  }

  void fold_boot_disks() {
    std::unordered_map<std::string_view, const Live*> by_id;
    for (const Live& disk : disks_) by_id.emplace(disk.id, &disk);
    for (Live& machine : machines_) {
      const Value* name = machine.attributes.find("boot_disk");
      if (name == nullptr) continue;
      std::string id =
          fmt::format("projects/{}/zones/{}/disks/{}", scope_.account, machine.zone, name->as_text());
      auto it = by_id.find(id);
      machine.bare = it == by_id.end();
      if (machine.bare) continue;
      fold_boot_disk(machine, *it->second);
      folded_.insert(id);
    }
  }

  void apply_operations() {
    for (Live& machine : machines_) {
      if (auto it = preempted_.find(machine.id); it != preempted_.end())
        machine.health.heed_preemption(it->second);
      mark_unfinished(machine);
    }
    for (Live& disk : disks_) mark_unfinished(disk);
    for (Live& rule : rules_) mark_unfinished(rule);
  }

  void mark_unfinished(Live& live) {
    auto it = unfinished_.find(live.id);
    if (it == unfinished_.end()) return;
    live.health.state = Health::State::settling;
    live.health.operation = it->second["name"].as_text();
    live.health.detail = fmt::format("busy with `{}`", it->second["operationType"].as_text());
  }

  Scope scope_;
  std::set<std::string> unreachable_;
  std::deque<Live> machines_, disks_, rules_;
  Value firewalls_;                         // the fact of all rules
  std::unordered_set<std::string> folded_;  // disks that are part of a machine, or of Workbench
  std::map<std::string, Time> preempted_;
  std::map<std::string, Value> unfinished_;
};

}  // namespace

std::vector<ListCall> lists(const Scope& scope, const Stack& stack) {
  std::string owned = owner_filter(stack);
  return {list(scope, "instances", kInstanceFields, owned), list(scope, "disks", kDiskFields, owned),
          list(scope, "operations", kOperationFields,
               "(status != DONE) OR (operationType = \"compute.instances.preempted\")"),
          list_firewalls(scope)};
}

std::unique_ptr<Listing> listing(const Scope& scope) {
  return std::make_unique<GceListing>(scope);
}

}  // namespace nbform::gce
