// The auditor: reads what happened in a simulated cloud, fact by fact, and names what must never happen
// there. Written from the promises alone. Knows nothing of nbform's code and of no cloud in particular: no
// plan, no resource, no step; it sees who did what to which machine, disk or part, and what the user had
// asked for.
//
// A line is a map {time, kind, project, zone, resource, actor, detail}: the simulator's diary (facts.h), and
// between its lines those of whoever drives the runs:
//   run     `actor` begins, and the user wants: {notebooks: {NAME: {keep: {DISK: RULE}, power, resumes}},
//           consent: [NAME or "*"], destroy, stop, start: [NAME], adopt: [name of a machine], kept: [DISK],
//           second}. `kept`: disks that may go though they are to be kept always. `second`: an equal run
//           before it has done everything, so that this one may send nothing.
//   second  what the plan of that run holds: {changes, what}
//   done    that run has done all that was asked for
//   end     everything has come to rest: {expect: {NAME: STATE}}, "RUNNING", "TERMINATED", "absent",
//           "any" (as whoever acted last wanted it) "present" (its power does not matter) or "unknown" (it
//           was left alone: an error stood in the way)
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/value.h"
#include "facts.h"

namespace nbform::crash {

struct Violation {
  std::string rule;  // duplicate, unlabelled, foreign, lost data, erased, left off, woken, orphan, missing,
                     // second plan
  std::string text;
  std::int64_t time = 0;
  std::set<std::string> machines = {};  // of a duplicate; one that the cloud refuses after all was none
};

class Auditor {
 public:
  // `stacks`: what the mark of the stack may read on the audited stack's own things.
  explicit Auditor(std::set<std::string> stacks) : stacks_(std::move(stacks)) {}

  void read(const Value& line);
  const std::vector<Violation>& violations() const { return violations_; }

 private:
  enum class Power { coming, on, stopping, off };
  // Why a machine is off; one that a run makes in its place takes it over.
  struct Rest {
    bool wanted = false;  // stopped by the user, by a colleague or by the cloud
    std::int64_t since = 0;
    bool unsure = false;               // a run was to start it since; whether it got there is not known
    bool by_us = false;                // stopped by a run that was not asked to stop it
    std::int64_t preempted_until = 0;  // the cloud did, and its record of that is there so long
  };
  struct Machine {
    Marks marks, birth;  // the latter where nobody can take it off
    Power power = Power::coming;
    std::string zone, name;
    std::set<std::string> disks;
    std::string booted_by;
    bool ran = false, by_run = false, relaunched = false;
    bool ends = false;  // nothing can stop that
    Rest rest;
    std::int64_t born = 0, life = 0;  // the latter as a resume mark says it
    std::int64_t doomed = 0;          // when a run last asked for its deletion
    std::int64_t given_away = 0;      // when it lost our marks
    bool is_off() const { return power == Power::stopping || power == Power::off; }
  };
  struct Disk {
    Marks marks;
    std::string machine, name;
    bool used = false;  // by a machine that ran
    std::int64_t attached = 0;
    std::string boots;             // the machine that was made with it
    std::string left;              // the machine that it was on last
    std::string auto_delete_from;  // who switched that on
    std::int64_t given_away = 0;
  };
  // What goes with a machine beside its disks.
  struct Part {
    Marks marks;
    std::string machine;                        // of an interface or a Spot request
    bool is_request = false, launches = false;  // a Spot request may make a machine, or wake its own
    std::set<std::string> users = {};           // machines that were made with this group
    std::int64_t given_away = 0;
  };
  struct Run {
    Value wish;
    std::int64_t began = 0;
    bool works = false;                       // it has sent a mutation
    std::map<std::string, std::string> keep;  // of each disk, as it stood when it sent the first
  };

  void begin_run(const Value& line);
  void judge_second_plan(const Value& line);
  void finish_run(const Value& line);
  void take(const Fact& fact);
  void begin_work(const std::string& actor);
  void take_request(const Fact& fact);
  void check_touch(const Fact& fact, const Marks& owner, std::int64_t given_away, const std::string& machine);

  void take_machine(const Fact& fact, Machine& machine);
  void make_machine(const Fact& fact);
  void find_twins(const Fact& fact, const Machine& machine);
  void change_power(const Fact& fact, Machine& machine);
  void goes_down(const Fact& fact, Machine& machine);
  void comes_up(Machine& machine, const Run* run);
  void delete_machine(const Fact& fact);
  void relaunch(const Fact& fact);

  void make_disk(const Fact& fact);
  void take_disk(const Fact& fact, Disk& disk);
  bool came_too_late(const Fact& fact, const Disk& disk) const;
  void attach(const Fact& fact, Disk& disk);
  void detach(Disk& disk, const std::string& key);
  void delete_disk(const Fact& fact);
  void make_part(const Fact& fact);
  void take_part(const Fact& fact, Part& part);
  bool may_take_back(const Fact& fact, const Part& part) const;

  void judge_end(const Value& line);
  void judge_machine_at_end(const std::string& key, const Machine& machine, const std::string& expected);
  void judge_disk_at_end(const std::string& key, const Disk& disk, const Map& expect);
  void judge_part_at_end(const std::string& key, const Part& part, const Map& expect);
  void judge_pairs_at_end();
  bool is_copy(const std::string& key, const Machine& machine) const;
  void say_at_end(std::string rule, std::string what);

  bool ours(const Marks& marks) const;
  static const Marks& owner_of(const Machine& machine);
  static bool holds_resume_mark(const Machine& machine);
  const Run* run_of(const std::string& actor) const;
  bool is_twin(const Machine& old, const Machine& fresh) const;
  bool could_see(const Machine& machine, std::int64_t now) const;
  void violate(std::string rule, std::int64_t time, std::string text);

  std::set<std::string> stacks_, dark_;      // zones that do not answer
  std::map<std::string, Machine> machines_;  // by what facts call them
  std::map<std::string, Disk> disks_;
  std::map<std::string, Part> parts_;
  std::map<std::string, Run> runs_;  // by actor
  Value last_wish_;
  struct Replaced {
    Rest rest;
    std::string removed_by;
  };
  std::map<std::string, Replaced> replaced_;  // by notebook: its last machine that is gone
  std::int64_t end_ = 0;
  std::vector<Violation> violations_;
};

}  // namespace nbform::crash
