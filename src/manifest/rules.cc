#include "manifest/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "manifest/disk_sizes.h"
#include "manifest/scalar.h"

namespace nbform {

std::string cloud_type(std::string_view service) {
  if (service == "gce" || service == "workbench") return "gcp";
  if (service == "ec2" || service == "sagemaker") return "aws";
  return {};
}

namespace {

bool allowed_label_byte(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c >= 0x80;
}

}  // namespace

std::string legal_gcp_label(std::string_view text, bool is_key) {
  std::string out;
  for (char c : to_lower(text)) {
    bool ok = allowed_label_byte(static_cast<unsigned char>(c));
    if (ok || (!out.empty() && out.back() != '-')) out += ok ? c : '-';
  }
  while (!out.empty() && (out.back() == '-' || out.size() > 63)) out.pop_back();
  bool letter_first =
      !out.empty() && ((out[0] >= 'a' && out[0] <= 'z') || static_cast<unsigned char>(out[0]) >= 0x80);
  return is_key && !letter_first ? "l-" + out : out;
}

namespace {

// One notebook against the rules; each function is one subject.
class Rules {
 public:
  Rules(const Notebook& nb, const Node& merged, Report& report)
      : nb_(nb), merged_(merged), report_(report), cloud_(cloud_type(nb.service)) {}

  void run() {
    check_name_lengths();
    check_places();
    check_machine();
    check_disks();
    check_mounts();
    check_spot_and_power();
    check_access();
    check_security();
    check_labels();
    check_metadata();
    if (nb_.service == "sagemaker") check_sagemaker();
  }

 private:
  Span at(std::string_view path) const {
    const Node* node = merged_.at_path(path);
    return node == nullptr ? merged_.key_at : node->place();
  }
  // For keys that may hold dots.
  const Node* entry(std::string_view table, const std::string& key) const {
    const Node* t = merged_.find(table);
    return t == nullptr ? nullptr : t->find(key);
  }
  static std::string quoted(const Node* node) { return node == nullptr ? "it" : shown(*node); }

  // ---- names ----

  void check_name_lengths() {
    if (nb_.name.size() > 63)
      report_.error(
          at("name"), "Name too long",
          fmt::format(
              "The cloud name `{}` has {} characters; 63 are possible. Shorten the keys, or set `name`.",
              nb_.name, nb_.name.size()));
    for (const auto& [disk, d] : nb_.disks) {
      std::string name = nb_.name + "-" + disk;
      const Node* node = entry("disks", disk);
      if (disk != "boot" && name.size() > 63 && nb_.name.size() <= 63 && node != nullptr)
        report_.error(node->key_at, "Name too long",
                      fmt::format("The disk's cloud name `{}` has {} characters; 63 are possible. Shorten "
                                  "the keys, or set `name`.",
                                  name, name.size()));
    }
  }

  // ---- where ----

  void check_places() {
    const Node* where = merged_.find("where");
    for (std::size_t i = 0; where != nullptr && i < where->items.size(); ++i) check_place(where->items[i]);
  }

  void check_place(const Node& item) {
    const std::string& place = item.text;
    if (is_glob(place) || cloud_.empty() || item.broken) return;
    bool gcp = matches("^[a-z]+-[a-z]+[0-9]+(-[a-z][a-z0-9]*)?$", place);
    bool aws =
        matches("^[a-z]{2}(-[a-z]+)+-[0-9]+[a-z]?$|^[a-z]{2}(-[a-z]+)+-[0-9]+-[a-z]{3}-[0-9]+[a-z]$", place);
    if (cloud_ == "gcp" ? gcp : aws) return;
    if (cloud_ == "gcp" && matches("^[a-z]+-[a-z]+[0-9]+[a-z]$", place)) {
      std::string fixed = place.substr(0, place.size() - 1) + "-" + place.back();
      return report_.error(
          item.at, "Not a place",
          fmt::format("{} is no zone of Google Cloud. Did you mean `{}`?", shown(item), fixed));
    }
    bool other = cloud_ == "gcp" ? aws : gcp;
    report_.error(
        item.at, "Not a place",
        other ? fmt::format("{} is a place of {}, but the service {} runs on {}.", shown(item),
                            cloud_ == "gcp" ? "AWS" : "Google Cloud", nb_.service,
                            cloud_ == "gcp" ? "Google Cloud" : "AWS")
              : fmt::format("{} is neither a zone nor a region of {}, such as {}.", shown(item),
                            cloud_ == "gcp" ? "Google Cloud" : "AWS",
                            cloud_ == "gcp" ? "us-central1-b or us-central1" : "us-west-2b or us-west-2"));
  }

  // ---- machine and GPU ----

  void check_machine() {
    bool gpu_alone = !nb_.machine.type.set() && nb_.gpu.set() && nb_.gpu->model.set();
    if (gpu_alone && nb_.service == "gce")
      for (const Attachable& gpu : kAttachable)
        if (gpu.model == short_model(*nb_.gpu->model)) check_gpu_count(gpu);
    if (!nb_.machine.type.set()) return;
    const std::string& type = *nb_.machine.type;
    bool dotted = type.find('.') != std::string::npos, ml = type.starts_with("ml.");
    if (cloud_ == "gcp" && dotted)
      return not_a_machine("machine types of Google Cloud look like e2-standard-2");
    if (nb_.service == "ec2" && (!dotted || ml))
      return not_a_machine("machine types of EC2 look like g4dn.xlarge");
    if (nb_.service == "sagemaker" && !ml)
      return not_a_machine("machine types of SageMaker look like ml.t3.medium");
    if (nb_.gpu.set() && nb_.gpu->model.set()) check_gpu(type, short_model(*nb_.gpu->model));
  }

  void not_a_machine(std::string_view why) {
    report_.error(at("machine.type"), "Wrong machine",
                  fmt::format("{} is no machine type of the service {}: {}.",
                              quoted(merged_.at_path("machine.type")), nb_.service, why));
  }

  static std::string short_model(std::string_view model) {
    std::string m = to_lower(model);
    std::replace(m.begin(), m.end(), '_', '-');
    for (std::string_view prefix : {"nvidia-tesla-", "nvidia-"})
      if (m.starts_with(prefix)) return m.substr(prefix.size());
    return m;
  }

  struct BuiltIn {
    std::string_view service, family, gpu;
  };
  // GCP: machineTypes.list (GPUs built into the machine type); AWS: DescribeInstanceTypes.
  static std::string_view built_in_gpu(std::string_view service, std::string_view type) {
    static constexpr std::array<BuiltIn, 24> kBuiltIn = {{
        {"gce", "a2-highgpu-", "a100"},
        {"gce", "a2-megagpu-", "a100"},
        {"gce", "a2-ultragpu-", "a100-80gb"},
        {"gce", "a3-highgpu-", "h100-80gb"},
        {"gce", "a3-edgegpu-", "h100-80gb"},
        {"gce", "a3-megagpu-", "h100-mega-80gb"},
        {"gce", "a3-ultragpu-", "h200-141gb"},
        {"gce", "a4-highgpu-", "b200"},
        {"gce", "g2-standard-", "l4"},
        {"ec2", "p2.", "k80"},
        {"ec2", "p3.", "v100"},
        {"ec2", "p3dn.", "v100"},
        {"ec2", "p4d.", "a100"},
        {"ec2", "p4de.", "a100-80gb"},
        {"ec2", "p5.", "h100"},
        {"ec2", "p5en.", "h200"},
        {"ec2", "p6-b200.", "b200"},
        {"ec2", "g3.", "m60"},
        {"ec2", "g4dn.", "t4"},
        {"ec2", "g5.", "a10g"},
        {"ec2", "g5g.", "t4g"},
        {"ec2", "g6.", "l4"},
        {"ec2", "gr6.", "l4"},
        {"ec2", "g6e.", "l40s"},
    }};
    for (const BuiltIn& b : kBuiltIn)
      if (b.service == service && type.starts_with(b.family)) return b.gpu;
    return {};
  }

  void check_gpu(const std::string& type, const std::string& model) {
    bool gcp = cloud_ == "gcp";
    std::string_view bare =
        nb_.service == "sagemaker" ? std::string_view(type).substr(3) : std::string_view(type);
    std::string_view built_in = built_in_gpu(gcp ? "gce" : "ec2", bare);
    if (!built_in.empty()) {
      bool same = model == built_in || (gcp && built_in.starts_with(model + "-"));
      if (!same)
        report_.error(at("gpu.model"), "GPU does not fit the machine",
                      fmt::format("The machine type {} comes with the GPU {}; `gpu` says {}. Drop `gpu`, or "
                                  "take another machine.",
                                  type, built_in, model),
                      {}, {at("machine.type")});
      return;
    }
    if (!gcp) {
      report_.error(at("gpu.model"), "GPU does not fit the machine",
                    fmt::format("On AWS the machine type decides the GPU, and {} has none that nbform knows "
                                "of. Drop `gpu`, or take another machine.",
                                type),
                    {}, {at("machine.type")});
    } else if (bool attaches = type.starts_with("n1-") || type.starts_with("custom-"); attaches) {
      check_attached_gpu(type, model);
    } else {
      report_.error(at("gpu.model"), "GPU does not fit the machine",
                    fmt::format("A GPU can be attached to N1 machine types only, not to {}. Take "
                                "n1-standard-4, or drop `machine`: `gpu` then chooses one.",
                                type),
                    {}, {at("machine.type")});
    }
  }

  struct Attachable {
    std::string_view model;
    std::array<int, 4> counts;
  };
  // GPUs that N1 machines can be given, and how many of each (Compute Engine: GPU machine types).
  static constexpr std::array<Attachable, 5> kAttachable = {{{"t4", {1, 2, 4}},
                                                             {"p4", {1, 2, 4}},
                                                             {"v100", {1, 2, 4, 8}},
                                                             {"p100", {1, 2, 4}},
                                                             {"k80", {1, 2, 4, 8}}}};

  void check_attached_gpu(const std::string& type, const std::string& model) {
    auto row = std::find_if(kAttachable.begin(), kAttachable.end(),
                            [&](const Attachable& a) { return a.model == model; });
    if (row == kAttachable.end())
      return report_.error(
          at("gpu.model"), "GPU does not fit the machine",
          fmt::format("{} takes t4, p4, v100, p100 and k80, not {}. Drop `machine`: `gpu` then "
                      "chooses one.",
                      type, model),
          {}, {at("machine.type")});
    check_gpu_count(*row);
  }

  void check_gpu_count(const Attachable& gpu) {
    std::int64_t count = nb_.gpu->count.value_or(1);
    std::vector<std::string> possible;
    for (int n : gpu.counts)
      if (n != 0) possible.push_back(fmt::to_string(n));
    if (std::find(possible.begin(), possible.end(), fmt::to_string(count)) != possible.end()) return;
    report_.error(
        at("gpu.count"), "Not possible with this GPU",
        fmt::format("A machine has {} of the GPU {}, not {}.", join(possible, ", "), gpu.model, count));
  }

  // ---- disks and mounts ----

  void check_disks() {
    if (nb_.service == "workbench" || nb_.service == "sagemaker") check_one_data_disk();
    for (const auto& [name, disk] : nb_.disks) {
      const Node* node = entry("disks", name);
      if (node == nullptr) continue;
      if (name == "boot" && disk.removed())
        report_.error(node->place(), "Key can't be removed",
                      "A machine has a boot disk; null would remove it.");
      if (disk.set() && node->is_map()) check_disk(name, *disk, *node);
    }
  }

  void check_one_data_disk() {
    std::size_t data = 0;
    for (const auto& [name, disk] : nb_.disks) {
      const Node* node = entry("disks", name);
      if (name != "boot" && disk.set() && ++data == 2 && node != nullptr)
        report_.error(node->key_at, "Too many disks",
                      fmt::format("The service {} has one data disk.", nb_.service));
    }
  }

  static Span of(const Node& disk, std::string_view key) {
    const Node* n = disk.find(key);
    return n == nullptr ? disk.place() : n->place();
  }

  void check_disk(const std::string& name, const Disk& disk, const Node& node) {
    std::string path = "disks." + name;
    bool boot = name == "boot";
    if (boot && disk.keep.set() && *disk.keep == Keep::until_destroy)
      report_.error(of(node, "keep"), "Not possible for a boot disk",
                    "`disks.boot.keep` is never or always: the name of a kept boot disk is taken, so a "
                    "replace could not make the new one.");
    if (boot && disk.mount.set())
      report_.error(of(node, "mount"), "Not possible for a boot disk",
                    "`disks.boot` is mounted at `/`; `mount` is for data disks.");
    if (!boot && disk.moved_from.set() && nb_.disks.count(*disk.moved_from) != 0)
      report_.error(
          of(node, "moved_from"), "Still declared",
          fmt::format("`{}` was {}, and `disks.{}` is declared too. A disk that moved is declared under "
                      "its new name only.",
                      path, *disk.moved_from, *disk.moved_from));
    if (boot && disk.moved_from.set())
      report_.error(of(node, "moved_from"), "Not possible for a boot disk",
                    "A boot disk bears its machine's name; `moved_from` is for data disks.");
    check_size(path, boot, disk, node);
    check_disk_type(path, disk, node);
  }

  void check_size(const std::string& path, bool boot, const Disk& disk, const Node& node) {
    const Node* size = node.find("size");
    if (!disk.size_gb.set() || size == nullptr || size->broken) return;
    std::string type = disk.type.value_or("");
    SizeRange range = disk_sizes(nb_.service, type, boot);
    if (*disk.size_gb >= range.least && *disk.size_gb <= range.most) return;
    std::string of_type = type.empty() ? "" : fmt::format(" and the disk type {}", type);
    report_.error(size->at, "Invalid value",
                  fmt::format("`{}.size` is from {}GB to {}GB with the service {}{}, not {}.", path,
                              range.least, range.most, nb_.service, of_type, shown(*size)));
  }

  void check_disk_type(const std::string& path, const Disk& disk, const Node& node) {
    std::string type = disk.type.value_or("");
    bool google = type.starts_with("pd-") || type.starts_with("hyperdisk-");
    static constexpr std::string_view kAws[] = {"gp2", "gp3", "io1", "io2", "st1", "sc1"};
    bool amazon = std::find(std::begin(kAws), std::end(kAws), type) != std::end(kAws);
    if ((cloud_ == "gcp" && amazon) || (cloud_ == "aws" && google))
      return report_.error(
          of(node, "type"), "Wrong disk type",
          fmt::format("`{}` is a disk type of {}. Write balanced or ssd, or one of the cloud's own.", type,
                      amazon ? "AWS" : "Google Cloud"));
    if (nb_.service == "gce") check_provisioned(path, type, disk, node);
    bool no_iops = type == "gp2" || type == "st1" || type == "sc1" || type == "standard";
    if (nb_.service == "ec2" && no_iops && (disk.iops.set() || disk.throughput.set()))
      report_.error(
          of(node, disk.iops.set() ? "iops" : "throughput"), "Not possible with this disk type",
          fmt::format("EBS volumes of type {} have nothing to provision; gp3, io1 and io2 have.", type));
  }

  void check_provisioned(const std::string& path, const std::string& type, const Disk& disk,
                         const Node& node) {
    bool hyper = type.starts_with("hyperdisk-");
    if (disk.iops.set() && !hyper && type != "pd-extreme")
      report_.error(
          of(node, "iops"), "Not possible with this disk type",
          fmt::format(
              "`{}.iops` needs a type that has it: hyperdisk-balanced, hyperdisk-extreme or pd-extreme.",
              path));
    if (disk.throughput.set() && !hyper)
      report_.error(of(node, "throughput"), "Not possible with this disk type",
                    fmt::format("`{}.throughput` needs a type that has it: hyperdisk-balanced, "
                                "hyperdisk-throughput or hyperdisk-ml.",
                                path));
  }

  void check_mounts() {
    for (const auto& [path, mount] : nb_.mounts) {
      const Node* node = entry("mounts", path);
      if (node == nullptr || !mount.set()) continue;
      for (std::string_view part : split(path, '/'))
        if (part == "." || part == "..") {
          report_.error(node->key_at, "Invalid key",
                        fmt::format("`{}` must be a path without `.` and `..`.", path));
          break;
        }
      if (!mount->source.set() || cloud_.empty()) continue;
      bool gs = mount->source->starts_with("gs://");
      if (gs != (cloud_ == "gcp"))
        report_.error(of(*node, "source"), "Wrong bucket",
                      fmt::format("The service {} mounts {} buckets; {} is none.", nb_.service,
                                  cloud_ == "gcp" ? "gs://" : "s3://", quoted(node->find("source"))));
    }
  }

  // ---- Spot and power ----

  void check_spot_and_power() {
    bool deletes =
        nb_.spot.set() && nb_.spot->on_preemption.set() && *nb_.spot->on_preemption == OnPreemption::destroy;
    if (deletes && nb_.power.max_uptime_s.set() && nb_.service == "gce")
      report_.error(
          at("spot.on_preemption"), "Keys exclude each other",
          fmt::format(
              "`spot.on_preemption: delete` and `power.max_uptime` ({}) don't go together: one field of the "
              "cloud says what happens in both cases, so the end of the run time would delete the machine.",
              report_.where(at("power.max_uptime"))),
          {}, {at("power.max_uptime")});
    const auto& schedule = nb_.power.schedule;
    if (schedule.set() && !schedule->start.set() && !schedule->stop.set())
      report_.error(at("power.schedule"), "Missing key", "`power.schedule` needs `start`, `stop` or both.");
  }

  // ---- access ----

  void check_access() {
    if (nb_.access.tunnel.set() && (nb_.access.tunnel->local > 65535 || nb_.access.tunnel->remote > 65535))
      report_.error(at("access.tunnel"), "Invalid value",
                    fmt::format("`access.tunnel` takes ports from 1 to 65535, not {}.",
                                quoted(merged_.at_path("access.tunnel"))));
    const Node* allowed = merged_.at_path("access.ssh.allow_from");
    for (std::size_t i = 0; allowed != nullptr && i < allowed->items.size(); ++i)
      check_range(allowed->items[i]);
    if (nb_.service == "workbench" && nb_.access.owners.set() && nb_.access.owners->size() > 1)
      report_.error(merged_.at_path("access.owners")->items[1].at, "Too many owners",
                    "A Workbench instance has one owner.");
  }

  void check_range(const Node& item) {
    auto slash = item.text.find('/');
    if (item.broken || item.text == "me" || slash == std::string::npos ||
        item.text.find(':') != std::string::npos)
      return;
    std::uint64_t address = 0;
    bool ok = true;
    for (std::string_view part : split(std::string_view(item.text).substr(0, slash), '.')) {
      auto n = parse_integer(part);
      ok = ok && n && *n <= 255;
      address = address * 256 + static_cast<std::uint64_t>(n.value_or(0));
    }
    auto bits = parse_integer(std::string_view(item.text).substr(slash + 1));
    if (!ok || !bits || *bits > 32)
      return report_.error(item.at, "Not an address range",
                           fmt::format("{} is no address range such as 203.0.113.7/32.", shown(item)));
    std::uint64_t network = *bits == 0 ? 0 : address >> (32 - *bits) << (32 - *bits);
    if (network == address) return;
    report_.error(
        item.at, "Not an address range",
        fmt::format("{} has bits beyond its /{}. Did you mean `{}.{}.{}.{}/{}`, or one address, `{}/32`?",
                    shown(item), *bits, network >> 24, network >> 16 & 255, network >> 8 & 255, network & 255,
                    *bits, item.text.substr(0, slash)));
  }

  void check_security() {
    bool installs = nb_.gpu.set() && nb_.gpu->driver.set() && *nb_.gpu->driver == Driver::install;
    if (installs && nb_.security.secure_boot.set() && *nb_.security.secure_boot)
      report_.warning(at("security.secure_boot"), "GPU driver may not load",
                      "With `security.secure_boot` the machine loads signed modules only, and an NVIDIA "
                      "driver installed at boot may not be one.");
  }

  // ---- labels and metadata ----

  void check_labels() {
    std::size_t most = cloud_ == "aws" ? 35 : 50;
    std::size_t set = static_cast<std::size_t>(
        std::count_if(nb_.labels.begin(), nb_.labels.end(), [](const auto& l) { return l.second.set(); }));
    if (set > most)
      report_.error(at("labels"), "Too many labels",
                    fmt::format("A notebook may have {} labels of its own on {}; this has {}.", most,
                                cloud_ == "aws" ? "AWS" : "Google Cloud", set));
    for (const auto& [key, value] : nb_.labels)
      if (const Node* node = entry("labels", key)) check_label(key, value, *node);
  }

  void check_label(const std::string& key, const Text& value, const Node& node) {
    for (std::string_view reserved : {"nbform", "goog-", "aws:"})
      if (to_lower(key).starts_with(reserved))
        return report_.error(node.key_at, "Reserved label",
                             fmt::format("Labels that start with `{}` belong to {}.", reserved,
                                         reserved == "nbform" ? "nbform itself"
                                         : reserved == "aws:" ? "AWS"
                                                              : "Google Cloud"));
    if (cloud_ != "gcp") return;
    if (legal_gcp_label(key, true) != key)
      report_.error(node.key_at, "Label not possible on Google Cloud",
                    fmt::format("A label's key there has 1 to 63 lower-case letters, digits, `-` and `_`, "
                                "and starts with a letter. Write `{}`.",
                                legal_gcp_label(key, true)));
    if (value.set() && !node.broken && legal_gcp_value(*value) != *value)
      report_.error(
          node.at, "Label not possible on Google Cloud",
          node.secret
              ? std::string("A label's value there has at most 63 lower-case letters, digits, `-` and `_`.")
              : fmt::format("A label's value there has at most 63 lower-case letters, digits, `-` and `_`. "
                            "Write `{}`.",
                            legal_gcp_value(*value)));
  }

  // Unlike a key, a value may start and end with anything legal.
  static std::string legal_gcp_value(const std::string& value) {
    bool legal = value.size() <= 63 && std::all_of(value.begin(), value.end(), [](char c) {
                   return allowed_label_byte(static_cast<unsigned char>(c));
                 });
    return legal ? value : legal_gcp_label(value, false);
  }

  void check_metadata() {
    struct Managed {
      std::string_view key, by;
    };
    static constexpr Managed kManaged[] = {
        {"ssh-keys", "access.ssh.keys"},
        {"sshKeys", "access.ssh.keys"},
        {"startup-script", "setup.script"},
        {"startup-script-url", "setup.script"},
        {"shutdown-script", "setup.shutdown_script"},
        {"shutdown-script-url", "setup.shutdown_script"},
        {"install-nvidia-driver", "gpu.driver"},
        {"idle-timeout-seconds", "power.idle_stop"},
    };
    for (const auto& [key, value] : nb_.metadata) {
      const Node* node = entry("metadata", key);
      if (node == nullptr) continue;
      for (const Managed& m : kManaged)
        if (m.key == key)
          report_.error(node->key_at, "Managed elsewhere",
                        fmt::format("nbform writes the metadata key `{}` itself. Use `{}`.", key, m.by));
      if (key.starts_with("nbform"))
        report_.error(node->key_at, "Managed elsewhere",
                      "Metadata keys that start with `nbform` belong to nbform itself.");
    }
  }

  void check_sagemaker() {
    if (nb_.identity.role.set()) return;
    report_.error(merged_.key_at, "Missing key",
                  "A SageMaker notebook needs `identity.role`: the IAM role it runs as.",
                  "  identity: {role: NAME}");
  }

  const Notebook& nb_;
  const Node& merged_;
  Report& report_;
  std::string cloud_;
};

}  // namespace

void check_notebook(const Notebook& notebook, const Node& merged, Report& report) {
  Rules(notebook, merged, report).run();
}

}  // namespace nbform
