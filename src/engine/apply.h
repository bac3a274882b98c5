// Apply: makes a plan so. One loop, explicit steps, no threads: for each change read, decide, send, await,
// read back. A failure stops only what depends on it. Knows no cloud and no screen.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/observer.h"
#include "engine/refresh.h"

namespace nbform {

struct ApplyOptions {
  int parallelism = 16;
  std::string nonce;                                 // of this run; part of every request id
  std::function<int()> interrupts;                   // how often the user has interrupted so far
  Duration grace = std::chrono::milliseconds(4500);  // awaited after the first interrupt: five seconds in all
  Duration step_deadline = std::chrono::minutes(20);  // of one mutation, its waits included
};

struct ChangeResult {
  enum class State { done, failed, blocked, not_started, unfinished } state = State::not_started;
  std::string address;
  std::string notebook;
  Action action = Action::none;
  Diagnostic failure;      // where failed
  std::string blocked_by;  // address
  std::string operation;   // where unfinished: the cloud's name of what still goes on
  std::string zone;        // where it landed
  std::string fell_back;  // "us-central1-f", "us-central1-b on demand": where the first place had no capacity
  bool sent = false;      // at least one mutation was sent
  bool applied = false;   // at least one took effect
};

struct Outcome {
  std::vector<ChangeResult> results;  // in the plan's order
  bool interrupted = false;
  bool any_sent() const;
  bool any_failed() const;
  bool all_failures_are_capacity() const;
};

// Notebooks in plan.blocked are left alone.
Outcome apply(Env& env, Wire& wire, const Plan& plan, const Graph& graph, const Snapshot& snapshot,
              const ApplyOptions& options, Observer& observer);

}  // namespace nbform
