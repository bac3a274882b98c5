// The user data of an instance: what each of its boots takes from the manifest. A boothook, which cloud-init
// runs at every boot, puts the ssh keys and the setup script where every boot runs them; keys of a person's
// own home go as cloud-config, which only the first boot reads.
#include <fmt/format.h>

#include <algorithm>

#include "base/crypto.h"
#include "base/text.h"
#include "cloud/ec2/lower_parts.h"

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

// A shell command that writes `text` to $dir/`name`. The mark at its end is made of the text, so that no line
// of it is taken for the end.
std::string write_file(std::string_view name, std::string_view text) {
  std::string mark = "NBFORM-" + digest16(text);
  std::string_view newline = text.ends_with('\n') ? "" : "\n";
  return fmt::format("cat > \"$dir/{}\" <<'{}'\n{}{}{}\n", name, mark, text, newline, mark);
}

// The login of cloud images has the first user id of people. Lines of the key pair that the launch installed
// are called as it is.
constexpr std::string_view kKeysScript = R"(#!/bin/sh
# The ssh keys of the manifest: lines of nbform come and go, all others stay.
set -eu
login=$(getent passwd 1000 | cut -d: -f1)
home=$(getent passwd 1000 | cut -d: -f6)
keys=$home/.ssh/authorized_keys
mkdir -p "$home/.ssh"
touch "$keys"
grep -v ' nbform[:-][^ ]*$' "$keys" > "$keys.nbform" || true
cat >> "$keys.nbform" <<'KEYS'
)";
constexpr std::string_view kKeysScriptEnd = R"(KEYS
chmod 700 "$home/.ssh"
chmod 600 "$keys.nbform"
chown "$login:" "$home/.ssh" "$keys.nbform"
mv "$keys.nbform" "$keys"
)";

std::string keys_script(const std::vector<std::string>& keys, std::string_view stack) {
  std::string text(kKeysScript);
  for (const std::string& key : keys) text += fmt::format("{} nbform:{}\n", key, stack);
  return text + std::string(kKeysScriptEnd);
}

std::string boothook(std::string_view script, const std::vector<std::string>& keys, std::string_view stack) {
  std::string text =
      "#cloud-boothook\n#!/bin/sh\n"
      "# Every boot takes the ssh keys and the setup of the manifest anew.\n"
      "dir=/var/lib/cloud/scripts/per-boot\n"
      "mkdir -p \"$dir\"\n"
      "rm -f \"$dir\"/nbform-*\n";
  if (!keys.empty()) text += write_file("nbform-1-ssh-keys", keys_script(keys, stack));
  if (!script.empty()) text += write_file("nbform-2-setup", script);
  return text + "chmod 755 \"$dir\"/nbform-*\n";
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

// One text goes as it is; of two cloud-init reads a MIME archive.
std::string user_data(const std::string& hook, const std::string& config) {
  if (hook.empty() || config.empty()) return hook + config;
  return "Content-Type: multipart/mixed; boundary=\"==nbform==\"\nMIME-Version: 1.0\n\n" +
         part("text/cloud-config", config) + part("text/cloud-boothook", hook) + "--==nbform==--\n";
}

}  // namespace

BootData boot_data_of(const Notebook& n, const LowerContext& context) {
  BootData out;
  std::string_view script =
      n.setup.script.set() ? std::string_view(n.setup.script->text) : std::string_view();
  Keys keys = keys_of(n, context);
  std::string hook, config;
  if (!script.empty() || !keys.declared.empty()) {
    hook = boothook(script, keys.declared, context.manifest->stack.label());
    out.digest = digest16(fmt::format("{}\n{}", fmt::join(keys.declared, "\n"), script));
  }
  auto pair = std::find_if(keys.declared.begin(), keys.declared.end(), is_importable);
  if (pair != keys.declared.end()) out.pair_key = *pair;
  if (n.access.ssh.keys.absent() && !keys.home.empty())
    out.default_key = context.default_keys.front().written;
  if (!keys.home.empty()) config = cloud_config(keys.home);
  out.text = user_data(hook, config);
  return out;
}

}  // namespace nbform::ec2
