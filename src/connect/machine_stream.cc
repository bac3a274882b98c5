#include "connect/machine_stream.h"

#include <fmt/format.h>

namespace nbform {

namespace {

constexpr Duration kConnectLimit = std::chrono::seconds(15);

}  // namespace

MachineStream::MachineStream(Env& env, Wire& wire, const SshAccess& access, const Live& machine, int port,
                             std::string notebook, MachineStreamCalls calls)
    : env_(env), calls_(std::move(calls)), soon_(env) {
  if (goes_by_relay(access, machine)) {
    relay_ = std::make_unique<RelayStream>(env_, wire, access, machine, port, std::move(calls_));
    return;
  }
  std::string address = access.address(machine);
  if (address.empty()) {
    soon_.set(Duration(0), [this, notebook = std::move(notebook)] { calls_.failed(no_way_in(notebook)); });
    return;
  }
  connecting_ =
      std::make_unique<Connecting>(env_, address, port, kConnectLimit, [this](Connecting::Outcome outcome) {
        outcome.socket ? calls_.connected(std::move(outcome.socket))
                       : calls_.failed(std::move(outcome.failure.why));
      });
}

bool goes_by_relay(const SshAccess& access, const Live& machine) {
  return access.address(machine).empty() && access.relay(machine).has_value();
}

Diagnostic no_way_in(const std::string& notebook) {
  return error(Code::unsupported, "The machine has no public address",
               fmt::format("{} can't be reached from here.", notebook))
      .of(notebook)
      .with_hint("Write\n    network: {public_ip: true}");
}

}  // namespace nbform
