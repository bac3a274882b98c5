// Parameters, tags and tokens of EC2's Query API (EC2 API Reference, Query requests).
#include <fmt/format.h>

#include <algorithm>

#include "base/aws_error.h"
#include "base/crypto.h"
#include "base/text.h"
#include "cloud/ec2/ec2.h"
#include "cloud/labels.h"
#include "core/plan.h"

namespace nbform::ec2 {

Call call(std::string_view action, Map parameters) {
  return {"ec2", std::string(action), {}, {}, Value(std::move(parameters))};
}

Map filter(std::string_view name, List values) {
  return Map{{"Name", name}, {"Value", std::move(values)}};
}

List tag_list(const Map& tags) {
  List list;
  for (const auto& [key, value] : tags)
    if (!value.is_null()) list.push_back(Map{{"Key", key}, {"Value", value}});
  return list;
}

Map tag_specification(std::string_view type, const Map& tags) {
  return Map{{"ResourceType", type}, {"Tag", tag_list(tags)}};
}

const Map& read_tags(const Value& item) {
  return item["tagSet"].as_map();
}

bool is_true(const Value& flag) {
  return flag.as_bool() || flag.as_text() == "true";
}

std::string_view live_token(const Live& live, std::string_view name) {
  const Value* value = live.tokens.find(name);
  return value != nullptr ? value->as_text() : std::string_view();
}

// --- reading one thing ---

std::string owner_name(const Owner& owner) {
  return fmt::format("{}/{}/{}", owner.stack, owner.notebook, owner.part);
}

Call describe(std::string_view action, std::string_view id_filter, std::string_view name) {
  std::vector<std::string_view> parts = split(name, '/');
  if (parts.size() != 3) return call(action, Map{{"Filter", List{filter(id_filter, {Value(name)})}}});
  List owner;
  for (auto [key, value] :
       {std::pair{tag::kStack, parts[0]}, {tag::kNotebook, parts[1]}, {tag::kPart, parts[2]}})
    owner.push_back(filter(fmt::format("tag:{}", key), {Value(value)}));
  return call(action, Map{{"Filter", std::move(owner)}});
}

bool never_gone(const Value&) {
  return false;
}

Result<std::optional<Live>> found_item(const Kind& kind, const Scope& scope, const Response& answer,
                                       const List& items, bool (*gone)(const Value& item)) {
  if (!answer.ok()) return aws_error(answer);  // what a filter does not find is no error
  for (const Value& item : items)
    if (!gone(item)) return std::optional<Live>(NB_TRY(kind.decode(scope, item)));
  return std::optional<Live>();
}

// --- tokens ---

using labels::h8;

std::string token_prefix(std::string_view stack) {
  return fmt::format("nbform-{}-", h8(stack));
}

std::string client_token(const Owner& owner, const StepContext& context) {
  const Live* group = own_group(context);
  std::string what =
      fmt::format("{}|{}|{}", owner.part, group != nullptr ? group->id : std::string(), context.incarnation);
  return fmt::format("{}{}-{}", token_prefix(owner.stack), h8(owner.notebook), digest16(what));
}

const Live* own_group(const StepContext& context) {
  return context.live_at(context.resource->notebook + "/security-group");
}

// --- tags ---

std::optional<Call> set_tags(std::string_view id, const Map& now, const Map& want) {
  Map differing;
  for (const auto& [key, value] : want) {
    const Value* have = now.find(key);
    bool same = value.is_null() || (have != nullptr && *have == value);
    if (!same) differing.set(key, value);
  }
  if (differing.empty()) return std::nullopt;
  return call("CreateTags", Map{{"ResourceId", List{id}}, {"Tag", tag_list(differing)}});
}

// Never without a key: DeleteTags would take every tag away.
std::optional<Call> delete_tags(std::string_view id, const Map& now, const Map& want) {
  List keys;
  for (const auto& [key, value] : now) {
    const Value* wish = want.find(key);
    bool stays = (wish != nullptr && !wish->is_null()) || key.text().starts_with("aws:");
    if (!stays) keys.push_back(Map{{"Key", key}});
  }
  if (keys.empty()) return std::nullopt;
  return call("DeleteTags", Map{{"ResourceId", List{id}}, {"Tag", std::move(keys)}});
}

Map without_own(const Map& tags) {
  Map rest;
  for (const auto& [key, value] : tags)
    if (!labels::is_own(key, labels::kAws)) rest.set(key, value);
  return rest;
}

namespace {

const Map& tags_of(const StepContext& c) {
  return live_value(*c.live, "tags").as_map();
}

Map target_tags(const StepContext& c) {
  Map tags = tags_of(c);
  apply_entries(tags, *c.edits, "tags");
  return tags;
}

}  // namespace

std::vector<Step> tag_steps() {
  return {{Step::Needs::any, "set-tags", "setting tags",
           [](const StepContext& c) { return set_tags(c.live->id, tags_of(c), target_tags(c)); }},
          {Step::Needs::any, "delete-tags", "removing tags",
           [](const StepContext& c) { return delete_tags(c.live->id, tags_of(c), target_tags(c)); }}};
}

Step delete_step(std::string_view action, std::string_view parameter) {
  Step remove{Step::Needs::any, "delete", "deleting",
              [action = std::string(action),
               parameter = std::string(parameter)](const StepContext& c) -> std::optional<Call> {
                if (c.live == nullptr) return std::nullopt;
                return call(action, Map{{parameter, c.live->id}});
              }};
  remove.removes = true;
  return remove;
}

Step untag_step() {
  return {Step::Needs::any, "forget", "taking tags off",
          [](const StepContext& c) { return delete_tags(c.live->id, tags_of(c), without_own(tags_of(c))); }};
}

}  // namespace nbform::ec2
