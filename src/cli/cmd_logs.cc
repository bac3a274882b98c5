// nbform logs: what a notebook's machine prints on its console.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/json.h"
#include "cli/apply_flow.h"
#include "cli/commands.h"
#include "cli/console_text.h"
#include "cli/machine.h"
#include "cloud/cloud.h"
#include "connect/machine_stream.h"
#include "net/retry.h"

namespace nbform::cli {

namespace {

struct LogsOptions {
  StackFlags stack;
  std::string name;
  int lines = 0;  // 0: all that there are
  bool follow = false, json = false;
};

Diagnostic no_console(const Notebook& notebook) {
  return error(
      Code::unsupported, "There is no console of this notebook",
      fmt::format("{} is of the service {}, whose machines show none.", notebook.key, notebook.service));
}

// One reading after the other of one machine's console.
class Console {
 public:
  Console(Session& session, const SshAccess& access, const Live& machine)
      : session_(session), access_(access), machine_(machine) {}

  // What has come since the last reading. Errors: denied names the permission; cancelled.
  Result<std::string> next() {
    std::optional<Diagnostic> refusal;
    for (const MachineCall& source : access_.console(machine_, from_)) {
      Answer answer = NB_TRY(ask(source));
      if (answer.http.ok()) return news(access_.console_text(answer.json));
      refusal = session_.wire().refusal(machine_.scope, answer.http).of(machine_.owner.notebook);
      if (refusal->code == Code::denied)
        refusal->hint = fmt::format("Reading the {} takes {}.", source.name, source.permission);
    }
    return std::move(*refusal);
  }

 private:
  Result<Answer> ask(const MachineCall& source) {
    std::optional<Result<Answer>> answer;
    session_.wire().send(machine_.scope, source.call, ApiRequest::Repeat::safe,
                         [&](Result<Answer> got) { answer = std::move(got); });
    while (!answer && session_.interrupts() == 0)
      if (!session_.env().step()) bug("a console is being read and nothing can happen");
    if (!answer) return error(Code::cancelled, "Interrupted");
    return std::move(*answer);
  }

  std::string news(ConsoleText text) {
    if (text.next) {
      if (text.start > from_ && from_ > 0)
        session_.shell().screen.err("(the console went faster than it could be read)\n");
      from_ = *text.next;
      return std::move(text.text);
    }
    std::string out(beyond(kept_, text.text));
    kept_ = std::move(text.text);
    return out;
  }

  Session& session_;
  const SshAccess& access_;
  const Live& machine_;
  std::int64_t from_ = 0;  // of consoles that count their bytes
  std::string kept_;       // of the others: the last reading
};

class Logs {
 public:
  Logs(Session& session, const LogsOptions& options) : session_(session), options_(options) {}

  void show(const std::string& text) {
    std::vector<std::string> lines = lines_.take(text);
    if (!options_.follow) lines.push_back(lines_.rest());
    if (!lines.empty() && lines.back().empty() && !options_.follow) lines.pop_back();
    std::size_t wanted = static_cast<std::size_t>(options_.lines);
    if (std::exchange(first_, false) && wanted > 0 && lines.size() > wanted)
      lines.erase(lines.begin(), lines.end() - options_.lines);
    for (const std::string& line : lines) print(line);
  }

 private:
  void print(const std::string& line) {
    session_.shell().screen.out(
        (options_.json ? to_json(Map{{"notebook", options_.name}, {"line", line}}) : line) + "\n");
  }

  Session& session_;
  const LogsOptions& options_;
  ConsoleLines lines_;
  bool first_ = true;
};

// False: interrupted.
bool pause(Session& session, Duration length) {
  bool over = false;
  TimerId timer = session.env().after(length, [&] { over = true; });
  while (!over && session.interrupts() == 0 && session.env().step()) {
  }
  session.env().cancel_timer(timer);
  return over;
}

Result<int> follow(Session& session, Console& console, Logs& logs, Duration pace) {
  while (pause(session, pace)) {
    auto text = console.next();
    if (text.ok())
      logs.show(*text);
    else if (text.error().code == Code::cancelled)
      break;
    else if (!is_transient(text.error().code))
      return std::move(text).error();
  }
  return kFine;
}

Result<int> show_logs(Session& session, const LogsOptions& options) {
  const Notebook* notebook = session.manifest().find(options.name);
  if (notebook == nullptr) return no_such_notebook(options.name, session.notebook_names());
  const SshAccess* access = find_service(notebook->service)->ssh();
  if (access == nullptr) return no_console(*notebook);
  std::optional<Live> machine = NB_TRY(find_machine(session, *notebook));
  if (!machine) return not_created(*notebook);
  Console console(session, *access, *machine);
  Logs logs(session, options);
  logs.show(NB_TRY(console.next()));
  if (!options.follow) return kFine;
  return follow(session, console, logs, access->console_pace());
}

int run(Shell& shell, const LogsOptions& options) {
  return on_stack(shell, options.stack, {}, [&](Session& session, const Selection&) -> Result<int> {
    if (options.follow && session.in_sandbox())
      return error(Code::unsupported, "There is nothing to follow in the sandbox",
                   "Its time passes only while a command runs.");
    return show_logs(session, options);
  });
}

Run declare(Flags& flags) {
  auto options = std::make_shared<LogsOptions>();
  flags.positional("NAME", options->name, true, "The notebook");
  options->stack.declare(flags, false);
  flags.flag("-f,--follow", options->follow, "Go on with what comes, until Ctrl-C");
  flags.number("-n,--lines", options->lines, 0, 1'000'000,
               "Of what there is, only the last N lines; 0 is all");
  flags.flag("--json", options->json, "A JSON object for each line");
  return [options](Shell& shell) { return run(shell, *options); };
}

}  // namespace

const Command kLogsCommand{"logs", "Every day:", "What a notebook's machine prints on its console",
                           "nbform logs eda\nnbform logs eda -f -n 20", declare};

}  // namespace nbform::cli
