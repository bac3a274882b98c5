#include "base/value.h"

#include <algorithm>
#include <charconv>

#include "base/diagnostic.h"
#include "base/json.h"

namespace nbform {

namespace {
const Value kNull;
const List kEmptyList;
const Map kEmptyMap;

auto lower_bound(auto& items, std::string_view key) {
  return std::lower_bound(items.begin(), items.end(), key,
                          [](const Map::Item& item, std::string_view k) { return item.first < k; });
}
}  // namespace

Map::Map(std::initializer_list<Item> items) : Map(from(std::vector<Item>(items))) {}

Map Map::from(std::vector<Item> items) {
  std::stable_sort(items.begin(), items.end(),
                   [](const Item& a, const Item& b) { return a.first < b.first; });
  Map map;
  map.items_.reserve(items.size());
  for (Item& item : items) {
    if (!map.items_.empty() && map.items_.back().first == item.first)
      map.items_.back() = std::move(item);
    else
      map.items_.push_back(std::move(item));
  }
  return map;
}

const Value* Map::find(std::string_view key) const {
  return const_cast<Map*>(this)->find(key);
}

Value* Map::find(std::string_view key) {
  auto it = lower_bound(items_, key);
  return it != items_.end() && it->first == key ? &it->second : nullptr;
}

Value& Map::operator[](std::string_view key) {
  auto it = lower_bound(items_, key);
  if (it == items_.end() || it->first != key) it = items_.insert(it, {std::string(key), Value()});
  return it->second;
}

void Map::set(std::string_view key, Value value) {
  (*this)[key] = std::move(value);
}

bool Map::erase(std::string_view key) {
  auto it = lower_bound(items_, key);
  if (it == items_.end() || it->first != key) return false;
  items_.erase(it);
  return true;
}

std::size_t Map::size() const {
  return items_.size();
}
Map::iterator Map::begin() const {
  return items_.begin();
}
Map::iterator Map::end() const {
  return items_.end();
}
std::vector<Map::Item>::iterator Map::begin() {
  return items_.begin();
}
std::vector<Map::Item>::iterator Map::end() {
  return items_.end();
}
bool Map::operator==(const Map& other) const {
  return items_ == other.items_;
}

bool Value::as_bool(bool fallback) const {
  const bool* b = std::get_if<bool>(&v_);
  return b != nullptr ? *b : fallback;
}

std::int64_t Value::as_int(std::int64_t fallback) const {
  if (const auto* i = std::get_if<std::int64_t>(&v_)) return *i;
  if (const auto* d = std::get_if<double>(&v_))
    return *d >= -9.2e18 && *d <= 9.2e18 ? static_cast<std::int64_t>(*d) : fallback;
  const auto* s = std::get_if<std::string>(&v_);
  if (s == nullptr || s->empty()) return fallback;
  std::int64_t out = 0;
  auto [end, ec] = std::from_chars(s->data(), s->data() + s->size(), out);
  return ec == std::errc() && end == s->data() + s->size() ? out : fallback;
}

double Value::as_real(double fallback) const {
  if (const auto* d = std::get_if<double>(&v_)) return *d;
  if (const auto* i = std::get_if<std::int64_t>(&v_)) return static_cast<double>(*i);
  return fallback;
}

std::string_view Value::as_text(std::string_view fallback) const {
  const auto* s = std::get_if<std::string>(&v_);
  return s != nullptr ? std::string_view(*s) : fallback;
}

const List& Value::as_list() const {
  const auto* l = std::get_if<List>(&v_);
  return l != nullptr ? *l : kEmptyList;
}

const Map& Value::as_map() const {
  const auto* m = std::get_if<Map>(&v_);
  return m != nullptr ? *m : kEmptyMap;
}

List& Value::list() {
  if (is_null()) v_ = List();
  auto* l = std::get_if<List>(&v_);
  if (l == nullptr) bug("a list was asked of another value");
  return *l;
}

Map& Value::map() {
  if (is_null()) v_ = Map();
  auto* m = std::get_if<Map>(&v_);
  if (m == nullptr) bug("a map was asked of another value");
  return *m;
}

const Value& Value::operator[](std::string_view key) const {
  const Value* found = as_map().find(key);
  return found != nullptr ? *found : kNull;
}

namespace {
std::pair<std::string_view, std::string_view> head_and_rest(std::string_view path) {
  auto slash = path.find('/');
  if (slash == std::string_view::npos) return {path, {}};
  return {path.substr(0, slash), path.substr(slash + 1)};
}
}  // namespace

const Value& Value::at_path(std::string_view path) const {
  const Value* here = this;
  while (!path.empty()) {
    auto [head, rest] = head_and_rest(path);
    if (here->is_list()) {
      std::size_t index = 0;
      auto [end, ec] = std::from_chars(head.data(), head.data() + head.size(), index);
      const List& list = here->as_list();
      if (ec != std::errc() || end != head.data() + head.size() || index >= list.size()) return kNull;
      here = &list[index];
    } else {
      here = &(*here)[head];
    }
    path = rest;
  }
  return *here;
}

void Value::set_path(std::string_view path, Value value) {
  Value* here = this;
  while (!path.empty()) {
    auto [head, rest] = head_and_rest(path);
    here = &here->map()[head];
    path = rest;
  }
  *here = std::move(value);
}

std::string canonical(const Value& value) {
  return to_json(value);
}

}  // namespace nbform
