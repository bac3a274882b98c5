// What an apply is doing, for a person: on a terminal one line per notebook that is painted again, elsewhere
// a line for each change of phase. Leaves the terminal's modes alone, so there is nothing to restore whatever
// ends the program.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "cli/screen.h"
#include "engine/observer.h"
#include "net/env.h"

namespace nbform::cli {

// One notebook on its way.
struct NotebookProgress {
  enum class State { waiting, working, done, failed, blocked } state = State::waiting;
  std::string name, action, phase, why;  // why: nothing moves, or another place is tried
  std::string zone;
  int open = 0;  // changes still to come
  Time began{}, ended{};
};

// "! class-bob  stopping  1m 12s  the zone is busy". Pure; at most `width` columns where that is not 0.
std::string progress_line(const NotebookProgress& notebook, std::size_t name_width, Time now,
                          const Style& style);
// What fits into so many rows: all of them, or those that move and a line about the rest.
std::vector<std::string> progress_lines(const std::map<std::string, NotebookProgress>& notebooks,
                                        std::size_t rows, std::size_t name_width, Time now,
                                        const Style& style);
// How many rows lines of these widths take up in a terminal of `columns` columns.
int rows_taken(const std::vector<std::size_t>& widths, int columns);

class Progress : public Observer {
 public:
  Progress(Screen& screen, Env& env, const Plan& plan);
  ~Progress() override;

  void on_start(const Change& change) override;
  void on_phase(const Change& change, std::string_view phase) override;
  void on_wait(const Change& change, std::string_view reason) override;
  void on_attempt(const Change& change, const Attempt& attempt, std::string_view why) override;
  void on_done(const Change& change) override;
  void on_failed(const Change& change, const Diagnostic& why) override;
  void on_blocked(const Change& change, std::string_view by) override;
  void on_interrupt() override;
  // The last painting; further events are not shown.
  void finish();

 private:
  NotebookProgress& of(const Change& change) { return notebooks_[change.notebook]; }
  void one_less(const Change& change, NotebookProgress::State state);
  void moved(const NotebookProgress& notebook);
  void paint(bool now);
  void tick();

  Screen& screen_;
  Env& env_;
  bool live_;
  std::map<std::string, NotebookProgress> notebooks_;
  std::size_t name_width_ = 0;
  std::map<std::string, std::string> said_;  // append-only: the last line of each
  std::vector<std::size_t> painted_;         // widths of the lines on the screen
  std::chrono::steady_clock::time_point last_paint_{};
  TimerId timer_ = 0;
  bool ended_ = false;
  std::string notice_;
};

}  // namespace nbform::cli
