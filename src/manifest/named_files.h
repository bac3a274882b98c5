// Reads what a notebook names: scripts and other files of the repository, and public SSH keys.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "manifest/file_access.h"

namespace nbform {

// For all notebooks of a stack, as they mostly name the same files.
class NamedFiles {
 public:
  NamedFiles(FileAccess& access, Report& report) : access_(access), report_(report) {}

  // Fills in FileRef::text and SshKey::line; reports what can't be read or is no key.
  void read(Notebook& notebook, const Node& merged);

 private:
  void read_file(Setting<FileRef>& ref, const char* path, const Node& merged);
  void read_key(SshKey& key, Span at);
  const std::string* key_text(const SshKey& key, Span at);

  FileAccess& access_;
  Report& report_;
  // Good ones: the line by the file that names it and how.
  std::map<std::pair<std::uint32_t, std::string>, std::string> keys_;
};

// The first of ~/.ssh/id_{ed25519,ecdsa,rsa}.pub that exists.
std::optional<SshKey> default_ssh_key(FileAccess& access);

// "" where `text` is one public key line, else what it is instead.
std::string public_key_problem(std::string_view text);

}  // namespace nbform
