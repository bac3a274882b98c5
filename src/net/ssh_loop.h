// A timer and a watched descriptor that end with whoever holds them, and callbacks that outlive nobody.
// Knows nothing of SSH.
#pragma once

#include <unistd.h>

#include <functional>
#include <memory>
#include <utility>

#include "net/env.h"

namespace nbform {

// An open descriptor of ours.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Descriptor() { close(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

// One timer; set anew, it forgets what it was set to.
class Alarm {
 public:
  explicit Alarm(Env& env) : env_(&env) {}
  ~Alarm() { cancel(); }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  void set(Duration delay, std::function<void()> fn) {
    cancel();
    id_ = env_->after(delay, [this, fn = std::move(fn)] {
      id_ = 0;
      fn();  // `this` may be gone afterwards
    });
  }
  void cancel() {
    if (id_ != 0) env_->cancel_timer(std::exchange(id_, 0));
  }
  bool is_set() const { return id_ != 0; }

 private:
  Env* env_;
  TimerId id_ = 0;
};

class Watch {
 public:
  explicit Watch(Env& env) : env_(&env) {}
  ~Watch() { end(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void begin(int fd, Readiness what, std::function<void(Readiness)> fn) {
    end();
    what_ = what;
    id_ = env_->watch(fd, what, std::move(fn));
  }
  void ask(Readiness what) {
    if (id_ == 0 || what == what_) return;
    what_ = what;
    env_->change_watch(id_, what);
  }
  void end() {
    if (id_ != 0) env_->unwatch(std::exchange(id_, 0));
  }

 private:
  Env* env_;
  WatchId id_ = 0;
  Readiness what_;
};

// Makes callbacks that do nothing once it is gone.
class Lifeline {
 public:
  template <class F>
  auto guard(F fn) const {
    return [held = std::weak_ptr<char>(line_), fn = std::move(fn)](auto&&... args) {
      if (!held.expired()) fn(std::forward<decltype(args)>(args)...);
    };
  }

 private:
  std::shared_ptr<char> line_ = std::make_shared<char>();
};

}  // namespace nbform
