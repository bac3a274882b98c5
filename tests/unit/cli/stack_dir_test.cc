#include "cli/stack_dir.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/diagnostic_text.h"
#include "net/real_env.h"
#include "support/catch.h"

using namespace nbform;
namespace fs = std::filesystem;

namespace {

// A repository with a stack in it, on the real file system.
struct Repository {
  fs::path root = fs::temp_directory_path() / ("nbform-stack-dir-" + std::to_string(::getpid()));
  fs::path stack = root / "repo" / "stack";

  Repository() {
    fs::remove_all(root);
    fs::create_directories(stack);
    fs::create_directories(root / "repo" / ".git");
  }
  ~Repository() { fs::remove_all(root); }

  void write(const fs::path& path, const std::string& text) const {
    fs::create_directories((stack / path).parent_path());
    std::ofstream(stack / path) << text;
  }
  std::string said() const {
    auto env = make_real_env();
    Loaded loaded = load_directory(*env, stack.string());
    std::string out;
    for (const Diagnostic& d : loaded.diagnostics) out += render(d);
    return out;
  }
};

const char* kManifest =
    "nbform: 1\nstack: demo\nnotebooks:\n  nb: {service: gce, where: us-central1, setup: {script: run.sh}}\n";

bool has(const std::string& text, const std::string& part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a stack is read with what it names") {
  Repository r;
  r.write("a.nb.yaml",
          "nbform: 1\nstack: demo\nclouds: {gcp: {project: acme-ml}}\ninclude: "
          "[../common.nb.yaml]\nnotebooks:\n  nb: "
          "{service: gce, where: us-central1, use: [p], setup: {script: run.sh}}\n");
  r.write("../common.nb.yaml", "nbform: 1\nprofiles: {p: {spot: true}}\n");
  r.write("run.sh", "echo hello\n");
  auto env = make_real_env();
  Loaded loaded = load_directory(*env, r.stack.string());
  INFO(r.said());
  REQUIRE(loaded.manifest.has_value());
  const Notebook& nb = loaded.manifest->notebooks.at(0);
  CHECK(nb.setup.script->text == "echo hello\n");
  CHECK(*nb.spot->market == Market::spot);
}

TEST_CASE("a directory without manifests says what it saw") {
  Repository r;
  r.write("notebooks.yaml", "nbform: 1\n");
  std::string said = r.said();
  has(said, "error: No manifests");
  has(said, "`notebooks.yaml` is not read, since its name does not end in .nb.yaml.");
  has(said, "`nbform init` writes a first manifest.");
}

TEST_CASE("no directory, and a file instead of one") {
  auto env = make_real_env();
  CHECK(load_directory(*env, "/nowhere/at/all").diagnostics[0].summary == "No such directory");
  Repository r;
  r.write("a.nb.yaml", kManifest);
  CHECK(load_directory(*env, (r.stack / "a.nb.yaml").string()).diagnostics[0].summary == "Not a directory");
}

TEST_CASE("a pipe, a directory and a circle of links are no manifests") {
  Repository r;
  r.write("a.nb.yaml", "nbform: 1\nstack: demo\n");
  REQUIRE(::mkfifo((r.stack / "b.nb.yaml").c_str(), 0600) == 0);
  fs::create_directory(r.stack / "c.nb.yaml");
  fs::create_symlink("e.nb.yaml", r.stack / "d.nb.yaml");
  fs::create_symlink("d.nb.yaml", r.stack / "e.nb.yaml");
  std::string said = r.said();
  has(said, "b.nb.yaml` is not a plain file.");
  has(said, "c.nb.yaml` is a directory, not a file.");
  has(said, "d.nb.yaml` is part of a circle of symbolic links.");
}

TEST_CASE("a link may not lead out of the repository") {
  Repository r;
  r.write("a.nb.yaml", kManifest);
  r.write("../../outside.sh", "echo secret\n");
  fs::create_symlink(r.root / "outside.sh", r.stack / "run.sh");
  has(r.said(), "`run.sh` leads out of the repository, to ");
}

TEST_CASE("a manifest of more than 1 MiB is not read") {
  Repository r;
  r.write("a.nb.yaml", std::string(std::size_t{2} << 20, '#'));
  has(r.said(), "has 2097152 bytes; 1 MiB is possible.");
}

TEST_CASE("messages name files as the user named the directory") {
  Repository r;
  r.write("a.nb.yaml", "nbform: 1\nstack: demo\nnotebook: {}\n");
  has(r.said(), r.stack.string() + "/a.nb.yaml:3:1");
}
