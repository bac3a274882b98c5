#include "connect/known_machines.h"

#include "base/text.h"

namespace nbform {

Result<std::vector<HostKey>> KnownMachines::keys_of(const std::string& machine_id) {
  auto text = env_.read_file(path_);
  if (!text.ok() && text.error().code != Code::not_found) return std::move(text).error();
  std::vector<HostKey> keys;
  if (!text.ok()) return keys;
  for (std::string_view line : split(*text, '\n')) {
    if (!line.starts_with(machine_id + " ")) continue;
    if (auto key = parse_host_key(line.substr(machine_id.size() + 1))) keys.push_back(std::move(*key));
  }
  return keys;
}

Result<> KnownMachines::remember(const std::string& machine_id, const std::vector<HostKey>& keys) {
  std::string record;
  for (const HostKey& key : keys) record += machine_id + " " + key.text() + "\n";
  return env_.append_file(path_, record);
}

}  // namespace nbform
