#include "auditor.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "wishes.h"

namespace nbform::crash {

namespace {

std::string text(const Value& line, std::string_view key) {
  return std::string(line[key].as_text());
}

}  // namespace

void Auditor::violate(std::string rule, std::int64_t time, std::string what) {
  violations_.push_back({std::move(rule), std::move(what), time});
}

// With a mark taken off nobody can tell whose a thing is: it is nobody's then.
bool Auditor::ours(const Marks& marks) const {
  return stacks_.count(marks.stack) > 0 && marks.whole();
}

const Marks& Auditor::owner_of(const Machine& machine) {
  bool born = !machine.marks.whole() && !machine.marks.forgotten && machine.birth.whole();
  return born ? machine.birth : machine.marks;
}

const Auditor::Run* Auditor::run_of(const std::string& actor) const {
  auto it = runs_.find(actor);
  return it != runs_.end() ? &it->second : nullptr;
}

void Auditor::read(const Value& line) {
  std::string kind = text(line, "kind");
  if (kind == "run") return begin_run(line);
  if (kind == "second") return judge_second_plan(line);
  if (kind == "done") return finish_run(line);
  if (kind == "end") return judge_end(line);
  for (const Fact& fact : facts_of(line)) take(fact);
}

// --- runs ---

void Auditor::begin_run(const Value& line) {
  Run run{line["detail"], line["time"].as_int(), {}};
  for (auto& [key, machine] : machines_)
    if (wants_stopped(run.wish, owner_of(machine).notebook))
      machine.rest.unsure |= std::exchange(machine.rest.by_us, false);  // off is what the user wants by now
    else if (wants_running(run.wish, owner_of(machine).notebook))
      machine.rest.unsure = true;
  last_wish_ = run.wish;
  runs_[text(line, "actor")] = std::move(run);
}

// What a run that wanted a machine stopped leaves stopped is to stay so. One that died is forgotten.
void Auditor::finish_run(const Value& line) {
  const Run* run = run_of(text(line, "actor"));
  if (run == nullptr) return;
  for (auto& [key, machine] : machines_) {
    const Marks& owner = owner_of(machine);
    bool asked = ours(owner) && wants_stopped(run->wish, owner.notebook);
    if (!asked || !machine.is_off()) continue;
    machine.rest.wanted = true;
    machine.rest.by_us = machine.rest.unsure = false;
  }
}

void Auditor::judge_second_plan(const Value& line) {
  std::int64_t changes = line["detail"]["changes"].as_int();
  if (changes > 0)
    violate("second plan", line["time"].as_int(),
            fmt::format("{} changes are left:\n{}", changes, text(line["detail"], "what")));
}

// A plan is made of what stands then, and what it may delete is judged by that.
void Auditor::begin_work(const std::string& actor) {
  auto run = runs_.find(actor);
  if (run == runs_.end() || std::exchange(run->second.works, true)) return;
  for (const auto& [key, disk] : disks_) run->second.keep[key] = disk.marks.keep;
}

// --- facts ---

void Auditor::take(const Fact& fact) {
  using What = Fact::What;
  if (fact.what != What::request || fact.changes) begin_work(fact.actor);
  switch (fact.what) {
    case What::request:
      return take_request(fact);
    case What::machine:
      return make_machine(fact);
    case What::disk:
      return make_disk(fact);
    case What::part:
      return make_part(fact);
    case What::relaunched:
      return relaunch(fact);
    case What::dark:
      dark_.insert(fact.zone);
      return;
    case What::bright:
      dark_.erase(fact.zone);
      return;
    default:
      break;
  }
  if (auto it = machines_.find(fact.thing); it != machines_.end()) return take_machine(fact, it->second);
  if (auto it = disks_.find(fact.thing); it != disks_.end()) return take_disk(fact, it->second);
  if (auto it = parts_.find(fact.thing); it != parts_.end()) return take_part(fact, it->second);
}

void Auditor::take_request(const Fact& fact) {
  for (const std::string& thing : fact.things)
    if (auto it = machines_.find(thing); it != machines_.end()) it->second.doomed = fact.time;
  const Run* run = run_of(fact.actor);
  if (run == nullptr || !run->wish["second"].as_bool() || !fact.changes) return;
  violate("second plan", fact.time, "a mutation was sent: " + fact.name);
}

// `machine`: its own name, or that of the machine it belongs to.
void Auditor::check_touch(const Fact& fact, const Marks& owner, std::int64_t given_away,
                          const std::string& machine) {
  const Run* run = run_of(fact.actor);
  if (run == nullptr || ours(owner) || holds(run->wish["adopt"], machine)) return;
  if (given_away > run->began) return;  // taken away under a run that was under way
  violate("foreign", fact.time,
          fmt::format("{}, which is not this stack's, was changed by {}", fact.thing, fact.actor));
}

}  // namespace nbform::crash
