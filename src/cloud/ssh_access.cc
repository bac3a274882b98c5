#include "cloud/ssh_access.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace nbform {

namespace {

constexpr std::string_view kBegin = "-----BEGIN SSH HOST KEY KEYS-----";
constexpr std::string_view kEnd = "-----END SSH HOST KEY KEYS-----";
constexpr std::string_view kOwn = "nbform-hostkey:";
constexpr std::string_view kTypes[] = {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
                                       "ecdsa-sha2-nistp521", "ssh-rsa"};

bool is_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
         c == '=';
}

// "ssh-ed25519 AAAA..." anywhere in a line; prefixes are those of the system log.
std::optional<std::string> key_in(std::string_view line) {
  for (std::string_view type : kTypes) {
    std::size_t at = line.find(std::string(type) + " AAAA");
    if (at == std::string_view::npos) continue;
    std::string_view blob = line.substr(at + type.size() + 1);
    auto end = std::find_if_not(blob.begin(), blob.end(), is_base64);
    return std::string(type) + " " + std::string(blob.begin(), end);
  }
  return std::nullopt;
}

std::vector<std::string> keys_in(std::string_view text, std::string_view marker) {
  std::vector<std::string> out;
  for (std::string_view line : split(text, '\n')) {
    if (line.find(marker) == std::string_view::npos) continue;
    auto key = key_in(line);
    if (key && std::find(out.begin(), out.end(), *key) == out.end()) out.push_back(*key);
  }
  return out;
}

}  // namespace

std::string SshAccess::address(const Live& machine) const {
  const Value* address = machine.attributes.find("address");
  return address != nullptr ? std::string(address->as_text()) : std::string();
}

std::vector<std::string> host_keys_in_console(std::string_view text) {
  std::size_t end = text.rfind(kEnd);
  std::size_t begin = end == std::string_view::npos ? end : text.rfind(kBegin, end);
  if (begin == std::string_view::npos) return keys_in(text, kOwn);
  return keys_in(text.substr(begin, end - begin), "");
}

}  // namespace nbform
