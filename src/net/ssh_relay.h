// One forwarded connection: a local socket on the near side, anything that reads and writes without waiting
// on the far side. Each direction ends by itself (half-close), and neither is read faster than the other side
// takes it. Knows no SSH and no loop.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/ssh_loop.h"

namespace nbform {

// The far side of a connection. `again`: nothing now, somebody will call when it may be different.
class FarEnd {
 public:
  enum class State { ok, again, ended, broken };
  struct Moved {
    State state = State::ok;
    std::size_t bytes = 0;
  };

  virtual ~FarEnd() = default;
  virtual Moved read(std::span<char> into) = 0;
  virtual Moved write(std::string_view bytes) = 0;  // of what could not be written the same comes again
  virtual State finish_writing() = 0;               // ok: the far side will see the end
};

class Relay {
 public:
  enum class State { going, finished, broken };
  static constexpr std::size_t kChunk = 65'400;  // two of the largest packets that libssh2 writes

  Relay(Descriptor near, std::unique_ptr<FarEnd> far) : near_(std::move(near)), far_(std::move(far)) {}

  // Moves bytes both ways as far as they go now; from the near side only where it is known to have some.
  // `scratch` is at least kChunk, and nobody's between calls.
  State move(std::span<char> scratch, bool near_ready = true);
  int fd() const { return near_.get(); }
  Readiness wants() const { return {.read = !near_ended_ && !blocked_, .write = !down_.empty()}; }
  // The same of the far side, where that is a socket too.
  Readiness far_wants() const { return {.read = !far_ended_ && down_.empty(), .write = blocked_}; }
  // The near side sees that the connection broke, not that it ended.
  void reset();

 private:
  bool move_down(std::span<char> scratch);
  bool move_up(std::span<char> scratch, bool near_ready);
  bool send_down(std::string_view bytes);
  bool send_up(std::string_view bytes);
  bool finish_up();

  Descriptor near_;
  std::unique_ptr<FarEnd> far_;
  std::string down_, up_;  // read, and not written yet
  bool near_ended_ = false, far_ended_ = false;
  bool up_done_ = false, down_done_ = false;
  bool blocked_ = false;  // the far side takes no more now
};

// Ends a connection with RST.
void reset_connection(Descriptor socket);

}  // namespace nbform
