// What a person or a log may learn while an apply runs. Every function may be left as it is.
#pragma once

#include <string>
#include <string_view>

#include "core/plan.h"

namespace nbform {

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_start(const Change& change) { (void)change; }
  // A new phase: "stopping", "creating", "waiting for us-central1-b".
  virtual void on_phase(const Change& change, std::string_view phase) { (void)change, (void)phase; }
  // Why nothing moves: a retry, a busy resource.
  virtual void on_wait(const Change& change, std::string_view reason) { (void)change, (void)reason; }
  virtual void on_attempt(const Change& change, const Attempt& attempt, std::string_view why) {
    (void)change, (void)attempt, (void)why;
  }
  virtual void on_done(const Change& change) { (void)change; }
  virtual void on_failed(const Change& change, const Diagnostic& why) { (void)change, (void)why; }
  virtual void on_blocked(const Change& change, std::string_view by) { (void)change, (void)by; }
  virtual void on_interrupt() {}
};

}  // namespace nbform
