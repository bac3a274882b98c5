#include "net/ssh.h"

#include "base/crypto.h"
#include "base/text.h"

namespace nbform {

std::string HostKey::fingerprint() const {
  std::string text = base64(sha256(blob));
  while (text.ends_with('=')) text.pop_back();
  return "SHA256:" + text;
}

std::string HostKey::text() const {
  return type + " " + base64(blob);
}

std::optional<HostKey> parse_host_key(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::string_view word : split(trim(text), ' '))
    if (!word.empty()) words.push_back(word);
  if (words.size() < 2) return std::nullopt;
  auto blob = base64_decode(words[1]);
  const std::string type(words[0]);
  // The blob begins with its type as an SSH string.
  const std::string head = {0, 0, 0, static_cast<char>(type.size())};
  if (!blob || type.size() > 100 || !blob->starts_with(head + type)) return std::nullopt;
  return HostKey{type, *blob};
}

std::string_view problem_name(SshProblem problem) {
  switch (problem) {
    case SshProblem::unreachable:
      return "unreachable";
    case SshProblem::refused:
      return "refused";
    case SshProblem::timed_out:
      return "timed out";
    case SshProblem::not_ssh:
      return "not SSH";
    case SshProblem::no_common_algorithm:
      return "no common algorithm";
    case SshProblem::host_key_refused:
      return "host key refused";
    case SshProblem::auth_refused:
      return "sign-in refused";
    case SshProblem::key_unusable:
      return "key unusable";
    case SshProblem::needs_system_ssh:
      return "needs the system's ssh";
    case SshProblem::lost:
      return "connection lost";
    case SshProblem::target_refused:
      return "nothing listens there";
    case SshProblem::forwarding_forbidden:
      return "forwarding forbidden";
  }
  bug("a problem of SSH without a name");
}

bool passes_by_itself(SshProblem problem) {
  return problem == SshProblem::unreachable || problem == SshProblem::refused ||
         problem == SshProblem::timed_out || problem == SshProblem::lost;
}

}  // namespace nbform
