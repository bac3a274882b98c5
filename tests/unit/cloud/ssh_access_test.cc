// Where machines show their host keys, and who signs in.
#include "cloud/ssh_access.h"

#include "base/crypto.h"
#include "cloud/cloud.h"
#include "support/catch.h"

using namespace nbform;

namespace {

using Keys = std::vector<std::string>;

const SshAccess& access_of(std::string_view service) {
  return *find_service(service)->ssh();
}

Live machine(std::string name) {
  Live live;
  live.name = std::move(name);
  live.zone = "us-central1-b";
  live.scope = {"gce", "gcp", "acme", ""};
  live.numeric_id = 42;
  return live;
}

constexpr std::string_view kFirstBoot =
    "<14>Nov 21 12:00:40 cloud-init: -----BEGIN SSH HOST KEY FINGERPRINTS-----\r\n"
    "<14>Nov 21 12:00:40 cloud-init: 256 SHA256:abc root@ip (ED25519)\r\n"
    "<14>Nov 21 12:00:40 cloud-init: -----END SSH HOST KEY FINGERPRINTS-----\r\n"
    "-----BEGIN SSH HOST KEY KEYS-----\r\n"
    "ecdsa-sha2-nistp256 AAAAE2Vj root@ip\r\n"
    "[   12.34] a kernel's message\r\n"
    "[   12.35] ssh-ed25519 AAAAC3Nz root@ip\r\n"
    "-----END SSH HOST KEY KEYS-----\r\n";

}  // namespace

TEST_CASE("host keys are read from the console's last whole block, whatever else it prints") {
  CHECK(host_keys_in_console(kFirstBoot) == Keys{"ecdsa-sha2-nistp256 AAAAE2Vj", "ssh-ed25519 AAAAC3Nz"});
  std::string twice = std::string(kFirstBoot) +
                      "-----BEGIN SSH HOST KEY KEYS-----\nssh-ed25519 AAAAnew x\n"
                      "-----END SSH HOST KEY KEYS-----\n";
  CHECK(host_keys_in_console(twice) == Keys{"ssh-ed25519 AAAAnew"});
  CHECK(host_keys_in_console(twice + "-----BEGIN SSH HOST KEY KEYS-----\nssh-ed25519 AAAAcut") ==
        Keys{"ssh-ed25519 AAAAnew"});
  CHECK(host_keys_in_console(
            "noise\nstartup-script: nbform-hostkey: ssh-ed25519 AAAAown vm\nssh-rsa AAAAother\n") ==
        Keys{"ssh-ed25519 AAAAown"});
  CHECK(host_keys_in_console("").empty());
  CHECK(host_keys_in_console("-----END SSH HOST KEY KEYS-----\nssh-ed25519 AAAA").empty());
}

TEST_CASE("Compute Engine has a relay for machines without a public address, EC2 has none") {
  RelayTarget to = access_of("gce").relay(machine("train")).value();
  CHECK(to.project == "acme");
  CHECK(to.zone == "us-central1-b");
  CHECK(to.instance == "train");
  CHECK(access_of("gce").relay_rules(machine("train")).path == "projects/acme/global/firewalls");
  CHECK_FALSE(access_of("ec2").relay(machine("i-1")));
}

TEST_CASE("a VM's host keys come from its guest attributes, else from its serial port") {
  const SshAccess& gce = access_of("gce");
  std::vector<MachineCall> sources = gce.host_key_sources(machine("train"));
  REQUIRE(sources.size() == 2);
  CHECK(sources[0].call.path == "projects/acme/zones/us-central1-b/instances/train/getGuestAttributes");
  CHECK(sources[0].call.query == Query{{"queryPath", "hostkeys/"}});
  CHECK(sources[1].call.path == "projects/acme/zones/us-central1-b/instances/train/serialPort");
  Value answer(Map{
      {"queryValue",
       Map{{"items", List{Map{{"namespace", "hostkeys"}, {"key", "ssh-ed25519"}, {"value", "AAAAC3Nz"}}}}}}});
  CHECK(gce.host_keys(answer) == Keys{"ssh-ed25519 AAAAC3Nz"});
  CHECK(gce.host_keys(Value(Map{{"contents", kFirstBoot}})).size() == 2);
  CHECK(gce.machine_id(machine("train")) == "gce/acme/42");
}

TEST_CASE("an instance's host keys come from its console, the newest output first") {
  const SshAccess& ec2 = access_of("ec2");
  std::vector<MachineCall> sources = ec2.host_key_sources(machine("i-0abc"));
  REQUIRE(sources.size() == 2);
  CHECK(sources[0].call.body["Latest"].as_bool());
  CHECK(sources[1].call.body["Latest"].is_null());
  CHECK(sources[1].call.body["InstanceId"].as_text() == "i-0abc");
  CHECK(ec2.host_keys(Value(Map{{"output", base64(kFirstBoot)}})).size() == 2);
  CHECK(ec2.host_keys(Value(Map{{"instanceId", "i-0abc"}})).empty());
  CHECK(ec2.machine_id(machine("i-0abc")) == "ec2/i-0abc");
}

TEST_CASE("one signs in as the user that nbform or the image makes") {
  CHECK(access_of("gce").login(machine("train")) == "nbform");
  Live instance = machine("i-0abc");
  CHECK(access_of("ec2").login(instance).empty());
  auto with = [&](std::string_view image) {
    instance.attributes.set("image", image);
    return access_of("ec2").login(instance);
  };
  CHECK(with("ssm:/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04") == "ubuntu");
  CHECK(with("ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64") == "ec2-user");
  CHECK(with("ami-0123456789abcdef0").empty());
}

TEST_CASE("Jupyter listens where the image starts it") {
  Live vm = machine("train");
  CHECK(access_of("gce").jupyter_port(vm) == 8080);
  vm.attributes.set("image", "family deeplearning-platform-release/common-cu129");
  CHECK(access_of("gce").jupyter_port(vm) == 8080);
  vm.attributes.set("image", "family debian-cloud/debian-12");
  CHECK(access_of("gce").jupyter_port(vm) == 8888);
  CHECK(access_of("ec2").jupyter_port(machine("i-0abc")) == 8888);
}
