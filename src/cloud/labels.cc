#include "cloud/labels.h"

#include <algorithm>

#include "base/crypto.h"

namespace nbform::labels {

bool is_own(std::string_view key, Spelling spelling) {
  return key.starts_with(spelling.prefix);
}

void write_owner(Map& labels, const Owner& owner, Spelling spelling) {
  auto put = [&](std::string_view word, const std::string& value) {
    labels.set(std::string(spelling.prefix).append(word), value);
  };
  put("stack", owner.stack);
  put("notebook", owner.notebook);
  put("part", owner.part);
}

Owner read_owner(const Map& labels, Spelling spelling) {
  auto text = [&](std::string_view word) {
    const Value* value = labels.find(std::string(spelling.prefix).append(word));
    return value != nullptr ? std::string(value->as_text()) : std::string();
  };
  return {text("stack"), text("notebook"), text("part")};
}

std::string label_text(std::string_view text) {
  bool fits = text.size() <= 63 && std::all_of(text.begin(), text.end(), [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
              });
  return fits ? std::string(text) : digest16(text);
}

std::string h8(std::string_view text) {
  return digest16(text).substr(0, 8);
}

}  // namespace nbform::labels
