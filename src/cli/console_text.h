// The console of a machine for a person: whole lines, of which nothing steers a terminal, and of which none
// comes twice. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nbform::cli {

// One line without colours, cursor movements and titles; what else would steer a terminal becomes visible.
std::string plain_line(std::string_view line);

// What a later reading of the last bytes of a console has beyond an earlier one.
std::string_view beyond(std::string_view before, std::string_view now);

class ConsoleLines {
 public:
  // The whole lines that have come together, made plain; the rest is kept.
  std::vector<std::string> take(std::string_view text);
  // The line that has not ended; "" where there is none.
  std::string rest();

 private:
  std::string unfinished_;
  bool returned_ = false;  // a CR has just ended a line
};

}  // namespace nbform::cli
