#include "sim/state.h"

#include <fmt/format.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"

namespace nbform::sim {

const std::string& Resource::text(const Mask& mask, const std::string& mask_text) const {
  if (mask.whole()) {
    if (whole_.empty()) whole_ = to_json(wire_);
    return whole_;
  }
  if (masked_.empty() || masked_by_ != mask_text) {
    masked_ = to_json(mask.apply(wire_));
    masked_by_ = mask_text;
  }
  return masked_;
}

// SplitMix64: the same seed, the same course.
std::uint64_t State::next_random(std::uint64_t n) {
  std::uint64_t z = (random += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (z ^ (z >> 31)) % n;
}

std::string State::new_id() {
  return std::to_string(4'000'000'000'000'000'000u + ++last_id * 7919u);
}

std::string State::stamp() const {
  return pacific(cloud_time());
}

Duration State::pace(double seconds) const {
  double scale = options.op_times == OpTimes::realistic ? 1.0
                 : options.op_times == OpTimes::fast    ? 0.05
                                                        : 0.0;
  return Duration(std::max<std::int64_t>(1'000, static_cast<std::int64_t>(seconds * scale * 1e6)));
}

void State::plan(Time at, Happening happening) {
  agenda.emplace(std::pair(at, ++last_id), std::move(happening));
}

void State::note(std::string kind, const Key& key, std::string resource, Value detail) {
  std::string zone = key.scope.starts_with("zones/") ? key.zone() : "";
  diary.push_back(
      {now, std::move(kind), key.project, std::move(zone), std::move(resource), actor, std::move(detail)});
}

Shelf& State::shelf(std::string_view kind) {
  if (kind == "instances") return instances;
  if (kind == "disks") return disks;
  if (kind == "firewalls") return firewalls;
  if (kind == "operations") return operations;
  bug("there is no such shelf");
}

Resource* State::find(std::string_view kind, const Key& key) {
  Shelf& s = shelf(kind);
  auto it = s.find(key);
  return it == s.end() ? nullptr : &it->second;
}

bool State::visible(const Resource& resource) const {
  if (resource.visible_from > now) return false;
  bool young = resource.hidden["inserting"].as_bool();
  return !(young && variant("flickering-visibility") && now.millis() / 500 % 2 == 1);
}

namespace {

// Day of the month of the n-th Sunday of March or November.
int sunday(int weekday_of_first, int n) {
  return 1 + (7 - weekday_of_first) % 7 + 7 * (n - 1);
}

// US daylight saving: second Sunday of March, 02:00 PST, to first Sunday of November, 02:00 PDT.
bool daylight_saving(Time t) {
  std::string year = format_rfc3339(t).substr(0, 4);
  auto first = [&](const char* month) { return *parse_rfc3339(year + "-" + month + "-01T00:00:00Z"); };
  auto weekday = [](Time day) { return static_cast<int>((day.seconds() / 86400 + 4) % 7); };
  Time march = first("03"), november = first("11");
  Time begin = march + std::chrono::hours(24 * (sunday(weekday(march), 2) - 1) + 10);
  Time end = november + std::chrono::hours(24 * (sunday(weekday(november), 1) - 1) + 9);
  return t >= begin && t < end;
}

}  // namespace

std::string pacific(Time t) {
  return format_rfc3339_offset(t, daylight_saving(t) ? -420 : -480);
}

std::string fingerprint(const Value& content) {
  bool is_void = content.is_null() || (content.is_map() && content.as_map().empty()) ||
                 (content.is_list() && content.as_list().empty());
  return is_void ? "42WmSpB8rSM=" : base64(sha256(canonical(content)).substr(0, 8));
}

std::string path_of(const Key& key, std::string_view collection) {
  return fmt::format("projects/{}/{}/{}/{}", key.project, key.scope, collection, key.name);
}

std::string link(const Key& key, std::string_view collection) {
  return std::string(kCompute) + path_of(key, collection);
}

std::string global_link(std::string_view project, std::string_view rest) {
  return fmt::format("{}projects/{}/{}", kCompute, project, rest);
}

}  // namespace nbform::sim
