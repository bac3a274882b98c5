// Descriptors somebody waits for, and what poll() found of them, handed out one at a time. Knows no loop.
#pragma once

#include <poll.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "net/env.h"

namespace nbform {

class Watches {
 public:
  WatchId add(int fd, Readiness what, std::function<void(Readiness)> fn) {
    all_[next_id_] = {fd, what, std::make_shared<std::function<void(Readiness)>>(std::move(fn))};
    return next_id_++;
  }
  void change(WatchId id, Readiness what) {
    if (auto at = all_.find(id); at != all_.end()) at->second.what = what;
  }
  void remove(WatchId id) { all_.erase(id); }

  bool any_asks() const {
    for (const auto& [id, watch] : all_)
      if (watch.what.any()) return true;
    return false;
  }

  // Appends those that ask for something; found() gets the same ones back after poll().
  void collect(std::vector<pollfd>& fds) {
    polled_.clear();
    for (const auto& [id, watch] : all_) {
      if (!watch.what.any()) continue;
      int events = (watch.what.read ? POLLIN : 0) | (watch.what.write ? POLLOUT : 0);
      fds.push_back({watch.fd, static_cast<short>(events), 0});
      polled_.push_back(id);
    }
  }
  void found(std::span<const pollfd> fds) {
    for (std::size_t i = 0; i < fds.size(); ++i) {
      const short is = fds[i].revents;
      const bool ended = (is & (POLLHUP | POLLERR | POLLNVAL)) != 0;
      if (is != 0)
        ready_.emplace_back(polled_[i], Readiness{ended || (is & POLLIN), ended || (is & POLLOUT)});
    }
  }

  // Calls one that is ready and still asks for it; false when there is none.
  bool deliver_one() {
    while (!ready_.empty()) {
      auto [id, is] = ready_.front();
      ready_.pop_front();
      auto at = all_.find(id);
      if (at == all_.end()) continue;
      Readiness now{is.read && at->second.what.read, is.write && at->second.what.write};
      if (!now.any()) continue;
      auto fn = at->second.fn;  // it may remove itself
      (*fn)(now);
      return true;
    }
    return false;
  }

 private:
  struct Watch {
    int fd = -1;
    Readiness what;
    std::shared_ptr<std::function<void(Readiness)>> fn;
  };
  std::map<WatchId, Watch> all_;
  std::vector<WatchId> polled_;
  std::deque<std::pair<WatchId, Readiness>> ready_;
  WatchId next_id_ = 1;
};

}  // namespace nbform
