#include "cli/status_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "core/kind.h"

namespace nbform::cli {

namespace {

// "stopped by EC2 for capacity; only EC2 may restart it": the first half is the state, the other one a note.
std::pair<std::string, std::string> halves(const std::string& detail) {
  auto end = detail.find_first_of(",;:");
  if (end == std::string::npos) return {detail, {}};
  return {detail.substr(0, end), std::string(trim(std::string_view(detail).substr(end + 1)))};
}

// The cloud's own word, as "STAGING" is; a sentence of nbform's stays as it is.
std::string plain_words(const std::string& detail) {
  bool one_word = detail.find(' ') == std::string::npos;
  return one_word ? to_lower(detail) : halves(detail).first;
}

std::string state_words(const Health& health) {
  switch (health.state) {
    case Health::State::running:
      return "running";
    case Health::State::stopped:
      return health.stopped_by == Health::StoppedBy::preemption ? "preempted" : "stopped";
    case Health::State::settling:
      return plain_words(health.detail);
    case Health::State::degraded:
      return health.detail.empty() ? "degraded" : plain_words(health.detail);
    case Health::State::failed:
      return "failed";
    case Health::State::none:
      return "there";
  }
  return {};
}

StatusRow row_of(const Live& live, Time now) {
  StatusRow row;
  row.name = row.labelled = live.owner.notebook;
  row.where = live.zone;
  row.state = state_words(live.health);
  if (live.health.since) row.since = format_span(now - *live.health.since);
  row.gpu = live.kind->gpu(live);
  const Value* market = live.attributes.find("market");
  if (market != nullptr) row.spot = market->as_text() == "spot" ? "yes" : "no";
  row.machine_id = live.id;
  if (live.health.stopped_by == Health::StoppedBy::preemption && live.health.since)
    row.note = fmt::format("the cloud took it at {} UTC", format_date_clock(*live.health.since));
  bool settles = live.health.state == Health::State::settling || live.health.state == Health::State::degraded;
  if (settles) row.note = halves(live.health.detail).second;
  if (live.health.wants_resume()) row.note = "an earlier change was interrupted; apply starts it";
  return row;
}

void add_note(std::string& note, const std::string& more) {
  note += note.empty() ? more : "; " + more;
}

std::vector<const Live*> kept_disks(const Snapshot& snapshot, const std::vector<StatusRow>& rows,
                                    const std::string& stack, const std::string& bare_stack) {
  std::vector<const Live*> out;
  for (const Live& live : snapshot.live) {
    bool ours = live.owner.stack == stack || live.owner.stack == bare_stack;
    bool has_machine = std::any_of(rows.begin(), rows.end(), [&](const StatusRow& row) {
      return row.labelled == live.owner.notebook && !row.machine_id.empty();
    });
    if (ours && live.holds_data && !has_machine) out.push_back(&live);
  }
  return out;
}

// By its name; else the one that was renamed from it.
const StatusOfDeclared* declaration_of(const std::string& notebook,
                                       const std::vector<StatusOfDeclared>& declared) {
  const StatusOfDeclared* renamed = nullptr;
  for (const StatusOfDeclared& one : declared) {
    if (one.name == notebook) return &one;
    if (one.moved_from == notebook) renamed = &one;
  }
  return renamed;
}

void tell_of_declared(StatusRow& row, const Live& live, const StatusOfDeclared& declared) {
  row.name = declared.name;
  bool by_someone = live.health.state == Health::State::stopped &&
                    live.health.stopped_by == Health::StoppedBy::unknown && !live.health.wants_resume();
  if (by_someone && declared.stops_itself) add_note(row.note, "stopped by its own limit or by somebody");
  if (declared.name != live.owner.notebook)
    add_note(row.note, fmt::format("still labelled {}; apply renames it", live.owner.notebook));
}

std::string dash(const std::string& text) {
  return text.empty() ? "–" : text;
}

using Cells = std::array<std::string, 9>;

Cells cells_of(const StatusRow& r) {
  return {r.name,       dash(r.where), r.state,      dash(r.since), dash(r.gpu),
          dash(r.spot), dash(r.price), dash(r.idle), r.note};
}

Ink ink_of_state(const std::string& state) {
  if (state == "running") return Ink::green;
  if (state == "stopped" || state == "not created") return Ink::dim;
  return Ink::yellow;
}

std::string totals(const std::vector<StatusRow>& rows) {
  std::map<std::string, int> counts;
  for (const StatusRow& row : rows) ++counts[row.state];
  std::vector<std::string> words;
  for (const auto& [state, n] : counts) words.push_back(fmt::format("{} {}", n, state));
  return words.empty() ? "no notebooks" : join(words, ", ");
}

}  // namespace

std::vector<StatusRow> status_rows(const Snapshot& snapshot, const std::vector<StatusOfDeclared>& declared,
                                   const std::string& stack, const std::string& bare_stack, Time now) {
  std::map<std::string, StatusRow> rows;
  for (const StatusOfDeclared& one : declared) {
    rows[one.name].name = one.name;
    rows[one.name].state = "not created";
  }
  for (const Live& live : snapshot.live) {
    bool ours = live.owner.stack == stack || live.owner.stack == bare_stack;
    if (!ours || !live.owner.whole() || !live.kind->is_machine()) continue;
    const StatusOfDeclared* meant = declaration_of(live.owner.notebook, declared);
    StatusRow& row = rows[meant != nullptr ? meant->name : live.owner.notebook];
    bool twice = !row.machine_id.empty();
    row = row_of(live, now);
    row.declared = meant != nullptr;
    if (meant != nullptr) tell_of_declared(row, live, *meant);
    if (meant == nullptr) add_note(row.note, "in no manifest");
    if (twice) add_note(row.note, "two machines carry this name's labels");
  }
  bool failed = std::any_of(snapshot.scopes.begin(), snapshot.scopes.end(),
                            [](const auto& s) { return !s.complete(); });
  std::vector<StatusRow> out;
  for (auto& [name, row] : rows) {
    if (failed && row.machine_id.empty()) row.state = "not known";
    out.push_back(std::move(row));
  }
  return out;
}

void add_tunnels(std::vector<StatusRow>& rows, const std::vector<LiveTunnel>& tunnels,
                 const std::string& stack) {
  for (StatusRow& row : rows)
    for (const LiveTunnel& tunnel : tunnels) {
      if (row.machine_id.empty() || tunnel.machine != row.machine_id || tunnel.stack != stack) continue;
      row.tunnels.push_back(tunnel);
      add_note(row.note, "open at " + tunnel.url);
    }
}

std::string render_status(const std::vector<StatusRow>& rows, const Snapshot& snapshot,
                          const std::string& stack, const std::string& bare_stack, const Style& style) {
  std::vector<Cells> table{{"NAME", "WHERE", "STATE", "SINCE", "GPU", "SPOT", "$/H", "IDLE", "NOTE"}};
  for (const StatusRow& row : rows) table.push_back(cells_of(row));
  std::array<std::size_t, 9> widths{};
  for (const Cells& cells : table)
    for (std::size_t i = 0; i + 1 < cells.size(); ++i)
      widths[i] = std::max(widths[i], display_width(printable(cells[i])));
  std::string out;
  for (std::size_t line = 0; line < table.size(); ++line) {
    Pieces pieces;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      Ink ink = line == 0 ? Ink::dim
                : i == 2  ? ink_of_state(table[line][i])
                : i == 0  ? Ink::bold
                          : Ink::plain;
      pieces.push_back({padded(printable(table[line][i]), widths[i] == 0 ? 0 : widths[i] + 2), ink});
    }
    out += laid_out(pieces, style, 4);
  }
  for (const Live* disk : kept_disks(snapshot, rows, stack, bare_stack))
    out += laid_out({{fmt::format("kept  {} in {}, of notebook {}", disk->kind->data_name(*disk), disk->zone,
                                  disk->owner.notebook),
                      Ink::dim}},
                    style, 6);
  return out + "\n" + totals(rows) + "\n";
}

Value status_json(const std::vector<StatusRow>& rows, const Snapshot& snapshot, const std::string& stack) {
  auto text = [](const std::string& t) { return t.empty() ? Value() : Value(t); };
  List notebooks;
  for (const StatusRow& r : rows) {
    const Live* live = nullptr;
    for (const Live& candidate : snapshot.live)
      if (candidate.id == r.machine_id) live = &candidate;
    Map row{{"name", r.name},
            {"where", text(r.where)},
            {"state", r.state},
            {"gpu", text(r.gpu)},
            {"spot", r.spot.empty() ? Value() : Value(r.spot == "yes")},
            {"note", text(r.note)},
            {"id", text(r.machine_id)},
            {"declared", r.declared},
            {"hourly_usd", Value()},
            {"idle_seconds", Value()}};
    row.set("since",
            live != nullptr && live->health.since ? Value(format_rfc3339(*live->health.since)) : Value());
    List tunnels;
    for (const LiveTunnel& t : r.tunnels)
      tunnels.push_back(Map{{"url", t.url}, {"since", format_rfc3339(t.since)}, {"process", t.process}});
    row.set("tunnels", std::move(tunnels));
    notebooks.push_back(std::move(row));
  }
  return Map{{"format", 1},
             {"stack", stack},
             {"time", format_rfc3339(snapshot.at)},
             {"notebooks", std::move(notebooks)}};
}

}  // namespace nbform::cli
