#include <fmt/format.h>

#include "base/json.h"
#include "manifest/emit.h"
#include "manifest/notebook_schema.h"
#include "manifest/scalar.h"

namespace nbform {
namespace {

Value any_of(List alternatives) {
  return Map{{"anyOf", std::move(alternatives)}};
}
Value definition(std::string_view name) {
  return Map{{"$ref", fmt::format("#/$defs/{}", name)}};
}

// Any scalar may be a text with ${...}; what it turns into is judged by `nbform validate`.
Value interpolated() {
  return definition("interpolated");
}
Value null_type() {
  return Map{{"type", "null"}};
}

Value text(const Shape& s) {
  Map m{{"type", List{"string", "number", "boolean"}}};
  if (!s.pattern.empty()) m.set("pattern", s.pattern);
  m.set("maxLength", s.most);
  return s.pattern.empty() ? Value(m) : any_of({m, interpolated()});
}

Value pattern(std::string_view p) {
  return Map{{"type", "string"}, {"pattern", p}};
}

Value choice(const Shape& s) {
  List words;
  for (std::string_view word : s.choices) {
    auto boolean = parse_boolean(word);
    words.push_back(boolean ? Value(*boolean) : Value(word));
  }
  return any_of({Map{{"enum", std::move(words)}}, interpolated()});
}

// One place's view of the language: which keys an overlay there may have.
class Writer {
 public:
  // layered: keys may come from another layer, so none is required.
  Writer(unsigned place, bool layered) : place_(place), layered_(layered) {}

  Value of(const Shape& s) const {
    switch (s.kind) {
      case ShapeKind::text:
        return text(s);
      case ShapeKind::integer:
        return any_of({Map{{"type", "integer"}, {"minimum", s.least}, {"maximum", s.most}}, interpolated()});
      case ShapeKind::boolean:
        return any_of({Map{{"type", "boolean"}}, interpolated()});
      case ShapeKind::choice:
        return choice(s);
      case ShapeKind::duration:
        return any_of({pattern("^([0-9]+[smhd])+$"), interpolated()});
      case ShapeKind::size:
        return any_of({pattern("^[0-9]+(GB|GiB|TB|TiB)$"), interpolated()});
      case ShapeKind::money:
        return any_of(
            {Map{{"type", "number"}, {"minimum", 0}}, pattern("^\\$?[0-9]+(\\.[0-9]+)?$"), interpolated()});
      case ShapeKind::list:
        return any_of(
            {of(*s.item),
             Map{{"type", "array"}, {"items", of(*s.item)}, {"minItems", s.least}, {"maxItems", s.most}}});
      case ShapeKind::table:
        return table(s);
      case ShapeKind::record:
        return s.scalar == nullptr ? record(s) : any_of({of(*s.scalar), record(s)});
      case ShapeKind::each:
        return each();
      case ShapeKind::any:
        return Map{};
    }
    bug("a shape has no schema");
  }

  Value record(const Shape& s) const {
    Map properties;
    List required;
    for (const FieldInfo& f : s.fields) {
      if (f.extra.internal || (f.extra.places & place_) == 0) continue;
      properties.set(f.name, property(f));
      if (f.extra.required && !layered_) required.push_back(f.name);
    }
    Map m{{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
    if (!required.empty()) m.set("required", std::move(required));
    if (!s.one_of.empty()) {
      List alternatives;
      for (std::string_view key : s.one_of) alternatives.push_back(Map{{"required", List{key}}});
      m.set("oneOf", std::move(alternatives));
    }
    return m;
  }

  Value property(const FieldInfo& f) const {
    return described(f, f.extra.required ? of(*f.shape) : any_of({of(*f.shape), null_type()}));
  }

  static Value described(const FieldInfo& f, Value schema) {
    std::string doc(f.doc);
    if (!f.extra.fallback.empty()) doc += fmt::format(" Default: {}.", f.extra.fallback);
    schema.map().set("description", doc);
    return schema;
  }

 private:
  Value table(const Shape& s) const {
    Map m{{"type", "object"},
          {"additionalProperties", any_of({of(*s.item), null_type()})},
          {"maxProperties", s.most}};
    if (s.key != nullptr && !s.key->pattern.empty()) m.set("propertyNames", Map{{"pattern", s.key->pattern}});
    return m;
  }

  static Value each() {
    Value entries = Map{{"type", "object"},
                        {"additionalProperties", any_of({definition("eachEntry"), null_type()})},
                        {"propertyNames", Map{{"pattern", name_shape().pattern}}}};
    return any_of({Map{{"type", "string"}}, entries});
  }

  unsigned place_;
  bool layered_;
};

Value named(std::string_view name) {
  return Map{{"type", "object"},
             {"additionalProperties", definition(name)},
             {"propertyNames", Map{{"pattern", name_shape().pattern}}}};
}

// Overlays of a notebook differ in which keys they may have, not in the keys, so these are defined once.
Value overlay(unsigned place) {
  Map properties;
  for (const FieldInfo& f : notebook_shape().fields)
    if ((f.extra.places & place) != 0) properties.set(f.name, definition(fmt::format("key.{}", f.name)));
  return Map{{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
}

// The sections that hold overlays, which the table only names.
Value section(const FieldInfo& f) {
  std::string_view name = f.name == "notebooks" ? "notebook" : "overlay";
  Value schema = f.name == "defaults" ? definition("overlay") : named(name);
  return Writer::described(f, any_of({schema, null_type()}));
}

}  // namespace

std::string json_schema() {
  Writer document(kEverywhere, false);
  Value root = document.record(document_shape());
  for (const FieldInfo& f : document_shape().fields)
    if (f.shape->kind == ShapeKind::each) root.map()["properties"].map().set(f.name, section(f));
  root.map()["properties"].map().set(
      "nbform", Map{{"const", 1}, {"description", document_shape().field("nbform")->doc}});
  Value clouds = Writer(kEverywhere, true).property(*document_shape().field("clouds"));
  Value variables = Writer(kEverywhere, true).property(*document_shape().field("variables"));
  root.map()["properties"].map().set("clouds", std::move(clouds));
  root.map()["properties"].map().set("variables", std::move(variables));
  Map definitions;
  definitions.set(
      "interpolated",
      Map{{"type", "string"},
          {"pattern", "\\$\\{"},
          {"description", "A text with ${var.NAME}, ${each.key}, ${each.value.KEY} or ${stack}."}});
  definitions.set("notebook", overlay(kInNotebook));
  definitions.set("overlay", overlay(kInDefaults | kInProfile));
  definitions.set("eachEntry", overlay(kInEach));
  Writer key(kEverywhere, true);
  for (const FieldInfo& f : notebook_shape().fields)
    definitions.set(fmt::format("key.{}", f.name), key.property(f));
  root.map().set("$defs", std::move(definitions));
  root.map().set("$schema", "https://json-schema.org/draft/2020-12/schema");
  root.map().set("title", "nbform manifest (*.nb.yaml)");
  return to_pretty_json(root);
}

}  // namespace nbform
