#include "sim/filter.h"

#include "base/json.h"
#include "support/catch.h"

namespace nbform::sim {

namespace {
const Value kVm =
    *parse_json(R"({"name":"nb-a","status":"RUNNING","labels":{"team":"research","nbform-stack":"demo"},
  "scheduling":{"automaticRestart":false,"preemptible":true},"disks":[{"deviceName":"boot","diskSizeGb":"100"},{"deviceName":"data","diskSizeGb":"200"}]})");

bool admits(std::string_view text) {
  auto filter = Filter::parse(text, "Instance");
  INFO(text);
  REQUIRE(filter.ok());
  return filter->admits(kVm);
}
std::string refusal(std::string_view text) {
  auto filter = Filter::parse(text, "Instance");
  INFO(text);
  REQUIRE(!filter.ok());
  return filter.error().detail;
}
}  // namespace

TEST_CASE("what a filter lets through") {
  for (const char* text : {"",
                           "labels.team=research",
                           "labels.team = \"research\"",
                           "labels.team:*",
                           "labels.nbform-stack:*",
                           "status!=TERMINATED",
                           "(labels.team=research) (status=RUNNING)",
                           "(labels.team=research) AND (status=RUNNING)",
                           "status=STOPPED OR status=RUNNING",
                           "(status=STOPPED OR status=RUNNING) AND labels.team=research",
                           "NOT status=TERMINATED",
                           "name:nb-*",
                           "name:nb",
                           "name eq nb-.*",
                           "(name eq nb-.*)(status eq RUN.*)",
                           "status ne TERM.*",
                           "scheduling.preemptible=true",
                           "scheduling.automaticRestart=false",
                           "disks.deviceName=data",
                           "disks.diskSizeGb>=150",
                           "labels.absent!=x",
                           "labels.team='research'"})
    CHECK(admits(text));
}

TEST_CASE("what a filter keeps out") {
  for (const char* text : {"labels.team=vision", "labels.absent:*", "status=TERMINATED", "name=nb-*",
                           "name eq nb", "labels.team=research AND status=STOPPED", "NOT labels.team:*",
                           "disks.deviceName=scratch", "disks.diskSizeGb>500", "labels.absent=x", "name:xy*"})
    CHECK(!admits(text));
}

TEST_CASE("a filter that the cloud would not understand is refused") {
  CHECK(refusal("colour=red").find("there is no field 'colour'") != std::string::npos);
  CHECK(refusal("labels.team=a AND status=b OR name=c").find("AND and OR need parentheses") !=
        std::string::npos);
  CHECK(refusal("name eq a AND status=RUNNING").find("the two filter dialects are mixed") !=
        std::string::npos);
  CHECK(refusal("(status=RUNNING").find("a parenthesis is not closed") != std::string::npos);
  CHECK(refusal("status").find("an operator is missing") != std::string::npos);
  CHECK(refusal("status=").find("a value is missing") != std::string::npos);
  CHECK(refusal("name eq (").find("not a regular expression") != std::string::npos);
  CHECK(refusal("labels.team=\"x").find("a quote is not closed") != std::string::npos);
}

}  // namespace nbform::sim
