#include "manifest/named_files.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/crypto.h"
#include "base/text.h"

namespace nbform {
namespace {

constexpr std::size_t kScript = std::size_t{256} << 10;  // GCE: one metadata value
constexpr std::string_view kKeyTypes[] = {"ssh-ed25519",
                                          "ecdsa-sha2-nistp256",
                                          "ecdsa-sha2-nistp384",
                                          "ecdsa-sha2-nistp521",
                                          "ssh-rsa",
                                          "sk-ssh-ed25519@openssh.com",
                                          "sk-ecdsa-sha2-nistp256@openssh.com"};

bool starts_as_key(std::string_view text) {
  for (std::string_view type : kKeyTypes)
    if (text.starts_with(type) && text.size() > type.size() && text[type.size()] == ' ') return true;
  return false;
}

std::vector<std::string_view> key_lines(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line);
    if (!line.empty() && line[0] != '#') out.push_back(line);
  }
  return out;
}

}  // namespace

std::string public_key_problem(std::string_view text) {
  if (text.find("PRIVATE KEY") != std::string_view::npos)
    return "is a private key, which must not leave your machine; name the public one";
  auto lines = key_lines(text);
  if (lines.empty()) return "holds no key";
  if (lines.size() > 1) return fmt::format("holds {} keys; give each its own file or line", lines.size());
  if (lines[0].starts_with("ssh-dss"))
    return "is a DSA key, which no current server accepts; make an ed25519 key";
  if (!starts_as_key(lines[0]))
    return "is no public key: one starts with ssh-ed25519, ecdsa-sha2-nistp256 or ssh-rsa";
  auto words = split(lines[0], ' ');
  auto blob = base64_decode(words[1]);
  // RFC 4253 6.6: the blob repeats the type after a length of four bytes.
  bool fits = blob && blob->size() > 4 + words[0].size() &&
              std::string_view(*blob).substr(4, words[0].size()) == words[0];
  return fits ? "" : "is cut short or damaged: its second word is not the key it says it is";
}

void NamedFiles::read(Notebook& nb, const Node& merged) {
  read_file(nb.setup.script, "setup.script", merged);
  read_file(nb.setup.shutdown_script, "setup.shutdown_script", merged);
  read_file(nb.setup.conda, "setup.conda", merged);
  read_file(nb.setup.requirements, "setup.requirements", merged);
  if (!nb.access.ssh.keys.set()) return;
  const Node* keys = merged.at_path("access.ssh.keys");
  if (keys == nullptr || keys->broken) return;
  auto& list = nb.access.ssh.keys.get();
  for (std::size_t i = 0; i < list.size() && i < keys->items.size(); ++i)
    read_key(list[i], keys->items[i].at);
}

void NamedFiles::read_file(Setting<FileRef>& ref, const char* path, const Node& merged) {
  const Node* node = ref.set() ? merged.at_path(path) : nullptr;
  if (node == nullptr || node->broken) return;
  FileRef& file = ref.get();
  auto resolved = access_.resolve(file.path, node->at);
  const std::string* text = resolved ? access_.text(*resolved, file.path, node->at) : nullptr;
  if (text == nullptr) return;
  file.resolved = access_.shown(*resolved);
  file.text = *text;
  if (file.text.size() > kScript)
    report_.error(node->at, "File too large",
                  fmt::format("`{}` may have 256 KiB; it has {} bytes.", file.path, file.text.size()));
  else if (!valid_utf8(file.text) || file.text.find('\0') != std::string::npos)
    report_.error(node->at, "Not a text", fmt::format("`{}` is not a UTF-8 text.", file.path));
}

void NamedFiles::read_key(SshKey& key, Span at) {
  key.from_home = key.written.starts_with("~/");
  auto known = keys_.find({at.file, key.written});
  if (known != keys_.end()) return void(key.line = known->second);
  std::string literal = key.written;
  bool is_path = !starts_as_key(key.written) && key.written.find("PRIVATE KEY") == std::string::npos;
  const std::string* text = is_path ? key_text(key, at) : &literal;
  if (text == nullptr || (key.from_home && text->empty())) return;
  std::string problem = public_key_problem(*text);
  if (problem.empty()) {
    key.line = std::string(key_lines(*text)[0]);
    keys_.emplace(std::pair(at.file, key.written), key.line);
    return;
  }
  bool is_private = text->find("PRIVATE KEY") != std::string::npos;
  std::string name = is_path ? fmt::format("`{}`", key.written) : "This";
  report_.error(at, is_private ? "Private key" : "Not a public key", fmt::format("{} {}.", name, problem),
                is_path && is_private ? fmt::format("  {}.pub", key.written) : "");
}

const std::string* NamedFiles::key_text(const SshKey& key, Span at) {
  if (!key.from_home) {
    auto path = access_.resolve(key.written, at);
    return path ? access_.text(*path, key.written, at) : nullptr;
  }
  if (access_.sources().home.empty()) {
    report_.error(at, "No home directory",
                  fmt::format("`{}` is below the home directory, but HOME is not set.", key.written));
    return nullptr;
  }
  std::string path = (std::filesystem::path(access_.sources().home) / key.written.substr(2))
                         .lexically_normal()
                         .generic_string();
  return access_.home_text(path, key.written, at);
}

std::optional<SshKey> default_ssh_key(FileAccess& access) {
  if (access.sources().home.empty()) return std::nullopt;
  std::optional<SshKey> found;
  for (const char* name : {"id_ed25519.pub", "id_ecdsa.pub", "id_rsa.pub"}) {
    SshKey key{std::string("~/.ssh/") + name, "", true};
    std::string path = access.sources().home + "/.ssh/" + name;
    if (access.sources().unreadable.count(path) != 0) continue;
    const std::string* text = access.home_text(path, key.written, {});
    if (text == nullptr || found || !public_key_problem(*text).empty()) continue;
    key.line = std::string(key_lines(*text)[0]);
    found = key;
  }
  return found;
}

}  // namespace nbform
