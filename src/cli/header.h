// What the first line of a screen says besides the plan: who is called, on which stack, against which clouds.
// Plain data.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/ink.h"
#include "base/time.h"
#include "core/resource.h"

namespace nbform::cli {

class Session;

struct Header {
  std::string program;  // "nbplan"
  std::string stack;
  bool sandbox = false;
  std::vector<std::pair<std::string, std::string>> endpoints;  // base URL, the variable that says so
  int notebooks = 0;
};

Header header_of(const Session& session, std::string program);

// "gcp acme-ml · gcp acme-lab": each account once, declared ones first.
std::string accounts_words(const std::vector<ScopeStatus>& scopes);

// One line, and one for each endpoint that is not the cloud's own.
std::string render_header(const Header& header, const std::vector<ScopeStatus>& scopes, Time at,
                          Duration took, int calls, const Style& style);

}  // namespace nbform::cli
