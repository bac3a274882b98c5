#include "manifest/notebooks.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "manifest/layers.h"
#include "manifest/named_files.h"
#include "manifest/notebook_schema.h"
#include "manifest/rules.h"
#include "manifest/scalar.h"
#include "manifest/services.h"
#include "manifest/yaml.h"

namespace nbform {
namespace {

constexpr std::size_t kMergedNodes = 250'000;  // 10,000 notebooks of 25 values
constexpr std::size_t kFilledBytes = std::size_t{8} << 20;

class Builder {
 public:
  Builder(const StackFiles& stack, FileAccess& access, const Files& files, Report& report)
      : stack_(stack), access_(access), files_(files), report_(report), named_files_(access, report) {}

  std::vector<Built> build() {
    if (!affordable()) return {};
    for (const auto& [key, overlay] : stack_.notebooks) {
      if (report_.full() || stopped_) break;
      if (overlay.has_each)
        each(key, overlay);
      else
        one(key, overlay, nullptr, overlay.node.key_at,
            VariableScope{stack_.variables, stack_.stack.name, std::nullopt, nullptr});
    }
    sort_by_key();
    refuse_same_keys();
    return std::move(out_);
  }

 private:
  // ---- each ----

  void each(const std::string& key, const Overlay& overlay) {
    Node entries = overlay.each;
    if (entries.is_scalar() && !load_each(entries)) return;
    if (!entries.is_map()) {
      report_.error(entries.place(), entries.empty ? "Empty value" : "Wrong type",
                    "`each` takes a map of keys to overlays, or the path of a file with such a map.");
      return;
    }
    for (Node& entry : entries.items) {
      if (report_.full() || stopped_) return;
      each_entry(key, overlay, std::move(entry));
    }
  }

  // Replaces the path by the map in that file.
  bool load_each(Node& entries) {
    VariableScope scope{stack_.variables, stack_.stack.name, std::nullopt, nullptr};
    std::size_t budget = kFilledBytes;
    interpolate_tree(entries, scope, budget);
    report_broken(entries, scope, report_);
    if (entries.broken) return false;
    auto path = access_.resolve(entries.text, entries.at);
    auto file = path ? access_.file(*path, entries.text, entries.at) : std::nullopt;
    if (!file) return false;
    auto root = parse_yaml(files_, *file, report_);
    if (!root) return false;
    if (root->is_map()) entries = std::move(*root);
    if (!entries.is_map())
      report_.error(entries.at, "Not a map",
                    fmt::format("`{}` must hold a map of keys to overlays.", entries.text));
    return entries.is_map();
  }

  void each_entry(const std::string& key, const Overlay& overlay, Node entry) {
    std::string entry_key = entry.key;
    Span at = entry.key_at;
    if (!matches(name_shape().pattern, entry_key)) {
      report_.error(
          at, "Invalid name",
          fmt::format("A key of `each` is {}, not `{}`.", name_shape().noun, entry_key.substr(0, 80)));
      return;
    }
    Node written = entry;
    Overlay own = read_overlay(std::move(entry), kInEach, "an entry of `each`", stack_, report_);
    one(key + "-" + entry_key, overlay, &own, at,
        VariableScope{stack_.variables, stack_.stack.name, entry_key, &written});
  }

  // ---- one notebook ----

  void one(const std::string& key, const Overlay& overlay, const Overlay* own, Span at,
           const VariableScope& scope) {
    std::vector<Layer> layers;
    bool usable = overlay.usable && (own == nullptr || own->usable);
    for (const auto& [name, defaults] : stack_.defaults) {
      layers.push_back({&defaults.node, name, true});
      usable &= defaults.usable;
    }
    usable &= add_profiles(layers, overlay, own, scope);
    layers.push_back({&overlay.node, "notebook", false});
    if (own != nullptr) layers.push_back({&own->node, "each " + *scope.each_key, false});
    if (!usable || !within_budget(layers, at)) return;
    Node merged = merge(layers, scope);
    merged.at = merged.key_at = at;
    merged.key = key;
    finish(key, std::move(merged), layers, scope);
  }

  // The profiles of the uppermost `use`; false where one can't be merged.
  bool add_profiles(std::vector<Layer>& layers, const Overlay& overlay, const Overlay* own,
                    const VariableScope& scope) {
    const Node* use = own == nullptr ? nullptr : own->node.find("use");
    if (use == nullptr) use = overlay.node.find("use");
    if (use == nullptr || !use->is_list()) return true;
    bool ok = true;
    for (const Node& item : use->items) {
      if (!item.is_scalar()) continue;
      Interpolated name = interpolate(item.text, scope);
      auto it = stack_.profiles.find(name.text);
      if (!name.problem.empty())
        report_.error(item.at, "Broken reference", name.problem);
      else if (it == stack_.profiles.end())
        unknown_profile(item, name.text);
      else
        layers.push_back({&it->second.node, "profile " + name.text, false}), ok &= it->second.usable;
    }
    return ok;
  }

  void unknown_profile(const Node& item, const std::string& name) {
    std::vector<std::string_view> names;
    for (const auto& [n, p] : stack_.profiles) names.push_back(n);
    std::string_view guess = nearest(name, names);
    report_.error(item.at, "Broken reference",
                  fmt::format("There is no profile `{}`.{}", name.substr(0, 60),
                              !guess.empty()  ? fmt::format(" Did you mean `{}`?", guess)
                              : names.empty() ? std::string(" The stack declares none.")
                                              : fmt::format(" There are {}.", fmt::join(names, ", "))));
  }

  // What all notebooks will hold, as far as it can be told without reading files: known before anything is
  // copied.
  bool affordable() {
    std::size_t shared = 0, total = 0, notebooks = 0;
    for (const auto& [name, defaults] : stack_.defaults) shared += node_count(defaults.node);
    for (const auto& [key, overlay] : stack_.notebooks) {
      std::size_t copies = overlay.has_each && overlay.each.is_map() ? overlay.each.items.size() : 1;
      notebooks += copies;
      total += copies * (shared + node_count(overlay.node)) + node_count(overlay.each);
      if (total > kMergedNodes) return too_large(overlay.node.key_at);
    }
    out_.reserve(notebooks);
    return true;
  }

  bool too_large(Span at) {
    stopped_ = true;
    report_.error(at, "Stack too large",
                  fmt::format("With `each` and `defaults` written out, the stack holds more than {} values. "
                              "Split it into several stacks.",
                              kMergedNodes));
    return false;
  }

  bool within_budget(const std::vector<Layer>& layers, Span at) {
    for (const Layer& layer : layers) spent_ += node_count(*layer.node);
    return spent_ <= kMergedNodes || too_large(at);
  }

  Node merge(const std::vector<Layer>& layers, const VariableScope& scope) {
    Node merged;
    merged.kind = Node::Kind::map;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      Node copy = *layers[i].node;
      stamp(copy, static_cast<std::uint16_t>(i));
      interpolate_tree(copy, scope, budget_);
      expand_short_forms(copy, notebook_shape());
      merge_node(merged, std::move(copy), notebook_shape());
    }
    std::erase_if(merged.items, [](const Node& n) { return n.key == "use"; });
    return merged;
  }

  static void stamp(Node& node, std::uint16_t layer) {
    node.layer = layer;
    for (Node& item : node.items) stamp(item, layer);
  }

  void finish(const std::string& key, Node merged, const std::vector<Layer>& layers,
              const VariableScope& scope) {
    report_.about(key, merged.key_at);
    const Node* service = merged.find("service");
    std::string name = service != nullptr && service->is_scalar() ? service->text : "";
    std::vector<std::string> dropped = drop_unsupported(merged, name, layers, report_);
    report_broken(merged, scope, report_);
    report_not_built(merged, name, report_);
    check_shape(merged, notebook_shape(), "", {report_, kInNotebook, "a notebook", false, true});
    Built built{decode_notebook(merged), merged.key_at, {}, {}, {}};
    Notebook& nb = built.notebook;
    nb.key = key;
    nb.mark = files_.mark(merged.key_at);
    nb.file = nb.mark.file;
    nb.dropped = std::move(dropped);
    nb.origins = origins_of(merged, layers, files_);
    note_secrets(merged, {}, nb.secret_paths);
    set_identity(nb, merged);
    check_notebook(nb, merged, report_);
    named_files_.read(nb, merged);
    note_places(built, merged);
    report_.about({}, {});
    out_.push_back(std::move(built));
  }

  static void note_places(Built& built, const Node& merged) {
    const Node *name = merged.find("name"), *service = merged.find("service"), *disks = merged.find("disks");
    built.name = name != nullptr ? name->at : merged.key_at;
    const Node* moved = merged.find("moved_from");
    built.moved_from = moved != nullptr ? moved->place() : merged.key_at;
    built.service = service != nullptr ? service->place() : merged.key_at;
    if (disks == nullptr) return;
    for (const Node& disk : disks->items) built.disks[disk.key] = disk.key_at;
  }

  // A value that a short form wrote out is shown at the key that holds the short form, so that counts as
  // secret too.
  static void note_secrets(const Node& node, const std::string& path, std::set<std::string>& out) {
    for (const Node& item : node.items) {
      std::string inner = item.key.empty() ? path : path.empty() ? item.key : path + "." + item.key;
      if (item.secret) out.insert(inner);
      if (item.secret && !item.key_at.known()) out.insert(path);
      note_secrets(item, inner, out);
    }
  }

  // Cloud-side name and entry of `clouds`, which are never absent.
  void set_identity(Notebook& nb, const Node& merged) {
    if (nb.name.empty()) nb.name = nb.key;
    std::string type = cloud_type(nb.service);
    bool chosen = !nb.cloud.empty();
    if (!chosen) nb.cloud = type;
    const Node* node = merged.find("cloud");
    auto it = stack_.clouds.find(nb.cloud);
    if (it == stack_.clouds.end() && nb.cloud != type && node != nullptr) {
      unknown_cloud(*node);
    } else if (it != stack_.clouds.end() && !type.empty() && it->second.type != type && node != nullptr) {
      report_.error(node->at, "Wrong cloud",
                    fmt::format("`clouds.{}` is of type {}; the service {} runs on {}.", nb.cloud,
                                it->second.type, nb.service, type));
    }
  }

  void unknown_cloud(const Node& node) {
    std::vector<std::string_view> names{"gcp", "aws"};
    for (const auto& [n, c] : stack_.clouds) names.push_back(n);
    std::string_view guess = nearest(node.text, names);
    report_.error(node.at, "Broken reference",
                  fmt::format("There is no entry {} under `clouds`.{}", shown(node),
                              guess.empty() ? "" : fmt::format(" Did you mean `{}`?", guess)));
  }

  // By pointer: a Built is some kilobytes large.
  void sort_by_key() {
    auto by_key = [](const Built& a, const Built& b) { return a.notebook.key < b.notebook.key; };
    if (std::is_sorted(out_.begin(), out_.end(), by_key)) return;
    std::vector<Built*> order;
    for (Built& b : out_) order.push_back(&b);
    std::stable_sort(order.begin(), order.end(),
                     [](const Built* a, const Built* b) { return a->notebook.key < b->notebook.key; });
    std::vector<Built> sorted;
    sorted.reserve(order.size());
    for (Built* b : order) sorted.push_back(std::move(*b));
    out_ = std::move(sorted);
  }

  void refuse_same_keys() {
    for (std::size_t i = 1; i < out_.size(); ++i) {
      if (out_[i].notebook.key != out_[i - 1].notebook.key) continue;
      Span a = out_[i - 1].key, b = out_[i].key;
      if (std::pair(a.line, a.column) > std::pair(b.line, b.column)) std::swap(a, b);
      report_.error(b, "Declared twice",
                    fmt::format("This makes a notebook `{}`, as {} does already.", out_[i].notebook.key,
                                report_.where(a)),
                    {}, {a});
    }
  }

  const StackFiles& stack_;
  FileAccess& access_;
  const Files& files_;
  Report& report_;
  NamedFiles named_files_;
  std::vector<Built> out_;
  std::size_t spent_ = 0;
  bool stopped_ = false;  // too large to go on
  std::size_t budget_ = kFilledBytes;
};

}  // namespace

std::vector<Built> build_notebooks(const StackFiles& stack, FileAccess& access, const Files& files,
                                   Report& report) {
  return Builder(stack, access, files, report).build();
}

}  // namespace nbform
