#include "cli/sandbox_jupyter.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "connect/colab.h"
#include "net/ssh_socket.h"

namespace nbform::cli {

namespace {

constexpr Duration kLook = std::chrono::milliseconds(200);
constexpr Duration kPatience = std::chrono::minutes(1);

Result<std::string> installed_jupyter(Env& env) {
  const std::string path = env.env_var("PATH").value_or("/usr/bin:/bin");
  for (std::string_view name : {"jupyter-lab", "jupyter-notebook", "jupyter-server"})
    for (std::string_view directory : split(path, ':'))
      if (std::string file = fmt::format("{}/{}", directory, name); ::access(file.c_str(), X_OK) == 0)
        return file;
  return error(Code::not_found, "There is no Jupyter on this computer",
               "The sandbox's machines are simulated; a local Jupyter stands for theirs.")
      .with_hint("Install one:\n    pip install jupyterlab");
}

// A moment later somebody else may have it: Jupyter says so then, and ends.
Result<int> free_port(const TunnelForward& forward) {
  Result<Listener> listener = Listener();
  for (int port : local_ports(forward))
    if ((listener = listen_on_loopback(port)).ok()) return listener->port;
  return std::move(listener).error();
}

std::string random_token(Env& env) {
  std::string out;
  for (int i = 0; i < 6; ++i) out += fmt::format("{:08x}", env.random(std::uint64_t{1} << 32));
  return out;
}

// The two applications read the same names, but for where the files are.
std::string configuration(const JupyterServer& server, const std::string& files, bool for_colab) {
  Map settings{{"allow_root", ::getuid() == 0}, {"ip", "127.0.0.1"},   {"log_level", "ERROR"},
               {"open_browser", false},         {"port", server.port}, {"port_retries", 0},
               {"token", server.token.reveal()}};
  if (for_colab) {
    settings.set("allow_credentials", true);
    settings.set("allow_origin", kColabOrigin);
  }
  Map classic = settings;
  settings.set("root_dir", files);
  classic.set("notebook_dir", files);
  return to_json(Map{{"NotebookApp", std::move(classic)}, {"ServerApp", std::move(settings)}});
}

}  // namespace

Result<std::unique_ptr<SandboxJupyter>> SandboxJupyter::start(Env& env, const std::string& home,
                                                              const TunnelForward& forward, bool for_colab,
                                                              Found found) {
  const std::string program = NB_TRY(installed_jupyter(env));
  JupyterServer server;
  server.port = NB_TRY(free_port(forward));
  server.token = Secret(random_token(env));
  NB_TRY(env.make_directory(home + "/files"));
  NB_TRY(env.make_directory(home + "/config"));
  NB_TRY(env.make_directory(home + "/runtime"));
  const std::string file = home + "/config/config.json";
  NB_TRY(env.write_file(file, configuration(server, home + "/files", for_colab)));
  auto running = NB_TRY(
      Program::start({"env", fmt::format("JUPYTER_CONFIG_DIR={}/config", home),
                      fmt::format("JUPYTER_RUNTIME_DIR={}/runtime", home), program, "--config=" + file}));
  return std::unique_ptr<SandboxJupyter>(
      new SandboxJupyter(env, program, std::move(running), std::move(server), std::move(found)));
}

SandboxJupyter::SandboxJupyter(Env& env, std::string path, std::unique_ptr<Program> program,
                               JupyterServer server, Found found)
    : env_(env),
      path_(std::move(path)),
      program_(std::move(program)),
      found_(std::move(found)),
      begun_(env.now()),
      again_(env) {
  jupyter_.server = std::move(server);
  look();
}

void SandboxJupyter::look() {
  again_.set(kLook, [this] { look(); });
  ended_ = program_->pump();
  if (!found_) return;
  if (ended_)
    return std::exchange(
        found_, nullptr)(error(Code::unavailable, "Jupyter ended", printable(trim(program_->so_far().err))));
  if (env_.now() - begun_ > kPatience)
    return std::exchange(found_, nullptr)(error(Code::timeout, "Jupyter does not answer",
                                                fmt::format("It was given {}.", format_span(kPatience))));
  ask();
}

void SandboxJupyter::ask() {
  Request request;
  request.url = jupyter_.server.url(jupyter_.server.port, false) + "api";
  request.timeout = std::chrono::seconds(10);
  request.max_body = std::size_t{64} << 10;
  env_.send(std::move(request), lifeline_.guard([this](const Result<Response>& answer) {
    auto body = answer.ok() ? parse_json(answer->body) : Result<Value>(Value());
    if (!found_ || !body.ok() || (*body)["version"].is_null()) return;
    jupyter_.version = printable((*body)["version"].as_text());
    std::exchange(found_, nullptr)(jupyter_);
  }));
}

}  // namespace nbform::cli
