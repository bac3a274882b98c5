// nbsim's HTTP(S) face: one World behind a mutex, on loopback, with a small administration surface under
// /_nbsim/. Beside it the relay of IAP, on a port of its own. Knows sockets and the wall clock; what an
// answer says is World's business.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "sim/cloud.h"

namespace nbform::sim {

struct ServerOptions {
  int port = 0;                  // 0 = any free one
  Duration latency{0};           // added to every answer
  std::string certificate, key;  // PEM files: TLS
  std::string log;    // JSON lines of every request: {time, method, url, body, form, target, status}
  std::string world;  // file: read at the start where it is there, written at the end
};

class Server {
 public:
  Server(World world, ServerOptions options);
  ~Server();
  Result<std::string> bind();  // "http://127.0.0.1:41234"
  void run();                  // until SIGINT or SIGTERM

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

// What `nbsim env` needs from a running server: {key_file: {...}, token, project, relay, aws_key_id,
// aws_secret}.
Result<Value> fetch_env(int port, bool tls);

}  // namespace nbform::sim
