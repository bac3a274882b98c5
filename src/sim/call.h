// One request to the Compute service, taken apart, and what a handler gives back. Knows the common query
// parameters; what a method does is its handler's business.
#pragma once

#include <span>
#include <string>

#include "sim/api.h"
#include "sim/mask.h"
#include "sim/state.h"

namespace nbform::sim {

struct Call {
  const Method* method = nullptr;
  PathArgs args;
  Query query;
  Value body;
  std::string digest;     // of method, path, parameters and body: what a request id stands for
  std::string principal;  // who asks
  bool dated =
      false;  // X-Goog-Api-Version was sent: no returnPartialSuccess, aggregated lists always partial
  Mask mask;
  std::string mask_text;

  std::string_view param(std::string_view name) const;
  bool has(std::string_view name) const;
  Result<bool> flag(std::string_view name, bool fallback) const;
  const std::string& arg(std::string_view name) const;
  const std::string& project() const { return arg("project"); }
  std::string scope() const;  // "zones/Z", "regions/R" or "global"
  Key key(std::string_view name) const { return {project(), scope(), std::string(name)}; }
};

struct Reply {
  std::string json;
  Duration delay{0};
  bool held = false;
};

Reply reply(const Call& call, const Value& value);  // reduced by the mask
Reply reply(const Call& call, const Resource& resource);
Diagnostic not_found(const Key& key, std::string_view collection);

using Handler = Result<Reply> (*)(State&, const Call&);
struct Handling {
  std::string_view method;
  Handler handler;
};

// What a reference in a body or path points to.
struct Target {
  std::string project, scope, collection, name;
  Key key() const { return {project, scope, name}; }
};
// A full URL, "projects/P/zones/Z/machineTypes/M" or "zones/Z/machineTypes/M"; a bare name is refused as the
// cloud does. `collection` must fit; "images/family" for a family.
Result<Target> read_reference(const Call& call, std::string_view text, std::string_view collection,
                              std::string_view field);

// [a-z]([-a-z0-9]*[a-z0-9])?, 1-63 characters.
Result<> check_name(std::string_view name, std::string_view field);
Result<> check_labels(const Value& labels, std::string_view field);

}  // namespace nbform::sim
