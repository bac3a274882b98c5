// A caller of the simulated EC2 in virtual time, who signs nothing: requests by action and parameters,
// answers as text, with a look into their elements.
#pragma once

#include <string>

#include "base/text.h"
#include "sim/cloud.h"
#include "support/catch.h"

namespace nbform::sim {

struct Ec2 {
  World world;
  Time now = Time::from_seconds(1'795'262'400);
  std::string region = "us-west-2";

  static Options unsigned_options(std::set<std::string> variants = {}) {
    Options o;
    o.auth = false;
    o.variants = std::move(variants);
    return o;
  }
  explicit Ec2(std::set<std::string> variants = {}) : world(unsigned_options(std::move(variants))) {}

  Response send(const std::string& action, Query parameters) {
    Query form{{"Action", action}, {"Version", "2016-11-15"}};
    form.insert(form.end(), parameters.begin(), parameters.end());
    Request r{"POST",
              "https://ec2." + region + ".amazonaws.com/",
              {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}},
              form_encode(form)};
    return *world.handle(r, now).response;
  }
  // The body of a success.
  std::string ok(const std::string& action, Query parameters = {}) {
    Response r = send(action, std::move(parameters));
    INFO(action << ": " << r.body);
    REQUIRE(r.status == 200);
    return r.body;
  }
  std::string refused(const std::string& action, Query parameters = {}) {
    Response r = send(action, std::move(parameters));
    INFO(action << ": " << r.body);
    REQUIRE(r.status >= 400);
    return element(r.body, "Code");
  }
  void wait(Duration d) {
    now = now + d;
    world.advance(now);
  }

  // The text of the first element of this name; "" where there is none.
  static std::string element(std::string_view xml, std::string_view name) {
    std::string open = "<" + std::string(name) + ">";
    auto at = xml.find(open);
    if (at == std::string_view::npos) return {};
    at += open.size();
    return std::string(xml.substr(at, xml.find('<', at) - at));
  }
  static std::size_t count(std::string_view text, std::string_view what) {
    std::size_t n = 0;
    for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++n;
    return n;
  }

  std::string ami() {
    return element(ok("DescribeImages",
                      {{"Filter.1.Name", "name"}, {"Filter.1.Value.1", "Deep Learning Base OSS*22.04) 2*"}}),
                   "imageId");
  }
  Query launch(Query more = {}) {
    Query out{{"ImageId", ami()}, {"MinCount", "1"}, {"MaxCount", "1"}};
    bool typed = false;
    for (auto& item : more) {
      typed = typed || item.first == "InstanceType";
      out.push_back(item);
    }
    if (!typed) out.emplace_back("InstanceType", "g4dn.xlarge");
    return out;
  }
  static Query spot(Query more = {}) {
    more.emplace_back("InstanceMarketOptions.MarketType", "spot");
    more.emplace_back("InstanceMarketOptions.SpotOptions.SpotInstanceType", "persistent");
    more.emplace_back("InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior", "stop");
    return more;
  }
  std::string run(Query more = {}) {
    return element(ok("RunInstances", launch(std::move(more))), "instanceId");
  }
  std::string running(Query more = {}) {
    std::string id = run(std::move(more));
    wait(std::chrono::minutes(1));
    return id;
  }
  std::string state(const std::string& id) const {
    return std::string(world.resource("ec2.instances/" + id)["instanceState"]["name"].as_text("gone"));
  }
  // "active/fulfilled" of an instance's request.
  std::string request(const std::string& id) const {
    for (const Value& r : world.resources("ec2.spot-requests"))
      if (r["instanceId"].as_text() == id)
        return std::string(r["state"].as_text()) + "/" + std::string(r["status"]["code"].as_text());
    return "none";
  }
  std::string sir(const std::string& id) const {
    return std::string(world.resource("ec2.instances/" + id)["spotInstanceRequestId"].as_text());
  }
  std::size_t events(std::string_view kind, std::string_view shelf) const {
    std::size_t n = 0;
    for (const Event& e : world.events()) n += e.kind == kind && e.resource.starts_with(shelf);
    return n;
  }
};

}  // namespace nbform::sim
