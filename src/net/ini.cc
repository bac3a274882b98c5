#include "net/ini.h"

#include <fmt/format.h>

#include "base/text.h"

namespace nbform {

namespace {

class Parser {
 public:
  explicit Parser(const std::string& file) : file_(file) {}

  Result<> line(std::string_view line, int number) {
    std::string_view text = trim(line);
    mark_ = {.file = file_, .line = number, .column = 1};
    if (text.empty() || text.front() == '#' || text.front() == ';') return Ok{};
    std::size_t indent = line.find_first_not_of(" \t");
    if (setting_ != nullptr && indent > indent_) return continued(text);
    indent_ = indent;
    return text.front() == '[' ? section(text) : setting(text);
  }

  std::vector<IniSection> take() { return std::move(sections_); }

 private:
  Diagnostic broken(std::string why) const {
    return error(Code::usage, "A configuration file cannot be read",
                 fmt::format("{}:{}: {}", file_, mark_.line, why))
        .at(mark_);
  }

  Result<> section(std::string_view text) {
    auto close = text.rfind(']');
    std::string_view rest = close == std::string_view::npos ? text : trim(text.substr(close + 1));
    if (!rest.empty() && rest.front() != '#' && rest.front() != ';')
      return broken("a section must end with ']'.");
    std::string name(trim(text.substr(1, close - 1)));
    if (name.empty()) return broken("a section must have a name.");
    for (const IniSection& other : sections_)
      if (other.name == name)
        return broken(fmt::format("the section [{}] stands here again, first in line {}.", printable(name),
                                  other.mark.line));
    sections_.push_back({std::move(name), mark_, {}});
    setting_ = nullptr;
    return Ok{};
  }

  Result<> setting(std::string_view text) {
    if (sections_.empty()) return broken("there is no [section] above this line.");
    auto equals = text.find('=');
    std::string key = to_lower(trim(text.substr(0, equals)));
    if (equals == std::string_view::npos || key.empty())
      return broken("this is not of the form key = value.");
    auto [at, fresh] = sections_.back().settings.try_emplace(key);
    if (!fresh)
      return broken(fmt::format("the key {} stands here again, first in line {}.", printable(key),
                                at->second.mark.line));
    at->second.value = Secret(std::string(trim(text.substr(equals + 1))));
    at->second.mark = mark_;
    setting_ = &at->second;
    return Ok{};
  }

  // A nested key where the key above has no value of its own, else a further line of that value.
  Result<> continued(std::string_view text) {
    if (!setting_->value.empty()) {
      setting_->value = Secret(setting_->value.reveal() + "\n" + std::string(text));
      return Ok{};
    }
    auto equals = text.find('=');
    std::string key = to_lower(trim(text.substr(0, equals)));
    if (equals == std::string_view::npos || key.empty())
      return broken("this is not of the form key = value.");
    if (!setting_->nested.emplace(key, trim(text.substr(equals + 1))).second)
      return broken(fmt::format("the key {} stands here again.", printable(key)));
    return Ok{};
  }

  const std::string& file_;
  std::vector<IniSection> sections_;
  IniSetting* setting_ = nullptr;  // the one that an indented line belongs to
  std::size_t indent_ = 0;
  Mark mark_;
};

}  // namespace

const IniSetting* IniSection::find(std::string_view key) const {
  auto at = settings.find(key);
  return at == settings.end() ? nullptr : &at->second;
}

std::string IniSection::text(std::string_view key) const {
  const IniSetting* setting = find(key);
  return setting == nullptr ? "" : setting->value.reveal();
}

Result<std::vector<IniSection>> parse_ini(std::string_view text, const std::string& file) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Parser parser(file);
  int number = 0;
  for (std::string_view line : split(text, '\n')) NB_TRY(parser.line(line, ++number));
  return parser.take();
}

}  // namespace nbform
