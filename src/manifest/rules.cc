#include "manifest/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "manifest/rules_parts.h"
#include "manifest/scalar.h"

namespace nbform {

std::string cloud_type(std::string_view service) {
  if (service == "gce" || service == "workbench") return "gcp";
  if (service == "ec2" || service == "sagemaker") return "aws";
  return {};
}

namespace {

// One notebook against the rules; each function is one subject.
class Rules : NotebookJudge {
 public:
  using NotebookJudge::NotebookJudge;

  void run() {
    check_name_lengths();
    check_places();
    check_machine();
    check_storage(*this);
    check_spot_and_power();
    check_access();
    check_security();
    check_labels(*this);
    if (nb_.service == "sagemaker") check_sagemaker();
  }

 private:
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

  void check_sagemaker() {
    if (nb_.identity.role.set()) return;
    report_.error(merged_.key_at, "Missing key",
                  "A SageMaker notebook needs `identity.role`: the IAM role it runs as.",
                  "  identity: {role: NAME}");
  }
};

}  // namespace

void check_notebook(const Notebook& notebook, const Node& merged, Report& report) {
  Rules(notebook, merged, report).run();
}

}  // namespace nbform
