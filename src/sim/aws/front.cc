#include "sim/aws/front.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/aws/access.h"
#include "sim/aws/api.h"
#include "sim/aws/catalogue.h"
#include "sim/aws/ec2.h"
#include "sim/aws/identity.h"
#include "sim/aws/imds.h"
#include "sim/aws/network.h"
#include "sim/aws/parameters.h"
#include "sim/aws/signature.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

namespace {

// --- whose a request is

struct Destination {
  std::string_view service;  // "" = not AWS
  std::string region = "us-east-1";
};

// Signing names are not unique over the clouds: Google has an STS as well.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kSigned = {
    std::pair{"ec2", "ec2"}, {"sts", "aws-sts"}, {"ssm", "ssm"}, {"servicequotas", "servicequotas"}};

std::string_view service_named(std::string_view signing_name) {
  for (const auto& [signing, service] : kSigned)
    if (signing == signing_name) return service;
  return {};
}

Destination by_host(std::string_view host) {
  if (!host.ends_with(".amazonaws.com")) return {};
  auto labels = split(host.substr(0, host.size() - std::string_view(".amazonaws.com").size()), '.');
  if (labels[0] == "portal" || labels[0] == "oidc") return {"sso", std::string(labels.back())};
  return {service_named(labels[0]), labels.size() > 1 ? std::string(labels[1]) : "us-east-1"};
}

Query form_of(const Request& request, const Url& url) {
  Query form = form_decode(url.query);
  bool is_form =
      header(request.headers, "content-type").value_or("").starts_with("application/x-www-form-urlencoded");
  if (is_form && !request.body.empty())
    for (auto& item : form_decode(request.body)) form.push_back(std::move(item));
  return form;
}

std::string field(const Query& form, std::string_view name) {
  for (const auto& [key, value] : form)
    if (key == name) return value;
  return {};
}

Destination by_content(const Request& request, const Url& url) {
  std::string_view target = header(request.headers, "x-amz-target").value_or("");
  if (target.starts_with("AmazonSSM.")) return {"ssm"};
  if (target.starts_with("ServiceQuotas")) return {"servicequotas"};
  if (url.path != "/" && !url.path.empty()) return {};
  Query form = form_of(request, url);
  if (field(form, "Action").empty()) return {};
  return {field(form, "Version").starts_with("2011-") ? "aws-sts" : "ec2"};
}

Destination destination(const Request& request, const Url& url) {
  if (Destination d = by_host(url.host); !d.service.empty()) return d;
  if (url.path.starts_with("/latest/")) return {"imds"};
  if (url.path == "/federation/credentials") return {"sso"};
  bool json = header(request.headers, "content-type").value_or("").starts_with("application/json");
  if (url.path == "/token" && json) return {"sso"};
  if (header(request.headers, "authorization").value_or("").starts_with("AWS4-")) {
    auto claim = read_claim(request);
    if (claim && !service_named(claim->service).empty())
      return {service_named(claim->service), claim->region};
    Destination d = by_content(request, url);
    return d.service.empty() ? Destination{"ec2"} : d;
  }
  return by_content(request, url);
}

std::string new_request_id(State& state) {
  return uuid_from(fmt::format("aws request {}", state.next_random(~0ull)));
}

// --- permission and pace

Result<> permitted(const State& state, const Caller& caller, const std::string& permission) {
  bool denied = std::any_of(state.denied.begin(), state.denied.end(),
                            [&](const std::string& d) { return glob_match(d, permission); });
  if (!denied) return Ok{};
  return refuse("UnauthorizedOperation",
                fmt::format("You are not authorized to perform this operation. User: {} is not authorized to "
                            "perform: {} because no identity-based policy allows the {} action. Encoded "
                            "authorization failure message: {}",
                            caller.arn, permission, permission, base64url(sha256(permission))));
}

Result<> check_permissions(const State& state, const Caller& caller, const std::string& action,
                           const Value& in) {
  NB_TRY(permitted(state, caller, "ec2:" + action));
  bool tags = !in["TagSpecification"].as_list().empty();
  if (tags) NB_TRY(permitted(state, caller, "ec2:CreateTags"));
  bool role = !in["IamInstanceProfile"].is_null();
  return role ? permitted(state, caller, "iam:PassRole") : Result<>(Ok{});
}

// Requests of one action: as many at once, so many more each second.
struct Pace {
  std::string_view action;
  double most, each_second;
};
constexpr std::array kPaces = {
    Pace{"RunInstances", 5, 2},
    Pace{"StartInstances", 5, 2},
    Pace{"TerminateInstances", 100, 5},
    Pace{"CreateTags", 100, 10},
    Pace{"Describe*", 100, 20},
    Pace{"GetConsoleOutput", 20, 2},
    Pace{"*", 50, 5},
};

Result<> check_pace(State& state, const Caller& caller, std::string_view region, std::string_view action) {
  if (!state.variant("request-buckets")) return Ok{};
  auto pace =
      std::find_if(kPaces.begin(), kPaces.end(), [&](const Pace& p) { return glob_match(p.action, action); });
  auto [at, fresh] = state.aws.buckets.try_emplace(fmt::format("{}/{}/{}", caller.account, region, action));
  Bucket& bucket = at->second;
  double refill = static_cast<double>((state.now - bucket.filled).count()) / 1e6 * pace->each_second;
  bucket.left = fresh ? pace->most : std::min(pace->most, bucket.left + refill);
  bucket.filled = state.now;
  if (bucket.left < 1) return refuse("RequestLimitExceeded", "Request limit exceeded.");
  bucket.left -= 1;
  return Ok{};
}

// --- EC2

Result<std::string> ec2_action(const Query& form) {
  std::string action = field(form, "Action"), version = field(form, "Version");
  if (action.empty())
    return refuse("MissingAction", "The request is missing an Action or a required parameter.");
  if (version != "2016-11-15")
    return refuse("NoSuchVersion",
                  fmt::format("The requested version ({}) of service AmazonEC2 does not exist", version));
  if (operation("ec2", action) == nullptr || find_action(action) == nullptr)
    return refuse("InvalidAction", fmt::format("The action {} is not valid for this web service.", action));
  return action;
}

struct Ec2Call {
  std::string action;
  Value in;
};

// Sets have no order: each may come the other way round.
void shuffle(State& state, Value& value) {
  if (value.is_map())
    for (auto& [name, member] : value.map()) shuffle(state, member);
  if (!value.is_list()) return;
  for (Value& item : value.list()) shuffle(state, item);
  if (state.next_random(2) == 1) std::reverse(value.list().begin(), value.list().end());
}

Result<Value> run_ec2(State& state, const Request& request, const Url& url, Ec2Call& call) {
  Destination to = destination(request, url);
  Caller caller = NB_TRY(authenticate(state, request, url, Protocol::ec2, "ec2", to.region));
  Query form = form_of(request, url);
  call.action = NB_TRY(ec2_action(form));
  NB_TRY(check_pace(state, caller, to.region, call.action));
  call.in = NB_TRY(read_form(form, *operation("ec2", call.action), ""));
  NB_TRY(check_permissions(state, caller, call.action, call.in));
  bool dry = call.in["DryRun"].as_bool();
  call.in.map().erase("DryRun");
  if (dry) return refuse("DryRunOperation", "Request would have succeeded, but DryRun flag is set.");
  Region region(state, caller.account, to.region);
  make_network(region);
  Value out = NB_TRY(find_action(call.action)->handler(region, call.in));
  if (state.variant("shuffled-sets")) shuffle(state, out);
  return out;
}

Answer answer_ec2(State& state, const Request& request, const Url& url) {
  Ec2Call call;
  std::string id = new_request_id(state);
  auto result = run_ec2(state, request, url, call);
  if (!result) return {failure(Protocol::ec2, result.error(), id)};
  return {success(Protocol::ec2, call.action, *result, id)};
}

// --- STS

Result<Value> run_sts(State& state, const Request& request, const Url& url, std::string& action) {
  Query form = form_of(request, url);
  action = field(form, "Action");
  const Members* members = operation("sts", action);
  if (members == nullptr)
    return refuse("InvalidAction",
                  fmt::format("Could not find operation {} for version {}", action, field(form, "Version")));
  std::optional<Caller> caller;  // web identity is not signed
  if (action != "AssumeRoleWithWebIdentity")
    caller =
        NB_TRY(authenticate(state, request, url, Protocol::query, "sts", destination(request, url).region));
  auto in = read_form(form, *members, "member");
  if (!in) return refuse("ValidationError", in.error().detail);
  return answer_identity(state, caller, action, *in);
}

Answer answer_sts(State& state, const Request& request, const Url& url) {
  std::string id = new_request_id(state), action;
  auto result = run_sts(state, request, url, action);
  if (!result) return {failure(Protocol::query, result.error(), id)};
  return {success(Protocol::query, action, *result, id)};
}

// --- JSON 1.1: SSM, Service Quotas

template <auto Act>
Result<Value> run_json(State& state, const Request& request, const Url& url, std::string_view service) {
  std::string region = destination(request, url).region;
  Caller caller = NB_TRY(authenticate(state, request, url, Protocol::json, service, region));
  std::string_view target = header(request.headers, "x-amz-target").value_or("");
  std::string action(target.substr(target.find('.') + 1));
  const Members* members = operation(service, action);
  if (members == nullptr) return refuse("UnknownOperationException", "");
  Value in = NB_TRY(read_json_body(request.body, *members));
  std::string permission = fmt::format("{}:{}", service, action);
  if (!permitted(state, caller, permission))
    return refuse("AccessDeniedException",
                  fmt::format("User: {} is not authorized to perform: {}", caller.arn, permission));
  Region here(state, caller.account, region);
  return Act(here, action, in);
}

Answer answer_ssm(State& state, const Request& request, const Url& url) {
  std::string id = new_request_id(state);
  auto result = run_json<answer_parameters>(state, request, url, "ssm");
  return {result ? success(Protocol::json, "", *result, id) : failure(Protocol::json, result.error(), id)};
}

Answer answer_quotas(State& state, const Request& request, const Url& url) {
  std::string id = new_request_id(state);
  auto result = run_json<answer_service_quotas>(state, request, url, "servicequotas");
  return {result ? success(Protocol::json, "", *result, id) : failure(Protocol::json, result.error(), id)};
}

Answer answer_imds_request(State& state, const Request& request, const Url& url) {
  return {answer_imds(state, request, url)};
}
Answer answer_sso_request(State& state, const Request& request, const Url& url) {
  return {answer_sso(state, request, url)};
}

// --- faults

template <Protocol P>
Response trouble(State& state, int status, std::string_view code, std::string_view message) {
  return failure(P, code.empty() ? code_for(P, status) : code, message, new_request_id(state), status);
}

Subject ec2_subject(State& state, const Request& request, const Url& url) {
  Query form = form_of(request, url);
  Subject subject{field(form, "Action"), field(form, "Placement.AvailabilityZone"),
                  field(form, "InstanceType")};
  if (subject.zone.empty()) subject.zone = field(form, "AvailabilityZone");
  std::string id = field(form, "InstanceId.1").empty() ? field(form, "InstanceId")
                                                       : field(form, "InstanceId.1"),
              subnet = field(form, "SubnetId").empty() ? field(form, "NetworkInterface.1.SubnetId")
                                                       : field(form, "SubnetId");
  std::string region = destination(request, url).region;
  for (auto& [key, vm] : state.aws.shelf("instances"))
    if (key.name == id && key.scope == region) {
      subject.zone = vm["placement"]["availabilityZone"].as_text();
      if (subject.machine.empty()) subject.machine = vm["instanceType"].as_text();
    }
  for (auto& [key, net] : state.aws.shelf("subnets"))
    if (key.name == subnet && key.scope == region) subject.zone = net["availabilityZone"].as_text();
  return subject;
}

Subject form_subject(State&, const Request& request, const Url& url) {
  return {field(form_of(request, url), "Action"), "", ""};
}

Subject target_subject(State&, const Request& request, const Url&) {
  std::string_view target = header(request.headers, "x-amz-target").value_or("");
  return {std::string(target.substr(target.find('.') + 1)), "", ""};
}

Value note(const Request& request, const Url& url) {
  Destination to = destination(request, url);
  Map parameters;
  for (const auto& [name, value] : form_of(request, url)) parameters.set(name, value);
  auto body = parse_json(request.body);
  return Map{{"service", to.service},
             {"region", to.region},
             {"action", parameters["Action"]},
             {"body", body && body->is_map() ? *body : Value(std::move(parameters))}};
}

using nbform::sim::Service;
constexpr std::array kServices = {
    Service{"ec2", answer_ec2, trouble<Protocol::ec2>, ec2_subject, status_of, note},
    Service{"aws-sts", answer_sts, trouble<Protocol::query>, form_subject, status_of, note},
    Service{"ssm", answer_ssm, trouble<Protocol::json>, target_subject, status_of, note},
    Service{"servicequotas", answer_quotas, trouble<Protocol::json>, target_subject, status_of, note},
    Service{"imds", answer_imds_request, trouble<Protocol::json>, nullptr, status_of, note},
    Service{"sso", answer_sso_request, trouble<Protocol::json>, nullptr, status_of, note},
};

// What EC2 does on its own account, whoever's deed came before.
bool is_ec2s_own(std::string_view what) {
  return what == "aws.spot.interrupt" || what == "aws.spot.take" || what == "aws.spot.relaunch";
}

}  // namespace

const Service* service_for(const Request& request, const Url& url) {
  std::string_view name = destination(request, url).service;
  auto it =
      std::find_if(kServices.begin(), kServices.end(), [&](const Service& s) { return s.name == name; });
  return it == kServices.end() ? nullptr : &*it;
}

void happens(State& state, const Happening& happening) {
  Region region(state, happening.target.project, happening.target.scope);
  if (!is_ec2s_own(happening.what)) state.actor = happening.actor;
  if (happening.what.starts_with("aws.spot."))
    spot_happens(region, happening);
  else if (happening.what.starts_with("aws.volume."))
    volume_happens(region, happening);
  else if (happening.what == "aws.tags")
    tags_happen(region, happening);
  else
    instance_happens(region, happening);
}

}  // namespace nbform::sim::aws
