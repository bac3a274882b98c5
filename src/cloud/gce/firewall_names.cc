#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cloud/gce/firewall.h"
#include "cloud/ingress.h"
#include "cloud/labels.h"

namespace nbform::gce {

namespace {

constexpr std::size_t kTagSize = std::string_view("nbform-01234567-01234567").size();
constexpr std::string_view kScheme = "nbform:";

bool is_h8(std::string_view text) {
  return text.size() == 8 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

std::string access_tag(std::string_view stack, std::string_view notebook) {
  return fmt::format("nbform-{}-{}", labels::h8(stack), labels::h8(notebook));
}

bool is_access_tag(std::string_view tag) {
  return tag.size() == kTagSize && tag.starts_with("nbform-") && tag[15] == '-' && is_h8(tag.substr(7, 8)) &&
         is_h8(tag.substr(16));
}

std::string rule_name(const Owner& owner) {
  return fmt::format("{}-{}", access_tag(owner.stack, owner.notebook), owner.part);
}

std::string_view tag_of_rule(std::string_view name) {
  bool fits = name.size() > kTagSize + 1 && name[kTagSize] == '-' && is_access_tag(name.substr(0, kTagSize));
  return fits ? name.substr(0, kTagSize) : std::string_view();
}

std::string_view part_of_rule(std::string_view name) {
  return tag_of_rule(name).empty() ? std::string_view() : name.substr(kTagSize + 1);
}

std::string description_of(const Owner& owner) {
  return fmt::format("{}{}/{}/{}", kScheme, owner.stack, owner.notebook, owner.part);
}

Owner read_description(std::string_view description) {
  description = description.substr(0, description.find(' '));
  if (!description.starts_with(kScheme)) return {};
  std::vector<std::string_view> words = split(description.substr(kScheme.size()), '/');
  if (words.size() != 3) return {};
  return {std::string(words[0]), std::string(words[1]), std::string(words[2])};
}

Call firewall_call(std::string_view method, const Scope& scope, std::string_view name,
                   std::string_view request_id, Value body) {
  Call call{"compute",
            std::string(method),
            fmt::format("projects/{}/global/firewalls{}{}", scope.account, name.empty() ? "" : "/", name),
            {},
            std::move(body)};
  if (!request_id.empty()) call.query.emplace_back("requestId", request_id);
  return call;
}

namespace {

std::vector<std::string> traffic(const Value& actions, std::string_view word) {
  std::vector<std::string> out;
  for (const Value& action : actions.as_list()) {
    std::string protocol = fmt::format("{}{}", word, to_lower(action["IPProtocol"].as_text()));
    if (action["ports"].as_list().empty()) out.push_back(protocol);
    for (const Value& ports : action["ports"].as_list())
      out.push_back(fmt::format("{} {}", protocol, ports.as_text()));
  }
  return out;
}

std::vector<std::string> sources(const Value& rule) {
  std::vector<std::string> out;
  for (auto [list, word] :
       {std::pair{"sourceRanges", ""}, {"sourceTags", "tag:"}, {"sourceServiceAccounts", "account:"}})
    for (const Value& source : rule[list].as_list())
      out.push_back(fmt::format("{}{}", word, source.as_text()));
  if (out.empty()) out.emplace_back("0.0.0.0/0");
  return out;
}

}  // namespace

List ingress_texts(const Value& rule) {
  List out;
  for (auto [list, word] : {std::pair{"allowed", ""}, {"denied", "deny "}})
    for (const std::string& what : traffic(rule[list], word))
      for (const std::string& source : sources(rule)) out.emplace_back(fmt::format("{} {}", what, source));
  std::sort(out.begin(), out.end(), [](const Value& a, const Value& b) { return a.as_text() < b.as_text(); });
  return out;
}

Map ingress_fields(const List& texts) {
  List ports, ranges;
  auto add_once = [](List& list, std::string_view text) {
    if (std::find(list.begin(), list.end(), Value(text)) == list.end()) list.emplace_back(text);
  };
  for (const Value& text : texts) {
    std::string_view what = traffic_of(text.as_text());
    add_once(ports, what.substr(what.rfind(' ') + 1));
    add_once(ranges, source_of(text.as_text()));
  }
  return Map{{"allowed", List{Map{{"IPProtocol", "tcp"}, {"ports", std::move(ports)}}}},
             {"sourceRanges", std::move(ranges)}};
}

}  // namespace nbform::gce
