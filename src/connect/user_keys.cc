#include "connect/user_keys.h"

#include <fmt/format.h>

#include "base/text.h"
#include "net/ssh.h"
#include "net/ssh_key.h"

namespace nbform {

namespace {

constexpr Duration kAgentLimit = std::chrono::seconds(5);

std::string shown(Env& env, const std::string& path) {
  std::string home = env.env_var("HOME").value_or("");
  bool below = !home.empty() && path.starts_with(home + "/");
  return below ? "~" + path.substr(home.size()) : path;
}

// The private half of many files shows the public one; else the file beside does.
std::string public_half(Env& env, const std::string& path) {
  auto text = env.read_file(path);
  auto key = text.ok() ? read_private_key(*text) : std::nullopt;
  if (!key) return "";
  if (!key->blob.empty()) return HostKey{key->type, key->blob}.text();
  auto beside = env.read_file(path + ".pub");
  auto half = beside.ok() ? parse_host_key(*beside) : std::nullopt;
  return half ? half->text() : "";
}

}  // namespace

std::vector<UserKey> keys_of_files(Env& env, const std::vector<std::string>& files) {
  std::vector<UserKey> out;
  for (const std::string& path : files)
    if (std::string key = public_half(env, path); !key.empty())
      out.push_back({std::move(key), path, shown(env, path)});
  return out;
}

void keys_of_agent(Env& env, std::function<void(std::vector<UserKey>)> done) {
  env.spawn({"ssh-add", "-L"}, kAgentLimit, [done = std::move(done)](Result<ProgramResult> ran) {
    std::vector<UserKey> out;
    if (ran.ok() && ran->exit_code == 0)
      for (std::string_view line : split(ran->out, '\n'))
        if (auto key = parse_host_key(line); key && key->type.find("-cert-") == std::string::npos) {
          std::string comment(trim(line.substr(std::min(line.size(), key->text().size()))));
          out.push_back({key->text(), "", fmt::format("{} (agent)", comment.empty() ? key->type : comment)});
        }
    done(std::move(out));
  });
}

std::string own_key_path(Env& env) {
  auto state = env.env_var("XDG_STATE_HOME");
  if (state && state->starts_with('/')) return *state + "/nbform/id_ed25519";
  auto home = env.env_var("HOME");
  return home ? *home + "/.local/state/nbform/id_ed25519" : "";
}

Result<UserKey> make_own_key(Env& env, const std::string& path) {
  NB_TRY(env.make_directory(path.substr(0, path.rfind('/'))));
  if (!env.file_info(path).ok()) {
    Secret file = write_private_key(generate_ed25519_key(), "nbform",
                                    static_cast<std::uint32_t>(env.random(std::uint64_t{1} << 32)));
    NB_TRY(env.write_file(path, file.reveal()));
  }
  auto made = keys_of_files(env, {path});  // another nbform may have been faster
  if (made.empty())
    return error(Code::io, "nbform's own key cannot be used", fmt::format("{} is not a key file.", path))
        .with_hint("Take it away, and connect again; or sign in with -i FILE.");
  NB_TRY(env.write_file(path + ".pub", made.front().key + " nbform\n"));
  return std::move(made.front());
}

}  // namespace nbform
