#include "cli/ssh_target.h"

#include <fmt/format.h>

#include <algorithm>

#include "cloud/cloud.h"

namespace nbform::cli {

namespace {

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

Diagnostic no_ssh(const Notebook& notebook) {
  return error(Code::unsupported, "There is no SSH to this notebook",
               fmt::format("{} is of the service {}, whose machines are not reached by SSH.", notebook.key,
                           notebook.service));
}

Diagnostic in_sandbox(const Notebook& notebook) {
  return error(Code::unsupported, "There is nothing to connect to in the sandbox",
               fmt::format("{} is simulated: its machine runs no Jupyter.", notebook.key));
}

Diagnostic no_login(const Notebook& notebook) {
  return error(Code::usage, "The login is not known",
               fmt::format("The image of {} does not say which user it makes.", notebook.key))
      .with_hint("Write it, as in\n    access: {ssh: {user: ubuntu}}");
}

}  // namespace

Result<const Notebook*> reachable_notebook(const Session& session, const std::string& name) {
  const Notebook* notebook = session.manifest().find(name);
  if (notebook == nullptr) return no_such_notebook(name, session.notebook_names());
  if (find_service(notebook->service)->ssh() == nullptr) return no_ssh(*notebook);
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
  return out;
}

}  // namespace nbform::cli
