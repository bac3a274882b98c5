// What a connection is doing, for a person: a line for each stage when it is over, one for what is waited
// for. Talk goes to stderr; stdout gets the URL alone. Knows no tunnel and no cloud.
#pragma once

#include <string>

#include "cli/screen.h"
#include "connect/connection.h"

namespace nbform::cli {

// "  ssh        nbform@203.0.113.7 port 22                 0.9 s". Pure; `took` < 0: it is still waited for.
std::string stage_line(std::string_view stage, const std::string& text, Duration took, const Style& style);

class ConnectScreen {
 public:
  ConnectScreen(Screen& screen, Env& env) : screen_(screen), env_(env), stage_began_(env.now()) {}

  void show(const ConnectEvent& event);

 private:
  void stage(std::string_view name, const ConnectEvent& event);
  void retry(const ConnectEvent& event);
  void stamped(const std::string& line);

  Screen& screen_;
  Env& env_;
  Time stage_began_;
  bool interrupted_ = false;
  std::string reason_;  // why it was interrupted, as last told
};

}  // namespace nbform::cli
