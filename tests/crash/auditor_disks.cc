// What happens to disks, and to the parts that go with a machine.
#include <fmt/format.h>

#include <algorithm>

#include "auditor.h"
#include "wishes.h"

namespace nbform::crash {

namespace {

// A disk that says nothing is kept.
std::string rule_of(const std::string& mark) {
  return mark.empty() ? "always" : mark;
}

}  // namespace

void Auditor::make_disk(const Fact& fact) {
  Disk disk;
  disk.marks = fact.marks;
  disk.name = fact.name;
  if (run_of(fact.actor) != nullptr && !ours(disk.marks))
    violate("unlabelled", fact.time, fmt::format("{} was made without an owner's mark", fact.thing));
  disks_[fact.thing] = std::move(disk);
}

void Auditor::take_disk(const Fact& fact, Disk& disk) {
  using What = Fact::What;
  // A machine's boot disk is the machine's, whoever made it.
  auto booted = machines_.find(disk.boots), on = machines_.find(disk.machine);
  bool of_machine = booted != machines_.end() && ours(owner_of(booted->second));
  if (fact.what != What::detached && !of_machine && !came_too_late(fact, disk))
    check_touch(fact, disk.marks, disk.given_away, on != machines_.end() ? on->second.name : "");
  if (fact.what == What::gone) return delete_disk(fact);
  if (fact.what == What::attached) return attach(fact, disk);
  if (fact.what == What::detached) return detach(disk, fact.thing);
  if (fact.what == What::flagged) disk.auto_delete_from = fact.actor;
  if (fact.what != What::marks) return;
  bool before = ours(disk.marks);
  disk.marks = fact.marks;
  if (before && !ours(disk.marks)) disk.given_away = fact.time;
}

// What a colleague hangs on a machine after its deletion was asked for goes along, and nobody could know.
bool Auditor::came_too_late(const Fact& fact, const Disk& disk) const {
  if (!fact.along) return false;
  auto machine = machines_.find(disk.machine.empty() ? disk.left : disk.machine);
  return machine != machines_.end() && machine->second.doomed != 0 && disk.attached >= machine->second.doomed;
}

void Auditor::attach(const Fact& fact, Disk& disk) {
  disk.machine = fact.other;
  disk.attached = fact.time;
  auto it = machines_.find(fact.other);
  if (it == machines_.end()) return;  // made with it, in a moment
  it->second.disks.insert(fact.thing);
  disk.used = disk.used || it->second.power == Power::on;
}

void Auditor::detach(Disk& disk, const std::string& key) {
  if (auto it = machines_.find(disk.machine); it != machines_.end()) it->second.disks.erase(key);
  disk.left = disk.machine;
  disk.machine.clear();
}

// What is on a data disk goes with consent only, unless files and disk agree that it goes with its machine;
// what is to be kept always goes only when it is named.
void Auditor::delete_disk(const Fact& fact) {
  Disk disk = disks_[fact.thing];
  disks_.erase(fact.thing);
  const std::string &part = disk.marks.part, &name = disk.marks.notebook;
  if (!ours(disk.marks) || !disk.used || !part.starts_with("disk-")) return;
  bool flagged_by_colleague = !disk.auto_delete_from.empty() && runs_.count(disk.auto_delete_from) == 0;
  const Run* run = run_of(fact.actor);
  if (run == nullptr && (!fact.actor.empty() || flagged_by_colleague)) return;  // a colleague's own doing
  std::string on_disk = rule_of(disk.marks.keep), in_files;
  Value wish;
  if (run != nullptr) {
    wish = run->wish;
    if (auto then = run->keep.find(fact.thing); then != run->keep.end()) on_disk = rule_of(then->second);
    in_files = wanted_keep(wish, name, part);
  }
  bool expendable = on_disk == "never" && (in_files.empty() || in_files == "never");
  bool kept = (in_files.empty() ? on_disk : in_files) == "always";
  bool allowed = kept ? holds(wish["kept"], disk.name) : expendable || consents(wish, name);
  if (!allowed)
    violate("lost data", fact.time,
            fmt::format("{} ({} in the files, {} on the disk) was deleted by {} without consent", fact.thing,
                        in_files.empty() ? "absent" : in_files, on_disk,
                        fact.actor.empty() ? "the cloud" : fact.actor));
}

// --- parts ---

void Auditor::make_part(const Fact& fact) {
  if (run_of(fact.actor) != nullptr && !ours(fact.marks))
    violate("unlabelled", fact.time, fmt::format("{} was made without an owner's mark", fact.thing));
  bool request = !fact.other.empty();
  parts_[fact.thing] = {fact.marks, fact.other, request, request};
}

// A group that a run let go, once nobody uses it; or one that comes with a machine that is adopted.
bool Auditor::may_take_back(const Fact& fact, const Part& part) const {
  const Run* run = run_of(fact.actor);
  if (run == nullptr || part.given_away == 0) return false;
  return std::all_of(part.users.begin(), part.users.end(), [&](const std::string& user) {
    auto machine = machines_.find(user);
    return machine == machines_.end() || ours(owner_of(machine->second)) ||
           holds(run->wish["adopt"], machine->second.name);
  });
}

void Auditor::take_part(const Fact& fact, Part& part) {
  using What = Fact::What;
  auto machine = machines_.find(part.machine);
  bool of_machine = machine != machines_.end() && ours(owner_of(machine->second));
  bool outlives_it = !part.machine.empty() && machine == machines_.end();  // for a moment
  if (!of_machine && !outlives_it && !may_take_back(fact, part))
    check_touch(fact, part.marks, part.given_away, machine != machines_.end() ? machine->second.name : "");
  if (fact.what == What::gone) {
    parts_.erase(fact.thing);
    return;
  }
  if (fact.what == What::launches || fact.what == What::launches_no_more)
    part.launches = fact.what == What::launches;
  if (fact.what != What::marks) return;
  bool before = ours(part.marks);
  part.marks = fact.marks;
  if (before && !ours(part.marks)) part.given_away = fact.time;
}

}  // namespace nbform::crash
