#include "core/plan_json.h"

#include <fstream>
#include <set>
#include <sstream>

#include "base/json.h"
#include "made_up_plan.h"
#include "support/catch.h"

using namespace nbform;
using nbform::test::edit;
using nbform::test::PlanMaker;

namespace {

std::string file_text(const std::string& path) {
  std::ifstream in(std::string(NBFORM_SOURCE_DIR) + "/" + path);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

// Every member is described by the schema, every required one is there; arrays and references are followed.
void check_against(const Value& value, const Value& schema, const Value& root, const std::string& path) {
  const Value& target = schema["$ref"].is_text() ? root["$defs"][schema["$ref"].as_text().substr(8)] : schema;
  if (value.is_list() && target["items"].is_map())
    for (const Value& item : value.as_list()) check_against(item, target["items"], root, path + "[]");
  if (!value.is_map() || target["properties"].is_null()) return;
  for (const auto& [key, member] : value.as_map()) {
    INFO(path << "." << key.text());
    REQUIRE(target["properties"].as_map().has(key));
    check_against(member, target["properties"][key], root, path + "." + key);
  }
  for (const Value& key : target["required"].as_list()) {
    INFO(path << " lacks " << key.as_text());
    CHECK(value.as_map().has(key.as_text()));
  }
}

PlanMaker whole() {
  PlanMaker m;
  Edit secret = edit("metadata.token", "hunter2", "hunter3");
  secret.secret = true;
  Edit plain = edit("labels.team", "a", "b");
  plain.mark = {"demo.nb.yaml", 3, 1};
  m.change("nb", "instance", Action::update, {plain, secret});
  m.change("gone", "disk-data", Action::destroy);
  m.line("gone").lost = {"disk gone-data"};
  m.plan.changes[0].attempts = {{"us-central1-b", true}};
  m.plan.changes[0].carried_by = "x";
  ScopeStatus scope;
  scope.failure = error(Code::denied, "No access").at({"demo.nb.yaml", 1, 1});
  m.plan.looked_in = {scope};
  Live kept;
  kept.kind = &test::disk_kind();
  m.plan.kept = {kept};
  m.plan.diagnostics.add(error(Code::quota, "A quota is used up"));
  return m;
}

}  // namespace

TEST_CASE("plan JSON is what its schema says") {
  auto schema = parse_json(file_text("schemas/plan.schema.json"));
  REQUIRE(schema.ok());
  Value json = plan_json(whole().plan, {"research", true, {{"http://127.0.0.1:1/", "X"}}});
  check_against(json, *schema, *schema, "plan");
  CHECK(json["format"].as_int() == (*schema)["properties"]["format"]["const"].as_int());
}

TEST_CASE("every member of the plan JSON is documented") {
  std::string doc = file_text("docs/plan-json.md");
  auto schema = parse_json(file_text("schemas/plan.schema.json"));
  for (const auto& [key, member] : (*schema)["properties"].as_map()) {
    INFO(key.text());
    CHECK(doc.find("`" + key + "`") != std::string::npos);
  }
  for (const auto& [name, definition] : (*schema)["$defs"].as_map())
    for (const auto& [key, member] : definition["properties"].as_map()) {
      INFO(name.text() << "." << key.text());
      CHECK(doc.find("`" + key + "`") != std::string::npos);
    }
}

TEST_CASE("plan JSON holds no secret and says who loses data") {
  Value json = plan_json(whole().plan, {});
  CHECK(to_json(json).find("hunter") == std::string::npos);
  CHECK(json["notebooks"].at_path("0/changes/0/edits/1")["secret"].as_bool());
  CHECK(json["data_loss"].as_list() == List{"gone"});
  CHECK_FALSE(json["empty"].as_bool());
}
