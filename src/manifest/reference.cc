#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "manifest/emit.h"
#include "manifest/notebook_schema.h"
#include "manifest/scalar.h"
#include "manifest/services.h"

namespace nbform {
namespace {

std::string choices_text(const Shape& s) {
  std::string out;
  for (std::size_t i = 0; i < s.choices.size(); ++i)
    out += fmt::format("{}`{}`", i == 0 ? "" : ", ", s.choices[i]);
  return out;
}

std::string long_text(const Shape& s) {
  switch (s.kind) {
    case ShapeKind::choice:
      return choices_text(s);
    case ShapeKind::duration:
      return fmt::format("{}, from {} to {}", s.noun, format_duration_s(s.least), format_duration_s(s.most));
    case ShapeKind::size:
      return fmt::format("{}, from {} to {}", s.noun, format_size_gb(s.least), format_size_gb(s.most));
    case ShapeKind::list:
      return s.item->kind == ShapeKind::any ? "a list"
                                            : fmt::format("{}, or a list of such", long_text(*s.item));
    default:
      return std::string(s.noun);
  }
}

std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) out += c == '|' ? "\\|" : std::string(1, c);
  return out;
}

std::string table_of(const Shape& record) {
  std::string out = "| key | takes | default | |\n|---|---|---|---|\n";
  for (const FieldInfo& f : record.fields) {
    if (f.extra.internal) continue;
    out += fmt::format(
        "| `{}` | {} | {} | {}{} |\n", f.name, cell(takes_text(*f.shape)),
        f.extra.required ? "required" : cell(f.extra.fallback), cell(f.doc),
        f.extra.example.empty() ? "" : cell(fmt::format(" E.g. `{}: {}`.", f.name, f.extra.example)));
  }
  return out + "\n";
}

// The sections below one record, depth first.
void sections_of(const Shape& record, const std::string& path, std::string& out) {
  for (const FieldInfo& f : record.fields) {
    const Shape* inner = f.shape;
    std::string name = path.empty() ? std::string(f.name) : fmt::format("{}.{}", path, f.name);
    if (inner->kind == ShapeKind::table) {
      inner = inner->item;
      name += ".*";
    }
    if (inner->kind != ShapeKind::record) continue;
    out += fmt::format("### `{}`\n\n{}\n\n{}", name, f.doc, table_of(*inner));
    sections_of(*inner, name, out);
  }
}

constexpr std::string_view kServices[] = {"gce", "workbench", "ec2", "sagemaker"};

std::string unsupported_section() {
  std::string out =
      "## What a service can't do\n\nA key of one's own that the service can't do is an error; inherited "
      "from `defaults` it is dropped.\n\n";
  for (std::string_view service : kServices) {
    out += fmt::format("### {}\n\n| key | why |\n|---|---|\n", service);
    for (const Unsupported& u : unsupported_by(service))
      out += fmt::format("| `{}` | {} |\n", u.path, cell(u.reason));
    out += "\n";
  }
  return out;
}

std::string not_built_section() {
  std::string out =
      "## Not in this version\n\nThese keys are part of the language and validate, but this version does not "
      "act on them. "
      "One that promises a limit is an error; the others are warnings.\n\n| key | service | so far "
      "|\n|---|---|---|\n";
  for (const NotBuilt& n : not_built())
    out += fmt::format("| `{}` | {} | {}{} |\n", n.path, n.service.empty() ? "any" : n.service,
                       n.restricts ? "an error" : "a warning",
                       n.but_for.empty() ? "" : fmt::format(", but for `{}`", n.but_for));
  return out;
}

// ---- explain ----

struct Found {
  const FieldInfo* field = nullptr;
  std::vector<std::string> path;  // `*` for keys of one's own
  const Shape* owner = nullptr;   // where the search ended
  std::string missing;            // the part that is not there
};

Found find(const Shape& root, std::string_view key) {
  Found found;
  found.owner = &root;
  const Shape* at = &root;
  for (std::string_view part : split(key, '.')) {
    if (at->kind == ShapeKind::table) {
      found.path.emplace_back("*");
      at = at->item;
      continue;
    }
    const FieldInfo* f = at->kind == ShapeKind::record ? at->field(part) : nullptr;
    found.owner = at;
    if (f == nullptr || f->extra.internal) {
      found.missing = part;
      return found;
    }
    found.field = f;
    found.path.emplace_back(part);
    at = f->shape;
  }
  return found;
}

std::string places_of(const FieldInfo& f, bool of_notebook) {
  if (!of_notebook) return "a manifest file";
  if (f.extra.places == kInNotebook) return "a notebook";
  return f.extra.places == kEverywhere ? "a notebook, a profile, the defaults, an entry of `each`"
                                       : "a notebook, an entry of `each`";
}

std::string keys_of(const Shape& shape) {
  const Shape* s = shape.kind == ShapeKind::table ? shape.item : &shape;
  std::string out;
  for (const FieldInfo& f : s->fields)
    if (!f.extra.internal) out += fmt::format("    {:<22} {}\n", f.name, f.doc);
  return out;
}

std::string explain_found(const Found& found, bool of_notebook) {
  const FieldInfo& f = *found.field;
  std::string out =
      fmt::format("{}\n  {}\n\n  takes     {}\n", join(found.path, "."), f.doc, takes_text(*f.shape));
  if (f.extra.required) out += "  default   none: it is required\n";
  if (!f.extra.fallback.empty()) out += fmt::format("  default   {}\n", f.extra.fallback);
  if (!f.extra.example.empty()) out += fmt::format("  example   {}: {}\n", f.name, f.extra.example);
  out += fmt::format("  stands in {}\n", places_of(f, of_notebook));
  for (std::string_view service : kServices)
    for (const Unsupported& u : unsupported_by(service))
      if (of_notebook && path_matches(u.path, found.path))
        out += fmt::format("  not with  {}: {}\n", service, u.reason);
  for (const NotBuilt& n : not_built())
    if (n.of_file != of_notebook && path_matches(n.path, found.path))
      out += fmt::format("  not in this version{}{}\n",
                         n.service.empty() ? "" : fmt::format(" on {}", n.service),
                         n.but_for.empty() ? "" : fmt::format(", but for `{}`", n.but_for));
  std::string keys = keys_of(*f.shape);
  return keys.empty() ? out : out + "\n  keys\n" + keys;
}

Diagnostic no_such_key(const Found& found, std::string_view key) {
  std::vector<std::string_view> names;
  for (const FieldInfo& f : found.owner->fields)
    if (!f.extra.internal) names.push_back(f.name);
  std::string_view guess = nearest(found.missing, names);
  Diagnostic d = error(Code::usage, "Unknown key",
                       fmt::format("The manifest language has no key `{}`.", key.substr(0, 80)));
  if (!guess.empty()) d.detail += fmt::format(" Did you mean `{}`?", guess);
  d.hint = "`nbform explain` lists all keys.";
  return d;
}

std::string all_keys() {
  return "keys of a notebook\n" + keys_of(notebook_shape()) + "\nkeys of a manifest file\n" +
         keys_of(document_shape());
}

}  // namespace

std::string takes_text(const Shape& s) {
  if (s.kind == ShapeKind::table) return std::string(s.noun);
  return s.scalar == nullptr ? long_text(s) : fmt::format("{}; or {}", long_text(*s.scalar), long_text(s));
}

std::string reference() {
  std::string out =
      "# Manifest reference\n\n<!-- Generated from src/manifest/notebook_schema.cc and services.cc; "
      "NBFORM_ACCEPT=1 rewrites it. -->\n\n"
      "A stack is a directory; every `*.nb.yaml` in it belongs to the stack. An absent key is not managed: "
      "its default is sent when the\n"
      "notebook is made and never compared afterwards. `null` removes what is there. `nbform explain KEY` "
      "prints what stands here.\n\n## A file\n\n";
  out += table_of(document_shape());
  sections_of(document_shape(), "", out);
  out +=
      "## A notebook\n\n`defaults`, `profiles` and entries of `each` take the same keys, except that `use`, "
      "`name`, `moved_from` and `adopt` stand in notebooks\nand entries of `each` only, and `each` in "
      "notebooks only.\n\n" +
      table_of(notebook_shape());
  sections_of(notebook_shape(), "", out);
  return out + unsupported_section() + not_built_section();
}

Result<std::string> explain(std::string_view key) {
  if (key.empty()) return all_keys();
  auto parts = split(key, '.');
  bool prefixed = parts.size() > 2 && (parts[0] == "notebooks" || parts[0] == "profiles");
  if (prefixed) key.remove_prefix(parts[0].size() + parts[1].size() + 2);
  if (key.starts_with("defaults.")) key.remove_prefix(9);
  Found of_notebook = find(notebook_shape(), key);
  if (of_notebook.missing.empty()) return explain_found(of_notebook, true);
  Found of_file = find(document_shape(), key);
  if (of_file.missing.empty()) return explain_found(of_file, false);
  return no_such_key(of_file.field != nullptr ? of_file : of_notebook, key);
}

}  // namespace nbform
