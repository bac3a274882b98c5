// nbform connect --ssh-config: the machines of a stack as hosts of the user's ssh, scp and editor.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "cli/machine.h"
#include "cli/ssh_target.h"
#include "cli/ssh_ways.h"

namespace nbform::cli {

namespace {

constexpr std::string_view kAbout =
    "# Written by nbform connect --ssh-config, and written anew by it: change nothing here.\n";

struct Place {
  std::string ssh;  // ~/.ssh
  std::string stack;

  std::string directory() const { return ssh + "/nbform.d"; }
  std::string file() const { return fmt::format("{}/{}.conf", directory(), stack); }
  std::string include() const {
    std::string_view quote = ssh.find(' ') == std::string::npos ? "" : "\"";
    return fmt::format("Include {0}{1}/*.conf{0}", quote, directory());
  }
};

Result<Place> place_of(Session& session) {
  std::string home = session.env().env_var("HOME").value_or("");
  if (home.empty()) return error(Code::usage, "There is no home directory", "HOME is not set.");
  return Place{home + "/.ssh", session.manifest().stack.label()};
}

// Names that the files of other stacks give to their hosts.
std::vector<std::string> taken_names(Env& env, const Place& place) {
  std::vector<std::string> out;
  auto names = env.list_directory(place.directory());
  if (!names.ok()) return out;
  for (const std::string& name : *names) {
    std::string path = place.directory() + "/" + name;
    auto text =
        name.ends_with(".conf") && path != place.file() ? env.read_file(path) : Result<std::string>("");
    if (!text.ok()) continue;
    for (std::string& host : hosts_in(*text)) out.push_back(std::move(host));
  }
  return out;
}

bool is_included(Env& env, const Place& place) {
  auto text = env.read_file(place.ssh + "/config");
  if (!text.ok()) return false;
  for (std::string_view line : split(*text, '\n'))
    if (to_lower(trim(line)).starts_with("include") && line.find("nbform.d") != std::string_view::npos)
      return true;
  return false;
}

// The hosts of those notebooks that have one. What keeps one out is an error where it was asked for by name.
Result<std::vector<SshHost>> hosts_of(Session& session, const std::vector<std::string>& names,
                                      const std::vector<std::string>& identities) {
  std::vector<const Notebook*> notebooks;
  for (const std::string& name : names.empty() ? session.notebook_names() : names) {
    auto notebook = reachable_notebook(session, name);
    if (notebook.ok())
      notebooks.push_back(*notebook);
    else if (!names.empty() || session.in_sandbox())
      return std::move(notebook).error();
  }
  std::vector<SshHost> out;
  for (const FoundMachine& found : NB_TRY(find_machines(session, notebooks))) {
    auto host = found.machine ? ssh_host(session, *found.notebook, *found.machine, identities, Duration{0},
                                         KeyInstaller::When::later)
                              : Result<SshHost>(not_created(*found.notebook));
    if (host.ok())
      out.push_back(std::move(*host));
    else if (!names.empty() || host.error().code == Code::cancelled)
      return std::move(host).error();
    else
      session.shell().screen.err(
          fmt::format("{} is left out: {}\n", found.notebook->key, host.error().summary));
  }
  return out;
}

// A short name that another stack has is that one's.
void drop_taken(SshHost& host, const std::vector<std::string>& taken) {
  std::erase_if(host.names, [&](const std::string& name) {
    return std::find(taken.begin(), taken.end(), name) != taken.end();
  });
}

Result<> write_blocks(Session& session, const Place& place, const std::vector<SshHost>& hosts, bool all) {
  Env& env = session.env();
  auto before = env.read_file(place.file());
  std::map<std::string, std::string> blocks =
      all || !before.ok() ? std::map<std::string, std::string>() : blocks_in(*before);
  std::erase_if(blocks, [&](const auto& b) { return session.manifest().find(b.first) == nullptr; });
  for (SshHost host : hosts) {
    host.stream = NB_TRY(stream_command(session, host));
    blocks[host.notebook] = NB_TRY(host_block(host));
  }
  std::string text(kAbout);
  for (const auto& [notebook, block] : blocks) text += "\n" + block;
  NB_TRY(env.make_directory(place.directory()));
  return env.write_file(place.file(), text);
}

Value as_json(const std::vector<SshHost>& hosts, const Place& place) {
  List out;
  for (const SshHost& host : hosts)
    out.push_back(Map{{"notebook", host.notebook}, {"host", host.names.front()}, {"user", host.user}});
  return Map{{"file", place.file()}, {"include", place.include()}, {"hosts", std::move(out)}};
}

}  // namespace

Result<int> write_ssh_config(Session& session, const std::vector<std::string>& names,
                             const std::vector<std::string>& identities, bool json) {
  Env& env = session.env();
  Screen& screen = session.shell().screen;
  Place place = NB_TRY(place_of(session));
  std::vector<SshHost> hosts = NB_TRY(hosts_of(session, names, identities));
  std::vector<std::string> taken = taken_names(env, place);
  for (SshHost& host : hosts) drop_taken(host, taken);
  std::erase_if(hosts, [](const SshHost& host) { return host.names.empty(); });
  NB_TRY(write_blocks(session, place, hosts, names.empty()));
  if (json) screen.out(to_json(as_json(hosts, place)) + "\n");
  for (const SshHost& host : hosts)
    if (!json) screen.out(host.names.front() + "\n");
  if (json) return kFine;
  screen.err(fmt::format("written to {}\n", printable(place.file())));
  if (!is_included(env, place))
    screen.err(fmt::format("For ssh, scp and editors to know them, begin {}/config with the line\n    {}\n",
                           printable(place.ssh), printable(place.include())));
  return kFine;
}

}  // namespace nbform::cli
