// What must be true when everything has come to rest.
#include <fmt/format.h>

#include <algorithm>

#include "auditor.h"
#include "wishes.h"

namespace nbform::crash {

namespace {

constexpr std::string_view kPowers[] = {"coming up", "running", "being stopped", "off"};

// A notebook that nobody speaks of is to be absent.
std::string expected_of(const Map& expect, const std::string& notebook) {
  const Value* expected = expect.find(notebook);
  return expected != nullptr ? std::string(expected->as_text()) : "absent";
}

}  // namespace

void Auditor::say_at_end(std::string rule, std::string what) {
  violations_.push_back({std::move(rule), std::move(what), end_});
}

void Auditor::judge_end(const Value& line) {
  const Map& expect = line["detail"]["expect"].as_map();
  end_ = line["time"].as_int();
  std::map<std::string, int> found;
  for (const auto& [key, machine] : machines_) {
    const Marks& owner = owner_of(machine);
    if (!ours(owner)) continue;
    ++found[owner.notebook];
    judge_machine_at_end(key, machine, expected_of(expect, owner.notebook));
  }
  for (const auto& [name, state] : expect)
    if (state.as_text() != "absent" && state.as_text() != "unknown" && found[name] == 0)
      say_at_end("missing", fmt::format("{} has no machine", name));
  judge_pairs_at_end();
  for (const auto& [key, disk] : disks_)
    if (ours(disk.marks)) judge_disk_at_end(key, disk, expect);
  for (const auto& [key, part] : parts_)
    if (ours(part.marks)) judge_part_at_end(key, part, expect);
}

// A colleague made it, with our marks but not on its boot disk: it is the colleague's.
bool Auditor::is_copy(const std::string& key, const Machine& machine) const {
  return !machine.by_run && !machine.relaunched &&
         std::none_of(disks_.begin(), disks_.end(),
                      [&](const auto& disk) { return disk.second.boots == key && ours(disk.second.marks); });
}

void Auditor::judge_machine_at_end(const std::string& key, const Machine& machine,
                                   const std::string& expected) {
  const Rest& rest = machine.rest;
  std::string power(kPowers[static_cast<int>(machine.power)]);
  if (expected == "absent" && !is_copy(key, machine))
    say_at_end("orphan", fmt::format("{} belongs to no notebook", key));
  if (expected == "present" || expected == "unknown") return;
  bool wanted_on = expected == "RUNNING" || (expected == "any" && rest.by_us);
  if (wanted_on && machine.power != Power::on)
    say_at_end("left off", fmt::format("{} is {}, and nobody wanted it stopped", key, power));
  bool wanted_off = expected == "TERMINATED" || (expected == "any" && rest.wanted && !rest.unsure);
  if (wanted_off && machine.power != Power::off)
    say_at_end("woken", fmt::format("{} is {}, and was to stay stopped", key, power));
}

// A declared disk hangs on its machine; one that nobody declares may stay where it says so itself.
void Auditor::judge_disk_at_end(const std::string& key, const Disk& disk, const Map& expect) {
  if (!disk.machine.empty()) return;
  std::string expected = expected_of(expect, disk.marks.notebook);
  if (expected == "unknown") return;
  bool declared = !wanted_keep(last_wish_, disk.marks.notebook, disk.marks.part).empty();
  if (expected != "absent" && declared)
    say_at_end("orphan", fmt::format("{} is declared and hangs on no machine", key));
  else if (disk.marks.keep == "never")
    say_at_end("orphan", fmt::format("{} was to go with its machine", key));
}

void Auditor::judge_part_at_end(const std::string& key, const Part& part, const Map& expect) {
  std::string expected = expected_of(expect, part.marks.notebook);
  if (expected == "unknown") return;
  bool alone = machines_.count(part.machine) == 0;
  if (part.launches && alone)
    say_at_end("orphan", fmt::format("{} may still launch a machine, and its own is gone", key));
  else if (!part.is_request && (part.machine.empty() ? expected == "absent" : alone))
    say_at_end("orphan", fmt::format("{} belongs to no notebook", key));
}

// Nothing of a notebook is there twice; of machines, those that the cloud made again count here.
void Auditor::judge_pairs_at_end() {
  std::map<std::string, std::string> seen;
  auto meet = [&](const std::string& key, const Marks& marks) {
    if (!ours(marks)) return;
    auto [it, fresh] = seen.try_emplace(marks.notebook + "'s " + marks.part, key);
    if (!fresh) say_at_end("duplicate", fmt::format("{} and {} are both {}", it->second, key, it->first));
  };
  for (const auto& [key, disk] : disks_) meet(key, disk.marks);
  for (const auto& [key, part] : parts_)
    if (part.machine.empty()) meet(key, part.marks);
  bool again = std::any_of(machines_.begin(), machines_.end(),
                           [](const auto& machine) { return machine.second.relaunched; });
  for (const auto& [key, machine] : machines_)
    if (again && !is_copy(key, machine)) meet(key, owner_of(machine));
}

}  // namespace nbform::crash
