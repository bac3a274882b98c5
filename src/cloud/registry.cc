// The services of this build, a line each.
#include "cloud/cloud.h"

namespace nbform {

namespace gce {
const Service& service();
}
namespace ec2 {
const Service& service();
}

std::vector<const Service*> services() {
  return {&gce::service(), &ec2::service()};
}

const Service* find_service(std::string_view name) {
  for (const Service* service : services())
    if (service->name() == name) return service;
  return nullptr;
}

}  // namespace nbform
