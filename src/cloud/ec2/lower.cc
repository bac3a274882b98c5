// A Notebook with `service: ec2` into one instance, its data volumes, its security group and its key pair.
// Defaults that are sent at create only stand here (design: gpu -> type, image, boot disk).
#include <fmt/format.h>

#include <algorithm>

#include "base/crypto.h"
#include "base/text.h"
#include "cloud/ec2/lower_parts.h"
#include "cloud/labels.h"
#include "cloud/lowering.h"

namespace nbform::ec2 {

namespace {

constexpr std::string_view kPytorchAmi =
    "/aws/service/deeplearning/ami/x86_64/oss-nvidia-driver-gpu-pytorch-2.7-ubuntu-22.04/latest/ami-id";
constexpr std::string_view kGpuBaseAmi =
    "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id";
constexpr std::string_view kPlainAmi =
    "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";
constexpr std::string_view kPlainArmAmi =
    "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64";
// Older than Turing: NVIDIA's open driver does not know these GPUs.
constexpr std::string_view kProprietaryAmi = "amazon/Deep Learning Base Proprietary Nvidia Driver *";
constexpr std::string_view kArmPytorchAmi = "amazon/Deep Learning ARM64 AMI OSS Nvidia Driver GPU PyTorch *";
constexpr std::string_view kArmBaseAmi = "amazon/Deep Learning ARM64 Base OSS Nvidia Driver GPU AMI *";

// Short disk types of design; anything else is the cloud's own name.
std::string volume_type(std::string_view type) {
  return type == "balanced" || type == "ssd" ? "gp3" : std::string(type);
}

class Lowering {
 public:
  Lowering(const Notebook& notebook, const LowerContext& context, Graph& graph, Diagnostics& problems)
      : n_(notebook), context_(context), graph_(graph), problems_(problems) {}

  void run() {
    start();
    machine();
    image();
    boot_disk();
    data_disks();
    spot_and_power();
    identity_and_network();
    security();
    boot_data();
    security_group();
    ask_for_facts();
    graph_.emplace(vm_.address, std::move(vm_));
  }

 private:
  void ask_for_facts() {
    const std::string& region = vm_.scope.region;
    vm_.facts.push_back(subnets_fact(region));
    vm_.facts.push_back(ways_fact(region));
    for (bool spot : {true, false}) {
      std::string_view code = quota_code(wanted(vm_, "machine_type").as_text(), spot);
      if ((spot ? vm_.on_spot : vm_.on_demand) && !code.empty())
        vm_.facts.push_back(quota_fact(region, code));
    }
  }

  std::function<Mark(std::string_view)> marks(std::string prefix = {}) const {
    return marks_of(n_, labels::kAws, std::move(prefix));
  }

  void problem(std::string summary, std::string detail, std::string_view path, std::string hint = {}) {
    problems_.add(problem_at(n_, path, std::move(summary), std::move(detail), std::move(hint)));
  }

  Owner owner(std::string part) const { return {context_.manifest->stack.label(), n_.key, std::move(part)}; }

  // Tags of one part: the user's, the owner's, the name that consoles show.
  Map tags_of(const std::string& part, const std::string& shown) const {
    Map tags{{tag::kName.data(), shown}};
    for (const auto& [key, value] : n_.labels) tags.set(key, value.set() ? Value(*value) : Value());
    labels::write_owner(tags, owner(part), labels::kAws);
    return tags;
  }

  // What every part of the notebook begins with.
  Resource begin(std::string part, const Kind& kind) const {
    Resource r;
    r.address = fmt::format("{}/{}", n_.key, part);
    r.notebook = n_.key;
    r.part = std::move(part);
    r.kind = &kind;
    std::string region = n_.where.empty() ? std::string() : region_of(n_.where.front());
    r.scope = {"ec2", n_.cloud, context_.account, std::move(region)};
    r.name = owner_name(owner(r.part));
    r.mark = marks();
    if (n_.moved_from.set()) r.moved_from = fmt::format("{}/{}", *n_.moved_from, r.part);
    return r;
  }

  void start() {
    vm_ = begin("instance", instance_kind());
    vm_.where = n_.where;
    vm_.protect = n_.protect.value_or(false) || n_.security.deletion_protection.value_or(false);
    if (n_.adopt.set()) adopt(*n_.adopt);
    Map tags = tags_of("instance", n_.name);
    tags.set(tag::kProtect, n_.protect.value_or(false) ? Value("true") : Value());
    tags.set(tag::kForgotten, Value());
    vm_.attributes.set("tags", std::move(tags));
  }

  void adopt(const std::string& id) {
    vm_.adopt = id;
    if (instance_kind().locate(id)) return;
    problem("Not the id of an instance", fmt::format("`adopt` takes the id of an instance, not `{}`.", id),
            "adopt", "Write `adopt: i-0123456789abcdef0`.");
  }

  // --- machine and GPU ---

  void machine() {
    TypeGpu gpu;
    if (n_.gpu.set())
      gpu = {gpu_model(n_.gpu->model.value_or("")), static_cast<int>(n_.gpu->count.value_or(1))};
    if (n_.machine.type.set()) {
      vm_.attributes.set("machine_type", *n_.machine.type);
      vm_.attributes.set("spot_machine_type", *n_.machine.type);
      check_gpu(*n_.machine.type, gpu);
    } else {
      std::string type = default_type(gpu);
      vm_.defaults.set("machine_type", type);
      if (!type.empty()) vm_.default_texts.push_back("machine " + type);
    }
    const std::string type(wanted(vm_, "machine_type").as_text());
    vm_.facts.push_back(offers_fact(vm_.scope.region, type));
    vm_.facts.push_back(type_fact(vm_.scope.region, type));
  }

  std::string default_type(const TypeGpu& gpu) {
    if (gpu.model.empty()) return "t3.medium";
    std::string type = type_for_gpu(gpu.model, gpu.count), counts = gpu_counts(gpu.model);
    if (!type.empty()) return type;
    if (counts.empty())
      problem("A machine type is needed",
              fmt::format("nbform knows no EC2 machine with the GPU {}.", gpu.model), "gpu",
              "Write `machine: TYPE`.");
    else
      problem(
          "No machine has just so many GPUs",
          fmt::format("EC2 has machines with {} of the GPU {}, not with {}.", counts, gpu.model, gpu.count),
          "gpu", fmt::format("Write `gpu: {} xN` with one of these numbers.", gpu.model));
    return {};
  }

  // On EC2 the machine type decides; `gpu` beside it says what is expected.
  void check_gpu(const std::string& type, const TypeGpu& gpu) {
    auto has = gpu_of_type(type);
    if (gpu.model.empty() || !has) return;  // a type that the table lacks is asked about at plan
    bool count_said = n_.gpu->count.set();
    if (has->model == gpu.model && (!count_said || has->count == gpu.count)) return;
    problem("The machine type has another GPU",
            fmt::format("{} comes with {} x {}, and the manifest says {} x {}.", type, has->count, has->model,
                        gpu.count, gpu.model),
            "gpu", "Drop `gpu`, or choose the machine type that has it.");
  }

  // --- image ---

  std::string word_image(std::string_view word) const {
    std::string_view type = wanted(vm_, "machine_type").as_text();
    bool gpu = gpu_of_type(type).has_value(), pytorch = word == "pytorch";
    if (needs_proprietary_driver(type)) return image_text("name", kProprietaryAmi);
    if (is_arm(type))
      return gpu || pytorch ? image_text("name", pytorch ? kArmPytorchAmi : kArmBaseAmi)
                            : image_text("ssm", kPlainArmAmi);
    return image_text("ssm", pytorch ? kPytorchAmi : gpu ? kGpuBaseAmi : kPlainAmi);
  }

  std::string image_reference() const {
    const Image& image = *n_.image;
    if (image.ami.set()) return image_text("ami", *image.ami);
    if (image.ssm.set()) return image_text("ssm", *image.ssm);
    if (image.name.set())
      return image_text("name", fmt::format("{}/{}", image.owner.value_or("self"), *image.name));
    return word_image(image.word.value_or("base"));
  }

  void image() {
    bool gpu = gpu_of_type(wanted(vm_, "machine_type").as_text()).has_value();
    std::string text = n_.image.set() ? image_reference() : word_image(gpu ? "pytorch" : "base");
    (n_.image.set() ? vm_.attributes : vm_.defaults).set("image", text);
    if (!n_.image.set()) vm_.default_texts.push_back(fmt::format("image {}", gpu ? "pytorch" : "base"));
    check_driver(text);
    std::string fact = image_fact(vm_.scope.region, text);
    vm_.defaults.set("image_fact", fact);
    vm_.facts.push_back(std::move(fact));
  }

  void check_driver(const std::string& image) {
    std::string_view type = wanted(vm_, "machine_type").as_text();
    if (!needs_proprietary_driver(type) || !has_open_driver(image)) return;
    problem("The image's driver does not know the GPU",
            fmt::format("The AMI has NVIDIA's open driver, which starts with Turing; the GPU of {} is older.",
                        type),
            "image",
            "Take an AMI with the proprietary driver:\n"
            "  image: {name: \"Deep Learning Base Proprietary Nvidia Driver *\", owner: amazon}");
  }

  // --- disks ---

  void boot_disk() {
    auto it = n_.disks.find("boot");
    Disk boot = it != n_.disks.end() && it->second.set() ? *it->second : Disk();
    vm_.keep = keep_rule(boot.keep, KeepRule::never);
    put_disk(vm_, boot, "root_", "disks.boot");
    std::string text = boot.size_gb.set() ? "boot disk gp3" : std::string(kDefaultBoot);
    if (!boot.type.set() || !boot.size_gb.set()) vm_.default_texts.push_back(std::move(text));
    vm_.attributes.set("root_delete_on_termination", vm_.keep == KeepRule::never);
    Map tags = tags_of("boot", n_.name);
    tags.set(tag::kKeep, keep_name(vm_.keep));
    vm_.attributes.set("root_tags", std::move(tags));
  }

  // The rows that a root volume and a data volume have in common.
  void put_disk(Resource& r, const Disk& disk, const std::string& prefix, const std::string& path) {
    if (disk.size_gb.set()) r.attributes.set(prefix + "size_gb", *disk.size_gb);
    std::string type = volume_type(disk.type.value_or("gp3"));
    (disk.type.set() ? r.attributes : r.defaults).set(prefix + "type", type);
    if (disk.iops.set()) r.attributes.set(prefix + "iops", *disk.iops);
    if (disk.throughput.set()) r.attributes.set(prefix + "throughput", *disk.throughput);
    // An alias may mean another key tomorrow: it is read at create only.
    bool alias = disk.kms_key.set() && disk.kms_key->find("alias/") != std::string::npos;
    if (disk.kms_key.set()) (alias ? r.defaults : r.attributes).set(prefix + "kms", *disk.kms_key);
    if ((type == "io1" || type == "io2") && !disk.iops.set())
      problem("A volume of this type needs iops", fmt::format("EBS provisions {} by its IOPS.", type),
              path + ".type", "Write `iops: 3000`, or take gp3.");
  }

  void data_disks() {
    List parts;
    for (const auto& [key, setting] : n_.disks) {
      if (key == "boot" || !setting.set()) continue;
      Resource disk = data_disk(key, *setting);
      parts.emplace_back(disk.part);
      graph_.emplace(disk.address, std::move(disk));
    }
    if (parts.size() > 11)
      problem("Too many data disks",
              fmt::format("{} are declared; EC2 recommends 11 device names.", parts.size()), "disks");
    vm_.defaults.set("volumes", std::move(parts));
  }

  Resource data_disk(const std::string& key, const Disk& declared) {
    Resource disk = begin("disk-" + key, volume_kind());
    disk.mark = marks("disks." + key);
    disk.keep = keep_rule(declared.keep, KeepRule::always);
    if (declared.moved_from.set()) disk.moved_from = fmt::format("{}/disk-{}", n_.key, *declared.moved_from);
    disk.after.push_back(vm_.address);
    put_disk(disk, declared, "", "disks." + key);
    if (!declared.size_gb.set()) disk.defaults.set("size_gb", kDefaultDiskGb);
    disk.attributes.set("attached", true);
    if (declared.source.set()) {
      disk.defaults.set("source", *declared.source);
      check_source(key, *declared.source);
    }
    Map tags = tags_of(disk.part, fmt::format("{}-{}", n_.name, key));
    tags.set(tag::kKeep, keep_name(disk.keep));
    disk.attributes.set("tags", std::move(tags));
    return disk;
  }

  void check_source(const std::string& key, const std::string& source) {
    if (source.starts_with("snapshot:snap-")) return;
    problem(
        "A volume starts empty or from a snapshot",
        fmt::format("`{}` is none that EC2 makes a volume from.", source),
        fmt::format("disks.{}.source", key),
        "Write `source: snapshot:snap-0123456789abcdef0`; a snapshot of the other disk makes a copy of it.");
  }

  // --- spot, power ---

  void spot_and_power() {
    Spot spot = n_.spot.set() ? *n_.spot : Spot();
    lower_market(n_, vm_);
    lower_power(n_, vm_);
    if (vm_.on_spot) spot_request(spot);
  }

  void spot_request(const Spot& spot) {
    if (spot.on_preemption.set())
      vm_.attributes.set("on_preemption", preemption_word(*spot.on_preemption));
    else
      vm_.defaults.set("on_preemption", "stop");
    if (spot.max_price.set()) vm_.attributes.set("max_price", fmt::format("{:.6f}", *spot.max_price));
    bool ends = wanted(vm_, "on_preemption").as_text() == "delete";
    bool stops = n_.power.state.set() && *n_.power.state == PowerState::stopped;
    if (ends && stops)
      problem("A Spot instance that ends with its interruption cannot be stopped",
              "EC2 stops only Spot instances whose request has `on_preemption: stop`.", "power.state");
  }

  // --- identity, network, security ---

  void identity_and_network() {
    const Text& role = n_.identity.role;
    if (!role.absent()) vm_.attributes.set("instance_profile", role.value_or(""));
    const Network& net = n_.network;
    if (net.network.set()) vm_.attributes.set("network", *net.network);
    if (net.subnet.set()) vm_.attributes.set("subnet", *net.subnet);
    if (net.public_ip.set())
      vm_.attributes.set("public_ip", *net.public_ip);
    else
      vm_.defaults.set("public_ip", true);
    if (net.security_groups.absent()) return;
    List groups;
    for (const std::string& group : net.security_groups.value_or({})) {
      groups.emplace_back(group);
      if (!group.starts_with("sg-"))
        problem("A security group is named by its id",
                fmt::format("`{}` is no id such as sg-0123456789abcdef0.", group), "network.security_groups");
    }
    vm_.attributes.set("security_groups", std::move(groups));
  }

  void security() {
    const Flag& lock = n_.security.deletion_protection;
    if (!lock.absent()) vm_.attributes.set("deletion_protection", lock.value_or(false));
    if (lock.value_or(false) && vm_.on_spot)
      problem("Spot instances have no deletion protection", "EC2 protects on-demand instances only.",
              "security.deletion_protection", "Write `protect: true`: nbform then refuses to remove it.");
    // What is adopted stays as it is.
    Map& imds = vm_.adopt.empty() ? vm_.attributes : vm_.defaults;
    imds.set("imds_tokens", "required");
    imds.set("imds_hops", 2);
  }

  // --- access ---

  void security_group() {
    check_world_open();
    Resource group = begin("security-group", security_group_kind());
    std::string stack = context_.manifest->stack.label();
    group.name = fmt::format("{}{}-security-group", token_prefix(stack), digest16(n_.key).substr(0, 8));
    const Access& access = n_.access;
    bool managed = !access.ssh.allow_from.absent() || !access.public_ports.absent();
    group.only_if_there = !vm_.adopt.empty() && !managed;  // what is adopted stays as it is
    (managed ? group.attributes : group.defaults).set("ingress", ingress_rules(access));
    group.attributes.set("tags", tags_of("security-group", n_.name));
    for (std::string_view attr : {"subnet", "network"})
      if (const Value& wish = wanted(vm_, attr); !wish.is_null()) group.defaults.set(attr, wish);
    group.facts.push_back(subnets_fact(group.scope.region));
    vm_.after.push_back(group.address);
    if (!group.only_if_there) vm_.attributes.set("own_group", true);
    graph_.emplace(group.address, std::move(group));
  }

  // Everybody is let in by `access.public` alone, so that nobody opens a port by an address.
  void check_world_open() {
    std::int64_t port = n_.access.ssh.port.value_or(22);
    const auto& open = n_.access.public_ports.value_or({});
    if (std::find(open.begin(), open.end(), port) != open.end()) return;
    for (const std::string& from : n_.access.ssh.allow_from.value_or({}))
      if (from.ends_with("/0"))
        problem(
            "A port for everybody is declared by `access.public`",
            fmt::format("`{}` lets the whole internet reach port {}.", from, port), "access.ssh.allow_from",
            fmt::format("Name the ranges that need it; or write `access: {{public: [{}]}}`, which every plan "
                        "shows in red.",
                        port));
  }

  void boot_data() {
    BootData boot = boot_data_of(n_, context_);
    if (boot.text.size() > kMaxUserData)
      problem("The boot data is too large",
              fmt::format("The script and keys that a boot takes are {} bytes; EC2 takes {}.",
                          boot.text.size(), kMaxUserData),
              "setup.script", "Let the script fetch its larger parts.");
    if (!boot.text.empty()) vm_.defaults.set("user_data", boot.text);
    if (!boot.digest.empty()) vm_.attributes.set("boot_data", boot.digest);
    if (!boot.default_key.empty()) vm_.default_texts.push_back("ssh key " + boot.default_key);
    if (!boot.pair_key.empty()) key_pair(boot.pair_key);
  }

  void key_pair(const std::string& line) {
    std::string digest = digest16(line).substr(0, 8);
    Resource key = begin("key-" + digest, key_pair_kind());
    std::string stack = context_.manifest->stack.label();
    key.name = fmt::format("{}{}-{}", token_prefix(stack), digest16(n_.key).substr(0, 8), digest);
    key.attributes.set("public_key", line);
    key.attributes.set("tags", tags_of(key.part, n_.name));
    vm_.attributes.set("key_name", key.name);
    vm_.after.push_back(key.address);
    graph_.emplace(key.address, std::move(key));
  }

  const Notebook& n_;
  const LowerContext& context_;
  Graph& graph_;
  Diagnostics& problems_;
  Resource vm_;
};

}  // namespace

bool has_open_driver(std::string_view image) {
  std::string lower = to_lower(image);
  return lower.find("oss-nvidia") != std::string::npos || lower.find("oss nvidia") != std::string::npos;
}

void lower_notebook(const Notebook& notebook, const LowerContext& context, Graph& graph,
                    Diagnostics& problems) {
  Lowering(notebook, context, graph, problems).run();
}

}  // namespace nbform::ec2
