// Declares a manifest field once: a pointer to the member it fills, its name, its shape and a sentence about
// it. From that declaration come decoding (fill), walking (walk), and, through shape.h, checking, the JSON
// Schema, the reference and `explain`. A field without a sentence does not compile. The one template-heavy
// header: only the tables of notebooks include it. Checks nothing: fill is given nodes that check_shape let
// pass, and leaves out what does not fit.
#pragma once

#include <array>
#include <map>
#include <tuple>
#include <type_traits>

#include "base/value.h"
#include "manifest/notebook.h"
#include "manifest/scalar.h"
#include "manifest/shape.h"

namespace nbform {

// Specialised for each struct: `static constexpr std::tuple fields` and `static constexpr Shape shape` less
// its fields.
template <class T>
struct Schema;

template <class T>
concept Record = requires {
  Schema<T>::fields;
};

struct NoMember {};  // a key that the loader uses up: `use`, `each`

template <class Member>
struct Field {
  Member member;
  FieldInfo info;
};

template <class Member>
consteval Field<Member> field(std::string_view name, Member member, const Shape& shape, std::string_view doc,
                              Extra extra = {}) {
  if (doc.size() < 10 || doc.back() != '.') throw "a field needs a sentence that documents it";
  return {member, {name, &shape, doc, extra}};
}

template <class T>
consteval auto field_infos() {
  return std::apply([](const auto&... f) { return std::array{f.info...}; }, Schema<T>::fields);
}
template <class T>
inline constexpr auto kInfos = field_infos<T>();

template <class T>
consteval bool names_differ() {
  for (std::size_t i = 0; i < kInfos<T>.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (kInfos<T>[i].name == kInfos<T>[j].name) return false;
  return true;
}

template <class T>
consteval Shape record_shape() {
  static_assert(names_differ<T>(), "two fields have one name");
  Shape s = Schema<T>::shape;
  s.kind = ShapeKind::record;
  s.fields = kInfos<T>;
  return s;
}
template <class T>
inline constexpr Shape kRecord = record_shape<T>();

// ---- decoding ----

template <Record T>
void fill(const Node& node, const Shape& shape, T& out);

inline void fill(const Node& node, const Shape&, std::string& out) {
  out = node.text;
}
inline void fill(const Node& node, const Shape&, bool& out) {
  out = parse_boolean(node.text).value_or(false);
}
inline void fill(const Node& node, const Shape&, double& out) {
  out = parse_money(node.text).value_or(0);
}
inline void fill(const Node& node, const Shape& shape, std::int64_t& out) {
  out = (shape.kind == ShapeKind::size       ? parse_size_gb(node.text)
         : shape.kind == ShapeKind::duration ? parse_duration_s(node.text)
                                             : parse_integer(node.text))
            .value_or(0);
}
template <class E>
requires std::is_enum_v<E>
void fill(const Node& node, const Shape& shape, E& out) {
  for (std::size_t i = 0; i < shape.choices.size(); ++i)
    if (shape.choices[i] == node.text) out = static_cast<E>(i);
}
inline void fill(const Node& node, const Shape&, FileRef& out) {
  out.path = node.text;
}
inline void fill(const Node& node, const Shape&, SshKey& out) {
  out.written = node.text;
}
inline void fill(const Node& node, const Shape&, EnvValue& out) {
  const Node* secret = node.find("secret");
  const Node* text = secret != nullptr ? secret : node.find("text");
  if (text != nullptr) out = {text->text, secret != nullptr};
}
inline void fill(const Node& node, const Shape&, TunnelPorts& out) {
  auto colon = node.text.find(':');
  auto port = [](std::string_view text) { return static_cast<int>(parse_integer(text).value_or(0)); };
  out.fixed = colon != std::string::npos;
  out.local = port(std::string_view(node.text).substr(0, colon));
  if (out.fixed) out.remote = port(std::string_view(node.text).substr(colon + 1));
}
template <class T>
void fill(const Node& node, const Shape& shape, std::vector<T>& out) {
  out.clear();
  for (const Node& item : node.items) fill(item, *shape.item, out.emplace_back());
}
template <class T>
void fill(const Node& node, const Shape& shape, Setting<T>& out) {
  if (node.is_null()) {
    out = Setting<T>::removal();
    return;
  }
  T value{};
  fill(node, shape, value);
  out = Setting<T>(std::move(value));
}
template <class T>
void fill(const Node& node, const Shape& shape, std::map<std::string, T>& out) {
  for (const Node& item : node.items) fill(item, *shape.item, out[item.key]);
}

template <Record T>
void fill(const Node& node, const Shape&, T& out) {
  auto one = [&](const auto& f) {
    if constexpr (!std::is_same_v<decltype(f.member), NoMember>) {
      Node nothing;  // null: every leaf of a plain record is removed
      const Node* entry = node.is_null() ? &nothing : node.find(f.info.name);
      if (entry == nullptr || entry->broken) return;
      bool fits = entry->is_null() ||
                  (f.info.shape->kind == ShapeKind::list ? entry->is_list()
                   : f.info.shape->kind == ShapeKind::table || f.info.shape->kind == ShapeKind::record
                       ? entry->is_map()
                       : entry->is_scalar());
      using M = std::remove_reference_t<decltype(out.*(f.member))>;
      if constexpr (std::is_same_v<M, std::string> || std::is_same_v<M, std::vector<std::string>>)
        fits = fits && !entry->is_null();
      if (fits) fill(*entry, *f.info.shape, out.*(f.member));
    }
  };
  std::apply([&](const auto&... f) { (one(f), ...); }, Schema<T>::fields);
}

// ---- walking ----

// Called with the path of a leaf, its shape and its value as YAML would say it; a null is a removal.
template <class Visit>
struct Walker {
  Visit& visit;
  std::vector<std::string> path;

  void at(const Shape& s, const std::string& v) { visit(path, s, Value(v)); }
  void at(const Shape& s, bool v) { visit(path, s, Value(v)); }
  void at(const Shape& s, double v) { visit(path, s, Value(format_money(v))); }
  void at(const Shape& s, std::int64_t v) {
    visit(path, s,
          s.kind == ShapeKind::size       ? Value(format_size_gb(v))
          : s.kind == ShapeKind::duration ? Value(format_duration_s(v))
                                          : Value(v));
  }
  template <class E>
  requires std::is_enum_v<E>
  void at(const Shape& s, E v) { visit(path, s, Value(s.choices[static_cast<std::size_t>(v)])); }
  void at(const Shape& s, const FileRef& v) { visit(path, s, Value(v.path)); }
  void at(const Shape& s, const SshKey& v) { visit(path, s, Value(v.written)); }
  void at(const Shape& s, const EnvValue& v) {
    if (v.is_secret_ref) path.push_back("secret");
    visit(path, s, Value(v.text));
    if (v.is_secret_ref) path.pop_back();
  }
  void at(const Shape& s, const TunnelPorts& v) {
    visit(path, s,
          v.fixed ? Value(std::to_string(v.local) + ":" + std::to_string(v.remote)) : Value(v.local));
  }
  template <class T>
  void at(const Shape& s, const std::vector<T>& v) {
    List items;
    auto take = [&](const auto&, const Shape&, Value item) { items.push_back(std::move(item)); };
    Walker<decltype(take)> inner{take, {}};
    for (const T& item : v) inner.at(*s.item, item);
    visit(path, s, Value(std::move(items)));
  }
  template <class T>
  void at(const Shape& s, const Setting<T>& v) {
    if (v.removed()) visit(path, s, Value());
    if (v.set()) at(s, *v);
  }
  template <class T>
  void at(const Shape& s, const std::map<std::string, T>& v) {
    for (const auto& [key, item] : v) {
      path.push_back(key);
      at(*s.item, item);
      path.pop_back();
    }
  }
  template <Record T>
  void at(const Shape&, const T& v) {
    std::apply([&](const auto&... f) { (member(v, f), ...); }, Schema<T>::fields);
  }
  template <class T, class F>
  void member(const T& v, const F& f) {
    if constexpr (!std::is_same_v<decltype(f.member), NoMember>) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(v.*(f.member))>, std::string>)
        if ((v.*(f.member)).empty()) return;
      path.emplace_back(f.info.name);
      at(*f.info.shape, v.*(f.member));
      path.pop_back();
    }
  }
};

template <Record T, class Visit>
void walk(const T& value, Visit visit) {
  Walker<Visit>{visit, {}}.at(kRecord<T>, value);
}

}  // namespace nbform
