#include "trouble.h"

namespace nbform::crash {

const std::vector<Trouble>& troubles() {
  static const std::vector<Trouble> all = {
      {"503", Map{{"status", 503}}, true},
      {"lost request", Map{{"drop", "before"}}, true},
      {"lost answer", Map{{"drop", "after"}}, true},
      {"cut answer", Map{{"cut", 7}}, false},
      {"late answer", Map{{"delay", "200s"}}, true},
      {"403", Map{{"status", 403}}, false},
      {"404", Map{{"status", 404}}, false},
      {"412", Map{{"status", 412}}, false},
      {"busy operation", Map{{"operation", Map{{"code", "RESOURCE_NOT_READY"}, {"status", 400}}}}, true},
      {"stale operation", Map{{"operation", Map{{"code", "CONDITION_NOT_MET"}, {"status", 412}}}}, true},
      {"failed operation", Map{{"operation", Map{{"code", "INTERNAL_ERROR"}, {"status", 500}}}}, false}};
  return all;
}

}  // namespace nbform::crash
