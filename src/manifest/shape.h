// What a value may look like: the closed vocabulary in which the manifest's tables are written, and the
// functions that judge and rewrite a Node tree by it. The same shapes make the JSON Schema and the reference,
// so a rule said here is said once. Knows no C++ struct (schema.h joins the two) and no cloud.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "manifest/node.h"

namespace nbform {

enum class ShapeKind {
  text,
  integer,
  boolean,
  choice,
  duration,
  size,
  money,
  list,
  table,
  record,
  each,
  any
};

// In which overlays a key may stand.
enum Place : unsigned { kInDefaults = 1, kInProfile = 2, kInNotebook = 4, kInEach = 8, kEverywhere = 15 };

struct Shape;

struct Extra {
  bool required = false;
  unsigned places = kEverywhere;
  std::string_view fallback = {};  // what a service does when the key is absent, for the reference
  std::string_view example = {};   // as YAML
  std::string_view since = "0.1";
  bool internal = false;  // written by a short form only
};

struct FieldInfo {
  std::string_view name;
  const Shape* shape = nullptr;
  std::string_view doc;
  Extra extra;
};

struct Shape {
  ShapeKind kind = ShapeKind::text;
  std::string_view noun = "a text";  // "a size such as 200GB": completes "takes ..."
  std::string_view pattern = {};     // text: see scalar.h matches()
  std::int64_t least = 0;            // integer, size (GB), duration (s)
  std::int64_t most = 1024;          // the same; text: bytes; list, table: entries
  std::span<const std::string_view> choices = {};
  const Shape* item = nullptr;             // of a list or a table
  const Shape* key = nullptr;              // of a table
  std::span<const FieldInfo> fields = {};  // of a record
  const Shape* scalar = nullptr;           // a record's short form
  // Writes the short form `text` out as entries of `map`; false where it can't be read.
  bool (*expand)(const Node& text, Node& map) = nullptr;
  bool whole = false;                             // replaced as a whole when overlays merge
  bool list_reserved = false;                     // a list of them will mean something in a later version
  std::span<const std::string_view> one_of = {};  // record: exactly one of these keys

  constexpr const FieldInfo* field(std::string_view name) const {
    for (const FieldInfo& f : fields)
      if (f.name == name) return &f;
    return nullptr;
  }
};

// A short form whose text is one key of the record.
template <const char* Key>
bool expand_to(const Node& text, Node& map) {
  map.items.push_back(made_scalar(Key, text.text, text));
  return true;
}

// Writes short forms out, in place. What still holds `${` and is cut apart by its short form stays as it is.
void expand_short_forms(Node& node, const Shape& shape);

struct Check {
  Report& report;
  unsigned place = kInNotebook;
  std::string_view noun = "a notebook";  // of the outermost record, for messages
  bool partial = false;  // an overlay by itself: keys may be missing, `${...}` is not judged yet
  bool merged = false;   // after merging: unknown and misplaced keys are known already
};

// Reports everything in `node` that `shape` doesn't allow, and marks it broken. True where nothing was found.
bool check_shape(Node& node, const Shape& shape, const std::string& path, const Check& check);

// "" or what is wrong with this scalar, as a sentence about `path`.
std::string scalar_problem(const Node& node, const Shape& shape, const std::string& path);

// `text`, as a message may show it: quoted, cut at 60 bytes; of a secret only that it is one.
std::string shown(const Node& node);

bool has_variable(std::string_view text);  // holds a `${` that is not `$${`

}  // namespace nbform
