// What an answer of EC2 says of a mutation: accepted is not done, so most are followed by a poll that asks
// for the states waited for. Facts: EC2 API Reference, error codes.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/aws_error.h"
#include "base/text.h"
#include "base/time.h"
#include "base/xml.h"
#include "cloud/ec2/ec2.h"

namespace nbform::ec2 {

namespace {

using State = Settlement::State;

constexpr Duration kPause = std::chrono::seconds(5);  // AWS counts requests

Settlement done() {
  return {};
}

Settlement pending(std::string operation, std::optional<Call> poll) {
  Settlement out;
  out.state = State::pending;
  out.operation = std::move(operation);
  out.poll = std::move(poll);
  out.pause = kPause;
  return out;
}

Settlement failed(Diagnostic why) {
  Settlement out;
  out.state = State::failed;
  out.failure = std::move(why);
  return out;
}

Settlement spent() {
  Settlement out;
  out.state = State::spent;
  return out;
}

// --- refusals ---

// Ids of our own that are not visible everywhere yet: the same call again, a little later.
bool is_settling_id(std::string_view code) {
  static constexpr std::array<std::string_view, 5> kOurs = {
      "InvalidInstanceID.NotFound", "InvalidVolume.NotFound", "InvalidGroup.NotFound",
      "InvalidKeyPair.NotFound", "InvalidSpotInstanceRequestID.NotFound"};
  return std::find(kOurs.begin(), kOurs.end(), code) != kOurs.end();
}

// The rules were read before somebody changed them: read them again.
bool is_stale_rule(std::string_view code) {
  return code == "InvalidPermission.Duplicate" || code == "InvalidPermission.NotFound" ||
         code == "InvalidSecurityGroupRuleId.NotFound";
}

// For seconds, and maybe by this very change, whose answer was lost: what the volume is then says.
bool is_being_modified(const AwsProblem& problem) {
  return problem.code == "IncorrectModificationState" &&
         problem.message.find("MODIFYING") != std::string::npos;
}

bool has_cooling_volume(std::string_view code) {
  return code == "VolumeModificationRateExceeded" || code == "IncorrectModificationState";
}

// A type that the zone does not offer is lack of capacity there: another zone may have it.
bool is_missing_in_zone(const AwsProblem& problem) {
  return problem.code == "Unsupported" && problem.message.find("vailability Zone") != std::string::npos;
}

Settlement refused(const Response& answer) {
  AwsProblem problem = parse_aws_error(answer);
  Diagnostic why = aws_error(problem);
  bool early_start = problem.message.find("LaunchPlan instance type") != std::string::npos;
  if (is_settling_id(problem.code) || is_being_modified(problem) || early_start) why.code = Code::busy;
  if (is_stale_rule(problem.code)) why.code = Code::conflict;
  if (is_missing_in_zone(problem)) why.code = Code::capacity;
  if (why.code == Code::exists && problem.code.starts_with("Idempotent"))
    why.summary = "It was made by another request, and is looked for";
  if (has_cooling_volume(problem.code) && !is_being_modified(problem)) {
    why.code = Code::quota;
    why.summary = "The volume was modified too recently";
    why.hint =
        "Apply again when its last modification is completed; AWS says above when the next is allowed.";
  }
  Settlement out = failed(std::move(why));
  // Maybe it was by this very change, whose answer was lost: what the volume is then says.
  if (has_cooling_volume(problem.code) && !is_being_modified(problem)) out.state = State::unknown;
  // "... by choosing us-west-2a, us-west-2c." names the zones that have some.
  if (out.failure.code == Code::capacity)
    for (std::string_view word : split(problem.message, ' ')) {
      while (!word.empty() && (word.back() == ',' || word.back() == '.')) word.remove_suffix(1);
      if (!region_of(word).empty() && region_of(word) != word && !is_glob(word))
        out.zone_hints.emplace_back(word);
    }
  return out;
}

// --- instances ---

Call instance_poll(std::string_view id, List states) {
  return call("DescribeInstances", Map{{"Filter", List{filter("instance-id", {Value(id)}),
                                                       filter("instance-state-name", std::move(states))}}});
}

// Words of stateReason that mean that somebody ended it, not that it failed to come up.
bool was_ended(std::string_view reason) {
  return reason.empty() || reason.starts_with("Client.UserInitiated") ||
         reason.starts_with("Client.InstanceInitiated") || reason.starts_with("Server.Spot");
}

Settlement of_dead(const Value& instance) {
  const Value& reason = instance["stateReason"];
  if (was_ended(reason["code"].as_text())) {
    Settlement out;
    out.state = State::spent;
    return out;
  }
  Diagnostic why =
      error(classify_aws_code(reason["code"].as_text(), reason["message"].as_text()),
            "The instance did not come up",
            fmt::format("EC2 launched {} and terminated it: {} ({})", instance["instanceId"].as_text(),
                        reason["message"].as_text("no reason given"), reason["code"].as_text()));
  why.provider_code = reason["code"].as_text();
  Settlement out = failed(std::move(why));
  // A persistent request launches another one as soon as it can.
  if (const Value& request = instance["spotInstanceRequestId"]; !request.is_null())
    out.undo = call("CancelSpotInstanceRequests", Map{{"SpotInstanceRequestId", List{request}}});
  return out;
}

bool is_dead(const Value& instance) {
  std::string_view state = instance.at_path("instanceState/name").as_text();
  return state == "terminated" || state == "shutting-down";
}

// An answer to a token that was used before this run: its thing may be long gone, and then the lists show
// nothing, for ever. Tags of what is gone are gone too.
bool is_of_the_past(std::string_view made_at, const Response& answer, Duration age) {
  auto made = parse_rfc3339(made_at);
  auto date = header(answer.headers, "date");
  auto now = date ? parse_http_date(*date) : std::nullopt;
  return made && now && *now - *made > age;
}

Call tags_poll(std::string_view id) {
  return call("DescribeTags", Map{{"Filter", List{filter("resource-id", {Value(id)})}}});
}

Call volume_poll(std::string_view id, std::string_view name, List values) {
  return call("DescribeVolumes",
              Map{{"Filter", List{filter("volume-id", {Value(id)}), filter(name, std::move(values))}}});
}

Settlement of_launch(const Value& body, const Response& answer) {
  const Value& instance = body.at_path("instancesSet/0");
  std::string id(instance["instanceId"].as_text());
  if (id.empty()) {
    Settlement out;
    out.state = State::unknown;
    return out;
  }
  bool of_the_past = is_of_the_past(instance["launchTime"].as_text(), answer, std::chrono::minutes(15));
  if (is_dead(instance)) return of_the_past ? spent() : of_dead(instance);
  Call poll = of_the_past
                  ? tags_poll(id)
                  : instance_poll(id, {"running", "stopping", "stopped", "shutting-down", "terminated"});
  Settlement out = pending(id, std::move(poll));
  out.made = id;
  return out;
}

Call new_volume_poll(std::string_view id) {
  return volume_poll(id, "status", {"available", "in-use", "error"});
}

// What has tags and none of ours was let go, and is nobody's answer any more.
Settlement of_tags(const Value& body) {
  std::string id;
  for (const Value& one : body["tagSet"].as_list())
    if (one["key"].as_text() == tag::kStack) id = one["resourceId"].as_text();
  if (id.starts_with("vol-")) return pending(id, new_volume_poll(id));
  if (!id.empty())
    return pending(id, instance_poll(id, {"running", "stopping", "stopped", "shutting-down", "terminated"}));
  return spent();
}

Settlement await(const Value& body, List states) {
  std::string id(body.at_path("instancesSet/0/instanceId").as_text());
  return pending(id, instance_poll(id, std::move(states)));
}

// The filter let only awaited states through. A launch that ended is a verdict; what was to end, ended.
Settlement of_polled_instances(const Value& body) {
  const Value& instance = body.at_path("reservationSet/0/instancesSet/0");
  if (instance.is_null()) return pending({}, std::nullopt);
  return is_dead(instance) && !was_ended(instance.at_path("stateReason/code").as_text()) ? of_dead(instance)
                                                                                         : done();
}

// --- volumes ---

// A deleted volume is in no list at once, unlike an instance.
Settlement of_new_volume(const Value& body, const Response& answer) {
  std::string id(body["volumeId"].as_text());
  bool of_the_past = is_of_the_past(body["createTime"].as_text(), answer, std::chrono::minutes(1));
  Settlement out = pending(id, of_the_past ? tags_poll(id) : new_volume_poll(id));
  out.made = id;
  return out;
}

Settlement of_attachment(const Value& body) {
  std::string id(body["volumeId"].as_text());
  return pending(id, volume_poll(id, "attachment.status", {"attached"}));
}

Settlement of_detachment(const Value& body) {
  std::string id(body["volumeId"].as_text());
  return pending(id, volume_poll(id, "status", {"available", "error"}));
}

Settlement of_polled_volumes(const Value& body) {
  const Value& volume = body.at_path("volumeSet/0");
  if (volume.is_null()) return pending({}, std::nullopt);
  if (volume["status"].as_text() != "error") return done();
  return failed(error(Code::unavailable, "The volume did not come up",
                      fmt::format("EC2 reports {} as `error`. A key that may not be used does this too.",
                                  volume["volumeId"].as_text())));
}

// Usable once it is optimizing.
Settlement of_modification(const Value& modification) {
  std::string id(modification["volumeId"].as_text());
  std::string_view state = modification["modificationState"].as_text();
  if (state == "failed")
    return failed(error(Code::unavailable, "The volume could not be modified",
                        std::string(modification["statusMessage"].as_text("EC2 gives no reason."))));
  if (state != "modifying") return done();
  return pending(id, call("DescribeVolumesModifications", Map{{"VolumeId", List{id}}}));
}

// --- by the name of the answer ---

using Reading = Settlement (*)(const Value& body, const Response& answer);

struct Answered {
  std::string_view root;
  Reading read;
};

constexpr std::array<Answered, 12> kAnswers = {{
    {"RunInstancesResponse", of_launch},
    {"StartInstancesResponse",
     [](const Value& body, const Response&) {
       return await(body, {"running", "shutting-down", "terminated"});
     }},
    {"StopInstancesResponse",
     [](const Value& body, const Response&) {
       return await(body, {"stopped", "shutting-down", "terminated"});
     }},
    {"TerminateInstancesResponse",
     [](const Value& body, const Response&) { return await(body, {"terminated"}); }},
    {"DescribeInstancesResponse",
     [](const Value& body, const Response&) { return of_polled_instances(body); }},
    {"DescribeTagsResponse", [](const Value& body, const Response&) { return of_tags(body); }},
    {"CreateVolumeResponse", of_new_volume},
    {"AttachVolumeResponse", [](const Value& body, const Response&) { return of_attachment(body); }},
    {"DetachVolumeResponse", [](const Value& body, const Response&) { return of_detachment(body); }},
    {"DescribeVolumesResponse", [](const Value& body, const Response&) { return of_polled_volumes(body); }},
    {"ModifyVolumeResponse",
     [](const Value& body, const Response&) { return of_modification(body["volumeModification"]); }},
    {"DescribeVolumesModificationsResponse",
     [](const Value& body, const Response&) {
       return of_modification(body.at_path("volumeModificationSet/0"));
     }},
}};

}  // namespace

Settlement settle(const Scope& scope, const Response& answer) {
  (void)scope;
  if (!answer.ok()) return refused(answer);
  auto document = read_xml(answer.body);
  if (!document.ok() || !document->root.ends_with("Response")) {
    Settlement out;
    out.state = State::unknown;
    return out;
  }
  for (const Answered& row : kAnswers)
    if (document->root == row.root) return row.read(document->content, answer);
  return done();
}

}  // namespace nbform::ec2
