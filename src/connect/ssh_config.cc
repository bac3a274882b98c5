#include "connect/ssh_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace nbform {

namespace {

constexpr std::string_view kMark = "# notebook ";
constexpr std::string_view kPlain =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=:,@%";

bool is_plain(std::string_view word) {
  return !word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos;
}

// ssh expands % in most values.
std::string without_tokens(std::string_view text) {
  std::string out;
  for (char c : text) out += c == '%' ? std::string("%%") : std::string(1, c);
  return out;
}

// A line has no way to write a control character.
bool fits_a_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

Diagnostic not_expressible(std::string_view path) {
  return error(Code::usage, "A path that ssh's configuration cannot express",
               fmt::format("{} holds a control character or ${{.", printable(path)))
      .with_hint("Rename it, or work from another directory.");
}

// A path as ssh_config(5) reads it: % and quotes escaped; what looks like a variable has no escape.
Result<std::string> path_value(const std::string& path) {
  if (!fits_a_line(path) || path.find("${") != std::string::npos) return not_expressible(path);
  std::string whole = without_tokens(path);
  if (is_plain(whole)) return whole;
  std::string out = "\"";
  for (char c : whole) out += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return out + "\"";
}

// ssh hands the line to the user's shell.
Result<std::string> command_value(const std::vector<std::string>& words) {
  std::vector<std::string> quoted;
  for (const std::string& word : words) {
    if (!fits_a_line(word)) return not_expressible(word);
    quoted.push_back(shell_quoted(word));
  }
  return without_tokens(join(quoted, " "));
}

}  // namespace

std::string shell_quoted(std::string_view word) {
  if (is_plain(word)) return std::string(word);
  std::string out = "'";
  for (char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

Result<SshKeywords> ssh_keywords(const SshHost& host) {
  SshKeywords out;
  if (!host.address.empty()) out.emplace_back("HostName", host.address);
  out.emplace_back("User", host.user);
  out.emplace_back("Port", std::to_string(host.port));
  for (const std::string& key : host.key_files) out.emplace_back("IdentityFile", NB_TRY(path_value(key)));
  if (host.only_these_keys) out.emplace_back("IdentitiesOnly", "yes");
  out.emplace_back("HostKeyAlias", host.machine_id);
  out.emplace_back("UserKnownHostsFile", NB_TRY(path_value(host.known_hosts)));
  out.emplace_back("GlobalKnownHostsFile", "/dev/null");
  out.emplace_back("StrictHostKeyChecking", "yes");
  out.emplace_back("CheckHostIP", "no");
  out.emplace_back("UpdateHostKeys", "no");
  if (!host.stream.empty()) out.emplace_back("ProxyCommand", NB_TRY(command_value(host.stream)));
  return out;
}

Result<std::string> host_block(const SshHost& host) {
  std::string out = fmt::format("{}{}\nHost {}\n", kMark, host.notebook, join(host.names, " "));
  for (const auto& [keyword, value] : NB_TRY(ssh_keywords(host)))
    out += fmt::format("  {} {}\n", keyword, value);
  return out;
}

std::map<std::string, std::string> blocks_in(std::string_view file) {
  std::map<std::string, std::string> out;
  std::string* block = nullptr;
  for (std::string_view line : split(file, '\n')) {
    if (line.starts_with(kMark)) block = &(out[std::string(trim(line.substr(kMark.size())))] = "");
    if (line.empty()) block = nullptr;
    if (block != nullptr) *block += std::string(line) + "\n";
  }
  return out;
}

std::vector<std::string> hosts_in(std::string_view file) {
  std::vector<std::string> out;
  for (std::string_view line : split(file, '\n'))
    if (line.starts_with("Host "))
      for (std::string_view name : split(line.substr(5), ' '))
        if (!name.empty()) out.emplace_back(name);
  return out;
}

}  // namespace nbform
