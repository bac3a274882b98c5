// What happened in a simulated cloud, in words that all clouds share: machines, disks, and the parts that go
// with a machine (groups, keys, interfaces, Spot requests); who made, changed and removed them. Read from the
// simulator's diary alone, by one reader for each cloud. Knows no promise and nothing of nbform's code.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/value.h"

namespace nbform::crash {

// What a thing says of itself, in labels or tags.
struct Marks {
  std::string stack, notebook, part, keep, resume;
  bool forgotten = false;  // it was let go, whatever else speaks for it
  bool whole() const { return !stack.empty() && !notebook.empty() && !part.empty(); }
};

struct Fact {
  enum class What {
    request,  // one was sent: `changes`, and the machines that it wants gone in `things`
    machine,  // was made, with the disks and groups in `things`
    disk,     // was made
    part,     // was made; a Spot request with its machine in `other`
    marks,    // a thing carries these from now on
    touched,  // a thing was changed in some other way
    coming,
    on,
    stopping,
    off,      // a machine
    leaving,  // a machine will be gone; `for_good`: nothing can stop that
    gone,     // a thing; `failed`: a machine that never was; `along`: a disk, with its machine
    attached,
    detached,  // disk `thing`, machine `other`
    flagged,   // a disk goes with its machine from now on
    taken,     // a machine, by the cloud, which says so until `until`
    launches,
    launches_no_more,  // a Spot request: whether it may make a machine (again)
    relaunched,        // the Spot request `thing` made machine `other` in place of one that is gone
    dark,
    bright,  // a zone: whether it answers
  };
  What what{};
  std::int64_t time = 0;
  std::string actor;  // "" the cloud itself
  std::string thing, other, zone;
  std::string name;  // as `adopt` and people say
  Marks marks;
  bool changes = false, failed = false, along = false, for_good = false;
  bool bears_mark = false;  // a machine whose owner stands on it for ever, whatever becomes of its tags
  std::int64_t life = 0;    // what a resume mark of this life of the machine says; 0: as before
  std::int64_t until = 0;
  std::vector<std::string> things;
};

std::vector<Fact> facts_of(const Value& line);  // of the simulator's diary, see sim::to_value
std::vector<Fact> gce_facts(const Value& line);
std::vector<Fact> ec2_facts(const Value& line);

}  // namespace nbform::crash
