// Keys that connect lets in: lines of the metadata value ssh-keys, whoever wrote them, and OS Login.
#include "cloud/gce/connect_keys.h"

#include "base/json.h"
#include "cloud/gce/gce.h"
#include "cloud/gce/instance_steps.h"
#include "cloud/key_way.h"
#include "support/catch.h"

using namespace nbform;
using namespace nbform::gce;

namespace {

const std::string kMine = "ssh-ed25519 AAAAC3Nzmine", kOther = "ssh-ed25519 AAAAC3Nzother";
const Time kNow = *parse_rfc3339("2026-11-22T05:00:00Z");
const Time kTomorrow = kNow + std::chrono::hours(24);

std::string google(const std::string& key, std::string_view json, std::string_view user = "nbform") {
  return std::string(user) + ":" + key + " google-ssh " + std::string(json);
}

Value json(std::string_view text) {
  auto value = parse_json(text);
  REQUIRE(value.ok());
  return *value;
}

// A VM as GET shows it.
Live vm(const List& metadata, const Value& effective = {}) {
  Map body{{"name", "train"},
           {"zone", "projects/acme/zones/us-central1-b"},
           {"id", "42"},
           {"status", "RUNNING"},
           {"metadata", Map{{"fingerprint", "f1ng3r"}, {"items", metadata}}}};
  if (!effective.is_null())
    body.set("resourceStatus",
             Map{{"effectiveInstanceMetadata", Map{{"enableOsloginMetadataValue", effective}}}});
  auto live = instance_kind().decode({"gce", "gcp", "acme", ""}, Value(body));
  REQUIRE(live.ok());
  return *live;
}

Value item(std::string_view key, std::string_view value) {
  return Map{{"key", key}, {"value", value}};
}

}  // namespace

TEST_CASE("a line of connect is one that the guest agent lets expire") {
  std::string line = connect_line("nbform", kMine, kTomorrow);
  CHECK(
      line ==
      R"(nbform:ssh-ed25519 AAAAC3Nzmine google-ssh {"userName":"nbform-connect","expireOn":"2026-11-23T05:00:00+0000"})");
  auto read = read_key_line(line);
  REQUIRE(read);
  CHECK(read->user == "nbform");
  CHECK(read->key == kMine);
  CHECK(read->until == kTomorrow);
  CHECK(read->of_connect);
  CHECK(own_key_lines(line, "research_3f9a1c2e").empty());  // no plan manages it
}

TEST_CASE("lines of others are read as the guest agent reads them") {
  CHECK(read_key_line("ana:ssh-rsa AAAAB3 ana@laptop")->key == "ssh-rsa AAAAB3");
  CHECK_FALSE(read_key_line("ana:ssh-rsa AAAAB3")->until);
  auto console = read_key_line(google(kOther, R"({"userName":"a@b.c","expireOn":"2026-12-31T23:59:59Z"})"));
  REQUIRE(console);
  CHECK_FALSE(console->of_connect);
  CHECK(console->until == *parse_rfc3339("2026-12-31T23:59:59Z"));
  for (const char* rejected :
       {"", ":", "nbform", ":ssh-rsa AAAA", "a b:ssh-rsa AAAA x", "nbform:ssh-rsa", "nbform:ssh-rsa  AAAA",
        "nbform:ssh-xyz AAAA", "nbform:from=\"1.2.3.4\" ssh-rsa AAAA", "nbform:ssh-rsa AAAA google-ssh",
        "nbform:ssh-rsa AAAA google-ssh {", "nbform:ssh-rsa AAAA google-ssh [1]",
        "nbform:ssh-rsa AAAA google-ssh {\"userName\":\"nbform-connect\"}",
        "nbform:ssh-rsa AAAA google-ssh {\"userName\":\"nbform-connect\",\"expireOn\":\"soon\"}",
        "nbform:ssh-rsa AAAA google-ssh {\"userName\":\"nbform-connect\",\"expireOn\":\"+0\"}"}) {
    INFO(rejected);
    CHECK_FALSE(read_key_line(rejected));
  }
}

TEST_CASE("a key is added and nothing of others is touched, however odd") {
  std::string others =
      "ana:ssh-rsa AAAAB3 ana@laptop\r\n\n  \tspaces : and:colons \nbob:ssh-rsa AAAA google-ssh {bad\n" +
      google(kOther, R"({"userName":"a@b.c","expireOn":"2001-01-01T00:00:00+0000"})") +
      "\nnbform:ssh-ed25519 AAAA nbform:research_3f9a1c2e";
  std::string line = connect_line("nbform", kMine, kTomorrow);
  CHECK(with_connect_line("", line, kNow) == line);
  CHECK(with_connect_line(others, line, kNow) == others + "\n" + line);
  CHECK(with_connect_line(others + "\n", line, kNow) == others + "\n" + line + "\n");
  CHECK(with_connect_line("\n", line, kNow) == "\n" + line + "\n");
}

TEST_CASE("what connect wrote goes when it is over or written again, and no sooner") {
  std::string line = connect_line("nbform", kMine, kTomorrow);
  std::string over = connect_line("nbform", kOther, kNow),
              older = connect_line("nbform", kMine, kNow + std::chrono::hours(1));
  std::string live = connect_line("nbform", kOther, kNow + std::chrono::hours(1)),
              of_user = connect_line("ana", kMine, kTomorrow);
  std::string looks_like = "x:ssh-rsa AAAA nbform-connect 2001-01-01";
  std::string all = over + "\nA:b\n" + older + "\n" + live + "\n" + of_user + "\n" + looks_like;
  CHECK(with_connect_line(all, line, kNow) ==
        "A:b\n" + live + "\n" + of_user + "\n" + looks_like + "\n" + line);
  CHECK(with_connect_line(over, line, kNow) == line);
  CHECK(with_connect_line(line, line, kNow) == line);
}

TEST_CASE("a key that is let in already needs no other") {
  std::string all = "nbform:" + kMine + " nbform:research\n" + connect_line("ana", kOther, kTomorrow);
  CHECK(lets_key_in(all, "nbform", kMine, kTomorrow));
  CHECK_FALSE(lets_key_in(all, "ana", kMine, kTomorrow));
  CHECK_FALSE(lets_key_in(all, "nbform", kOther, kNow));
  CHECK(lets_key_in(all, "ana", kOther, kTomorrow));
  CHECK_FALSE(lets_key_in(all, "ana", kOther, kTomorrow + std::chrono::seconds(1)));
  CHECK_FALSE(lets_key_in("nbform:command=\"x\" " + kMine, "nbform", kMine, kNow));
}

TEST_CASE("the VM's metadata takes a key with its fingerprint, and keeps all else") {
  Live train = vm({item("startup-script", "echo hi"), item("ssh-keys", "ana:" + kOther)}, false);
  const KeyWay& way = key_way(train);
  CHECK(way.name() == "the VM's metadata");
  KeyGrant grant{"nbform", kMine, "", kNow, kTomorrow};
  CHECK_FALSE(way.lets_in(train, grant));
  Call call = way.let_in(train, grant, "id");
  CHECK(call.path == "projects/acme/zones/us-central1-b/instances/train/setMetadata");
  CHECK(call.query == Query{{"requestId", "id"}});
  CHECK(call.body["fingerprint"].as_text() == "f1ng3r");
  CHECK(call.body["items"] ==
        Value(List{item("ssh-keys", "ana:" + kOther + "\n" + connect_line("nbform", kMine, kTomorrow)),
                   item("startup-script", "echo hi")}));
  CHECK(way.lets_in(vm({call.body.at_path("items/0")}), grant));
}

TEST_CASE("OS Login rules where instance and project together say so") {
  auto rules = [](const Live& live) { return key_way(live).rules_logins(); };
  CHECK(rules(vm({}, true)));
  CHECK_FALSE(rules(vm({}, false)));
  CHECK_FALSE(rules(vm({item("enable-oslogin", "TRUE")}, false)));
  CHECK(rules(vm({item("enable-oslogin", "TRUE")})));
  CHECK_FALSE(rules(vm({item("enable-oslogin", "FALSE")})));
  CHECK_FALSE(rules(vm({})));
}

TEST_CASE("OS Login takes a key with its end, and says who one is") {
  Live train = vm({}, true);
  const KeyWay& way = key_way(train);
  KeyGrant grant{"nbform", kMine, "ana+nb@example.com", kNow, kTomorrow};
  CHECK_FALSE(way.hindrance(train));
  CHECK_FALSE(way.lets_in(train, grant));
  Call call = way.let_in(train, grant, "id");
  CHECK(call.api == "oslogin");
  CHECK(call.path == "users/ana%2Bnb%40example.com:importSshPublicKey");
  CHECK(call.query == Query{{"projectId", "acme"}});
  CHECK(to_json(call.body) ==
        R"({"expirationTimeUsec":"1795410000000000","key":"ssh-ed25519 AAAAC3Nzmine"})");
  Value answer = json(
      R"({"loginProfile":{"posixAccounts":[{"username":"old"},{"username":"ana_example_com","primary":true},
                          {"username":"later"}]}})");
  CHECK(way.login(answer, grant).value() == "ana_example_com");
  CHECK(way.login(json(R"({"loginProfile":{"posixAccounts":[{"username":"only"}]}})"), grant).value() ==
        "only");
  CHECK_FALSE(way.login(json(R"({"loginProfile":{}})"), grant).ok());
  CHECK(way.settle({}, Response{403, {}, "{}"}).failure.code == Code::denied);
}

TEST_CASE("a second factor is more than a key") {
  Live train = vm({item("enable-oslogin-2fa", "TRUE")}, true);
  auto why = key_way(train).hindrance(train);
  REQUIRE(why);
  CHECK(why->detail.find("enable-oslogin-2fa") != std::string::npos);
}
