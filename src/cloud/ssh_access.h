// How machines of a service are reached by SSH: under which name one signs in, and where their host keys and
// their consoles can be read through the cloud's own API. Pure; knows no SSH and performs nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/key_way.h"
#include "cloud/opening.h"
#include "core/kind.h"
#include "core/resource.h"

namespace nbform {

// One call whose answer shows what a machine has written: its host keys, or its console.
struct MachineCall {
  std::string name;        // for people: "guest attributes"
  std::string permission;  // that it needs
  Call call;
};

// A machine as the relay of its cloud knows it.
struct RelayTarget {
  std::string project, zone, instance, interface;
};

// A piece of a console.
struct ConsoleText {
  std::string text;
  std::int64_t start = 0;            // of `text`, in bytes since the boot
  std::optional<std::int64_t> next;  // where the next piece begins; none: `text` is all that is kept
};

class SshAccess {
 public:
  virtual ~SshAccess() = default;

  // Another machine has another one, whatever it is called and wherever it is reached.
  virtual std::string machine_id(const Live& machine) const = 0;
  // The public address; "" where there is none, or none now.
  std::string address(const Live& machine) const;
  // The user that nbform or the image makes; "" where nothing tells.
  virtual std::string login(const Live& machine) const = 0;
  // Where Jupyter listens on the machine, as its image starts it.
  virtual int jupyter_port(const Live& machine) const = 0;
  // How the cloud's own relay reaches a machine that has no public address; none: there is no such relay.
  virtual std::optional<RelayTarget> relay(const Live&) const { return std::nullopt; }
  // What lists the firewall rules that concern it (pages follow by "pageToken"), and what they say: why none
  // lets the relay into that port; none: one does.
  virtual Call relay_rules(const Live&) const { return {}; }
  virtual std::optional<Diagnostic> relay_shut_out(const Live&, const std::vector<Value>&, int) const {
    return std::nullopt;
  }
  // How a key is let in for a while, on a machine as read by Kind::read; null: only its create lets keys in.
  virtual const KeyWay* key_way(const Live&) const { return nullptr; }
  // The surest one first.
  virtual std::vector<MachineCall> host_key_sources(const Live& machine) const = 0;
  // "ssh-ed25519 AAAA..." of an answer; none: nothing is written yet.
  virtual std::vector<std::string> host_keys(const Value& answer) const = 0;

  // The console from `next` of the piece before (0: the oldest kept) on, the freshest source first; where one
  // is refused the next may do.
  virtual std::vector<MachineCall> console(const Live& machine, std::int64_t from) const = 0;
  virtual ConsoleText console_text(const Value& answer) const = 0;
  virtual Duration console_pace() const = 0;  // between two readings

  // What is let in while somebody is connected.
  virtual const Openings& openings() const = 0;
};

// The host keys that a boot prints on the console: the last whole block of cloud-init's
// (tools/write-ssh-key-fingerprints), or lines that begin with "nbform-hostkey:". Whatever the console mixes
// in is passed over.
std::vector<std::string> host_keys_in_console(std::string_view text);

}  // namespace nbform
