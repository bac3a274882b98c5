#include "manifest/stack_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "manifest/layers.h"
#include "manifest/notebook_schema.h"
#include "manifest/scalar.h"
#include "manifest/services.h"
#include "manifest/yaml.h"

namespace nbform {
namespace {

constexpr std::size_t kOverlayNodes = 2'000;

struct Section {
  Node node;
  bool included = false;
  std::string from;  // the file, as messages name it
};

class StackReader {
 public:
  StackReader(FileAccess& access, const Files& files, const Vars& vars, Report& report)
      : access_(access), files_(files), vars_(vars), report_(report) {}

  StackFiles read() {
    for (const std::string& path : access_.sources().manifests) read_manifest(path);
    std::vector<Section> includes = std::exchange(sections_["include"], {});
    for (Section& s : includes) read_includes(s.node);
    read_stack();
    read_variables();
    read_clouds();
    read_policies();
    read_overlays();
    return std::move(out_);
  }

 private:
  const std::vector<Section>& sections(const std::string& key) { return sections_[key]; }

  void read_manifest(const std::string& path) {
    if (auto it = access_.sources().unreadable.find(path); it != access_.sources().unreadable.end()) {
      std::uint32_t file = access_.number(path, "");
      return report_.error(Span{file, 0, 0, 1}, "Unreadable file",
                           fmt::format("`{}` {}.", access_.shown(path), it->second));
    }
    auto file = access_.file(path, access_.shown(path), {});
    if (file) read_document(*file, false);
  }

  void read_document(std::uint32_t file, bool included) {
    auto root = parse_yaml(files_, file, report_);
    if (!root) return;
    Span start{file, 1, 1, 1};
    if (!root->is_map()) {
      bool nothing = root->is_null();
      return report_.error(nothing ? start : root->at, nothing ? "Empty manifest" : "Not a manifest",
                           nothing ? "The file holds nothing. A manifest starts with `nbform: 1`."
                                   : "A manifest is a map of keys and starts with `nbform: 1`.",
                           nothing ? "`nbform init` writes a first one." : "");
    }
    check_document(*root, start);
    for (Node& entry : root->items) take_section(entry, included, files_.shown(file));
  }

  void check_document(Node& root, Span start) {
    expand_short_forms(root, document_shape());
    Check check{report_, kEverywhere, "a manifest", true, false};
    check_shape(root, document_shape(), "", check);
    if (root.find("nbform") == nullptr)
      report_.error(start, "Missing key",
                    "Each file starts with `nbform: 1`, the version of the manifest language.",
                    "  nbform: 1");
    report_not_built_in_file(root, report_);
  }

  void take_section(Node& entry, bool included, const std::string& from) {
    if (document_shape().field(entry.key) == nullptr || entry.is_null()) return;
    if (included && !may_stand_in_include(entry.key)) {
      return report_.error(
          entry.key_at, "Key in the wrong place",
          fmt::format("An included file holds nbform, variables, profiles, defaults and policy, not `{}`.",
                      entry.key));
    }
    for (std::string_view once : {"stack", "defaults", "policy", "clouds", "lock", "requires"})
      for (const Section& other : sections_[entry.key])
        if (once == entry.key && !other.included && !included)
          return report_.error(
              entry.key_at, "Declared twice",
              fmt::format("`{}` stands in one of a stack's files only; the other one is at {}.", entry.key,
                          report_.where(other.node.key_at)),
              {}, {other.node.key_at});
    std::string key = entry.key;
    sections_[key].push_back({std::move(entry), included, from});
  }

  void read_includes(const Node& list) {
    for (const Node& item : list.items) {
      if (!item.is_scalar() || item.broken) continue;
      if (item.text.find("${") != std::string::npos) {
        report_.error(item.at, "Variable in an include",
                      "Variables may themselves come from included files, so `include` takes none.");
        continue;
      }
      auto path = access_.resolve(item.text, item.at);
      if (!path) continue;
      if (is_own_manifest(*path)) {
        report_.error(
            item.at, "Included already",
            fmt::format("`{}` is part of this stack: every *.nb.yaml in its directory is.", item.text));
        continue;
      }
      if (!included_.insert(*path).second) {
        report_.error(item.at, "Included twice", fmt::format("`{}` is included already.", item.text));
        continue;
      }
      if (auto file = access_.file(*path, item.text, item.at)) read_document(*file, true);
    }
  }

  bool is_own_manifest(const std::string& path) const {
    const auto& own = access_.sources().manifests;
    return std::find(own.begin(), own.end(), path) != own.end();
  }

  // Of a node whose short form is written out, unless a variable stands in its way.
  bool check_no_variables(const Node& node, std::string_view summary, std::string_view detail) {
    if (node.is_scalar() && has_variable(node.text)) {
      report_.error(node.at, std::string(summary), std::string(detail));
      return false;
    }
    bool ok = true;
    for (const Node& item : node.items) ok &= check_no_variables(item, summary, detail);
    return ok;
  }

  void read_stack() {
    for (const Section& s : sections("stack")) {
      if (s.node.broken) continue;
      out_.stack_at = s.node.place();
      if (!check_no_variables(s.node, "Variable in the stack's name",
                              "The stack's name tells what is owned, so it takes no variables."))
        continue;
      out_.stack = decode_stack(s.node);
      out_.stack.mark = files_.mark(out_.stack_at);
      if (out_.stack.name.empty())
        report_.error(out_.stack_at, "Missing key", "`stack` needs `name`.", "  stack: {name: research}");
    }
    bool first_is_read = files_.size() > 0 && !access_.sources().manifests.empty();
    if (sections("stack").empty() && first_is_read && !report_.has_errors())
      report_.error(Span{0, 1, 1, 1}, "No stack",
                    "No file of this directory declares the stack, whose name everything it owns will carry.",
                    "  stack: NAME");
    for (const Section& s : sections("requires")) {
      if (!s.node.is_scalar() || s.node.broken) continue;
      std::string unmet = unmet_requirement(s.node.text, NBFORM_VERSION);
      if (!unmet.empty())
        report_.error(s.node.at, "Another version of nbform is needed",
                      fmt::format("This stack requires nbform {}; this is {}.", unmet, NBFORM_VERSION));
    }
  }

  // ---- variables ----

  void read_variables() {
    std::map<std::string, Span> at;
    for (const Section& s : sections("variables"))
      for (const Node& v : s.node.items) {
        if (auto [it, fresh] = at.emplace(v.key, v.key_at); !fresh)
          report_.error(
              v.key_at, "Declared twice",
              fmt::format("The variable `{}` is declared at {} already.", v.key, report_.where(it->second)),
              {}, {it->second});
        declare_variable(v);
      }
    assign_from_environment();
    for (const std::string& path : vars_.files) assign_from_file(path);
    for (const auto& [name, value] : vars_.given) assign(name, value, "--var");
  }

  void declare_variable(const Node& v) {
    VariableValue& value = out_.variables[v.key];
    if (v.broken || !check_no_variables(v, "Variable in a variable",
                                        "The declaration of a variable takes no variables itself."))
      return;
    const Node* fallback = v.find("default");
    if (fallback != nullptr && fallback->is_scalar()) value.text = fallback->text;
    const Node* secret = v.find("secret");
    value.secret = secret != nullptr && parse_boolean(secret->text).value_or(false);
  }

  void assign_from_environment() {
    for (auto& [name, value] : out_.variables) {
      std::string key = "NBFORM_VAR_" + name;
      auto it = vars_.environment.find(key);
      if (it == vars_.environment.end())
        access_.want(Wanted::Kind::environment, key);
      else if (it->second)
        value.text = *it->second;
    }
  }

  void assign_from_file(const std::string& path) {
    const Sources& sources = access_.sources();
    if (auto it = sources.unreadable.find(path); it != sources.unreadable.end())
      return report_.error(Code::usage, kNowhere, "Unreadable variable file",
                           fmt::format("{} (--var-file) {}.", access_.shown(path), it->second));
    auto it = sources.files.find(path);
    if (it == sources.files.end()) return access_.want(Wanted::Kind::any_file, path);
    std::uint32_t file = access_.number(path, it->second, false);
    auto root = parse_yaml(files_, file, report_);
    if (!root || root->is_null()) return;
    if (!root->is_map())
      return report_.error(root->at, "Not a variable file",
                           "A variable file is a map of variable names to values.");
    for (const Node& entry : root->items) {
      if (!entry.is_scalar())
        report_.error(entry.place(), "Wrong type", fmt::format("The variable `{}` takes a text.", entry.key));
      else if (!assign_known(entry.key, entry.text))
        report_.error(entry.key_at, "Unknown variable", unknown(entry.key));
    }
  }

  bool assign_known(const std::string& name, const std::string& value) {
    auto it = out_.variables.find(name);
    if (it == out_.variables.end()) return false;
    it->second.text = value;
    return true;
  }

  std::string unknown(const std::string& name) const {
    std::vector<std::string_view> names;
    for (const auto& [n, v] : out_.variables) names.push_back(n);
    std::string_view guess = nearest(name, names);
    return fmt::format("The stack declares no variable `{}`.{}", name,
                       guess.empty() ? "" : fmt::format(" Did you mean `{}`?", guess));
  }

  void assign(const std::string& name, const std::string& value, std::string_view how) {
    if (!assign_known(name, value) && !report_.has_errors())
      report_.error(Code::usage, kNowhere, "Unknown variable",
                    fmt::format("{} {}: {}", how, name, unknown(name)));
  }

  // ---- clouds, policy, lock ----

  Node filled(const Node& node) {
    Node copy = node;
    VariableScope scope{out_.variables, out_.stack.name, std::nullopt, nullptr};
    std::size_t budget = YamlLimits::kFile;
    interpolate_tree(copy, scope, budget);
    report_broken(copy, scope, report_);
    return copy;
  }

  void read_clouds() {
    for (const Section& s : sections("clouds"))
      for (const Node& entry : s.node.items) {
        if (entry.broken || !entry.is_map()) continue;
        Node copy = filled(entry);
        const Shape& shape = *document_shape().field("clouds")->shape->item;
        if (check_shape(copy, shape, "clouds." + entry.key, {report_, kEverywhere, "a cloud", false, true}))
          take_cloud(copy);
      }
    for (const Section& s : sections("lock"))
      if (s.node.is_scalar()) out_.lock = Text(filled(s.node).text);
  }

  void take_cloud(const Node& entry) {
    Cloud cloud = decode_cloud(entry);
    cloud.name = entry.key;
    cloud.mark = files_.mark(entry.key_at);
    bool named_gcp = entry.key == "gcp", named_aws = entry.key == "aws";
    if (cloud.type.empty() && (named_gcp || named_aws)) cloud.type = entry.key;
    if (cloud.type.empty())
      return report_.error(
          entry.key_at, "Missing key",
          fmt::format("`clouds.{}` needs `type`: gcp or aws. Only entries named gcp and aws go without.",
                      entry.key));
    if ((named_gcp || named_aws) && cloud.type != entry.key)
      return report_.error(
          entry.find("type")->at, "Misleading name",
          fmt::format("The entry named {} is of type {}. Give it another name.", entry.key, cloud.type));
    static const std::set<std::string> kGcp = {"project", "impersonate"},
                                       kAws = {"region", "account", "profile", "assume_role"};
    for (const Node& key : entry.items)
      if ((cloud.type == "gcp" ? kAws : kGcp).count(key.key) != 0)
        report_.error(key.key_at, "Key in the wrong place",
                      fmt::format("`{}` is a key of {}; `clouds.{}` is of type {}.", key.key,
                                  cloud.type == "gcp" ? "aws" : "gcp", entry.key, cloud.type));
    out_.cloud_at[entry.key] = entry.key_at;
    out_.clouds[entry.key] = std::move(cloud);
  }

  void read_policies() {
    for (const Section& s : sections("policy")) {
      if (s.node.broken || !s.node.is_map()) continue;
      Node copy = filled(s.node);
      check_shape(copy, *document_shape().field("policy")->shape, "policy",
                  {report_, kEverywhere, "a policy", false, true});
      out_.policies.push_back(decode_policy(copy));
    }
  }

  // ---- overlays ----

  void read_overlays() {
    std::vector<std::pair<std::string, Overlay>> own;
    for (Section& s : sections_["defaults"]) {
      std::string layer = s.included ? "defaults of " + s.from : "defaults";
      auto& list = s.included ? out_.defaults : own;
      list.emplace_back(layer, read_overlay(std::move(s.node), kInDefaults, "the defaults", out_, report_));
    }
    for (auto& layer : own) out_.defaults.push_back(std::move(layer));
    for (Section& s : sections_["profiles"]) read_named(s, "profile", kInProfile, "a profile", out_.profiles);
    for (Section& s : sections_["notebooks"])
      read_named(s, "notebook", kInNotebook, "a notebook", out_.notebooks);
  }

  void read_named(Section& section, std::string_view what, Place place, std::string_view noun,
                  std::map<std::string, Overlay>& into) {
    if (!section.node.is_map())
      return report_.error(
          section.node.place(), "Wrong type",
          fmt::format("`{}` takes a map of names to maps of a notebook's keys.", section.node.key));
    for (Node& entry : section.node.items) {
      if (report_.full()) return;
      if (!matches(name_shape().pattern, entry.key))
        report_.error(
            entry.key_at, "Invalid name",
            fmt::format("The key of {} is {}, not `{}`.", noun, name_shape().noun, entry.key.substr(0, 80)));
      auto it = into.find(entry.key);
      if (it != into.end()) {
        Span first = it->second.node.key_at;
        report_.error(
            entry.key_at, "Declared twice",
            fmt::format("The {} `{}` is declared at {} already.", what, entry.key, report_.where(first)), {},
            {first});
        continue;
      }
      std::string key = entry.key;
      into.emplace(key, read_overlay(std::move(entry), place, noun, out_, report_));
    }
  }

  FileAccess& access_;
  const Files& files_;
  const Vars& vars_;
  Report& report_;
  std::map<std::string, std::vector<Section>> sections_;
  std::set<std::string> included_;
  StackFiles out_;
};

std::vector<int> version_numbers(std::string_view text) {
  std::vector<int> out;
  for (std::string_view part : split(text, '.'))
    out.push_back(static_cast<int>(parse_integer(part).value_or(0)));
  out.resize(3);
  return out;
}

}  // namespace

Overlay read_overlay(Node node, Place place, std::string_view noun, const StackFiles& stack, Report& report) {
  Overlay overlay;
  std::string name = node.key;
  if (node.empty || !node.is_map()) {
    std::string detail =
        node.empty ? fmt::format("`{}` has no value. Write {{}} for one without keys of its own.", name)
                   : fmt::format("`{}` takes a map of a notebook's keys, not {}.", name, shown(node));
    if (!(place == kInEach && node.empty))
      report.error(node.place(), node.empty ? "Empty value" : "Wrong type", detail);
    Node empty = made_map(node);
    overlay.node = std::move(empty);
    return overlay;
  }
  auto each =
      std::find_if(node.items.begin(), node.items.end(), [](const Node& n) { return n.key == "each"; });
  if (each != node.items.end() && place == kInNotebook) {
    overlay.each = std::move(*each);
    overlay.has_each = true;
    node.items.erase(each);
  }
  if (node_count(node) > kOverlayNodes) {
    report.error(node.key_at, "Too large",
                 fmt::format("`{}` holds more than {} values.", name, kOverlayNodes));
    overlay.usable = false;
    node.items.clear();
  }
  expand_short_forms(node, notebook_shape());
  check_references(node, stack.variables, report);
  Node judged = node;
  check_shape(judged, notebook_shape(), "", {report, place, noun, true, false});
  overlay.node = std::move(node);
  return overlay;
}

StackFiles read_stack_files(FileAccess& access, const Files& files, const Vars& vars, Report& report) {
  return StackReader(access, files, vars, report).read();
}

std::string unmet_requirement(std::string_view requires_text, std::string_view version) {
  auto have = version_numbers(version);
  for (std::string_view part : split(requires_text, ',')) {
    part = trim(part);
    std::string_view op = part.substr(0, part.find_first_of("0123456789 "));
    auto want = version_numbers(trim(part.substr(op.size())));
    bool fits = op == ">="   ? have >= want
                : op == "<=" ? have <= want
                : op == ">"  ? have > want
                : op == "<"  ? have < want
                             : have == want;
    if (!fits) return std::string(part);
  }
  return {};
}

}  // namespace nbform
