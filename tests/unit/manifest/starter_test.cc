#include "manifest/starter.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "manifest/load.h"
#include "support/catch.h"

using namespace nbform;
namespace fs = std::filesystem;

namespace {

Loaded load_text(const std::vector<StarterFile>& files) {
  Sources sources;
  sources.directory = sources.repository = "/stack";
  for (const StarterFile& f : files) {
    sources.files["/stack/" + f.name] = f.text;
    if (f.name.ends_with(".nb.yaml")) sources.manifests.push_back("/stack/" + f.name);
  }
  Vars vars;
  vars.environment["CI"] = std::nullopt;
  return load(sources, vars);
}

}  // namespace

TEST_CASE("a starter manifest is valid and says what was answered") {
  Starter s{"demo", "0a1b2c3d", "train", "gce", "us-central1", "t4 x2", true};
  Loaded loaded = load_text({{"a.nb.yaml", starter_manifest(s)}});
  REQUIRE(loaded.manifest.has_value());
  CHECK(loaded.manifest->stack.label() == "demo_0a1b2c3d");
  const Notebook* nb = loaded.manifest->find("train");
  REQUIRE(nb != nullptr);
  CHECK(*nb->gpu->count == 2);
  CHECK(*nb->spot->market == Market::spot);
}

TEST_CASE("the examples that init writes are those of the repository, and valid") {
  for (const StarterFile& f : example_files("spot", "3f9a1c2e")) {
    fs::path path = fs::path(NBFORM_SOURCE_DIR) / "examples/gce-spot" / f.name;
    if (std::getenv("NBFORM_ACCEPT") != nullptr) {
      fs::create_directories(path.parent_path());
      std::ofstream(path) << f.text;
    }
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    CHECK(text.str() == f.text);
  }
  Loaded loaded = load_text(example_files("spot", "00000000"));
  REQUIRE(loaded.manifest.has_value());
  CHECK(loaded.manifest->stack.id == "00000000");
  CHECK(loaded.manifest->notebooks[0].setup.shutdown_script->text.starts_with("#!/bin/sh"));
  CHECK(example_files("nothing", "00000000").empty());
}

TEST_CASE("a directory's name becomes a legal one") {
  CHECK(legal_name("My Project (2)") == "my-project-2");
  CHECK(legal_name("123") == "");
  CHECK(legal_name("___") == "");
  CHECK(legal_name(std::string(80, 'a')).size() == 40);
}
