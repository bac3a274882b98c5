// A set of one-shot timers over a clock that the owner reads. Knows no clock.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

namespace nbform {

class Timers {
 public:
  using Id = std::uint64_t;

  Id add(std::int64_t due, std::function<void()> fn) {
    queue_.emplace(std::pair(due, next_id_), std::move(fn));
    due_.emplace(next_id_, due);
    return next_id_++;
  }

  void cancel(Id id) {
    auto at = due_.find(id);
    if (at == due_.end()) return;
    queue_.erase(std::pair(at->second, id));
    due_.erase(at);
  }

  bool empty() const { return queue_.empty(); }
  std::optional<std::int64_t> next_due() const {
    return queue_.empty() ? std::nullopt : std::optional(queue_.begin()->first.first);
  }

  // The function of the earliest timer that is due, of two with one time the older first; empty when there is
  // none.
  std::function<void()> take_due(std::int64_t now) {
    if (queue_.empty() || queue_.begin()->first.first > now) return {};
    auto first = queue_.begin();
    auto fn = std::move(first->second);
    due_.erase(first->first.second);
    queue_.erase(first);
    return fn;
  }

 private:
  std::map<std::pair<std::int64_t, Id>, std::function<void()>> queue_;
  std::map<Id, std::int64_t> due_;
  Id next_id_ = 1;
};

}  // namespace nbform
