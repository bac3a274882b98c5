// A cloud to rehearse on: what is said to it in its own words by whoever drives the runs. One for each cloud.
// Knows no scenario, and judges nothing.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/message.h"
#include "engine/wire.h"
#include "manifest/notebook.h"
#include "sim/cloud.h"

namespace nbform::crash {

struct Ground {
  std::string_view name;
  std::string_view service;   // in fault scripts
  sim::Options (*options)();  // of a small one: the shorter its lists, the faster a run
  std::map<std::string, std::string> accounts;
  Notebook (*sample)(const std::string& key);
  void (*declare)(Manifest& manifest);                       // what the files say of the cloud itself
  void (*admit)(sim::World& world, const std::string& who);  // somebody may send requests from now on
  WireOptions (*wire)(const std::string& who);
  bool (*changes)(const Request& request);          // no mere question
  std::string (*identity)(const Request& request);  // the same for each try of one request
};

const Ground& gce_ground();
const Ground& ec2_ground();

// What a colleague does in the console. The status; 0: no answer.
int gce_console(sim::World& world, const std::string& method, const std::string& path,
                const Value& body = {});
// Flat parameters, as EC2's query protocol has them: {"InstanceId.1": ID}. The answer; "" for a refusal.
std::string ec2_console(sim::World& world, const std::string& action, const Map& parameters = {},
                        const std::string& region = "us-west-2");
// An instance that somebody launched by hand, with a volume of its own at /dev/sdf. Its id; "" where that is
// refused.
std::string ec2_stranger(sim::World& world, const Map& tags = {});
// The living instance of the notebook train, whatever its tags; null where there is none.
Value ec2_machine(const sim::World& world);

}  // namespace nbform::crash
