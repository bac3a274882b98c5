// Source: google-guest-agent (metadata ssh-keys, expireOn).
#include "cloud/gce/connect_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/json.h"
#include "base/text.h"

namespace nbform::gce {

namespace {

constexpr std::string_view kExpiring = "google-ssh", kUserName = "nbform-connect";
constexpr std::array<std::string_view, 8> kTypes = {"ssh-ed25519",
                                                    "ssh-rsa",
                                                    "ssh-dss",
                                                    "ecdsa-sha2-nistp256",
                                                    "ecdsa-sha2-nistp384",
                                                    "ecdsa-sha2-nistp521",
                                                    "sk-ssh-ed25519@openssh.com",
                                                    "sk-ecdsa-sha2-nistp256@openssh.com"};

// RFC 3339, or with an offset without a colon: 2026-12-31T23:59:59+0000.
std::optional<Time> read_expiry(std::string_view text) {
  if (auto time = parse_rfc3339(text)) return time;
  std::string with_colon(text);
  if (with_colon.size() < 5) return std::nullopt;
  return parse_rfc3339(with_colon.insert(with_colon.size() - 2, ":"));
}

// The part before the first space; `text` goes on after it.
std::string_view take_word(std::string_view& text) {
  auto end = std::min(text.find(' '), text.size());
  std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

bool has_space(std::string_view text) {
  return text.find_first_of(" \t\r\n\v\f") != std::string_view::npos;
}

bool read_google_comment(std::string_view rest, KeyLine& out) {
  auto json = parse_json(trim(rest));
  if (!json.ok() || !json->is_map()) return false;
  out.until = read_expiry((*json)["expireOn"].as_text());
  out.of_connect = (*json)["userName"].as_text() == kUserName;
  return out.until.has_value();
}

}  // namespace

std::optional<KeyLine> read_key_line(std::string_view line) {
  line = trim(line);
  auto colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos || has_space(line.substr(0, colon))) return std::nullopt;
  KeyLine out{.user = std::string(line.substr(0, colon))};
  std::string_view rest = line.substr(colon + 1);
  std::string_view type = take_word(rest), blob = take_word(rest);
  if (blob.empty() || std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end()) return std::nullopt;
  out.key = fmt::format("{} {}", type, blob);
  rest = trim(rest);
  if (take_word(rest) != kExpiring) return out;
  return read_google_comment(rest, out) ? std::optional(std::move(out)) : std::nullopt;
}

std::string connect_line(std::string_view user, std::string_view key, Time until) {
  std::string end = format_rfc3339(Time::from_seconds(until.seconds()));
  end.replace(end.size() - 1, 1, "+0000");
  return fmt::format(R"({}:{} {} {{"userName":"{}","expireOn":"{}"}})", user, key, kExpiring, kUserName, end);
}

std::string with_connect_line(std::string_view all, std::string_view line, Time now) {
  auto added = read_key_line(line);
  auto goes = [&](std::string_view text) {
    auto old = read_key_line(text);
    if (!old || !old->of_connect) return false;
    return *old->until <= now || (added && old->user == added->user && old->key == added->key);
  };
  const bool ends = all.ends_with('\n');
  if (ends) all.remove_suffix(1);
  std::vector<std::string> lines;
  if (!all.empty() || ends)
    for (std::string_view text : split(all, '\n'))
      if (!goes(text)) lines.emplace_back(text);
  lines.emplace_back(line);
  return join(lines, "\n") + (ends ? "\n" : "");
}

bool lets_key_in(std::string_view all, std::string_view user, std::string_view key, Time until) {
  for (std::string_view text : split(all, '\n'))
    if (auto line = read_key_line(text);
        line && line->user == user && line->key == key && (!line->until || *line->until >= until))
      return true;
  return false;
}

}  // namespace nbform::gce
