// The files generated from the tables are current. NBFORM_ACCEPT=1 rewrites them.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "manifest/emit.h"
#include "support/catch.h"

using namespace nbform;
namespace fs = std::filesystem;

namespace {

void check_current(const std::string& path, const std::string& now) {
  fs::path file = fs::path(NBFORM_SOURCE_DIR) / path;
  if (std::getenv("NBFORM_ACCEPT") != nullptr) std::ofstream(file) << now;
  std::ifstream in(file);
  std::stringstream was;
  was << in.rdbuf();
  INFO(path + " is generated; NBFORM_ACCEPT=1 rewrites it");
  CHECK(was.str() == now);
}

}  // namespace

TEST_CASE("the published schema and the reference are what the tables say") {
  check_current("schemas/notebook.schema.json", json_schema());
  check_current("docs/manifest.md", reference());
}

TEST_CASE("the schema knows where a key may stand") {
  Value schema = *parse_json(json_schema());
  CHECK(schema["$defs"]["notebook"]["properties"].as_map().has("each"));
  CHECK_FALSE(schema["$defs"]["overlay"]["properties"].as_map().has("each"));
  CHECK_FALSE(schema["$defs"]["eachEntry"]["properties"].as_map().has("each"));
  CHECK(schema["$defs"]["eachEntry"]["properties"].as_map().has("use"));
  CHECK_FALSE(schema["$defs"]["overlay"]["properties"].as_map().has("name"));
}

TEST_CASE("explain names what a key takes, its default, and who can't have it") {
  std::string text = *explain("disks.data.mount");
  CHECK(text.find("disks.*.mount") == 0);
  CHECK(text.find("not with  workbench: its data disk is /home/jupyter") != std::string::npos);
  CHECK(text.find("not in this version on gce") != std::string::npos);
  CHECK(explain("notebooks.eda.spot.market")->find("spot.market") == 0);
  CHECK(explain("policy.max_hourly").ok());
  CHECK(explain("")->find("machine") != std::string::npos);
  CHECK(explain("disks.boot.sise").error().detail.find("Did you mean `size`?") != std::string::npos);
  CHECK_FALSE(explain("image.word").ok());
}
