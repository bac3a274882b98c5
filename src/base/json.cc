#include "base/json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>

#include "base/message.h"
#include "base/text.h"

namespace nbform {

namespace {

namespace dom = simdjson::dom;
constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxBytes = std::size_t{1} << 30;

Value convert(const dom::element& element) {
  switch (element.type()) {
    case dom::element_type::NULL_VALUE:
      return {};
    case dom::element_type::BOOL:
      return bool(element);
    case dom::element_type::INT64:
      return std::int64_t(element);
    case dom::element_type::UINT64:
      return static_cast<double>(std::uint64_t(element));
    case dom::element_type::DOUBLE:
      return double(element);
    case dom::element_type::STRING:
      return std::string_view(element);
    case dom::element_type::ARRAY: {
      dom::array array = element;
      List list;
      list.reserve(array.size());
      for (dom::element item : array) list.push_back(convert(item));
      return list;
    }
    case dom::element_type::OBJECT: {
      dom::object object = element;
      std::vector<Map::Item> items;
      items.reserve(object.size());
      for (auto [key, item] : object) items.emplace_back(key, convert(item));
      return Map::from(std::move(items));
    }
  }
  return {};
}

// The escape of an ASCII character, "" where it stands for itself.
std::string_view short_escape(char c) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return "";
  }
}

void write_text(std::string& out, std::string_view text) {
  out.push_back('"');
  for (std::size_t i = 0; i < text.size();) {
    std::size_t start = i;
    std::int32_t point = next_code_point(text, i);
    if (std::string_view known = short_escape(text[start]); !known.empty())
      out += known;
    else if (steers(point))
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", point);
    else
      out += text.substr(start, i - start);
  }
  out.push_back('"');
}

// `indent` < 0: compact.
class Writer {
 public:
  Writer(std::string& out, bool pretty) : out_(out), pretty_(pretty) {}

  void write(const Value& value, int depth) {
    switch (value.type()) {
      case Value::Type::null:
        out_ += "null";
        break;
      case Value::Type::boolean:
        out_ += value.as_bool() ? "true" : "false";
        break;
      case Value::Type::integer:
        fmt::format_to(std::back_inserter(out_), "{}", value.as_int());
        break;
      case Value::Type::real:
        write_real(value.as_real());
        break;
      case Value::Type::text:
        write_text(out_, value.as_text());
        break;
      case Value::Type::list:
        write_list(value.as_list(), depth);
        break;
      case Value::Type::map:
        write_map(value.as_map(), depth);
        break;
      case Value::Type::ref:
        out_ += "{\"$ref\":";
        write_text(out_, value.ref()->address + "#" + value.ref()->attr);
        out_.push_back('}');
        break;
    }
  }

 private:
  void write_real(double d) {
    if (!std::isfinite(d)) {
      out_ += "null";
      return;
    }
    std::string text = fmt::format("{}", d);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    out_ += text;
  }

  void write_list(const List& list, int depth) {
    out_.push_back('[');
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (i != 0) out_.push_back(',');
      line(depth + 1);
      write(list[i], depth + 1);
    }
    if (!list.empty()) line(depth);
    out_.push_back(']');
  }

  void write_map(const Map& map, int depth) {
    out_.push_back('{');
    bool first = true;
    for (const auto& [key, value] : map) {
      if (!first) out_.push_back(',');
      first = false;
      line(depth + 1);
      write_text(out_, key);
      out_ += pretty_ ? ": " : ":";
      write(value, depth + 1);
    }
    if (!map.empty()) line(depth);
    out_.push_back('}');
  }

  void line(int depth) {
    if (!pretty_) return;
    out_.push_back('\n');
    out_.append(static_cast<std::size_t>(depth) * 2, ' ');
  }

  std::string& out_;
  bool pretty_;
};

std::string render(const Value& value, bool pretty) {
  std::string out;
  Writer(out, pretty).write(value, 0);
  if (pretty) out.push_back('\n');
  return out;
}

// Each value but the first follows a comma or opens a list or map. Those in strings count only where the
// quick sum is too high.
bool has_more_values(std::string_view text, std::size_t most) {
  if (text.size() / 2 < most) return false;
  auto begins = [](char c) { return c == ',' || c == '[' || c == '{'; };
  if (static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins)) < most) return false;
  std::size_t count = 1;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size() && count <= most; ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (quoted && text[i] == '\\') ++i;
    if (!quoted && begins(text[i])) ++count;
  }
  return count > most;
}

}  // namespace

Result<Value> parse_json(std::string_view text, std::size_t most_values) {
  if (text.data() == nullptr) text = "";  // the parser copies from it
  if (has_more_values(text, most_values))
    return error(Code::io, std::string(kTooLarge), fmt::format("It has more than {} values.", most_values));
  dom::parser parser(kMaxBytes);
  if (auto code = parser.allocate(std::max<std::size_t>(text.size(), 32), kMaxDepth);
      code != simdjson::SUCCESS)
    return error(Code::internal, "The JSON text cannot be read", simdjson::error_message(code));
  dom::element root;
  if (auto code = parser.parse(text.data(), text.size()).get(root); code != simdjson::SUCCESS)
    return error(Code::io, "This is not valid JSON", fmt::format("{}.", simdjson::error_message(code)));
  return convert(root);
}

std::string to_json(const Value& value) {
  return render(value, false);
}
std::string to_pretty_json(const Value& value) {
  return render(value, true);
}

}  // namespace nbform
