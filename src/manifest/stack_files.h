// The files of a stack, read and put together but not merged: which stack it is, its clouds and variables,
// and the overlays of its notebooks as nodes in their long form. Knows which section may stand where; nothing
// of services.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "manifest/file_access.h"
#include "manifest/shape.h"
#include "manifest/variables.h"

namespace nbform {

struct Overlay {
  Node node;
  Node each;  // the notebook's `each`, if it has one
  bool has_each = false;
  bool usable = true;  // small enough to be merged
};

struct StackFiles {
  Stack stack;
  Span stack_at;
  Text lock;
  std::map<std::string, VariableValue> variables;
  std::map<std::string, Cloud> clouds;
  std::map<std::string, Span> cloud_at;
  std::vector<std::pair<std::string, Overlay>> defaults;  // lowest first, with the name of the layer
  std::map<std::string, Overlay> profiles, notebooks;
  std::vector<Policy> policies;
};

// Reports what is wrong in each section; parts that can't be read are left out.
StackFiles read_stack_files(FileAccess& access, const Files& files, const Vars& vars, Report& report);

// An overlay checked by itself, with its short forms written out.
Overlay read_overlay(Node node, Place place, std::string_view noun, const StackFiles& stack, Report& report);

// `version` against the text of `requires`; "" where it fits, else the part that does not.
std::string unmet_requirement(std::string_view requires_text, std::string_view version);

}  // namespace nbform
