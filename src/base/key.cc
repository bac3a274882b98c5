#include "base/key.h"

#include <array>
#include <atomic>
#include <cstring>
#include <new>

namespace nbform {

// The characters follow.
struct Key::Text {
  std::atomic<std::uint32_t> owners;  // of one that is counted
  std::uint32_t size;

  std::string_view view() const { return {reinterpret_cast<const char*>(this + 1), size}; }
  static Text* make(std::string_view text) {
    auto* made =
        new (::operator new(sizeof(Text) + text.size())) Text{1, static_cast<std::uint32_t>(text.size())};
    std::memcpy(reinterpret_cast<char*>(made) + sizeof(Text), text.data(), text.size());
    return made;
  }
  static void drop(Text* text) {
    text->~Text();
    ::operator delete(text);
  }

  // The one text of these characters, made where there is room; else null. No lock: places are only filled.
  static Text* lasting(std::string_view text);
};

namespace {

constexpr std::size_t kPlaces = 4096, kTries = 8, kLongest = 64;

template <typename Word>
std::uint64_t word_at(const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof(word));
  return word;
}

// Of the first and the last bytes, which tell most names apart.
std::size_t place_of(std::string_view text) {
  const char *begin = text.data(), *end = begin + text.size();
  std::uint64_t first = 0, last = 0;
  if (text.size() >= 8)
    first = word_at<std::uint64_t>(begin), last = word_at<std::uint64_t>(end - 8);
  else if (text.size() >= 4)
    first = word_at<std::uint32_t>(begin), last = word_at<std::uint32_t>(end - 4);
  else
    for (char c : text) first = first << 8 | static_cast<unsigned char>(c);
  std::uint64_t mixed = (first ^ text.size()) * 0x9E3779B97F4A7C15u;
  mixed = (mixed ^ (mixed >> 29) ^ last) * 0xBF58476D1CE4E5B9u;
  return static_cast<std::size_t>(mixed >> 40);
}

}  // namespace

Key::Text* Key::Text::lasting(std::string_view text) {
  static std::array<std::atomic<Text*>, kPlaces> places{};
  if (text.size() > kLongest) return nullptr;
  std::size_t at = place_of(text);
  for (std::size_t i = 0; i < kTries; ++i) {
    std::atomic<Text*>& place = places[(at + i) % kPlaces];
    Text* there = place.load(std::memory_order_acquire);
    if (there == nullptr) {
      Text* made = make(text);
      if (place.compare_exchange_strong(there, made, std::memory_order_acq_rel)) return made;
      drop(made);
    }
    if (there->view() == text) return there;
  }
  return nullptr;
}

Key::Key(std::string_view text) {
  if (text.empty()) return;
  if (Text* lasting = Text::lasting(text))
    bits_ = reinterpret_cast<std::uintptr_t>(lasting);
  else
    bits_ = reinterpret_cast<std::uintptr_t>(Text::make(text)) | kCounted;
}

std::string_view Key::text_of(std::uintptr_t address) {
  return reinterpret_cast<const Text*>(address)->view();
}

void Key::take_part() const {
  reinterpret_cast<Text*>(bits_ & ~kCounted)->owners.fetch_add(1, std::memory_order_relaxed);
}

void Key::release() {
  auto* text = reinterpret_cast<Text*>(bits_ & ~kCounted);
  if (text->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) Text::drop(text);
}

}  // namespace nbform
