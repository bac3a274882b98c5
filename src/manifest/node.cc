#include "manifest/node.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace nbform {

const Node* Node::find(std::string_view name) const {
  auto it = std::find_if(items.begin(), items.end(), [&](const Node& n) { return n.key == name; });
  return is_map() && it != items.end() ? &*it : nullptr;
}

Node* Node::find(std::string_view name) {
  return const_cast<Node*>(std::as_const(*this).find(name));
}

Span Node::place() const {
  bool own_text = is_scalar() || (is_null() && !empty);
  return !own_text && key_at.known() ? key_at : at;
}

const Node* Node::at_path(std::string_view dotted) const {
  auto dot = dotted.find('.');
  const Node* node = find(dotted.substr(0, dot));
  if (node == nullptr || dot == std::string_view::npos) return node;
  return node->at_path(dotted.substr(dot + 1));
}

Node made_scalar(std::string key, std::string text, const Node& origin) {
  Node n;
  n.kind = Node::Kind::scalar;
  n.plain = origin.plain;
  n.filled = origin.filled;
  n.secret = origin.secret;
  n.layer = origin.layer;
  n.text = std::move(text);
  n.at = origin.at;
  n.key = std::move(key);
  return n;
}

Node made_map(const Node& origin) {
  Node n;
  n.kind = Node::Kind::map;
  n.layer = origin.layer;
  n.at = origin.at;
  n.key = origin.key;
  n.key_at = origin.key_at;
  return n;
}

std::size_t node_count(const Node& node) {
  std::size_t n = 1;
  for (const Node& item : node.items) n += node_count(item);
  return n;
}

std::uint32_t Files::add(std::string path, std::string shown, std::string text, bool quotable) {
  if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
  files_.push_back({std::move(path), std::move(shown), std::move(text), quotable, {}});
  return static_cast<std::uint32_t>(files_.size() - 1);
}

Mark Files::mark(Span span) const {
  Mark m;
  if (span.file < files_.size()) m.file = files_[span.file].shown;
  m.line = static_cast<int>(span.line);
  m.column = static_cast<int>(span.column);
  m.length = static_cast<int>(span.length);
  return m;
}

std::string Files::source_line(Span span) const {
  if (!span.known() || span.file >= files_.size() || !files_[span.file].quotable) return {};
  const File& f = files_[span.file];
  if (f.line_starts.empty()) {
    f.line_starts.push_back(0);
    for (std::size_t i = 0; i < f.text.size(); ++i)
      if (f.text[i] == '\n') f.line_starts.push_back(static_cast<std::uint32_t>(i + 1));
  }
  if (span.line > f.line_starts.size()) return {};
  std::string_view rest = std::string_view(f.text).substr(f.line_starts[span.line - 1]);
  rest = rest.substr(0, rest.find('\n'));
  if (!rest.empty() && rest.back() == '\r') rest.remove_suffix(1);
  return std::string(rest);
}

void Report::add(Diagnostic d, Span at) {
  if (full()) return;
  d.mark = files_.mark(at);
  if (!seen_.insert(d.mark.text() + '\n' + d.summary + '\n' + d.detail).second) return;
  d.source_line = files_.source_line(at);
  bool outside = at.file != subject_at_.file || at.line < subject_at_.line;
  if (!subject_.empty() && outside) d.address = subject_;
  found_.add(std::move(d));
}

void Report::error(Span at, std::string summary, std::string detail, std::string hint,
                   std::vector<Span> related) {
  Diagnostic d = nbform::error(Code::bad_manifest, std::move(summary), std::move(detail));
  d.hint = std::move(hint);
  for (Span s : related) d.related.push_back(files_.mark(s));
  add(std::move(d), at);
}

void Report::error(Code code, Span at, std::string summary, std::string detail, std::string hint) {
  Diagnostic d = nbform::error(code, std::move(summary), std::move(detail));
  d.hint = std::move(hint);
  add(std::move(d), at);
}

void Report::warning(Span at, std::string summary, std::string detail) {
  add(nbform::warning(Code::unsupported, std::move(summary), std::move(detail)), at);
}

Diagnostics Report::take() {
  bool cut = full();
  found_.sort();
  if (cut)
    found_.add(nbform::note("More findings", "Only the first 200 are shown; mend these and run again."));
  return std::move(found_);
}

}  // namespace nbform
