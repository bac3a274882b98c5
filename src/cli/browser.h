// Opens the user's browser at a URL that may hold a secret. Arguments of programs can be read by everybody on
// the computer, so the browser is started with a loopback URL of ours that sends it on, once, and only when
// it is a program of this user that asks. Knows no Jupyter.
#pragma once

#include <string>
#include <string_view>

#include "base/crypto.h"
#include "net/ssh_loop.h"
#include "net/ssh_socket.h"

namespace nbform::cli {

class Browser {
 public:
  // Through xdg-open; where there is none, nothing happens. The page is there as long as this is.
  Browser(Env& env, Secret url);

 private:
  void begin(Secret url);
  void on_knock();
  void on_request();

  Env& env_;
  Secret url_;
  std::string path_;  // "/" and a random name
  Listener listener_;
  Descriptor visitor_;
  std::string request_;
  Watch knock_, reading_;
};

// Whose socket on this computer is connected from one loopback port to another: the user id in the text of
// /proc/net/tcp; -1 where it is not listed.
long uid_of_connection(std::string_view proc_net_tcp, int from_port, int to_port);

}  // namespace nbform::cli
