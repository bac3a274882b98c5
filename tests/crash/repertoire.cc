#include "repertoire.h"

namespace nbform::crash {

const Repertoire& gce_repertoire() {
  static const Repertoire all{
      &gce_ground(),
      &gce_intents(),
      {"slow-visibility", "flickering-visibility", "short-memory", "leftover-disks", "staging-after-done",
       "disk-name-attaches", "exists-in-operation"},
      {{"503", Map{{"status", 503}}, true},
       {"lost request", Map{{"drop", "before"}}, true},
       {"lost answer", Map{{"drop", "after"}}, true},
       {"cut answer", Map{{"cut", 7}}, false},
       {"late answer", Map{{"delay", "200s"}}, true},
       {"403", Map{{"status", 403}}, false},
       {"404", Map{{"status", 404}}, false},
       {"412", Map{{"status", 412}}, false},
       {"busy operation", Map{{"operation", Map{{"code", "RESOURCE_NOT_READY"}, {"status", 400}}}}, true},
       {"stale operation", Map{{"operation", Map{{"code", "CONDITION_NOT_MET"}, {"status", 412}}}}, true},
       {"failed operation", Map{{"operation", Map{{"code", "INTERNAL_ERROR"}, {"status", 500}}}}, false}}};
  return all;
}

// What EC2 refuses with a code of its own, besides the bad answers that every server may give.
const Repertoire& ec2_repertoire() {
  auto refusal = [](const char* code, int status) {
    return Map{{"error", Map{{"code", code}, {"status", status}}}};
  };
  static const Repertoire all{
      &ec2_ground(),
      &ec2_intents(),
      {"slow-visibility", "flickering-visibility", "repeated-rows", "shuffled-sets", "token-regional"},
      {{"503", Map{{"status", 503}}, true},
       {"lost request", Map{{"drop", "before"}}, true},
       {"lost answer", Map{{"drop", "after"}}, true},
       {"cut answer", Map{{"cut", 7}}, false},
       {"late answer", Map{{"delay", "200s"}}, true},
       {"throttled", refusal("RequestLimitExceeded", 503), true},
       {"not allowed", refusal("UnauthorizedOperation", 403), false},
       {"not found", refusal("InvalidInstanceID.NotFound", 400), false},
       {"wrong state", refusal("IncorrectInstanceState", 400), false},
       {"internal", refusal("InternalError", 500), true},
       {"unavailable", refusal("Unavailable", 503), true},
       {"no capacity", refusal("InsufficientInstanceCapacity", 500), false},
       {"failed launch", Map{{"operation", Map{{"code", "Server.InternalError"}, {"status", 500}}}}, false}},
      3};
  return all;
}

}  // namespace nbform::crash
