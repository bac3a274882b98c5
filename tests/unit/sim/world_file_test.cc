#include "sim/world_file.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "support/catch.h"
#include "support/scratch.h"

using namespace nbform;
using namespace nbform::sim;

namespace {

std::size_t files_in(const std::string& directory) {
  auto all = std::filesystem::directory_iterator(directory);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace

TEST_CASE("a simulator that is killed while it saves leaves the old world or the new one") {
  Scratch dir;
  std::string path = dir.path("world.json");
  CHECK_FALSE(read_world_file(path).has_value());
  const std::string one(3'000'000, '1'), other(3'000'000, '2');
  REQUIRE(replace_world_file(path, one).ok());
  int saved = 0;
  for (int round = 0; round < 12 || (saved == 0 && round < 100); ++round) {  // a loaded machine saves late
    std::string before = *read_world_file(path);
    pid_t child = ::fork();
    if (child == 0)
      for (int i = 0;; ++i)
        if (!replace_world_file(path, i % 2 == 0 ? other : one).ok()) ::_exit(1);
    std::this_thread::sleep_for(std::chrono::milliseconds(1 + 3 * round));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    REQUIRE(WIFSIGNALED(status));
    std::string text = *read_world_file(path);
    REQUIRE((text == one || text == other));
    saved += text == before ? 0 : 1;
  }
  CHECK(saved > 0);
}

TEST_CASE("a world that does not fit leaves the old one, and no draft") {
  Scratch dir;
  std::string path = dir.path("world.json");
  REQUIRE(replace_world_file(path, "old").ok());
  pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{100, 100};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::_exit(replace_world_file(path, std::string(1000, 'x')).ok() ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(read_world_file(path) == "old");
  CHECK(files_in(dir.path()) == 1);
  auto nowhere = replace_world_file(dir.path("no/world.json"), "x");
  REQUIRE_FALSE(nowhere.ok());
  CHECK(nowhere.error().detail.find("No such file") != std::string::npos);
}

TEST_CASE("a link to a world stays one") {
  Scratch dir;
  REQUIRE(replace_world_file(dir.path("world.json"), "old").ok());
  std::filesystem::create_symlink("world.json", dir.path("link"));
  REQUIRE(replace_world_file(dir.path("link"), "new").ok());
  CHECK(std::filesystem::is_symlink(dir.path("link")));
  CHECK(read_world_file(dir.path("world.json")) == "new");
}
