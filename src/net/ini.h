// INI files as AWS's tools write them: sections, "key = value", and indented lines below a key that continue
// its value or, where it has none, are keys of their own. Strict, and knows no section and no key. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/crypto.h"
#include "base/result.h"

namespace nbform {

struct IniSetting {
  Secret value;  // further lines after '\n'; any value of such a file may be a credential
  std::map<std::string, std::string, std::less<>> nested;
  Mark mark;
};

struct IniSection {
  std::string name;  // as written between the brackets, trimmed
  Mark mark;
  std::map<std::string, IniSetting, std::less<>> settings;  // by lower-case key

  const IniSetting* find(std::string_view key) const;
  std::string text(std::string_view key) const;  // "" where absent
  bool has(std::string_view key) const { return find(key) != nullptr; }
};

// Lines that begin with '#' or ';' are comments; a value has none behind it. Errors (usage) with file and
// line, never with the line's text: not a section nor a setting, a section or a key twice, a setting before
// the first section.
Result<std::vector<IniSection>> parse_ini(std::string_view text, const std::string& file);

}  // namespace nbform
