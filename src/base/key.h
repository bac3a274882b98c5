// Key: the name of an entry of a Map. A run holds a million of them and some hundred different ones: each of
// those is kept once, for as long as the program runs; where there are more than that, copies share a text.
// Knows no Map.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace nbform {

class Key {
 public:
  Key() = default;
  Key(std::string_view text);
  Key(const std::string& text) : Key(std::string_view(text)) {}
  Key(const char* text) : Key(std::string_view(text)) {}
  Key(const Key& other) : bits_(other.bits_) {
    if (is_counted()) take_part();
  }
  Key(Key&& other) noexcept : bits_(std::exchange(other.bits_, 0)) {}
  Key& operator=(Key other) noexcept {
    std::swap(bits_, other.bits_);
    return *this;
  }
  ~Key() {
    if (is_counted()) release();
  }

  std::string_view text() const { return bits_ == 0 ? std::string_view() : text_of(bits_ & ~kCounted); }
  operator std::string_view() const { return text(); }
  operator std::string() const { return std::string(text()); }
  bool operator==(const Key& other) const {
    return bits_ == other.bits_ || (((bits_ | other.bits_) & kCounted) != 0 && text() == other.text());
  }
  bool operator==(std::string_view other) const { return text() == other; }
  bool operator==(const std::string& other) const { return text() == other; }
  bool operator==(const char* other) const { return text() == other; }
  std::strong_ordering operator<=>(std::string_view other) const { return text() <=> other; }
  friend std::string operator+(std::string left, const Key& right) { return left += right.text(); }

 private:
  static constexpr std::uintptr_t kCounted = 1;
  struct Text;
  bool is_counted() const { return (bits_ & kCounted) != 0; }
  static std::string_view text_of(std::uintptr_t address);
  void take_part() const;
  void release();

  std::uintptr_t bits_ = 0;  // the address of a Text, and whether its owners are counted; 0: empty
};

}  // namespace nbform
