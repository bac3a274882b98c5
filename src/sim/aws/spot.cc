#include "sim/aws/spot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/aws/describe.h"
#include "sim/aws/instances.h"
#include "sim/aws/offers.h"
#include "sim/aws/xml.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

namespace {

constexpr Duration kNotice = std::chrono::minutes(2);
constexpr Duration kForgottenAfter = std::chrono::hours(4);

struct StatusText {
  std::string_view code, message;
};
constexpr std::array kStatuses = {
    StatusText{"fulfilled", "Your spot request is fulfilled."},
    StatusText{"pending-evaluation",
               "Your Spot request has been submitted for review, and is pending evaluation."},
    StatusText{"marked-for-stop", "The instance was marked for stop."},
    StatusText{"marked-for-termination", "The Spot Instance was marked for termination."},
    StatusText{"instance-stopped-by-user", "Your Spot instance was stopped by user."},
    StatusText{"instance-stopped-no-capacity",
               "Your Spot instance was stopped: there is no capacity for it."},
    StatusText{"instance-stopped-by-price",
               "Your Spot instance was stopped: the Spot price is above your maximum price."},
    StatusText{"instance-terminated-by-price",
               "Your Spot instance was terminated: the Spot price is above your maximum price."},
    StatusText{"instance-terminated-by-user", "Spot Instance terminated due to user-initiated termination."},
    StatusText{"instance-terminated-no-capacity",
               "Your Spot instance was terminated: there is no capacity for it."},
    StatusText{"capacity-not-available", "There is no Spot capacity available that matches your request."},
    StatusText{"request-canceled-and-instance-running",
               "Your Spot request is canceled, but your instance is still running."},
    StatusText{"canceled-before-fulfillment", "Your Spot request is canceled before it was fulfilled."},
};

std::string_view message_of(std::string_view code) {
  for (const StatusText& s : kStatuses)
    if (s.code == code) return s.message;
  return "";
}

std::string new_request_id(Region& region) {
  std::string id = "sir-";
  for (int i = 0; i < 8; ++i) id.push_back("abcdefghijkmnpqrstuvwxyz23456789"[region.state.next_random(32)]);
  return id;
}

Value launch_specification(Region& region, const Draft& draft, const Value& in) {
  const Resource& subnet = region.get("subnets", draft.subnet);
  List groups;
  for (const std::string& id : draft.groups)
    groups.push_back(Map{{"groupId", id}, {"groupName", region.get("security-groups", id)["groupName"]}});
  return Map{{"imageId", in["ImageId"]},
             {"instanceType", draft.type->name},
             {"keyName", in["KeyName"]},
             {"groupSet", groups},
             {"placement", Map{{"availabilityZone", subnet["availabilityZone"]}}},
             {"subnetId", draft.subnet},
             {"ebsOptimized", in["EbsOptimized"].as_bool()},
             {"monitoring", Map{{"enabled", in["Monitoring"]["Enabled"].as_bool()}}},
             {"iamInstanceProfile",
              in["IamInstanceProfile"].is_null()
                  ? Value()
                  : Value(Map{{"arn", shown_profile(region, in["IamInstanceProfile"])["arn"]}})}};
}

// What EC2 launches again: the same, in the same zone, under no client token.
Value launch_again(const Region& region, const Draft& draft, Value in) {
  in.map().erase("ClientToken");
  in.map().set("MinCount", 1);
  in.map().set("MaxCount", 1);
  in.map().set("Placement", Map{{"AvailabilityZone", draft.zone}});
  if (!region.variant("spot-relaunch-tagged")) in.map().erase("TagSpecification");
  return in;
}

std::string_view state_text(const Resource& request) {
  return request["state"].as_text();
}

}  // namespace

void make_spot_request(Region& region, const Draft& draft, const Value& in, const std::string& instance) {
  std::string id = new_request_id(region);
  double price = draft.max_price.empty() ? draft.type->hourly : std::atof(draft.max_price.c_str());
  const Value& until = in["InstanceMarketOptions"]["SpotOptions"]["ValidUntil"];
  region.put("spot-requests", id,
             Map{{"spotInstanceRequestId", id},
                 {"spotPrice", fmt::format("{:.6f}", price)},
                 {"type", draft.persistent ? "persistent" : "one-time"},
                 {"state", "active"},
                 {"status", Map{{"code", "fulfilled"},
                                {"message", message_of("fulfilled")},
                                {"updateTime", stamp(region.now())}}},
                 {"validUntil", until.is_null() ? Value() : Value(stamp(*parse_rfc3339(until.as_text())))},
                 {"launchSpecification", launch_specification(region, draft, in)},
                 {"instanceId", instance},
                 {"createTime", stamp(region.now())},
                 {"productDescription", "Linux/UNIX"},
                 {"launchedAvailabilityZone", draft.zone},
                 {"launchedAvailabilityZoneId", zone_id(draft.zone)},
                 {"instanceInterruptionBehavior", draft.interruption},
                 {"tagSet", draft.request_tags}},
             Map{{"launch", launch_again(region, draft, in)}});
  Map& wire = region.get("instances", instance).edit();
  wire.set("instanceLifecycle", "spot");
  wire.set("spotInstanceRequestId", id);
  region.note("insert", "spot-requests", id, Map{{"instance", instance}, {"tagSet", draft.request_tags}});
}

void set_request(Region& region, std::string_view id, std::string_view state, std::string_view code) {
  Resource& request = region.get("spot-requests", id);
  Map& wire = request.edit();
  wire.set("state", state);
  wire.set("status", Map{{"code", code}, {"message", message_of(code)}, {"updateTime", stamp(region.now())}});
  region.note("status", "spot-requests", id, Map{{"state", state}, {"code", code}});
}

Resource* request_of(Region& region, std::string_view instance) {
  const Resource* vm = region.find("instances", instance);
  return vm == nullptr ? nullptr : region.find("spot-requests", (*vm)["spotInstanceRequestId"].as_text());
}

namespace {
std::string id_of(const Resource& request) {
  return std::string(request["spotInstanceRequestId"].as_text());
}
bool cancelled(const Resource& request) {
  return state_text(request) == "cancelled";
}
bool persistent(const Resource& request) {
  return request["type"].as_text() == "persistent";
}
bool is_too_dear(const Region& region, const Resource& vm, const Resource& request) {
  return spot_price(region, vm["placement"]["availabilityZone"].as_text(), vm["instanceType"].as_text()) >
         std::atof(std::string(request["spotPrice"].as_text()).c_str());
}
}  // namespace

Result<> check_stop(Region& region, std::string_view instance) {
  const Resource* vm = region.find("instances", instance);
  if (vm == nullptr || !is_spot(*vm)) return Ok{};
  const Resource* request = request_of(region, instance);
  if (request == nullptr || cancelled(*request))
    return refuse(
        "UnsupportedOperation",
        fmt::format(
            "You can't stop the Spot Instance '{}' because its Spot Instance request is canceled. You "
            "can only terminate it.",
            instance));
  if (persistent(*request)) return Ok{};
  return refuse(
      "UnsupportedOperation",
      fmt::format("You can't stop the Spot Instance '{}' because it is associated with a one-time Spot "
                  "Instance request. You can only stop Spot Instances associated with persistent Spot "
                  "Instance requests.",
                  instance));
}

Result<> check_start(Region& region, std::string_view instance) {
  const Resource* vm = region.find("instances", instance);
  if (vm == nullptr || !is_spot(*vm)) return Ok{};
  const Resource* request = request_of(region, instance);
  bool user_stopped = request != nullptr && state_text(*request) == "disabled" &&
                      (*request)["status"]["code"].as_text() == "instance-stopped-by-user";
  if (user_stopped) return Ok{};
  return refuse(
      "IncorrectSpotRequestState",
      fmt::format(
          "You can't start the Spot Instance '{}' because the associated Spot Instance request is not "
          "in an appropriate state to support start.",
          instance));
}

void instance_starts(Region& region, std::string_view instance) {
  Resource* request = request_of(region, instance);
  if (request != nullptr && !cancelled(*request)) set_request(region, id_of(*request), "active", "fulfilled");
}

void instance_stops(Region& region, std::string_view instance) {
  Resource* request = request_of(region, instance);
  if (request != nullptr && !cancelled(*request))
    set_request(region, id_of(*request), "active", "marked-for-stop");
}

// A moment after the instance itself: an early start meets the request still marked.
void instance_stopped(Region& region, std::string_view instance) {
  if (request_of(region, instance) != nullptr) region.plan(4, "aws.spot.disabled", instance);
}

void instance_terminates(Region& region, std::string_view instance) {
  Resource* request = request_of(region, instance);
  if (request == nullptr || (*request)["instanceId"].as_text() != instance) return;
  std::string id = id_of(*request);
  if (cancelled(*request) || !persistent(*request))
    region.plan_at(region.state.now + kForgottenAfter, "aws.spot.forget", id);
  if (cancelled(*request)) return;
  if (state_text(*request) == "closed") return;
  if (!persistent(*request)) return set_request(region, id, "closed", "instance-terminated-by-user");
  set_request(region, id, "open", "instance-terminated-by-user");
  region.plan(20, "aws.spot.relaunch", id);
}

// --- EC2's own deeds

Result<> interrupt(Region& region, std::string_view instance) {
  Resource* request = request_of(region, instance);
  Resource* vm = region.find("instances", instance);
  if (vm == nullptr) return no_such(id_kind_of("instances"), {std::string(instance)});
  bool runs = state_of(*vm) == "running" || state_of(*vm) == "pending";
  if (request == nullptr || !runs)
    return refuse("IncorrectState", fmt::format("'{}' is no running Spot Instance.", instance));
  std::string id = id_of(*request);
  bool stops = persistent(*request) && !cancelled(*request);
  if (stops)
    set_request(region, id, "active", "marked-for-stop");
  else if (!cancelled(*request))
    set_request(region, id, "closed",
                is_too_dear(region, *vm, *request) ? "instance-terminated-by-price"
                                                   : "instance-terminated-no-capacity");
  Value notice = Map{{"action", stops ? "stop" : "terminate"},
                     {"time", format_rfc3339(Time::from_seconds((region.now() + kNotice).seconds()))}};
  vm->hidden.map().set("notice",
                       Map{{"run", vm->hidden["run"]}, {"given", stamp(region.now())}, {"text", notice}});
  region.note("notice", "instances", instance, notice);
  region.plan_at(region.state.now + kNotice, "aws.spot.take", instance, Map{{"run", vm->hidden["run"]}});
  return Ok{};
}

namespace {

void take(Region& region, std::string_view instance, const Value& detail) {
  Resource* vm = region.find("instances", instance);
  Resource* request = request_of(region, instance);
  if (vm == nullptr || request == nullptr || vm->hidden["run"] != detail["run"]) return;
  if (state_of(*vm) != "running" && state_of(*vm) != "pending") return;
  region.note("preempt", "instances", instance);
  bool stops = persistent(*request) && !cancelled(*request);
  if (!stops)
    return begin_terminate(region, instance, "Server.SpotInstanceTermination",
                           "Server.SpotInstanceTermination: Spot instance termination");
  vm->hidden.map().set("taken", true);
  begin_stop(region, instance, "Server.SpotInstanceShutdown",
             "Server.SpotInstanceShutdown: Spot instance shutdown");
  set_request(region, id_of(*request), "active", "marked-for-stop");
}

void disable(Region& region, std::string_view instance) {
  Resource* vm = region.find("instances", instance);
  Resource* request = request_of(region, instance);
  if (vm == nullptr || request == nullptr || state_of(*vm) != "stopped" || cancelled(*request)) return;
  bool by_user = !vm->hidden["taken"].as_bool();
  set_request(region, id_of(*request), "disabled",
              by_user                              ? "instance-stopped-by-user"
              : is_too_dear(region, *vm, *request) ? "instance-stopped-by-price"
                                                   : "instance-stopped-no-capacity");
}

void launch_another(Region& region, const std::string& id) {
  Resource* request = region.find("spot-requests", id);
  if (request == nullptr || state_text(*request) != "open") return;
  auto made = relaunch(region, id);
  if (!made) {
    set_request(region, id, "open", "capacity-not-available");
    return region.plan(60, "aws.spot.relaunch", id);
  }
  request->edit().set("instanceId", *made);
  region.note("relaunch", "spot-requests", id, Map{{"instance", *made}});
  set_request(region, id, "active", "fulfilled");
}

void terminate_stopped(Region& region, const std::string& id) {
  Resource* request = region.find("spot-requests", id);
  if (request == nullptr) return;
  std::string vm((*request)["instanceId"].as_text());
  const Resource* instance = region.find("instances", vm);
  if (instance != nullptr && state_of(*instance) == "stopped")
    begin_terminate(region, vm, "Server.SpotInstanceTermination",
                    "Server.SpotInstanceTermination: Spot instance termination");
}

}  // namespace

Result<> resume(Region& region, std::string_view instance) {
  Resource* vm = region.find("instances", instance);
  bool waits = vm != nullptr && vm->hidden["taken"].as_bool() && state_of(*vm) == "stopped";
  if (!waits) return refuse("IncorrectState", fmt::format("EC2 has not stopped '{}'.", instance));
  const Resource* request = request_of(region, instance);
  if (request != nullptr && is_too_dear(region, *vm, *request))
    return refuse("SpotMaxPriceTooLow", "The Spot price is above the maximum price of the request.");
  NB_TRY(check_capacity(region, (*vm)["instanceType"].as_text(),
                        std::string((*vm)["placement"]["availabilityZone"].as_text()), true));
  vm->hidden.map().erase("taken");
  begin_boot(region, instance);
  instance_starts(region, instance);
  return Ok{};
}

void resume_where_possible(Region& region) {
  for (const auto& [key, vm] : region.all("instances"))
    if (vm.hidden["taken"].as_bool()) (void)resume(region, key.name);
}

void heed_prices(Region& region) {
  for (const auto& [key, vm] : region.all("instances")) {
    const Resource* request = request_of(region, key.name);
    if (request == nullptr || cancelled(*request)) continue;
    bool dear = is_too_dear(region, vm, *request);
    bool was_dear = (*request)["status"]["code"].as_text() == "instance-stopped-by-price";
    if (dear && state_of(vm) == "running") (void)interrupt(region, key.name);
    if (!dear && was_dear) (void)resume(region, key.name);
  }
}

void spot_happens(Region& region, const Happening& h) {
  if (h.what == "aws.spot.interrupt") (void)interrupt(region, h.target.name);
  if (h.what == "aws.spot.take") take(region, h.target.name, h.detail);
  if (h.what == "aws.spot.disabled") disable(region, h.target.name);
  if (h.what == "aws.spot.relaunch") launch_another(region, h.target.name);
  if (h.what == "aws.spot.terminate") terminate_stopped(region, h.target.name);
  if (h.what == "aws.spot.forget") region.erase("spot-requests", h.target.name);
}

// --- actions

namespace {

constexpr FilterRule kRules[] = {{"spot-instance-request-id", "spotInstanceRequestId"},
                                 {"state", "state"},
                                 {"status-code", "status/code"},
                                 {"instance-id", "instanceId"},
                                 {"type", "type"},
                                 {"spot-price", "spotPrice"},
                                 {"launched-availability-zone", "launchedAvailabilityZone"},
                                 {"launch.instance-type", "launchSpecification/instanceType"},
                                 {"launch.image-id", "launchSpecification/imageId"},
                                 {"launch.key-name", "launchSpecification/keyName"},
                                 {"create-time", "createTime"},
                                 {"product-description", "productDescription"}};

Result<Value> describe_requests(Region& region, const Value& in) {
  return describe(region, in,
                  {"spot-requests", "SpotInstanceRequestId", "spotInstanceRequestSet", kRules, {5, 1000}});
}

void cancel(Region& region, const std::string& id) {
  Resource& request = region.get("spot-requests", id);
  std::string_view state = state_text(request);
  if (state == "cancelled" || state == "closed") return;
  bool lives = state == "active";
  bool disabled = state == "disabled";
  set_request(region, id, "cancelled",
              lives || disabled ? "request-canceled-and-instance-running" : "canceled-before-fulfillment");
  region.note("cancel", "spot-requests", id);
  if (disabled) region.plan(10, "aws.spot.terminate", id);
  // One that is on its way to stopped is terminated once it is there.
  const Resource* vm = region.find("instances", request["instanceId"].as_text());
  if (lives && vm != nullptr && (state_of(*vm) == "stopping" || state_of(*vm) == "stopped"))
    region.plan(60, "aws.spot.terminate", id);
  if (vm == nullptr || state_of(*vm) == "terminated" || state_of(*vm) == "shutting-down")
    region.plan_at(region.state.now + kForgottenAfter, "aws.spot.forget", id);
}

Result<Value> cancel_requests(Region& region, const Value& in) {
  auto rows = NB_TRY(rows_of(region, "spot-requests", in["SpotInstanceRequestId"]));
  List out;
  for (const Row& row : rows) {
    cancel(region, row.id);
    out.push_back(
        Map{{"spotInstanceRequestId", row.id}, {"state", region.get("spot-requests", row.id)["state"]}});
  }
  return Value(Map{{"spotInstanceRequestSet", std::move(out)}});
}

constexpr Action kActions[] = {{"DescribeSpotInstanceRequests", describe_requests},
                               {"CancelSpotInstanceRequests", cancel_requests}};

}  // namespace

std::span<const Action> spot_actions() {
  return kActions;
}

}  // namespace nbform::sim::aws
