#include "manifest/layers.h"

namespace nbform {
namespace {

const Shape* shape_of_entry(const Shape& shape, std::string_view key) {
  if (shape.kind == ShapeKind::table) return shape.item;
  const FieldInfo* f = shape.field(key);
  return f == nullptr ? nullptr : f->shape;
}

void remove_entries(Node& base, const Node& over) {
  for (Node& entry : base.items) {
    Node removed;
    removed.at = over.at;
    removed.layer = over.layer;
    removed.key = std::move(entry.key);
    removed.key_at = over.key_at;
    entry = std::move(removed);
  }
}

void add_origins(const Node& node, const std::string& path, const std::vector<Layer>& layers,
                 const Files& files, Origins& out) {
  if (!path.empty()) out.set(path, files.mark(node.place()), layers.at(node.layer).name);
  if (!node.is_map()) return;
  for (const Node& entry : node.items)
    add_origins(entry, path.empty() ? entry.key : path + "." + entry.key, layers, files, out);
}

}  // namespace

void merge_node(Node& base, Node over, const Shape& shape) {
  bool maps = base.is_map() && over.is_map() && !shape.whole;
  bool texts = shape.kind == ShapeKind::table && shape.item->kind == ShapeKind::text;
  if (texts && base.is_map() && over.is_null() && !over.empty) return remove_entries(base, over);
  if (!maps) {
    base = std::move(over);
    return;
  }
  if (base.items.empty()) {
    base.items = std::move(over.items);
    return;
  }
  for (Node& entry : over.items) {
    Node* below = base.find(entry.key);
    const Shape* inner = shape_of_entry(shape, entry.key);
    if (below != nullptr && inner != nullptr)
      merge_node(*below, std::move(entry), *inner);
    else if (below != nullptr)
      *below = std::move(entry);
    else
      base.items.push_back(std::move(entry));
  }
}

Origins origins_of(const Node& merged, const std::vector<Layer>& layers, const Files& files) {
  Origins out;
  add_origins(merged, {}, layers, files, out);
  return out;
}

}  // namespace nbform
