// The fault script: which requests go wrong, and how. A list of {match, do, times};
// schemas/faults.schema.json is its published shape. Decides only; World does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/message.h"
#include "base/result.h"
#include "base/time.h"
#include "base/value.h"

namespace nbform::sim {

// A refusal in the service's own envelope. status 0: the one that belongs to the code.
struct FaultError {
  std::string code, message;
  int status = 0;
};

struct FaultAction {
  enum class Drop { none, before, after };
  std::optional<int> status;
  std::optional<FaultError> error;
  std::optional<std::string> body;
  Headers headers;
  Duration delay{0};
  Drop drop = Drop::none;
  std::optional<std::size_t> cut;
  bool effect = false;                   // with `status` or `error`: the request takes effect all the same
  std::optional<std::string> operation;  // the operation it starts fails with this code (EC2: the launch)
  std::string operation_message;
  int operation_status = 503;
  std::vector<std::string> zones_available;
  bool keep_disks = false;               // a failed insert leaves the disks it made
  std::optional<Duration> preempt;       // the VM is preempted so long after it runs
  std::vector<std::string> unreachable;  // zones, for this answer
  std::optional<int> page;               // at most so many items on this page
  bool expire_token = false;             // the caller's token is over before the request is judged
  Value relay;  // of a connection through IAP: {after, then, code, forget, pieces, pings, late_acks}
};

// What a fault looks at in a request.
struct FaultSubject {
  std::string_view service;  // compute, oauth, ..., ec2, aws-sts, ... (services.cc, aws/front.cc)
  std::string_view method;   // HTTP verb
  std::string_view call;     // "instances.insert", "RunInstances"; "" where calls have no names
  std::string_view path;     // without query
  std::string_view zone;     // "" where there is none
  std::string_view machine;  // type asked for by insert or setMachineType, or of the VM that start is about
};

struct Fault {
  std::string service = "*", method = "*", path = "*", zone = "*", machine = "*";
  std::int64_t nth = 0;  // only the n-th matching request; 0 = any
  double chance = 1;
  std::int64_t times = 1;  // 0 = always
  FaultAction action;
  std::int64_t seen = 0, done = 0;
  Value source;  // as it was given
};

class FaultScript {
 public:
  // Errors: usage, naming the entry and the member that is wrong.
  Result<> add(const Value& list);
  void clear() { faults_.clear(); }
  // The first fault that strikes this request. `roll` in [0, 1) is drawn only where a chance is given.
  template <class Roll>
  const FaultAction* strike(const FaultSubject& subject, Roll roll) {
    for (Fault& fault : faults_)
      if (applies(fault, subject) && (fault.chance >= 1 || roll() < fault.chance)) {
        ++fault.done;
        return &fault.action;
      }
    return nullptr;
  }
  bool empty() const { return faults_.empty(); }
  Value to_json() const;
  static Result<FaultScript> from_json(const Value& value);

 private:
  static bool applies(Fault& fault, const FaultSubject& subject);
  std::vector<Fault> faults_;
};

// 1.5 (seconds), "250ms", "30s", "2m", "1h".
std::optional<Duration> parse_delay(const Value& value);

}  // namespace nbform::sim
