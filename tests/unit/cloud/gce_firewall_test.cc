// Firewall rules of GCE: names, descriptions, texts, calls, and who may come in.
#include <fmt/format.h>

#include "base/json.h"
#include "cloud/gce/firewall.h"
#include "cloud/gce/instance_steps.h"
#include "cloud/ingress.h"
#include "cloud/opening.h"
#include "core/diff.h"
#include "support/catch.h"

using namespace nbform;

namespace {

const Scope kScope{"gce", "gcp", "acme-ml", ""};

Value json(std::string_view text) {
  auto value = parse_json(text);
  REQUIRE(value.ok());
  return *value;
}

std::string texts(const Value& list) {
  std::string out;
  for (const Value& item : list.as_list())
    out += fmt::format("{}{}", out.empty() ? "" : "; ", item.as_text());
  return out;
}

Value rule(const std::string& name, const std::string& rest) {
  return json(fmt::format(R"({{"name": "{}", "network": "projects/acme-ml/global/networks/default",
                              "direction": "INGRESS", {}}})",
                          name, rest));
}

Value allow(const std::string& name, std::string_view ports, std::string_view source,
            std::string_view more = "") {
  return rule(name, fmt::format(R"("allowed": [{{"IPProtocol": "tcp", "ports": ["{}"]}}],
                                   "sourceRanges": ["{}"]{}{})",
                                ports, source, more.empty() ? "" : ", ", more));
}

Value deny(const std::string& name, std::string_view what, std::string_view source, int priority) {
  return rule(
      name, fmt::format(R"("denied": [{}], "sourceRanges": ["{}"], "priority": {})", what, source, priority));
}

// A VM that declares one range, and what its line says with these rules beside.
struct Seen {
  Resource vm;
  Value fact;

  Seen() {
    vm.notebook = "train";
    vm.scope = kScope;
    vm.attributes.set("access_tags", List{gce::access_tag("demo", "train")});
    vm.defaults.set("own_ingress", List{"tcp 22 203.0.113.7/32"});
    gce::add_to_fact(fact, {});
  }
  Seen& with(const Value& rule) {
    gce::add_to_fact(fact, rule);
    return *this;
  }
  std::string line(const Live* live = nullptr) const {
    std::string out;
    for (const WayIn& way : gce::instance_ways_in(vm, live, {{gce::firewalls_fact(kScope), fact}}))
      out += fmt::format("{}{}{}", out.empty() ? "" : " · ", way.open_to_all ? "RED " : "", way.text);
    return out;
  }
};

Live running() {
  auto live = gce::instance_kind().decode(kScope, json(R"({
    "name": "train", "zone": "zones/us-central1-a", "status": "RUNNING",
    "tags": {"fingerprint": "abc=", "items": ["lab"]},
    "networkInterfaces": [{"network": "https://www.googleapis.com/compute/v1/projects/acme-ml/global/networks/lab-net",
                           "accessConfigs": [{"natIP": "198.51.100.9"}]}]})"));
  REQUIRE(live.ok());
  return *live;
}

}  // namespace

TEST_CASE("a rule's name tells its tag and its part, and no other name does") {
  std::string name = gce::rule_name({"demo", "train", "firewall-public"});
  CHECK(gce::tag_of_rule(name) == gce::access_tag("demo", "train"));
  CHECK(gce::part_of_rule(name) == "firewall-public");
  CHECK(name.size() <= 63);
  CHECK(gce::rule_name({std::string(40, 'a'), std::string(40, 'b'), "firewall-me-01234567"}).size() <= 63);
  for (std::string_view other :
       {"nbform-0123456-01234567-firewall", "nbform-01234567-0123456X-firewall", "default-allow-ssh",
        "nbform-01234567-01234567", "nbform-01234567-01234567-"})
    CHECK(gce::tag_of_rule(other).empty());
}

TEST_CASE("a description tells the owner; anything else tells nobody") {
  Owner owner{"demo_3f9a1c2e", "train", "firewall"};
  CHECK(gce::description_of(owner) == "nbform:demo_3f9a1c2e/train/firewall");
  CHECK(gce::read_description(gce::description_of(owner)) == owner);
  CHECK(gce::read_description("nbform:demo/train/firewall-me-01234567 until 2026-11-21T12:00:00Z").part ==
        "firewall-me-01234567");
  for (std::string_view other : {"", "Allow SSH from anywhere", "nbform:demo/train", "nbform:a/b/c/d"})
    CHECK_FALSE(gce::read_description(other).whole());
}

TEST_CASE("a rule reads as texts, whatever it lets in") {
  CHECK(texts(gce::ingress_texts(json(R"({"allowed": [{"IPProtocol": "TCP", "ports": ["22", "8000-8010"]},
    {"IPProtocol": "icmp"}], "sourceRanges": ["10.0.0.0/8"], "sourceTags": ["web"]})"))) ==
        "icmp 10.0.0.0/8; icmp tag:web; tcp 22 10.0.0.0/8; tcp 22 tag:web; tcp 8000-8010 10.0.0.0/8; "
        "tcp 8000-8010 tag:web");
  CHECK(texts(gce::ingress_texts(json(R"({"denied": [{"IPProtocol": "all"}]})"))) == "deny all 0.0.0.0/0");
}

TEST_CASE("what is written is what is read") {
  List want{"tcp 443 0.0.0.0/0", "tcp 9000 0.0.0.0/0"};
  CHECK(gce::ingress_texts(gce::ingress_fields(want)) == want);
}

TEST_CASE("rules are told apart in words, each once") {
  CHECK(rules_edited("access.public", {}, {"tcp 443 0.0.0.0/0"}) == "access.public +tcp 443 0.0.0.0/0");
  CHECK(rules_edited("from", {"tcp 22 10.0.0.0/8"}, {"tcp 22 10.1.0.0/16"}) ==
        "from +10.1.0.0/16 −10.0.0.0/8");
  CHECK(open_to_everybody({"tcp 443 0.0.0.0/0", "tcp 22 10.0.0.0/8", "tcp 443 ::/0"}) ==
        std::vector<std::string>{"tcp 443"});
}

TEST_CASE("why a range does not get into a port is said: no rule, or the one that denies") {
  Live vm = running();
  auto why = [&](Seen seen) { return gce::shut_out(vm, seen.fact, gce::kIapRange, 22); };
  auto here = [&](Value rule) {
    rule.map().set("network", "projects/acme-ml/global/networks/lab-net");
    return rule;
  };
  CHECK(why(Seen()) == "No firewall rule of the network lab-net lets 35.235.240.0/20 into port 22 of train.");
  CHECK(why(Seen().with(here(allow("mine", "22", "35.235.240.0/20")))).empty());
  CHECK(why(Seen().with(here(allow("all", "20-30", "0.0.0.0/0", R"("targetTags": ["lab"])")))).empty());
  CHECK_FALSE(why(Seen().with(allow("elsewhere", "22", "0.0.0.0/0"))).empty());
  CHECK_FALSE(why(Seen().with(here(allow("half", "22", "35.235.240.0/21")))).empty());
  CHECK_FALSE(why(Seen().with(here(allow("port", "8080", "0.0.0.0/0")))).empty());
  CHECK_FALSE(why(Seen().with(here(allow("tag", "22", "0.0.0.0/0", R"("targetTags": ["web"])")))).empty());
  Seen denied;
  denied.with(here(allow("all", "22", "0.0.0.0/0")))
      .with(here(deny("keep-out", R"({"IPProtocol": "tcp"})", "35.0.0.0/8", 900)));
  CHECK(why(denied) == "The firewall rule keep-out keeps 35.235.240.0/20 out of port 22 of train.");
}

TEST_CASE("the default network lets the world in, and the line says so in red") {
  CHECK(Seen().with(allow("default-allow-ssh", "22", "0.0.0.0/0", R"("priority": 65534)")).line() ==
        "RED tcp 22 from the whole internet (default-allow-ssh) · tcp 22 from 203.0.113.7/32");
  CHECK(Seen().with(allow("rdp", "3389", "0.0.0.0/0")).line() ==
        "tcp 22 from 203.0.113.7/32 · tcp 3389 from the whole internet (rdp)");
  CHECK(Seen().with(allow("wide", "8000-9000", "0.0.0.0/0")).line() ==
        "RED tcp 8000-9000 from the whole internet (wide) · tcp 22 from 203.0.113.7/32");
  CHECK(Seen()
            .with(rule("open", R"("allowed": [{"IPProtocol": "all"}], "sourceRanges": ["0.0.0.0/0"])"))
            .line() == "RED all from the whole internet (open) · tcp 22 from 203.0.113.7/32");
}

TEST_CASE("rules that are not for this VM are not in the line") {
  std::string alone = "tcp 22 from 203.0.113.7/32";
  CHECK(Seen().with(allow("off", "22", "0.0.0.0/0", R"("disabled": true)")).line() == alone);
  CHECK(Seen().with(allow("out", "22", "0.0.0.0/0", R"("targetTags": ["other"])")).line() == alone);
  CHECK(Seen().with(allow("robots", "22", "0.0.0.0/0", R"("targetServiceAccounts": ["r@x"])")).line() ==
        alone);
  Value egress = allow("egress", "22", "0.0.0.0/0");
  egress.map().set("direction", "EGRESS");
  CHECK(Seen().with(egress).line() == alone);
  Value elsewhere = allow("elsewhere", "22", "0.0.0.0/0");
  elsewhere.map().set("network", "projects/acme-ml/global/networks/lab");
  CHECK(Seen().with(elsewhere).line() == alone);
  std::string own = gce::rule_name({"demo", "train", "firewall"});
  CHECK(Seen()
            .with(allow(own, "22", "192.0.2.0/24",
                        fmt::format(R"("targetTags": ["{}"])", gce::tag_of_rule(own))))
            .line() == alone);
}

TEST_CASE("rules for the VM's tags and account are in the line, once each") {
  Seen seen;
  seen.vm.attributes.set("tags", List{"lab", "gpu"});
  seen.vm.attributes.set("service_account", "nb@acme");
  seen.with(allow("two-tags", "80", "10.0.0.0/8", R"("targetTags": ["lab", "gpu"])"));
  seen.with(allow("by-account", "81", "10.0.0.0/8", R"("targetServiceAccounts": ["nb@acme"])"));
  CHECK(
      seen.line() ==
      "tcp 22 from 203.0.113.7/32 · tcp 81 from 10.0.0.0/8 (by-account) · tcp 80 from 10.0.0.0/8 (two-tags)");
}

TEST_CASE("a deny counts where its priority, its ports and its sources reach") {
  Value open = allow("open", "22", "0.0.0.0/0");
  std::string without = "tcp 22 from 203.0.113.7/32";
  std::string with = "RED tcp 22 from the whole internet (open) · " + without;
  auto line = [&](const Value& denial) { return Seen().with(open).with(denial).line(); };
  constexpr const char* kAll = R"({"IPProtocol": "all"})";
  CHECK(line(deny("later", kAll, "0.0.0.0/0", 1001)) == with);
  CHECK(line(deny("same", R"({"IPProtocol": "tcp", "ports": ["20-30"]})", "0.0.0.0/0", 1000)) ==
        without + " (denied by same)");
  CHECK(line(deny("other-port", R"({"IPProtocol": "tcp", "ports": ["23"]})", "0.0.0.0/0", 1)) == with);
  CHECK(line(deny("some", kAll, "192.0.2.0/24", 1)) == with);
  CHECK(line(deny("us", kAll, "203.0.112.0/20", 1)) == with + " (denied by us)");
  CHECK(line(deny("udp", R"({"IPProtocol": "udp"})", "0.0.0.0/0", 1)) == with);
}

TEST_CASE("without a public address nothing is red") {
  Seen seen;
  seen.vm.attributes.set("public_ip", false);
  CHECK(seen.with(allow("default-allow-ssh", "22", "0.0.0.0/0")).line() ==
        "tcp 22 from 203.0.113.7/32 · tcp 22 from the whole internet (default-allow-ssh) · no public "
        "address, so "
        "not from the internet");
}

TEST_CASE("a network that is not the project's own hides its rules, and the line says so") {
  Seen seen;
  seen.vm.attributes.set("network", "projects/host/global/networks/default");
  CHECK_THAT(
      seen.with(allow("default-allow-ssh", "22", "0.0.0.0/0")).line(),
      Catch::Contains("another project's network are not seen") && !Catch::Contains("default-allow-ssh"));
}

TEST_CASE("what the manifest leaves open is taken from the live VM") {
  Seen seen;
  Live vm = running();
  Value lab = allow("lab", "8080", "0.0.0.0/0", R"("targetTags": ["lab"])");
  lab.map().set("network", "projects/acme-ml/global/networks/lab-net");
  CHECK(seen.with(lab).line(&vm) ==
        "RED tcp 8080 from the whole internet (lab) · tcp 22 from 203.0.113.7/32");
}

TEST_CASE("a running connect is in the line, and never a thing of the plan") {
  Owner owner{"demo", "train", "firewall-me-01234567"};
  Live vm = running();
  vm.attributes.set("access_tags", List{gce::access_tag("demo", "train")});
  auto call = gce::openings().open(vm, "demo", {"", "train", "01234567", "192.0.2.1/32", {}}, 22, "");
  REQUIRE(call.ok());
  Value opening = call->body;
  opening.map().set("network", "projects/acme-ml/global/networks/default");
  CHECK(Seen().with(opening).line() ==
        fmt::format("tcp 22 from 203.0.113.7/32 · tcp 22 from 192.0.2.1/32 ({})", gce::rule_name(owner)));
  auto listing = gce::listing(kScope);
  REQUIRE(listing->add_page("firewalls", Map{{"items", List{opening}}}).ok());
  CHECK(listing->fold().live.empty());
}

TEST_CASE("of listed rules only those that say so by name and description are ours") {
  std::string name = gce::rule_name({"demo", "train", "firewall"});
  Value ours = allow(name, "22", "203.0.113.7/32", R"("description": "nbform:demo/train/firewall")");
  Value silent =
      allow(gce::rule_name({"demo", "ana", "firewall"}), "22", "203.0.113.7/32", R"("description": "mine")");
  Value liar = allow("lab-ssh", "22", "203.0.113.7/32", R"("description": "nbform:demo/ben/firewall")");
  auto listing = gce::listing(kScope);
  REQUIRE(listing->add_page("firewalls", Map{{"items", List{ours, silent, liar}}}).ok());
  Folded all = listing->fold();
  REQUIRE(all.live.size() == 1);
  CHECK(all.live[0].owner == Owner{"demo", "train", "firewall"});
  CHECK(all.facts.count(gce::firewalls_fact(kScope)) == 1);
  CHECK_FALSE(gce::listing(kScope)->add_page("firewalls", json(R"({"items": [{"id": "1"}]})")).ok());
  CHECK_FALSE(gce::listing(kScope)->add_page("firewalls", json(R"({"items": {}})")).ok());
}

TEST_CASE("the next page of rules is asked for") {
  CHECK(gce::listing(kScope)->add_page("firewalls", json(R"({"nextPageToken": "more"})")).value() == "more");
}
