// EC2's diary: instances, volumes and the parts of a notebook by their ids, owners in tags. A launch by
// nbform carries a client token that names its stack; no tag that is taken off later makes it anybody else's.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "facts.h"

namespace nbform::crash {

namespace {

using What = Fact::What;

std::string text(const Value& line, std::string_view key) {
  return std::string(line[key].as_text());
}

bool starts_with_any(std::string_view word, std::initializer_list<std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view b) { return word.starts_with(b); });
}

Marks marks_of(const Value& tags) {
  auto tag = [&](std::string_view key) {
    for (const Value& one : tags.as_list())
      if (one["key"].as_text() == key) return std::string(one["value"].as_text());
    return std::string();
  };
  Marks m{tag("nbform:stack"), tag("nbform:notebook"), tag("nbform:part"), tag("nbform:keep"),
          tag("nbform:resume")};
  m.forgotten = m.stack.empty() && !tag("nbform:forgotten").empty();
  return m;
}

Fact fact(const Value& line, What what) {
  Fact f;
  f.what = what;
  f.time = line["time"].as_int();
  std::string actor = text(line, "actor");  // "arn:aws:iam::ACCOUNT:user/NAME"
  f.actor = actor.substr(actor.rfind('/') + 1);
  f.zone = text(line, "zone");
  std::string resource = text(line, "resource");
  f.thing = f.name = resource.substr(resource.find('/') + 1);
  return f;
}

Fact request_of(const Value& line) {
  Fact f = fact(line, What::request);
  f.name = text(line["detail"], "action");
  f.changes = text(line["detail"], "service") == "ec2" && !starts_with_any(f.name, {"Describe", "Get"});
  if (f.name == "TerminateInstances")
    for (const auto& [key, value] : line["detail"]["body"].as_map())
      if (key.text().starts_with("InstanceId.")) f.things.emplace_back(value.as_text());
  return f;
}

Fact launch_of(const Value& line) {
  const Value& detail = line["detail"];
  Fact f = fact(line, What::machine);
  f.marks = marks_of(detail["tagSet"]);
  f.bears_mark = detail["clientToken"].as_text().starts_with("nbform-");
  f.other = text(detail, "interface");
  for (std::string_view kind : {"volumes", "groups"})
    for (const Value& one : detail[kind].as_list()) f.things.emplace_back(one.as_text());
  return f;
}

Fact status_of(const Value& line) {
  std::string status = text(line["detail"], "status");
  Fact f = fact(line, status == "running"    ? What::on
                      : status == "stopping" ? What::stopping
                      : status == "stopped"  ? What::off
                      : status == "pending"  ? What::coming
                                             : What::leaving);
  if (f.what == What::coming) f.life = f.time / 1000;  // its launchTime
  f.for_good = f.what == What::leaving;
  return f;
}

Fact of_machine(const Value& line, const std::string& kind) {
  if (kind == "insert") return launch_of(line);
  if (kind == "status") return status_of(line);
  if (kind == "attach" || kind == "detach") {
    Fact f = fact(line, kind == "attach" ? What::attached : What::detached);
    f.other = std::exchange(f.thing, text(line["detail"], "volume"));
    return f;
  }
  Fact f = fact(line, kind == "tags" ? What::marks : kind == "delete" ? What::gone : What::touched);
  if (kind == "tags") f.marks = marks_of(line["detail"]["tagSet"]);
  return f;
}

Fact of_volume(const Value& line, const std::string& kind) {
  const Value& detail = line["detail"];
  bool flagged = kind == "auto_delete" && detail["deleteOnTermination"].as_bool();
  Fact f = fact(line, kind == "insert"   ? What::disk
                      : kind == "tags"   ? What::marks
                      : kind == "delete" ? What::gone
                      : flagged          ? What::flagged
                                         : What::touched);
  if (kind == "insert" || kind == "tags") f.marks = marks_of(detail["tagSet"]);
  f.along = kind == "delete" && text(detail, "why") == "deleteOnTermination";
  return f;
}

Fact of_part(const Value& line, const std::string& kind) {
  const Value& detail = line["detail"];
  Fact f = fact(line, kind == "insert"   ? What::part
                      : kind == "tags"   ? What::marks
                      : kind == "delete" ? What::gone
                                         : What::touched);
  if (kind == "insert" || kind == "tags") f.marks = marks_of(detail["tagSet"]);
  return f;
}

// Active, or open, or waiting for its instance to be started: it makes machines, or wakes one.
Fact of_spot_request(const Value& line, const std::string& kind) {
  const Value& detail = line["detail"];
  Fact f = of_part(line, kind);
  f.other = text(detail, "instance");
  if (kind == "relaunch") f.what = What::relaunched;
  std::string state = text(detail, "state");
  if (kind == "status")
    f.what = state == "closed" || state == "cancelled" ? What::launches_no_more : What::launches;
  return f;
}

}  // namespace

std::vector<Fact> ec2_facts(const Value& line) {
  std::string kind = text(line, "kind"), resource = text(line, "resource");
  if (kind == "request") return {request_of(line)};
  if (resource.starts_with("instances/")) return {of_machine(line, kind)};
  if (resource.starts_with("volumes/")) return {of_volume(line, kind)};
  if (resource.starts_with("spot-requests/")) return {of_spot_request(line, kind)};
  bool belongs_to_machine = resource.starts_with("network-interfaces/") && kind == "groups";
  if (starts_with_any(resource, {"security-groups/", "key-pairs/", "network-interfaces/"}) &&
      !belongs_to_machine)
    return {of_part(line, kind)};
  return {};
}

std::vector<Fact> facts_of(const Value& line) {
  std::string project = text(line, "project");
  bool account = project.size() == 12 && project.find_first_not_of("0123456789") == std::string::npos;
  return account || !line["detail"]["service"].is_null() ? ec2_facts(line) : gce_facts(line);
}

}  // namespace nbform::crash
