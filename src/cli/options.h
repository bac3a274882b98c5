// What stands on a command line, declared once per command. A command file says its flags through Flags and
// gets back what to run; options.cc alone knows the parser (CLI11). Knows no cloud and no manifest.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
}

namespace nbform::cli {

struct Shell;

// --json, or --json=FILE.
struct Output {
  std::string to;  // "" = not asked for, "true" = stdout, else a file

  bool asked() const { return !to.empty(); }
  bool to_stdout() const { return to == "true"; }
};

// The flags of one command. `names` as in "-y,--auto-approve"; a positional's name has no dash. What is bound
// must outlive the parsing.
class Flags {
 public:
  explicit Flags(CLI::App& app) : app_(app) {}

  void flag(const std::string& names, bool& into, const std::string& help);
  void text(const std::string& names, std::string& into, const std::string& placeholder,
            const std::string& help);
  void texts(const std::string& names, std::vector<std::string>& into, const std::string& placeholder,
             const std::string& help);
  void number(const std::string& names, int& into, int least, int most, const std::string& help);
  void flag_or_file(const std::string& names, Output& into, const std::string& help);
  void positional(const std::string& name, std::string& into, bool required, const std::string& help);
  void positionals(const std::string& name, std::vector<std::string>& into, bool required,
                   const std::string& help);
  // All words after the first positional, as they are; flags stand before it then.
  void rest(const std::string& name, std::vector<std::string>& into, const std::string& help);
  std::vector<std::string>* takes_rest() const { return rest_; }
  // A verb below this command; `on_chosen` runs when it is the one given.
  Flags verb(const std::string& name, const std::string& help, std::function<void()> on_chosen);

 private:
  CLI::App& app_;
  std::vector<std::string>* rest_ = nullptr;
};

using Run = std::function<int(Shell&)>;  // gives the exit code

struct Command {
  std::string_view name;
  std::string_view group;    // heading of `nbform --help`
  std::string_view summary;  // one line: what it does
  std::string_view example;  // one or more command lines
  Run (*declare)(Flags& flags);
};

// What was asked for: a command's Run, or a text to print (help) with its exit code.
struct Parsed {
  Run run;
  std::string program;  // as the user would say it: "nbplan", "nbform apply"
  std::string out, err;
  int exit_code = 0;
};

// `argv[0]` nbplan or nbapply stands for `nbform plan` or `nbform apply`. Long flags may be written with one
// dash.
Parsed parse_command_line(const std::vector<std::string>& argv, const std::vector<const Command*>& commands);

}  // namespace nbform::cli
