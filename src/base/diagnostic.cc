#include "base/diagnostic.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <tuple>

namespace nbform {

std::string Mark::text() const {
  return known() ? fmt::format("{}:{}:{}", file, line, column) : file;
}

std::string_view code_name(Code code) {
  static constexpr std::array<std::string_view, 20> kNames = {
      "bad_manifest",    "unsupported", "not_found", "exists",    "conflict",    "drift",   "denied",
      "unauthenticated", "quota",       "capacity",  "throttled", "unavailable", "timeout", "busy",
      "cancelled",       "lock_held",   "usage",     "data_loss", "io",          "internal"};
  return kNames.at(static_cast<std::size_t>(code));
}

namespace {
Diagnostic make(Severity severity, Code code, std::string summary, std::string detail) {
  Diagnostic d;
  d.severity = severity;
  d.code = code;
  d.summary = std::move(summary);
  d.detail = std::move(detail);
  return d;
}
}  // namespace

Diagnostic error(Code code, std::string summary, std::string detail) {
  return make(Severity::error, code, std::move(summary), std::move(detail));
}

Diagnostic warning(Code code, std::string summary, std::string detail) {
  return make(Severity::warning, code, std::move(summary), std::move(detail));
}

Diagnostic note(std::string summary, std::string detail) {
  return make(Severity::note, Code::internal, std::move(summary), std::move(detail));
}

bool Diagnostics::has_errors() const {
  return std::any_of(items_.begin(), items_.end(),
                     [](const Diagnostic& d) { return d.severity == Severity::error; });
}

void Diagnostics::sort() {
  auto key = [](const Diagnostic& d) {
    return std::make_tuple(!d.mark.known(), std::cref(d.mark.file), d.mark.line, d.mark.column);
  };
  std::stable_sort(items_.begin(), items_.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) { return key(a) < key(b); });
}

void bug(std::string_view what, std::source_location where) {
  fmt::print(stderr, "nbform: internal error: {} ({}:{}). This is a bug in nbform; please report it.\n", what,
             where.file_name(), where.line());
  std::abort();
}

}  // namespace nbform
