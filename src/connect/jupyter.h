// The Jupyter servers of a machine: those that run there, by the files that they write for their own user,
// and the one that answers at a port of the tunnel. Knows no screen, no cloud and no SSH.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/crypto.h"
#include "net/tunnel.h"

namespace nbform {

// jpserver-PID.json of Jupyter Server, nbserver-PID.json of the classic notebook.
struct JupyterServer {
  int port = 0;
  std::string base_url = "/";  // begins and ends with a slash
  Secret token;                // empty: it asks for none, or nobody told us
  bool secure = false;         // speaks HTTPS

  // Of the server at a port of this computer: with the token only where `with_token`.
  std::string url(int local_port, bool with_token) const;
};

// A command for any login shell that prints those files of servers that run, the newest first.
std::string list_jupyter_servers();
// What it printed. What is no such file is left out.
std::vector<JupyterServer> read_jupyter_servers(std::string_view printed);

struct FoundJupyter {
  JupyterServer server;
  std::string version;  // "6.4.12"
  bool locked = false;  // it asks for a token or password that is not known here
};

// Asks until Jupyter answers at the first port of a tunnel, or is seen to run at another.
class JupyterSearch {
 public:
  struct Calls {
    std::function<void(FoundJupyter)> found;
    std::function<void(int port)>
        elsewhere;  // nothing answers here, and a server is listed there; may end us
    std::function<void(std::string why)> missing;  // each time; the search goes on
  };
  // `port`: where it is expected. `fixed`: and nowhere else. The tunnel is connected, and outlives this.
  JupyterSearch(Env& env, Tunnel& tunnel, int port, bool fixed, Calls calls);
  ~JupyterSearch();

 private:
  void look();
  void take(const std::string& printed);
  void ask(std::string_view path, std::function<void(const Result<Response>&)> done);
  void judge_version(const Result<Response>& answer);
  void judge_status(const Response& answer);
  void nothing_there(std::string why);

  Env& env_;
  Tunnel& tunnel_;
  int port_;
  bool fixed_;
  Calls calls_;
  std::vector<JupyterServer> listed_;
  FoundJupyter found_;
  ExchangeId exchange_ = 0;
  Alarm again_, listing_;
  Lifeline lifeline_;
};

}  // namespace nbform
