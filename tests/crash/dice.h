// Random choices that a seed decides, the same on every machine.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace nbform::crash {

class Dice {
 public:
  // Mixed once: the streams of neighbouring seeds would else be one stream, a step apart.
  explicit Dice(std::uint64_t seed) : state_(seed) { state_ = next(); }

  std::uint64_t below(std::uint64_t n) { return next() % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <class T>
  T pick(std::initializer_list<T> list) {
    return list.begin()[below(list.size())];
  }

 private:
  // SplitMix64.
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  std::uint64_t state_;
};

}  // namespace nbform::crash
