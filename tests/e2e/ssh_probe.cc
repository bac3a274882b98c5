// A tunnel as a program, for tests with a real sshd: flags are its settings, each event is a line of JSON.
//   ssh_probe --address FILE --user NAME [--key FILE]... [--forward LOCAL:REMOTE]... [--trust "TYPE BLOB"]...
// FILE holds "host port" and is read before every attempt. SIGTERM ends it.
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "net/real_env.h"
#include "net/ssh_socket.h"
#include "net/tunnel.h"

using namespace nbform;

#if defined(__SANITIZE_ADDRESS__)
// libssh2 1.10 forgets a host key at each renewal of keys, and numbers at a handshake that is cut short.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libssh2.so\nleak:libcrypto.so\n";
}
#endif

namespace {

std::string_view name_of(TunnelEvent::What what) {
  constexpr std::string_view kNames[] = {"connecting", "connected", "via_program", "turned_away",
                                         "lost",       "waiting",   "failed"};
  return kNames[static_cast<int>(what)];
}

void print(Map line) {
  std::string text = to_json(Value(std::move(line)));
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

Value list_of(const std::vector<std::string>& texts) {
  List out;
  for (const std::string& text : texts) out.push_back(Value(text));
  return Value(std::move(out));
}

void show(const TunnelEvent& event) {
  Map line = {{"event", Value(std::string(name_of(event.what)))}, {"text", Value(event.text)}};
  const SshFailure& failure = event.failure;
  if (!failure.why.summary.empty()) {
    line.set("problem", Value(std::string(problem_name(failure.problem))));
    line.set("summary", Value(failure.why.summary));
    line.set("detail", Value(failure.why.detail));
    line.set("methods", list_of(failure.methods));
    line.set("tried", list_of(failure.tried));
  }
  if (failure.host_key) line.set("fingerprint", Value(failure.host_key->fingerprint()));
  if (event.pause.count() > 0) line.set("pause_ms", Value(event.pause.count() / 1000));
  print(std::move(line));
}

struct Flags {
  std::map<std::string, std::vector<std::string>> all;

  Flags(int argc, char** argv) {
    for (int i = 1; i + 1 < argc; i += 2) all[argv[i]].push_back(argv[i + 1]);
  }
  std::string one(const std::string& name, std::string otherwise = "") {
    return all[name].empty() ? otherwise : all[name].back();
  }
  void set(const std::string& name, Duration& to) {
    if (!all[name].empty()) to = std::chrono::milliseconds(std::stoi(all[name].back()));
  }
};

TunnelSettings settings_of(Flags& flags) {
  TunnelSettings out;
  out.user = flags.one("--user");
  out.key_files = flags.all["--key"];
  out.agent_socket = flags.one("--agent");
  for (const std::string& text : flags.all["--forward"]) {
    auto forward = parse_forward(text);
    if (!forward.ok()) std::fprintf(stderr, "%s\n", forward.error().detail.c_str());
    if (forward.ok()) out.forwards.push_back(*forward);
  }
  for (const std::string& port : flags.all["--any"]) out.forwards.push_back({.port = std::stoi(port)});
  for (const std::string& text : flags.all["--near"]) {  // LOCAL:REMOTE, or the next free one
    auto forward = parse_forward(text);
    if (!forward.ok()) continue;
    forward->fixed = false;
    out.forwards.push_back(*forward);
  }
  const std::string via = flags.one("--via");
  if (via == "library") out.via = TunnelSettings::Via::library;
  if (via == "program") out.via = TunnelSettings::Via::program;
  flags.set("--handshake", out.handshake_limit);
  flags.set("--keep-alive", out.keep_alive);
  flags.set("--hold", out.hold);
  flags.set("--patience", out.patience);
  return out;
}

TunnelCalls calls_of(Env& env, Flags& flags, bool& over) {
  TunnelCalls calls;
  calls.address = [&](auto done) {
    auto text = env.read_file(flags.one("--address"));
    if (!text.ok()) return done(text.error());
    auto words = split(trim(*text), ' ');
    TunnelAddress at{.host = std::string(words.at(0)), .port = std::stoi(std::string(words.at(1)))};
    at.host_key_types = flags.all["--host-key-type"];
    if (flags.all["--stream"].empty()) return done(std::move(at));
    // As a relay would have it: a connected socket of the caller's, whatever it leads to.
    auto connecting = std::make_shared<std::unique_ptr<Connecting>>();
    *connecting = std::make_unique<Connecting>(
        env, at.host, at.port, std::chrono::seconds(10),
        [&env, done, connecting, host = at.host](Connecting::Outcome outcome) {
          if (!outcome.socket) return done(outcome.failure.why);
          done(TunnelAddress{.host = host + " by relay", .stream = std::move(outcome.socket)});
          env.after(Duration(0), [connecting] { connecting->reset(); });
        });
  };
  calls.verify = [&](const HostKey& key, auto done) {
    print({{"event", Value("verify")}, {"type", Value(key.type)}, {"fingerprint", Value(key.fingerprint())}});
    for (const std::string& text : flags.all["--trust"])
      if (parse_host_key(text) == key) return done(Ok());
    done(error(Code::denied, "The machine shows another host key"));
  };
  calls.passphrase = [&](const std::string& path, int attempt, auto done) {
    print({{"event", Value("passphrase")}, {"text", Value(path)}, {"attempt", Value(attempt)}});
    const auto& known = flags.all["--passphrase"];
    if (static_cast<std::size_t>(attempt) > known.size())
      return done(error(Code::usage, "There is no terminal to ask on"));
    done(Secret(known[static_cast<std::size_t>(attempt - 1)]));
  };
  calls.on_event = [&](const TunnelEvent& event) {
    show(event);
    if (event.what == TunnelEvent::What::failed) over = true;
  };
  return calls;
}

}  // namespace

int main(int argc, char** argv) {
  Flags flags(argc, argv);
  auto env = make_real_env();
  bool failed = false, interrupted = false;
  auto tunnel = Tunnel::open(*env, settings_of(flags), calls_of(*env, flags, failed));
  if (!tunnel.ok()) {
    print({{"event", Value("failed")},
           {"problem", Value(std::string(code_name(tunnel.error().code)))},
           {"detail", Value(tunnel.error().detail)},
           {"hint", Value(tunnel.error().hint)}});
    return 1;
  }
  List ports;
  for (int port : (*tunnel)->ports()) ports.push_back(Value(port));
  print({{"event", Value("listening")}, {"ports", Value(std::move(ports))}});
  env->on_interrupt([&] { interrupted = true; });
  while (!failed && !interrupted && env->step()) {
  }
  return failed ? 1 : 0;
}
