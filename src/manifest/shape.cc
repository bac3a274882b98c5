#include "manifest/shape.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "manifest/scalar.h"

namespace nbform {
namespace {

bool in_choices(const Shape& shape, std::string_view text) {
  return std::find(shape.choices.begin(), shape.choices.end(), text) != shape.choices.end();
}

std::string list_of(std::span<const std::string_view> words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i)
    out += fmt::format("{}`{}`", i == 0 ? "" : i + 1 == words.size() ? " or " : ", ", words[i]);
  return out;
}

std::string takes(const Shape& shape) {
  return shape.kind == ShapeKind::choice ? list_of(shape.choices) : std::string(shape.noun);
}

std::string not_taken(const Node& node, const Shape& shape, const std::string& path) {
  return fmt::format("`{}` takes {}, not {}.", path, takes(shape), shown(node));
}

std::string with_guess(std::string sentence, std::string_view word, std::span<const std::string_view> known) {
  std::string_view guess = nearest(word, {known.begin(), known.end()});
  return guess.empty() ? sentence : fmt::format("{} Did you mean `{}`?", sentence, guess);
}

std::string number_problem(const Node& node, const Shape& shape, const std::string& path,
                           std::optional<std::int64_t> n, std::string (*format)(std::int64_t)) {
  if (!n) return not_taken(node, shape, path);
  if (*n >= shape.least && *n <= shape.most) return {};
  if (shape.least == shape.most) return fmt::format("`{}` is {}, not {}.", path, shape.noun, shown(node));
  return fmt::format("`{}` is from {} to {}, not {}.", path, format(shape.least), format(shape.most),
                     shown(node));
}

std::string boolean_problem(const Node& node, const Shape& shape, const std::string& path) {
  bool is_one = parse_boolean(node.text).has_value();
  if (is_one && (node.plain || node.filled)) return {};
  if (is_one) return fmt::format("`{}` takes true or false; in quotes it is a text. Drop the quotes.", path);
  std::string problem = not_taken(node, shape, path);
  bool yes = iequals(node.text, "yes") || iequals(node.text, "on"),
       no = iequals(node.text, "no") || iequals(node.text, "off");
  return yes || no ? fmt::format("{} Write `{}`.", problem, yes) : problem;
}

std::string integer_problem(const Node& node, const Shape& shape, const std::string& path) {
  if (!node.plain && !node.filled && parse_integer(node.text))
    return fmt::format("`{}` takes {}; in quotes it is a text. Drop the quotes.", path, shape.noun);
  return number_problem(node, shape, path, parse_integer(node.text),
                        [](std::int64_t n) { return std::to_string(n); });
}

std::string text_problem(const Node& node, const Shape& shape, const std::string& path) {
  if (static_cast<std::int64_t>(node.text.size()) > shape.most)
    return fmt::format("`{}` may have {} bytes; this has {}.", path, shape.most, node.text.size());
  if (!shape.pattern.empty() && !matches(shape.pattern, node.text)) return not_taken(node, shape, path);
  return {};
}

std::string choice_problem(const Node& node, const Shape& shape, const std::string& path) {
  if (in_choices(shape, node.text)) {
    bool a_boolean = parse_boolean(node.text).has_value();
    if (!a_boolean || node.plain || node.filled) return {};
    return fmt::format("`{}` takes true or false; in quotes it is a text. Drop the quotes.", path);
  }
  return with_guess(not_taken(node, shape, path), node.text, shape.choices);
}

std::string join_path(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

// What people who come from elsewhere write, and what to write instead.
struct Elsewhere {
  std::string_view word, says;
};
constexpr std::string_view kNoRaw =
    "There is no way to pass raw API fields: a plan could not say what changing them does. If a field is "
    "missing, ask for it.";
constexpr Elsewhere kElsewhere[] = {
    {"gce", kNoRaw},
    {"workbench", kNoRaw},
    {"ec2", kNoRaw},
    {"sagemaker", kNoRaw},
    {"zone", "Write `where`."},
    {"region", "Write `where`: a region means any of its zones."},
    {"location", "Write `where`."},
    {"machine_type", "Write `machine`."},
    {"instance_type", "Write `machine`."},
    {"type", "Write `service` for the kind of notebook, `machine` for the type of its machine."},
    {"accelerator", "Write `gpu`."},
    {"accelerators", "Write `gpu`."},
    {"gpus", "Write `gpu`."},
    {"tags", "Write `labels` for labels (tags on AWS), `network.tags` for network tags."},
    {"disk", "Write `disks`, e.g. `disks: {boot: 200GB}`."},
    {"boot_disk", "Write `disks`, e.g. `disks: {boot: 200GB}`."},
    {"boot_disk_size", "Write `disks`, e.g. `disks: {boot: 200GB}`."},
    {"preemptible", "Write `spot: true`."},
    {"service_account", "Write `identity`, e.g. `identity: NAME@PROJECT.iam.gserviceaccount.com`."},
    {"startup_script", "Write `setup: {script: FILE}`."},
    {"shutdown_script", "Write `setup: {shutdown_script: FILE}`."},
    {"idle_stop", "Write `power: {idle_stop: 60m}`."},
    {"state", "Write `power: stopped`."},
    {"tunnel", "Write `access: {tunnel: 9999}`."},
    {"port",
     "Write `access: {tunnel: 9999}` for the local port, `access: {jupyter: {port: 8888}}` for Jupyter's "
     "own."},
    {"ssh", "Write `access: {ssh: {keys: [FILE.pub]}}`."},
    {"key_name", "Write `access: {ssh: {keys: [FILE.pub]}}`: nbform imports the key."},
    {"key_pair", "Write `access: {ssh: {keys: [FILE.pub]}}`: nbform imports the key."},
    {"security_groups",
     "Write `access: {ssh: {allow_from: [CIDR]}}`, or `network: {security_groups: [sg-...]}`."},
    {"ami", "Write `image: {ami: ami-...}`."},
    {"instance_profile", "Write `identity`."},
    {"volumes", "Write `disks`, e.g. `disks: {data: 200GB}`."},
    {"user_data", "Write `setup: {script: FILE}`."},
    {"project", "Write it once, under `clouds: {gcp: {project: ...}}`."},
};

void unknown_key(const Node& entry, const Shape& shape, const std::string& path, const Check& check) {
  std::string owner = path.empty() ? std::string(check.noun) : fmt::format("`{}`", path);
  std::string detail = fmt::format("`{}` is not a key of {}.", entry.key.substr(0, 60), owner);
  bool of_notebook = shape.field("machine") != nullptr;
  for (const Elsewhere& e : kElsewhere)
    if (of_notebook && e.word == entry.key)
      return check.report.error(entry.key_at, "Unknown key", detail + " " + std::string(e.says));
  std::vector<std::string_view> known;
  for (const FieldInfo& f : shape.fields)
    if (!f.extra.internal && (f.extra.places & check.place) != 0) known.push_back(f.name);
  std::string_view guess = nearest(entry.key, known);
  if (!guess.empty())
    detail += fmt::format(" Did you mean `{}`?", guess);
  else
    detail += fmt::format(" It knows {}.", fmt::join(known, ", "));
  check.report.error(entry.key_at, "Unknown key", std::move(detail));
}

void misplaced_key(const Node& entry, const FieldInfo& field, const Check& check) {
  std::string where = (field.extra.places & kInEach) != 0 ? "a notebook or an entry of `each`" : "a notebook";
  check.report.error(entry.key_at, "Key in the wrong place",
                     fmt::format("`{}` stands in {} only, not in {}.", field.name, where, check.noun));
}

bool check_record(Node& node, const Shape& shape, const std::string& path, const Check& check) {
  bool ok = true;
  for (Node& entry : node.items) {
    if (check.report.full()) return false;
    const FieldInfo* field = shape.field(entry.key);
    bool written = entry.key_at.known();
    if (field == nullptr || (field->extra.internal && written)) {
      if (!check.merged) unknown_key(entry, shape, path, check);
      ok = false;
    } else if (!check.merged && (field->extra.places & check.place) == 0) {
      misplaced_key(entry, *field, check);
      ok = false;
    } else if (entry.is_null() && !entry.empty && field->extra.required) {
      check.report.error(entry.at, "Key can't be removed",
                         fmt::format("`{}` is required; null would remove it.", join_path(path, entry.key)));
      ok = false;
    } else {
      ok &= check_shape(entry, *field->shape, join_path(path, entry.key), check);
    }
  }
  return ok;
}

bool check_one_of(const Node& node, const Shape& shape, const std::string& path, const Check& check) {
  if (shape.one_of.empty()) return true;
  std::vector<const Node*> there;
  for (const Node& entry : node.items)
    if (std::find(shape.one_of.begin(), shape.one_of.end(), entry.key) != shape.one_of.end() ||
        (shape.field(entry.key) != nullptr && shape.field(entry.key)->extra.internal))
      there.push_back(&entry);
  if (there.size() == 1) return true;
  if (there.empty())
    check.report.error(node.place(), "Missing key",
                       fmt::format("`{}` needs one of {}.", path, list_of(shape.one_of)));
  else
    check.report.error(there[1]->key_at, "Keys exclude each other",
                       fmt::format("`{}` takes one of {}, but both `{}` and `{}` are given.", path,
                                   list_of(shape.one_of), there[0]->key, there[1]->key),
                       {}, {there[0]->key_at});
  return false;
}

bool check_required(const Node& node, const Shape& shape, const std::string& path, const Check& check) {
  if (check.partial) return true;
  bool ok = true;
  for (const FieldInfo& f : shape.fields) {
    if (!f.extra.required || node.find(f.name) != nullptr) continue;
    std::string owner = path.empty() ? std::string(check.noun) : fmt::format("`{}`", path);
    std::string example = f.extra.example.empty() ? "" : fmt::format("  {}: {}", f.name, f.extra.example);
    check.report.error(node.place(), "Missing key",
                       fmt::format("{}{} needs `{}`. {}", static_cast<char>(std::toupper(owner[0])),
                                   owner.substr(1), f.name, f.doc),
                       example);
    ok = false;
  }
  return ok;
}

bool check_list(Node& node, const Shape& shape, const std::string& path, const Check& check) {
  bool ok = true;
  if (static_cast<std::int64_t>(node.items.size()) > shape.most) {
    check.report.error(
        node.place(), "Too many items",
        fmt::format("`{}` may have {} items; this has {}.", path, shape.most, node.items.size()));
    return false;
  }
  if (static_cast<std::int64_t>(node.items.size()) < shape.least) {
    check.report.error(node.place(), "Too few items", fmt::format("`{}` needs {}.", path, shape.noun));
    return false;
  }
  for (Node& item : node.items) {
    if (check.report.full()) return false;
    if (item.is_null()) {
      check.report.error(item.at, item.empty ? "Empty value" : "Wrong type",
                         item.empty
                             ? fmt::format("An item of `{}` has no value. Write one, or drop the line.", path)
                             : fmt::format("`{}` is a list; null is not an item of it.", path));
      node.broken = true;
      ok = false;
      continue;
    }
    ok &= check_shape(item, *shape.item, path, check);
    node.broken |= item.broken;
  }
  return ok;
}

bool check_table(Node& node, const Shape& shape, const std::string& path, const Check& check) {
  bool ok = true;
  if (static_cast<std::int64_t>(node.items.size()) > shape.most) {
    check.report.error(
        node.place(), "Too many entries",
        fmt::format("`{}` may have {} entries; this has {}.", path, shape.most, node.items.size()));
    return false;
  }
  for (Node& entry : node.items) {
    if (check.report.full()) return false;
    if (shape.key != nullptr) {
      Node key = made_scalar({}, entry.key, node);
      key.secret = false;
      std::string problem = scalar_problem(key, *shape.key, path);
      if (!problem.empty()) {
        check.report.error(
            entry.key_at, "Invalid key",
            fmt::format("A key of `{}` is {}, not `{}`.", path, shape.key->noun, entry.key.substr(0, 80)));
        ok = false;
      }
    }
    ok &= check_shape(entry, *shape.item, join_path(path, entry.key), check);
  }
  return ok;
}

std::string_view what_it_is(const Node& node) {
  return node.is_list() ? "a list" : node.is_map() ? "a map" : "a single value";
}

bool wrong_type(Node& node, const Shape& shape, const std::string& path, const Check& check) {
  node.broken = true;
  std::string also = shape.scalar != nullptr ? fmt::format(", or {}", takes(*shape.scalar)) : "";
  check.report.error(
      node.place(), "Wrong type",
      fmt::format("`{}` takes {}{}, not {}.{}", path, takes(shape), also, what_it_is(node),
                  node.is_list() && shape.list_reserved
                      ? " A list, in order of preference, is reserved for a later version: name one."
                      : ""));
  return false;
}

bool check_scalar(Node& node, const Shape& shape, const std::string& path, const Check& check) {
  if (check.partial && has_variable(node.text)) return true;
  std::string problem = scalar_problem(node, shape, path);
  if (problem.empty()) return true;
  node.broken = true;
  check.report.error(node.at, "Invalid value", std::move(problem));
  return false;
}

}  // namespace

std::string shown(const Node& node) {
  if (node.secret) return "this secret value";
  if (node.is_null()) return "null";
  if (!node.is_scalar()) return std::string(what_it_is(node));
  std::string_view text = std::string_view(node.text).substr(0, node.text.find('\n'));
  std::size_t cut = std::min<std::size_t>(text.size(), 60);
  while (cut < text.size() && cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;
  return cut == node.text.size() ? fmt::format("`{}`", text) : fmt::format("`{}...`", text.substr(0, cut));
}

bool has_variable(std::string_view text) {
  for (std::size_t i = text.find("${"); i != std::string_view::npos; i = text.find("${", i + 2))
    if (i == 0 || text[i - 1] != '$') return true;
  return false;
}

std::string scalar_problem(const Node& node, const Shape& shape, const std::string& path) {
  switch (shape.kind) {
    case ShapeKind::text:
      return text_problem(node, shape, path);
    case ShapeKind::integer:
      return integer_problem(node, shape, path);
    case ShapeKind::boolean:
      return boolean_problem(node, shape, path);
    case ShapeKind::choice:
      return choice_problem(node, shape, path);
    case ShapeKind::duration: {
      std::string problem = number_problem(node, shape, path, parse_duration_s(node.text), format_duration_s);
      return !problem.empty() && parse_integer(node.text) ? problem + " The unit is missing: s, m, h or d."
                                                          : problem;
    }
    case ShapeKind::size: {
      std::string problem = number_problem(node, shape, path, parse_size_gb(node.text), format_size_gb);
      return !problem.empty() && parse_integer(node.text)
                 ? problem + fmt::format(" Did you mean `{}GB`?", node.text)
                 : problem;
    }
    case ShapeKind::money:
      return parse_money(node.text) ? "" : not_taken(node, shape, path);
    default:
      return not_taken(node, shape, path);
  }
}

void expand_short_forms(Node& node, const Shape& shape) {
  if (node.is_scalar() && shape.kind == ShapeKind::list) {
    Node list = made_map(node);
    list.kind = Node::Kind::list;
    node.key.clear();
    node.key_at = {};
    list.items.push_back(std::move(node));
    node = std::move(list);
  } else if (node.is_scalar() && shape.expand != nullptr && !node.broken) {
    Node map = made_map(node);
    bool open = !node.settled && has_variable(node.text);  // written out once its variables are filled in
    bool fits = !open && scalar_problem(node, *shape.scalar, "").empty();
    if (fits && shape.expand(node, map)) node = std::move(map);
  }
  if (shape.kind == ShapeKind::record && node.is_map()) {
    for (Node& entry : node.items)
      if (const FieldInfo* f = shape.field(entry.key)) expand_short_forms(entry, *f->shape);
  } else if ((shape.kind == ShapeKind::table && node.is_map()) ||
             (shape.kind == ShapeKind::list && node.is_list())) {
    for (Node& item : node.items) expand_short_forms(item, *shape.item);
  }
}

bool check_shape(Node& node, const Shape& shape, const std::string& path, const Check& check) {
  if (check.report.full()) return false;
  if (node.empty) {
    node.broken = true;
    check.report.error(
        node.place(), "Empty value",
        fmt::format("`{}` has no value. Write null to remove what is there, or drop the key.", path));
    return false;
  }
  if (node.is_null() || node.broken) return true;
  switch (shape.kind) {
    case ShapeKind::each:
    case ShapeKind::any:
      return true;
    case ShapeKind::record:
      if (node.is_scalar() && shape.scalar != nullptr) return check_scalar(node, *shape.scalar, path, check);
      if (!node.is_map()) return wrong_type(node, shape, path, check);
      // Not short-circuited: every finding of a run is shown.
      return static_cast<int>(check_record(node, shape, path, check)) &
             static_cast<int>(check_one_of(node, shape, path, check)) &
             static_cast<int>(check_required(node, shape, path, check));
    case ShapeKind::list:
      return node.is_list() ? check_list(node, shape, path, check) : wrong_type(node, shape, path, check);
    case ShapeKind::table:
      return node.is_map() ? check_table(node, shape, path, check) : wrong_type(node, shape, path, check);
    default:
      return node.is_scalar() ? check_scalar(node, shape, path, check) : wrong_type(node, shape, path, check);
  }
}

}  // namespace nbform
