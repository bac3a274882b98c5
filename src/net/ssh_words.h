// What the ssh program says on its error output, understood as far as a user needs it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/ssh.h"

namespace nbform {

struct SshRemark {
  SshProblem problem = SshProblem::lost;
  std::string text;                  // the program's words, without its decoration
  std::vector<std::string> methods;  // auth_refused: what the server would take
};

// None: nothing that matters. Wordings are those of OpenSSH 7 to 9.
std::optional<SshRemark> read_ssh_words(std::string_view line);

// Of all remarks about why it ended the one that explains most; of equals the last.
bool explains_more(const SshRemark& a, const SshRemark& than);

}  // namespace nbform
