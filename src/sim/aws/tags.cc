#include "sim/aws/tags.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>

#include "base/text.h"
#include "sim/aws/describe.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

namespace {

constexpr std::size_t kMostTags = 50, kMostIds = 1000;

Result<> check_tag(std::string_view key, std::string_view value) {
  if (key.empty()) return refuse("InvalidParameterValue", "Tag key cannot be empty");
  if (to_lower(key).starts_with("aws:"))
    return refuse("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use");
  if (display_width(key) > 127)
    return refuse("InvalidParameterValue",
                  fmt::format("Tag key exceeds the maximum length of 127 characters: {}", key));
  if (display_width(value) > 256)
    return refuse("InvalidParameterValue",
                  fmt::format("Tag value exceeds the maximum length of 256 characters: {}", value));
  return Ok{};
}

Result<> add_tag(List& tags, std::string_view key, std::string_view value) {
  NB_TRY(check_tag(key, value));
  for (Value& tag : tags)
    if (tag["key"].as_text() == key) {
      tag.map().set("value", value);
      return Ok{};
    }
  if (tags.size() >= kMostTags)
    return refuse("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.");
  tags.push_back(Map{{"key", key}, {"value", value}});
  return Ok{};
}

}  // namespace

Result<Value> tags_for(const Value& in, std::string_view type) {
  return tags_for(in, type, {type});
}

Result<Value> tags_for(const Value& in, std::string_view type, const std::vector<std::string_view>& types) {
  List out;
  for (const Value& spec : in["TagSpecification"].as_list()) {
    std::string_view of = spec["ResourceType"].as_text();
    if (std::find(types.begin(), types.end(), of) == types.end())
      return refuse("InvalidParameterValue",
                    fmt::format("'{}' is not a valid taggable resource type for this operation.", of));
    std::set<std::string_view> seen;
    for (const Value& tag : spec["Tag"].as_list()) {
      if (!seen.insert(tag["Key"].as_text()).second)
        return refuse("InvalidParameterValue",
                      fmt::format("Duplicate tag key '{}' specified.", tag["Key"].as_text()));
      if (of == type) NB_TRY(add_tag(out, tag["Key"].as_text(), tag["Value"].as_text()));
    }
  }
  return Value(std::move(out));
}

namespace {

struct Tagged {
  const IdKind* kind;
  std::string id;
  Resource* resource;
};

Result<std::vector<Tagged>> tagged(Region& region, const Value& in) {
  std::vector<Tagged> out;
  auto ids = texts(in["ResourceId"]);
  if (ids.size() > kMostIds) return refuse("InvalidParameterValue", "You can specify up to 1000 resources.");
  for (const std::string& id : ids) {
    const IdKind* kind = id_kind(id);
    if (kind == nullptr || kind->tag_type.empty())
      return refuse("InvalidID", fmt::format("The ID '{}' is not valid", id));
    Resource* thing = NB_TRY(region.need(kind->kind, id));
    out.push_back({kind, id, thing});
  }
  return out;
}

// No value: whatever it is. An empty one: only if it is empty.
bool goes(const Value& have, const Value& named) {
  return have["key"] == named["Key"] && (named["Value"].is_null() || have["value"] == named["Value"]);
}

// `change` is {"put": [{Key, Value}]} or {"drop": ...}; to drop nothing by name is to drop all.
Result<List> changed(List tags, const Value& change) {
  for (const Value& tag : change["put"].as_list())
    NB_TRY(add_tag(tags, tag["Key"].as_text(), tag["Value"].as_text()));
  if (change["drop"].is_null()) return tags;
  const List& named = change["drop"].as_list();
  std::erase_if(tags, [&](const Value& have) {
    return named.empty() ||
           std::any_of(named.begin(), named.end(), [&](const Value& n) { return goes(have, n); });
  });
  return tags;
}

void apply_change(Region& region, std::string_view kind, std::string_view id, const Value& change) {
  Resource& thing = region.get(kind, id);
  auto tags = changed(thing["tagSet"].as_list(), change);
  if (!tags) return;
  thing.edit().set("tagSet", *std::move(tags));
  region.note("tags", kind, id, Map{{"tagSet", thing["tagSet"]}});
}

// All or nothing. Where ids are seen late, so are tags.
Result<Value> change_tags(Region& region, const Value& in, const Value& change) {
  auto things = NB_TRY(tagged(region, in));
  for (const Tagged& one : things) NB_TRY(changed((*one.resource)["tagSet"].as_list(), change));
  for (const Tagged& one : things)
    if (region.variant("slow-visibility"))
      region.plan(12, "aws.tags", one.id, change);
    else
      apply_change(region, one.kind->kind, one.id, change);
  return Value();
}

Result<Value> create_tags(Region& region, const Value& in) {
  return change_tags(region, in, Map{{"put", in["Tag"]}});
}

Result<Value> delete_tags(Region& region, const Value& in) {
  return change_tags(region, in, Map{{"drop", in["Tag"].is_null() ? Value(List()) : in["Tag"]}});
}

constexpr FilterRule kTagRules[] = {
    {"key", "key"}, {"value", "value"}, {"resource-id", "resourceId"}, {"resource-type", "resourceType"}};

Result<Value> describe_tags(Region& region, const Value& in) {
  std::deque<Value> made;
  std::vector<Row> rows;
  for (auto& [kind, shelf] : region.state.aws.shelves)
    for (const auto& [key, thing] : region.all(kind)) {
      const IdKind* ids = id_kind(key.name);
      if (ids == nullptr || !region.visible(thing)) continue;
      for (const Value& tag : thing["tagSet"].as_list()) {
        made.push_back(Map{{"resourceId", key.name},
                           {"resourceType", ids->tag_type},
                           {"key", tag["key"]},
                           {"value", tag["value"]},
                           {"tagSet", List{tag}}});
        rows.push_back({fmt::format("{} {}", key.name, tag["key"].as_text()), &made.back()});
      }
    }
  auto show = [](Region&, const Value& wire) {
    Value out = wire;
    out.map().erase("tagSet");  // there for the filter tag:KEY
    return out;
  };
  return describe_rows(region, in, std::move(rows), {"", "", "tagSet", kTagRules, {5, 1000}, show});
}

constexpr Action kActions[] = {
    {"CreateTags", create_tags}, {"DeleteTags", delete_tags}, {"DescribeTags", describe_tags}};

}  // namespace

void tags_happen(Region& region, const Happening& h) {
  const IdKind* kind = id_kind(h.target.name);
  if (region.find(kind->kind, h.target.name) != nullptr)
    apply_change(region, kind->kind, h.target.name, h.detail);
}

std::span<const Action> tag_actions() {
  return kActions;
}

}  // namespace nbform::sim::aws
