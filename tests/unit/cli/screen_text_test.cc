#include <fmt/format.h>

#include "base/diagnostic_text.h"
#include "base/ink.h"
#include "base/text.h"
#include "cli/progress.h"
#include "cli/render_outcome.h"
#include "support/catch.h"

using namespace nbform;
using namespace nbform::cli;

TEST_CASE("an error points at the place in the manifest") {
  Diagnostic d = error(Code::bad_manifest, "Unknown key", "`wher` is no key of a notebook.")
                     .with_hint("Did you mean `where`?");
  d.mark = {"demo.nb.yaml", 6, 5, 4};
  d.source_line = "    wher: us-central1";
  d.related = {{"other.nb.yaml", 2, 1}};
  CHECK(render(d, {}) ==
        "demo.nb.yaml:6:5: error: Unknown key\n"
        "        wher: us-central1\n"
        "        ^^^^\n"
        "    `wher` is no key of a notebook.\n"
        "    see also other.nb.yaml:2:1\n"
        "    Did you mean `where`?\n");
}

TEST_CASE("an error of the cloud names the notebook, the cloud's word and the request") {
  Diagnostic d = error(Code::quota, "A quota is used up", "CPUS in us-central1: limit 24.").of("eda");
  d.provider_code = "QUOTA_EXCEEDED";
  d.request_id = "operation-1";
  CHECK(render(d, {}) ==
        "error: eda: A quota is used up\n"
        "    CPUS in us-central1: limit 24.\n"
        "    the cloud says: QUOTA_EXCEEDED (operation-1)\n");
}

TEST_CASE("the caret stands under wide and odd characters") {
  Diagnostic d = error(Code::bad_manifest, "Bad");
  d.source_line = "名: \tx";
  d.mark = {"a", 1, 6, 1};  // the x: three bytes, colon, blank, tab
  std::string text = render(d, {});
  CHECK(text.find("    名:  x\n") != std::string::npos);
}

TEST_CASE("text is broken at blanks and hangs") {
  CHECK(laid_out({{"aa bb cc dd"}}, {false, 6}, 2) == "aa bb\n  cc\n  dd\n");
  CHECK(laid_out({{"aa bb cc dd"}}, {}, 2) == "aa bb cc dd\n");
  CHECK(laid_out({{"do:\n  cmd --flag"}}, {}, 4) == "do:\n      cmd --flag\n");
}

TEST_CASE("a colour spans its words, and ends with the line") {
  CHECK(laid_out({{"a b ", Ink::red}, {"c"}}, {true, 0}, 0) == "\x1b[1;31ma b\x1b[0m c\n");
  CHECK(laid_out({{"a b", Ink::red}}, {true, 1}, 0) == "\x1b[1;31ma\x1b[0m\n\x1b[1;31mb\x1b[0m\n");
}

TEST_CASE("shortened keeps whole characters") {
  CHECK(shortened("häuser", 6) == "häuser");
  CHECK(shortened("häuser", 3) == "hä…");
}

TEST_CASE("a live line fits the terminal") {
  NotebookProgress n;
  n.state = NotebookProgress::State::working;
  n.name = "eda-spot";
  n.phase = "creating";
  n.why = "us-central1-b: the zone has no capacity; trying us-central1-f";
  n.began = Time::from_seconds(100);
  CHECK(progress_line(n, 8, Time::from_seconds(172), {}) ==
        "… eda-spot  1m 12s   creating  (us-central1-b: the zone has no capacity; trying us-central1-f)");
  for (int width : {30, 50, 80})
    CHECK(display_width(progress_line(n, 8, Time::from_seconds(172), {false, width})) <
          static_cast<std::size_t>(width));
}

TEST_CASE("more notebooks than rows: those that move, and a line about the rest") {
  std::map<std::string, NotebookProgress> all;
  for (int i = 0; i < 30; ++i) {
    NotebookProgress n;
    n.name = fmt::format("nb-{:02}", i);
    n.phase = "creating";
    n.began = Time::from_seconds(1);
    n.state = i < 10   ? NotebookProgress::State::done
              : i < 14 ? NotebookProgress::State::working
                       : NotebookProgress::State::waiting;
    all[n.name] = n;
  }
  auto lines = progress_lines(all, 10, 5, Time::from_seconds(2), {});
  REQUIRE(lines.size() == 5);
  CHECK(lines[0] == "… nb-10  1s       creating");
  CHECK(lines[4] == "  and 10 done, 0 on their way, 16 waiting, 0 failed");
  CHECK(progress_lines(all, 3, 5, Time::from_seconds(2), {}).size() == 3);
  CHECK(progress_lines(all, 30, 5, Time::from_seconds(2), {}).size() == 30);
}

TEST_CASE("lines that a narrower terminal broke count as the rows they take") {
  CHECK(rows_taken({40, 79, 0}, 80) == 3);
  CHECK(rows_taken({40, 79, 0}, 40) == 4);
  CHECK(rows_taken({}, 80) == 0);
}

namespace {

ChangeResult result(std::string notebook, ChangeResult::State state) {
  ChangeResult r;
  r.notebook = notebook;
  r.address = notebook + "/instance";
  r.action = Action::create;
  r.state = state;
  return r;
}

}  // namespace

TEST_CASE("the end of an apply says done, failed and why, not done and why, and what to do") {
  Outcome outcome;
  outcome.results = {result("a", ChangeResult::State::done), result("b", ChangeResult::State::failed),
                     result("c", ChangeResult::State::blocked)};
  outcome.results[1].failure = error(Code::quota, "A quota is used up", "CPUS: limit 24.");
  outcome.results[2].blocked_by = "b/instance";
  CHECK(render_outcome(outcome, std::chrono::seconds(80), "nbform apply", {}) ==
        "Done in 1m 20s: a.\n"
        "error: b: A quota is used up\n"
        "    CPUS: limit 24.\n"
        "Not done: c, which needs b.\n"
        "When that is put right, run it again, it goes on from here: nbform apply\n");
}

TEST_CASE("an interrupted apply names what goes on") {
  Outcome outcome;
  outcome.interrupted = true;
  outcome.results = {result("a", ChangeResult::State::unfinished), result("b", ChangeResult::State::blocked)};
  outcome.results[0].operation = "operation-7";
  outcome.results[1].blocked_by = "interrupt";
  CHECK(render_outcome(outcome, std::chrono::seconds(3), "nbform apply", {}) ==
        "Still going on: a (create, operation-7).\n"
        "Interrupted. What was sent goes on in the cloud. To go on from here: nbform apply\n");
}
