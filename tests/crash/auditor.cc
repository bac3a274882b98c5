#include "auditor.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace nbform::crash {

namespace {

std::string text(const Value& line, std::string_view key) {
  return std::string(line[key].as_text());
}

std::string key_of(const Value& line) {
  return fmt::format("{}/{}/{}", text(line, "project"), text(line, "zone"), text(line, "resource"));
}

// .../projects/P/zones/Z/disks/N
std::string key_of_link(std::string_view link) {
  std::string key(link.substr(link.find("/projects/") + 10));
  return key.replace(key.find("/zones/"), 7, "/");
}

std::string last(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::string label(const Map& labels, std::string_view key) {
  const Value* value = labels.find(key);
  return value != nullptr ? std::string(value->as_text()) : std::string();
}

std::string notebook(const Map& labels) {
  return label(labels, "nbform-notebook");
}

// A disk that says nothing is kept.
std::string keep(const Map& labels) {
  std::string rule = label(labels, "nbform-keep");
  return rule.empty() ? "always" : rule;
}

bool holds(const Value& list, std::string_view word) {
  const List& all = list.as_list();
  return std::any_of(all.begin(), all.end(), [&](const Value& v) { return v.as_text() == word; });
}

bool consents(const Value& wish, std::string_view notebook) {
  return holds(wish["consent"], notebook) || holds(wish["consent"], "*");
}

bool wants_stopped(const Value& wish, std::string_view notebook) {
  return text(wish["notebooks"][notebook], "power") == "stopped" || holds(wish["stop"], notebook);
}

bool wants_running(const Value& wish, std::string_view notebook) {
  return text(wish["notebooks"][notebook], "power") == "running" || holds(wish["start"], notebook);
}

bool is_off(std::string_view status) {
  return status == "STOPPING" || status == "TERMINATED";
}

// A request that is no question, or an effect of one.
bool is_mutation(const Value& line) {
  if (text(line, "kind") != "request") return true;
  return text(line["detail"], "method") != "GET" && !text(line["detail"], "path").ends_with("/wait");
}

}  // namespace

void Auditor::violate(std::string rule, const Value& line, std::string what) {
  violations_.push_back({std::move(rule), std::move(what), line["time"].as_int()});
}

// With a label taken off nobody can tell whose a thing is: it is nobody's then.
bool Auditor::ours(const Map& labels) const {
  return stacks_.count(label(labels, "nbform-stack")) > 0 && !notebook(labels).empty() &&
         !label(labels, "nbform-part").empty();
}

const Auditor::Run* Auditor::run_of(const Value& line) const {
  return run_of(text(line, "actor"));
}

const Auditor::Run* Auditor::run_of(const std::string& actor) const {
  auto it = runs_.find(actor);
  return it != runs_.end() ? &it->second : nullptr;
}

void Auditor::read(const Value& line) {
  std::string kind = text(line, "kind"), resource = text(line, "resource");
  if (kind == "run") return begin_run(line);
  if (kind == "second") return judge_second_plan(line);
  if (kind == "done") return finish_run(line);
  if (kind == "end") return judge_end(line);
  if (is_mutation(line)) begin_work(text(line, "actor"));
  if (kind == "request") return read_request(line);
  if (kind == "operation") return read_record(line);
  if (kind == "outage" && line["detail"]["unreachable"].as_bool()) dark_.insert(text(line, "zone"));
  if (kind == "outage" && !line["detail"]["unreachable"].as_bool()) dark_.erase(text(line, "zone"));
  if (resource.starts_with("instances/")) return read_machine(line);
  if (resource.starts_with("disks/")) return read_disk(line);
}

void Auditor::begin_run(const Value& line) {
  Run run{line["detail"], line["time"].as_int(), {}};
  for (auto& [key, machine] : machines_)
    if (wants_stopped(run.wish, notebook(machine.labels)))
      machine.rest.by_us = false;  // off is what the user wants by now
    else if (wants_running(run.wish, notebook(machine.labels)))
      machine.rest.unsure = true;
  last_wish_ = run.wish;
  runs_[text(line, "actor")] = std::move(run);
}

// What a run that wanted a machine stopped leaves stopped is to stay so. One that died is forgotten.
void Auditor::finish_run(const Value& line) {
  const Run* run = run_of(line);
  if (run == nullptr) return;
  for (auto& [key, machine] : machines_) {
    bool asked = ours(machine.labels) && wants_stopped(run->wish, notebook(machine.labels));
    if (!asked || !is_off(machine.status)) continue;
    machine.rest.wanted = true;
    machine.rest.by_us = false;
  }
}

void Auditor::judge_second_plan(const Value& line) {
  std::int64_t changes = line["detail"]["changes"].as_int();
  if (changes > 0)
    violate("second plan", line,
            fmt::format("{} changes are left:\n{}", changes, text(line["detail"], "what")));
}

// A plan is made of what stands then, and what it may delete is judged by that.
void Auditor::begin_work(const std::string& actor) {
  auto run = runs_.find(actor);
  if (run == runs_.end() || std::exchange(run->second.works, true)) return;
  for (const auto& [key, disk] : disks_) run->second.keep[key] = keep(disk.labels);
}

void Auditor::read_request(const Value& line) {
  const Run* run = run_of(line);
  std::string path = text(line["detail"], "path");
  if (text(line["detail"], "method") == "DELETE" && path.find("/instances/") != std::string::npos)
    if (auto it = machines_.find(key_of_link(path)); it != machines_.end())
      it->second.doomed = line["time"].as_int();
  if (run == nullptr || !run->wish["second"].as_bool()) return;
  if (is_mutation(line)) violate("second plan", line, "a mutation was sent: " + path);
}

// A preemption is known to all by the cloud's record of it, or to nobody.
void Auditor::read_record(const Value& line) {
  if (text(line["detail"], "type") != "compute.instances.preempted") return;
  auto machine = machines_.find(key_of_link(line["detail"]["target"].as_text()));
  if (machine != machines_.end())
    machine->second.rest.preempted_until = line["detail"]["known_until"].as_int();
}

// --- who may touch what ---

bool Auditor::may_touch(const Run& run, const Map& labels, std::int64_t given_away, const std::string& zone,
                        const std::string& machine) const {
  bool adopts = holds(run.wish["adopt"], zone + "/" + machine);
  return ours(labels) || adopts || given_away > run.began;  // taken away under a run that was under way
}

void Auditor::check_touch(const Value& line, const Map& labels, std::int64_t given_away,
                          const std::string& machine) {
  const Run* run = run_of(line);
  if (run == nullptr || may_touch(*run, labels, given_away, text(line, "zone"), machine)) return;
  violate("foreign", line,
          fmt::format("{} of {}, which is not this stack's, by {}", text(line, "kind"), key_of(line),
                      text(line, "actor")));
}

// --- machines ---

void Auditor::read_machine(const Value& line) {
  std::string kind = text(line, "kind"), key = key_of(line);
  if (kind == "insert") return insert_machine(line, key);
  auto it = machines_.find(key);
  if (it == machines_.end()) return;
  Machine& machine = it->second;
  check_touch(line, machine.labels, machine.given_away, machine.name);
  if (kind == "delete") return delete_machine(line, key);
  if (kind == "status") return change_status(line, machine);
  if (kind == "auto_delete" && line["detail"]["after"]["autoDelete"].as_bool())
    disks_[key_of_link(line["detail"]["after"]["source"].as_text())].auto_delete_from = text(line, "actor");
  if (kind == "labels") {
    bool before = ours(machine.labels);
    machine.labels = line["detail"]["after"].as_map();
    if (before && !ours(machine.labels)) machine.given_away = line["time"].as_int();
  }
}

// A colleague's clone that nobody could know of is no fault: it is a moment old, or its zone does not answer.
bool Auditor::could_see(const Machine& machine, std::int64_t now) const {
  return machine.by_run || (now - machine.born > 60'000'000 && dark_.count(machine.zone) == 0);
}

// Of the same notebook; or of its name, where it lost the label that says so.
bool Auditor::is_twin(const Machine& old, const Machine& fresh) const {
  if (ours(old.labels)) return notebook(old.labels) == notebook(fresh.labels);
  return stacks_.count(label(old.labels, "nbform-stack")) > 0 && old.name == fresh.name;
}

void Auditor::insert_machine(const Value& line, const std::string& key) {
  Machine machine;
  machine.labels = line["detail"]["labels"].as_map();
  machine.zone = text(line, "zone");
  machine.name = last(key);
  machine.booted_by = text(line, "actor");
  machine.by_run = run_of(line) != nullptr;
  machine.born = line["time"].as_int();
  std::string name = notebook(machine.labels);
  if (run_of(line) != nullptr && !ours(machine.labels))
    violate("unlabelled", line, fmt::format("{} was made without owner labels", key));
  for (const auto& [other, twin] : machines_)
    if (run_of(line) != nullptr && is_twin(twin, machine) && could_see(twin, line["time"].as_int())) {
      violate("duplicate", line, fmt::format("{} was made beside {}, both are {}", key, other, name));
      violations_.back().machines = {key, other};
    }
  if (auto old = replaced_.find(name); old != replaced_.end() && old->second.removed_by == machine.booted_by)
    machine.rest = old->second.rest;
  // Stopped by a person after the run that replaces it began: it may not have been seen.
  if (const Run* run = run_of(line); run != nullptr && machine.rest.since > run->began)
    machine.rest.unsure = true;
  machines_[key] = std::move(machine);
  for (const Value& disk : line["detail"]["disks"].as_list())
    if (disk["boot"].as_bool())
      if (auto it = disks_.find(key_of_link(disk["source"].as_text())); it != disks_.end())
        it->second.boots = key;
}

// The mark of a change that was cut short right before, or after, it stopped the machine.
bool Auditor::holds_resume_mark(const Machine& machine) {
  return machine.up_since != 0 && label(machine.labels, "nbform-resume") == fmt::to_string(machine.up_since);
}

void Auditor::change_status(const Value& line, Machine& machine) {
  std::string after = text(line["detail"], "after"), name = notebook(machine.labels);
  bool was_off = is_off(machine.status);
  machine.status = after;
  if (!text(line, "actor").empty()) machine.booted_by = text(line, "actor");
  if (after == "RUNNING") {
    machine.up_since = line["time"].as_int() / 1000;
    return comes_up(machine, run_of(machine.booted_by));
  }
  if (!is_off(after) || was_off || text(line["detail"], "by") == "delete") return;
  const Run* run = run_of(line);
  if (run == nullptr && holds_resume_mark(machine)) return;  // who stopped it cannot be told
  bool asked = run == nullptr || wants_stopped(run->wish, name);
  Rest& rest = machine.rest;
  if (asked) rest.wanted = true;
  if (asked) rest.since = line["time"].as_int();
  rest.unsure = rest.unsure && !asked;
  rest.by_us = !rest.wanted && !rest.unsure;
}

void Auditor::comes_up(Machine& machine, const Run* run) {
  machine.ran = true;
  for (const std::string& disk : machine.disks) disks_[disk].used = true;
  std::string name = notebook(machine.labels);
  Rest& rest = machine.rest;
  const Value wish = run != nullptr ? run->wish["notebooks"][name] : Value();
  bool preempted = run != nullptr && rest.preempted_until > run->began;
  bool asked = run == nullptr || wants_running(run->wish, name) || (preempted && wish["resumes"].as_bool());
  if (asked) rest.wanted = rest.unsure = false;
  rest.by_us = false;
  rest.preempted_until = 0;
}

// A replace, or the removal of what no file declares, erases the boot disk: both want consent.
void Auditor::delete_machine(const Value& line, const std::string& key) {
  Machine machine = machines_[key];
  machines_.erase(key);
  if (text(line["detail"], "by") == "failed insert") {
    std::erase_if(violations_,
                  [&](const Violation& v) { return v.machines.count(key) > 0 && v.time >= machine.born; });
    return;
  }
  std::string name = notebook(machine.labels);
  replaced_[name] = {machine.rest, text(line, "actor")};
  const Run* run = run_of(line);
  if (run == nullptr || !machine.ran) return;
  bool declared = !run->wish["notebooks"][name].is_null();
  bool ordinary = declared && holds(run->wish["destroy"], name);
  if (!ordinary && !consents(run->wish, name))
    violate("erased", line, fmt::format("{} was deleted by {} without consent", key, text(line, "actor")));
}

// --- disks ---

void Auditor::read_disk(const Value& line) {
  std::string kind = text(line, "kind"), key = key_of(line);
  if (kind == "insert") {
    Disk disk;
    disk.labels = line["detail"]["labels"].as_map();
    disk.zone = text(line, "zone");
    disk.name = last(key);
    if (run_of(line) != nullptr && !ours(disk.labels))
      violate("unlabelled", line, fmt::format("{} was made without owner labels", key));
    disks_[key] = std::move(disk);
    return;
  }
  auto it = disks_.find(key);
  if (it == disks_.end()) return;
  Disk& disk = it->second;
  // A machine's boot disk is the machine's, whoever made it.
  auto booted = machines_.find(disk.boots);
  bool goes_along = kind == "delete" && booted != machines_.end() && ours(booted->second.labels);
  goes_along = goes_along || came_too_late(line, disk);
  if (kind != "detach" && !goes_along) check_touch(line, disk.labels, disk.given_away, last(disk.machine));
  if (kind == "delete") return delete_disk(line, key);
  if (kind == "attach") return attach(line, key);
  if (kind == "detach") {
    machines_[disk.machine].disks.erase(key);
    disk.machine.clear();
  }
  if (kind == "labels") {
    bool before = ours(disk.labels);
    disk.labels = line["detail"]["after"].as_map();
    if (before && !ours(disk.labels)) disk.given_away = line["time"].as_int();
  }
}

// What a colleague hangs on a machine after its deletion was asked for goes along, and nobody could know.
bool Auditor::came_too_late(const Value& line, const Disk& disk) const {
  constexpr std::string_view kAlong = "autoDelete with ";
  std::string by = text(line["detail"], "by");
  if (!by.starts_with(kAlong)) return false;
  auto machine = machines_.find(
      fmt::format("{}/{}/{}", text(line, "project"), text(line, "zone"), by.substr(kAlong.size())));
  return machine != machines_.end() && machine->second.doomed != 0 && disk.attached >= machine->second.doomed;
}

void Auditor::attach(const Value& line, const std::string& key) {
  std::string machine = fmt::format("{}/{}/instances/{}", text(line, "project"), text(line, "zone"),
                                    text(line["detail"], "instance"));
  Disk& disk = disks_[key];
  disk.machine = machine;
  disk.attached = line["time"].as_int();
  auto it = machines_.find(machine);
  if (it == machines_.end()) return;
  it->second.disks.insert(key);
  disk.used = disk.used || it->second.status == "RUNNING";
}

// What is on a data disk goes with consent only, unless files and disk agree that it goes with its machine;
// what is to be kept always goes only when it is named.
void Auditor::delete_disk(const Value& line, const std::string& key) {
  Disk disk = disks_[key];
  disks_.erase(key);
  std::string part = label(disk.labels, "nbform-part"), name = notebook(disk.labels);
  if (!ours(disk.labels) || !disk.used || !part.starts_with("disk-")) return;
  std::string actor = text(line, "actor");
  bool flagged_by_colleague = !disk.auto_delete_from.empty() && runs_.count(disk.auto_delete_from) == 0;
  const Run* run = run_of(line);
  if (run == nullptr && (!actor.empty() || flagged_by_colleague)) return;  // a colleague's own doing
  std::string on_disk = keep(disk.labels), in_files;
  Value wish;
  if (run != nullptr) {
    wish = run->wish;
    if (auto then = run->keep.find(key); then != run->keep.end()) on_disk = then->second;
    in_files = text(wish["notebooks"][name]["keep"], part.substr(5));
  }
  bool expendable = on_disk == "never" && (in_files.empty() || in_files == "never");
  bool kept = (in_files.empty() ? on_disk : in_files) == "always";
  bool allowed = kept ? holds(wish["kept"], disk.name) : expendable || consents(wish, name);
  if (!allowed)
    violate(
        "lost data", line,
        fmt::format("{} ({} in the files, {} on the disk) was deleted by {} without consent", key,
                    in_files.empty() ? "absent" : in_files, on_disk, actor.empty() ? "the cloud" : actor));
}

// --- the end ---

void Auditor::judge_end(const Value& line) {
  const Map& expect = line["detail"]["expect"].as_map();
  std::map<std::string, int> found;
  for (const auto& [key, machine] : machines_) {
    if (!ours(machine.labels)) continue;
    std::string name = notebook(machine.labels);
    ++found[name];
    const Value* expected = expect.find(name);
    judge_machine_at_end(key, machine, expected != nullptr ? *expected : Value("absent"),
                         line["time"].as_int());
  }
  for (const auto& [name, state] : expect)
    if (state.as_text() != "absent" && state.as_text() != "unknown" && found[name] == 0)
      violate("missing", line, fmt::format("{} has no machine", name));
  for (const auto& [key, disk] : disks_)
    if (ours(disk.labels)) judge_disk_at_end(key, disk, expect, line["time"].as_int());
}

// A colleague made it, with our labels but not on its boot disk: it is the colleague's.
bool Auditor::is_copy(const std::string& key, const Machine& machine) const {
  return !machine.by_run && std::none_of(disks_.begin(), disks_.end(), [&](const auto& disk) {
    return disk.second.boots == key && ours(disk.second.labels);
  });
}

void Auditor::judge_machine_at_end(const std::string& key, const Machine& machine, const Value& expected,
                                   std::int64_t time) {
  auto say = [&](std::string rule, std::string what) {
    violations_.push_back({std::move(rule), std::move(what), time});
  };
  const Rest& rest = machine.rest;
  if (expected.as_text() == "absent" && !is_copy(key, machine))
    say("orphan", fmt::format("{} belongs to no notebook", key));
  if (expected.as_text() == "present" || expected.as_text() == "unknown") return;
  bool wanted_on = expected.as_text() == "RUNNING" || (expected.as_text() == "any" && rest.by_us);
  if (wanted_on && machine.status != "RUNNING")
    say("left off", fmt::format("{} is {}, and nobody wanted it stopped", key, machine.status));
  bool wanted_off =
      expected.as_text() == "TERMINATED" || (expected.as_text() == "any" && rest.wanted && !rest.unsure);
  if (wanted_off && machine.status != "TERMINATED")
    say("woken", fmt::format("{} is {}, and was to stay stopped", key, machine.status));
}

// A declared disk hangs on its machine; one that nobody declares may stay where it says so itself.
void Auditor::judge_disk_at_end(const std::string& key, const Disk& disk, const Map& expect,
                                std::int64_t time) {
  auto say = [&](std::string rule, std::string what) {
    violations_.push_back({std::move(rule), std::move(what), time});
  };
  std::string name = notebook(disk.labels), part = label(disk.labels, "nbform-part");
  for (const auto& [other, twin] : disks_)
    if (other < key && ours(twin.labels) && notebook(twin.labels) == name &&
        label(twin.labels, "nbform-part") == part)
      say("duplicate", fmt::format("{} and {} are both {} of {}", other, key, part, name));
  if (!disk.machine.empty()) return;
  const Value* expected = expect.find(name);
  if (expected != nullptr && expected->as_text() == "unknown") return;
  bool machine = expected != nullptr && expected->as_text() != "absent";
  bool declared =
      part.starts_with("disk-") && !last_wish_["notebooks"][name]["keep"][part.substr(5)].is_null();
  if (machine && declared)
    say("orphan", fmt::format("{} is declared and hangs on no machine", key));
  else if (keep(disk.labels) == "never")
    say("orphan", fmt::format("{} was to go with its machine", key));
}

}  // namespace nbform::crash
