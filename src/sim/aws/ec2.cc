#include "sim/aws/ec2.h"

#include <map>

namespace nbform::sim::aws {

const Action* find_action(std::string_view name) {
  static const std::map<std::string_view, const Action*> all = [] {
    std::map<std::string_view, const Action*> out;
    for (auto share : {launch_actions(), instance_actions(), attribute_actions(), profile_actions(),
                       spot_actions(), volume_actions(), modification_actions(), group_actions(),
                       rule_actions(), key_actions(), tag_actions(), network_actions(), offer_actions()})
      for (const Action& action : share) out[action.name] = &action;
    return out;
  }();
  auto it = all.find(name);
  return it == all.end() ? nullptr : it->second;
}

}  // namespace nbform::sim::aws
