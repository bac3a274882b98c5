// Rules of disks and mounts.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "manifest/disk_sizes.h"
#include "manifest/rules_parts.h"
#include "manifest/scalar.h"

namespace nbform {

namespace {

class StorageRules : NotebookJudge {
 public:
  explicit StorageRules(const NotebookJudge& notebook) : NotebookJudge(notebook) {}

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

 private:
  void check_one_data_disk() {
    std::size_t data = 0;
    for (const auto& [name, disk] : nb_.disks) {
      const Node* node = entry("disks", name);
      if (name != "boot" && disk.set() && ++data == 2 && node != nullptr)
        report_.error(node->key_at, "Too many disks",
                      fmt::format("The service {} has one data disk.", nb_.service));
    }
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
};

}  // namespace

void check_storage(const NotebookJudge& notebook) {
  StorageRules rules(notebook);
  rules.check_disks();
  rules.check_mounts();
}

}  // namespace nbform
