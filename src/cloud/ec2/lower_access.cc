#include <fmt/format.h>

#include <algorithm>

#include "base/crypto.h"
#include "base/text.h"
#include "cloud/ec2/lower_parts.h"
#include "cloud/ec2/rules.h"

namespace nbform::ec2 {

namespace {

// "ssh-ed25519 AAAA...", without its comment, which may differ from machine to machine.
std::string bare_key(std::string_view line) {
  std::vector<std::string_view> words = split(trim(line), ' ');
  return words.size() > 1 ? fmt::format("{} {}", words[0], words[1]) : std::string(words[0]);
}

bool is_importable(std::string_view key) {
  return key.starts_with("ssh-ed25519 ") || key.starts_with("ssh-rsa ");
}

struct Keys {
  std::vector<std::string> declared, home;
};

Keys keys_of(const Notebook& n, const LowerContext& context) {
  Keys keys;
  if (n.access.ssh.keys.absent()) {
    if (!context.default_keys.empty()) keys.home.push_back(bare_key(context.default_keys.front().line));
    return keys;
  }
  for (const SshKey& key : n.access.ssh.keys.value_or({}))
    if (!key.line.empty()) (key.from_home ? keys.home : keys.declared).push_back(bare_key(key.line));
  return keys;
}

std::string cloud_config(const std::vector<std::string>& keys) {
  std::string text = "#cloud-config\nssh_authorized_keys:\n";
  for (const std::string& key : keys) text += fmt::format("  - {}\n", key);
  return text;
}

std::string part(std::string_view type, std::string_view text) {
  return fmt::format("--==nbform==\nContent-Type: {}; charset=\"utf-8\"\nMIME-Version: 1.0\n\n{}\n", type,
                     text);
}

// A script alone goes as it is; with keys beside it cloud-init reads a MIME archive.
std::string user_data(std::string_view script, const std::vector<std::string>& keys) {
  if (keys.empty()) return std::string(script);
  if (script.empty()) return cloud_config(keys);
  return "Content-Type: multipart/mixed; boundary=\"==nbform==\"\nMIME-Version: 1.0\n\n" +
         part("text/cloud-config", cloud_config(keys)) + part("text/x-shellscript", script) +
         "--==nbform==--\n";
}

// One address is a range of one.
std::string range_of(std::string_view from) {
  if (from.find('/') != std::string_view::npos) return to_lower(from);
  return fmt::format("{}/{}", to_lower(from), from.find(':') == std::string_view::npos ? 32 : 128);
}

}  // namespace

BootData boot_data_of(const Notebook& n, const LowerContext& context) {
  BootData out;
  std::string_view script =
      n.setup.script.set() ? std::string_view(n.setup.script->text) : std::string_view();
  Keys keys = keys_of(n, context);
  if (!script.empty() || !keys.declared.empty()) out.digest = digest16(user_data(script, keys.declared));
  auto pair = std::find_if(keys.declared.begin(), keys.declared.end(), is_importable);
  if (pair != keys.declared.end()) {
    out.pair_key = *pair;
    keys.declared.erase(pair);
  }
  if (n.access.ssh.keys.absent() && !keys.home.empty())
    out.default_key = context.default_keys.front().written;
  keys.declared.insert(keys.declared.end(), keys.home.begin(), keys.home.end());
  out.text = user_data(script, keys.declared);
  return out;
}

List ingress_rules(const Access& access) {
  List rules;
  std::int64_t port = access.ssh.port.value_or(22);
  for (const std::string& from : access.ssh.allow_from.value_or({}))
    if (from != "me") rules.emplace_back(rule_text("tcp", port, port, range_of(from)));
  for (std::int64_t open : access.public_ports.value_or({}))
    for (const char* everybody : {"0.0.0.0/0", "::/0"})
      rules.emplace_back(rule_text("tcp", open, open, everybody));
  std::sort(rules.begin(), rules.end(),
            [](const Value& a, const Value& b) { return a.as_text() < b.as_text(); });
  return rules;
}

}  // namespace nbform::ec2
