// What is let in to a machine's SSH port only while somebody is connected: rules that say for whom and until
// when, so that whoever comes next can take away one that was left behind. Never part of a plan. Pure: calls
// and what answers say; src/connect performs them.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/kind.h"
#include "core/resource.h"

namespace nbform {

struct Opening {
  std::string id;        // as `close` takes it
  std::string notebook;  // its key
  std::string caller;    // 8 hex digits: one person on one computer
  std::string source;    // "203.0.113.7/32"
  Time until;
};

class Openings {
 public:
  virtual ~Openings() = default;

  // Whether connect opens them where the manifest says nothing of `access.ssh.allow_from`.
  virtual bool by_default() const = 0;
  virtual std::string_view permissions() const = 0;  // that it takes, for people
  // Where connections to this machine come from when it is not the caller's own address; "": it is.
  virtual std::string_view relay_range(const Live&) const { return ""; }

  // Those of a stack where the machine is; `page` as `next_page` tells it, "" first.
  virtual Call list(const Live& machine, std::string_view stack, std::string_view page) const = 0;
  virtual std::string next_page(const Value& answer) const = 0;
  virtual std::vector<Opening> read(const Value& answer, std::string_view stack) const = 0;

  // Lets the opening's source into a tcp port; its id is not read. Errors: conflict, the machine lacks what
  // such a rule goes by, which apply gives it.
  virtual Result<Call> open(const Live& machine, std::string_view stack, const Opening& opening,
                            std::int64_t port, std::string_view request_id) const = 0;
  virtual Call close(const Live& machine, const Opening& opening, std::string_view request_id) const = 0;
  virtual Settlement settle(const Scope& scope, const Response& answer) const = 0;  // of both
};

// Those that are left behind, by what one of them can know: their time is over; or this caller made them for
// a notebook that it has no connection to (`connected` tells), or from elsewhere than `source`.
std::vector<Opening> left_behind(const std::vector<Opening>& all, const Opening& mine, Time now,
                                 const std::function<bool(const std::string& notebook)>& connected);

}  // namespace nbform
