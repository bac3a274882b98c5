// gce.firewall: one firewall rule of a notebook, that lets in what the manifest says and reaches its VM by
// network tag. Two at most: the sources of `access.ssh.allow_from`, and the ports of `access.public`.
#include "cloud/gce/firewall.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "cloud/ingress.h"
#include "core/diff.h"

namespace nbform::gce {

namespace {

using M = Mutability;
using S = Sameness;

constexpr std::array kAttrs = {
    Attr{"ingress", "access.ssh.allow_from", "access.ssh.allow_from", M::live, S::set,
         "Who may come in by ssh.", ""},
    Attr{"public", "access.public", "access.public", M::live, S::set, "Ports that everybody reaches.", ""},
    Attr{"network", "firewall network", "network.network", M::fixed, S::last_segment,
         "Network that the rule is of.", "a firewall rule stays in its network"},
    Attr{"targets", "firewall targets", "access", M::live, S::set,
         "Whom the rule is for: what carries the notebook's own network tag.", ""},
    Attr{"priority", "firewall priority", "access", M::live, S::exact, "Priority of the rule: 1000.", ""},
    Attr{"enabled", "firewall rule enabled", "access", M::live, S::exact, "Whether the rule counts.", ""},
    Attr{"owner", "firewall description", "", M::live, S::exact, "Whose the rule is.", ""},
};

std::string_view ingress_attr(std::string_view part) {
  return part == kPublicPart ? "public" : "ingress";
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 63 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

// "its own VM" where the only target is the tag in the rule's name.
List targets_of(const Value& body) {
  List out;
  std::string_view own = tag_of_rule(body["name"].as_text());
  for (const Value& tag : body["targetTags"].as_list())
    out.emplace_back(tag.as_text() == own ? kOwnVm : tag.as_text());
  for (const Value& account : body["targetServiceAccounts"].as_list()) out.push_back(account);
  return out;
}

Live decode_firewall(const Scope& scope, const Value& body) {
  Live live;
  live.kind = &firewall_kind();
  live.scope = scope;
  live.name = body["name"].as_text();
  live.id = fmt::format("projects/{}/global/firewalls/{}", scope.account, live.name);
  live.numeric_id = body["id"].as_int();
  live.keep = KeepRule::never;
  live.owner = read_description(body["description"].as_text());
  live.attributes.set(ingress_attr(part_of_rule(live.name)), ingress_texts(body));
  live.attributes.set("network", resource_path(body["network"].as_text()));
  live.attributes.set("targets", targets_of(body));
  live.attributes.set("priority", body["priority"].as_int(kRulePriority));
  live.attributes.set("enabled", !body["disabled"].as_bool());
  live.attributes.set("owner", body["description"].as_text());
  List others;  // fields that a patch has to take away
  for (const char* field : {"denied", "sourceTags", "sourceServiceAccounts", "targetServiceAccounts"})
    if (!body[field].as_list().empty()) others.emplace_back(field);
  live.tokens.set("others", std::move(others));
  return live;
}

// The manifest's, else its VM's, else the default one.
std::string network_path(const StepContext& c) {
  const Resource& r = *c.resource;
  const Live* vm = c.live_at ? c.live_at(r.notebook + "/instance") : nullptr;
  std::string_view there = vm != nullptr ? live_text(*vm, "network") : std::string_view();
  std::string_view network = wanted(r, "network").as_text(there.empty() ? "default" : there);
  if (network.find('/') != std::string_view::npos) return std::string(resource_path(network));
  return fmt::format("projects/{}/global/networks/{}", r.scope.account, network);
}

Map rule_body(const StepContext& c) {
  const Resource& r = *c.resource;
  Map body = ingress_fields(wanted(r, ingress_attr(r.part)).as_list());
  body.set("description", wanted(r, "owner"));
  body.set("direction", "INGRESS");
  body.set("disabled", false);
  body.set("name", r.name);
  body.set("network", network_path(c));
  body.set("priority", wanted(r, "priority"));
  body.set("targetTags", List{tag_of_rule(r.name)});
  return body;
}

std::optional<Call> insert_call(const StepContext& c) {
  if (c.live != nullptr) return std::nullopt;
  return firewall_call("POST", c.resource->scope, {}, c.request_id, rule_body(c));
}

// Null takes a field away: the patch is a merge.
void take_away(Map& body, const Live& live, std::initializer_list<std::string_view> fields) {
  if (const Value* others = live.tokens.find("others"))
    for (const Value& field : others->as_list())
      if (std::find(fields.begin(), fields.end(), field.as_text()) != fields.end())
        body.set(field.as_text(), Value());
}

std::optional<Call> patch_call(const StepContext& c) {
  const Resource& r = *c.resource;
  const Live& live = *c.live;
  Map body;
  auto differs = [&](std::string_view attr) {
    const Attr* row = firewall_kind().attr(attr);
    const Value* want = r.attributes.find(attr);
    return edits_attr(*c.edits, attr) && want != nullptr &&
           !satisfies(row->same, *want, live_value(live, attr));
  };
  if (std::string_view attr = ingress_attr(r.part); differs(attr)) {
    body = ingress_fields(wanted(r, attr).as_list());
    take_away(body, live, {"denied", "sourceTags", "sourceServiceAccounts"});
  }
  if (differs("targets")) {
    body.set("targetTags", List{tag_of_rule(live.name)});
    take_away(body, live, {"sourceServiceAccounts", "targetServiceAccounts"});
  }
  if (differs("priority")) body.set("priority", wanted(r, "priority"));
  if (differs("enabled")) body.set("disabled", false);
  if (differs("owner")) body.set("description", wanted(r, "owner"));
  if (body.empty()) return std::nullopt;
  return firewall_call("PATCH", live.scope, live.name, c.request_id, std::move(body));
}

class FirewallKind final : public Kind {
 public:
  std::string_view name() const override { return "gce.firewall"; }
  std::string_view noun() const override { return "firewall rule"; }
  std::span<const Attr> attrs() const override { return kAttrs; }
  bool is_zonal() const override { return false; }

  std::vector<Step> create(const Resource&) const override {
    Step insert{Step::Needs::any, "insert", "opening ports", insert_call};
    insert.makes = true;
    return {std::move(insert)};
  }
  std::vector<Step> update(const std::vector<Edit>&) const override {
    return {{Step::Needs::any, "patch", "changing who may come in", patch_call}};
  }
  std::vector<Step> destroy(const Live&) const override {
    Step remove{Step::Needs::any, "delete", "closing ports", [](const StepContext& c) -> std::optional<Call> {
                  if (c.live == nullptr) return std::nullopt;
                  return firewall_call("DELETE", c.live->scope, c.live->name, c.request_id);
                }};
    remove.removes = true;
    return {std::move(remove)};
  }
  std::vector<Step> forget() const override {
    return {
        {Step::Needs::any, "forget", "taking the description off",
         [](const StepContext& c) -> std::optional<Call> {
           if (live_text(*c.live, "owner").empty()) return std::nullopt;
           return firewall_call("PATCH", c.live->scope, c.live->name, c.request_id, Map{{"description", ""}});
         }}};
  }

  Call read(const Scope& scope, std::string_view, std::string_view name) const override {
    return firewall_call("GET", scope, name);
  }
  Result<std::optional<Live>> found(const Scope& scope, const Response& answer,
                                    const Value& body) const override {
    return found_resource(*this, scope, answer, body);
  }
  Result<Live> decode(const Scope& scope, const Value& body) const override {
    if (!is_plain_name(body["name"].as_text()))
      return error(Code::unavailable, "An answer lacks what every firewall rule has",
                   "The cloud sent a firewall rule without a name of its kind.");
    return decode_firewall(scope, body);
  }
  Settlement settle(const Scope& scope, const Response& answer) const override {
    return settle_operation(scope, answer);
  }
  void carry_over(Live&, const Live&) const override {}

  std::vector<std::string> consequences(const Change&) const override { return {}; }
  std::vector<std::string> notes(const Resource&, const Live&) const override { return {}; }
  std::vector<std::string> openings(const Resource& resource, const Live*) const override {
    return open_to_everybody(wanted(resource, ingress_attr(resource.part)).as_list());
  }
  std::optional<std::string> words(const Change&, const Edit& edit) const override {
    if (edit.attr == "ingress" || edit.attr == "public")
      return rules_edited(edit.title, edit.before.as_list(), edit.after.as_list());
    if (edit.attr == "enabled") return "firewall rule switched on again";
    if (edit.attr == "targets") return "firewall rule for its own VM again";
    return std::nullopt;
  }
  std::optional<std::pair<std::string, std::string>> locate(std::string_view id) const override {
    return std::pair(std::string(), std::string(last_segment(id)));
  }
  std::string summary(const Resource& resource, const Attempt&) const override {
    const List& rules = wanted(resource, ingress_attr(resource.part)).as_list();
    if (resource.part == kPublicPart)
      return fmt::format("everybody reaches {}", join(open_to_everybody(rules), ", "));
    std::vector<std::string> sources;
    for (const Value& rule : rules) sources.emplace_back(source_of(rule.as_text()));
    return "ssh from " + join(sources, ", ");
  }
  std::string data_name(const Live& live) const override {
    return part_of_rule(live.name) == kPublicPart ? "firewall rule of access.public"
                                                  : "firewall rule of access.ssh.allow_from";
  }
};

}  // namespace

const Kind& firewall_kind() {
  static const FirewallKind kind;
  return kind;
}

}  // namespace nbform::gce
