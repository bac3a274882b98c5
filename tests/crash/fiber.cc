#include "fiber.h"

#include <cstdint>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#else
namespace {
void __sanitizer_start_switch_fiber(void**, const void*, std::size_t) {}
void __sanitizer_finish_switch_fiber(void*, const void**, std::size_t*) {}
}  // namespace
#endif

namespace nbform::crash {

namespace {
constexpr std::size_t kStack = std::size_t{1} << 20;
}

Fiber::Fiber(std::function<void()> body) : body_(std::move(body)), stack_(new char[kStack]) {
  getcontext(&inside_);
  inside_.uc_stack.ss_sp = stack_.get();
  inside_.uc_stack.ss_size = kStack;
  inside_.uc_link = nullptr;
  auto self = reinterpret_cast<std::uintptr_t>(this);
  // makecontext passes ints.
  makecontext(&inside_, reinterpret_cast<void (*)()>(&Fiber::enter), 2, static_cast<unsigned>(self >> 32),
              static_cast<unsigned>(self));
}

void Fiber::enter(unsigned high, unsigned low) {
  auto* self = reinterpret_cast<Fiber*>(std::uintptr_t{high} << 32 | low);
  __sanitizer_finish_switch_fiber(nullptr, &self->bottom_, &self->size_);
  self->body_();
  self->over_ = true;
  self->leave(true);
}

void Fiber::resume() {
  void* fake_stack = nullptr;
  __sanitizer_start_switch_fiber(&fake_stack, stack_.get(), kStack);
  swapcontext(&outside_, &inside_);
  __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
}

void Fiber::yield() {
  leave(false);
  __sanitizer_finish_switch_fiber(fake_stack_, &bottom_, &size_);
}

void Fiber::leave(bool for_good) {
  __sanitizer_start_switch_fiber(for_good ? nullptr : &fake_stack_, bottom_, size_);
  swapcontext(&inside_, &outside_);
}

}  // namespace nbform::crash
