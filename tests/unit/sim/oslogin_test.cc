// OS Login as the simulated cloud has it: whose keys, until when, and which VMs it rules.
#include "base/crypto.h"
#include "world_fixture.h"

using namespace nbform;
using namespace nbform::sim;

namespace {

const std::string kMe = "https://oslogin.googleapis.com/v1/users/me%40example.com";
const std::string kKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGUyZS1rZXktZTJlLWtleS1lMmUta2V5LWUyZS1r";

struct Login : Cloud {
  Value call(std::string method, const std::string& url, const Value& body = {}, int status = 200) {
    Request r{.method = std::move(method), .url = url, .headers = {{"Authorization", "Bearer sandbox"}}};
    if (!body.is_null()) r.body = to_json(body);
    Response answer = world.handle(r, now).response.value();
    INFO(url << ": " << answer.body);
    REQUIRE(answer.status == status);
    return *parse_json(answer.body);
  }
  Value import(const Value& body, int status = 200, const std::string& who = kMe) {
    return call("POST", who + ":importSshPublicKey?projectId=acme-ml", body, status);
  }
  Value key(Duration lasts = std::chrono::hours(1)) const {
    return Map{{"key", kKey}, {"expirationTimeUsec", std::to_string((now + lasts).us)}};
  }
};

}  // namespace

TEST_CASE("a key is imported, shown and over at its time") {
  Login c;
  Value profile = c.import(c.key())["loginProfile"];
  CHECK(profile.at_path("posixAccounts/0/username").as_text() == "me_example_com");
  CHECK(profile.at_path("posixAccounts/0/primary").as_bool());
  std::string print = hex(sha256(kKey));
  CHECK(profile["sshPublicKeys"][print]["key"].as_text() == kKey);
  CHECK(c.call("GET", kMe + "/loginProfile")["sshPublicKeys"].as_map().size() == 1);
  c.wait(std::chrono::minutes(61));
  CHECK(c.call("GET", kMe + "/loginProfile")["sshPublicKeys"].is_null());
  c.call("DELETE", kMe + "/sshPublicKeys/" + print, {}, 404);
  c.import(c.key());
  c.call("DELETE", kMe + "/sshPublicKeys/" + print);
  CHECK(c.call("GET", kMe + "/loginProfile")["sshPublicKeys"].is_null());
}

TEST_CASE("what OS Login refuses") {
  Login c;
  auto status = [&](const Value& body, int code, const std::string& who = kMe) {
    return std::string(c.import(body, code, who)["error"]["status"].as_text());
  };
  CHECK(status(Map{{"key", "ssh-ed25519 AAAA"}}, 400) == "INVALID_ARGUMENT");
  CHECK(status(Map{{"key", kKey + "\nmore"}}, 400) == "INVALID_ARGUMENT");
  CHECK(status(Map{{"key", "ssh-rsa" + kKey.substr(11)}}, 400) == "INVALID_ARGUMENT");
  CHECK(status(c.key(-std::chrono::seconds(1)), 400) == "INVALID_ARGUMENT");
  CHECK(status(Map{{"key", kKey}, {"expirationTimeUsec", 1900000000000000}}, 400) == "INVALID_ARGUMENT");
  CHECK(status(Map{{"key", kKey}, {"fingerprint", "x"}}, 400) == "INVALID_ARGUMENT");
  CHECK(status(c.key(), 403, "https://oslogin.googleapis.com/v1/users/you%40example.com") ==
        "PERMISSION_DENIED");
  c.call("POST", kMe + ":importSshPublicKey?project=acme-ml", c.key(), 400);
  c.world.deny("compute.instances.osLogin");
  CHECK(status(c.key(), 403) == "PERMISSION_DENIED");
}

TEST_CASE("a token says whose it is") {
  Login c;
  CHECK(c.call("GET", "https://www.googleapis.com/oauth2/v3/userinfo")["email"].as_text() ==
        "me@example.com");
}

TEST_CASE("a VM's metadata goes before its project's, and GET shows what counts") {
  Login c;
  Value body = notebook("train");
  c.run("POST", std::string(kZone) + "instances", body);
  auto rules = [&] {
    return c.vm("train")
        .at_path("resourceStatus/effectiveInstanceMetadata/enableOsloginMetadataValue")
        .as_bool();
  };
  CHECK_FALSE(rules());
  REQUIRE(c.world.administer(Map{{"do", "project"}, {"key", "enable-oslogin"}, {"value", "TRUE"}}).ok());
  CHECK(rules());
  CHECK(c.get("projects/acme-ml").at_path("commonInstanceMetadata/items/0/key").as_text() ==
        "enable-oslogin");
  Value metadata = c.vm("train")["metadata"];
  c.run("POST", std::string(kZone) + "instances/train/setMetadata",
        Map{{"fingerprint", metadata["fingerprint"]},
            {"items", List{Map{{"key", "enable-oslogin"}, {"value", "FALSE"}}}}});
  CHECK_FALSE(rules());
  auto again = World::from_json(c.world.to_json());
  REQUIRE(again.ok());
  c.world = std::move(*again);
  CHECK(c.get("projects/acme-ml").at_path("commonInstanceMetadata/items/0/value").as_text() == "TRUE");
}
