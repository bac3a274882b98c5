#include "cli/ssh_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "cli/machine.h"
#include "cli/work_dir.h"
#include "cloud/cloud.h"
#include "connect/host_keys.h"
#include "engine/refresh.h"

namespace nbform::cli {

namespace {

constexpr Duration kKeyArrives = std::chrono::seconds(5);  // the guest agent watches the metadata

// The private halves of the keys that the manifest names, and those that ssh would try, as far as they exist.
std::vector<std::string> key_files(Env& env, const Notebook& notebook) {
  std::string home = env.env_var("HOME").value_or("");
  std::vector<std::string> out;
  auto add = [&](std::string path) {
    if (path.starts_with("~/")) path = home + path.substr(1);
    bool fresh = std::find(out.begin(), out.end(), path) == out.end();
    if (fresh && env.file_info(path).ok()) out.push_back(std::move(path));
  };
  for (const SshKey& key : notebook.access.ssh.keys.value_or({}))
    if (key.written.ends_with(".pub")) add(key.written.substr(0, key.written.size() - 4));
  if (!home.empty())
    for (std::string_view name : {"id_ed25519", "id_ecdsa", "id_rsa"})
      add(fmt::format("{}/.ssh/{}", home, name));
  return out;
}

bool opens_way(const Notebook& notebook, const SshAccess& access) {
  if (notebook.access.ssh.allow_from.absent()) return access.openings().by_default();
  const auto& from = notebook.access.ssh.allow_from.value_or({});
  return std::find(from.begin(), from.end(), "me") != from.end();
}

Diagnostic no_ssh(const Notebook& notebook) {
  return error(Code::unsupported, "There is no SSH to this notebook",
               fmt::format("{} is of the service {}, whose machines are not reached by SSH.", notebook.key,
                           notebook.service));
}

Diagnostic in_sandbox(const Notebook& notebook) {
  return error(Code::unsupported, "There is no SSH in the sandbox",
               fmt::format("{} is simulated: nothing answers there.", notebook.key))
      .with_hint(fmt::format(
          "A Jupyter of this computer stands for its own:\n    nbform connect {} --sandbox", notebook.key));
}

Result<FoundHostKeys> host_keys(Session& session, const SshAccess& access, const Live& machine,
                                const std::string& file, Duration limit) {
  HostKeyFinder finder(session.env(), session.wire(), access, file);
  std::optional<Result<FoundHostKeys>> found;
  bool said = false;
  auto waiting = [&] {
    if (!std::exchange(said, true)) session.shell().screen.err("waiting for the machine's host key\n");
  };
  finder.find(machine, session.env().now() + limit, waiting,
              [&](Result<FoundHostKeys> answer) { found = std::move(answer); });
  NB_TRY(session.step_until([&] { return found.has_value(); }));
  return std::move(*found);
}

// Lists leave out what decides how keys are let in.
Result<Live> read_again(Session& session, const Notebook& notebook, const Live& machine) {
  std::optional<Result<std::optional<Live>>> found;
  read_live(session.wire(), *machine.kind, machine.scope, machine.zone, machine.name,
            [&](Result<std::optional<Live>> answer) { found = std::move(answer); });
  NB_TRY(session.step_until([&] { return found.has_value(); }));
  std::optional<Live> fresh = NB_TRY(std::move(*found));
  return fresh ? std::move(*fresh) : Result<Live>(not_created(notebook));
}

Diagnostic no_login(const Notebook& notebook) {
  return error(Code::usage, "The login is not known",
               fmt::format("The image of {} does not say which user it makes.", notebook.key))
      .with_hint("Write it, as in\n    access: {ssh: {user: ubuntu}}");
}

}  // namespace

Result<const Notebook*> notebook_with_ssh(const Session& session, const std::string& name) {
  const Notebook* notebook = session.manifest().find(name);
  if (notebook == nullptr) return no_such_notebook(name, session.notebook_names());
  if (find_service(notebook->service)->ssh() == nullptr) return no_ssh(*notebook);
  return notebook;
}

Result<const Notebook*> reachable_notebook(const Session& session, const std::string& name) {
  const Notebook* notebook = NB_TRY(notebook_with_ssh(session, name));
  if (session.in_sandbox()) return in_sandbox(*notebook);
  return notebook;
}

Result<SshTarget> ssh_target(Env& env, const Notebook& notebook, const Live& machine,
                             const std::vector<std::string>& identities) {
  SshTarget out;
  out.access = find_service(notebook.service)->ssh();
  out.user = notebook.access.ssh.user.value_or(out.access->login(machine));
  if (out.user.empty()) return no_login(notebook);
  out.port = static_cast<int>(notebook.access.ssh.port.value_or(22));
  out.key_files = identities.empty() ? key_files(env, notebook) : identities;
  out.only_these_keys = !identities.empty();
  out.opens_way = opens_way(notebook, *out.access);
  return out;
}

KeyWishes key_wishes(Env& env, const Notebook& notebook, const SshTarget& target) {
  const Ssh& declared = notebook.access.ssh;
  KeyWishes out;
  out.notebook = notebook.key;
  out.access = target.access;
  out.user = target.user;
  out.keys_declared = !declared.keys.absent();
  out.user_declared = !declared.user.absent();
  out.key_files = target.key_files;
  out.only_these_keys = target.only_these_keys;
  out.has_agent = env.env_var("SSH_AUTH_SOCK").has_value();
  out.own_key = own_key_path(env);
  return out;
}

Result<SshTarget> seen_to_key(Session& session, const Notebook& notebook, const Live& machine,
                              SshTarget target, KeyInstaller::When when) {
  if (target.access->key_way(machine) == nullptr) return target;
  Live fresh = NB_TRY(read_again(session, notebook, machine));
  KeyInstaller installer(session.env(), session.wire(), key_wishes(session.env(), notebook, target));
  std::optional<Result<SignInAs>> who;
  installer.see_to(fresh, when, [&](Result<SignInAs> answer) { who = std::move(answer); });
  NB_TRY(session.step_until([&] { return who.has_value(); }));
  SignInAs as = NB_TRY(std::move(*who));
  target.user = as.user;
  target.key_files = as.key_files;
  for (const std::string& notice : as.notices) session.shell().screen.err(printable(notice) + "\n");
  if (!as.fresh) return target;
  session.shell().screen.err(fmt::format("key: {}\n", printable(as.said)));
  if (when == KeyInstaller::When::later || as.by_cloud) return target;  // who rules logins is asked at each
  bool arrived = false;
  session.env().after(kKeyArrives, [&] { arrived = true; });
  NB_TRY(session.step_until([&] { return arrived; }));
  return target;
}

Result<SshHost> ssh_host(Session& session, const Notebook& notebook, const Live& machine,
                         const std::vector<std::string>& identities, Duration keys_limit,
                         KeyInstaller::When when) {
  Env& env = session.env();
  SshTarget target = NB_TRY(
      seen_to_key(session, notebook, machine, NB_TRY(ssh_target(env, notebook, machine, identities)), when));
  std::string stack = NB_TRY(env.file_info(NB_TRY(work_dir(env, session.directory())))).resolved;
  SshHost out;
  out.known_hosts = stack + "/host_keys";
  FoundHostKeys known = NB_TRY(host_keys(session, *target.access, machine, out.known_hosts, keys_limit));
  if (known.keys.empty()) return no_host_key(notebook.key, known.reasons);
  out.notebook = notebook.key;
  out.names = {"nbform-" + notebook.key,
               fmt::format("nbform-{}-{}", session.manifest().stack.name, notebook.key)};
  out.address = target.access->address(machine);
  out.user = target.user;
  out.port = target.port;
  for (const std::string& key : target.key_files)
    out.key_files.push_back(NB_TRY(env.file_info(key)).resolved);
  out.only_these_keys = target.only_these_keys;
  out.opens_way = target.opens_way;
  out.machine_id = target.access->machine_id(machine);
  return out;
}

Result<std::vector<std::string>> stream_command(Session& session, const SshHost& host) {
  const StackFlags& flags = session.flags();
  if (!flags.vars.empty())
    return error(Code::usage, "--var cannot be kept for later",
                 "ssh will run nbform without it, and a command line shows what it says to everybody.")
        .with_hint("Put the values into a file:\n    --var-file FILE");
  auto absolute = [&](const std::string& path) -> Result<std::string> {
    return NB_TRY(session.env().file_info(path)).resolved;
  };
  std::string program = NB_TRY(absolute("/proc/self/exe")), stack = NB_TRY(absolute(session.directory()));
  std::vector<std::string> out = {program,     "connect",       "--stdio", host.notebook,
                                  "--machine", host.machine_id, "-C",      stack};
  if (host.only_these_keys)
    for (const std::string& key : host.key_files) out.insert(out.end(), {"-i", key});
  for (const std::string& file : flags.var_files) {
    out.emplace_back("--var-file");
    out.push_back(NB_TRY(absolute(file)));
  }
  if (flags.mixed_endpoints) out.emplace_back("--mixed-endpoints");
  return out;
}

}  // namespace nbform::cli
