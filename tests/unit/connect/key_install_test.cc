// Who lets a key in, when, and what of it is said: a scripted cloud, files in a map, time that passes at
// once.
#include "connect/key_install.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "cloud/cloud.h"
#include "net/ssh.h"
#include "net/ssh_key.h"
#include "support/catch.h"
#include "support/fake_env.h"

using namespace nbform;

namespace {

constexpr auto kVm = "*/projects/acme/zones/us-central1-b/instances/train";
constexpr auto kWrite = "*/projects/acme/zones/us-central1-b/instances/train/setMetadata?*";
constexpr auto kImport = "https://oslogin.googleapis.com/v1/users/ana%40example.com:importSshPublicKey?*";
constexpr auto kDone = R"({"name":"op","status":"DONE"})";

const Scope kScope{"gce", "gcp", "acme", ""};

// A cloud with one VM, and a person with a home.
struct Person : FakeEnv {
  std::string keys = "bob:ssh-rsa AAAAB3 bob";  // the VM's metadata
  bool os_login = false;
  int version = 1;
  KeyWishes wishes;
  std::unique_ptr<Wire> wire = std::make_unique<Wire>(*this, WireOptions{});
  std::unique_ptr<KeyInstaller> installer;

  Person() {
    variables = {{"GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.x"}, {"HOME", "/home/ana"}};
    wishes.notebook = "train";
    wishes.access = find_service("gce")->ssh();
    wishes.user = "nbform";
    wishes.own_key = own_key_path(*this);
    on("GET", kVm, [this](const Request&) -> Result<Response> { return Response{200, {}, to_json(body())}; });
  }
  // A key file, encrypted or not; its public half.
  std::string has(const std::string& path) {
    files[path] = write_private_key(generate_ed25519_key(), "ana", 7).reveal();
    wishes.key_files.push_back(path);
    return HostKey{"ssh-ed25519", read_private_key(files[path])->blob}.text();
  }
  // The VM takes what is written with the version that it has.
  void takes_writes() {
    on("POST", kWrite, [this](const Request& r) -> Result<Response> {
      Value asked = *parse_json(r.body);
      if (asked["fingerprint"].as_text() != fmt::format("f{}", version))
        return Response{412, {}, R"({"error":{"code":412,"errors":[{"reason":"conditionNotMet"}]}})"};
      ++version;
      for (const Value& item : asked["items"].as_list())
        if (item["key"].as_text() == "ssh-keys") keys = item["value"].as_text();
      return Response{200, {}, kDone};
    });
  }
  Value body() const {
    return Map{{"name", "train"},
               {"zone", "zones/us-central1-b"},
               {"id", "42"},
               {"status", "RUNNING"},
               {"metadata", Map{{"fingerprint", fmt::format("f{}", version)},
                                {"items", List{Map{{"key", "ssh-keys"}, {"value", keys}}}}}},
               {"resourceStatus",
                Map{{"effectiveInstanceMetadata", Map{{"enableOsloginMetadataValue", os_login}}}}}};
  }
  Live vm() const {
    for (const Kind* kind : find_service("gce")->kinds())
      if (kind->is_machine()) return *kind->decode(kScope, body());
    FAIL("no kind of machine");
    return {};
  }
  Result<SignInAs> see_to(KeyInstaller::When when = KeyInstaller::When::now) {
    if (!installer) installer = std::make_unique<KeyInstaller>(*this, *wire, wishes);
    std::optional<Result<SignInAs>> who;
    installer->see_to(vm(), when, [&](Result<SignInAs> answer) { who = std::move(answer); });
    run();
    REQUIRE(who);
    return std::move(*who);
  }
  int writes() const { return count("POST", kWrite); }
};

}  // namespace

TEST_CASE("a machine that has none of the keys is given the first, for a day") {
  Person ana;
  ana.takes_writes();
  std::string first = ana.has("/home/ana/.ssh/id_ed25519");
  ana.has("/home/ana/.ssh/id_ecdsa");
  auto who = ana.see_to();
  REQUIRE(who.ok());
  CHECK(who->user == "nbform");
  CHECK(who->fresh);
  CHECK(who->key_files == ana.wishes.key_files);
  CHECK(who->said == "~/.ssh/id_ed25519 until 01-16 08:00 UTC, metadata");
  CHECK(ana.keys.starts_with("bob:ssh-rsa AAAAB3 bob\nnbform:" + first + " google-ssh {"));
  CHECK_FALSE(ana.see_to()->fresh);  // it is there
  CHECK(ana.writes() == 1);
}

TEST_CASE("a key is renewed once it is over, or as good as over, and not before") {
  Person ana;
  ana.takes_writes();
  ana.has("/home/ana/.ssh/id_ed25519");
  REQUIRE(ana.see_to().ok());
  ana.clock = ana.clock + std::chrono::hours(23);
  CHECK_FALSE(ana.see_to()->fresh);
  ana.clock = ana.clock + std::chrono::minutes(56);
  CHECK(ana.see_to()->fresh);
  CHECK(ana.writes() == 2);
  CHECK(split(ana.keys, '\n').size() == 2);  // bob's and the new one
}

TEST_CASE("a key that the machine has is offered first, and nothing is written") {
  Person ana;
  ana.has("/home/ana/.ssh/id_ed25519");
  ana.keys = "nbform:" + ana.has("/home/ana/.ssh/id_ecdsa") + " nbform:research";
  auto who = ana.see_to();
  REQUIRE(who.ok());
  CHECK(who->key_files == std::vector<std::string>{"/home/ana/.ssh/id_ecdsa", "/home/ana/.ssh/id_ed25519"});
  CHECK(who->said.empty());
  CHECK(ana.writes() == 0);
}

TEST_CASE("where the manifest says whose keys are let in nothing is written") {
  Person ana;
  ana.has("/home/ana/.ssh/id_ed25519");
  ana.wishes.keys_declared = true;
  CHECK(ana.see_to().ok());
  CHECK(ana.sent.empty());
}

TEST_CASE("when somebody else wrote in between it is read again") {
  Person ana;
  ana.takes_writes();
  std::string key = ana.has("/home/ana/.ssh/id_ed25519");
  Live stale = ana.vm();
  ana.version = 2;
  ana.keys += "\neve:ssh-rsa AAAAeve";
  ana.installer = std::make_unique<KeyInstaller>(ana, *ana.wire, ana.wishes);
  std::optional<Result<SignInAs>> who;
  ana.installer->see_to(stale, KeyInstaller::When::now,
                        [&](Result<SignInAs> answer) { who = std::move(answer); });
  ana.run();
  REQUIRE(who);
  REQUIRE(who->ok());
  CHECK(ana.writes() == 2);
  CHECK(ana.keys.starts_with("bob:ssh-rsa AAAAB3 bob\neve:ssh-rsa AAAAeve\nnbform:" + key));
}

TEST_CASE("two connects at once write one key") {
  Person ana;
  ana.takes_writes();
  ana.has("/home/ana/.ssh/id_ed25519");
  KeyInstaller one(ana, *ana.wire, ana.wishes), two(ana, *ana.wire, ana.wishes);
  int ready = 0;
  auto count = [&](Result<SignInAs> who) { ready += who.ok() ? 1 : 0; };
  Live vm = ana.vm();
  one.see_to(vm, KeyInstaller::When::now, count);
  two.see_to(vm, KeyInstaller::When::now, count);
  ana.run();
  CHECK(ready == 2);
  CHECK(split(ana.keys, '\n').size() == 2);
}

TEST_CASE("others that never let go are not waited for without end") {
  Person ana;
  ana.has("/home/ana/.ssh/id_ed25519");
  ana.on("POST", kWrite, 412, R"({"error":{"code":412,"errors":[{"reason":"conditionNotMet"}]}})");
  auto who = ana.see_to();
  REQUIRE_FALSE(who.ok());
  CHECK(who.error().code == Code::timeout);
}

TEST_CASE("whoever has no key gets a pair of nbform's own, once") {
  Person ana;
  ana.takes_writes();
  auto who = ana.see_to();
  REQUIRE(who.ok());
  constexpr auto kOwn = "/home/ana/.local/state/nbform/id_ed25519";
  CHECK(who->key_files == std::vector<std::string>{kOwn});
  REQUIRE(who->notices.size() == 1);
  CHECK(who->notices[0] ==
        "There was no SSH key: nbform made one, /home/ana/.local/state/nbform/id_ed25519.");
  std::string text = ana.files[kOwn];
  CHECK_FALSE(read_private_key(text)->encrypted);
  CHECK(parse_host_key(ana.files[std::string(kOwn) + ".pub"])->blob == read_private_key(text)->blob);
  CHECK_FALSE(ana.see_to()->fresh);
  ana.keys = "";
  CHECK(ana.see_to()->notices.empty());
  CHECK(ana.files[kOwn] == text);
  ana.variables["XDG_STATE_HOME"] = "/state";
  CHECK(own_key_path(ana) == "/state/nbform/id_ed25519");
}

TEST_CASE("what is no key file is not written over") {
  Person ana;
  ana.files["/home/ana/.local/state/nbform/id_ed25519"] = "precious";
  auto who = ana.see_to();
  REQUIRE_FALSE(who.ok());
  CHECK(who.error().code == Code::io);
  CHECK(ana.files["/home/ana/.local/state/nbform/id_ed25519"] == "precious");
}

TEST_CASE("the agent's keys go before a new pair, and count as the machine's") {
  Person ana;
  ana.takes_writes();
  ana.wishes.has_agent = true;
  std::string key =
      HostKey{"ssh-ed25519",
              base64_decode("AAAAC3NzaC1lZDI1NTE5AAAAIGFnZW50LWtleS1hZ2VudC1rZXktYWdlbnQta2V5").value()}
          .text();
  ana.programs.insert_or_assign("ssh-add -L", ProgramResult{0, key + " ana@laptop\nnot a key\n", ""});
  auto who = ana.see_to();
  REQUIRE(who.ok());
  CHECK(who->said.starts_with("ana@laptop (agent) until "));
  CHECK(ana.keys.find("nbform:" + key + " google-ssh") != std::string::npos);
  CHECK_FALSE(ana.see_to()->fresh);
  CHECK(ana.spawned.size() == 1);
}

TEST_CASE("with -i no other key is let in, and no pair is made") {
  Person ana;
  ana.wishes.only_these_keys = true;
  ana.wishes.key_files = {"/elsewhere"};
  CHECK(ana.see_to().ok());
  CHECK(ana.sent.empty());
  CHECK(ana.files.empty());
}

TEST_CASE("for later nothing is written but a pair") {
  Person ana;
  auto who = ana.see_to(KeyInstaller::When::later);
  REQUIRE(who.ok());
  CHECK(who->key_files == std::vector<std::string>{"/home/ana/.local/state/nbform/id_ed25519"});
  CHECK(ana.sent.empty());
}

TEST_CASE("a refusal names the permission and the other way") {
  Person ana;
  ana.has("/home/ana/.ssh/id_ed25519");
  ana.on("POST", kWrite, 403,
         R"({"error":{"code":403,"message":"Required 'compute.instances.setMetadata' permission",
      "errors":[{"reason":"forbidden"}]}})");
  auto who = ana.see_to();
  REQUIRE_FALSE(who.ok());
  CHECK(who.error().code == Code::denied);
  CHECK(who.error().address == "train");
  CHECK(who.error().hint.find("iam.serviceAccounts.actAs") != std::string::npos);
  CHECK(who.error().hint.find("access: {ssh: {keys: [KEY.pub]}}") != std::string::npos);
}

TEST_CASE("OS Login is told the key and tells the name, once a day") {
  Person ana;
  ana.os_login = true;
  ana.wishes.keys_declared = ana.wishes.user_declared = true;  // of no effect there
  ana.has("/home/ana/.ssh/id_ed25519");
  ana.on("GET", "https://www.googleapis.com/oauth2/v3/userinfo", 200, R"({"email":"ana@example.com"})");
  ana.on("POST", kImport, 200,
         R"({"loginProfile":{"posixAccounts":[{"username":"ana_example_com","primary":true}]}})");
  auto who = ana.see_to();
  REQUIRE(who.ok());
  CHECK(who->user == "ana_example_com");
  CHECK(who->by_cloud);
  CHECK(who->said == "~/.ssh/id_ed25519 until 01-16 08:00 UTC, OS Login");
  CHECK(who->notices ==
        std::vector<std::string>{
            "OS Login rules the names: ana_example_com signs in, not nbform as access.ssh.user has it."});
  auto again = ana.see_to();
  CHECK(again->user == "ana_example_com");
  CHECK_FALSE(again->fresh);
  CHECK(ana.count("POST", kImport) == 1);
  ana.clock = ana.clock + std::chrono::hours(24);
  CHECK(ana.see_to()->fresh);
  CHECK(ana.count("POST", kImport) == 2);
}

TEST_CASE("OS Login wants to know who asks") {
  Person ana;
  ana.os_login = true;
  ana.has("/home/ana/.ssh/id_ed25519");
  ana.on("GET", "https://www.googleapis.com/oauth2/v3/userinfo", 200, R"({"sub":"1"})");
  auto nobody = ana.see_to();
  REQUIRE_FALSE(nobody.ok());
  CHECK(nobody.error().code == Code::unauthenticated);
  ana.variables["CLOUDSDK_CORE_ACCOUNT"] = "ana@example.com";
  ana.on("POST", kImport, 403, R"({"error":{"code":403,"message":"no","status":"PERMISSION_DENIED"}})");
  auto refused = ana.see_to();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().hint.find("roles/compute.osLogin") != std::string::npos);
  CHECK(refused.error().hint.find("roles/iam.serviceAccountUser") != std::string::npos);
}

TEST_CASE("a service without such a way signs in as it is") {
  Person ana;
  ana.wishes.access = find_service("ec2")->ssh();
  ana.wishes.user = "ubuntu";
  auto who = ana.see_to();
  REQUIRE(who.ok());
  CHECK(who->user == "ubuntu");
  CHECK(ana.sent.empty());
}
