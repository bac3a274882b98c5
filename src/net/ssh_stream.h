// Two sockets joined by a relay, on the loop. Knows no SSH.
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <functional>

#include "net/ssh_relay.h"

namespace nbform {

// The far side of a relay that is a socket like the near one.
class StreamEnd : public FarEnd {
 public:
  explicit StreamEnd(Descriptor socket) : socket_(std::move(socket)) {}

  Moved read(std::span<char> into) override {
    return moved(::recv(socket_.get(), into.data(), into.size(), MSG_DONTWAIT), State::ended);
  }
  Moved write(std::string_view bytes) override {
    return moved(::send(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL),
                 State::again);
  }
  State finish_writing() override {
    ::shutdown(socket_.get(), SHUT_WR);
    return State::ok;
  }

 private:
  static Moved moved(ssize_t n, State at_none) {
    if (n > 0) return {State::ok, static_cast<std::size_t>(n)};
    if (n == 0) return {at_none, 0};
    return {errno == EAGAIN || errno == EINTR ? State::again : State::broken, 0};
  }
  Descriptor socket_;
};

class Joint {
 public:
  // `scratch` as for Relay::move; `over` is called once, at the end, and may destroy the joint.
  Joint(Env& env, Descriptor near, Descriptor far, std::span<char> scratch, std::function<void()> over)
      : far_fd_(far.get()),
        relay_(std::move(near), std::make_unique<StreamEnd>(std::move(far))),
        scratch_(scratch),
        over_(std::move(over)),
        near_watch_(env),
        far_watch_(env) {
    near_watch_.begin(relay_.fd(), relay_.wants(), [this](Readiness) { move(); });
    far_watch_.begin(far_fd_, relay_.far_wants(), [this](Readiness) { move(); });
  }

 private:
  void move() {
    Relay::State state = relay_.move(scratch_);
    near_watch_.ask(relay_.wants());
    far_watch_.ask(relay_.far_wants());
    if (state == Relay::State::going) return;
    near_watch_.end();
    far_watch_.end();
    if (state == Relay::State::broken) relay_.reset();
    auto over = over_;
    over();
  }

  int far_fd_;
  Relay relay_;
  std::span<char> scratch_;
  std::function<void()> over_;
  Watch near_watch_, far_watch_;
};

}  // namespace nbform
