// Public SSH keys as EC2 reads them: one line of OpenSSH's format, RSA or ED25519, and the fingerprint that
// EC2 shows, which is neither ssh-keygen's form nor one form for both types.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nbform::sim::aws {

struct SshKey {
  std::string type;         // rsa, ed25519
  std::string fingerprint;  // rsa: MD5 of the DER form, colons; ed25519: SHA-256 of the blob, base64 with '='
};
std::optional<SshKey> read_ssh_key(std::string_view line);

}  // namespace nbform::sim::aws
