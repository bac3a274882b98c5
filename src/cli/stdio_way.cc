// nbform connect --stdio: what ssh's ProxyCommand runs.
#include <fmt/format.h>

#include <functional>
#include <memory>
#include <optional>

#include "base/text.h"
#include "cli/machine.h"
#include "cli/ssh_target.h"
#include "cli/ssh_ways.h"
#include "connect/caller_opening.h"
#include "net/stdio_relay.h"

namespace nbform::cli {

namespace {

constexpr Duration kClosing = std::chrono::seconds(5);

Diagnostic another_machine(const Notebook& notebook) {
  return error(
             Code::conflict, "It is another machine now",
             fmt::format("{} was replaced since ssh's configuration was written, and so were its host keys.",
                         notebook.key))
      .of(notebook.key)
      .with_hint(fmt::format("Write it again:\n    nbform connect --ssh-config {}", notebook.key));
}

Result<int> relay(Session& session, Descriptor stream) {
  bool over = false;
  StdioRelay relay(session.env(), std::move(stream), [&] { over = true; });
  return session.step_until([&] { return over; }).ok() ? kFine : kInterrupted;
}

// Keeps the firewall open for the caller while it lives; closing needs the loop, so it is told to.
class WayThroughFirewall {
 public:
  WayThroughFirewall(Session& session, const Notebook& notebook, const SshTarget& target)
      : session_(session) {
    if (target.opens_way)
      opening_.emplace(session.env(), session.wire(), target.access->openings(),
                       session.manifest().stack.label(), notebook.key, target.port);
  }

  Result<> open(const Live& machine) {
    if (!opening_) return Ok{};
    auto opened = std::make_shared<std::optional<Result<std::string>>>();  // may be called after an interrupt
    opening_->ensure(machine, [opened](Result<std::string> how) { *opened = std::move(how); });
    NB_TRY(session_.step_until([&] { return opened->has_value(); }));
    return (*opened)->ok() ? Result<>(Ok{}) : std::move(**opened).error();
  }

  // What ends ssh ends this as well, at once; so the request is sent, and its answer waited for a moment.
  void close() {
    if (!opening_) return;
    bool over = false;
    Alarm limit(session_.env());
    limit.set(kClosing, [&] { over = true; });
    opening_->close([&](const Result<>&) { over = true; });
    while (!over && session_.env().step()) {
    }
  }

 private:
  Session& session_;
  std::optional<CallerOpening> opening_;
};

Result<Descriptor> stream_to(Session& session, const Notebook& notebook, const Live& machine,
                             const SshTarget& target, std::unique_ptr<MachineStream>& way) {
  auto stream = std::make_shared<std::optional<Result<Descriptor>>>();
  MachineStreamCalls calls;
  calls.connected = [stream](Descriptor got) { *stream = std::move(got); };
  calls.failed = [stream](Diagnostic why) { *stream = std::move(why); };
  calls.notice = [&session](const std::string& text) {
    session.shell().screen.err(fmt::format("nbform: {}\n", printable(text)));
  };
  way = std::make_unique<MachineStream>(session.env(), session.wire(), *target.access, machine, target.port,
                                        notebook.key, std::move(calls));
  NB_TRY(session.step_until([&] { return stream->has_value(); }));
  return std::move(**stream);
}

}  // namespace

Result<int> serve_stdio(Session& session, const std::string& name, const std::string& machine_id,
                        const std::vector<std::string>& identities) {
  const Notebook* notebook = NB_TRY(reachable_notebook(session, name));
  Live machine = NB_TRY(running_machine(session, *notebook));
  SshTarget target = NB_TRY(ssh_target(session.env(), *notebook, machine, identities));
  if (!machine_id.empty() && target.access->machine_id(machine) != machine_id)
    return another_machine(*notebook);
  target = NB_TRY(seen_to_key(session, *notebook, machine, std::move(target), KeyInstaller::When::now));
  WayThroughFirewall firewall(session, *notebook, target);
  std::unique_ptr<MachineStream> way;
  Result<> opened = firewall.open(machine);
  auto stream = opened.ok() ? stream_to(session, *notebook, machine, target, way)
                            : Result<Descriptor>(std::move(opened).error());
  Result<int> code =
      stream.ok() ? relay(session, std::move(*stream)) : Result<int>(std::move(stream).error());
  way.reset();
  firewall.close();
  return code;
}

}  // namespace nbform::cli
