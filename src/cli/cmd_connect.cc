// nbform connect: from a manifest to a notebook in the browser.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/announcement.h"
#include "cli/apply_flow.h"
#include "cli/commands.h"
#include "cli/connect_flow.h"
#include "cli/connect_screen.h"
#include "cli/machine.h"
#include "cli/sandbox_visit.h"
#include "cli/ssh_target.h"
#include "cli/ssh_ways.h"
#include "cli/work_dir.h"
#include "cloud/cloud.h"
#include "connect/connection.h"

namespace nbform::cli {

namespace {

constexpr Duration kClosing = std::chrono::seconds(10);

struct ConnectOptions {
  StackFlags stack;
  std::vector<std::string> names, forwards, identities;
  std::string machine;  // for --stdio
  bool ssh_config = false, stdio = false;
  bool start = false, yes = false, accept_new_host_key = false;
  AnnouncementFlags announcement;
};

// Jupyter's first, then those of -L.
Result<std::vector<TunnelForward>> forwards_of(const Notebook& notebook, int port_of_image,
                                               const std::vector<std::string>& more) {
  TunnelPorts ports = notebook.access.tunnel.value_or({});
  std::int64_t of_image = notebook.access.jupyter.port.value_or(port_of_image);
  TunnelForward jupyter;
  jupyter.port = ports.remote != 0 ? ports.remote : static_cast<int>(of_image);
  jupyter.local = ports.local != 0 ? ports.local : jupyter.port;
  jupyter.fixed = ports.fixed;
  std::vector<TunnelForward> out{jupyter};
  for (const std::string& text : more) out.push_back(NB_TRY(parse_forward(text)));
  return out;
}

// One connection from its first stage to Ctrl-C.
class Connect {
 public:
  Connect(Session& session, const Notebook& notebook, const ConnectOptions& options)
      : session_(session),
        notebook_(notebook),
        options_(options),
        screen_(session.shell().screen, session.env()) {}

  Result<int> run(Live machine) {
    machine_ = machine.id;
    ConnectSettings settings = NB_TRY(settings_for(std::move(machine)));
    connection_ = NB_TRY(Connection::open(
        session_.env(), session_.wire(), std::move(settings),
        [this](const ConnectEvent& event) { on_event(event); },
        [this](const std::string& path, int attempt, std::function<void(Result<Secret>)> done) {
          ask_passphrase(path, attempt, std::move(done));
        }));
    bool was_ready = false;
    while (!failure_ && session_.interrupts() == 0) {
      if (!session_.env().step()) bug("a connection is open and nothing can happen");
      if (connection_->ready() && !std::exchange(was_ready, true)) announce();
    }
    close();
    if (failure_) return std::move(*failure_);
    if (!was_ready) return error(Code::cancelled, "Interrupted", "There was no connection yet.");
    session_.shell().screen.err("\nThe connection is closed; the notebook goes on.\n");
    return kFine;
  }

 private:
  Result<ConnectSettings> settings_for(Live machine) {
    Env& env = session_.env();
    SshTarget target = NB_TRY(ssh_target(env, notebook_, machine, options_.identities));
    ConnectSettings s;
    s.notebook = notebook_.key;
    s.access = target.access;
    s.keys = key_wishes(env, notebook_, target);
    s.forwards = NB_TRY(forwards_of(notebook_, s.access->jupyter_port(machine), options_.forwards));
    s.jupyter_port_fixed =
        notebook_.access.tunnel.value_or({}).remote != 0 || !notebook_.access.jupyter.port.absent();
    s.for_colab = options_.announcement.colab;
    s.machine = std::move(machine);
    s.ssh_port = target.port;
    s.stack = session_.manifest().stack.label();
    s.opens_way = target.opens_way;
    s.agent_socket = target.only_these_keys ? "" : env.env_var("SSH_AUTH_SOCK").value_or("");
    s.known_machines = NB_TRY(work_dir(env, session_.directory())) + "/host_keys";
    s.accept_new_host_key = options_.accept_new_host_key;
    return s;
  }

  // Another Ctrl-C, or ten seconds without an answer, leave what is open to the next run.
  void close() {
    announcement_.reset();
    Env& env = session_.env();
    std::optional<Result<>> closed;
    connection_->close([&](Result<> how) { closed = std::move(how); });
    const int interrupts = session_.interrupts();
    bool late = false;
    Alarm limit(env);
    limit.set(kClosing, [&] { late = true; });
    while (!closed && !late && session_.interrupts() == interrupts && env.step()) {
    }
    connection_.reset();
    if (!closed || !closed->ok())
      session_.shell().screen.err(
          fmt::format("  the firewall is still open for you: the next nbform connect closes it{}\n",
                      closed ? fmt::format(" ({})", printable(closed->error().summary)) : ""));
  }

  void on_event(const ConnectEvent& event) {
    if (event.what == ConnectEvent::What::failed) failure_ = event.why;
    if (!options_.announcement.json) screen_.show(event);
  }

  void ask_passphrase(const std::string& path, int attempt, std::function<void(Result<Secret>)> done) {
    std::string question =
        fmt::format("{}Passphrase of {}: ", attempt > 1 ? "That is not it. " : "", printable(path));
    session_.env().prompt(
        question,
        [done = std::move(done)](Result<std::string> line) {
          line.ok() ? done(Secret(std::move(*line))) : done(std::move(line).error());
        },
        Env::Echo::hidden);
  }

  void announce() {
    announcement_.emplace(session_,
                          OpenJupyter{notebook_.key, machine_, connection_->ports(), connection_->jupyter()},
                          options_.announcement);
  }

  Session& session_;
  const Notebook& notebook_;
  const ConnectOptions& options_;
  ConnectScreen screen_;
  std::string machine_;  // Live::id
  std::unique_ptr<Connection> connection_;
  std::optional<Announcement> announcement_;
  std::optional<Diagnostic> failure_;
};

// Through the engine, like nbform apply or nbform start; another exit code than 0 ends the command.
Result<int> bring_about(Session& session, const Notebook& notebook, bool by_power, bool yes) {
  ChangeFlags change;
  change.command = fmt::format("nbform connect {}{}", notebook.key, by_power ? " --start" : "");
  ApplyFlags apply;
  apply.yes = yes;
  Selection selection = NB_TRY(Selection::of({}, session.manifest(), {notebook.key}));
  PlanRequest request = NB_TRY(wanted(session, change, selection));
  request.diff.power_only = by_power;
  if (by_power) request.diff.power[notebook.key] = PowerPolicy::Want::running;
  return apply_plan(session, std::move(request), change, apply, selection);
}

// The machine, running or on its way; none: `code` says how the command ended.
Result<std::optional<Live>> machine_for(Session& session, const Notebook& notebook,
                                        const ConnectOptions& options, int& code) {
  std::optional<Live> machine = NB_TRY(find_machine(session, notebook));
  bool off = machine && machine->health.state == Health::State::stopped;
  if (machine && !(off && options.start)) return machine;
  if (!off && !options.yes) {
    auto answer = session.ask(fmt::format("{} does not exist yet. Create it? [y/N] ", notebook.key));
    if (!answer.ok() && answer.error().code == Code::usage) return not_created(notebook);
    std::string said = to_lower(trim(NB_TRY(std::move(answer))));
    if (said != "y" && said != "yes") return not_created(notebook);
  }
  code = NB_TRY(bring_about(session, notebook, off, options.yes));
  if (code != kFine) return std::optional<Live>();
  machine = NB_TRY(find_machine(session, notebook));
  return machine ? std::move(machine) : Result<std::optional<Live>>(not_created(notebook));
}

Result<int> to_sandbox(Session& session, const Notebook& notebook, const Live& machine,
                       const ConnectOptions& options) {
  if (!options.forwards.empty())
    return error(Code::usage, "-L leads nowhere in the sandbox",
                 fmt::format("{} is simulated: only Jupyter has a stand-in.", notebook.key));
  int port = find_service(notebook.service)->ssh()->jupyter_port(machine);
  TunnelForward jupyter = NB_TRY(forwards_of(notebook, port, {})).front();
  return visit_sandbox(session, notebook, machine, jupyter, options.announcement);
}

Result<int> hold_open(Session& session, const Notebook& notebook, Live machine,
                      const ConnectOptions& options) {
  if (!options.announcement.json)
    session.shell().screen.err(fmt::format("{}  {}\n", notebook.key, place_of(machine)));
  if (session.in_sandbox()) return to_sandbox(session, notebook, machine, options);
  return Connect(session, notebook, options).run(std::move(machine));
}

Diagnostic one_name(const Session& session) {
  return error(Code::usage, "Which notebook?", "nbform connect takes the name of one notebook.")
      .with_hint("There are: " + join(session.notebook_names(), ", "));
}

int run(Shell& shell, const ConnectOptions& options) {
  return on_stack(shell, options.stack, {}, [&](Session& session, const Selection&) -> Result<int> {
    if (options.ssh_config)
      return write_ssh_config(session, options.names, options.identities, options.announcement.json);
    if (options.names.size() != 1) return one_name(session);
    if (options.stdio)
      return serve_stdio(session, options.names.front(), options.machine, options.identities);
    const Notebook* notebook = NB_TRY(notebook_with_ssh(session, options.names.front()));
    int code = kFine;
    std::optional<Live> machine = NB_TRY(machine_for(session, *notebook, options, code));
    if (!machine) return code;
    return hold_open(session, *notebook, std::move(*machine), options);
  });
}

Run declare(Flags& flags) {
  auto options = std::make_shared<ConnectOptions>();
  flags.positionals("NAME", options->names, false, "The notebook; with --ssh-config any number of them");
  options->stack.declare(flags, false);
  flags.flag("--start", options->start, "Start it first where it is stopped");
  flags.flag("-y,--yes", options->yes, "Do not ask before it is started or created");
  flags.texts("-L", options->forwards, "PORT:HOST:PORT", "One more port to forward, as for ssh; repeatable");
  flags.texts("-i,--identity", options->identities, "FILE", "Private key to sign in with; repeatable");
  flags.flag("--no-open", options->announcement.no_open, "Do not open a browser");
  flags.flag("--print", options->announcement.print, "Print the URL with Jupyter's token");
  flags.flag("--colab", options->announcement.colab,
             "See that Colab can use it, and print the URL to paste there");
  flags.flag("--accept-new-host-key", options->accept_new_host_key,
             "Trust the key that the machine shows, where the cloud shows none");
  flags.flag("--json", options->announcement.json,
             "One JSON line on stdout once Jupyter answers; open no browser");
  flags.flag("--ssh-config", options->ssh_config,
             "Write the notebooks as hosts for ssh, scp and editors; no NAME means all");
  flags.flag("--stdio", options->stdio, "Be a stream to the machine's sshd, as a ProxyCommand of ssh");
  flags.text("--machine", options->machine, "ID", "With --stdio: refuse any other machine than this");
  return [options](Shell& shell) { return run(shell, *options); };
}

}  // namespace

Result<int> connect_to(Session& session, const std::string& name, bool json) {
  const Notebook* notebook = NB_TRY(notebook_with_ssh(session, name));
  std::optional<Live> machine = NB_TRY(find_machine(session, *notebook));
  if (!machine) return not_created(*notebook);
  ConnectOptions options;
  options.announcement.json = json;
  return hold_open(session, *notebook, std::move(*machine), options);
}

const Command kConnectCommand{"connect",
                              "Every day:", "Open a notebook through a tunnel, for as long as you like",
                              "nbform connect eda\nnbform connect eda --start\nnbform connect eda -L "
                              "6006:localhost:6006\nnbform connect --ssh-config",
                              declare};

}  // namespace nbform::cli
