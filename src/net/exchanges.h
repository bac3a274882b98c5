// HTTP exchanges over curl's multi interface; exchanges.cc is the only file that knows curl. Knows no loop:
// whoever owns it calls poll() and finish_one(). Rules of transport are those of net/real_env.h.
#pragma once

#include <poll.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/message.h"
#include "base/result.h"

namespace nbform {

// One request and the way it takes.
struct Exchange {
  Request request;
  Url url;              // of the request
  std::string proxy;    // "" = none, whatever the environment says
  std::string ca_file;  // "" = the system's
  std::function<void(Result<Response>)> done;
};

struct FinishedExchange {
  std::function<void(Result<Response>)> done;
  Result<Response> result;
};

class Exchanges {
 public:
  using Id = std::uint64_t;

  Exchanges();
  ~Exchanges();  // ends what is under way
  Exchanges(const Exchanges&) = delete;
  Exchanges& operator=(const Exchanges&) = delete;

  void add(Id id, Exchange exchange);
  void cancel(Id id);
  bool empty() const;

  // Moves bytes as far as they go now; hands out one exchange that has ended, if there is one.
  std::optional<FinishedExchange> finish_one();
  // Waits until an exchange can go on, one of `others` is ready (sets its revents), or `ms` have passed.
  void poll(std::span<pollfd> others, int ms);

 private:
  class Curl;
  std::unique_ptr<Curl> curl_;  // none before the first exchange
  std::deque<std::pair<Id, std::function<void(Result<Response>)>>> refused_;  // libcurl cannot be loaded
};

}  // namespace nbform
