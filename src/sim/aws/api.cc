#include "sim/aws/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

namespace {

using Table = std::map<std::string_view, Members>;

Member read_member(std::string_view word) {
  auto colon = word.find(':');
  Member m{word.substr(0, colon), word.substr(colon + 1), false};
  m.required = m.name.ends_with('!');
  if (m.required) m.name.remove_suffix(1);
  return m;
}

Table read_table(std::string_view text) {
  Table out;
  Members* open = nullptr;
  constexpr std::string_view kBlank = " \n";
  for (auto at = text.find_first_not_of(kBlank); at != std::string_view::npos;) {
    auto end = std::min(text.find_first_of(kBlank, at), text.size());
    std::string_view word = text.substr(at, end - at);
    if (word == ";")
      open = nullptr;
    else if (open == nullptr)
      open = &out[word];
    else
      open->push_back(read_member(word));
    at = text.find_first_not_of(kBlank, end);
  }
  return out;
}

const Members& structure(std::string_view name) {
  static const Table all = read_table(kStructures);
  auto it = all.find(name);
  if (it == all.end()) bug("a structure that the tables do not have");
  return it->second;
}

const Member* find_member(const Members& members, std::string_view name) {
  auto it = std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.name == name; });
  return it == members.end() ? nullptr : &*it;
}

bool is_list(std::string_view type) {
  return type.starts_with('[');
}
std::string_view element(std::string_view type) {
  return type.substr(1, type.size() - 2);
}
bool is_structure(std::string_view type) {
  constexpr std::string_view kScalars[] = {"string", "boolean", "int", "double", "time", "blob"};
  return !is_list(type) && !type.starts_with('=') &&
         std::find(std::begin(kScalars), std::end(kScalars), type) == std::end(kScalars);
}

std::optional<Value> read_number(std::string_view text, std::string_view type) {
  if (type == "int") {
    std::int64_t n = 0;
    auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
    return ec == std::errc() && end == text.data() + text.size() ? std::optional<Value>(n) : std::nullopt;
  }
  double d = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), d);
  return ec == std::errc() && end == text.data() + text.size() ? std::optional<Value>(d) : std::nullopt;
}

std::optional<Value> read_scalar(std::string_view text, std::string_view type) {
  if (type == "int" || type == "double") return read_number(text, type);
  if (type == "boolean")
    return text == "true"    ? std::optional<Value>(true)
           : text == "false" ? std::optional<Value>(false)
                             : std::nullopt;
  if (type == "time") return parse_rfc3339(text) ? std::optional<Value>(text) : std::nullopt;
  if (type == "blob") return base64_decode(text) ? std::optional<Value>(text) : std::nullopt;
  if (!type.starts_with('=')) return Value(text);
  auto names = split(type.substr(1), '|');
  return std::find(names.begin(), names.end(), text) != names.end() ? std::optional<Value>(text)
                                                                    : std::nullopt;
}

// A form's names, taken apart at their dots.
struct Branch {
  std::optional<std::string> text;
  std::map<std::string, Branch, std::less<>> below;
};

Branch grow(const Query& form) {
  Branch root;
  for (const auto& [name, value] : form) {
    if (name == "Action" || name == "Version") continue;
    Branch* at = &root;
    for (std::string_view part : split(name, '.')) at = &at->below[std::string(part)];
    at->text = value;
  }
  return root;
}

Diagnostic unknown_parameter(std::string_view name) {
  return refuse("UnknownParameter", fmt::format("The parameter {} is not recognized", name));
}

class FormReader {
 public:
  explicit FormReader(std::string_view item) : item_(item) {}

  Result<Value> members(const Branch& branch, const Members& known, const std::string& at) const {
    Map out;
    for (const auto& [name, below] : branch.below) {
      const Member* member = find_member(known, name);
      if (member == nullptr) return unknown_parameter(at + name);
      Value value = NB_TRY(one(below, member->type, at + name));
      out.set(name, std::move(value));
    }
    for (const Member& m : known)
      if (m.required && !out.has(m.name))
        return refuse("MissingParameter",
                      fmt::format("The request must contain the parameter {}{}", at, m.name));
    return Value(std::move(out));
  }

 private:
  Result<Value> one(const Branch& branch, std::string_view type, const std::string& at) const {
    if (is_list(type)) return list(branch, element(type), at);
    if (is_structure(type)) {
      if (branch.text) return unknown_parameter(at);
      return members(branch, structure(type), at + ".");
    }
    if (!branch.below.empty()) return unknown_parameter(at + "." + branch.below.begin()->first);
    auto value = read_scalar(*branch.text, type);
    if (!value)
      return refuse("InvalidParameterValue",
                    fmt::format("Value ({}) for parameter {} is invalid.", *branch.text, at));
    return *std::move(value);
  }

  Result<Value> list(const Branch& branch, std::string_view type, const std::string& at) const {
    if (branch.text) {  // an empty list is sent as "Name=" in the older protocol
      if (!item_.empty() && branch.text->empty()) return Value(List());
      return unknown_parameter(at);
    }
    if (item_.empty()) return items(branch, type, at);
    auto inner = branch.below.find(item_);
    if (inner == branch.below.end() || branch.below.size() != 1) return unknown_parameter(at);
    return items(inner->second, type, at + "." + std::string(item_));
  }

  // Indices may have gaps; their order counts.
  Result<Value> items(const Branch& branch, std::string_view type, const std::string& at) const {
    std::map<std::int64_t, Value> found;
    for (const auto& [index, below] : branch.below) {
      auto number = read_number(index, "int");
      if (!number || number->as_int() < 1) return unknown_parameter(at + "." + index);
      found[number->as_int()] = NB_TRY(one(below, type, at + "." + index));
    }
    List out;
    for (auto& [index, value] : found) out.push_back(std::move(value));
    return Value(std::move(out));
  }

  std::string_view item_;
};

Diagnostic wrong_json(const std::string& at, std::string_view expected) {
  return refuse("SerializationException", fmt::format("{} can not be converted to {}", at, expected));
}

Result<> check_members(const Value& body, const Members& members, const std::string& at);

Result<> check_json(const Value& value, std::string_view type, const std::string& at) {
  if (value.is_null()) return Ok{};
  if (is_list(type)) {
    if (!value.is_list()) return wrong_json(at, "a list");
    for (const Value& item : value.as_list()) NB_TRY(check_json(item, element(type), at));
    return Ok{};
  }
  if (is_structure(type)) return check_members(value, structure(type), at);
  if (type == "boolean") return value.is_bool() ? Result<>(Ok{}) : wrong_json(at, "a Boolean");
  if (type == "int") return value.is_int() ? Result<>(Ok{}) : wrong_json(at, "an Integer");
  if (!value.is_text()) return wrong_json(at, "a String");
  if (!read_scalar(value.as_text(), type))
    return refuse("ValidationException",
                  fmt::format("Value '{}' at '{}' failed to satisfy constraint.", value.as_text(), at));
  return Ok{};
}

Result<> check_members(const Value& body, const Members& members, const std::string& at) {
  if (!body.is_map()) return wrong_json(at, "an object");
  for (const auto& [name, value] : body.as_map()) {
    const Member* m = find_member(members, name);
    if (m == nullptr)
      return refuse("ValidationException", fmt::format("nbsim: there is no member '{}{}'", at, name));
    NB_TRY(check_json(value, m->type, at + name));
  }
  for (const Member& m : members)
    if (m.required && body[m.name].is_null())
      return refuse("ValidationException",
                    fmt::format("1 validation error detected: Value null at '{}{}' failed to satisfy "
                                "constraint: Member must not be null",
                                at, m.name));
  return Ok{};
}

}  // namespace

const Members* operation(std::string_view service, std::string_view name) {
  static const Table all = read_table(kOperations);
  auto it = all.find(fmt::format("{}.{}", service, name));
  return it == all.end() ? nullptr : &it->second;
}

Result<Value> read_form(const Query& form, const Members& members, std::string_view item) {
  return FormReader(item).members(grow(form), members, "");
}

Result<Value> read_json_body(std::string_view body, const Members& members) {
  auto value = parse_json(body.empty() ? "{}" : body);
  if (!value) return refuse("SerializationException", "The body is not JSON.");
  NB_TRY(check_members(*value, members, ""));
  return *std::move(value);
}

}  // namespace nbform::sim::aws
