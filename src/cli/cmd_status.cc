#include <fmt/format.h>

#include "base/json.h"
#include "cli/announcement.h"
#include "cli/commands.h"
#include "cli/header.h"
#include "cli/session.h"
#include "cli/status_table.h"

namespace nbform::cli {

namespace {

struct StatusOptions {
  StackFlags stack;
  bool watch = false;
  int interval = 10;  // seconds
  Output json;
};

int code_of(const Snapshot& snapshot) {
  for (const ScopeStatus& scope : snapshot.scopes)
    if (scope.failure && scope.declared) return kError;
  return kFine;
}

std::vector<StatusOfDeclared> declared_in(const Manifest& manifest) {
  std::vector<StatusOfDeclared> out;
  for (const Notebook& n : manifest.notebooks)
    out.push_back({n.key, n.moved_from.value_or(""),
                   n.power.idle_stop_s.set() || n.power.max_uptime_s.set() || n.power.schedule.set()});
  return out;
}

void show(Session& session, const Snapshot& snapshot, const StatusOptions& options) {
  Shell& shell = session.shell();
  const Stack& stack = session.manifest().stack;
  auto rows = status_rows(snapshot, declared_in(session.manifest()), stack.label(), stack.name, snapshot.at);
  add_tunnels(rows, live_tunnels(session.env()), tunnel_label(session));
  if (options.json.asked()) {
    shell.screen.out(to_pretty_json(status_json(rows, snapshot, stack.name)));
    return;
  }
  const Style& style = shell.screen.out_style();
  if (options.watch && style.width > 0) shell.screen.out("\x1b[H\x1b[J");
  shell.screen.out(render_header(header_of(session, shell.program), snapshot.scopes, snapshot.at,
                                 snapshot.took, snapshot.calls, style) +
                   "\n" + render_status(rows, snapshot, stack.label(), stack.name, style));
  for (const ScopeStatus& scope : snapshot.scopes)
    if (scope.failure) shell.screen.report(*scope.failure);
}

// No account is known: the reasons are those of a plan.
int nowhere(Session& session, const PlanRequest& request) {
  Diagnostics problems;
  lower(request, problems);
  session.complete(problems);
  session.shell().screen.report(problems);
  return problems.has_errors() ? kError : kFine;
}

// One reading, with a session of its own: between two of them the sandbox is free for others.
int once(Shell& shell, const StatusOptions& options) {
  int code = kFine;
  auto session = Session::open(shell, options.stack, code);
  if (session == nullptr) return code;
  PlanRequest request = session->request();
  if (scopes_of(request).empty()) return nowhere(*session, request);
  Snapshot snapshot = refresh(session->env(), session->wire(), session->manifest().stack, scopes_of(request),
                              {}, session->stop());
  if (session->interrupts() > 0) return kInterrupted;
  show(*session, snapshot, options);
  return code_of(snapshot);
}

int run(Shell& shell, const StatusOptions& options) {
  int code = once(shell, options);
  bool stopped = false;
  while (options.watch && code != kInterrupted && !stopped) {
    bool over = false;
    shell.env.on_interrupt([&] { stopped = true; });
    TimerId timer = shell.env.after(std::chrono::seconds(options.interval), [&] { over = true; });
    while (!over && !stopped && shell.env.step()) {
    }
    shell.env.cancel_timer(timer);
    shell.env.on_interrupt({});
    if (!stopped) code = once(shell, options);
  }
  return stopped ? static_cast<int>(kInterrupted) : code;
}

Run declare(Flags& flags) {
  auto options = std::make_shared<StatusOptions>();
  options->stack.declare(flags);
  flags.flag("--watch", options->watch, "Go on until interrupted");
  flags.number("--interval", options->interval, 1, 3600, "Seconds between two readings of --watch");
  flags.flag_or_file("--json", options->json, "Machine-readable");
  return [options](Shell& shell) { return run(shell, *options); };
}

}  // namespace

const Command kStatusCommand{"status", "Every day:", "What runs, where, since when",
                             "nbform status\nnbform status --watch", declare};

}  // namespace nbform::cli
