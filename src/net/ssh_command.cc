#include "net/ssh_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/text.h"

namespace nbform {

namespace {

constexpr std::size_t kLongestBase = 60;  // a socket's path has 107 bytes

// Nothing that a shell, or ssh's own expansion, would read as more than a name.
bool is_plain(const std::string& path) {
  return path.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") ==
         std::string::npos;
}

// ssh expands % in the names of key files.
std::string without_tokens(std::string_view path) {
  std::string out;
  for (char c : path) out += c == '%' ? std::string("%%") : std::string(1, c);
  return out;
}

std::string algorithms(const std::vector<std::string>& types) {
  std::vector<std::string> out;
  for (const std::string& type : types) out.push_back(type == "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256" : type);
  return join(out, ",");
}

}  // namespace

Desk::Desk(Env& env) {
  std::string base = env.env_var("XDG_RUNTIME_DIR").value_or("/tmp");
  if (!is_plain(base) || base.size() > kLongestBase || ::access(base.c_str(), W_OK) != 0) base = "/tmp";
  std::string name = base + "/nbform-XXXXXX";
  if (::mkdtemp(name.data()) != nullptr) root_ = name;
}

Desk::~Desk() {
  std::error_code ignored;
  if (usable()) std::filesystem::remove_all(root_, ignored);
}

Descriptor Desk::pipe(std::string_view name) const {
  ::mkfifo(path(name).c_str(), 0600);
  return Descriptor(::open(path(name).c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
}

bool Desk::write_script(std::string_view name, const std::string& text) const {
  std::ofstream(path(name)) << "#!/bin/sh\n" << text;
  return ::chmod(path(name).c_str(), 0700) == 0;
}

std::string host_key_script(const Desk& desk) {
  return fmt::format(
      "[ \"$3\" = HOSTNAME ] || exit 0\nprintf '%s %s\\n' \"$1\" \"$2\" >{}\nIFS= read -r line <{}\n"
      "printf '%s\\n' \"$line\"\n",
      desk.path(kKeyShown), desk.path(kKeyVerdict));
}

std::string ask_script(const Desk& desk) {
  return fmt::format("printf '%s\\n' \"$1\" >{}\nIFS= read -r line <{}\nprintf '%s\\n' \"$line\"\n",
                     desk.path(kAsked), desk.path(kAnswer));
}

std::string key_file_in(std::string_view question) {
  constexpr std::string_view kBegin = "passphrase for key '", kEnd = "':";
  auto begin = question.find(kBegin), end = question.rfind(kEnd);
  if (begin == std::string_view::npos || end == std::string_view::npos) return "";
  begin += kBegin.size();
  return begin < end ? std::string(question.substr(begin, end - begin)) : "";
}

std::string target_name(std::size_t i) {
  return fmt::format("target{}", i);
}

// Values of -o.
std::vector<std::string> ssh_options(const Desk& desk, const SshSettings& settings) {
  const auto pulse = std::chrono::duration_cast<std::chrono::seconds>(settings.keep_alive).count();
  std::vector<std::string> out = {
      "StrictHostKeyChecking=yes",
      "UserKnownHostsFile=/dev/null",
      "GlobalKnownHostsFile=/dev/null",
      fmt::format("KnownHostsCommand=/bin/sh {} %t %K %I", desk.path(kHostKeyScript)),
      fmt::format("HostKeyAlias={}", kSshAlias),
      "CheckHostIP=no",
      "UpdateHostKeys=no",
      "PreferredAuthentications=publickey",
      "NumberOfPasswordPrompts=4",  // one of them is an empty passphrase, asked of nobody
      settings.agent_socket.empty() ? "IdentityAgent=none" : "IdentityAgent=" + settings.agent_socket,
      "ExitOnForwardFailure=yes",
      fmt::format("ServerAliveInterval={}", std::max<std::int64_t>(pulse, 1)),
      "ServerAliveCountMax=3",
      "ControlMaster=yes",
      "ControlPath=" + desk.path(kControl),
      "PermitLocalCommand=yes",
      fmt::format("LocalCommand=echo {}", kSshReady)};
  if (!settings.host_key_types.empty())
    out.push_back("HostKeyAlgorithms=" + algorithms(settings.host_key_types));
  if (settings.key_files.empty()) out.emplace_back("IdentityFile=none");
  return out;
}

std::vector<std::string> ssh_command(const Desk& desk, const SshSettings& settings, int bridge_port) {
  std::vector<std::string> out = {"env", "SHELL=/bin/sh", "LC_ALL=C", "SSH_ASKPASS=" + desk.path(kAskScript),
                                  "SSH_ASKPASS_REQUIRE=force"};
  out.insert(out.end(), {"ssh", "-F", "none", "-N", "-T"});
  for (std::string& option : ssh_options(desk, settings)) out.insert(out.end(), {"-o", std::move(option)});
  for (const std::string& key : settings.key_files) out.insert(out.end(), {"-i", without_tokens(key)});
  for (std::size_t i = 0; i < settings.targets.size(); ++i) {
    const auto& [host, port] = settings.targets[i];
    out.insert(out.end(), {"-L", fmt::format("{}:[{}]:{}", desk.path(target_name(i)), host, port)});
  }
  out.insert(out.end(), {"-p", std::to_string(bridge_port), "-l", settings.user, "127.0.0.1"});
  return out;
}

std::vector<std::string> ssh_again(const Desk& desk, const std::string& command) {
  return {"ssh",       "-F",
          "none",      "-T",
          "-S",        desk.path(kControl),
          "-o",        "ControlMaster=no",
          "-o",        "ProxyCommand=false",
          "127.0.0.1", command};
}

}  // namespace nbform
