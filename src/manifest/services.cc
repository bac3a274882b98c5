#include "manifest/services.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace nbform {
namespace {

constexpr std::string_view kAmiIsAws = "it is a key for AMIs of EC2; write `family` and `project`";
constexpr std::string_view kRoleIsAws = "IAM roles belong to AWS; write `service_account`";
constexpr std::string_view kGroupsAreAws = "security groups belong to AWS; write `network.tags`";
constexpr std::string_view kOwnersAreWorkbench =
    "only a Workbench instance has owners and a proxy URL; use `access.tunnel`";
constexpr std::string_view kAccountsAreGcp = "service accounts belong to Google Cloud; write `identity.role`";
constexpr std::string_view kTagsAreGcp =
    "network tags belong to Google Cloud; write `network.security_groups`";
constexpr std::string_view kMetadataIsGcp =
    "instance metadata of one's own belongs to Google Cloud; write `labels`";
constexpr std::string_view kNoSsh =
    "a SageMaker notebook has no SSH; `nbform connect` opens it by a presigned URL";
constexpr std::string_view kFixedImage = "a SageMaker notebook takes no image of one's own";
constexpr std::string_view kOneVolume =
    "the one volume of a SageMaker notebook has a size and a key, nothing else";

constexpr Unsupported kGce[] = {
    {"image.ami", kAmiIsAws},
    {"image.ssm", kAmiIsAws},
    {"image.owner", kAmiIsAws},
    {"image.container", "a VM boots from a disk image; `service: workbench` runs containers"},
    {"spot.max_price", "Spot has no price limit there: its price never exceeds the on-demand price"},
    {"identity.role", kRoleIsAws},
    {"network.security_groups", kGroupsAreAws},
    {"access.owners", kOwnersAreWorkbench},
    {"access.proxy", kOwnersAreWorkbench},
};

constexpr Unsupported kWorkbench[] = {
    {"image.ami", kAmiIsAws},
    {"image.ssm", kAmiIsAws},
    {"image.owner", kAmiIsAws},
    {"spot", "Workbench has no Spot instances; `service: gce` does"},
    {"power.max_uptime", "Workbench has no limit on the run time; `power.idle_stop` stops it when idle"},
    {"power.schedule", "Workbench has no schedule; `power.idle_stop` stops it when idle"},
    {"disks.*.mount", "its data disk is /home/jupyter"},
    {"disks.*.iops", "Workbench does not let one provision it"},
    {"disks.*.throughput", "Workbench does not let one provision it"},
    {"disks.*.source", "Workbench makes its disks empty or from its image"},
    {"identity.role", kRoleIsAws},
    {"identity.scopes", "Workbench sets the scopes itself"},
    {"network.security_groups", kGroupsAreAws},
    {"access.ssh.user", "Workbench uses OS Login, which ignores keys of one's own"},
    {"access.ssh.keys", "Workbench uses OS Login, which ignores keys of one's own"},
    {"access.jupyter", "Workbench's Jupyter listens on 8080"},
    {"setup.shutdown_script", "Workbench uses the shutdown script itself"},
};

constexpr Unsupported kEc2[] = {
    {"machine.min_cpu_platform", "the EC2 instance type says the CPU"},
    {"gpu.driver", "an AMI brings its driver along, or not"},
    {"image.family", "image families belong to Google Cloud; write `{name, owner}`, `{ssm}` or `{ami}`"},
    {"image.project", "image projects belong to Google Cloud; write `{name, owner}`, `{ssm}` or `{ami}`"},
    {"image.container", "an instance boots from an AMI; write `{name, owner}`, `{ssm}` or `{ami}`"},
    {"identity.service_account", kAccountsAreGcp},
    {"identity.scopes", kAccountsAreGcp},
    {"network.tags", kTagsAreGcp},
    {"security.secure_boot", "the AMI decides it on EC2"},
    {"security.vtpm", "the AMI decides it on EC2"},
    {"security.integrity_monitoring", "EC2 has nothing like it"},
    {"access.owners", kOwnersAreWorkbench},
    {"access.proxy", kOwnersAreWorkbench},
    {"metadata", kMetadataIsGcp},
};

constexpr Unsupported kSagemaker[] = {
    {"machine.min_cpu_platform", "the SageMaker instance type says the CPU"},
    {"gpu.driver", kFixedImage},
    {"image", kFixedImage},
    {"disks.boot",
     "its boot disk is fixed; the volume below /home/ec2-user/SageMaker is a data disk, e.g. `data`"},
    {"disks.*.type", kOneVolume},
    {"disks.*.mount", kOneVolume},
    {"disks.*.keep", kOneVolume},
    {"disks.*.iops", kOneVolume},
    {"disks.*.throughput", kOneVolume},
    {"disks.*.source", kOneVolume},
    {"disks.*.moved_from", kOneVolume},
    {"spot", "SageMaker has no Spot notebooks; `service: ec2` does"},
    {"power.max_uptime", "SageMaker has no limit on the run time; `power.idle_stop` stops it when idle"},
    {"power.schedule", "SageMaker has no schedule; `power.idle_stop` stops it when idle"},
    {"access.tunnel", kNoSsh},
    {"access.ssh", kNoSsh},
    {"access.jupyter", kNoSsh},
    {"access.colab", kNoSsh},
    {"access.public", "a SageMaker notebook has no public address"},
    {"access.owners", kOwnersAreWorkbench},
    {"access.proxy", kOwnersAreWorkbench},
    {"identity.service_account", kAccountsAreGcp},
    {"identity.scopes", kAccountsAreGcp},
    {"network.network", "the subnet decides the network; write `network.subnet`"},
    {"network.public_ip", "a SageMaker notebook has no public address"},
    {"network.address", "a SageMaker notebook has no public address"},
    {"network.tags", kTagsAreGcp},
    {"security", "SageMaker has nothing like it"},
    {"setup.shutdown_script", "SageMaker runs no script when it stops"},
    {"metadata", kMetadataIsGcp},
};

constexpr NotBuilt kNotBuilt[] = {
    {"", "lock", true, true},
    {"", "policy", true, true},
    {"", "budget", true},
    {"gce", "access.colab"},
    {"gce", "image.track", false, false, "pinned"},
    {"gce", "disks.*.mount"},
    {"gce", "mounts"},
    {"gce", "power.idle_stop"},
    {"gce", "power.schedule"},
    {"gce", "setup.conda"},
    {"gce", "setup.requirements"},
    {"gce", "setup.packages"},
    {"gce", "setup.repos"},
    {"gce", "setup.env"},
    {"gce", "setup.upload_to"},
    {"gce", "network.address", false, false, "ephemeral"},
    {"ec2", "access.colab"},
    {"ec2", "image.track", false, false, "pinned"},
    {"ec2", "disks.*.mount"},
    {"ec2", "mounts"},
    {"ec2", "power.idle_stop"},
    {"ec2", "power.max_uptime"},
    {"ec2", "power.schedule"},
    {"ec2", "setup.shutdown_script"},
    {"ec2", "setup.conda"},
    {"ec2", "setup.requirements"},
    {"ec2", "setup.packages"},
    {"ec2", "setup.repos"},
    {"ec2", "setup.env"},
    {"ec2", "setup.upload_to"},
    {"ec2", "network.address", false, false, "ephemeral"},
};

std::string title(std::string_view service) {
  return service == "gce"         ? "Compute Engine"
         : service == "workbench" ? "Workbench"
         : service == "ec2"       ? "EC2"
                                  : "SageMaker";
}

// Visits the maps below `map` that may hold what `pattern` names: with "disks.*.size" those of all disks, as
// (map, "disks.boot.", "size").
template <typename Map, typename Visit>
void each_holder(Map& map, std::string_view pattern, const std::string& path, Visit& visit) {
  auto dot = pattern.find('.');
  if (dot == std::string_view::npos) return visit(map, path, pattern);
  std::string_view head = pattern.substr(0, dot);
  for (auto& entry : map.items)
    if (entry.is_map() && (head == "*" || entry.key == head))
      each_holder(entry, pattern.substr(dot + 1), path + entry.key + ".", visit);
}

// One visit of drop_unsupported.
struct Dropper {
  std::string_view service;
  const std::vector<Layer>& layers;
  Report& report;
  std::vector<std::string> dropped;

  bool inherited(const Node& n) const { return layers.at(n.layer).inherited; }

  // The first leaf under `node` that a notebook, its profile or its `each` entry asks for.
  const Node* own_leaf(const Node& node) const {
    if (!node.is_map()) return inherited(node) || node.is_null() ? nullptr : &node;
    for (const Node& entry : node.items)
      if (const Node* leaf = own_leaf(entry)) return leaf;
    return nullptr;
  }

  void refuse(const Node& node, const std::string& path, std::string_view reason) {
    if (const Node* leaf = own_leaf(node)) {
      bool own_key = node.key_at.known() && !inherited(node);
      Span at = own_key ? node.key_at : leaf->key_at.known() ? leaf->key_at : leaf->at;
      report.error(Code::unsupported, at, "Not possible with this service",
                   fmt::format("{} can't have `{}`: {}.", title(service), path, reason));
    } else if (!node.is_null()) {
      dropped.push_back(path);
    }
  }

  void drop(Node& merged, const Unsupported& row) {
    auto visit = [&](Node& map, const std::string& path, std::string_view name) {
      std::erase_if(map.items, [&](const Node& entry) {
        if (entry.key != name) return false;
        refuse(entry, path + entry.key, row.reason);
        return true;
      });
    };
    each_holder(merged, row.path, {}, visit);
  }

  void visit(Node& merged) {
    auto keys_of_image = [&] {
      const Node* image = merged.find("image");
      return image != nullptr ? image->items.size() : 0;
    };
    std::size_t before = keys_of_image();
    for (const Unsupported& row : unsupported_by(service)) drop(merged, row);
    // What is left of an image without its reference is no image.
    if (keys_of_image() < before)
      std::erase_if(merged.items, [](const Node& entry) { return entry.key == "image"; });
    std::sort(dropped.begin(), dropped.end());
  }
};

bool only(const Node& node, std::string_view value) {
  if (node.is_scalar()) return node.text == value;
  return node.is_list() &&
         std::all_of(node.items.begin(), node.items.end(), [&](const Node& n) { return n.text == value; });
}

void report_one(const Node& entry, const std::string& path, const NotBuilt& row, Report& report) {
  bool works = entry.is_null() || (!row.but_for.empty() && only(entry, row.but_for));
  if (works) return;
  Span at = entry.key_at.known() ? entry.key_at : entry.at;
  std::string but = row.but_for.empty() ? "" : fmt::format(" Only `{}` works so far.", row.but_for);
  if (row.restricts)
    report.error(Code::unsupported, at, "Not in this version",
                 fmt::format("`{}` promises a limit that this version of nbform would not keep.{} Remove it, "
                             "or use a version that keeps it.",
                             path, but));
  else
    report.warning(
        at, "Not in this version",
        fmt::format("`{}` is understood, but this version of nbform does not act on it.{}", path, but));
}

void report_rows(const Node& merged, std::string_view service, bool of_file, Report& report) {
  for (const NotBuilt& row : kNotBuilt) {
    if (row.of_file != of_file || (!row.service.empty() && row.service != service)) continue;
    auto visit = [&](const Node& map, const std::string& path, std::string_view name) {
      for (const Node& entry : map.items)
        if (entry.key == name) report_one(entry, path + entry.key, row, report);
    };
    each_holder(merged, row.path, {}, visit);
  }
}

}  // namespace

std::span<const Unsupported> unsupported_by(std::string_view service) {
  if (service == "gce") return kGce;
  if (service == "workbench") return kWorkbench;
  if (service == "ec2") return kEc2;
  if (service == "sagemaker") return kSagemaker;
  return {};
}

std::span<const NotBuilt> not_built() {
  return kNotBuilt;
}

bool path_matches(std::string_view pattern, const std::vector<std::string>& path) {
  if (path.empty() || (pattern[0] != '*' && pattern[0] != path[0][0])) return false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    bool any = pattern.starts_with('*'), last = i + 1 == path.size();
    std::size_t size = any ? 1 : path[i].size();
    bool fits = any || pattern.starts_with(path[i]);
    bool ends = last ? pattern.size() == size : pattern.size() > size && pattern[size] == '.';
    if (!fits || !ends) return false;
    if (!last) pattern.remove_prefix(size + 1);
  }
  return true;
}

std::vector<std::string> drop_unsupported(Node& merged, std::string_view service,
                                          const std::vector<Layer>& layers, Report& report) {
  Dropper dropper{service, layers, report, {}};
  dropper.visit(merged);
  return std::move(dropper.dropped);
}

void report_not_built(const Node& merged, std::string_view service, Report& report) {
  report_rows(merged, service, false, report);
}

void report_not_built_in_file(const Node& document, Report& report) {
  report_rows(document, "", true, report);
}

}  // namespace nbform
