// What `nbform connect` opens on EC2: a rule of the notebook's own security group for one caller, whose
// description says until when it is needed. Facts: EC2 API Reference, AuthorizeSecurityGroupIngress,
// DescribeSecurityGroupRules.
#include "cloud/opening.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cloud/ec2/ec2.h"
#include "cloud/ec2/security_group.h"
#include "cloud/labels.h"

namespace nbform::ec2 {

namespace {

constexpr std::string_view kUntil = " until ";

// An instance refers to its own group beside its volumes.
std::string_view group_of(const Live& machine) {
  for (const std::string& ref : machine.refs)
    if (ref.starts_with("sg-")) return ref;
  return "";
}

class Ec2Openings final : public Openings {
 public:
  // Its own group lets nobody in else.
  bool by_default() const override { return true; }
  std::string_view permissions() const override {
    return "ec2:DescribeSecurityGroupRules, ec2:AuthorizeSecurityGroupIngress, "
           "ec2:RevokeSecurityGroupIngress and ec2:CreateTags";
  }

  Call list(const Live&, std::string_view stack, std::string_view page) const override {
    Map p{{"Filter", List{filter(fmt::format("tag:{}", tag::kStack), {Value(stack)})}}, {"MaxResults", 1000}};
    if (!page.empty()) p.set("NextToken", page);
    return call("DescribeSecurityGroupRules", std::move(p));
  }
  std::string next_page(const Value& answer) const override {
    return std::string(answer["nextToken"].as_text());
  }
  std::vector<Opening> read(const Value& answer, std::string_view stack) const override {
    std::vector<Opening> out;
    for (const Value& rule : answer["securityGroupRuleSet"].as_list())
      if (auto opening = read_rule(rule, stack)) out.push_back(std::move(*opening));
    return out;
  }

  Result<Call> open(const Live& machine, std::string_view stack, const Opening& opening, std::int64_t port,
                    std::string_view) const override {
    std::string_view group = group_of(machine);
    if (group.empty())
      return error(Code::conflict, "The firewall cannot be opened for it",
                   fmt::format("{} has no security group of its own.", opening.notebook))
          .with_hint("Put it back:\n    nbform apply");
    Map tags;
    labels::write_owner(tags, {std::string(stack), opening.notebook, "opening"}, labels::kAws);
    Map range{{"CidrIp", opening.source},
              {"Description", fmt::format("{} {}{}{}", kOpeningText, opening.caller, kUntil,
                                          format_rfc3339(opening.until))}};
    return call("AuthorizeSecurityGroupIngress",
                Map{{"GroupId", group},
                    {"IpPermissions", List{Map{{"IpProtocol", "tcp"},
                                               {"FromPort", port},
                                               {"ToPort", port},
                                               {"IpRanges", List{std::move(range)}}}}},
                    {"TagSpecification", List{tag_specification("security-group-rule", tags)}}});
  }
  Call close(const Live&, const Opening& opening, std::string_view) const override {
    std::vector<std::string_view> ids = split(opening.id, '/');
    return call("RevokeSecurityGroupIngress",
                Map{{"GroupId", ids.front()}, {"SecurityGroupRuleId", List{Value(ids.back())}}});
  }
  Settlement settle(const Scope& scope, const Response& answer) const override {
    Settlement out = ec2::settle(scope, answer);
    // Nothing was read before that could be stale.
    std::string_view code = out.failure.provider_code;
    if (code == "InvalidPermission.Duplicate") out.failure.code = Code::exists;
    if (code.starts_with("Invalid") && code.ends_with(".NotFound")) out.failure.code = Code::not_found;
    return out;
  }

 private:
  static std::optional<Opening> read_rule(const Value& rule, std::string_view stack) {
    Owner owner = labels::read_owner(read_tags(rule), labels::kAws);
    std::string_view text = rule["description"].as_text();
    auto end = text.find(kUntil);
    if (owner.stack != stack || !is_opening(rule) || end == std::string_view::npos ||
        end <= kOpeningText.size())
      return std::nullopt;
    auto until = parse_rfc3339(text.substr(end + kUntil.size()));
    if (!until) return std::nullopt;
    std::string caller(text.substr(0, end).substr(kOpeningText.size() + 1));
    return Opening{fmt::format("{}/{}", rule["groupId"].as_text(), rule["securityGroupRuleId"].as_text()),
                   owner.notebook, std::move(caller), std::string(rule["cidrIpv4"].as_text()), *until};
  }
};

}  // namespace

const Openings& openings() {
  static const Ec2Openings all;
  return all;
}

}  // namespace nbform::ec2
