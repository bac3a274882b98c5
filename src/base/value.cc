#include "base/value.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <new>

#include "base/diagnostic.h"
#include "base/json.h"

namespace nbform {

namespace {
const Value kNull;
const List kEmptyList;
const Map kEmptyMap;

constexpr std::size_t kFew = 32;

// Most keys differ in their first byte.
bool is_before(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty() || a[0] == b[0]) return a < b;
  return static_cast<unsigned char>(a[0]) < static_cast<unsigned char>(b[0]);
}

auto lower_bound(auto& items, std::string_view key) {
  return std::lower_bound(items.begin(), items.end(), key, [](const Map::Item& item, std::string_view k) {
    return is_before(item.first.text(), k);
  });
}

// Keys are compared in no time; where there are few, that beats comparing the texts of some.
auto position_of(auto& items, std::string_view key) {
  if (items.size() <= kFew) {
    const Key wanted(key);
    return std::find_if(items.begin(), items.end(),
                        [&](const Map::Item& item) { return item.first == wanted; });
  }
  auto it = lower_bound(items, key);
  return it != items.end() && it->first == key ? it : items.end();
}
}  // namespace

Map::Map(std::initializer_list<Item> items) : Map(from(std::vector<Item>(items))) {}

Map Map::from(std::vector<Item> items) {
  auto before = [](const Item& a, const Item& b) { return a.first.text() < b.first.text(); };
  if (!std::is_sorted(items.begin(), items.end(), before))
    std::stable_sort(items.begin(), items.end(), before);
  Map map;
  map.items_ = std::move(items);
  map.keep_last_of_each();
  return map;
}

void Map::keep_last_of_each() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (i + 1 < items_.size() && items_[i].first == items_[i + 1].first) continue;
    if (kept != i) items_[kept] = std::move(items_[i]);
    ++kept;
  }
  items_.resize(kept);
}

const Value* Map::find(std::string_view key) const {
  return const_cast<Map*>(this)->find(key);
}

Value* Map::find(std::string_view key) {
  auto it = position_of(items_, key);
  return it != items_.end() ? &it->second : nullptr;
}

Value& Map::operator[](std::string_view key) {
  if (items_.empty()) items_.reserve(4);
  auto it = lower_bound(items_, key);
  if (it == items_.end() || it->first != key) it = items_.emplace(it, key, Value());
  return it->second;
}

void Map::set(std::string_view key, Value value) {
  (*this)[key] = std::move(value);
}

bool Map::erase(std::string_view key) {
  auto it = position_of(items_, key);
  if (it == items_.end()) return false;
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

// The characters follow.
struct Value::SharedText {
  std::atomic<std::uint32_t> owners;
  std::size_t size;

  char* data() { return reinterpret_cast<char*>(this + 1); }
  static SharedText* make(std::string_view text) {
    auto* made = new (::operator new(sizeof(SharedText) + text.size())) SharedText{1, text.size()};
    std::memcpy(made->data(), text.data(), text.size());
    return made;
  }
  void drop() {
    if (owners.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    this->~SharedText();
    ::operator delete(this);
  }
};

Value::Value(std::string_view s) {
  if (s.size() > kInPlace) {
    store(Type::text, SharedText::make(s));
    cell_.size = kShared;
    return;
  }
  if (!s.empty()) std::memcpy(cell_.bytes, s.data(), s.size());
  cell_.size = static_cast<std::uint8_t>(s.size());
  cell_.type = Type::text;
}

Value::Value(List l) {
  store(Type::list, new List(std::move(l)));
}
Value::Value(Map m) {
  store(Type::map, new Map(std::move(m)));
}
Value::Value(Ref r) {
  store(Type::ref, new Ref(std::move(r)));
}

// The cell is a copy of the other's: what it points to becomes ours too.
void Value::take_part(const Value& other) {
  switch (type()) {
    case Type::list:
      return store(Type::list, new List(*other.load<List*>()));
    case Type::map:
      return store(Type::map, new Map(*other.load<Map*>()));
    case Type::ref:
      return store(Type::ref, new Ref(*other.load<Ref*>()));
    default:
      load<SharedText*>()->owners.fetch_add(1, std::memory_order_relaxed);
  }
}

void Value::release() {
  switch (type()) {
    case Type::list:
      return delete load<List*>();
    case Type::map:
      return delete load<Map*>();
    case Type::ref:
      return delete load<Ref*>();
    default:
      load<SharedText*>()->drop();
  }
}

bool Value::operator==(const Value& other) const {
  if (type() != other.type()) return false;
  switch (type()) {
    case Type::null:
      return true;
    case Type::boolean:
      return load<bool>() == other.load<bool>();
    case Type::integer:
      return load<std::int64_t>() == other.load<std::int64_t>();
    case Type::real:
      return load<double>() == other.load<double>();
    case Type::text:
      return as_text() == other.as_text();
    case Type::list:
      return *load<List*>() == *other.load<List*>();
    case Type::map:
      return *load<Map*>() == *other.load<Map*>();
    case Type::ref:
      return *load<Ref*>() == *other.load<Ref*>();
  }
  return false;
}

bool Value::as_bool(bool fallback) const {
  return is_bool() ? load<bool>() : fallback;
}

std::int64_t Value::as_int(std::int64_t fallback) const {
  if (is_int()) return load<std::int64_t>();
  if (is_real()) {
    auto d = load<double>();
    return d >= -9.2e18 && d <= 9.2e18 ? static_cast<std::int64_t>(d) : fallback;
  }
  std::string_view s = as_text();
  if (s.empty()) return fallback;
  std::int64_t out = 0;
  auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), out);
  return ec == std::errc() && end == s.data() + s.size() ? out : fallback;
}

double Value::as_real(double fallback) const {
  if (is_real()) return load<double>();
  if (is_int()) return static_cast<double>(load<std::int64_t>());
  return fallback;
}

std::string_view Value::as_text(std::string_view fallback) const {
  if (!is_text()) return fallback;
  if (cell_.size != kShared) return {cell_.bytes, cell_.size};
  auto* shared = load<SharedText*>();
  return {shared->data(), shared->size};
}

const List& Value::as_list() const {
  return is_list() ? *load<List*>() : kEmptyList;
}

const Map& Value::as_map() const {
  return is_map() ? *load<Map*>() : kEmptyMap;
}

List& Value::list() {
  if (is_null()) *this = List();
  if (!is_list()) bug("a list was asked of another value");
  return *load<List*>();
}

Map& Value::map() {
  if (is_null()) *this = Map();
  if (!is_map()) bug("a map was asked of another value");
  return *load<Map*>();
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
