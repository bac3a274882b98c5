#include "sim/filter.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <regex>
#include <vector>

#include "base/text.h"
#include "sim/api.h"
#include "sim/refusal.h"

namespace nbform::sim {

struct Filter::Node {
  enum class Kind { all, any, negation, compare, regex } kind = Kind::all;
  std::vector<std::shared_ptr<const Node>> parts;
  std::vector<std::string> field;
  std::string op, value;
  std::optional<std::regex> pattern;
};

namespace {

using Node = Filter::Node;
using NodePtr = std::shared_ptr<const Node>;

std::string scalar_text(const Value& v) {
  if (v.is_text()) return std::string(v.as_text());
  if (v.is_bool()) return v.as_bool() ? "true" : "false";
  if (v.is_int()) return std::to_string(v.as_int());
  if (v.is_real()) return fmt::format("{}", v.as_real());
  return {};
}

// Every scalar at `path`; lists are looked through.
void collect(const Value& v, const std::vector<std::string>& path, std::size_t at,
             std::vector<const Value*>& out) {
  if (v.is_list()) {
    for (const Value& item : v.as_list()) collect(item, path, at, out);
  } else if (at == path.size()) {
    if (!v.is_null()) out.push_back(&v);
  } else if (const Value* next = v.as_map().find(path[at])) {
    collect(*next, path, at + 1, out);
  }
}

std::optional<double> number(std::string_view text) {
  double d = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), d);
  return ec == std::errc() && end == text.data() + text.size() ? std::optional(d) : std::nullopt;
}

bool ordered(const std::string& a, const std::string& op, const std::string& b) {
  auto x = number(a), y = number(b);
  int sign = x && y ? (*x < *y ? -1 : *x > *y ? 1 : 0) : a.compare(b);
  return op == "<" ? sign < 0 : op == "<=" ? sign <= 0 : op == ">" ? sign > 0 : sign >= 0;
}

bool has(const std::string& have, const std::string& want) {
  if (is_glob(want)) return glob_match(to_lower(want), to_lower(have));
  return to_lower(have).find(to_lower(want)) != std::string::npos;
}

bool compare(const Node& n, const Value& resource) {
  std::vector<const Value*> found;
  collect(resource, n.field, 0, found);
  if (n.op == ":" && n.value == "*") return !found.empty();
  if (n.op == "!=") {
    for (const Value* v : found)
      if (scalar_text(*v) == n.value) return false;
    return true;
  }
  for (const Value* v : found) {
    std::string have = scalar_text(*v);
    if (n.op == "=" ? have == n.value : n.op == ":" ? has(have, n.value) : ordered(have, n.op, n.value))
      return true;
  }
  return false;
}

bool regex_admits(const Node& n, const Value& resource) {
  std::vector<const Value*> found;
  collect(resource, n.field, 0, found);
  bool any = false;
  for (const Value* v : found) any = any || std::regex_match(scalar_text(*v), *n.pattern);
  return n.op == "eq" ? any : !any;
}

bool admits_node(const Node& n, const Value& resource) {
  switch (n.kind) {
    case Node::Kind::all:
      for (const NodePtr& p : n.parts)
        if (!admits_node(*p, resource)) return false;
      return true;
    case Node::Kind::any:
      for (const NodePtr& p : n.parts)
        if (admits_node(*p, resource)) return true;
      return false;
    case Node::Kind::negation:
      return !admits_node(*n.parts[0], resource);
    case Node::Kind::compare:
      return compare(n, resource);
    case Node::Kind::regex:
      return regex_admits(n, resource);
  }
  return false;
}

class Parser {
 public:
  Parser(std::string_view text, std::string_view message) : text_(text), message_(message) {}

  Result<NodePtr> whole() {
    NodePtr root = NB_TRY(expression(0));
    skip();
    if (at_ != text_.size()) return bad("there is text after the end");
    if (dialects_ == 3) return bad("the two filter dialects are mixed");
    return root;
  }

 private:
  Diagnostic bad(std::string_view why) const {
    return refuse("invalid",
                  fmt::format("Invalid value for field 'filter': '{}'. Invalid list filter expression: {}.",
                              text_, why));
  }
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    skip();
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  // A whole word, so that a field named ANDROID is no operator.
  bool take_word(std::string_view word) {
    skip();
    if (!text_.substr(at_).starts_with(word)) return false;
    auto end = at_ + word.size();
    if (end < text_.size() && text_[end] != ' ' && text_[end] != '(') return false;
    at_ = end;
    return true;
  }

  Result<NodePtr> expression(int depth) {
    if (depth > 20) return bad("too deep");
    auto node = std::make_shared<Node>();
    bool conjunction = false, disjunction = false;
    node->parts.push_back(NB_TRY(term(depth)));
    while (true) {
      skip();
      if (at_ == text_.size() || peek() == ')') break;
      if (take_word("OR"))
        disjunction = true;
      else
        take_word("AND"), conjunction = true;
      node->parts.push_back(NB_TRY(term(depth)));
    }
    if (conjunction && disjunction) return bad("AND and OR need parentheses");
    node->kind = disjunction ? Node::Kind::any : Node::Kind::all;
    return node->parts.size() == 1 ? node->parts[0] : NodePtr(node);
  }

  Result<NodePtr> term(int depth) {
    if (take_word("NOT")) {
      auto node = std::make_shared<Node>();
      node->kind = Node::Kind::negation;
      node->parts.push_back(NB_TRY(term(depth + 1)));
      return NodePtr(node);
    }
    if (!take('(')) return comparison();
    NodePtr inner = NB_TRY(expression(depth + 1));
    if (!take(')')) return bad("a parenthesis is not closed");
    return inner;
  }

  Result<NodePtr> comparison() {
    auto node = std::make_shared<Node>();
    node->field = NB_TRY(field());
    if (take_word("eq") || take_word("ne")) return regex_comparison(node);
    dialects_ |= 1;
    node->kind = Node::Kind::compare;
    node->op = NB_TRY(operation());
    node->value = NB_TRY(operand());
    return NodePtr(node);
  }

  Result<NodePtr> regex_comparison(const std::shared_ptr<Node>& node) {
    dialects_ |= 2;
    node->kind = Node::Kind::regex;
    node->op = text_.substr(at_ - 2, 2);
    node->value = NB_TRY(operand());
    try {
      node->pattern.emplace(node->value, std::regex::ECMAScript | std::regex::optimize);
    } catch (const std::regex_error&) {
      return bad("not a regular expression");
    }
    return NodePtr(node);
  }

  Result<std::vector<std::string>> field() {
    skip();
    auto end = std::min(text_.find_first_of(" =!<>:()\"", at_), text_.size());
    std::string_view name = text_.substr(at_, end - at_);
    if (name.empty()) return bad("a field is missing");
    at_ = end;
    std::vector<std::string> path;
    for (std::string_view part : split(name, '.')) path.emplace_back(part);
    if (!known(path)) return bad(fmt::format("there is no field '{}'", name));
    return path;
  }

  bool known(const std::vector<std::string>& path) const {
    std::string_view type = message_;
    for (const std::string& part : path) {
      if (type.starts_with('{')) {
        type = element_type(type);
        continue;
      }
      while (type.starts_with('[')) type = element_type(type);
      const Fields* fields = message(type);
      if (fields == nullptr || !fields->contains(part)) return false;
      type = fields->at(part);
    }
    return true;
  }

  Result<std::string> operation() {
    skip();
    for (std::string_view op : {"!=", "<=", ">=", "=", "<", ">", ":"})
      if (text_.substr(at_).starts_with(op)) {
        at_ += op.size();
        return std::string(op);
      }
    return bad("an operator is missing");
  }

  Result<std::string> operand() {
    skip();
    char quote = peek();
    if (quote == '"' || quote == '\'') return quoted(quote);
    // A bare regular expression may hold balanced parentheses; a bare word of the other dialect none.
    std::size_t start = at_;
    for (int open = 0; at_ < text_.size() && text_[at_] != ' '; ++at_) {
      if (text_[at_] == '(') ++open;
      if (text_[at_] == ')' && open-- == 0) break;
    }
    if (at_ == start) return bad("a value is missing");
    return std::string(text_.substr(start, at_ - start));
  }

  Result<std::string> quoted(char quote) {
    std::string out;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      out.push_back(text_[at_]);
    }
    if (at_ == text_.size()) return bad("a quote is not closed");
    ++at_;
    return out;
  }

  std::string_view text_, message_;
  std::size_t at_ = 0;
  int dialects_ = 0;
};

}  // namespace

Result<Filter> Filter::parse(std::string_view text, std::string_view message) {
  Filter filter;
  if (!trim(text).empty()) filter.root_ = NB_TRY(Parser(text, message).whole());
  return filter;
}

bool Filter::admits(const Value& resource) const {
  return root_ == nullptr || admits_node(*root_, resource);
}

}  // namespace nbform::sim
