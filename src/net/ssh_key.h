// What can be told of a private key file without its passphrase, and in which order keys are offered to a
// server. Pure: knows no file, no agent, no library.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/crypto.h"

namespace nbform {

struct PrivateKey {
  std::string type;  // "ssh-ed25519"; "" where only the passphrase would tell
  std::string blob;  // the public half, as in authorized_keys; "" where the file does not show it
  bool encrypted = false;
};

// OpenSSH's own format (PROTOCOL.key), PKCS#1, SEC 1 and PKCS#8 PEM. None: not a private key.
std::optional<PrivateKey> read_private_key(std::string_view text);

// A file of OpenSSH's own format without a passphrase. `check`: any number, new each time.
Secret write_private_key(const Ed25519KeyPair& pair, std::string_view comment, std::uint32_t check);

// The type that an SSH public key blob begins with; "" for what is none.
std::string key_type_of(std::string_view blob);

// A key file of the user's.
struct KeyFile {
  std::string path;
  Secret text;
  PrivateKey key;
};

// One key to offer: from the agent where it holds it, so that no passphrase is asked, else from the file.
struct KeyOffer {
  std::string name;  // for people
  int agent = -1;    // its place in the agent, -1: from the file
  int file = -1;     // its place among the files, -1: only the agent has it
};

struct KeyOffers {
  std::vector<KeyOffer> offers;
  std::vector<std::string> unable;  // names of keys that the library cannot sign with
};

// The files first, in their order, as a server counts attempts; then what else the agent has. `agent`: blob
// and comment of each key.
KeyOffers order_keys(const std::vector<KeyFile>& files,
                     const std::vector<std::pair<std::string, std::string>>& agent,
                     const std::function<bool(const std::string& type)>& can_sign);

}  // namespace nbform
