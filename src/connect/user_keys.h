// The SSH keys that a person can sign in with: of key files, of the agent, and a pair of nbform's own for
// whoever has none. Knows no machine and no cloud.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "net/env.h"

namespace nbform {

struct UserKey {
  std::string key;   // "ssh-ed25519 AAAA...", without a comment
  std::string file;  // of the private half; "": the agent alone has it
  std::string name;  // for people: "~/.ssh/id_ed25519", "ana@laptop (agent)"
};

// Those of the files whose public half can be told, in their order.
std::vector<UserKey> keys_of_files(Env& env, const std::vector<std::string>& files);
// What `ssh-add -L` lists; none where there is no agent. `done` runs from Env::step().
void keys_of_agent(Env& env, std::function<void(std::vector<UserKey>)> done);

// Where nbform's own pair is, or would be made: $XDG_STATE_HOME/nbform/id_ed25519, else below
// ~/.local/state; "" without a home.
std::string own_key_path(Env& env);
// Makes it, 0600 in a directory of 0700, and its public half beside. One that is there stays. Errors: io,
// denied.
Result<UserKey> make_own_key(Env& env, const std::string& path);

}  // namespace nbform
