// What the rules of a notebook share: what is judged, and where it stands. Used by rules*.cc alone.
#pragma once

#include <string>
#include <string_view>

#include "manifest/rules.h"

namespace nbform {

class NotebookJudge {
 public:
  NotebookJudge(const Notebook& nb, const Node& merged, Report& report)
      : nb_(nb), merged_(merged), report_(report), cloud_(cloud_type(nb.service)) {}

 protected:
  Span at(std::string_view path) const {
    const Node* node = merged_.at_path(path);
    return node == nullptr ? merged_.key_at : node->place();
  }
  // For keys that may hold dots.
  const Node* entry(std::string_view table, const std::string& key) const {
    const Node* t = merged_.find(table);
    return t == nullptr ? nullptr : t->find(key);
  }
  static std::string quoted(const Node* node) { return node == nullptr ? "it" : shown(*node); }
  static Span of(const Node& map, std::string_view key) {
    const Node* n = map.find(key);
    return n == nullptr ? map.place() : n->place();
  }

  const Notebook& nb_;
  const Node& merged_;
  Report& report_;
  std::string cloud_;
};

// Disks and mounts; labels and metadata.
void check_storage(const NotebookJudge& notebook);
void check_labels(const NotebookJudge& notebook);

}  // namespace nbform
