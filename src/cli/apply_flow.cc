#include "cli/apply_flow.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/json.h"
#include "base/text.h"
#include "cli/event_stream.h"
#include "cli/progress.h"
#include "cli/render_outcome.h"
#include "cli/render_plan.h"
#include "core/plan_json.h"
#include "engine/apply.h"

namespace nbform::cli {

void ChangeFlags::declare_for_plan(Flags& flags) {
  flags.texts("--replace", replace, "NAME", "Destroy and create this notebook anew; repeatable");
  flags.texts("--restart", restart, "NAME",
              "Stop and start this notebook, so that waiting changes take effect");
  flags.flag("--prune", prune, "Delete what is labelled as this stack's and in no manifest");
  flags.flag("--refresh-only", refresh_only, "Only say how the cloud differs; propose nothing");
  flags.texts("--allow-data-loss", allow_data_loss, "NAME",
              "Agree that data of this notebook is lost; repeatable");
}

void ChangeFlags::declare_screen(Flags& flags) {
  flags.flag_or_file("--json", json, "Machine-readable");
  flags.flag("--full", full, "A line for each notebook, however many have the same change");
  flags.flag("--details", details, "Each edit with the manifest line that asks for it");
  flags.flag("--detailed-exitcode", detailed_exitcode, "Exit with 2 where there are changes");
}

void ApplyFlags::declare(Flags& flags) {
  flags.flag("-y,--yes,--auto-approve", yes, "Do not ask");
  flags.flag("--verify", verify, "Plan again at the end, and fail unless there is nothing left to do");
  flags.number("--parallelism", parallelism, 1, 256, "How many changes run at once");
}

int on_stack(Shell& shell, const StackFlags& flags, const std::vector<std::string>& names,
             const OnStack& body) {
  int code = kFine;
  auto session = Session::open(shell, flags, code);
  if (session == nullptr) return code;
  auto selection = Selection::of(flags, session->manifest(), names);
  Result<int> done = selection.ok() ? body(*session, *selection) : Result<int>(selection.error());
  if (done.ok()) return *done;
  shell.screen.report(done.error());
  return exit_code_of(done.error());
}

namespace {
Diagnostic not_selected(std::string_view flag, const std::string& name) {
  Diagnostic d = error(Code::usage, "What is asked for is not selected",
                       fmt::format("{} {}, and the selection leaves {} out.", flag, name, name));
  d.hint = fmt::format("Add --target {}, or drop the selection.", name);
  return d;
}
}  // namespace

Result<PlanRequest> wanted(const Session& session, const ChangeFlags& flags, const Selection& selection) {
  PlanRequest request = session.request();
  DiffOptions& diff = request.diff;
  diff.selected = selection.any();
  if (diff.selected) diff.selects = [selection](std::string_view name) { return selection.has(name); };
  diff.prune = flags.prune;
  diff.destroy = flags.destroy;
  diff.replace = {flags.replace.begin(), flags.replace.end()};
  diff.restart = {flags.restart.begin(), flags.restart.end()};
  diff.delete_kept = {flags.kept.begin(), flags.kept.end()};
  std::vector<std::string> names = session.notebook_names();
  for (auto [flag, asked] : {std::pair{"--replace", &diff.replace}, {"--restart", &diff.restart}})
    for (const std::string& name : *asked) {
      if (std::find(names.begin(), names.end(), name) == names.end()) return no_such_notebook(name, names);
      if (!selection.has(name)) return not_selected(flag, name);
    }
  if (flags.prune && diff.selected)
    return error(Code::usage, "--prune takes no selection",
                 "What is in no manifest is judged only by a run over the whole directory.");
  return request;
}

namespace {

// For a command line that a person copies.
std::string quoted(const std::string& word) {
  bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("-_./=:@%+,").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) return word;
  std::string out = "'";
  for (char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

void add_flags(std::string& command, std::string_view flag, const std::vector<std::string>& values) {
  for (const std::string& value : values) command += fmt::format(" {} {}", flag, quoted(value));
}

// The command that would do what this one shows.
std::string apply_command(const Session& session, const ChangeFlags& flags) {
  const StackFlags& stack = session.flags();
  std::string out = flags.destroy || !flags.kept.empty() ? "nbform destroy" : "nbform apply";
  if (!flags.command.empty()) out = flags.command;
  if (session.directory() != ".") out += " -C " + quoted(session.directory());
  add_flags(out, "-f", stack.files);
  add_flags(out, "--target", stack.targets);
  add_flags(out, "--exclude", stack.excludes);
  for (const std::string& given : stack.vars)  // a value may be a secret
    out += fmt::format(" --var {}=…", quoted(given.substr(0, given.find('='))));
  add_flags(out, "--var-file", stack.var_files);
  add_flags(out, "--replace", flags.replace);
  add_flags(out, "--restart", flags.restart);
  add_flags(out, "--kept", flags.kept);
  add_flags(out, "--allow-data-loss", flags.allow_data_loss);
  if (flags.prune) out += " --prune";
  if (session.in_sandbox()) out += " --sandbox";
  return out;
}

// Reads and compares, and says what stands in the way. None: an exit code instead.
struct Judged {
  Planned planned;
  int exit_code = kFine;  // of the errors found
  bool usable = true;     // there is a plan to show
};

int code_of(const Diagnostics& diagnostics) {
  int code = kFine;
  for (const Diagnostic& d : diagnostics) {
    if (d.severity != Severity::error) continue;
    if (d.code != Code::data_loss) return kError;
    code = kDataLoss;
  }
  return code;
}

std::vector<std::string> known_names(const Session& session, const Snapshot& snapshot) {
  std::vector<std::string> names = session.notebook_names();
  for (const Live& live : snapshot.live) {
    bool ours = live.owner.stack == session.manifest().stack.label() ||
                live.owner.stack == session.manifest().stack.name;
    if (ours && live.owner.whole()) names.push_back(live.owner.notebook);
  }
  return names;
}

Judged judge(Session& session, const PlanRequest& request, const Selection& selection) {
  Judged out;
  out.planned = make_plan(session.env(), session.wire(), request);
  Plan& plan = out.planned.plan;
  session.complete(plan.diagnostics);
  if (session.interrupts() > 0) {
    session.shell().screen.err("Interrupted. Nothing was sent.\n");
    out.exit_code = kInterrupted;
    out.usable = false;
    return out;
  }
  bool read = !plan.looked_in.empty() || !plan.diagnostics.has_errors();
  if (auto fits = selection.fits(known_names(session, out.planned.snapshot)); read && !fits.ok()) {
    session.shell().screen.report(fits.error());
    out.exit_code = kError;
    out.usable = false;
    return out;
  }
  out.exit_code = code_of(plan.diagnostics);
  out.usable = read;
  return out;
}

PlanScreen screen_of(const Session& session, const ChangeFlags& flags, const Selection& selection,
                     bool with_next) {
  PlanScreen screen;
  const std::string& program = session.shell().program;
  screen.header = header_of(session, program);
  screen.rows = {flags.full, flags.details};
  screen.selected = selection.any();
  screen.destroys = flags.destroy;
  screen.proposes = !flags.refresh_only;
  screen.consent = flags.allow_data_loss;
  if (with_next) screen.next = apply_command(session, flags);
  return screen;
}

Value json_of(const Session& session, const Plan& plan) {
  Header header = header_of(session, session.shell().program);
  return plan_json(plan, {header.stack, header.sandbox, header.endpoints});
}

int write_json(Session& session, const Output& output, const Value& json) {
  if (output.to_stdout()) {
    session.shell().screen.out(to_pretty_json(json));
    return kFine;
  }
  auto written = session.env().write_file(output.to, to_pretty_json(json), false);
  if (written.ok()) return kFine;
  session.shell().screen.report(written.error());
  return kError;
}

int refresh_only_code(const Judged& judged, const ChangeFlags& flags) {
  if (judged.exit_code != kFine) return judged.exit_code;
  return flags.detailed_exitcode && !judged.planned.plan.empty() ? kChanges : kFine;
}

ApplyOptions apply_options(Session& session, const ApplyFlags& how) {
  ApplyOptions options;
  options.parallelism = how.parallelism;
  options.nonce =
      fmt::format("{:016x}{:016x}", session.env().random(UINT64_MAX), session.env().random(UINT64_MAX));
  options.interrupts = [&session] { return session.interrupts(); };
  return options;
}

int code_of(const Outcome& outcome, const Plan& plan, bool plan_errors) {
  if (outcome.interrupted) return kInterrupted;
  bool applied = std::any_of(outcome.results.begin(), outcome.results.end(),
                             [](const ChangeResult& r) { return r.applied; });
  bool left_out = plan_errors || !plan.blocked.empty();
  if (!outcome.any_failed() && !left_out) return kFine;
  if (!left_out && outcome.all_failures_are_capacity()) return kNoCapacity;
  return applied ? kPartly : kError;
}

std::vector<Scope> touched_scopes(const Plan& plan) {
  std::vector<Scope> scopes;
  for (const Change& change : plan.changes) {
    const Scope& scope = change.resource != nullptr ? change.resource->scope : change.live->scope;
    if (std::find(scopes.begin(), scopes.end(), scope) == scopes.end()) scopes.push_back(scope);
  }
  return scopes;
}

// One apply after the yes.
class Applying {
 public:
  Applying(Session& session, Judged& judged, const ChangeFlags& flags, const ApplyFlags& how)
      : session_(session), judged_(judged), flags_(flags), how_(how) {}

  int run(EventStream* events) {
    Time began = session_.env().now();
    ApplyOptions options = apply_options(session_, how_);
    const Planned& p = judged_.planned;
    if (events != nullptr) {
      outcome_ = apply(session_.env(), session_.wire(), p.plan, *p.graph, p.snapshot, options, *events);
    } else {
      Progress progress(session_.shell().screen, session_.env(), p.plan);
      outcome_ = apply(session_.env(), session_.wire(), p.plan, *p.graph, p.snapshot, options, progress);
    }
    took_ = session_.env().now() - began;
    if (outcome_.any_sent()) session_.remember(touched_scopes(p.plan));
    complete_failures();
    return code_of(outcome_, p.plan, judged_.exit_code != kFine);
  }

  const Outcome& outcome() const { return outcome_; }
  std::string ending() const {
    return render_outcome(outcome_, took_, apply_command(session_, flags_),
                          session_.shell().screen.out_style());
  }

 private:
  void complete_failures() {
    for (ChangeResult& result : outcome_.results) session_.complete(result.failure);
  }

  Session& session_;
  Judged& judged_;
  const ChangeFlags& flags_;
  const ApplyFlags& how_;
  Outcome outcome_;
  Duration took_{};
};

// --verify: what a fresh plan still finds.
int verify(Session& session, PlanRequest request, const ChangeFlags& flags, const Selection& selection,
           EventStream* events) {
  request.diff.replace.clear();
  request.diff.restart.clear();
  Judged again = judge(session, request, selection);
  const Plan& plan = again.planned.plan;
  if (again.usable && plan.empty() && again.exit_code == kFine) {
    if (!flags.json.asked()) session.shell().screen.out("Verified: a fresh plan is empty.\n");
    return kFine;
  }
  Diagnostic failure = error(Code::drift, "The plan after the apply is not empty",
                             again.usable ? counts_words(plan) : std::string());
  if (events != nullptr) events->diagnostic(failure);
  session.shell().screen.report(plan.diagnostics);
  if (again.usable)
    session.shell().screen.err(
        render_plan(plan, screen_of(session, flags, selection, true), session.shell().screen.err_style()));
  session.shell().screen.report(failure);
  return kPartly;
}

int refuse(Session& session, const Judged& judged, EventStream* events) {
  if (events != nullptr) events->end({}, judged.exit_code);
  session.shell().screen.err("Nothing was sent.\n");
  return judged.exit_code;
}

}  // namespace

// The process is about to end, and takes back what ten thousand notebooks hold faster than destructors do.
template <class T>
const T& kept_to_the_end(T value) {
  static auto* all = new std::vector<std::shared_ptr<void>>;  // found there by leak checkers
  auto kept = std::make_shared<T>(std::move(value));
  all->push_back(kept);
  return *kept;
}

int show_plan(Session& session, const PlanRequest& request, const ChangeFlags& flags,
              const Selection& selection) {
  const Judged& judged = kept_to_the_end(judge(session, request, selection));
  const Plan& plan = judged.planned.plan;
  Screen& screen = session.shell().screen;
  if (judged.exit_code == kInterrupted || (!judged.usable && plan.diagnostics.empty()))
    return judged.exit_code;
  if (flags.json.asked()) {
    if (int code = write_json(session, flags.json, json_of(session, plan)); code != kFine) return code;
  }
  if (judged.usable && !flags.json.to_stdout())
    screen.out(render_plan(plan, screen_of(session, flags, selection, true), screen.out_style()));
  screen.report(plan.diagnostics);
  return refresh_only_code(judged, flags);
}

int apply_plan(Session& session, PlanRequest request, const ChangeFlags& flags, const ApplyFlags& how,
               const Selection& selection) {
  Screen& screen = session.shell().screen;
  if (flags.json.asked() && !how.yes && !flags.refresh_only) {
    screen.report(error(Code::usage, "--json does not ask",
                        "Events on stdout leave no room for a question. Nothing was sent.")
                      .with_hint("Add -y to apply without being asked."));
    return kError;
  }
  request.await_settling = !flags.refresh_only;
  request.on_wait = [&screen, said = std::set<std::string>()](std::string_view name,
                                                              std::string_view why) mutable {
    std::string line = fmt::format("waiting for {} ({})\n", printable(name), printable(why));
    if (said.insert(line).second) screen.err(line);
  };
  Judged judged = judge(session, request, selection);
  const Plan& plan = judged.planned.plan;
  if (judged.exit_code == kInterrupted || (!judged.usable && plan.diagnostics.empty()))
    return judged.exit_code;

  std::unique_ptr<EventStream> events;
  if (flags.json.asked()) {
    events = std::make_unique<EventStream>(screen, session.env());
    events->plan(plan, header_of(session, session.shell().program));
  } else if (judged.usable) {
    screen.out(render_plan(plan, screen_of(session, flags, selection, false), screen.out_style()));
  }
  screen.report(plan.diagnostics);
  if (!judged.usable || judged.exit_code == kDataLoss) return refuse(session, judged, events.get());
  if (flags.refresh_only) return refresh_only_code(judged, flags);
  if (plan.empty()) {
    if (events) events->end({}, judged.exit_code);
    return judged.exit_code;
  }
  if (int code = ask_consent(session, plan, {how.yes, flags.allow_data_loss}); code != kFine) {
    if (events) events->end({}, code);
    return code;
  }

  Applying applying(session, judged, flags, how);
  int code = applying.run(events.get());
  if (!events) screen.out("\n" + applying.ending());
  if (code == kFine && how.verify) code = verify(session, request, flags, selection, events.get());
  if (events) events->end(applying.outcome(), code);
  return code == kFine && flags.detailed_exitcode ? kChanges : code;
}

}  // namespace nbform::cli
