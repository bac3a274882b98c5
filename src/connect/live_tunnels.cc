#include "connect/live_tunnels.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/json.h"
#include "base/text.h"

namespace nbform {

namespace {

constexpr std::int64_t kFormat = 1;
constexpr std::size_t kLongest = std::size_t{64} << 10;
constexpr std::string_view kEnd = ".json";

// Which process, among all that ever had its number.
struct ProcessMark {
  std::int64_t number = 0;
  std::string started;  // clock ticks after boot, proc(5)
  std::string boot;

  bool operator==(const ProcessMark&) const = default;
};

// `who` is a number or "self". None: there is no such process, or only its corpse.
std::optional<ProcessMark> mark_of(Env& env, const std::string& who) {
  auto stat = env.read_file(fmt::format("/proc/{}/stat", who), kLongest);
  auto boot = env.read_file("/proc/sys/kernel/random/boot_id", kLongest);
  if (!stat.ok() || !boot.ok()) return std::nullopt;
  std::size_t after_name = stat->rfind(") ");  // the name may hold blanks and brackets
  if (after_name == std::string::npos) return std::nullopt;
  std::vector<std::string_view> fields = split(std::string_view(*stat).substr(after_name + 2), ' ');
  constexpr std::size_t kState = 0, kStarted = 19;  // fields 3 and 22
  if (fields.size() <= kStarted || fields[kState] == "Z" || fields[kState] == "X") return std::nullopt;
  Value number(std::string_view(*stat).substr(0, stat->find(' ')));
  return ProcessMark{number.as_int(), std::string(fields[kStarted]), std::string(trim(*boot))};
}

std::optional<std::string> user_number(Env& env) {
  auto status = env.read_file("/proc/self/status", kLongest);
  if (!status.ok()) return std::nullopt;
  for (std::string_view line : split(*status, '\n'))
    if (line.starts_with("Uid:")) return std::string(split(trim(line.substr(4)), '\t').front());
  return std::nullopt;
}

std::string directory_name(Env& env) {
  auto runtime = env.env_var("XDG_RUNTIME_DIR");
  if (runtime && runtime->starts_with('/')) return *runtime + "/nbform";
  return fmt::format("/tmp/nbform-{}", user_number(env).value_or("unknown"));
}

bool is_safe(Env& env, const std::string& path) {
  auto info = env.file_info(path);
  return info.ok() && info->kind == FileInfo::Kind::directory && !info->is_symlink && info->is_private;
}

Value as_json(const LiveTunnel& tunnel, const ProcessMark& process) {
  return Map{
      {"format", kFormat},
      {"process", Map{{"number", process.number}, {"started", process.started}, {"boot", process.boot}}},
      {"stack", tunnel.stack},
      {"notebook", tunnel.notebook},
      {"machine", tunnel.machine},
      {"url", tunnel.url},
      {"since", format_rfc3339(tunnel.since)}};
}

LiveTunnel tunnel_in(const Value& file) {
  LiveTunnel out;
  out.stack = file["stack"].as_text();
  out.notebook = file["notebook"].as_text();
  out.machine = file["machine"].as_text();
  out.url = file["url"].as_text();
  out.since = parse_rfc3339(file["since"].as_text()).value_or(Time{});
  out.process = file.at_path("process/number").as_int();
  return out;
}

ProcessMark mark_in(const Value& file) {
  const Value& process = file["process"];
  return {process["number"].as_int(), std::string(process["started"].as_text()),
          std::string(process["boot"].as_text())};
}

// None: not one of ours, of another version, or of a process that is gone; the last of these is removed.
std::optional<LiveTunnel> living(Env& env, const std::string& path) {
  auto text = env.read_file(path, kLongest);
  auto file = text.ok() ? parse_json(*text) : Result<Value>(std::move(text).error());
  if (!file.ok() || (*file)["format"].as_int() != kFormat) return std::nullopt;
  ProcessMark meant = mark_in(*file);
  if (mark_of(env, std::to_string(meant.number)) == meant) return tunnel_in(*file);
  (void)env.remove_file(path);  // by another reader, where not by this one
  return std::nullopt;
}

}  // namespace

Result<std::string> tunnels_directory(Env& env) {
  std::string path = directory_name(env);
  NB_TRY(env.make_directory(path));
  if (is_safe(env, path)) return path;
  return error(Code::denied, "The list of open tunnels is not private",
               fmt::format("{} belongs to somebody else, or others can get into it.", path));
}

Result<std::unique_ptr<AnnouncedTunnel>> AnnouncedTunnel::announce(Env& env, LiveTunnel tunnel) {
  std::optional<ProcessMark> self = mark_of(env, "self");
  if (!self) return error(Code::io, "The open tunnel cannot be listed", "There is no /proc here.");
  std::string path = fmt::format("{}/tunnel-{}{}", NB_TRY(tunnels_directory(env)), self->number, kEnd);
  NB_TRY(env.write_file(path, to_pretty_json(as_json(tunnel, *self))));
  return std::unique_ptr<AnnouncedTunnel>(new AnnouncedTunnel(env, std::move(path)));
}

AnnouncedTunnel::~AnnouncedTunnel() {
  (void)env_.remove_file(path_);
}

std::vector<LiveTunnel> live_tunnels(Env& env) {
  std::vector<LiveTunnel> out;
  std::string directory = directory_name(env);
  if (!is_safe(env, directory)) return out;
  auto names = env.list_directory(directory);
  if (!names.ok()) return out;
  for (const std::string& name : *names) {
    if (!name.starts_with("tunnel-") || !name.ends_with(kEnd)) continue;
    if (auto tunnel = living(env, directory + "/" + name)) out.push_back(std::move(*tunnel));
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const LiveTunnel& a, const LiveTunnel& b) { return a.since < b.since; });
  return out;
}

}  // namespace nbform
