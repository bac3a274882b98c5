#include "sim/api.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crypto.h"
#include "base/text.h"
#include "sim/refusal.h"

namespace nbform::sim {

namespace {

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  constexpr std::string_view kBlank = " \n";
  for (auto at = text.find_first_not_of(kBlank); at != std::string_view::npos;) {
    auto end = std::min(text.find_first_of(kBlank, at), text.size());
    out.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kBlank, end);
  }
  return out;
}

template <class Fn>
void for_each_entry(std::string_view table, Fn fn) {
  std::vector<std::string_view> entry;
  for (std::string_view word : words(table)) {
    if (word != ";") {
      entry.push_back(word);
      continue;
    }
    fn(entry);
    entry.clear();
  }
}

Method read_method(const std::vector<std::string_view>& entry) {
  Method m{entry[0], entry[1], entry[3], entry[4], split(entry[2], '/'), {}};
  for (std::size_t i = 5; i < entry.size(); ++i) {
    bool required = entry[i].ends_with('!');
    m.params.push_back({entry[i].substr(0, entry[i].size() - (required ? 1 : 0)), required});
  }
  return m;
}

const std::vector<Method>& methods() {
  static const std::vector<Method> all = [] {
    std::vector<Method> out;
    for_each_entry(kComputeMethods, [&](const auto& entry) { out.push_back(read_method(entry)); });
    return out;
  }();
  return all;
}

using Messages = std::map<std::string_view, Fields>;
const Messages& messages() {
  static const Messages all = [] {
    Messages out;
    for_each_entry(kComputeMessages, [&](const auto& entry) {
      Fields& fields = out[entry[0]];
      for (std::size_t i = 1; i < entry.size(); ++i) {
        auto colon = entry[i].find(':');
        fields[entry[i].substr(0, colon)] = entry[i].substr(colon + 1);
      }
    });
    return out;
  }();
  return all;
}

std::optional<PathArgs> match(const std::vector<std::string_view>& pattern,
                              const std::vector<std::string>& path) {
  if (pattern.size() != path.size()) return std::nullopt;
  PathArgs args;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (pattern[i].starts_with('{'))
      args[std::string(pattern[i].substr(1, pattern[i].size() - 2))] = path[i];
    else if (pattern[i] != path[i])
      return std::nullopt;
  }
  return args;
}

// Of two patterns that fit, the one with more fixed segments: images/family/{f} before a wider one.
std::size_t fixed_segments(const Method& m) {
  return static_cast<std::size_t>(
      std::count_if(m.path.begin(), m.path.end(), [](std::string_view s) { return !s.starts_with('{'); }));
}

Diagnostic wrong(const std::string& at, const Value& value, std::string_view expected) {
  return refuse("invalid", fmt::format("Invalid value for field '{}': '{}'. Expected {}.", at, to_text(value),
                                       expected));
}

bool is_int32(const Value& v) {
  return v.is_int() && v.as_int() >= INT32_MIN && v.as_int() <= INT32_MAX;
}
bool is_int64(const Value& v) {
  return v.is_int() || (v.is_text() && v.as_int(INT64_MIN) != INT64_MIN);
}
bool is_bytes(const Value& v) {
  return v.is_text() && base64_decode(v.as_text()).has_value();
}

std::optional<bool> fits_scalar(const Value& v, std::string_view type) {
  if (type == "string") return v.is_text();
  if (type == "bool") return v.is_bool();
  if (type == "int32") return is_int32(v);
  if (type == "int64") return is_int64(v);
  if (type == "double") return v.is_real() || v.is_int();
  if (type == "bytes") return is_bytes(v);
  if (type == "any") return true;
  if (type.starts_with('=')) {
    auto names = split(type.substr(1), '|');
    return v.is_text() && std::find(names.begin(), names.end(), v.as_text()) != names.end();
  }
  return std::nullopt;
}

Result<> check(const Value& value, std::string_view type, const std::string& at) {
  if (value.is_null()) return Ok{};
  if (auto fits = fits_scalar(value, type)) {
    if (!*fits)
      return wrong(at, value,
                   type.starts_with('=') ? std::string("one of ").append(type.substr(1)) : std::string(type));
    return Ok{};
  }
  if (type.starts_with('[')) {
    if (!value.is_list()) return wrong(at, value, "a list");
    std::size_t i = 0;
    for (const Value& item : value.as_list())
      NB_TRY(check(item, element_type(type), fmt::format("{}[{}]", at, i++)));
    return Ok{};
  }
  if (type.starts_with('{')) {
    if (!value.is_map()) return wrong(at, value, "an object");
    for (const auto& [key, item] : value.as_map()) NB_TRY(check(item, element_type(type), at + "." + key));
    return Ok{};
  }
  return check_body(value, type, at);
}

}  // namespace

Result<Routed> route(std::string_view verb, const std::vector<std::string>& path) {
  Routed best;
  bool other_verb = false;
  for (const Method& m : methods()) {
    auto args = match(m.path, path);
    if (!args) continue;
    other_verb = other_verb || m.verb != verb;
    if (m.verb == verb && (best.method == nullptr || fixed_segments(m) > fixed_segments(*best.method)))
      best = {&m, std::move(*args)};
  }
  if (best.method != nullptr) return best;
  std::vector<std::string> parts(path.begin(), path.end());
  std::string where = "/compute/v1/" + join(parts, "/");
  if (other_verb) return refuse("methodNotAllowed", fmt::format("{} is not a method of {}.", verb, where));
  return refuse(
      "notFound",
      fmt::format("The requested URL {} was not found on this server (nbsim: unknown path).", where));
}

const Fields* message(std::string_view name) {
  auto it = messages().find(name);
  return it == messages().end() ? nullptr : &it->second;
}

std::string_view element_type(std::string_view type) {
  bool holds = type.starts_with('[') || type.starts_with('{');
  return holds ? type.substr(1, type.size() - 2) : type;
}

Result<> check_body(const Value& body, std::string_view message_name, const std::string& at) {
  const Fields* fields = message(message_name);
  if (fields == nullptr) bug("a message that compute_api.cc does not have");
  if (!body.is_map()) return wrong(at, body, "an object");
  for (const auto& [key, value] : body.as_map()) {
    auto field = fields->find(key);
    if (field == fields->end())
      return refuse(
          "badRequest",
          fmt::format("Invalid JSON payload received. Unknown name \"{}\" at '{}': Cannot find field.", key,
                      at));
    NB_TRY(check(value, field->second, at + "." + key));
  }
  return Ok{};
}

}  // namespace nbform::sim
