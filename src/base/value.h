// Value: the one dynamic type. All wire data, desired attributes and live attributes are Values; equality,
// order, hash and canonical text are defined here, once. Knows no JSON library and no cloud.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/key.h"

namespace nbform {

class Value;
using List = std::vector<Value>;

// "Known after apply": the attribute `attr` of the resource at `address`.
struct Ref {
  std::string address;
  std::string attr;
  auto operator<=>(const Ref&) const = default;
};

// A map sorted by key: two maps with the same entries are the same bytes, whatever order they were read in.
class Map {
 public:
  using Item = std::pair<Key, Value>;
  using iterator = std::vector<Item>::const_iterator;

  Map() = default;
  Map(std::initializer_list<Item> items);
  // Takes entries in any order; of entries with one key the last wins.
  static Map from(std::vector<Item> items);

  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  bool has(std::string_view key) const { return find(key) != nullptr; }
  Value& operator[](std::string_view key);  // makes a null entry where there is none
  void set(std::string_view key, Value value);
  bool erase(std::string_view key);
  std::size_t size() const;
  bool empty() const { return size() == 0; }
  iterator begin() const;
  iterator end() const;
  std::vector<Item>::iterator begin();
  std::vector<Item>::iterator end();
  bool operator==(const Map& other) const;

 private:
  void keep_last_of_each();
  std::vector<Item> items_;
};

// Sixteen bytes, as a run holds some hundred for each notebook. Short text stands in place; longer text never
// changes and is shared by its copies; lists, maps and refs are owned and copied.
class Value {
 public:
  enum class Type : std::uint8_t { null, boolean, integer, real, text, list, map, ref };

  Value() = default;
  Value(std::nullptr_t) {}
  Value(bool b) { store(Type::boolean, b); }
  Value(int i) : Value(std::int64_t{i}) {}
  Value(std::int64_t i) { store(Type::integer, i); }
  Value(double d) { store(Type::real, d); }
  Value(const char* s) : Value(std::string_view(s)) {}
  Value(std::string_view s);
  Value(const std::string& s) : Value(std::string_view(s)) {}
  Value(const Key& key) : Value(key.text()) {}
  Value(List l);
  Value(Map m);
  Value(Ref r);
  Value(const Value& other) : cell_(other.cell_) {
    if (reaches_out()) take_part(other);
  }
  Value(Value&& other) noexcept : cell_(std::exchange(other.cell_, Cell())) {}
  Value& operator=(Value other) noexcept {
    std::swap(cell_, other.cell_);
    return *this;
  }
  ~Value() {
    if (reaches_out()) release();
  }

  Type type() const { return cell_.type; }
  bool is_null() const { return type() == Type::null; }
  bool is_bool() const { return type() == Type::boolean; }
  bool is_int() const { return type() == Type::integer; }
  bool is_real() const { return type() == Type::real; }
  bool is_text() const { return type() == Type::text; }
  bool is_list() const { return type() == Type::list; }
  bool is_map() const { return type() == Type::map; }
  bool is_ref() const { return type() == Type::ref; }

  // Tolerant reads: the fallback where the type is another. `as_int` reads decimal text too (int64 on the
  // wire).
  bool as_bool(bool fallback = false) const;
  std::int64_t as_int(std::int64_t fallback = 0) const;
  double as_real(double fallback = 0) const;
  std::string_view as_text(std::string_view fallback = {}) const;  // a view into this Value
  const List& as_list() const;                                     // empty where it is none
  const Map& as_map() const;                                       // empty where it is none

  // In place; turn a null into an empty list or map first. Another type is a bug.
  List& list();
  Map& map();
  const Ref* ref() const { return is_ref() ? load<Ref*>() : nullptr; }

  // Member of a map, or a null Value. Chains: v["a"]["b"].
  const Value& operator[](std::string_view key) const;
  const Value& operator[](const char* key) const { return (*this)[std::string_view(key)]; }
  // RFC 6901 pointer without its escapes: "scheduling/provisioningModel", "disks/0/source". Null where
  // absent.
  const Value& at_path(std::string_view path) const;
  void set_path(std::string_view path, Value value);  // makes the maps on the way; no lists

  bool operator==(const Value& other) const;

 private:
  static constexpr std::size_t kInPlace = 14;
  static constexpr std::uint8_t kShared = 0xff;
  struct SharedText;
  // `size`: of a text in place, or kShared. Otherwise the bytes are a number or a pointer.
  struct Cell {
    alignas(8) char bytes[kInPlace] = {};
    std::uint8_t size = 0;
    Type type = Type::null;
  };

  template <class T>
  T load() const {
    T out;
    std::memcpy(&out, cell_.bytes, sizeof(T));
    return out;
  }
  template <class T>
  void store(Type type, T content) {
    std::memcpy(cell_.bytes, &content, sizeof(T));
    cell_.type = type;
  }
  bool reaches_out() const { return cell_.size == kShared || cell_.type > Type::text; }
  void take_part(const Value& other);
  void release();

  Cell cell_;
};
static_assert(sizeof(Value) == 16);

// One text per value, for hashes, guards and sorting: compact JSON with sorted keys; a Ref as
// {"$ref":"address#attr"}.
std::string canonical(const Value& value);

}  // namespace nbform
