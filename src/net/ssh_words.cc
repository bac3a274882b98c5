#include "net/ssh_words.h"

#include "base/text.h"

namespace nbform {

namespace {

struct Wording {
  std::string_view part;
  SshProblem problem;
};

// The first one that the line contains decides.
constexpr Wording kWordings[] = {
    {"open failed: administratively prohibited", SshProblem::forwarding_forbidden},
    {"open failed: connect failed", SshProblem::target_refused},
    {"open failed: ", SshProblem::target_refused},
    {"Permission denied (", SshProblem::auth_refused},
    {"Too many authentication failures", SshProblem::auth_refused},
    {"Host key verification failed", SshProblem::host_key_refused},
    {"Unable to negotiate with", SshProblem::no_common_algorithm},
    {"Load key ", SshProblem::key_unusable},
    {"are too open", SshProblem::key_unusable},
    {"Bad configuration option", SshProblem::needs_system_ssh},
    {"not responding", SshProblem::lost},
    {"kex_exchange_identification: ", SshProblem::lost},
    {"onnection closed by", SshProblem::lost},
    {"onnection reset by", SshProblem::lost},
    {"closed by remote host", SshProblem::lost},
    {"Broken pipe", SshProblem::lost},
    {"Received disconnect from", SshProblem::lost},
};

std::vector<std::string> methods_in(std::string_view line) {
  auto begin = line.find('('), end = line.find(')');
  std::vector<std::string> out;
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return out;
  for (std::string_view method : split(line.substr(begin + 1, end - begin - 1), ','))
    out.emplace_back(method);
  return out;
}

int weight(SshProblem problem) {
  switch (problem) {
    case SshProblem::lost:
      return 0;
    case SshProblem::key_unusable:  // often followed by the refusal that it led to
      return 2;
    default:
      return 1;
  }
}

}  // namespace

std::optional<SshRemark> read_ssh_words(std::string_view line) {
  line = trim(line);
  for (const Wording& wording : kWordings) {
    if (line.find(wording.part) == std::string_view::npos) continue;
    SshRemark out{wording.problem, std::string(line)};
    if (out.problem == SshProblem::auth_refused) out.methods = methods_in(line);
    return out;
  }
  return std::nullopt;
}

bool explains_more(const SshRemark& a, const SshRemark& than) {
  return weight(a.problem) >= weight(than.problem);
}

}  // namespace nbform
