// What happens to machines.
#include <fmt/format.h>

#include <algorithm>

#include "auditor.h"
#include "wishes.h"

namespace nbform::crash {

void Auditor::take_machine(const Fact& fact, Machine& machine) {
  using What = Fact::What;
  check_touch(fact, owner_of(machine), machine.given_away, machine.name);
  switch (fact.what) {
    case What::gone:
      return delete_machine(fact);
    case What::coming:
    case What::on:
    case What::stopping:
    case What::off:
      return change_power(fact, machine);
    case What::leaving:
      machine.power = Power::stopping;
      machine.ends = machine.ends || fact.for_good;
      return;
    case What::taken:
      machine.rest.preempted_until = fact.until;
      return;
    case What::marks: {
      bool before = ours(owner_of(machine));
      machine.marks = fact.marks;
      if (before && !ours(owner_of(machine))) machine.given_away = fact.time;
      return;
    }
    default:
      return;
  }
}

// A colleague's clone that nobody could know of is no fault: it is a moment old, or its zone does not answer.
bool Auditor::could_see(const Machine& machine, std::int64_t now) const {
  return machine.by_run || (now - machine.born > 60'000'000 && dark_.count(machine.zone) == 0);
}

// Of the same notebook; or of its name, where it lost the mark that says so.
bool Auditor::is_twin(const Machine& old, const Machine& fresh) const {
  const Marks& owner = owner_of(old);
  if (ours(owner)) return owner.notebook == fresh.marks.notebook;
  bool same_name = old.name.substr(old.name.rfind('/') + 1) == fresh.name.substr(fresh.name.rfind('/') + 1);
  return stacks_.count(owner.stack) > 0 && same_name;
}

void Auditor::find_twins(const Fact& fact, const Machine& machine) {
  for (const auto& [other, twin] : machines_)
    if (!twin.ends && is_twin(twin, machine) && could_see(twin, fact.time)) {
      violate("duplicate", fact.time,
              fmt::format("{} was made beside {}, both are {}", fact.thing, other, machine.marks.notebook));
      violations_.back().machines = {fact.thing, other};
    }
}

void Auditor::make_machine(const Fact& fact) {
  const Run* run = run_of(fact.actor);
  Machine machine;
  machine.marks = fact.marks;
  if (fact.bears_mark) machine.birth = fact.marks;
  machine.zone = fact.zone;
  machine.name = fact.name;
  machine.booted_by = fact.actor;
  machine.by_run = run != nullptr;
  machine.born = fact.time;
  if (run != nullptr && !ours(machine.marks))
    violate("unlabelled", fact.time, fmt::format("{} was made without an owner's mark", fact.thing));
  if (run != nullptr) find_twins(fact, machine);
  auto old = replaced_.find(machine.marks.notebook);
  if (old != replaced_.end() && old->second.removed_by == fact.actor) machine.rest = old->second.rest;
  // Stopped by a person after the run that replaces it began: it may not have been seen.
  if (run != nullptr && machine.rest.since > run->began) machine.rest.unsure = true;
  for (auto& [key, disk] : disks_)
    if (disk.machine == fact.thing) machine.disks.insert(key);
  for (const std::string& thing : fact.things)
    if (auto it = disks_.find(thing); it != disks_.end())
      it->second.boots = fact.thing;
    else if (auto group = parts_.find(thing); group != parts_.end())
      group->second.users.insert(fact.thing);
  if (auto it = parts_.find(fact.other); it != parts_.end()) it->second.machine = fact.thing;
  machines_[fact.thing] = std::move(machine);
}

// The request tells whose the new machine is, for good.
void Auditor::relaunch(const Fact& fact) {
  auto request = parts_.find(fact.thing);
  auto machine = machines_.find(fact.other);
  if (request == parts_.end() || machine == machines_.end()) return;
  request->second.machine = fact.other;
  machine->second.relaunched = true;
  machine->second.birth = request->second.marks;
}

// The mark of a change that was cut short right before, or after, it stopped the machine.
bool Auditor::holds_resume_mark(const Machine& machine) {
  return machine.life != 0 && machine.marks.resume == fmt::to_string(machine.life);
}

void Auditor::change_power(const Fact& fact, Machine& machine) {
  using What = Fact::What;
  bool was_off = machine.is_off();
  machine.power = fact.what == What::on         ? Power::on
                  : fact.what == What::stopping ? Power::stopping
                  : fact.what == What::off      ? Power::off
                                                : Power::coming;
  bool starts_by_itself = was_off && fact.what == What::coming;  // or the cloud starts it
  if (!fact.actor.empty() || starts_by_itself) machine.booted_by = fact.actor;
  if (fact.life != 0) machine.life = fact.life;
  if (fact.what == What::on) return comes_up(machine, run_of(machine.booted_by));
  if (machine.is_off() && !was_off) goes_down(fact, machine);
}

void Auditor::goes_down(const Fact& fact, Machine& machine) {
  const Run* run = run_of(fact.actor);
  if (run == nullptr && holds_resume_mark(machine)) return;  // who stopped it cannot be told
  bool asked = run == nullptr || wants_stopped(run->wish, owner_of(machine).notebook);
  Rest& rest = machine.rest;
  if (asked) rest.wanted = true;
  if (asked) rest.since = fact.time;
  rest.unsure = rest.unsure && !asked;
  rest.by_us = !rest.wanted && !rest.unsure;
}

void Auditor::comes_up(Machine& machine, const Run* run) {
  machine.ran = true;
  for (const std::string& disk : machine.disks) disks_[disk].used = true;
  std::string name = owner_of(machine).notebook;
  Rest& rest = machine.rest;
  bool preempted = run != nullptr && rest.preempted_until > run->began;
  bool resumes = run != nullptr && run->wish["notebooks"][name]["resumes"].as_bool();
  bool asked = run == nullptr || wants_running(run->wish, name) || (preempted && resumes);
  if (asked) rest.wanted = rest.unsure = false;
  rest.by_us = false;
  rest.preempted_until = 0;
}

// A replace, or the removal of what no file declares, erases the boot disk: both want consent.
void Auditor::delete_machine(const Fact& fact) {
  Machine machine = machines_[fact.thing];
  machines_.erase(fact.thing);
  if (fact.failed) {
    std::erase_if(violations_, [&](const Violation& v) {
      return v.machines.count(fact.thing) > 0 && v.time >= machine.born;
    });
    return;
  }
  std::string name = owner_of(machine).notebook;
  replaced_[name] = {machine.rest, fact.actor};
  const Run* run = run_of(fact.actor);
  if (run == nullptr || !machine.ran) return;
  bool declared = !run->wish["notebooks"][name].is_null();
  bool ordinary = declared && holds(run->wish["destroy"], name);
  if (!ordinary && !consents(run->wish, name))
    violate("erased", fact.time, fmt::format("{} was deleted by {} without consent", fact.thing, fact.actor));
}

}  // namespace nbform::crash
