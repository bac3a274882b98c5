#include "cli/render_outcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/diagnostic_text.h"
#include "base/text.h"

namespace nbform::cli {

namespace {

using State = ChangeResult::State;

// The worst state of a notebook's changes, and the heaviest action.
struct Sum {
  std::map<std::string, State> state;
  std::map<std::string, Action> action;

  explicit Sum(const Outcome& outcome) {
    for (const ChangeResult& r : outcome.results) {
      State& worst = state.try_emplace(r.notebook, State::done).first->second;
      if (rank(r.state) > rank(worst)) worst = r.state;
      Action& heaviest = action.try_emplace(r.notebook, Action::none).first->second;
      heaviest = std::max(heaviest, r.action);
    }
  }

  static int rank(State s) {
    switch (s) {
      case State::done:
        return 0;
      case State::not_started:
        return 1;
      case State::blocked:
        return 2;
      case State::unfinished:
        return 3;
      case State::failed:
        return 4;
    }
    return 0;
  }

  std::vector<std::string> in(State wanted) const {
    std::vector<std::string> out;
    for (const auto& [name, s] : state)
      if (s == wanted) out.push_back(name);
    return out;
  }
};

std::string some(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 12;
  if (names.size() <= kMost) return join(names, ", ");
  return fmt::format("{} and {} more", join({names.begin(), names.begin() + kMost}, ", "),
                     names.size() - kMost);
}

// "train", and where it is when that is not what the plan said.
std::string landed(const std::string& notebook, const Outcome& outcome) {
  for (const ChangeResult& r : outcome.results)
    if (r.notebook == notebook && !r.fell_back.empty()) return fmt::format("{} in {}", notebook, r.fell_back);
  return notebook;
}

std::string done_line(const Sum& sum, const Outcome& outcome, Duration took, const Style& style) {
  std::vector<std::string> done = sum.in(State::done);
  if (done.empty()) return {};
  for (std::string& name : done) name = landed(name, outcome);
  return laid_out({{"Done in " + format_span(took) + ": ", Ink::green}, {some(done) + "."}}, style, 4);
}

std::string failures(const Outcome& outcome, const Style& style) {
  std::string out;
  for (const ChangeResult& r : outcome.results)
    if (r.state == State::failed) {
      Diagnostic d = r.failure;
      if (d.address.empty() || d.address == r.notebook) d.address = spoken(r.address);
      out += render(d, style);
    }
  return out;
}

std::string blocked_lines(const Outcome& outcome, const Style& style) {
  std::string out;
  std::set<std::string> said;
  for (const ChangeResult& r : outcome.results) {
    if (r.state != State::blocked || r.blocked_by == "interrupt") continue;
    out += laid_out({{"Not done: ", Ink::yellow},
                     {fmt::format("{}, which needs {}.", spoken(r.address), spoken(r.blocked_by))}},
                    style, 4);
  }
  return out;
}

std::string going_on(const Outcome& outcome, const Style& style) {
  std::string out;
  for (const ChangeResult& r : outcome.results)
    if (r.state == State::unfinished)
      out += laid_out(
          {{"Still going on: ", Ink::yellow},
           {r.operation.empty()
                ? fmt::format("{} ({}).", spoken(r.address), action_name(r.action))
                : fmt::format("{} ({}, {}).", spoken(r.address), action_name(r.action), r.operation)}},
          style, 4);
  return out;
}

std::string advice(const Outcome& outcome, const std::string& again, const Style& style) {
  if (outcome.interrupted)
    return laid_out(
        {{"Interrupted. ", Ink::bold}, {"What was sent goes on in the cloud. To go on from here: " + again}},
        style, 4);
  if (!outcome.any_failed()) return {};
  bool made = std::any_of(outcome.results.begin(), outcome.results.end(), [](const ChangeResult& r) {
    return r.state == State::failed && (r.action == Action::create || r.action == Action::replace);
  });
  std::string what = "When that is put right, run it again, it goes on from here: ";
  if (outcome.all_failures_are_capacity())
    what = made ? "The cloud had no capacity. Try again later, or name more places in `where`: "
                : "The zone has no capacity to start it: it is off, with its disks. Try again later: ";
  return laid_out({{what + again}}, style, 4);
}

}  // namespace

std::string render_outcome(const Outcome& outcome, Duration took, const std::string& again,
                           const Style& style) {
  Sum sum(outcome);
  std::string out =
      done_line(sum, outcome, took, style) + failures(outcome, style) + blocked_lines(outcome, style);
  return out + going_on(outcome, style) + advice(outcome, again, style);
}

}  // namespace nbform::cli
