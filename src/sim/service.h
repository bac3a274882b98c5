// The services of the simulated clouds: whose a request is, who answers it, what a fault script sees in it,
// and how its refusals look. A cloud is a few rows of one table (services.cc). Knows no cloud.
#pragma once

#include <string>
#include <string_view>

#include "sim/state.h"

namespace nbform::sim {

// What a fault script can look at in a request, beside its path.
struct Subject {
  std::string call, zone, machine;  // "instances.insert", "RunInstances"; "" where there is none
};

struct Service {
  std::string_view name;
  Answer (*answer)(State&, const Request&, const Url&);
  // A refusal with this status in the service's own envelope; `code` "" = the one that it would use.
  Response (*trouble)(State&, int status, std::string_view code, std::string_view message);
  Subject (*subject)(State&, const Request&, const Url&) = nullptr;
  int (*status_of)(std::string_view code) = nullptr;
  Value (*note)(const Request&, const Url&) = nullptr;  // what the diary keeps of a request, a map
};

// By host, path, signature or form: a request to no service known is answered like one to a wrong path.
const Service& service_for(const Request& request, const Url& url);

}  // namespace nbform::sim
