#include "cli/progress.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace nbform::cli {

namespace {

using State = NotebookProgress::State;

constexpr auto kLeastGap = std::chrono::milliseconds(100);  // between two paintings
constexpr auto kTick = std::chrono::seconds(1);

Piece mark_of_state(State state) {
  switch (state) {
    case State::waiting:
      return {"· ", Ink::dim};
    case State::working:
      return {"… ", Ink::cyan};
    case State::done:
      return {"✓ ", Ink::green};
    case State::failed:
      return {"✗ ", Ink::yellow};
    case State::blocked:
      return {"- ", Ink::yellow};
  }
  return {};
}

std::string phase_words(const NotebookProgress& n) {
  switch (n.state) {
    case State::waiting:
      return "waiting";
    case State::done:
      return n.action + " done" + (n.zone.empty() ? "" : " in " + n.zone);
    case State::failed:
      return n.action + " failed";
    case State::blocked:
      return "not done";
    case State::working:
      return n.phase.empty() ? n.action : n.phase;
  }
  return {};
}

}  // namespace

std::string progress_line(const NotebookProgress& n, std::size_t name_width, Time now, const Style& style) {
  bool over = n.state != State::waiting && n.state != State::working;
  std::string elapsed =
      n.state == State::waiting || n.began.us == 0 ? "" : format_span((over ? n.ended : now) - n.began);
  Piece mark = mark_of_state(n.state);
  std::string rest = fmt::format("{}  {}  {}", padded(printable(n.name), name_width), padded(elapsed, 7),
                                 printable(phase_words(n)));
  if (!n.why.empty()) rest += "  (" + printable(n.why) + ")";
  if (style.width > 4) rest = shortened(rest, static_cast<std::size_t>(style.width) - 3);
  return inked(mark.text, mark.ink, style) + rest;
}

std::vector<std::string> progress_lines(const std::map<std::string, NotebookProgress>& notebooks,
                                        std::size_t rows, std::size_t name_width, Time now,
                                        const Style& style) {
  std::vector<std::string> lines;
  bool all = notebooks.size() <= rows;
  std::map<State, int> left_out;
  for (const auto& [name, notebook] : notebooks) {
    bool shown = all || (notebook.state == State::working && lines.size() + 1 < rows);
    if (shown)
      lines.push_back(progress_line(notebook, name_width, now, style));
    else
      ++left_out[notebook.state];
  }
  if (all) return lines;
  std::string rest = fmt::format("  and {} done, {} on their way, {} waiting, {} failed",
                                 left_out[State::done], left_out[State::working], left_out[State::waiting],
                                 left_out[State::failed] + left_out[State::blocked]);
  lines.push_back(style.width > 1 ? shortened(rest, static_cast<std::size_t>(style.width) - 1) : rest);
  return lines;
}

int rows_taken(const std::vector<std::size_t>& widths, int columns) {
  int rows = 0;
  for (std::size_t width : widths) {
    std::size_t wide = columns > 0 ? static_cast<std::size_t>(columns) : width + 1;
    rows += static_cast<int>(std::max<std::size_t>(1, (width + wide - 1) / wide));
  }
  return rows;
}

Progress::Progress(Screen& screen, Env& env, const Plan& plan)
    : screen_(screen), env_(env), live_(screen.talks_to_terminal()) {
  for (const Change& change : plan.changes) {
    bool blocked = std::find(plan.blocked.begin(), plan.blocked.end(), change.notebook) != plan.blocked.end();
    if (blocked || change.action <= Action::pending) continue;
    ++of(change).open;
  }
  for (const NotebookPlan& notebook : plan.notebooks) {
    auto it = notebooks_.find(notebook.key);
    if (it == notebooks_.end()) continue;
    it->second.name = notebook.key;
    it->second.action = action_name(notebook.action);
    it->second.zone = notebook.place;
    name_width_ = std::max(name_width_, display_width(notebook.key));
  }
  if (live_) tick();
}

Progress::~Progress() {
  finish();
}

void Progress::tick() {
  timer_ = env_.after(kTick, [this] {
    paint(false);
    tick();
  });
}

void Progress::finish() {
  if (ended_) return;
  if (live_) env_.cancel_timer(timer_);
  if (live_) paint(true);
  ended_ = true;
}

void Progress::on_start(const Change& change) {
  NotebookProgress& n = of(change);
  if (n.state == State::waiting) {
    n.state = State::working;
    n.began = env_.now();
  }
  if (live_) moved(n);  // elsewhere the first phase says it
}

void Progress::on_phase(const Change& change, std::string_view phase) {
  NotebookProgress& n = of(change);
  n.phase = phase;
  n.why.clear();
  moved(n);
}

void Progress::on_wait(const Change& change, std::string_view reason) {
  NotebookProgress& n = of(change);
  n.why = fmt::format("waiting: {}", reason);
  moved(n);
}

void Progress::on_attempt(const Change& change, const Attempt& attempt, std::string_view why) {
  NotebookProgress& n = of(change);
  std::string market =
      change.resource != nullptr && change.resource->on_spot && !attempt.spot ? " on demand" : "";
  n.why = fmt::format("{}: {}; trying {}{}", n.zone, why, attempt.zone, market);
  n.zone = attempt.zone;
  moved(n);
}

void Progress::one_less(const Change& change, State state) {
  NotebookProgress& n = of(change);
  bool bad = n.state == State::failed || n.state == State::blocked;
  --n.open;
  if (!bad && (state != State::done || n.open <= 0)) n.state = state;
  if (n.state == State::done) n.why.clear();
  n.ended = env_.now();
  if (n.began.us == 0) n.began = n.ended;
  moved(n);
}

void Progress::on_done(const Change& change) {
  one_less(change, State::done);
}

void Progress::on_failed(const Change& change, const Diagnostic& why) {
  of(change).why = why.summary;
  one_less(change, State::failed);
}

void Progress::on_blocked(const Change& change, std::string_view by) {
  NotebookProgress& n = of(change);
  if (n.why.empty()) n.why = by == "interrupt" ? "interrupted" : fmt::format("needs {}", by);
  one_less(change, State::blocked);
}

void Progress::on_interrupt() {
  notice_ =
      "Interrupted: nothing new is sent; waiting up to 5 s for what goes on. Once more to leave at once.";
  if (live_)
    paint(true);
  else
    screen_.err(notice_ + "\n");
}

void Progress::moved(const NotebookProgress& notebook) {
  if (ended_) return;
  if (live_) return paint(false);
  std::string line =
      fmt::format("{}  {}  {}", format_rfc3339(env_.now()).substr(11, 8),
                  padded(printable(notebook.name), name_width_), printable(phase_words(notebook)));
  if (!notebook.why.empty()) line += "  (" + printable(notebook.why) + ")";
  std::string what = line.substr(8);
  if (std::exchange(said_[notebook.name], what) == what) return;
  screen_.err(line + "\n");
}

void Progress::paint(bool now) {
  auto clock = std::chrono::steady_clock::now();
  if (ended_ || (!now && clock - last_paint_ < kLeastGap)) return;
  last_paint_ = clock;
  Style style = screen_.err_style();
  style.width = screen_.width();
  std::string out;
  int up = rows_taken(painted_, style.width);
  if (up > 0) out += fmt::format("\x1b[{}A", up);
  out += "\r\x1b[J";
  painted_.clear();
  Style plain = style;
  plain.colour = false;
  std::size_t rows = static_cast<std::size_t>(std::max(4, screen_.height() - 2));
  std::vector<std::string> lines = progress_lines(notebooks_, rows, name_width_, env_.now(), style);
  for (const std::string& line : progress_lines(notebooks_, rows, name_width_, env_.now(), plain))
    painted_.push_back(display_width(line));
  if (!notice_.empty()) {
    lines.push_back(style.width > 1 ? shortened(notice_, static_cast<std::size_t>(style.width) - 1)
                                    : notice_);
    painted_.push_back(display_width(lines.back()));
  }
  for (const std::string& line : lines) out += line + "\n";
  screen_.err(out);
}

}  // namespace nbform::cli
