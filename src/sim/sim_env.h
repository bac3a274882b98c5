// SimEnv: an Env whose network is a World and whose time is virtual. Waiting costs nothing: step() takes the
// earliest timer or answer and moves the clock to it. Files, environment, programs, prompts and interrupts
// are the outside Env's; while one of its programs or prompts is outstanding, virtual time stands still.
#pragma once

#include <map>
#include <memory>

#include "net/env.h"
#include "sim/cloud.h"

namespace nbform::sim {

// The order of things to come. Two SimEnvs may share one: two callers of one cloud, interleaved.
class Timeline {
 public:
  explicit Timeline(Time start) : now_(start) {}
  Time now() const { return now_; }
  std::uint64_t add(Time at, std::function<void()> fn);
  void remove(std::uint64_t id);
  bool empty() const { return queue_.empty(); }
  void run_next();  // moves the clock to the earliest entry and runs it; entries of one time run in order of
                    // adding

 private:
  Time now_;
  std::uint64_t last_id_ = 0;
  std::map<std::pair<Time, std::uint64_t>, std::function<void()>> queue_;
  std::map<std::uint64_t, Time> times_;
};

struct Exchange {
  std::string method, url, body;
  int status = 0;  // 0: no answer
  std::string answer;
};

struct SimOptions {
  std::shared_ptr<Timeline> timeline;                // absent: a new one that starts at `start`
  Time start = Time::from_seconds(1'795'262'400);    // 2026-11-21T12:00:00Z
  Duration latency = std::chrono::milliseconds(40);  // of one exchange, half each way
  Duration jitter{0};                                // up to so much more, from the seed
  std::uint64_t seed = 1;
  bool record = false;  // keep every exchange
};

class SimEnv : public Env {
 public:
  SimEnv(World& world, Env& outside, SimOptions options = {});
  ~SimEnv() override;

  const std::vector<Exchange>& exchanges() const { return exchanges_; }
  std::shared_ptr<Timeline> timeline() const { return timeline_; }
  World& world() { return world_; }
  // Called with each request before it is sent; false: the request never leaves (the caller died at this
  // point).
  void set_gate(std::function<bool(const Request&)> gate) { gate_ = std::move(gate); }

  Time now() override { return timeline_->now(); }
  TimerId after(Duration delay, std::function<void()> fn) override;
  void cancel_timer(TimerId id) override;
  ExchangeId send(Request request, std::function<void(Result<Response>)> done) override;
  void cancel(ExchangeId id) override;
  bool step() override;
  void on_interrupt(std::function<void()> fn) override;
  std::uint64_t random(std::uint64_t n) override;
  std::optional<std::string> env_var(const std::string& name) override { return outside_.env_var(name); }

  Result<std::string> read_file(const std::string& path, std::size_t max_size) override;
  Result<> write_file(const std::string& path, std::string_view bytes, bool is_private) override;
  Result<> append_file(const std::string& path, std::string_view record) override;
  Result<> make_directory(const std::string& path) override;
  Result<std::vector<std::string>> list_directory(const std::string& path) override;
  Result<FileInfo> file_info(const std::string& path) override;
  Result<> remove_file(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock_file(const std::string& path) override;
  void spawn(std::vector<std::string> argv, Duration timeout,
             std::function<void(Result<ProgramResult>)> done) override;
  void prompt(std::string question, std::function<void(Result<std::string>)> done,
              Echo echo = Echo::shown) override;

 private:
  struct Flight;
  using FlightPtr = std::shared_ptr<Flight>;
  void receive(const FlightPtr& flight, Answer answer);
  void finish(const FlightPtr& flight, Result<Response> result);
  Duration half_trip();

  World& world_;
  Env& outside_;
  SimOptions options_;
  std::shared_ptr<Timeline> timeline_;
  std::uint64_t random_state_;
  std::uint64_t last_flight_ = 0;
  std::map<ExchangeId, FlightPtr> flights_;
  std::set<TimerId> timers_;
  std::vector<Exchange> exchanges_;
  std::function<bool(const Request&)> gate_;
  int outside_calls_ = 0;
  bool listens_ = false;
};

}  // namespace nbform::sim
