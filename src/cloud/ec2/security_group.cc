// ec2.security_group: the one group of a notebook. What it lets in is the manifest's list, rule by rule; what
// goes out is left as EC2 makes it. Facts: EC2 API Reference.

#include "cloud/ec2/security_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "cloud/ec2/ec2.h"
#include "cloud/ingress.h"
#include "cloud/labels.h"
#include "core/plan.h"

namespace nbform::ec2 {

namespace {

using Needs = Step::Needs;

constexpr std::array kAttrs = {
    Attr{"ingress", "access.ssh.allow_from", "access.ssh.allow_from", Mutability::live, Sameness::set,
         "What may come in, rule by rule: protocol, port, source.", ""},
    Attr{"tags", "security group labels", "labels", Mutability::live, Sameness::entries, "Tags.", ""},
};

// DescribeSecurityGroups merges rules of one protocol and port: one text for each source.
List ingress_of(const Value& group) {
  List rules;
  for (const Value& p : group["ipPermissions"].as_list()) {
    auto add = [&](const Value& source, std::string_view field) {
      if (!is_opening(source))  // never a difference
        rules.push_back(rule_text(p["ipProtocol"].as_text(), p["fromPort"].as_int(-1), p["toPort"].as_int(-1),
                                  source[field].as_text()));
    };
    for (const Value& range : p["ipRanges"].as_list()) add(range, "cidrIp");
    for (const Value& range : p["ipv6Ranges"].as_list()) add(range, "cidrIpv6");
    for (const Value& other : p["groups"].as_list()) add(other, "groupId");
    for (const Value& prefix : p["prefixListIds"].as_list()) add(prefix, "prefixListId");
  }
  return rules;
}

// The source of an item of DescribeSecurityGroupRules.
std::string_view listed_source(const Value& rule) {
  for (const char* field : {"cidrIpv4", "cidrIpv6", "prefixListId"})
    if (auto text = rule[field].as_text(); !text.empty()) return text;
  return rule.at_path("referencedGroupInfo/groupId").as_text();
}

Live decode_group(const Scope& scope, const Value& item) {
  Live live;
  live.kind = &security_group_kind();
  live.scope = scope;
  live.id = item["groupId"].as_text();
  live.name = item["groupName"].as_text();
  Map tags = read_tags(item);
  live.owner = labels::read_owner(tags, labels::kAws);
  live.keep = KeepRule::never;
  live.attributes.set("vpc", item["vpcId"].as_text());
  live.attributes.set("ingress", ingress_of(item));
  live.attributes.set("tags", std::move(tags));
  return live;
}

// "tcp 22 203.0.113.7/32" as Authorize takes it.
Map permission(std::string_view rule) {
  std::vector<std::string_view> words = split(rule, ' ');
  std::string_view source = words.back();
  bool all = words.size() == 2;
  Map p{{"IpProtocol", all ? "-1" : std::string(words[0])}};
  if (!all) {
    std::vector<std::string_view> ports = split(words[1], '-');
    p.set("FromPort", Value(ports.front()).as_int());
    p.set("ToPort", Value(ports.back()).as_int());
  }
  bool v6 = source.find(':') != std::string_view::npos;
  p.set(v6 ? "Ipv6Ranges" : "IpRanges", List{Map{{v6 ? "CidrIpv6" : "CidrIp", source}}});
  return p;
}

bool contains(const List& list, const Value& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

std::optional<Call> authorize(const StepContext& c) {
  List missing;
  const List& have = live_value(*c.live, "ingress").as_list();
  for (const Value& rule : wanted(*c.resource, "ingress").as_list())
    if (!contains(have, rule)) missing.push_back(permission(rule.as_text()));
  if (missing.empty()) return std::nullopt;
  Map tags;
  Owner owner = c.live->owner;
  owner.part = "rule";
  labels::write_owner(tags, owner, labels::kAws);
  return call("AuthorizeSecurityGroupIngress",
              Map{{"GroupId", c.live->id},
                  {"IpPermissions", std::move(missing)},
                  {"TagSpecification", List{tag_specification("security-group-rule", tags)}}});
}

std::optional<Call> revoke(const StepContext& c) {
  List surplus;
  const List& want = wanted(*c.resource, "ingress").as_list();
  if (const Value* ids = c.live->tokens.find("rule_ids"))
    for (const auto& [rule, id] : ids->as_map())
      if (!contains(want, Value(rule))) surplus.push_back(id);
  if (surplus.empty()) return std::nullopt;
  return call("RevokeSecurityGroupIngress",
              Map{{"GroupId", c.live->id}, {"SecurityGroupRuleId", std::move(surplus)}});
}

std::optional<Call> create_call(const StepContext& c) {
  if (c.live != nullptr) return std::nullopt;
  const Resource& r = *c.resource;
  Map tags;
  for (const auto& [key, value] : wanted(r, "tags").as_map())
    if (!value.is_null()) tags.set(key, value);
  Map p{{"GroupDescription", fmt::format("nbform: who may reach notebook {}", r.notebook)},
        {"GroupName", r.name},
        {"TagSpecification", List{tag_specification("security-group", tags)}}};
  const Live* machine = c.live_at(r.notebook + "/instance");  // one that is there says where
  std::string_view vpc = machine != nullptr ? live_text(*machine, "network") : wanted(r, "vpc").as_text();
  if (!vpc.empty()) p.set("VpcId", vpc);
  return call("CreateSecurityGroup", std::move(p));
}

class SecurityGroupKind final : public Kind {
 public:
  std::string_view name() const override { return "ec2.security_group"; }
  std::string_view noun() const override { return "security group"; }
  std::span<const Attr> attrs() const override { return kAttrs; }
  Duration settles_within() const override { return kConsistent; }
  bool is_zonal() const override { return false; }
  // EC2 knows names of groups by VPC.
  bool is_in_place(const Resource& resource, const Live& namesake) const override {
    std::string_view vpc = wanted(resource, "vpc").as_text();
    return vpc.empty() || vpc == live_text(namesake, "vpc");
  }

  std::vector<Step> create(const Resource&) const override {
    Step make{Needs::any, "create", "creating", create_call};
    make.makes = true;
    return {std::move(make), {Needs::any, "authorize", "opening ports", authorize}};
  }
  // Opened before closed: nobody is shut out in between.
  std::vector<Step> update(const std::vector<Edit>& edits) const override {
    std::vector<Step> steps;
    if (edits_attr(edits, "tags")) steps = tag_steps();
    if (edits_attr(edits, "ingress")) {
      steps.push_back({Needs::any, "authorize", "opening ports", authorize});
      steps.push_back({Needs::any, "revoke", "closing ports", revoke});
    }
    return steps;
  }
  std::vector<Step> destroy(const Live&) const override {
    return {delete_step("DeleteSecurityGroup", "GroupId")};
  }
  std::vector<Step> forget() const override { return {untag_step()}; }

  Call read(const Scope&, std::string_view, std::string_view name) const override {
    return describe("DescribeSecurityGroups", "group-name", name);
  }
  Result<std::optional<Live>> found(const Scope& scope, const Response& answer,
                                    const Value& body) const override {
    return found_item(*this, scope, answer, body["securityGroupInfo"].as_list(), never_gone);
  }
  Result<Live> decode(const Scope& scope, const Value& body) const override {
    if (body["groupId"].as_text().empty())
      return error(Code::unavailable, "An answer lacks what every security group has",
                   "The cloud sent a security group without an id.");
    return decode_group(scope, body);
  }
  // Only rules that have ids can be revoked one by one. Either answer may lag behind: what one of them says
  // comes in.
  std::vector<Call> parts(const Live& live) const override {
    return {describe("DescribeSecurityGroupRules", "group-id", live.id)};
  }
  void fold(Live& live, const Value& part) const override {
    List rules = live_value(live, "ingress").as_list();
    Map ids;
    for (const Value& rule : part["securityGroupRuleSet"].as_list()) {
      if (is_true(rule["isEgress"]) || is_opening(rule)) continue;
      std::string text = rule_text(rule["ipProtocol"].as_text(), rule["fromPort"].as_int(-1),
                                   rule["toPort"].as_int(-1), listed_source(rule));
      ids.set(text, rule["securityGroupRuleId"].as_text());
      if (!contains(rules, Value(text))) rules.emplace_back(std::move(text));
    }
    live.tokens.set("rule_ids", std::move(ids));
    live.attributes.set("ingress", std::move(rules));
  }
  Settlement settle(const Scope& scope, const Response& answer) const override {
    return ec2::settle(scope, answer);
  }
  void carry_over(Live&, const Live&) const override {}

  std::vector<std::string> consequences(const Change&) const override { return {}; }
  std::vector<std::string> notes(const Resource& resource, const Live& live) const override {
    std::vector<std::string> out;
    bool managed = resource.attributes.has("ingress");
    for (const Value& rule : live_value(live, "ingress").as_list())
      if (!managed && !is_everybody(source_of(rule.as_text())))
        out.push_back(
            fmt::format("not managed: access.ssh.allow_from, the cloud lets in {}", rule.as_text()));
    return out;
  }
  std::vector<std::string> openings(const Resource& resource, const Live* live) const override {
    bool managed = resource.attributes.has("ingress") || live == nullptr;
    return open_to_everybody(
        (managed ? wanted(resource, "ingress") : live_value(*live, "ingress")).as_list());
  }
  std::optional<std::string> words(const Change&, const Edit& edit) const override {
    if (edit.attr != "ingress") return std::nullopt;
    return rules_edited(edit.title, edit.before.as_list(), edit.after.as_list());
  }
  std::optional<std::pair<std::string, std::string>> locate(std::string_view) const override {
    return std::nullopt;
  }
  std::string summary(const Resource& resource, const Attempt&) const override {
    std::size_t n = wanted(resource, "ingress").as_list().size();
    return n == 0 ? "security group, closed" : fmt::format("security group, {}", plural(n, "rule"));
  }
  std::string data_name(const Live& live) const override {
    return fmt::format("security group {}", live.name);
  }
};

}  // namespace

bool is_opening(const Value& rule) {
  std::string_view text = rule["description"].as_text();
  return text.size() > kOpeningText.size() && text.starts_with(kOpeningText);
}

const Kind& security_group_kind() {
  static const SecurityGroupKind kind;
  return kind;
}

}  // namespace nbform::ec2
