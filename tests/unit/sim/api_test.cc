#include "sim/api.h"

#include "base/json.h"
#include "sim/mask.h"
#include "support/catch.h"

namespace nbform::sim {

namespace {
Value json(std::string_view text) {
  return *parse_json(text);
}
std::string verdict(std::string_view body, std::string_view message) {
  auto result = check_body(json(body), message);
  return result ? "" : result.error().provider_code + ": " + result.error().detail;
}
std::string masked(std::string_view mask, std::string_view value, std::string_view message) {
  auto read = Mask::parse(mask, message);
  return read ? to_json(read->apply(json(value))) : read.error().detail;
}
}  // namespace

TEST_CASE("paths lead to methods; unknown ones are refused") {
  auto found = route("POST", {"projects", "p", "zones", "z", "instances", "i", "setLabels"});
  REQUIRE(found.ok());
  CHECK(found->method->name == "instances.setLabels");
  CHECK(found->args["instance"] == "i");
  CHECK(route("GET", {"projects", "p", "global", "images", "family", "f"})->method->name ==
        "images.getFromFamily");
  CHECK(route("GET", {"projects", "p", "zones", "z", "notebooks"}).error().provider_code == "notFound");
  CHECK(route("PATCH", {"projects", "p", "zones", "z", "instances", "i"}).error().provider_code ==
        "methodNotAllowed");
}

TEST_CASE("a body is checked to its last field") {
  CHECK(
      verdict(
          R"({"name":"a","disks":[{"boot":true,"initializeParams":{"diskSizeGb":"10","labels":{"a":"b"}}}]})",
          "Instance") == "");
  CHECK(verdict(R"({"scheduling":{"instanceTerminationAction":null}})", "Instance") == "");
  CHECK(verdict(R"({"disks":[{"initializeParams":{"diskSizeGb":10}}]})", "Instance") == "");
  CHECK(verdict(R"({"disks":[{"initializeParams":{"size":10}}]})", "Instance") ==
        "badRequest: Invalid JSON payload received. Unknown name \"size\" at "
        "'resource.disks[0].initializeParams': Cannot find field.");
  CHECK(verdict(R"({"guestAccelerators":[{"acceleratorCount":"1"}]})", "Instance") ==
        "invalid: Invalid value for field 'resource.guestAccelerators[0].acceleratorCount': '1'. Expected "
        "int32.");
  CHECK(verdict(R"({"disks":{}})", "Instance") ==
        "invalid: Invalid value for field 'resource.disks': '{}'. Expected a list.");
  CHECK(verdict(R"({"labels":{"a":1}})", "Instance") ==
        "invalid: Invalid value for field 'resource.labels.a': '1'. Expected string.");
  CHECK(verdict(R"({"fingerprint":"%%%"})", "Tags").find("Expected bytes") != std::string::npos);
  CHECK(verdict(R"({"onHostMaintenance":"SLEEP"})", "Scheduling").find("Expected one of MIGRATE|") !=
        std::string::npos);
}

TEST_CASE("a field mask reduces an answer") {
  constexpr std::string_view kList =
      R"({"items":[{"name":"a","status":"RUNNING","labels":{"x":"y","z":"w"}}],"kind":"k","nextPageToken":"t"})";
  CHECK(masked("items(name,labels/x),nextPageToken", kList, "InstanceList") ==
        R"({"items":[{"labels":{"x":"y"},"name":"a"}],"nextPageToken":"t"})");
  CHECK(masked("items/name", kList, "InstanceList") == R"({"items":[{"name":"a"}]})");
  CHECK(
      masked(
          "items/*/instances/name",
          R"({"items":{"zones/a":{"instances":[{"name":"n","status":"s"}]},"zones/b":{"warning":{"code":"C"}}}})",
          "InstanceAggregatedList") == R"({"items":{"zones/a":{"instances":[{"name":"n"}]},"zones/b":{}}})");
  CHECK(masked("items(nam)", kList, "InstanceList") == "Invalid field selection nam");
  CHECK(masked("items(name", kList, "InstanceList") == "Invalid field selection items(name");
}

}  // namespace nbform::sim
