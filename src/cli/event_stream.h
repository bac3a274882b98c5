// An apply as events for programs: one JSON object per line on stdout, schemas/events.schema.json. Knows no
// screen layout.
#pragma once

#include "cli/header.h"
#include "cli/screen.h"
#include "engine/apply.h"
#include "net/env.h"

namespace nbform::cli {

class EventStream : public Observer {
 public:
  static constexpr int kFormat = 1;

  EventStream(Screen& screen, Env& env) : screen_(screen), env_(env) {}

  void plan(const Plan& plan, const Header& header);
  void diagnostic(const Diagnostic& diagnostic);
  void end(const Outcome& outcome, int exit_code);

  void on_start(const Change& change) override;
  void on_phase(const Change& change, std::string_view phase) override;
  void on_wait(const Change& change, std::string_view reason) override;
  void on_attempt(const Change& change, const Attempt& attempt, std::string_view why) override;
  void on_done(const Change& change) override;
  void on_failed(const Change& change, const Diagnostic& why) override;
  void on_blocked(const Change& change, std::string_view by) override;
  void on_interrupt() override;

 private:
  Map event(std::string_view name) const;
  Map event_of(std::string_view name, const Change& change) const;
  void write(Map event);

  Screen& screen_;
  Env& env_;
};

}  // namespace nbform::cli
