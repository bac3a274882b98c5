// The life of operations: PENDING, RUNNING, DONE with or without an error, and gone an hour later. A mutation
// is accepted here and takes effect later; operations on one thing run one after the other. Knows no
// particular resource: what an operation does is in the effects that the resources' files bring.
#pragma once

#include <span>

#include "sim/call.h"

namespace nbform::sim {

// Why an operation failed.
struct Failure {
  std::string code;  // QUOTA_EXCEEDED
  int status = 400;  // httpErrorStatusCode
  std::string message;
  List details;  // errorDetails
};

// begin: when the operation starts to run. complete: when it is done. Both may find that it can't be.
// `work` is the operation; its hidden part holds {effect, kind, target:{project, scope, name}, args}.
struct Effect {
  std::string_view name;
  std::optional<Failure> (*begin)(State&, const Key& target, Resource& work);
  std::optional<Failure> (*complete)(State&, const Key& target, Resource& work);
  void (*undo)(State&, const Key& target, Resource& work) = nullptr;  // after a failure
};

struct Mutation {
  std::string type;  // operationType
  std::string effect;
  std::string kind;  // "instances", "disks"
  Key target;
  double seconds = 2;  // at realistic pace
  Value args;
  std::optional<Failure> failure;  // known from the start, shown only in the operation
};

// Accepts a mutation: the answer is its operation.
Reply submit(State& state, const Call& call, Mutation mutation);
// A record of something the cloud did by itself, done at once.
void record_system_operation(State& state, const Key& target, std::string_view type,
                             std::string_view message);

// The operation that the same request id started before; a refusal where that id stood for another mutation.
Result<std::optional<Reply>> replayed(State& state, const Call& call);

void operation_happens(State& state, const Happening& happening);  // op.start, op.finish, op.forget
bool has_unfinished(const State& state, const Key& target, std::string_view type);
std::optional<Time> finish_time(const Resource& operation);

std::span<const Handling> operation_methods();

Failure not_ready(const Key& key, std::string_view kind);

}  // namespace nbform::sim
