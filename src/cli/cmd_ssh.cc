// nbform ssh: a shell or a command on a notebook's machine, through the user's own ssh.
#include <fmt/format.h>

#include "cli/apply_flow.h"
#include "cli/commands.h"
#include "cli/machine.h"
#include "cli/ssh_target.h"
#include "net/program.h"

namespace nbform::cli {

namespace {

constexpr Duration kKeysLimit = std::chrono::minutes(10);  // a boot writes them within minutes

struct SshOptions {
  StackFlags stack;
  std::string name;
  std::vector<std::string> identities, forwards, command;
  bool terminal = false;
};

// What stands here wins over the user's own configuration.
Result<std::vector<std::string>> ssh_words(const SshHost& host, const SshOptions& options) {
  std::vector<std::string> out = {"ssh"};
  for (const auto& [keyword, value] : NB_TRY(ssh_keywords(host)))
    out.insert(out.end(), {"-o", fmt::format("{} {}", keyword, value)});
  for (const std::string& forward : options.forwards) out.insert(out.end(), {"-L", forward});
  if (options.terminal) out.emplace_back("-t");
  out.insert(out.end(), {"--", host.names.front()});
  out.insert(out.end(), options.command.begin(), options.command.end());
  return out;
}

// A machine with an address that is open anyway is gone to directly.
Result<std::vector<std::string>> command_for(Session& session, const SshOptions& options) {
  const Notebook* notebook = NB_TRY(reachable_notebook(session, options.name));
  Live machine = NB_TRY(running_machine(session, *notebook));
  SshHost host =
      NB_TRY(ssh_host(session, *notebook, machine, options.identities, kKeysLimit, KeyInstaller::When::now));
  if (host.address.empty() || host.opens_way) host.stream = NB_TRY(stream_command(session, host));
  return ssh_words(host, options);
}

int run(Shell& shell, const SshOptions& options) {
  std::vector<std::string> words;
  int code = on_stack(shell, options.stack, {}, [&](Session& session, const Selection&) -> Result<int> {
    words = NB_TRY(command_for(session, options));
    return kFine;
  });
  if (code != kFine) return code;
  shell.screen.report(become(words));  // the session is over: what remains is ssh's
  return kError;
}

Run declare(Flags& flags) {
  auto options = std::make_shared<SshOptions>();
  flags.positional("NAME", options->name, true, "The notebook");
  flags.rest("COMMAND", options->command, "What to run there, as ssh takes it; a shell otherwise");
  options->stack.declare(flags, false);
  flags.flag("-t,--tty", options->terminal, "A terminal for the command, as for ssh");
  flags.texts("-L", options->forwards, "PORT:HOST:PORT", "A port to forward, as for ssh; repeatable");
  flags.texts("-i,--identity", options->identities, "FILE", "Private key to sign in with; repeatable");
  return [options](Shell& shell) { return run(shell, *options); };
}

}  // namespace

const Command kSshCommand{"ssh", "Every day:", "A shell on a notebook's machine, or one command there",
                          "nbform ssh eda\nnbform ssh eda nvidia-smi", declare};

}  // namespace nbform::cli
