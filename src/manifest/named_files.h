// Reads what a notebook names: scripts and other files of the repository, and public SSH keys.
#pragma once

#include <optional>
#include <string>

#include "manifest/file_access.h"

namespace nbform {

// Fills in FileRef::text and SshKey::line; reports what can't be read or is no key.
void read_named_files(Notebook& notebook, const Node& merged, FileAccess& access, Report& report);

// The first of ~/.ssh/id_{ed25519,ecdsa,rsa}.pub that exists.
std::optional<SshKey> default_ssh_key(FileAccess& access);

// "" where `text` is one public key line, else what it is instead.
std::string public_key_problem(std::string_view text);

}  // namespace nbform
