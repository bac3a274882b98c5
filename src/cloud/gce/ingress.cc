// The effective ingress of a notebook's VM: what firewall rules let in, ours as they are declared, those of
// others as they are listed. Facts: the lowest priority number counts; at one priority a deny beats an allow;
// a rule without targets is for every VM of its network. Hierarchical and network firewall policies are not
// seen.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

#include "base/text.h"
#include "cloud/gce/firewall.h"
#include "cloud/gce/instance_steps.h"
#include "cloud/ingress.h"

namespace nbform::gce {

namespace {

constexpr std::array<std::int64_t, 4> kWatched = {22, 443, 8080, 8888};
constexpr std::size_t kMostSources = 3;  // that are spelled out

// "tcp 22", "icmp" (no ports: all), "all".
struct Traffic {
  std::string protocol;
  std::int64_t from = 0, to = 65535;

  bool covers(const Traffic& other) const {
    if (protocol == "all") return true;
    return protocol == other.protocol && from <= other.from && other.to <= to;
  }
  bool has(std::int64_t port) const { return covers({"tcp", port, port}); }
};

Traffic read_traffic(std::string_view text) {
  auto blank = text.find(' ');
  Traffic out{std::string(text.substr(0, blank))};
  if (blank == std::string_view::npos) return out;
  std::vector<std::string_view> ends = split(text.substr(blank + 1), '-');
  out.from = Value(ends.front()).as_int();
  out.to = Value(ends.back()).as_int();
  return out;
}

struct Range {
  std::uint32_t address = 0;
  int bits = 32;
};

std::optional<Range> read_range(std::string_view text) {
  auto slash = text.find('/');
  Range out;
  std::vector<std::string_view> parts = split(text.substr(0, slash), '.');
  if (parts.size() != 4) return std::nullopt;  // IPv6, a tag, an account
  for (std::string_view part : parts)
    out.address = out.address << 8 | static_cast<std::uint32_t>(Value(part).as_int() & 255);
  if (slash != std::string_view::npos)
    out.bits = static_cast<int>(std::clamp<std::int64_t>(Value(text.substr(slash + 1)).as_int(), 0, 32));
  return out;
}

bool source_covers(std::string_view wide, std::string_view narrow) {
  if (wide == narrow) return true;
  auto a = read_range(wide), b = read_range(narrow);
  if (!a || !b || a->bits > b->bits) return false;
  std::uint32_t mask = a->bits <= 0 ? 0 : ~std::uint32_t{0} << (32 - a->bits);
  return (a->address & mask) == (b->address & mask);
}

struct Rule {
  std::string name;  // "" = of this notebook
  std::int64_t priority = kRulePriority;
  bool denies = false;
  const List* texts = nullptr;
};

// The VM as rules see it.
struct Subject {
  std::string network;  // path, or a bare name of its own project; "" = not known yet
  std::string tag;      // of its own rules
  List tags;
  std::string account;
  bool reachable = true;  // has an address that the internet reaches
};

bool contains(const List& list, std::string_view text) {
  return std::find(list.begin(), list.end(), Value(text)) != list.end();
}

// What the manifest does not say is as it is.
const Value& side(const Resource& vm, const Live* live, std::string_view attr) {
  const Value* declared = vm.attributes.find(attr);
  return declared != nullptr || live == nullptr ? wanted(vm, attr) : live_value(*live, attr);
}

Subject subject_of(const Resource& vm, const Live* live) {
  Subject out;
  bool by_subnet = live == nullptr && wanted(vm, "network").is_null() && !wanted(vm, "subnet").is_null();
  if (!by_subnet) out.network = side(vm, live, "network").as_text("default");
  out.tags = side(vm, live, "tags").as_list();
  for (const Value& tag : side(vm, live, "access_tags").as_list()) out.tags.push_back(tag);
  if (const List& own = wanted(vm, "access_tags").as_list(); !own.empty()) out.tag = own.front().as_text();
  out.account = side(vm, live, "service_account").as_text();
  out.reachable = side(vm, live, "public_ip").as_bool(true);
  return out;
}

// Rules as declared stand in the place of those that are listed; a running connect's are beside them.
bool is_of_manifest(std::string_view name, const Subject& vm) {
  bool own = !vm.tag.empty() && tag_of_rule(name) == vm.tag;
  return own && !part_of_rule(name).starts_with(kOpeningPart);
}

std::vector<Rule> rules_for(const Subject& vm, const Value& listed) {
  std::vector<Rule> out;
  auto take = [&](const Value& all) {
    for (const Value& rule : all.as_list()) {
      const List& accounts = rule["accounts"].as_list();
      bool same_network = last_segment(rule["network"].as_text()) == last_segment(vm.network);
      bool meant = accounts.empty() || contains(accounts, vm.account);
      bool known = std::any_of(out.begin(), out.end(),
                               [&](const Rule& r) { return r.name == rule["name"].as_text(); });
      if (!same_network || !meant || known || is_of_manifest(rule["name"].as_text(), vm)) continue;
      out.push_back({std::string(rule["name"].as_text()), rule["priority"].as_int(), rule["denies"].as_bool(),
                     &rule["texts"].as_list()});
    }
  };
  take(listed["general"]);
  for (const Value& tag : vm.tags) take(listed["by_tag"][tag.as_text()]);
  return out;
}

// The rule that denies all of what `allow` would let in as `text`; null: none.
const Rule* denier(const std::vector<Rule>& rules, const Rule& allow, std::string_view text) {
  Traffic traffic = read_traffic(traffic_of(text));
  for (const Rule& rule : rules) {
    if (!rule.denies || rule.priority > allow.priority) continue;
    for (const Value& denied : *rule.texts)
      if (read_traffic(traffic_of(denied.as_text())).covers(traffic) &&
          source_covers(source_of(denied.as_text()), source_of(text)))
        return &rule;
  }
  return nullptr;
}

std::string sources_text(const std::vector<std::string>& sources) {
  for (const std::string& source : sources)
    if (is_everybody(source)) return "the whole internet";
  if (sources.size() > kMostSources) return fmt::format("{} sources", sources.size());
  return join(sources, ", ");
}

bool is_watched(const std::vector<std::string>& traffic) {
  return std::any_of(traffic.begin(), traffic.end(), [](const std::string& text) {
    Traffic t = read_traffic(text);
    return std::any_of(kWatched.begin(), kWatched.end(), [&](std::int64_t port) { return t.has(port); });
  });
}

void add_once(std::vector<std::string>& list, std::string_view text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.emplace_back(text);
}

// What one rule lets in, as far as `is_part` takes it.
void tell_part(std::vector<WayIn>& out, const Rule& rule, bool red,
               const std::function<bool(std::string_view text)>& is_part, std::string_view remark) {
  std::vector<std::string> traffic, sources;
  for (const Value& text : *rule.texts) {
    if (!is_part(text.as_text())) continue;
    add_once(traffic, traffic_of(text.as_text()));
    add_once(sources, source_of(text.as_text()));
  }
  if (traffic.empty()) return;
  WayIn way{fmt::format("{} from {}", join(traffic, ", "), sources_text(sources)),
            red && is_watched(traffic)};
  if (!remark.empty()) way.text += fmt::format(" ({})", remark);
  out.push_back(std::move(way));
}

// What is for everybody apart from the rest. What others deny of ours is told as well.
void tell(std::vector<WayIn>& out, const Rule& rule, const std::vector<Rule>& all, bool reachable) {
  std::vector<std::string> deniers;
  for (bool everybody : {true, false})
    tell_part(
        out, rule, everybody && reachable,
        [&](std::string_view text) {
          const Rule* denies = denier(all, rule, text);
          if (denies != nullptr) add_once(deniers, denies->name);
          return denies == nullptr && is_everybody(source_of(text)) == everybody;
        },
        rule.name);
  if (!rule.name.empty() || deniers.empty()) return;
  tell_part(
      out, rule, false, [&](std::string_view text) { return denier(all, rule, text) != nullptr; },
      "denied by " + join(deniers, ", "));
}

}  // namespace

std::vector<WayIn> instance_ways_in(const Resource& vm, const Live* live, const Facts& facts) {
  const Value* own = vm.defaults.find("own_ingress");
  auto listed = facts.find(firewalls_fact(vm.scope));
  if (own == nullptr || listed == facts.end()) return {};
  Subject subject = subject_of(vm, live);
  std::string_view network = resource_path(subject.network);
  bool elsewhere =
      network.starts_with("projects/") && !network.starts_with(fmt::format("projects/{}/", vm.scope.account));
  std::vector<Rule> rules{{"", kRulePriority, false, &own->as_list()}};
  if (!elsewhere && !network.empty())
    for (Rule& rule : rules_for(subject, listed->second)) rules.push_back(std::move(rule));
  std::vector<WayIn> out;
  for (const Rule& rule : rules)
    if (!rule.denies) tell(out, rule, rules, subject.reachable);
  std::stable_partition(out.begin(), out.end(), [](const WayIn& way) { return way.open_to_all; });
  if (elsewhere) out.push_back({"rules of another project's network are not seen", false});
  if (network.empty()) out.push_back({"rules of its network are seen once it is there", false});
  if (out.empty()) out.push_back({"nobody: no rule lets anything in", false});
  if (!subject.reachable) out.push_back({"no public address, so not from the internet", false});
  return out;
}

std::string shut_out(const Live& vm, const Value& rules, std::string_view source, std::int64_t port) {
  Subject subject;
  subject.network = live_value(vm, "network").as_text("default");
  subject.tags = live_value(vm, "tags").as_list();
  for (const Value& tag : live_value(vm, "access_tags").as_list()) subject.tags.push_back(tag);
  subject.account = live_value(vm, "service_account").as_text();
  const std::string wanted_text = rule_text("tcp", port, port, source);
  const std::vector<Rule> all = rules_for(subject, rules);
  std::string denied_by;
  for (const Rule& rule : all) {
    const bool fits =
        !rule.denies && std::any_of(rule.texts->begin(), rule.texts->end(), [&](const Value& text) {
          return read_traffic(traffic_of(text.as_text())).has(port) &&
                 source_covers(source_of(text.as_text()), source);
        });
    if (!fits) continue;
    const Rule* denies = denier(all, rule, wanted_text);
    if (denies == nullptr) return "";
    denied_by = denies->name;
  }
  if (!denied_by.empty())
    return fmt::format("The firewall rule {} keeps {} out of port {} of {}.", denied_by, source, port,
                       vm.name);
  return fmt::format("No firewall rule of the network {} lets {} into port {} of {}.",
                     last_segment(subject.network), source, port, vm.name);
}

std::string firewalls_fact(const Scope& scope) {
  return fmt::format("gce|firewalls|{}", scope.account);
}

// `fact`: rules without targets, or for service accounts, under "general"; the others by each of their tags.
void add_to_fact(Value& fact, const Value& rule) {
  bool counts = !rule["disabled"].as_bool() && rule["direction"].as_text("INGRESS") == "INGRESS";
  if (!fact.is_map()) fact = Map{{"by_tag", Map()}, {"general", List()}};
  if (rule.is_null() || !counts) return;
  bool denies = !rule["denied"].as_list().empty();
  List texts = ingress_texts(rule);
  for (Value& text : texts)
    if (std::string_view word = "deny "; text.as_text().starts_with(word))
      text = Value(text.as_text().substr(word.size()));
  Value item = Map{{"accounts", rule["targetServiceAccounts"].as_list()},
                   {"denies", denies},
                   {"name", rule["name"].as_text()},
                   {"network", resource_path(rule["network"].as_text())},
                   {"priority", rule["priority"].as_int(kRulePriority)},
                   {"texts", std::move(texts)}};
  const List& tags = rule["targetTags"].as_list();
  if (tags.empty()) fact.map()["general"].list().push_back(std::move(item));
  for (const Value& tag : tags) {
    Value& list = fact.map()["by_tag"].map()[tag.as_text()];
    if (!list.is_list()) list = List();
    list.list().push_back(item);
  }
}

}  // namespace nbform::gce
