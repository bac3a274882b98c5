// A Notebook with `service: gce` into one VM and its data disks. Defaults that are sent at create only stand
// here.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "cloud/gce/disk_steps.h"
#include "cloud/gce/gce.h"
#include "cloud/gce/lower_parts.h"
#include "cloud/labels.h"
#include "cloud/lowering.h"

namespace nbform::gce {

std::string image_text(std::string_view kind, std::string_view project, std::string_view reference) {
  return fmt::format("{} {}/{}", labels::label_text(kind), labels::label_text(project),
                     labels::label_text(reference));
}

void write_image_labels(Map& labels, std::string_view image) {
  auto blank = image.find(' '), slash = image.find('/');
  if (blank == std::string_view::npos || slash == std::string_view::npos) return;
  labels.set(labels::kImageKind, image.substr(0, blank));
  labels.set(labels::kImageProject, image.substr(blank + 1, slash - blank - 1));
  labels.set(labels::kImage, image.substr(slash + 1));
}

namespace {

// Short disk types of design; anything else is the cloud's own name.
std::string disk_type(std::string_view type) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kNames = {
      {{"standard", "pd-standard"},
       {"balanced", "pd-balanced"},
       {"ssd", "pd-ssd"},
       {"extreme", "pd-extreme"}}};
  for (const auto& [name, type_name] : kNames)
    if (type == name) return std::string(type_name);
  return std::string(type);
}

// "cloud-platform" as gcloud spells it, or a full URL.
Value scope_list(const std::vector<std::string>& scopes) {
  List out;
  for (const std::string& scope : scopes)
    out.push_back(scope.find("://") != std::string::npos ? scope
                                                         : "https://www.googleapis.com/auth/" + scope);
  return out;
}

class Lowering {
 public:
  Lowering(const Notebook& notebook, const LowerContext& context, Graph& graph, Diagnostics& problems)
      : n_(notebook), context_(context), graph_(graph), problems_(problems) {}

  void run() {
    start();
    identity_of_stack();
    machine();
    image();
    boot_disk();
    data_disks();
    spot_and_power();
    account();
    network();
    lower_access(n_, context_.manifest->stack.label(), vm_, graph_, problems_);
    security();
    metadata();
    graph_.emplace(vm_.address, std::move(vm_));
  }

 private:
  std::function<Mark(std::string_view)> marks(std::string prefix = {}) const {
    return marks_of(n_, labels::kGcp, std::move(prefix));
  }

  void problem(std::string summary, std::string detail, std::string_view path, std::string hint = {}) {
    problems_.add(problem_at(n_, path, std::move(summary), std::move(detail), std::move(hint)));
  }

  void start() {
    vm_.address = n_.key + "/instance";
    vm_.notebook = n_.key;
    vm_.part = "instance";
    vm_.kind = &instance_kind();
    vm_.scope = {"gce", n_.cloud, context_.account, {}};
    vm_.name = n_.name;
    vm_.where = n_.where;
    vm_.mark = [own = marks()](std::string_view from) {
      if (from == "metadata.startup-script") from = "setup.script";
      if (from == "metadata.shutdown-script") from = "setup.shutdown_script";
      if (from == "metadata.install-nvidia-driver") from = "gpu";
      return own(from);
    };
    vm_.protect = n_.protect.value_or(false) || n_.security.deletion_protection.value_or(false);
    if (n_.moved_from.set()) vm_.moved_from = *n_.moved_from + "/instance";
    if (n_.adopt.set()) adopt(*n_.adopt);
    vm_.facts.push_back(zones_fact(vm_.scope));
  }

  void adopt(std::string_view written) {
    vm_.adopt = adopted_id(written);
    bool is_id = zone_and_name(vm_.adopt).has_value() && vm_.adopt.find("/instances/") != std::string::npos;
    if (is_id && vm_.adopt.starts_with(fmt::format("projects/{}/", context_.account))) return;
    problem(is_id ? "In another project" : "Not the id of a VM",
            is_id ? fmt::format("`adopt` names {}, and {} is declared in project {}.", written, n_.key,
                                context_.account)
                  : fmt::format("`adopt` takes the id of a VM, not `{}`.", written),
            "adopt",
            is_id ? "Declare it in its own project, with an entry of `clouds`."
                  : fmt::format("Write `adopt: ZONE/NAME`, or projects/{}/zones/ZONE/instances/NAME.",
                                context_.account));
  }

  // "projects/P/zones/Z/instances/N", a URL of it, or "Z/N".
  std::string adopted_id(std::string_view id) const {
    std::string_view path = resource_path(id);
    if (path.starts_with("projects/")) return std::string(path);
    auto slash = path.find('/');
    if (slash == std::string_view::npos) return std::string(path);
    return fmt::format("projects/{}/zones/{}/instances/{}", context_.account, path.substr(0, slash),
                       path.substr(slash + 1));
  }

  Owner owner(std::string part) const { return {context_.manifest->stack.label(), n_.key, std::move(part)}; }

  // Labels of one part: the user's, the owner's, and what is remembered beside them.
  Map labels_of(const std::string& part) const {
    Map labels;
    for (const auto& [key, value] : n_.labels) labels.set(key, value.set() ? Value(*value) : Value());
    labels::write_owner(labels, owner(part));
    return labels;
  }

  void identity_of_stack() {
    Map labels = labels_of("instance");
    labels.set(labels::kProtect, n_.protect.value_or(false) ? Value("true") : Value());
    vm_.attributes.set("labels", std::move(labels));
  }

  // --- machine and GPU ---

  void machine() {
    std::string type = n_.machine.type.value_or("");
    std::string gpu;
    int count = 0;
    if (n_.gpu.set()) {
      gpu = accelerator_type(n_.gpu->model.value_or(""));
      count = static_cast<int>(n_.gpu->count.value_or(1));
    }
    if (!type.empty())
      vm_.attributes.set("machine_type", type);
    else
      vm_.defaults.set("machine_type", default_machine(gpu, count));
    if (n_.machine.min_cpu_platform.set())
      vm_.attributes.set("min_cpu_platform", *n_.machine.min_cpu_platform);
    if (n_.machine.min_cpu_platform.removed()) vm_.attributes.set("min_cpu_platform", "");
    gpus(std::string(wanted(vm_, "machine_type").as_text()), gpu, count);
  }

  std::string default_machine(const std::string& gpu, int count) {
    std::string type = gpu.empty() ? "e2-standard-2" : machine_for_gpu(gpu, count);
    if (type.empty())
      problem("A machine type is needed",
              fmt::format("nbform knows no usual machine for {} x {}.", count, gpu), "gpu",
              "Write `machine: TYPE`.");
    vm_.default_texts.push_back("machine " + type);
    return type;
  }

  void gpus(const std::string& type, const std::string& gpu, int count) {
    auto built_in = built_in_gpu(type);
    if (n_.gpu.removed()) vm_.attributes.set("gpus", List());
    if (!n_.gpu.set() || type.empty()) return;
    if (built_in) {
      if (built_in->type == gpu && (built_in->count == count || n_.gpu->count.absent())) return;
      problem("The machine type has another GPU",
              fmt::format("{} comes with {} x {}, and the manifest says {} x {}.", type, built_in->count,
                          built_in->type, count, gpu),
              "gpu", "Drop `gpu`, or choose the machine type that has it.");
      return;
    }
    if (!type.starts_with("n1-")) {
      problem("This machine type takes no GPU",
              fmt::format("GPUs are attached to n1 machines; {} takes none.", type), "gpu",
              "Use an n1 machine, or a type that has its GPU built in (g2, a2, a3).");
      return;
    }
    vm_.attributes.set("gpus", List{Map{{"count", count}, {"type", gpu}}});
  }

  bool has_gpu() const {
    return !wanted(vm_, "gpus").as_list().empty() ||
           built_in_gpu(wanted(vm_, "machine_type").as_text()).has_value();
  }

  // --- image ---

  struct Reference {
    std::string kind, project, text;
  };

  Reference image_reference() const {
    if (!n_.image.set()) return {"word", std::string(kImageProject), has_gpu() ? "pytorch" : "base"};
    const Image& image = *n_.image;
    std::string project = image.project.value_or(std::string(kImageProject));
    if (image.word.set()) return {"word", project, *image.word};
    if (image.family.set()) return {"family", project, *image.family};
    return {"name", project, image.name.value_or("")};
  }

  void image() {
    Reference ref = image_reference();
    Value text = image_text(ref.kind, ref.project, ref.text);
    if (n_.image.set()) {
      vm_.attributes.set("image", std::move(text));
    } else {
      vm_.defaults.set("image", std::move(text));
      vm_.default_texts.push_back("image " + ref.text);
    }
    std::string fact = image_fact(ref.kind, ref.project, ref.text);
    vm_.defaults.set("image_fact", fact);
    vm_.facts.push_back(std::move(fact));
  }

  // --- disks ---

  void boot_disk() {
    auto it = n_.disks.find("boot");
    Disk boot = it != n_.disks.end() && it->second.set() ? *it->second : Disk();
    if (boot.size_gb.set()) vm_.attributes.set("boot_size_gb", *boot.size_gb);
    if (boot.type.set()) {
      vm_.attributes.set("boot_type", disk_type(*boot.type));
    } else {
      vm_.defaults.set("boot_type", "pd-balanced");
      vm_.default_texts.emplace_back(kDefaultBootText);
    }
    if (boot.kms_key.set()) vm_.attributes.set("boot_kms", *boot.kms_key);
    vm_.keep = keep_rule(boot.keep, KeepRule::never);
    vm_.attributes.set("boot_auto_delete", vm_.keep == KeepRule::never);
    Map labels = labels_of("boot");
    labels.set(labels::kKeep, keep_name(vm_.keep));
    vm_.attributes.set("boot_labels", std::move(labels));
  }

  void data_disks() {
    Map attachments;
    for (const auto& [key, setting] : n_.disks) {
      if (key == "boot" || !setting.set()) continue;
      Resource disk = data_disk(key, *setting);
      attachments.set(key, Map{{"auto_delete", disk.keep == KeepRule::never}, {"disk", disk.name}});
      vm_.after.push_back(disk.address);
      graph_.emplace(disk.address, std::move(disk));
    }
    if (!attachments.empty()) vm_.attributes.set("attachments", std::move(attachments));
  }

  Resource data_disk(const std::string& key, const Disk& declared) {
    Resource disk;
    disk.part = "disk-" + key;
    disk.address = fmt::format("{}/{}", n_.key, disk.part);
    disk.notebook = n_.key;
    disk.kind = &disk_kind();
    disk.scope = vm_.scope;
    disk.name = fmt::format("{}-{}", n_.name, key);
    disk.mark = marks("disks." + key);
    disk.keep = keep_rule(declared.keep, KeepRule::always);
    if (declared.moved_from.set()) disk.moved_from = fmt::format("{}/disk-{}", n_.key, *declared.moved_from);
    if (n_.moved_from.set()) disk.moved_from = fmt::format("{}/disk-{}", *n_.moved_from, key);
    bool clone = declared.source.set() && declared.source->starts_with("disk:");
    if (!clone) disk.carried_by = vm_.address;
    disk_attributes(disk, declared);
    Map labels = labels_of(disk.part);
    labels.set(labels::kKeep, keep_name(disk.keep));
    disk.attributes.set("labels", std::move(labels));
    return disk;
  }

  void disk_attributes(Resource& disk, const Disk& declared) {
    if (declared.size_gb.set())
      disk.attributes.set("size_gb", *declared.size_gb);
    else
      disk.defaults.set("size_gb", kDefaultDiskGb);
    if (declared.type.set())
      disk.attributes.set("type", disk_type(*declared.type));
    else
      disk.defaults.set("type", "pd-balanced");
    if (declared.kms_key.set()) disk.attributes.set("kms", *declared.kms_key);
    if (declared.iops.set()) disk.attributes.set("iops", *declared.iops);
    if (declared.throughput.set()) disk.attributes.set("throughput", *declared.throughput);
    if (declared.source.set()) disk.defaults.set("source", *declared.source);
  }

  // --- spot, power ---

  void spot_and_power() {
    Spot spot = n_.spot.set() ? *n_.spot : Spot();
    lower_market(n_, vm_);
    lower_power(n_, vm_);
    if (spot.on_preemption.set() && vm_.on_spot)
      vm_.attributes.set("on_preemption", preemption_word(*spot.on_preemption));
    else
      vm_.defaults.set("on_preemption", "stop");
    if (n_.power.max_uptime_s.set()) vm_.attributes.set("max_run_s", *n_.power.max_uptime_s);
    if (n_.power.max_uptime_s.removed()) vm_.attributes.set("max_run_s", 0);
  }

  // --- identity, network, security ---

  void account() {
    const Identity& id = n_.identity;
    if (id.service_account.set())
      vm_.attributes.set("service_account", *id.service_account);
    else if (id.service_account.removed())
      vm_.attributes.set("service_account", "");
    else
      vm_.defaults.set("service_account", "default");
    if (id.scopes.set())
      vm_.attributes.set("scopes", scope_list(*id.scopes));
    else
      vm_.defaults.set("scopes", List{kCloudPlatform});
  }

  void network() {
    const Network& net = n_.network;
    if (net.network.set()) vm_.attributes.set("network", *net.network);
    if (net.subnet.set()) vm_.attributes.set("subnet", *net.subnet);
    if (net.public_ip.set()) vm_.attributes.set("public_ip", *net.public_ip);
    if (net.tags.set()) vm_.attributes.set("tags", List(net.tags->begin(), net.tags->end()));
    if (net.tags.removed()) vm_.attributes.set("tags", List());
  }

  void security() {
    const Security& s = n_.security;
    for (auto [attr, flag] : {std::pair{"secure_boot", &s.secure_boot},
                              {"vtpm", &s.vtpm},
                              {"integrity_monitoring", &s.integrity_monitoring},
                              {"deletion_protection", &s.deletion_protection}})
      if (flag->set()) vm_.attributes.set(attr, **flag);
    if (s.deletion_protection.removed()) vm_.attributes.set("deletion_protection", false);
  }

  // --- metadata ---

  void metadata() {
    Map entries;
    if (n_.metadata.count("ssh-keys"))
      problem(
          "SSH keys have a place of their own",
          "`metadata.ssh-keys` is shared: nbform adds and removes its own lines in it and leaves all others.",
          "metadata.ssh-keys", "Write the keys under `access: {ssh: {keys: [...]}}`.");
    for (const auto& [key, value] : n_.metadata) put(entries, key, value, "metadata." + key);
    script(entries, n_.setup.script, "startup-script", "setup.script");
    script(entries, n_.setup.shutdown_script, "shutdown-script", "setup.shutdown_script");
    if (n_.gpu.set() && n_.gpu->driver.set()) put_driver(entries, *n_.gpu->driver);
    if (!entries.empty()) vm_.attributes.set("metadata", std::move(entries));
    vm_.defaults.set("metadata", Map{{"enable-guest-attributes", "TRUE"}});
    ssh_keys();
  }

  void put(Map& entries, const std::string& key, const Text& value, const std::string& path) {
    entries.set(key, value.set() ? Value(*value) : Value());
    if (n_.secret_paths.count(path)) vm_.secret_paths.push_back("metadata." + key);
  }

  void put_driver(Map& entries, Driver driver) {
    entries.set("install-nvidia-driver", driver == Driver::install ? Value("True") : Value());
  }

  void script(Map& entries, const Setting<FileRef>& file, const std::string& key, std::string_view path) {
    if (file.absent()) return;
    if (entries.has(key))
      problem("The same metadata key is declared twice",
              fmt::format("`{}` and `metadata.{}` both set the metadata key {}.", path, key, key), path,
              "Keep one of them.");
    entries.set(key, file.set() ? Value(file->text) : Value());
  }

  std::string key_line(const SshKey& key) const {
    std::vector<std::string_view> words = split(trim(key.line), ' ');
    std::string user = n_.access.ssh.user.value_or(std::string(kLogin));
    return fmt::format("{}:{} {} nbform:{}", user, words[0], words.size() > 1 ? words[1] : "",
                       context_.manifest->stack.label());
  }

  // The key's own comment stays before ours: so a plan can say whose key goes.
  std::string named_key_line(const SshKey& key) const {
    std::string line = key_line(key);
    std::string_view text = trim(key.line);
    auto space = text.find(' ', text.find(' ') + 1);
    if (space == std::string_view::npos || text.find(' ') == std::string_view::npos) return line;
    return line.insert(line.rfind(" nbform:"), " " + std::string(trim(text.substr(space))));
  }

  void ssh_keys() {
    const Setting<std::vector<SshKey>>& declared = n_.access.ssh.keys;
    if (declared.removed()) vm_.attributes.set("ssh_keys", List());
    if (declared.absent()) {
      default_ssh_keys();
      return;
    }
    if (!declared.set()) return;
    List lines;
    bool home = false;
    for (const SshKey& key : *declared) {
      home = home || key.from_home;
      if (!key.line.empty()) lines.push_back(key.from_home ? key_line(key) : named_key_line(key));
    }
    // With a key of somebody's home directory in it the list only adds: two people's plans must not fight.
    if (!lines.empty() || !home) vm_.attributes.set(home ? "ssh_keys_added" : "ssh_keys", std::move(lines));
  }

  void default_ssh_keys() {
    if (context_.default_keys.empty()) return;
    const SshKey& key = context_.default_keys.front();
    vm_.defaults.set("ssh_keys_added", List{key_line(key)});
    vm_.default_texts.push_back("ssh key " + key.written);
  }

  const Notebook& n_;
  const LowerContext& context_;
  Graph& graph_;
  Diagnostics& problems_;
  Resource vm_;
};

}  // namespace

void lower_notebook(const Notebook& notebook, const LowerContext& context, Graph& graph,
                    Diagnostics& problems) {
  Lowering(notebook, context, graph, problems).run();
}

}  // namespace nbform::gce
