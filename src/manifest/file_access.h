// Files that a manifest names: from the path as written to the text, when the caller has read it. Says what
// is still wanted, and reports what can't be had at the place that asks for it. Opens nothing itself.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/load.h"
#include "manifest/node.h"

namespace nbform {

class FileAccess {
 public:
  FileAccess(const Sources& sources, Files& files, Report& report, std::vector<Wanted>& wanted)
      : sources_(sources), files_(files), report_(report), wanted_(wanted) {}

  // The absolute path of `written`, relative to the file at `at`; an error where it leaves the repository.
  std::optional<std::string> resolve(std::string_view written, Span at);
  // Its text. Nothing: wanted, or an error at `at`.
  const std::string* text(const std::string& path, std::string_view written, Span at);
  // The same for a path under ~, which may be missing: then "".
  const std::string* home_text(const std::string& path, std::string_view written, Span at);
  // Its number among the run's files, added when first asked for.
  std::optional<std::uint32_t> file(const std::string& path, std::string_view written, Span at);
  std::uint32_t number(const std::string& path, const std::string& text, bool quotable = true);

  std::string shown(const std::string& path) const;  // as messages name it
  const Sources& sources() const { return sources_; }
  void want(Wanted::Kind kind, std::string name);

 private:
  const Sources& sources_;
  Files& files_;
  Report& report_;
  std::vector<Wanted>& wanted_;
};

bool is_below(std::string_view path, std::string_view directory);

}  // namespace nbform
