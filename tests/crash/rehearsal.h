// A stack on a simulated cloud through many runs of nbform, each a process of its own that may die anywhere,
// and through what colleagues and the cloud do meanwhile. Keeps the auditor posted. A copy is a second world
// with the same past. Knows no scenario and judges nothing itself.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "auditor.h"
#include "engine/apply.h"
#include "engine/planner.h"
#include "ground.h"
#include "sim/sim_env.h"
#include "wish.h"

namespace nbform::crash {

// How a run ends before its time, at one of the requests of its apply.
struct Death {
  enum class How {
    none,
    unsent,      // before the request leaves
    unheard,     // it has left and takes effect; the answer finds nobody
    heard,       // right after its answer
    interrupted  // Ctrl-C: nothing new is sent, what is under way is awaited a little
  } how = How::none;
  int at = 0;  // from 0
};
std::string_view name_of(Death::How how);

// A process: dies at the wanted request, and counts.
class MortalEnv : public sim::SimEnv {
 public:
  using SimEnv::SimEnv;
  void arm(Death death, const Ground& ground) { death_ = death, ground_ = &ground; }
  bool dead() const { return dead_; }
  int interrupts() const { return !dead_ ? 0 : death_.how == Death::How::interrupted ? 1 : 2; }
  int requests() const { return requests_; }
  int mutations() const { return mutations_; }
  int sent_after() const { return sent_after_; }  // new mutations after a Ctrl-C
  Duration lingered() const { return dead_ ? last_sign_ - died_ : Duration(0); }

  ExchangeId send(Request request, std::function<void(Result<Response>)> done) override;
  bool step() override;

 private:
  Death death_;
  const Ground* ground_ = nullptr;  // once it is armed
  bool dead_ = false;
  Time died_, last_sign_;
  int requests_ = 0, mutations_ = 0, sent_after_ = 0;
  std::set<std::string> seen_;  // a further try is no new mutation
};

// What a run came to.
struct Ending {
  bool died = false;
  bool refused = false;  // data would be lost, and nobody consented
  bool blocked = false;  // something stood in its way
  bool done = false;     // everything planned was done
  int requests = 0, mutations = 0, changes = 0;
  int sent_after = 0;
  Duration lingered{};
  std::string text;  // the plan, and what failed
};

class Rehearsal {
 public:
  explicit Rehearsal(const Ground& ground) : Rehearsal(ground, ground.options()) {}
  Rehearsal(const Ground& ground, sim::Options options);

  Notebook& declare(const std::string& key);
  Notebook& notebook(const std::string& key);
  bool declares(const std::string& key) const { return manifest.find(key) != nullptr; }

  // `faults`: what befalls the requests of its apply, see docs/simulator.md.
  Ending run(const Wish& wish = {}, const Death& death = {}, const List& faults = {});
  // In peace, where nobody else is at work: runs, and looks whether a second run finds nothing to do.
  Ending converge(const Wish& wish = {});
  void wait(Duration d);
  // Something that happens at its time, whatever runs then.
  void later(Duration delay, std::function<void(Rehearsal&)> what);
  // Everything has come to rest; what each notebook's machine should be, see auditor.h.
  void end(const std::map<std::string, std::string>& expect);

  const std::vector<Violation>& violations();
  std::string report();  // the violations, one a line
  bool has_plans() const { return !due_.empty(); }
  Time now() const { return world.now(); }
  void keep_log() { keeps_log_ = true; }
  const List& log();  // since keep_log()

  sim::World world;
  Manifest manifest;
  std::map<std::string, std::string> home;  // files that runs leave behind for the next one
  sim::SimOptions network;

 private:
  friend class Duet;
  struct Due {
    Time at;
    std::function<void(Rehearsal&)> what;
  };
  std::string new_actor();
  void note(Value line);
  void collect();  // hands the simulator's new lines to the auditor
  Ending run_as(MortalEnv& env, const std::string& actor, const Manifest& files, const Wish& wish,
                const Death& death, const List& faults = {});
  void run_due();

  const Ground* ground_;
  Auditor auditor_;
  std::vector<Due> due_;
  std::size_t seen_ = 0;
  int runs_ = 0;
  bool keeps_log_ = false;
  List log_;
};

}  // namespace nbform::crash
