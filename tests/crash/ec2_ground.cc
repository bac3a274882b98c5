#include <fmt/format.h>

#include "ground.h"
#include "net/sigv4.h"
#include "support/stage.h"

namespace nbform::crash {

namespace {

constexpr std::string_view kAccount = sim::kAwsAccount;

// Each person and each run has a key of its own: the diary tells them apart.
AwsKeys keys_of(const std::string& who) {
  return {"AKIA" + who, Secret("the secret of " + who), Secret()};
}

Notebook sample(const std::string& key) {
  Notebook n = sample_notebook(key);
  n.service = "ec2";
  n.cloud = "aws";
  n.where = {"us-west-2a"};
  n.machine.type = Text("g4dn.xlarge");
  n.image = Setting<Image>();
  n.disks.clear();
  return n;
}

void declare(Manifest& manifest) {
  Cloud aws;
  aws.name = aws.type = "aws";
  aws.region = Text("us-west-2");
  manifest.clouds["aws"] = aws;
}

void admit(sim::World& world, const std::string& who) {
  AwsKeys keys = keys_of(who);
  world.add_aws_key(keys.id, keys.secret.reveal(), std::string(kAccount),
                    fmt::format("arn:aws:iam::{}:user/{}", kAccount, who));
}

WireOptions wire_of(const std::string& who) {
  WireOptions options;
  options.aws["aws"].sandbox = keys_of(who);
  return options;
}

// Every request of EC2's is a POST.
bool changes(const Request& request) {
  if (header(request.headers, "x-amz-target")) return false;
  for (std::string_view reads : {"Action=Describe", "Action=Get"})
    if (request.body.find(reads) != std::string::npos) return false;
  return true;
}

std::string identity(const Request& request) {
  return request.url + "?" + request.body;
}

}  // namespace

const Ground& ec2_ground() {
  static const Ground ground{"ec2",
                             "ec2",
                             [] { return sim::Options(); },
                             {{"aws", std::string(kAccount)}},
                             sample,
                             declare,
                             admit,
                             wire_of,
                             changes,
                             identity};
  return ground;
}

std::string ec2_console(sim::World& world, const std::string& action, const Map& parameters,
                        const std::string& region) {
  Query form{{"Action", action}, {"Version", "2016-11-15"}};
  for (const auto& [name, value] : parameters) form.emplace_back(name, value.as_text());
  Request request{.method = "POST", .url = fmt::format("https://ec2.{}.amazonaws.com/", region)};
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  request.body = form_encode(form);
  request = sign_v4(std::move(request), keys_of("colleague"), {"ec2", region}, world.now());
  sim::Answer answer = world.handle(request, world.now());
  return answer.response && answer.response->ok() ? answer.response->body : std::string();
}

std::string ec2_stranger(sim::World& world, const Map& tags) {
  Map launch{{"ImageId", "ami-03d0dc2998525a94f"},
             {"InstanceType", "t3.medium"},
             {"MinCount", "1"},
             {"MaxCount", "1"},
             {"Placement.AvailabilityZone", "us-west-2a"},
             {"BlockDeviceMapping.1.DeviceName", "/dev/sdf"},
             {"BlockDeviceMapping.1.Ebs.VolumeSize", "10"},
             {"BlockDeviceMapping.1.Ebs.DeleteOnTermination", "false"}};
  if (!tags.empty()) launch.set("TagSpecification.1.ResourceType", "instance");
  int n = 0;
  for (const auto& [key, value] : tags) {
    launch.set(fmt::format("TagSpecification.1.Tag.{}.Key", ++n), key);
    launch.set(fmt::format("TagSpecification.1.Tag.{}.Value", n), value);
  }
  std::string answer = ec2_console(world, "RunInstances", launch);
  auto at = answer.find("<instanceId>");
  if (at == std::string::npos) return {};
  return answer.substr(at + 12, answer.find('<', at + 1) - at - 12);
}

Value ec2_machine(const sim::World& world) {
  for (const Value& vm : world.resources("ec2.instances")) {
    std::string_view state = vm["instanceState"]["name"].as_text();
    bool ends = state == "terminated" || state == "shutting-down";
    bool launched_by_us = vm["clientToken"].as_text().starts_with("nbform-");
    bool again = vm["clientToken"].as_text().empty() && vm["instanceLifecycle"].as_text() == "spot";
    if (!ends && (launched_by_us || again)) return vm;
  }
  return {};
}

}  // namespace nbform::crash
