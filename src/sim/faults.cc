#include "sim/faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>

#include "base/json.h"
#include "base/text.h"

namespace nbform::sim {

namespace {

Diagnostic wrong(std::size_t index, std::string_view what) {
  return error(Code::usage, "The fault script is not usable", fmt::format("Entry {}: {}.", index, what));
}

// t text, i integer from 0, n number, b boolean, l list of texts, m object of texts, o object, d duration, *
// anything
struct Member {
  std::string_view name;
  char type;
};
constexpr Member kMatch[] = {{"service", 't'}, {"method", 't'},  {"path", 't'},  {"nth", 'i'},
                             {"zone", 't'},    {"machine", 't'}, {"chance", 'n'}};
constexpr Member kDo[] = {{"status", 'i'},       {"body", '*'},    {"headers", 'm'},     {"delay", 'd'},
                          {"drop", 't'},         {"cut", 'i'},     {"effect", 'b'},      {"operation", 'o'},
                          {"keep_disks", 'b'},   {"preempt", 'd'}, {"unreachable", 'l'}, {"page", 'i'},
                          {"expire_token", 'b'}, {"error", 'o'},   {"relay", 'o'}};
constexpr Member kRelay[] = {{"after", 'i'},  {"then", 't'},  {"code", 'i'},     {"forget", 'b'},
                             {"pieces", 'i'}, {"pings", 'b'}, {"late_acks", 'b'}};
constexpr Member kError[] = {{"code", 't'}, {"message", 't'}, {"status", 'i'}};
constexpr Member kOperation[] = {{"code", 't'}, {"message", 't'}, {"status", 'i'}, {"zones_available", 'l'}};
constexpr Member kEntry[] = {{"match", 'o'}, {"do", 'o'}, {"times", 'i'}};

bool all_texts(const Value& v) {
  if (v.is_list())
    return std::all_of(v.as_list().begin(), v.as_list().end(), [](const Value& x) { return x.is_text(); });
  return std::all_of(v.as_map().begin(), v.as_map().end(), [](const auto& x) { return x.second.is_text(); });
}

bool fits(const Value& v, char type) {
  switch (type) {
    case 't':
      return v.is_text();
    case 'i':
      return v.is_int() && v.as_int() >= 0;
    case 'n':
      return v.is_int() || v.is_real();
    case 'b':
      return v.is_bool();
    case 'l':
      return v.is_list() && all_texts(v);
    case 'm':
      return v.is_map() && all_texts(v);
    case 'o':
      return v.is_map();
    case 'd':
      return parse_delay(v).has_value();
    default:
      return true;
  }
}

Result<> check_members(const Value& map, std::span<const Member> members, std::size_t index,
                       std::string_view where) {
  for (const auto& [key, value] : map.as_map()) {
    auto known =
        std::find_if(members.begin(), members.end(), [&key = key](const Member& m) { return m.name == key; });
    if (known == members.end()) return wrong(index, fmt::format("'{}' has no member '{}'", where, key));
    if (!fits(value, known->type)) return wrong(index, fmt::format("'{}' is not what belongs there", key));
  }
  return Ok{};
}

std::vector<std::string> texts(const Value& list) {
  std::vector<std::string> out;
  for (const Value& item : list.as_list()) out.emplace_back(item.as_text());
  return out;
}

Result<> read_match(const Value& match, Fault& fault, std::size_t index) {
  NB_TRY(check_members(match, kMatch, index, "match"));
  fault.service = match["service"].as_text("*");
  fault.method = match["method"].as_text("*");
  fault.path = match["path"].as_text("*");
  fault.zone = match["zone"].as_text("*");
  fault.machine = match["machine"].as_text("*");
  fault.nth = match["nth"].as_int(0);
  fault.chance = match["chance"].as_real(1);
  if (fault.chance < 0 || fault.chance > 1) return wrong(index, "'chance' is between 0 and 1");
  return Ok{};
}

Result<> read_operation(const Value& op, FaultAction& action, std::size_t index) {
  NB_TRY(check_members(op, kOperation, index, "operation"));
  if (op["code"].is_null()) return wrong(index, "'operation' needs a 'code'");
  action.operation = op["code"].as_text();
  action.operation_message = op["message"].as_text();
  action.operation_status = static_cast<int>(op["status"].as_int(503));
  action.zones_available = texts(op["zones_available"]);
  return Ok{};
}

Result<> read_error(const Value& error, FaultAction& action, std::size_t index) {
  NB_TRY(check_members(error, kError, index, "error"));
  if (error["code"].is_null()) return wrong(index, "'error' needs a 'code'");
  action.error = FaultError{std::string(error["code"].as_text()), std::string(error["message"].as_text()),
                            static_cast<int>(error["status"].as_int(0))};
  return Ok{};
}

Result<> read_relay(const Value& relay, FaultAction& action, std::size_t index) {
  NB_TRY(check_members(relay, kRelay, index, "relay"));
  std::string_view then = relay["then"].as_text("cut");
  if (then != "cut" && then != "silent" && then != "close" && then != "long_close")
    return wrong(index, "'then' is \"cut\", \"silent\", \"close\" or \"long_close\"");
  action.relay = relay;
  return Ok{};
}

Result<> read_answer(const Value& what, FaultAction& action, std::size_t index) {
  if (!what["status"].is_null()) action.status = static_cast<int>(what["status"].as_int());
  if (action.status && (*action.status < 100 || *action.status > 599))
    return wrong(index, "'status' is no HTTP status");
  if (!what["body"].is_null())
    action.body = what["body"].is_text() ? std::string(what["body"].as_text()) : to_json(what["body"]);
  for (const auto& [name, value] : what["headers"].as_map())
    action.headers.emplace_back(name, value.as_text());
  std::string_view drop = what["drop"].as_text();
  if (!what["drop"].is_null() && drop != "before" && drop != "after")
    return wrong(index, "'drop' is \"before\" or \"after\"");
  action.drop = drop == "before"  ? FaultAction::Drop::before
                : drop == "after" ? FaultAction::Drop::after
                                  : FaultAction::Drop::none;
  if (!what["cut"].is_null()) action.cut = static_cast<std::size_t>(what["cut"].as_int());
  action.effect = what["effect"].as_bool();
  return Ok{};
}

Result<> read_action(const Value& what, FaultAction& action, std::size_t index) {
  NB_TRY(check_members(what, kDo, index, "do"));
  if (what.as_map().empty()) return wrong(index, "'do' says nothing");
  NB_TRY(read_answer(what, action, index));
  if (!what["delay"].is_null()) action.delay = *parse_delay(what["delay"]);
  if (!what["preempt"].is_null()) action.preempt = parse_delay(what["preempt"]);
  if (!what["operation"].is_null()) NB_TRY(read_operation(what["operation"], action, index));
  if (!what["error"].is_null()) NB_TRY(read_error(what["error"], action, index));
  action.keep_disks = what["keep_disks"].as_bool();
  action.unreachable = texts(what["unreachable"]);
  if (!what["page"].is_null()) action.page = static_cast<int>(what["page"].as_int());
  if (!what["relay"].is_null()) NB_TRY(read_relay(what["relay"], action, index));
  action.expire_token = what["expire_token"].as_bool();
  return Ok{};
}

Result<Fault> read_fault(const Value& entry, std::size_t index) {
  if (!entry.is_map()) return wrong(index, "it is not an object");
  NB_TRY(check_members(entry, kEntry, index, "the entry"));
  Fault fault;
  NB_TRY(read_match(entry["match"], fault, index));
  NB_TRY(read_action(entry["do"], fault.action, index));
  fault.times = entry["times"].as_int(1);
  fault.source = entry;
  return fault;
}

}  // namespace

std::optional<Duration> parse_delay(const Value& value) {
  if (value.is_int() || value.is_real()) {
    double seconds = value.as_real();
    if (!(seconds >= 0 && seconds < 1e9)) return std::nullopt;
    return Duration(static_cast<std::int64_t>(seconds * 1e6));
  }
  std::string_view text = value.as_text();
  double n = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (ec != std::errc() || !(n >= 0 && n < 1e9)) return std::nullopt;
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  double seconds = unit == "ms"                  ? 0.001
                   : unit == "s" || unit.empty() ? 1
                   : unit == "m"                 ? 60
                   : unit == "h"                 ? 3600
                                                 : -1;
  if (seconds < 0) return std::nullopt;
  return Duration(static_cast<std::int64_t>(n * seconds * 1e6));
}

bool FaultScript::applies(Fault& fault, const FaultSubject& s) {
  if (fault.times > 0 && fault.done >= fault.times) return false;
  bool verb_or_call =
      glob_match(fault.method, s.method) || (!s.call.empty() && glob_match(fault.method, s.call));
  bool fits = verb_or_call && glob_match(fault.service, s.service) && glob_match(fault.path, s.path) &&
              glob_match(fault.zone, s.zone) && glob_match(fault.machine, s.machine);
  if (!fits) return false;
  ++fault.seen;
  return fault.nth == 0 || fault.seen == fault.nth;
}

Result<> FaultScript::add(const Value& list) {
  if (!list.is_list()) return error(Code::usage, "The fault script is not usable", "It is not a list.");
  std::vector<Fault> read;
  for (const Value& entry : list.as_list()) read.push_back(NB_TRY(read_fault(entry, read.size())));
  faults_.insert(faults_.end(), read.begin(), read.end());
  return Ok{};
}

Value FaultScript::to_json() const {
  List out;
  for (const Fault& f : faults_) out.push_back(Map{{"fault", f.source}, {"seen", f.seen}, {"done", f.done}});
  return out;
}

Result<FaultScript> FaultScript::from_json(const Value& value) {
  FaultScript script;
  for (const Value& entry : value.as_list()) {
    NB_TRY(script.add(List{entry["fault"]}));
    script.faults_.back().seen = entry["seen"].as_int();
    script.faults_.back().done = entry["done"].as_int();
  }
  return script;
}

}  // namespace nbform::sim
