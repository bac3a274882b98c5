// Result<T>: a value or the Diagnostic that says why there is none. Knows nothing of how it is shown.
#pragma once

#include <cstdlib>
#include <optional>
#include <utility>
#include <variant>

#include "base/diagnostic.h"

namespace nbform {

struct Ok {};

// Either a T or a Diagnostic of severity error. Asking for the side that is not there is a bug and aborts.
template <class T = Ok>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Diagnostic error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return *checked<0>(); }
  const T& value() const& { return *const_cast<Result*>(this)->checked<0>(); }
  T&& value() && { return std::move(*checked<0>()); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Diagnostic& error() const& { return *const_cast<Result*>(this)->checked<1>(); }
  Diagnostic& error() & { return *checked<1>(); }
  Diagnostic&& error() && { return std::move(*checked<1>()); }

 private:
  template <std::size_t I>
  auto* checked() {
    auto* p = std::get_if<I>(&state_);
    if (p == nullptr) bug("the other side of a Result was asked for");
    return p;
  }

  std::variant<T, Diagnostic> state_;
};

// The one macro: evaluates to the value, or returns the Diagnostic from the enclosing function.
#define NB_TRY(...)                                             \
  ({                                                            \
    auto nb_result_ = (__VA_ARGS__);                            \
    if (!nb_result_.ok()) return std::move(nb_result_).error(); \
    std::move(nb_result_).value();                              \
  })

}  // namespace nbform
