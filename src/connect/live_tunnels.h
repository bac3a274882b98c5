// The tunnels of this user that are open now: a small file for each, in a directory that nobody else can
// read, so that `nbform status` can say where a notebook is open. A file whose process is gone (or whose
// number another process has got) is removed by the next reader. Holds no token and no address of a machine.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/env.h"

namespace nbform {

struct LiveTunnel {
  std::string stack;     // its label
  std::string notebook;  // its key
  std::string machine;   // Live::id
  std::string url;       // on this computer, without a token
  Time since;
  std::int64_t process = 0;  // filled in by whoever reads or announces it
};

// $XDG_RUNTIME_DIR/nbform; without that variable /tmp/nbform-UID. Made where it is missing. Errors: denied,
// where it is not this user's alone.
Result<std::string> tunnels_directory(Env& env);

// Listed until this is destroyed.
class AnnouncedTunnel {
 public:
  static Result<std::unique_ptr<AnnouncedTunnel>> announce(Env& env, LiveTunnel tunnel);
  ~AnnouncedTunnel();
  AnnouncedTunnel(const AnnouncedTunnel&) = delete;
  AnnouncedTunnel& operator=(const AnnouncedTunnel&) = delete;

 private:
  AnnouncedTunnel(Env& env, std::string path) : env_(env), path_(std::move(path)) {}
  Env& env_;
  std::string path_;
};

// Those whose process lives, oldest first. Nothing to be read is nothing open.
std::vector<LiveTunnel> live_tunnels(Env& env);

}  // namespace nbform
