#include "sim/aws/imds.h"

#include <fmt/format.h>

#include <array>

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/aws/access.h"
#include "sim/aws/deeds.h"

namespace nbform::sim::aws {

namespace {

constexpr std::string_view kTtl = "x-aws-ec2-metadata-token-ttl-seconds", kToken = "x-aws-ec2-metadata-token";
constexpr std::string_view kMeta = "/latest/meta-data/", kRoles = "iam/security-credentials/";
constexpr std::int64_t kLongest = 21'600;  // seconds

Response plain(int status, std::string text = {}) {
  return {status, {{"Content-Type", "text/plain"}, {"Server", "EC2ws"}}, std::move(text)};
}

// --- tokens

std::string metadata_token(std::int64_t end) {
  return base64url(fmt::format("{} {}", end, digest16(fmt::format("imds {}", end))));
}

bool token_holds(const State& state, std::string_view token) {
  auto text = base64url_decode(token);
  std::int64_t end = text ? std::atoll(text->c_str()) : 0;
  return end > state.cloud_time().seconds() && token == metadata_token(end);
}

Response give_token(const State& state, const Request& request) {
  if (request.method != "PUT") return plain(405);
  std::int64_t ttl = Value(header(request.headers, kTtl).value_or("")).as_int(0);
  if (ttl < 1 || ttl > kLongest) return plain(400);
  Response r = plain(200, metadata_token(state.cloud_time().seconds() + ttl));
  set_header(r.headers, std::string(kTtl), std::to_string(ttl));
  return r;
}

// --- the machine

// One that is no instance of this cloud has a role of its own and a place.
struct Machine {
  const Resource* instance = nullptr;
  std::string account{kAwsAccount}, id = "i-0nbsim", role = "nbsim-role", zone = "us-west-2a",
                                    region = "us-west-2";
};

Machine machine_of(State& state) {
  Machine m;
  auto key = find_instance(state, state.aws.on_instance);
  if (!key) return m;
  m.instance = &state.aws.shelf("instances").at(*key);
  m.account = key->project;
  m.region = key->scope;
  m.id = key->name;
  m.zone = (*m.instance)["placement"]["availabilityZone"].as_text();
  m.role = last_segment((*m.instance)["iamInstanceProfile"]["arn"].as_text());
  return m;
}

using Text = std::optional<std::string>;

Text text_of(const Value& value) {
  return value.as_text().empty() ? std::nullopt : Text(value.as_text());
}

// What is told by a member of the instance, as DescribeInstances shows it.
struct Told {
  std::string_view path, member;
};
constexpr std::array kTold = {
    Told{"ami-id", "imageId"},          Told{"instance-type", "instanceType"},
    Told{"public-ipv4", "ipAddress"},   Told{"local-ipv4", "privateIpAddress"},
    Told{"public-hostname", "dnsName"}, Told{"local-hostname", "privateDnsName"},
    Told{"hostname", "privateDnsName"},
};

const Value& notice_of(const Resource& vm) {
  static const Value none;
  const Value& notice = vm.hidden["notice"];
  return notice["run"] == vm.hidden["run"] ? notice : none;
}

Text tag_of(const Resource& vm, std::string_view path) {
  if (vm["metadataOptions"]["instanceMetadataTags"].as_text() != "enabled") return std::nullopt;
  std::string keys;
  for (const Value& tag : vm["tagSet"].as_list()) {
    if (tag["key"].as_text() == path) return std::string(tag["value"].as_text());
    keys += fmt::format("{}{}", keys.empty() ? "" : "\n", tag["key"].as_text());
  }
  return path.empty() ? Text(keys) : std::nullopt;
}

// Below meta-data/.
Text told_by_instance(const Resource& vm, std::string_view path) {
  constexpr std::string_view kTags = "tags/instance/";
  for (const Told& t : kTold)
    if (t.path == path) return text_of(vm[t.member]);
  if (path == "instance-life-cycle")
    return vm["instanceLifecycle"].as_text("on-demand") == "spot" ? "spot" : "on-demand";
  if (path == "events/maintenance/scheduled") return "[]";
  if (path.starts_with(kTags)) return tag_of(vm, path.substr(kTags.size()));
  const Value& notice = notice_of(vm);
  if (notice.is_null()) return std::nullopt;
  if (path == "spot/instance-action") return to_json(notice["text"]);
  if (path == "spot/termination-time") return text_of(notice["text"]["time"]);
  if (path == "events/recommendations/rebalance") return to_json(Map{{"noticeTime", notice["given"]}});
  return std::nullopt;
}

std::string role_credentials(State& state, const Machine& m) {
  std::string id = fmt::format("AROANBFORMSANDBOX0001:{}", m.id);
  Session s =
      issue_session(state, m.account,
                    fmt::format("arn:aws:sts::{}:assumed-role/{}/{}", m.account, m.role, m.id), id, 6 * 3600);
  return to_pretty_json(Map{{"Code", "Success"},
                            {"LastUpdated", format_rfc3339(Time::from_seconds(state.cloud_time().seconds()))},
                            {"Type", "AWS-HMAC"},
                            {"AccessKeyId", s.key_id},
                            {"SecretAccessKey", s.key.secret},
                            {"Token", s.key.session_token},
                            {"Expiration", format_rfc3339(Time::from_seconds(s.key.expires->seconds()))}});
}

Text metadata(State& state, const Machine& m, std::string_view path) {
  if (path == "placement/region") return m.region;
  if (path == "placement/availability-zone" || path == "placement/availability-zone/") return m.zone;
  if (path.starts_with(kRoles)) {
    std::string_view role = path.substr(kRoles.size());
    if (m.role.empty()) return std::nullopt;
    return role.empty() ? Text(m.role) : role == m.role ? Text(role_credentials(state, m)) : std::nullopt;
  }
  if (m.instance == nullptr) return std::nullopt;
  return path == "instance-id" ? Text(m.id) : told_by_instance(*m.instance, path);
}

Text answer_text(State& state, const Machine& m, std::string_view path) {
  if (path.starts_with(kMeta)) return metadata(state, m, path.substr(kMeta.size()));
  if (path == "/latest/dynamic/instance-identity/document")
    return to_json(Map{
        {"accountId", m.account}, {"region", m.region}, {"instanceId", m.id}, {"availabilityZone", m.zone}});
  if (path == "/latest/user-data" && m.instance != nullptr)
    return base64_decode(m.instance->hidden["userData"].as_text());
  return std::nullopt;
}

bool needs_token(const Machine& m) {
  return m.instance == nullptr || (*m.instance)["metadataOptions"]["httpTokens"].as_text() == "required";
}

}  // namespace

Response answer_imds(State& state, const Request& request, const Url& url) {
  if (url.path == "/latest/api/token") return give_token(state, request);
  if (request.method != "GET") return plain(405);
  Machine m = machine_of(state);
  auto token = header(request.headers, kToken);
  bool holds = token ? token_holds(state, *token) : !needs_token(m);
  if (!holds) return plain(401);
  auto text = answer_text(state, m, percent_decode(url.path));
  return text ? plain(200, *std::move(text)) : plain(404);
}

}  // namespace nbform::sim::aws
