// The boot data of EC2, run by a shell as cloud-init runs it: boot after boot the machine has the keys and
// the setup of the manifest, and everything else that was there.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cloud/ec2/lower_parts.h"
#include "support/catch.h"

using namespace nbform;
namespace fs = std::filesystem;

namespace {

// A machine's file system, as far as boot data touches it.
class Guest {
 public:
  Guest() {
    std::string pattern = (fs::temp_directory_path() / "nbform-boot-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    root_ = pattern;
    fs::create_directories(root_ / "bin");
    fs::create_directories(root_ / "home/.ssh");
    program("getent", fmt::format("echo ubuntu:x:1000:1000::{}:/bin/sh", (root_ / "home").string()));
    program("chown", "");
  }
  ~Guest() { fs::remove_all(root_); }

  // The boothook, then what is there to run at every boot, in order of names.
  void boot(const std::string& user_data) {
    std::string hook = user_data;
    const std::string here = "/var/lib/cloud";
    for (auto at = hook.find(here); at != std::string::npos; at = hook.find(here, at + 1))
      hook.replace(at, here.size(), root_.string());
    write("hook", hook);
    run(root_ / "hook");
    for (const char* name : {"nbform-1-ssh-keys", "nbform-2-setup"})
      if (fs::path script = root_ / "scripts/per-boot" / name; fs::exists(script)) run(script);
  }

  void write(const fs::path& name, std::string_view text) { std::ofstream(root_ / name) << text; }
  std::string read(const fs::path& name) const {
    std::ifstream in(root_ / name);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  std::string keys() const { return read("home/.ssh/authorized_keys"); }
  bool has(const fs::path& name) const { return fs::exists(root_ / name); }

 private:
  void program(const std::string& name, const std::string& body) {
    write(fs::path("bin") / name, "#!/bin/sh\n" + body + "\n");
    fs::permissions(root_ / "bin" / name, fs::perms::owner_all);
  }
  void run(const fs::path& script) {
    std::string command =
        fmt::format("cd '{0}' && PATH='{0}/bin':\"$PATH\" sh '{1}'", root_.string(), script.string());
    REQUIRE(std::system(command.c_str()) == 0);
  }

  fs::path root_;
};

struct Declared {
  Manifest manifest;
  Notebook n;
  LowerContext context;

  Declared() {
    manifest.stack.name = "research";
    n.key = n.name = "dlami";
    context.manifest = &manifest;
  }
  void keys(const std::vector<std::string>& lines) {
    std::vector<SshKey> all;
    for (const std::string& line : lines) all.push_back({"keys/me.pub", line, false});
    n.access.ssh.keys = std::move(all);
  }
  void setup(const std::string& text) {
    FileRef script;
    script.text = text;
    n.setup.script = script;
  }
  ec2::BootData boot() const { return ec2::boot_data_of(n, context); }
};

}  // namespace

TEST_CASE("each boot has the keys and the setup of its manifest, and leaves other people's keys") {
  Guest machine;
  // As cloud-init leaves it: the pair of the launch by its name, and one that somebody added.
  machine.write("home/.ssh/authorized_keys",
                "ssh-ed25519 AAAA nbform-324b240f-116f54c4-e8183165\nssh-rsa CCCC guest@laptop\n");
  Declared d;
  d.keys({"ssh-ed25519 AAAA me@here", "ssh-rsa BBBB ana"});
  d.setup("#!/bin/sh\necho \"$0 '$(printf x)'\" >> ran\n");
  machine.boot(d.boot().text);
  CHECK(machine.keys() ==
        "ssh-rsa CCCC guest@laptop\nssh-ed25519 AAAA nbform:research\nssh-rsa BBBB nbform:research\n");
  machine.boot(d.boot().text);
  std::string ran = machine.read("ran");
  CHECK(std::count(ran.begin(), ran.end(), '\n') == 2);  // at every boot
  CHECK(ran.find("'x'") != std::string::npos);

  SECTION("who left is left out, and a setup that is gone runs no more") {
    Declared later;
    later.keys({"ssh-rsa BBBB ana"});
    machine.boot(later.boot().text);
    CHECK(machine.keys() == "ssh-rsa CCCC guest@laptop\nssh-rsa BBBB nbform:research\n");
    CHECK(machine.read("ran") == ran);
    CHECK_FALSE(machine.has("scripts/per-boot/nbform-2-setup"));
  }
}

TEST_CASE("a script reaches the machine byte for byte, whatever stands in it") {
  const std::string script =
      "#!/bin/sh\nexit 0\n: <<'KEYS'\n$(touch pwned) `touch pwned` \"'\\\\\nKEYS\nNBFORM\n";
  Guest machine;
  Declared d;
  d.setup(script);
  machine.boot(d.boot().text);
  CHECK(machine.read("scripts/per-boot/nbform-2-setup") == script);
  CHECK_FALSE(machine.has("pwned"));
}

TEST_CASE(
    "the digest is of what is declared: the keys and the script, not their wrapping, nor keys at home") {
  Declared d;
  d.keys({"ssh-rsa BBBB ana"});
  std::string keys_only = d.boot().digest;
  CHECK_FALSE(keys_only.empty());
  d.setup("#!/bin/sh\n");
  CHECK(d.boot().digest != keys_only);
  Declared home;
  home.context.default_keys = {{"~/.ssh/id_rsa.pub", "ssh-rsa DDDD me", true}};
  CHECK(home.boot().digest.empty());
  CHECK(home.boot().text == "#cloud-config\nssh_authorized_keys:\n  - ssh-rsa DDDD\n");
  home.setup("#!/bin/sh\n");
  CHECK(home.boot().text.starts_with("Content-Type: multipart/mixed"));
  CHECK(home.boot().text.find("text/cloud-boothook") != std::string::npos);
}
