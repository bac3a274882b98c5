// The list of open tunnels: who may read it, and whose entries count.
#include "connect/live_tunnels.h"

#include <fmt/format.h>

#include "base/json.h"
#include "support/catch.h"
#include "support/fake_env.h"

using namespace nbform;

namespace {

// What Linux says of a process: 19 fields after its name, the 20th is when it started.
std::string stat_of(int number, std::string_view started, std::string_view state = "S",
                    std::string_view name = "nbform") {
  return fmt::format("{} ({}) {} 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 {} 20 21\n", number, name,
                     state, started);
}

struct Computer : FakeEnv {
  Computer() {
    variables["XDG_RUNTIME_DIR"] = "/run/user/7";
    files["/proc/sys/kernel/random/boot_id"] = "b0075\n";
    files["/proc/self/status"] = "Name:\tnbform\nUid:\t7\t7\t7\t7\n";
    become(100, "5000");
  }
  void become(int number, std::string_view started) {
    files["/proc/self/stat"] = files[fmt::format("/proc/{}/stat", number)] = stat_of(number, started);
  }
  std::unique_ptr<AnnouncedTunnel> announce(std::string notebook) {
    auto made = AnnouncedTunnel::announce(
        *this, {"research_1", std::move(notebook), "i-1", "http://127.0.0.1:8080/", now()});
    REQUIRE(made.ok());
    return std::move(made).value();
  }
  bool has(const std::string& path) const { return files.count(path) != 0; }
};

constexpr auto kFile = "/run/user/7/nbform/tunnel-100.json";

}  // namespace

TEST_CASE("a tunnel is listed while it is open, and leaves nothing") {
  Computer here;
  {
    auto open = here.announce("train");
    REQUIRE(here.has(kFile));
    std::vector<LiveTunnel> found = live_tunnels(here);
    REQUIRE(found.size() == 1);
    CHECK(found[0].stack == "research_1");
    CHECK(found[0].notebook == "train");
    CHECK(found[0].machine == "i-1");
    CHECK(found[0].url == "http://127.0.0.1:8080/");
    CHECK(found[0].since == here.now());
    CHECK(found[0].process == 100);
  }
  CHECK_FALSE(here.has(kFile));
  CHECK(live_tunnels(here).empty());
}

TEST_CASE("an entry whose process is gone is removed by the next reader") {
  Computer here;
  auto open = here.announce("train");
  auto removed_when = [&](const std::function<void()>& happens) {
    std::string entry = here.files[kFile];
    std::string stat = here.files["/proc/100/stat"], boot = here.files["/proc/sys/kernel/random/boot_id"];
    happens();
    bool none = live_tunnels(here).empty() && !here.has(kFile);
    here.files[kFile] = entry;
    here.files["/proc/100/stat"] = stat;
    here.files["/proc/sys/kernel/random/boot_id"] = boot;
    return none;
  };
  CHECK_FALSE(removed_when([] {}));
  CHECK(removed_when([&] { here.files.erase("/proc/100/stat"); }));
  CHECK(removed_when([&] { here.files["/proc/100/stat"] = stat_of(100, "5001"); }));       // reused
  CHECK(removed_when([&] { here.files["/proc/100/stat"] = stat_of(100, "5000", "Z"); }));  // a corpse
  CHECK(removed_when([&] { here.files["/proc/sys/kernel/random/boot_id"] = "another\n"; }));
  CHECK_FALSE(removed_when([&] { here.files["/proc/100/stat"] = stat_of(100, "5000", "S", "a) Z (b c"); }));
}

TEST_CASE("what is no entry of ours is neither shown nor touched") {
  Computer here;
  auto open = here.announce("train");
  std::map<std::string, std::string> odd = {{"/run/user/7/nbform/tunnel-1.json", "{"},
                                            {"/run/user/7/nbform/tunnel-2.json", R"({"format": 2})"},
                                            {"/run/user/7/nbform/notes", "mine"},
                                            {"/run/user/7/nbform/.tunnel-3.json.tmp", "{}"}};
  for (const auto& [path, text] : odd) here.files[path] = text;
  CHECK(live_tunnels(here).size() == 1);
  for (const auto& [path, text] : odd) CHECK(here.files[path] == text);
}

TEST_CASE("a directory that others can get into lists nothing and gets nothing") {
  Computer here;
  here.variables.erase("XDG_RUNTIME_DIR");
  CHECK(*tunnels_directory(here) == "/tmp/nbform-7");
  auto open = here.announce("train");
  CHECK(live_tunnels(here).size() == 1);
  here.shared.insert("/tmp/nbform-7");
  CHECK(live_tunnels(here).empty());
  CHECK(tunnels_directory(here).error().code == Code::denied);
  here.variables["XDG_RUNTIME_DIR"] = "relative";  // the specification wants it ignored
  CHECK(tunnels_directory(here).error().code == Code::denied);
}
