// SIGINT, SIGTERM and SIGHUP as events of a loop, through a self-pipe. The process has one set of signal
// handlers, so at most one Interrupts listens at a time. Knows no loop.
#pragma once

namespace nbform {

class Interrupts {
 public:
  Interrupts() = default;
  ~Interrupts() { listen(false); }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  // On: every signal from now on is counted and wakes wake_fd(). Off: the system's own reaction again.
  void listen(bool on);
  bool listening() const { return read_fd_ >= 0; }
  int wake_fd() const { return read_fd_; }  // readable after a signal
  int take();                               // signals since the last take()

 private:
  int read_fd_ = -1;
  int write_fd_ = -1;
};

}  // namespace nbform
