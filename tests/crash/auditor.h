// The auditor: reads the log of a simulated cloud, line by line, and names what must never happen there.
// Written from the promises alone. Knows nothing of nbform's code: no plan, no resource, no step; it sees who
// did what to which machine and disk, and what the user had asked for.
//
// A line is a map {time, kind, project, zone, resource, actor, detail}: the simulator's diary, and between
// its lines those of whoever drives the runs:
//   run     `actor` begins, and the user wants: {notebooks: {NAME: {keep: {DISK: RULE}, power, resumes}},
//           consent: [NAME or "*"], destroy, stop, start: [NAME], adopt: ["ZONE/NAME"], kept: [DISK],
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
  // `stacks`: values of the label nbform-stack that are the audited stack's own.
  explicit Auditor(std::set<std::string> stacks) : stacks_(std::move(stacks)) {}

  void read(const Value& line);
  const std::vector<Violation>& violations() const { return violations_; }

 private:
  // Why a machine is off; one that a run makes in its place takes it over.
  struct Rest {
    bool wanted = false;  // stopped by the user, by a colleague or by the cloud
    std::int64_t since = 0;
    bool unsure = false;               // a run was to start it since; whether it got there is not known
    bool by_us = false;                // stopped by a run that was not asked to stop it
    std::int64_t preempted_until = 0;  // the cloud did, and its record of that is there so long
  };
  struct Machine {
    Map labels;
    std::string status, zone, name;
    std::set<std::string> disks;
    std::string booted_by;
    bool ran = false, by_run = false;
    Rest rest;
    std::int64_t born = 0, up_since = 0;  // the latter in ms
    std::int64_t doomed = 0;              // when a run last asked for its deletion
    std::int64_t given_away = 0;          // when it lost our labels
  };
  struct Disk {
    Map labels;
    std::string machine, zone, name;
    bool used = false;  // by a machine that ran
    std::int64_t attached = 0;
    std::string boots;             // the machine that was made with it
    std::string auto_delete_from;  // who switched autoDelete on
    std::int64_t given_away = 0;
  };
  struct Run {
    Value wish;
    std::int64_t began = 0;
    bool works = false;                       // it has sent a mutation
    std::map<std::string, std::string> keep;  // of each disk, as it stood when it sent the first
  };

  void begin_work(const std::string& actor);
  void begin_run(const Value& line);
  void judge_second_plan(const Value& line);
  void finish_run(const Value& line);
  void read_request(const Value& line);
  void read_record(const Value& line);
  void read_machine(const Value& line);
  void read_disk(const Value& line);
  void insert_machine(const Value& line, const std::string& key);
  void change_status(const Value& line, Machine& machine);
  void comes_up(Machine& machine, const Run* run);
  void delete_machine(const Value& line, const std::string& key);
  bool came_too_late(const Value& line, const Disk& disk) const;
  void attach(const Value& line, const std::string& key);
  void delete_disk(const Value& line, const std::string& key);
  bool is_copy(const std::string& key, const Machine& machine) const;
  void judge_end(const Value& line);
  void judge_machine_at_end(const std::string& key, const Machine& machine, const Value& expected,
                            std::int64_t time);
  void judge_disk_at_end(const std::string& key, const Disk& disk, const Map& expect, std::int64_t time);

  bool ours(const Map& labels) const;
  static bool holds_resume_mark(const Machine& machine);
  const Run* run_of(const Value& line) const;
  const Run* run_of(const std::string& actor) const;
  bool is_twin(const Machine& old, const Machine& fresh) const;
  bool could_see(const Machine& machine, std::int64_t now) const;
  bool may_touch(const Run& run, const Map& labels, std::int64_t given_away, const std::string& zone,
                 const std::string& machine) const;
  void check_touch(const Value& line, const Map& labels, std::int64_t given_away, const std::string& machine);
  void violate(std::string rule, const Value& line, std::string text);

  std::set<std::string> stacks_, dark_;      // zones that do not answer
  std::map<std::string, Machine> machines_;  // by PROJECT/ZONE/instances/NAME
  std::map<std::string, Disk> disks_;
  std::map<std::string, Run> runs_;  // by actor
  Value last_wish_;
  struct Replaced {
    Rest rest;
    std::string removed_by;
  };
  std::map<std::string, Replaced> replaced_;  // by notebook: its last machine that is gone
  std::vector<Violation> violations_;
};

}  // namespace nbform::crash
