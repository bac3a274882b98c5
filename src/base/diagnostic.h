// What went wrong, as data: a kind, a place, a reason and a remedy. Rendering is the command line's business;
// nothing here prints.
#pragma once

#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

namespace nbform {

// Position in a manifest. Lines and columns count from 1, columns in bytes; 0 means "not known".
struct Mark {
  std::string file;
  int line = 0;
  int column = 0;
  int length = 1;  // how many bytes the caret underlines

  bool known() const { return line > 0; }
  bool operator==(const Mark&) const = default;
  std::string text() const;  // "file:line:column"
};

enum class Severity { error, warning, note };

// The closed list of kinds of failure. Whether a kind may be retried is said once, in net/retry.h.
enum class Code {
  bad_manifest,
  unsupported,
  not_found,
  exists,
  conflict,
  drift,
  denied,
  unauthenticated,
  quota,
  capacity,
  throttled,
  unavailable,
  timeout,
  busy,
  cancelled,
  lock_held,
  usage,
  data_loss,
  io,
  internal,
};

std::string_view code_name(Code code);

// summary: stable text without user data. detail: full sentences: what, why, what to do.
struct Diagnostic {
  Severity severity = Severity::error;
  Code code = Code::internal;
  std::string summary;
  std::string detail;
  Mark mark;                  // in a manifest, where there is one
  std::string source_line;    // the manifest's line at `mark`, for the snippet
  std::string address;        // notebook or resource it concerns
  std::string provider_code;  // the cloud's own word for it
  std::string request_id;     // the cloud's id of the failing request or operation
  std::string hint;           // the next step, a command on its own line where there is one
  std::vector<Mark> related;  // other positions, e.g. the first of two duplicates

  Diagnostic&& at(Mark where) && {
    mark = std::move(where);
    return std::move(*this);
  }
  Diagnostic&& of(std::string which) && {
    address = std::move(which);
    return std::move(*this);
  }
  Diagnostic&& with_hint(std::string text) && {
    hint = std::move(text);
    return std::move(*this);
  }
  bool operator==(const Diagnostic&) const = default;
};

Diagnostic error(Code code, std::string summary, std::string detail = {});
Diagnostic warning(Code code, std::string summary, std::string detail = {});
Diagnostic note(std::string summary, std::string detail = {});

// Collects what one run found, so that all of it can be shown.
class Diagnostics {
 public:
  void add(Diagnostic d) { items_.push_back(std::move(d)); }
  void add(const Diagnostics& other) {
    items_.insert(items_.end(), other.items_.begin(), other.items_.end());
  }
  bool has_errors() const;
  bool empty() const { return items_.empty(); }
  std::size_t size() const { return items_.size(); }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  const Diagnostic& operator[](std::size_t i) const { return items_[i]; }
  // Orders by file, line and column; what has no position comes last. Stable.
  void sort();

 private:
  std::vector<Diagnostic> items_;
};

// A state that cannot be: says that it is a defect of nbform, with its place, and aborts.
[[noreturn]] void bug(std::string_view what, std::source_location where = std::source_location::current());

}  // namespace nbform
