#include "manifest/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <unordered_set>

#include "base/text.h"
#include "manifest/yaml_guard.h"

namespace nbform {
namespace {

struct Stop {};  // the finding is reported; leaves yaml-cpp's parser

class Source {
 public:
  Source(std::string_view text, std::uint32_t file) : text_(text), file_(file) {}

  std::string_view text() const { return text_; }
  char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  std::string_view line_at(std::size_t i) const {
    std::size_t start = i == 0 ? 0 : text_.rfind('\n', i - 1) + 1;
    return text_.substr(start, text_.find('\n', i) - start);
  }
  Span span(const YAML::Mark& m, std::size_t length = 1) const {
    return {file_, static_cast<std::uint32_t>(m.line + 1), static_cast<std::uint32_t>(m.column + 1),
            static_cast<std::uint32_t>(std::max<std::size_t>(1, length))};
  }
  // Lines before `offset`; asked for in rising order as a rule, so it counts on from the last answer.
  std::size_t line_of(std::size_t offset) const {
    if (offset < counted_) counted_ = lines_ = 0;
    auto from = text_.begin() + static_cast<std::ptrdiff_t>(counted_),
         to = text_.begin() + static_cast<std::ptrdiff_t>(offset);
    lines_ += static_cast<std::size_t>(std::count(from, to, '\n'));
    counted_ = offset;
    return lines_;
  }
  Span span_of(std::size_t offset, std::size_t length = 1) const {
    offset = std::min(offset, text_.size());
    std::size_t line = line_of(offset);
    std::size_t start = offset == 0 ? 0 : text_.rfind('\n', offset - 1) + 1;
    return {file_, static_cast<std::uint32_t>(line + 1), static_cast<std::uint32_t>(offset - start + 1),
            static_cast<std::uint32_t>(std::max<std::size_t>(1, length))};
  }
  // Bytes that a scalar takes on its first line.
  std::size_t lexeme(std::size_t pos, std::string_view value) const {
    std::string_view rest = text_.substr(std::min(pos, text_.size()));
    rest = rest.substr(0, rest.find('\n'));
    if (rest.empty()) return 1;
    if (rest[0] == '|' || rest[0] == '>') return 1;
    if (rest[0] != '"' && rest[0] != '\'') return std::min(value.size(), rest.size());
    std::size_t i = 1;
    while (i < rest.size() && rest[i] != rest[0]) i += rest[0] == '"' && rest[i] == '\\' ? 2 : 1;
    return std::min(i + 1, rest.size());
  }
  // yaml-cpp takes the end of the file for a closing quote.
  bool unclosed(std::size_t pos) const {
    char quote = at(pos);
    if (quote != '"' && quote != '\'') return false;
    for (std::size_t i = pos + 1; i < text_.size(); ++i) {
      if (quote == '"' && text_[i] == '\\')
        ++i;
      else if (text_[i] == quote && (quote == '"' || at(i + 1) != '\''))
        return false;
      else if (text_[i] == quote)
        ++i;
    }
    return true;
  }
  bool says_null(std::size_t pos) const {
    std::string_view rest = text_.substr(std::min(pos, text_.size()));
    for (std::string_view word : {"~", "null", "Null", "NULL"})
      if (rest.starts_with(word)) {
        char after = word.size() < rest.size() ? rest[word.size()] : '\n';
        return std::string_view(" \t\r\n,]}").find(after) != std::string_view::npos;
      }
    return false;
  }

 private:
  std::string_view text_;
  std::uint32_t file_;
  mutable std::size_t counted_ = 0, lines_ = 0;
};

constexpr std::string_view kNotYaml = "Not valid YAML";

// Builds the tree from events, and refuses what nbform does not read.
class Builder : public YAML::EventHandler {
 public:
  Builder(const Source& source, Report& report) : source_(source), report_(report) {}

  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1)
      refuse(source_.span(mark, 3), "Several documents in one file",
             "A manifest file is one document, but `---` starts another one here. Two stacks belong in two "
             "directories; "
             "more notebooks of this stack go under the same `notebooks:`, or in another *.nb.yaml file.");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check_anchor(mark, anchor);
    count(mark);
    Node n;
    n.empty = !source_.says_null(position(mark));
    n.at = n.empty ? place_of_nothing(mark) : source_.span(mark, source_.at(position(mark)) == '~' ? 1 : 4);
    if (wants_key())
      refuse(source_.span(mark), "Key without a name",
             "A key must be a text. If the key is the word null, quote it.");
    put(std::move(n));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_alias(position(mark)); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check(mark, tag, anchor);
    std::size_t pos = position(mark);
    bool plain = tag == "?";
    if (!plain && source_.unclosed(pos)) refuse_unclosed(pos);
    Span at = source_.span(mark, source_.lexeme(pos, value));
    if (value.size() > YamlLimits::kScalar)
      refuse(at, "Too long", "A text may have 64 KiB; this one has more.");
    if (plain && value.ends_with('$') && source_.at(pos + value.size()) == '{')
      refuse_unquoted_variable(pos + value.size() - 1);
    if (wants_key()) {
      take_key(value, at, plain);
      return;
    }
    Node n;
    n.kind = Node::Kind::scalar;
    n.plain = plain;
    n.text = value;
    n.at = at;
    put(std::move(n));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::list, mark, tag, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::map, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

  [[noreturn]] void refuse(Span at, std::string_view summary, std::string detail, std::string hint = {}) {
    report_.error(at, std::string(summary), std::move(detail), std::move(hint));
    throw Stop{};
  }

  [[noreturn]] void refuse_unclosed(std::size_t pos) {
    std::string_view line = source_.text().substr(pos);
    refuse(source_.span_of(pos, std::min<std::size_t>(line.find_first_of("\r\n"), line.size())),
           "Unclosed quote", "A quote is opened here, and the file ends before it is closed.");
  }

  [[noreturn]] void refuse_alias(std::size_t pos) {
    std::string_view word = source_.text().substr(pos);
    word = word.substr(0, word.find_first_of(" \t\r\n,]}"));
    refuse(source_.span_of(pos, word.size()), "Value needs quotes",
           "In YAML a value that starts with `*` is an alias, which nbform does not read. If it is a "
           "pattern, quote it.",
           fmt::format("  \"{}\"", word.substr(0, 80)));
  }

  [[noreturn]] void refuse_unquoted_variable(std::size_t dollar) {
    std::string_view rest = source_.text().substr(dollar);
    std::string_view word = rest.substr(0, rest.find('}') == std::string_view::npos ? 2 : rest.find('}') + 1);
    word = word.substr(0, word.find('\n'));
    refuse(source_.span_of(dollar, word.size()), "Value needs quotes",
           "Inside `{...}` and `[...]` the braces of `${...}` are YAML's own, so the value must be quoted.",
           fmt::format("  \"{}\"", word.substr(0, 80)));
  }

 private:
  struct Frame {
    Node node;
    bool has_key = false;
    std::string key;
    Span key_at;
    std::unordered_set<std::string> keys;
    bool repeated = false;  // the entry being read repeats a key and is dropped
  };

  static std::size_t position(const YAML::Mark& mark) {
    return static_cast<std::size_t>(std::max(0, mark.pos));
  }
  bool wants_key() const { return !open_.empty() && open_.back().node.is_map() && !open_.back().has_key; }

  Span place_of_nothing(const YAML::Mark& mark) const {
    if (!open_.empty() && open_.back().node.is_map()) return open_.back().key_at;
    if (open_.empty()) return source_.span_of(0);
    std::size_t dash = source_.text().rfind('-', position(mark) == 0 ? 0 : position(mark) - 1);
    return source_.span_of(dash == std::string_view::npos ? position(mark) : dash);
  }

  void count(const YAML::Mark& mark) {
    if (++nodes_ > YamlLimits::kNodes)
      refuse(source_.span(mark), "Too many values",
             fmt::format("A manifest file may hold {} values; this one has more.", YamlLimits::kNodes));
  }

  void check_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor == 0) return;
    refuse(source_.span(mark), "Anchors are not read",
           "`&name` marks a YAML anchor. nbform has `defaults` and `profiles` for what several notebooks "
           "share.");
  }
  void check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    check_anchor(mark, anchor);
    count(mark);
    if (source_.at(position(mark)) == '!' || (tag != "?" && tag != "!" && !tag.empty()))
      refuse(source_.span(mark), "Tags are not read",
             "A value that starts with `!` carries a YAML tag, which nbform does not read. If the text "
             "itself starts with `!`, quote it.");
  }

  void take_key(const std::string& name, Span at, bool plain) {
    Frame& frame = open_.back();
    if (plain && name == "<<")
      refuse(
          at, "Merge keys are not read",
          "`<<` is YAML's merge key. nbform has `defaults` and `profiles` for what several notebooks share.");
    frame.has_key = true;
    frame.key = name;
    frame.key_at = at;
    frame.repeated = !frame.keys.insert(name).second;
    if (!frame.repeated) return;
    Span first = frame.node.find(name)->key_at;
    report_.error(
        at, "Duplicate key",
        fmt::format("`{}` stands twice in the same map; the first is at {}.", name, report_.where(first)), {},
        {first});
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    check(mark, tag, anchor);
    if (wants_key())
      refuse(source_.span(mark), "Key is not a text", "A key must be a plain text, not a list or a map.");
    if (open_.size() >= YamlLimits::kDepth)
      refuse(source_.span(mark), "Nested too deep",
             fmt::format("A manifest may nest {} levels; this is one more.", YamlLimits::kDepth));
    Frame frame;
    frame.node.kind = kind;
    frame.node.at = source_.span(mark);
    open_.push_back(std::move(frame));
  }

  void close() {
    Node done = std::move(open_.back().node);
    open_.pop_back();
    put(std::move(done));
  }

  void put(Node n) {
    if (open_.empty()) {
      root_ = std::move(n);
      return;
    }
    Frame& frame = open_.back();
    if (frame.node.is_map()) {
      frame.has_key = false;
      if (std::exchange(frame.repeated, false)) return;
      n.key = std::move(frame.key);
      n.key_at = frame.key_at;
    }
    frame.node.items.push_back(std::move(n));
  }

  const Source& source_;
  Report& report_;
  Node root_;
  std::vector<Frame> open_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

struct Rewording {
  std::string_view theirs, summary, detail;
};

// yaml-cpp's words (yaml-cpp/exceptions.h) in ours.
constexpr Rewording kRewordings[] = {
    {"illegal tab", "Tab in indentation",
     "YAML is indented with blanks; this line starts with a tab. Replace it by blanks."},
    {"illegal EOF", "Unclosed quote", "A quote is opened and the file ends before it is closed."},
    {"illegal document indicator", "Unclosed quote",
     "A quote is opened and not closed before the next `---`."},
    {"end of map flow", kNotYaml,
     "In `{...}` entries are `key: value` with commas between them; here a `,` or the closing `}` is "
     "missing."},
    {"end of sequence flow", kNotYaml,
     "In `[...]` items have commas between them; here a `,` or the closing `]` is missing."},
    {"end of map not found", kNotYaml,
     "This does not fit what stands above: check the indentation, and that nothing follows a closing quote."},
    {"end of sequence not found", kNotYaml, "This does not fit the list above: check the indentation."},
    {"illegal map value", kNotYaml,
     "A `key: value` is not possible here. Check the indentation; a value that holds `: ` must be quoted."},
    {"illegal map key", kNotYaml,
     "`? ` starts a complex key, which is not possible here. If it is text, quote it."},
    {"illegal block entry", kNotYaml,
     "A list that starts with `- ` stands on lines of its own, below its key."},
    {"illegal flow end", kNotYaml, "This bracket closes nothing."},
    {"unknown escape", kNotYaml,
     "This backslash means nothing in double quotes. Write `\\\\`, or use single quotes."},
    {"bad character found while scanning hex", kNotYaml,
     "`\\x`, `\\u` and `\\U` in double quotes want 2, 4 and 8 hex digits."},
    {"unexpected character in block scalar", "Value needs quotes",
     "A value that starts with `|` or `>` opens a text of several lines. If it is one line, quote it."},
    {"unknown token", "Value needs quotes",
     "No plain value starts with this character in YAML. Quote the value."},
    {"anchor", "Anchors are not read",
     "A value that starts with `&` is a YAML anchor. If it is text, quote it."},
    {"tag", "Tags are not read", "A value that starts with `!` carries a YAML tag. If it is text, quote it."},
};

void reword(const YAML::ParserException& e, const Source& source, Builder& builder) {
  std::size_t pos = std::min(static_cast<std::size_t>(std::max(0, e.mark.pos)), source.text().size());
  if (source.at(pos) == '*') builder.refuse_alias(pos);
  if (pos > 0 && source.at(pos - 1) == '*' && e.msg.starts_with("alias")) builder.refuse_alias(pos - 1);
  if (pos > 0 && source.at(pos) == '{' && source.at(pos - 1) == '$')
    builder.refuse_unquoted_variable(pos - 1);
  std::string_view line = source.line_at(pos);
  std::string_view indent = line.substr(0, line.find_first_not_of(" \t"));
  std::size_t line_start = static_cast<std::size_t>(line.data() - source.text().data());
  if (auto tab = indent.find('\t'); tab != std::string_view::npos)
    builder.refuse(source.span_of(line_start + tab), kRewordings[0].summary,
                   std::string(kRewordings[0].detail));
  Span at = pos >= source.text().size() ? source.span_of(source.text().find_last_not_of(" \t\r\n") + 1)
                                        : source.span_of(pos);
  for (const Rewording& r : kRewordings)
    if (e.msg.find(r.theirs) != std::string::npos) builder.refuse(at, r.summary, std::string(r.detail));
  builder.refuse(at, kNotYaml, fmt::format("The YAML reader says: {}.", e.msg));
}

bool run_parser(const Source& source, Builder& builder, Report& report) {
  std::istringstream in{std::string(source.text())};
  try {
    try {
      YAML::Parser parser(in);
      while (parser.HandleNextDocument(builder)) {
      }
    } catch (const YAML::ParserException& e) {
      reword(e, source, builder);
    }
  } catch (const Stop&) {
    return false;
  } catch (const std::exception& e) {
    report.error(source.span_of(0), std::string(kNotYaml),
                 fmt::format("The YAML reader gave up: {}.", e.what()));
    return false;
  }
  return true;
}

}  // namespace

std::optional<Node> parse_yaml(const Files& files, std::uint32_t file, Report& report) {
  Source source(files.text(file), file);
  if (auto refusal = guard_yaml(source.text())) {
    report.error(source.span_of(refusal->offset), refusal->summary, refusal->detail);
    return std::nullopt;
  }
  Builder builder(source, report);
  if (!run_parser(source, builder, report)) return std::nullopt;
  return builder.take();
}

}  // namespace nbform
