#include "manifest/notebook.h"

#include <algorithm>

namespace nbform {

Mark mark_of(const Notebook& notebook, std::string_view path) {
  while (true) {
    auto it = notebook.origins.find(std::string(path));
    if (it != notebook.origins.end() && it->second.mark.known()) return it->second.mark;
    auto dot = path.rfind('.');
    if (dot == std::string_view::npos) return notebook.mark;
    path = path.substr(0, dot);
  }
}

const Notebook* Manifest::find(std::string_view key) const {
  auto it = std::lower_bound(notebooks.begin(), notebooks.end(), key,
                             [](const Notebook& n, std::string_view k) { return n.key < k; });
  return it != notebooks.end() && it->key == key ? &*it : nullptr;
}

}  // namespace nbform
