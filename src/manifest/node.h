// A manifest's source, as a tree of what was written and where. Produced by yaml.h, merged by layers.h,
// judged by shape.h. Knows no YAML library and no meaning: a scalar is its source text and whether it was
// quoted.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/diagnostic.h"

namespace nbform {

// A place in one of the run's files. Lines and columns count from 1, columns and length in bytes; line 0:
// nowhere (made by the program, as when a short form is written out).
struct Span {
  std::uint32_t file = 0, line = 0, column = 0, length = 1;
  bool known() const { return line > 0; }
};
inline constexpr Span kNowhere{.file = UINT32_MAX};  // not even a file: the command line, say

struct Node {
  enum class Kind : std::uint8_t { null, scalar, list, map };

  Kind kind = Kind::null;
  bool plain = false;       // a scalar without quotes: what it means depends on the field that takes it
  bool settled = false;     // interpolation is done: a ${ in it is meant literally
  bool filled = false;      // its text came out of an interpolation
  bool secret = false;      // ... of a secret variable: never shown
  bool broken = false;      // its interpolation failed; text is as written
  bool empty = false;       // a null written as nothing at all
  std::uint16_t layer = 0;  // who said it, see layers.h
  std::string text;         // of a scalar
  Span at;                  // of the value
  std::string key;          // where it is an entry of a map
  Span key_at;
  std::vector<Node> items;

  bool is_null() const { return kind == Kind::null; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_list() const { return kind == Kind::list; }
  bool is_map() const { return kind == Kind::map; }
  const Node* find(std::string_view name) const;
  Node* find(std::string_view name);
  // Where a reader would look: the key's place for a map's entry without text of its own, else the value's.
  Span place() const;
  // Follows keys: at("disks.boot.size"). Null where there is none.
  const Node* at_path(std::string_view dotted) const;
};

// A scalar that the program wrote itself, at the place of the text it came from.
Node made_scalar(std::string key, std::string text, const Node& origin);
Node made_map(const Node& origin);
std::size_t node_count(const Node& node);

// The texts of a run, by number; lines are found when a message needs them.
class Files {
 public:
  // `shown`: the path as messages print it; `quotable`: messages may show its lines. A byte order mark is
  // dropped.
  std::uint32_t add(std::string path, std::string shown, std::string text, bool quotable = true);
  bool quotable(std::uint32_t file) const { return files_.at(file).quotable; }
  const std::string& path(std::uint32_t file) const { return files_.at(file).path; }
  const std::string& shown(std::uint32_t file) const { return files_.at(file).shown; }
  const std::string& text(std::uint32_t file) const { return files_.at(file).text; }
  std::size_t size() const { return files_.size(); }
  Mark mark(Span span) const;
  std::string source_line(Span span) const;

 private:
  struct File {
    std::string path, shown, text;
    bool quotable;
    mutable std::vector<std::uint32_t> line_starts;
  };
  std::deque<File> files_;
};

// Collects what is wrong, each finding once and at most kMost of them: a hostile file makes no more work than
// that.
class Report {
 public:
  static constexpr std::size_t kMost = 200;

  explicit Report(const Files& files) : files_(files) {}
  void error(Span at, std::string summary, std::string detail, std::string hint = {},
             std::vector<Span> related = {});
  void error(Code code, Span at, std::string summary, std::string detail, std::string hint = {});
  void warning(Span at, std::string summary, std::string detail);
  // Findings elsewhere than below `at` name the notebook that they concern, until the next call.
  void about(std::string notebook, Span at) {
    subject_ = std::move(notebook);
    subject_at_ = at;
  }
  bool full() const { return found_.size() >= kMost; }
  std::size_t size() const { return found_.size(); }
  bool has_errors() const { return found_.has_errors(); }
  std::string where(Span at) const { return files_.mark(at).text(); }
  Diagnostics take();  // sorted by position

 private:
  void add(Diagnostic d, Span at);
  const Files& files_;
  Diagnostics found_;
  std::string subject_;
  Span subject_at_;
  std::unordered_set<std::string> seen_;
};

}  // namespace nbform
