// Compute Engine's diary: machines and disks by PROJECT/ZONE/KIND/NAME, owners in labels.
#include <fmt/format.h>

#include "facts.h"

namespace nbform::crash {

namespace {

using What = Fact::What;

std::string text(const Value& line, std::string_view key) {
  return std::string(line[key].as_text());
}

std::string last(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// .../projects/P/zones/Z/disks/N
std::string key_of_link(std::string_view link) {
  std::string key(link.substr(link.find("/projects/") + 10));
  return key.replace(key.find("/zones/"), 7, "/");
}

Marks marks_of(const Value& labels) {
  return {text(labels, "nbform-stack"), text(labels, "nbform-notebook"), text(labels, "nbform-part"),
          text(labels, "nbform-keep"), text(labels, "nbform-resume")};
}

Fact fact(const Value& line, What what) {
  Fact f;
  f.what = what;
  f.time = line["time"].as_int();
  f.actor = text(line, "actor");
  f.zone = text(line, "zone");
  std::string resource = text(line, "resource");
  f.thing = fmt::format("{}/{}/{}", text(line, "project"), f.zone, resource);
  f.name = resource.starts_with("instances/") ? fmt::format("{}/{}", f.zone, last(resource)) : last(resource);
  return f;
}

Fact request_of(const Value& line) {
  Fact f = fact(line, What::request);
  std::string method = text(line["detail"], "method"), path = text(line["detail"], "path");
  f.name = method + " " + path;
  f.changes = method != "GET" && !path.ends_with("/wait");
  if (method == "DELETE" && path.find("/instances/") != std::string::npos)
    f.things.push_back(key_of_link(path));
  return f;
}

std::vector<Fact> record_of(const Value& line) {
  if (text(line["detail"], "type") != "compute.instances.preempted") return {};
  Fact f = fact(line, What::taken);
  f.thing = key_of_link(line["detail"]["target"].as_text());
  f.until = line["detail"]["known_until"].as_int();
  return {f};
}

Fact status_of(const Value& line) {
  std::string after = text(line["detail"], "after");
  Fact f = fact(line, after == "RUNNING"      ? What::on
                      : after == "STOPPING"   ? What::stopping
                      : after == "TERMINATED" ? What::off
                                              : What::coming);
  if (f.what == What::on) f.life = f.time / 1000;
  bool off = f.what == What::stopping || f.what == What::off;
  if (off && text(line["detail"], "by") == "delete") f.what = What::leaving;
  return f;
}

std::vector<Fact> of_machine(const Value& line, const std::string& kind) {
  const Value& detail = line["detail"];
  if (kind == "insert") {
    Fact f = fact(line, What::machine);
    f.marks = marks_of(detail["labels"]);
    for (const Value& disk : detail["disks"].as_list())
      if (disk["boot"].as_bool()) f.things.push_back(key_of_link(disk["source"].as_text()));
    return {f};
  }
  if (kind == "status") return {status_of(line)};
  if (kind == "labels") {
    Fact f = fact(line, What::marks);
    f.marks = marks_of(detail["after"]);
    return {f};
  }
  if (kind == "delete") {
    Fact f = fact(line, What::gone);
    f.failed = text(detail, "by") == "failed insert";
    return {f};
  }
  std::vector<Fact> out{fact(line, What::touched)};
  if (kind == "auto_delete" && detail["after"]["autoDelete"].as_bool()) {
    out.push_back(fact(line, What::flagged));
    out.back().thing = key_of_link(detail["after"]["source"].as_text());
  }
  return out;
}

Fact of_disk(const Value& line, const std::string& kind) {
  const Value& detail = line["detail"];
  Fact f = fact(line, kind == "insert"   ? What::disk
                      : kind == "labels" ? What::marks
                      : kind == "attach" ? What::attached
                      : kind == "detach" ? What::detached
                      : kind == "delete" ? What::gone
                                         : What::touched);
  if (kind == "insert") f.marks = marks_of(detail["labels"]);
  if (kind == "labels") f.marks = marks_of(detail["after"]);
  f.other = fmt::format("{}/{}/instances/{}", text(line, "project"), f.zone, text(detail, "instance"));
  f.along = kind == "delete" && text(detail, "by").starts_with("autoDelete with ");
  return f;
}

}  // namespace

std::vector<Fact> gce_facts(const Value& line) {
  std::string kind = text(line, "kind"), resource = text(line, "resource");
  if (kind == "request") return {request_of(line)};
  if (kind == "operation") return record_of(line);
  if (kind == "outage")
    return {fact(line, line["detail"]["unreachable"].as_bool() ? What::dark : What::bright)};
  if (resource.starts_with("instances/")) return of_machine(line, kind);
  if (resource.starts_with("disks/")) return {of_disk(line, kind)};
  return {};
}

}  // namespace nbform::crash
