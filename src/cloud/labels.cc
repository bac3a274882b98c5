#include "cloud/labels.h"

#include <algorithm>

#include "base/crypto.h"

namespace nbform::labels {

bool is_own(std::string_view key) {
  return key.starts_with("nbform-");
}

void write_owner(Map& labels, const Owner& owner) {
  labels.set(kStack, owner.stack);
  labels.set(kNotebook, owner.notebook);
  labels.set(kPart, owner.part);
}

Owner read_owner(const Map& labels) {
  auto text = [&](std::string_view key) {
    const Value* value = labels.find(key);
    return value != nullptr ? std::string(value->as_text()) : std::string();
  };
  return {text(kStack), text(kNotebook), text(kPart)};
}

std::string label_text(std::string_view text) {
  bool fits = text.size() <= 63 && std::all_of(text.begin(), text.end(), [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
              });
  return fits ? std::string(text) : digest16(text);
}

}  // namespace nbform::labels
