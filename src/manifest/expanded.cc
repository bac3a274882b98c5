#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "manifest/emit.h"
#include "manifest/notebook_schema.h"
#include "manifest/scalar.h"

namespace nbform {
namespace {

constexpr std::size_t kCommentColumn = 48;

// A text as YAML: plain where that reads back as the same, else in double quotes. A `${` in it is meant
// literally.
std::string yaml_text(std::string_view text) {
  bool plain = matches("^[A-Za-z0-9/_][A-Za-z0-9/_.@+=~*-]*(:[A-Za-z0-9/_.@+=~*-]+)*$", text) &&
               text != "null" && text != "Null" && text != "NULL";
  if (plain) return std::string(text);
  std::string literal;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("${")) literal += '$';
    literal += text[i];
  }
  return to_json(Value(literal));
}

std::string yaml_value(const Value& value) {
  if (value.is_null()) return "null";
  if (value.is_bool()) return value.as_bool() ? "true" : "false";
  if (value.is_int()) return std::to_string(value.as_int());
  if (!value.is_list()) return yaml_text(value.as_text());
  std::string out;
  for (const Value& item : value.as_list())
    out += fmt::format("{}{}", out.empty() ? "" : ", ", yaml_value(item));
  return "[" + out + "]";
}

std::string with_comment(std::string line, std::string_view comment) {
  if (comment.empty()) return line + "\n";
  if (display_width(line) < kCommentColumn) line += std::string(kCommentColumn - display_width(line), ' ');
  return fmt::format("{}  # {}\n", line, comment);
}

std::string place(const Mark& mark) {
  return mark.known() ? fmt::format("{}:{}", mark.file, mark.line) : "";
}

class NotebookWriter {
 public:
  explicit NotebookWriter(const Notebook& nb) : nb_(nb) {}

  std::string write() {
    out_ = with_comment(fmt::format("  {}:", nb_.key), place(nb_.mark));
    walk_notebook(nb_, [&](const std::vector<std::string>& path, const Shape&, const Value& value) {
      leaf(path, value);
    });
    for (const std::string& path : nb_.dropped)
      out_ += fmt::format("    # `{}` of the defaults is left out: {} can't have it\n", path, nb_.service);
    return std::move(out_);
  }

 private:
  void leaf(std::vector<std::string> path, const Value& value) {
    if (path.size() > 1 && path.back() == "word") path.pop_back();  // image: pytorch
    std::size_t shared = 0;
    while (shared < open_.size() && shared + 1 < path.size() && open_[shared] == path[shared]) ++shared;
    open_.resize(shared);
    for (; shared + 1 < path.size(); ++shared) {
      out_ += with_comment(fmt::format("{}{}:", indent(shared), yaml_text(path[shared])), "");
      open_.push_back(path[shared]);
    }
    std::string dotted = join(path, ".");
    bool secret = nb_.secret_paths.count(dotted) != 0;
    out_ += with_comment(fmt::format("{}{}: {}", indent(path.size() - 1), yaml_text(path.back()),
                                     secret ? "\"(secret)\"" : yaml_value(value)),
                         origin(dotted));
  }

  static std::string indent(std::size_t depth) { return std::string(4 + 2 * depth, ' '); }

  std::string origin(const std::string& path) const {
    auto found = nb_.origins.find(path);
    if (!found) return path == "name" ? "the notebook's key" : path == "cloud" ? "from the service" : "";
    return found->layer == "notebook" ? place(found->mark)
                                      : fmt::format("{}, {}", found->layer, place(found->mark));
  }

  const Notebook& nb_;
  std::string out_;
  std::vector<std::string> open_;
};

std::string cloud_line(const Cloud& cloud) {
  std::vector<std::string> parts;
  auto add = [&](std::string_view key, const Text& text) {
    if (text.set()) parts.push_back(fmt::format("{}: {}", key, yaml_text(*text)));
  };
  if (cloud.name != "gcp" && cloud.name != "aws") parts.push_back("type: " + cloud.type);
  add("project", cloud.project);
  add("impersonate", cloud.impersonate);
  add("region", cloud.region);
  add("account", cloud.account);
  add("profile", cloud.profile);
  add("assume_role", cloud.assume_role);
  add("bucket", cloud.bucket);
  std::string from = cloud.mark.known() ? place(cloud.mark) : "from the environment";
  return with_comment(fmt::format("  {}: {{{}}}", cloud.name, join(parts, ", ")), from);
}

}  // namespace

std::string expanded(const Manifest& manifest) {
  std::string id = manifest.stack.id.empty() ? "" : ", id: " + yaml_text(manifest.stack.id);
  std::string out =
      "nbform: 1\n" +
      with_comment(fmt::format("stack: {{name: {}{}}}", manifest.stack.name, id), place(manifest.stack.mark));
  if (!manifest.clouds.empty()) out += "clouds:\n";
  for (const auto& [name, cloud] : manifest.clouds) out += cloud_line(cloud);
  out += manifest.notebooks.empty() ? "notebooks: {}\n" : "notebooks:\n";
  for (const Notebook& nb : manifest.notebooks) out += NotebookWriter(nb).write();
  return out;
}

}  // namespace nbform
