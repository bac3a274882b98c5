// A second flow of control on the same thread: runs until it yields, and goes on when it is resumed. Lets two
// programs with loops of their own take turns without locks or the scheduler's whims.
#pragma once

#include <ucontext.h>

#include <functional>
#include <memory>

namespace nbform::crash {

class Fiber {
 public:
  explicit Fiber(std::function<void()> body);
  Fiber(const Fiber&) = delete;

  void resume();  // until it yields, or is over
  void yield();   // from within
  bool over() const { return over_; }

 private:
  static void enter(unsigned high, unsigned low);
  void leave(bool for_good);

  std::function<void()> body_;
  std::unique_ptr<char[]> stack_;
  ucontext_t inside_{}, outside_{};
  bool over_ = false;
  // What AddressSanitizer must know of whoever resumed it.
  void* fake_stack_ = nullptr;
  const void* bottom_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace nbform::crash
