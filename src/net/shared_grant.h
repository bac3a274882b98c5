// One credential that many requests share: fetched when the first asks, again before it expires or once it
// was refused; whoever asks meanwhile waits for the same fetch. Knows neither what it is nor where it comes
// from.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace nbform {

// T has a member std::optional<Time> expires; none: not known.
template <class T>
class SharedGrant {
 public:
  using Fetched = std::function<void(Result<T>)>;
  using Done = std::function<void(Result<std::uint64_t>)>;  // the number of value(), from 1

  // A value is fetched anew from `early` before its end on, or a quarter of its life where that is shorter.
  SharedGrant(std::function<Time()> now, Duration early, std::function<void(Fetched)> fetch)
      : now_(std::move(now)), early_(early), fetch_(std::move(fetch)) {}

  // `refused`: the number that a server did not accept, 0 for none; not given out again. A value that has not
  // expired outlives a failed fetch. `done` may run at once; not after close().
  void get(std::uint64_t refused, Done done) {
    if (closed_) return;
    bool was_refused = refused != 0 && refused == number_;
    if (!was_refused && is_valid() && now_() < stale_at_) return done(number_);
    waiters_.push_back({was_refused, std::move(done)});
    if (std::exchange(fetching_, true)) return;
    fetch_([this, alive = std::weak_ptr<char>(alive_)](Result<T> result) {
      if (!alive.expired()) settle(std::move(result));
    });
  }

  const T& value() const { return value_; }
  std::uint64_t number() const { return number_; }  // 0: nothing was fetched yet

  void close() {
    closed_ = true;
    waiters_.clear();
  }

 private:
  struct Waiter {
    bool refused;
    Done done;
  };
  static constexpr Duration kPauseAfterFailure = std::chrono::seconds(30);

  bool is_valid() const { return number_ != 0 && (!value_.expires || *value_.expires > now_()); }

  void settle(Result<T> result) {
    fetching_ = false;
    if (result.ok())
      accept(std::move(result).value());
    else
      stale_at_ = now_() + kPauseAfterFailure;
    bool keep_old = !result.ok() && is_valid();
    for (Waiter& waiter : std::exchange(waiters_, {})) {
      if (result.ok() || (keep_old && !waiter.refused))
        waiter.done(number_);
      else
        waiter.done(result.error());
    }
  }

  void accept(T fresh) {
    value_ = std::move(fresh);
    ++number_;
    stale_at_ = Time{INT64_MAX};
    if (value_.expires) stale_at_ = *value_.expires - std::min(early_, (*value_.expires - now_()) / 4);
  }

  std::function<Time()> now_;
  Duration early_;
  std::function<void(Fetched)> fetch_;
  T value_;
  std::uint64_t number_ = 0;
  Time stale_at_;
  std::vector<Waiter> waiters_;
  bool fetching_ = false;
  bool closed_ = false;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace nbform
