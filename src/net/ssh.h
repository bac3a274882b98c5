// The words of SSH that a caller needs: whose key a host shows, how one signs in, what went wrong. Knows no
// socket, no library and no cloud.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"

namespace nbform {

struct HostKey {
  std::string type;  // "ssh-ed25519", as in known_hosts
  std::string blob;  // RFC 4253 section 6.6, raw

  std::string fingerprint() const;  // "SHA256:...", as OpenSSH prints it
  std::string text() const;         // "ssh-ed25519 AAAA..."
  bool operator==(const HostKey&) const = default;
};

// From "ssh-ed25519 AAAA... [comment]"; none where type and blob don't fit.
std::optional<HostKey> parse_host_key(std::string_view text);

enum class SshProblem {
  unreachable,          // no such host, no way to it
  refused,              // nothing listens at the address
  timed_out,            // no answer to the connection or the handshake
  not_ssh,              // something else listens there
  no_common_algorithm,  // the library has none that the server takes
  host_key_refused,     // the caller does not trust the key
  auth_refused,         // none of the keys is taken
  key_unusable,         // a key file or passphrase is wrong
  needs_system_ssh,     // the library can't sign with this key, and there is no ssh to do it
  lost,                 // the connection ended or fell silent
  target_refused,       // one connection: nothing listens on the machine's port
  forwarding_forbidden  // one connection: the server's configuration forbids it
};

std::string_view problem_name(SshProblem problem);  // "timed out"
// Whether another attempt may end better without anybody doing something.
bool passes_by_itself(SshProblem problem);

struct SshFailure {
  SshProblem problem = SshProblem::lost;
  Diagnostic why;
  std::vector<std::string> methods;  // auth_refused: what the server would take
  std::vector<std::string> tried;    // auth_refused: the keys that were offered
  std::optional<HostKey> host_key;   // host_key_refused: the one that was shown
};

}  // namespace nbform
