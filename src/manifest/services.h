// What a service can't do, and what this version of nbform does not do yet: two tables and the functions that
// hold a merged notebook against them. Knows manifest paths only, no cloud API.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/layers.h"

namespace nbform {

// A manifest path (`*` stands for one key) that a service has nothing for, and why: completes "SERVICE can't
// ...".
struct Unsupported {
  std::string_view path, reason;
};
std::span<const Unsupported> unsupported_by(std::string_view service);

// Declared in the language, not acted on yet. This table shrinks as the product grows.
struct NotBuilt {
  std::string_view service;  // "" = any
  std::string_view path;     // of a notebook, or of the file where `of_file`
  bool restricts = false;    // promises a limit: ignoring it would be worse than refusing it
  bool of_file = false;
  std::string_view but_for = {};  // values that do work
};
std::span<const NotBuilt> not_built();

bool path_matches(std::string_view pattern, const std::vector<std::string>& path);

// Takes out of `merged` what the service can't do: reported as an error, or, inherited from `defaults`,
// returned.
std::vector<std::string> drop_unsupported(Node& merged, std::string_view service,
                                          const std::vector<Layer>& layers, Report& report);

// Warnings and errors for what `merged` asks for and this version does not do.
void report_not_built(const Node& merged, std::string_view service, Report& report);
void report_not_built_in_file(const Node& document, Report& report);

}  // namespace nbform
