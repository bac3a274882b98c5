// What the fuzz targets share: an entry that takes text, and the rules every message must keep. Knows no
// format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "base/diagnostic_text.h"
#include "base/text.h"

namespace nbform::fuzz {

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// A message is short, is UTF-8, and cannot steer a terminal.
inline void check_message(const Diagnostic& problem) {
  std::string shown = render(problem);
  require(!problem.summary.empty(), "a message without a summary");
  require(problem.code != Code::internal, "hostile input passes for a defect of nbform");
  require(shown.size() < 20'000, "a message of more than 20 kB");
  require(valid_utf8(shown), "a message that is not UTF-8");
  for (unsigned char c : shown) require(c == '\n' || c >= 0x20, "a control character in a message");
}

// The first line of the input, which chooses what the rest is; and the rest.
inline std::pair<std::string_view, std::string_view> first_line(std::string_view text) {
  auto end = text.find('\n');
  if (end == std::string_view::npos) return {text, {}};
  return {text.substr(0, end), text.substr(end + 1)};
}

// "page instances" as "page" and "instances".
inline std::pair<std::string_view, std::string_view> first_word(std::string_view line) {
  auto blank = line.find(' ');
  if (blank == std::string_view::npos) return {line, {}};
  return {line.substr(0, blank), line.substr(blank + 1)};
}

}  // namespace nbform::fuzz

#define NBFORM_FUZZ(text)                                                          \
  static void fuzz_one(std::string_view text);                                     \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t n) { \
    fuzz_one({reinterpret_cast<const char*>(data), n});                            \
    return 0;                                                                      \
  }                                                                                \
  static void fuzz_one(std::string_view text)
