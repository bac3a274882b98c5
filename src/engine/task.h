// One change on its way: the state machine behind apply(). Used by apply.cc alone.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/apply.h"

namespace nbform {

Diagnostic drifted(const Change& change, std::string what);

// What tasks of one run share.
struct Run {
  Env& env;
  Wire& wire;
  const Plan& plan;
  const Graph& graph;
  const Snapshot& snapshot;
  const ApplyOptions& options;
  Observer& observer;
  std::map<std::string, std::optional<Live>, std::less<>>
      live;                     // by address, as last read; none: known to be absent
  std::set<std::string> found;  // notebooks of which a part was there that was to be made
  bool stopping = false;        // interrupted: no new mutations
  std::size_t finished = 0;     // tasks, whether they were started or not
  std::size_t in_flight = 0;
};

class Task : public std::enable_shared_from_this<Task> {
 public:
  Task(Run& run, const Change& change);

  const Change& change() const { return change_; }
  ChangeResult& result() { return result_; }
  bool finished() const { return result_.state != ChangeResult::State::not_started || over_; }
  bool started() const { return started_; }
  bool in_flight() const { return started_ && !over_; }

  void start();
  void block(const std::string& by);
  void abandon();  // the run ends: name what still goes on

 private:
  static constexpr Duration kLookAgain =
      std::chrono::seconds(2);                                  // between two reads of what may not show yet
  static constexpr Duration kFresh = std::chrono::seconds(10);  // what a removal is judged by is no older
  static constexpr Duration kHides = std::chrono::seconds(20);  // what was made a moment ago shows within

  void read_then(void (Task::*next)());
  bool may_be_stale() const;
  void look_later(void (Task::*next)());
  void after_first_read();
  bool still_as_approved();
  void plan_steps();
  void next_step();
  void look_beside();
  bool has_company() const;
  void prepare_attempt();
  void adopt_names(std::vector<std::pair<const Kind*, std::string>> names, std::size_t next);
  void send_step();
  void decide_anew(const Call& sent, std::function<void(Result<>)> go);
  Result<> still_meant(Live fresh, const Call& sent);
  void settle(Result<Answer> answer);
  void settled();
  void await(Settlement settlement, bool polling);
  void take_next_incarnation();
  void take_failure(Diagnostic failure, const std::vector<std::string>& hints);
  void look_after_no_verdict(Diagnostic failure);
  void name_exists(Diagnostic failure);
  void look_for_holder(Diagnostic failure);
  void take_as_made(Live holder);
  bool start_again(Diagnostic& refusal);
  bool ask_again();
  void poll_after(Duration pause);
  void repeat_later(std::string_view reason, Duration delay);
  void next_attempt(Diagnostic failure, const std::vector<std::string>& hints);
  void clean_leftovers(std::vector<std::pair<const Kind*, std::string>> names, std::size_t next,
                       Diagnostic failure);
  void undo(Settlement failed);
  void remove_leftover(const Live& live, std::function<void()> then);
  void see_whether_gone(const Live& live, std::function<void()> then);
  void send_removal(const Live& live, const Call& call, ApiRequest::Repeat repeat,
                    std::function<void()> then);
  void forget_removed();
  void verify();
  void finish();
  void fail(Diagnostic why);
  void end(ChangeResult::State state);

  StepContext context() const;
  std::string request_id() const;
  Attempt attempt() const;
  const Live* live() const;
  bool makes_anew() const { return change_.resource != nullptr && (gone_ || !change_.live); }
  void set_live(std::optional<Live> live);
  const Scope& scope() const;
  std::string zone() const;
  std::string cloud_name() const;
  std::string name_of_made() const { return made_.empty() ? change_.resource->name : made_; }

  Run& run_;
  const Change& change_;
  ChangeResult result_;
  std::optional<Live> live_;
  bool gone_ = false;  // read as absent, or removed: what is made now stands where the attempt says
  std::vector<Attempt> attempts_;
  std::size_t attempt_ = 0;
  std::vector<Step> steps_;
  std::size_t step_ = 0;
  int tries_ = 0;  // of this step, for waits
  int conflicts_ = 0;
  int spent_ = 0;       // incarnations that turned out to be used up
  std::string made_;    // what `read` calls the thing that was made, where it has no name of ours
  bool found_ = false;  // it was there when it was to be made
  int looks_ = 0;       // in vain, for what the plan saw
  int unknown_ = 0;     // answers in a row that do not know the operation
  std::optional<Call> poll_;
  std::optional<Diagnostic> refusal_;  // of an edit; told once the machine that was stopped for it runs again
  Time step_began_, read_began_;
  int rereads_ = 0;              // of what was read too long ago
  bool exists_ = false;          // it was made, whatever reads say
  std::optional<Time> written_;  // when the last mutation had its effect
  std::string operation_;
  bool started_ = false, over_ = false;
};

}  // namespace nbform
