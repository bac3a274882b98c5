// What a VM's guest shows to the outside, serial output and guest attributes, and permission tests.
#include <fmt/format.h>

#include "base/text.h"
#include "sim/instances.h"
#include "sim/refusal.h"

namespace nbform::sim {

namespace {

Result<Reply> serial_output(State& state, const Call& call) {
  Resource* vm = NB_TRY(existing_instance(state, call));
  std::string text(vm->hidden["serial"].as_text());
  auto start = static_cast<std::size_t>(std::max<std::int64_t>(0, Value(call.param("start")).as_int()));
  start = std::min(start, text.size());
  return reply(call, Map{{"kind", "compute#serialPortOutput"},
                         {"contents", text.substr(start)},
                         {"start", std::to_string(start)},
                         {"next", std::to_string(text.size())},
                         {"selfLink", std::string((*vm)["selfLink"].as_text()) + "/serialPort"}});
}

// "hostkeys/" asks for a namespace, "hostkeys/ssh-rsa" for one value.
Result<Reply> guest_attributes(State& state, const Call& call) {
  Resource* vm = NB_TRY(existing_instance(state, call));
  std::string asked(call.has("variableKey") ? call.param("variableKey") : call.param("queryPath"));
  List items;
  for (const auto& [space, keys] : vm->hidden["guest"].as_map())
    for (const auto& [key, value] : keys.as_map())
      if (asked.empty() || asked == space || asked == space + "/" || asked == space + "/" + key)
        items.push_back(Map{{"namespace", space}, {"key", key}, {"value", value}});
  if (items.empty())
    return refuse("notFound",
                  fmt::format("The resource '{}' of type 'Guest Attribute' was not found.", asked));
  Map wire{{"kind", "compute#guestAttributes"},
           {"selfLink", std::string((*vm)["selfLink"].as_text()) + "/guestAttributes/" + asked}};
  if (call.has("variableKey")) {
    wire.set("variableKey", asked);
    wire.set("variableValue", items[0]["value"]);
  } else {
    wire.set("queryPath", asked);
    wire.set("queryValue", Map{{"items", std::move(items)}});
  }
  return reply(call, Value(std::move(wire)));
}

Result<Reply> test_permissions(State& state, const Call& call) {
  List held;
  for (const Value& wanted : call.body["permissions"].as_list())
    if (!state.denied.contains(std::string(wanted.as_text()))) held.push_back(wanted);
  return reply(call, held.empty() ? Value(Map()) : Value(Map{{"permissions", held}}));
}

constexpr Handling kMethods[] = {
    {"instances.getSerialPortOutput", serial_output},
    {"instances.getGuestAttributes", guest_attributes},
    {"instances.testIamPermissions", test_permissions},
    {"disks.testIamPermissions", test_permissions},
};

}  // namespace

std::span<const Handling> guest_methods() {
  return kMethods;
}

}  // namespace nbform::sim
