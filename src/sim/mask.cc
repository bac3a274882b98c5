#include "sim/mask.h"

#include <fmt/format.h>

#include "sim/api.h"
#include "sim/refusal.h"

namespace nbform::sim {

class MaskParser {
 public:
  explicit MaskParser(std::string_view text) : text_(text) {}

  Result<Mask> whole(std::string_view message) {
    Mask mask;
    NB_TRY(list(mask, message, 0));
    if (at_ != text_.size()) return bad(text_.substr(at_));
    return mask;
  }

 private:
  Diagnostic bad(std::string_view what) const {
    return refuse("invalidParameter", fmt::format("Invalid field selection {}", what));
  }

  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  Result<> list(Mask& mask, std::string_view type, int depth) {
    do NB_TRY(path(mask, type, depth));
    while (take(','));
    return Ok{};
  }

  Result<> path(Mask& mask, std::string_view type, int depth) {
    auto end = std::min(text_.find_first_of(",()/", at_), text_.size());
    std::string_view name = text_.substr(at_, end - at_);
    if (name.empty() || depth > 20) return bad(text_);
    at_ = end;
    std::string_view below = NB_TRY(member(type, name));
    Mask& inner = mask.inner_[std::string(name)];
    if (take('/')) return path(inner, below, depth + 1);
    if (!take('(')) return Ok{};
    NB_TRY(list(inner, below, depth + 1));
    if (!take(')')) return bad(text_);
    return Ok{};
  }

  Result<std::string_view> member(std::string_view type, std::string_view name) const {
    while (type.starts_with('[')) type = element_type(type);
    if (type.starts_with('{')) return element_type(type);
    const Fields* fields = message(type);
    if (fields == nullptr) return bad(name);
    if (name == "*") return std::string_view("any");
    auto it = fields->find(name);
    if (it == fields->end()) return bad(name);
    return it->second;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Result<Mask> Mask::parse(std::string_view text, std::string_view message) {
  if (text.empty()) return Mask();
  return MaskParser(text).whole(message);
}

const Mask* Mask::below(std::string_view name) const {
  auto it = inner_.find(name);
  if (it == inner_.end()) it = inner_.find("*");
  return it == inner_.end() ? nullptr : &it->second;
}

const Mask& Mask::below_or_whole(std::string_view name) const {
  static const Mask whole;
  const Mask* found = inner_.empty() ? &whole : below(name);
  return found == nullptr ? whole : *found;
}

Value Mask::apply(const Value& value) const {
  if (whole()) return value;
  if (value.is_list()) {
    List out;
    for (const Value& item : value.as_list()) out.push_back(apply(item));
    return out;
  }
  if (!value.is_map()) return value;
  std::vector<Map::Item> out;
  for (const auto& [key, item] : value.as_map())
    if (const Mask* inner = below(key)) out.emplace_back(key, inner->apply(item));
  return Map::from(std::move(out));
}

}  // namespace nbform::sim
