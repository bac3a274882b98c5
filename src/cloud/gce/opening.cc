// What `nbform connect` opens on Compute Engine: a firewall rule of its own for one caller, whose description
// says until when it is needed.
#include "cloud/opening.h"

#include <fmt/format.h>

#include "cloud/gce/firewall.h"
#include "cloud/ingress.h"
#include "cloud/labels.h"

namespace nbform::gce {

namespace {

constexpr std::string_view kUntil = " until ";

class GceOpenings final : public Openings {
 public:
  // Without the key nothing of a network's rules is nbform's.
  bool by_default() const override { return false; }
  std::string_view permissions() const override {
    return "compute.firewalls.list, .create and .delete, and compute.networks.updatePolicy";
  }
  std::string_view relay_range(const Live& machine) const override {
    return live_text(machine, "address").empty() ? kIapRange : std::string_view();
  }

  Call list(const Live& machine, std::string_view, std::string_view page) const override {
    Call call = firewall_call("GET", machine.scope);
    call.query = {{"filter", fmt::format("name eq \"nbform-.*-{}.*\"", kOpeningPart)},
                  {"maxResults", "500"},
                  {"fields", "items(name,description,sourceRanges),nextPageToken"}};
    if (!page.empty()) call.query.emplace_back("pageToken", page);
    return call;
  }
  std::string next_page(const Value& answer) const override {
    return std::string(answer["nextPageToken"].as_text());
  }
  std::vector<Opening> read(const Value& answer, std::string_view stack) const override {
    std::vector<Opening> out;
    for (const Value& rule : answer["items"].as_list())
      if (auto opening = read_rule(rule, stack)) out.push_back(std::move(*opening));
    return out;
  }

  Result<Call> open(const Live& machine, std::string_view stack, const Opening& opening, std::int64_t port,
                    std::string_view request_id) const override {
    const List& tags = live_value(machine, "access_tags").as_list();
    if (tags.empty())
      return error(Code::conflict, "The firewall cannot be opened for it",
                   fmt::format("{} has no network tag of nbform's yet, by which a rule would find it.",
                               opening.notebook))
          .with_hint("Give it one:\n    nbform apply");
    Owner owner{std::string(stack), opening.notebook, fmt::format("{}{}", kOpeningPart, opening.caller)};
    Map body = ingress_fields({Value(rule_text("tcp", port, port, opening.source))});
    body.set("description", description_of(owner) + std::string(kUntil) + format_rfc3339(opening.until));
    body.set("direction", "INGRESS");
    body.set("disabled", false);
    body.set("name", rule_name(owner));
    body.set("network", live_text(machine, "network"));
    body.set("priority", kRulePriority);
    body.set("targetTags", List{tags.front()});
    return firewall_call("POST", machine.scope, {}, request_id, std::move(body));
  }
  Call close(const Live& machine, const Opening& opening, std::string_view request_id) const override {
    return firewall_call("DELETE", machine.scope, opening.id, request_id);
  }
  Settlement settle(const Scope& scope, const Response& answer) const override {
    return firewall_kind().settle(scope, answer);
  }

 private:
  // None: not an opening of this stack that anybody could tell the end of.
  static std::optional<Opening> read_rule(const Value& rule, std::string_view stack) {
    std::string_view text = rule["description"].as_text(), name = rule["name"].as_text();
    Owner owner = read_description(text);
    auto end = text.find(kUntil);
    bool ours = owner.stack == stack && owner.part.starts_with(kOpeningPart) && name == rule_name(owner);
    if (!ours || end == std::string_view::npos) return std::nullopt;
    auto until = parse_rfc3339(text.substr(end + kUntil.size()));
    if (!until) return std::nullopt;
    return Opening{std::string(name), owner.notebook, owner.part.substr(kOpeningPart.size()),
                   std::string(rule.at_path("sourceRanges/0").as_text()), *until};
  }
};

}  // namespace

const Openings& openings() {
  static const GceOpenings all;
  return all;
}

}  // namespace nbform::gce
