// nbform connect --stdio: what ssh's ProxyCommand runs.
#include <fmt/format.h>

#include <optional>

#include "base/text.h"
#include "cli/machine.h"
#include "cli/ssh_target.h"
#include "cli/ssh_ways.h"
#include "net/stdio_relay.h"

namespace nbform::cli {

namespace {

Diagnostic another_machine(const Notebook& notebook) {
  return error(
             Code::conflict, "It is another machine now",
             fmt::format("{} was replaced since ssh's configuration was written, and so were its host keys.",
                         notebook.key))
      .of(notebook.key)
      .with_hint(fmt::format("Write it again:\n    nbform connect --ssh-config {}", notebook.key));
}

// False: interrupted first.
bool step_until(Session& session, const bool& done) {
  while (!done && session.interrupts() == 0)
    if (!session.env().step()) bug("a stream is open and nothing can happen");
  return done;
}

Result<int> relay(Session& session, Descriptor stream) {
  bool over = false;
  StdioRelay relay(session.env(), std::move(stream), [&] { over = true; });
  return step_until(session, over) ? kFine : kInterrupted;
}

}  // namespace

Result<int> serve_stdio(Session& session, const std::string& name, const std::string& machine_id) {
  const Notebook* notebook = NB_TRY(reachable_notebook(session, name));
  Live machine = NB_TRY(running_machine(session, *notebook));
  SshTarget target = NB_TRY(ssh_target(session.env(), *notebook, machine, {}));
  if (!machine_id.empty() && target.access->machine_id(machine) != machine_id)
    return another_machine(*notebook);
  bool settled = false;
  Descriptor stream;
  std::optional<Diagnostic> failure;
  MachineStream way(session.env(), session.wire(), *target.access, machine, target.port, notebook->key,
                    {.connected =
                         [&](Descriptor got) {
                           stream = std::move(got);
                           settled = true;
                         },
                     .failed =
                         [&](Diagnostic why) {
                           failure = std::move(why);
                           settled = true;
                         },
                     .notice =
                         [&](const std::string& text) {
                           session.shell().screen.err(fmt::format("nbform: {}\n", printable(text)));
                         }});
  if (!step_until(session, settled)) return kInterrupted;
  if (failure) return std::move(*failure);
  return relay(session, std::move(stream));
}

}  // namespace nbform::cli
