// What a command on the machine prints, collected on the loop from one end of a socket pair; the other end
// is relayed like any connection. Knows no SSH.
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <functional>
#include <string>
#include <utility>

#include "net/ssh_loop.h"

namespace nbform {

class SshOutput {
 public:
  static constexpr std::size_t kLongest = std::size_t{256} << 10;  // what comes after it is not read

  // The far end is for the relay, whose input ends at once. `done` may destroy this.
  static std::pair<std::unique_ptr<SshOutput>, Descriptor> open(Env& env,
                                                                std::function<void(std::string)> done) {
    int ends[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) return {};
    ::shutdown(ends[0], SHUT_WR);
    return {std::unique_ptr<SshOutput>(new SshOutput(env, Descriptor(ends[0]), std::move(done))),
            Descriptor(ends[1])};
  }

 private:
  SshOutput(Env& env, Descriptor end, std::function<void(std::string)> done)
      : end_(std::move(end)), done_(std::move(done)), watch_(env) {
    watch_.begin(end_.get(), {.read = true}, [this](Readiness) { read(); });
  }

  void read() {
    char bytes[16 << 10];
    ssize_t n = ::recv(end_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n > 0) text_.append(bytes, static_cast<std::size_t>(n));
    if (n > 0 && text_.size() <= kLongest) return;
    watch_.end();
    auto done = std::move(done_);
    done(std::move(text_));
  }

  Descriptor end_;
  std::function<void(std::string)> done_;
  std::string text_;
  Watch watch_;
};

}  // namespace nbform
