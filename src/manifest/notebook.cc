#include "manifest/notebook.h"

#include <algorithm>

namespace nbform {

namespace {

auto lower_bound(auto& entries, std::string_view path) {
  return std::lower_bound(entries.begin(), entries.end(), path,
                          [](const auto& entry, std::string_view p) { return entry.path < p; });
}

}  // namespace

std::uint16_t Origins::name(std::string_view text) {
  auto it = std::find(names_.begin(), names_.end(), text);
  if (it == names_.end()) it = names_.emplace(names_.end(), text);
  return static_cast<std::uint16_t>(it - names_.begin());
}

void Origins::set(std::string_view path, const Mark& mark, std::string_view layer) {
  if (entries_.empty()) entries_.reserve(12);
  auto it = lower_bound(entries_, path);
  if (it == entries_.end() || it->path != path) it = entries_.insert(it, Entry{std::string(path)});
  it->line = mark.line;
  it->column = mark.column;
  it->length = mark.length;
  it->file = name(mark.file);
  it->layer = name(layer);
}

std::optional<Origin> Origins::find(std::string_view path) const {
  auto it = lower_bound(entries_, path);
  if (it == entries_.end() || it->path != path) return std::nullopt;
  return Origin{{names_[it->file], it->line, it->column, it->length}, names_[it->layer]};
}

Mark mark_of(const Notebook& notebook, std::string_view path) {
  while (true) {
    auto origin = notebook.origins.find(path);
    if (origin && origin->mark.known()) return origin->mark;
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
