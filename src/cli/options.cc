#include "cli/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <set>

#include "base/text.h"
#include "cli/shell.h"

namespace nbform::cli {

void Flags::flag(const std::string& names, bool& into, const std::string& help) {
  app_.add_flag(names, into, help);
}

void Flags::text(const std::string& names, std::string& into, const std::string& placeholder,
                 const std::string& help) {
  app_.add_option(names, into, help)->type_name(placeholder);
}

void Flags::texts(const std::string& names, std::vector<std::string>& into, const std::string& placeholder,
                  const std::string& help) {
  app_.add_option(names, into, help)->type_name(placeholder)->allow_extra_args(false);
}

void Flags::number(const std::string& names, int& into, int least, int most, const std::string& help) {
  app_.add_option(names, into, help)
      ->type_name("N")
      ->check(CLI::Range(least, most, "N"))
      ->capture_default_str();
}

void Flags::flag_or_file(const std::string& names, Output& into, const std::string& help) {
  app_.add_flag(names, into.to, help + "; =FILE writes it to a file");
}

void Flags::positional(const std::string& name, std::string& into, bool required, const std::string& help) {
  app_.add_option(name, into, help)->type_name("")->required(required);
}

void Flags::positionals(const std::string& name, std::vector<std::string>& into, bool required,
                        const std::string& help) {
  app_.add_option(name, into, help)->type_name("")->required(required);
}

void Flags::rest(const std::string& name, std::vector<std::string>& into, const std::string& help) {
  positionals(name, into, false, help);
  rest_ = &into;
}

Flags Flags::verb(const std::string& name, const std::string& help, std::function<void()> on_chosen) {
  CLI::App* verb = app_.add_subcommand(name, help);
  verb->callback(std::move(on_chosen));
  verb->fallthrough();  // flags of the command may follow the verb
  app_.require_subcommand(1);
  return Flags(*verb);
}

namespace {

std::string base_name(const std::string& path) {
  return std::string(last_segment(path));
}

// `-auto-approve` and `-target=x` as Terraform spells them: two dashes where the command knows the long name.
std::string with_two_dashes(const std::string& word, const std::set<std::string>& long_names) {
  if (word.size() < 3 || word[0] != '-' || word[1] == '-') return word;
  std::string name =
      word.substr(1, word.find('=') == std::string::npos ? std::string::npos : word.find('=') - 1);
  return long_names.count(name) != 0 ? "-" + word : word;
}

void collect_long_names(const CLI::App& app, std::set<std::string>& names) {
  for (const CLI::Option* option : app.get_options())
    names.insert(option->get_lnames().begin(), option->get_lnames().end());
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    collect_long_names(*verb, names);
}

std::string main_help(const std::vector<const Command*>& commands) {
  std::string out =
      "nbform keeps cloud notebooks (Jupyter on a VM) as they are declared in the *.nb.yaml files of a "
      "directory.\n\n"
      "Usage: nbform COMMAND [DIRECTORY] [FLAGS]      nbplan = nbform plan, nbapply = nbform apply\n";
  std::string_view group;
  for (const Command* command : commands) {
    if (command->group != group) out += fmt::format("\n{}\n", group = command->group);
    out += fmt::format("  {:<10} {}\n", command->name, command->summary);
  }
  return out +
         "\nnbform COMMAND --help shows its flags and an example. Without an account: nbform plan "
         "--sandbox\n";
}

std::string command_footer(const Command& command) {
  std::string out = "Example:\n";
  for (std::string_view line : split(command.example, '\n')) out += fmt::format("  {}\n", line);
  return out;
}

Parsed refuse(const std::string& why, const std::string& help_command) {
  Parsed parsed;
  parsed.err = fmt::format("error: {}\n    {} shows what can be said.\n", why, help_command);
  parsed.exit_code = kError;
  return parsed;
}

Parsed no_such_command(const std::string& word, const std::vector<const Command*>& commands) {
  std::vector<std::string_view> names;
  for (const Command* command : commands) names.push_back(command->name);
  std::string_view close = nearest(word, names);
  std::string guess = close.empty() ? "" : fmt::format(" Did you mean {}?", close);
  return refuse(fmt::format("There is no command {}.{}", printable(word), guess), "nbform --help");
}

// " Did you mean --target?" for the first flag that there is not.
std::string guess_at_flag(const std::vector<std::string>& words, const std::set<std::string>& long_names) {
  std::vector<std::string_view> names(long_names.begin(), long_names.end());
  for (const std::string& word : words) {
    std::string name = word.substr(0, word.find('='));
    name.erase(0, std::min(name.find_first_not_of('-'), name.size()));
    if (!word.starts_with("-") || name.size() < 2 || long_names.count(name) != 0) continue;
    std::string_view close = nearest(name, names);
    return close.empty() ? "" : fmt::format(". Did you mean --{}?", close);
  }
  return {};
}

// Cuts off what stands after the first word that is neither a flag nor its value.
std::vector<std::string> cut_rest(const CLI::App& app, const std::set<std::string>& long_names,
                                  std::vector<std::string>& words) {
  std::size_t at = 0;
  for (; at < words.size() && words[at].size() > 1 && words[at][0] == '-' && words[at] != "--"; ++at) {
    const CLI::Option* flag = app.get_option_no_throw(with_two_dashes(words[at], long_names));
    if (flag != nullptr && flag->get_items_expected_max() > 0) ++at;
  }
  if (at < words.size() && words[at] == "--") words.erase(words.begin() + static_cast<std::ptrdiff_t>(at));
  auto begin = words.begin() + static_cast<std::ptrdiff_t>(std::min(at + 1, words.size()));
  std::vector<std::string> rest(begin, words.end());
  words.erase(begin, words.end());
  if (!rest.empty() && rest.front() == "--") rest.erase(rest.begin());
  return rest;
}

Parsed parse_for(const Command& command, const std::string& program, std::vector<std::string> words) {
  CLI::App app{std::string(command.summary), program};
  app.footer(command_footer(command));
  Flags flags(app);
  Run run = command.declare(flags);
  app.set_help_flag("-h,--help", "Print this help");

  std::set<std::string> long_names;
  collect_long_names(app, long_names);
  std::vector<std::string> rest =
      flags.takes_rest() != nullptr ? cut_rest(app, long_names, words) : std::vector<std::string>();
  for (std::string& word : words) word = with_two_dashes(word, long_names);
  Parsed parsed;
  parsed.program = program;
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));  // CLI11 takes them from the back
    if (flags.takes_rest() != nullptr) *flags.takes_rest() = std::move(rest);
    parsed.run = std::move(run);
  } catch (const CLI::CallForHelp&) {
    parsed.out = app.help();
  } catch (const CLI::ExtrasError& failure) {
    return refuse(printable(failure.what()) + guess_at_flag(words, long_names), program + " --help");
  } catch (const CLI::Error& failure) {
    return refuse(printable(failure.what()), program + " --help");
  }
  return parsed;
}

}  // namespace

Parsed parse_command_line(const std::vector<std::string>& argv, const std::vector<const Command*>& commands) {
  std::string program = argv.empty() ? "nbform" : base_name(argv[0]);
  std::vector<std::string> words(argv.begin() + (argv.empty() ? 0 : 1), argv.end());
  if (program == "nbplan") words.insert(words.begin(), "plan");
  if (program == "nbapply") words.insert(words.begin(), "apply");
  bool linked = program == "nbplan" || program == "nbapply";
  if (words.empty() || words[0] == "-h" || words[0] == "--help" || words[0] == "-help" ||
      words[0] == "help") {
    Parsed parsed;
    (words.empty() ? parsed.err : parsed.out) = main_help(commands);
    parsed.exit_code = words.empty() ? kError : kFine;
    return parsed;
  }
  if (words[0] == "--version" || words[0] == "-version") words[0] = "version";
  for (const Command* command : commands)
    if (command->name == words[0])
      return parse_for(*command, linked ? program : "nbform " + words[0], {words.begin() + 1, words.end()});
  return no_such_command(words[0], commands);
}

}  // namespace nbform::cli
