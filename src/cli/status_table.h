// How notebooks fare, as a table and as JSON. Pure: Lives and names in, text out.
#pragma once

#include <string>
#include <vector>

#include "base/ink.h"
#include "connect/live_tunnels.h"
#include "core/resource.h"

namespace nbform::cli {

struct StatusRow {
  std::string name, where, state, since, gpu, spot, price, idle, note;  // "" = no source, shown as a dash
  std::string machine_id;
  std::string labelled;  // the notebook that its labels name; another one where it was renamed
  bool declared = true;
  std::vector<LiveTunnel> tunnels;  // of this computer's user, open now
};

// What the manifests say of a notebook, as far as a table of what is there cares.
struct StatusOfDeclared {
  std::string name, moved_from;
  bool stops_itself = false;  // idle stop, longest run or schedule
};

// Declared notebooks, and what else carries the stack's labels; sorted by name.
std::vector<StatusRow> status_rows(const Snapshot& snapshot, const std::vector<StatusOfDeclared>& declared,
                                   const std::string& stack, const std::string& bare_stack, Time now);

// Gives each row those tunnels that lead to its machine, and says so in its note.
void add_tunnels(std::vector<StatusRow>& rows, const std::vector<LiveTunnel>& tunnels,
                 const std::string& stack);

std::string render_status(const std::vector<StatusRow>& rows, const Snapshot& snapshot,
                          const std::string& stack, const std::string& bare_stack, const Style& style);
Value status_json(const std::vector<StatusRow>& rows, const Snapshot& snapshot, const std::string& stack);

}  // namespace nbform::cli
