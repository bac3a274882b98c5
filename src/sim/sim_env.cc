#include "sim/sim_env.h"

#include <fmt/format.h>

namespace nbform::sim {

std::uint64_t Timeline::add(Time at, std::function<void()> fn) {
  std::uint64_t id = ++last_id_;
  at = std::max(at, now_);
  queue_.emplace(std::pair(at, id), std::move(fn));
  times_.emplace(id, at);
  return id;
}

void Timeline::remove(std::uint64_t id) {
  auto it = times_.find(id);
  if (it == times_.end()) return;
  queue_.erase({it->second, id});
  times_.erase(it);
}

void Timeline::run_next() {
  auto entry = queue_.extract(queue_.begin());
  times_.erase(entry.key().second);
  now_ = entry.key().first;
  entry.mapped()();
}

// One exchange under way.
struct SimEnv::Flight {
  ExchangeId id = 0;
  Request request;
  std::function<void(Result<Response>)> done;
  std::uint64_t next = 0;      // timeline entry of its next move
  std::uint64_t deadline = 0;  // timeline entry of its timeout
  bool arrived = false;
  bool gone = false;  // nobody waits for the answer any more
};

SimEnv::SimEnv(World& world, Env& outside, SimOptions options)
    : world_(world),
      outside_(outside),
      options_(std::move(options)),
      timeline_(options_.timeline != nullptr
                    ? options_.timeline
                    : std::make_shared<Timeline>(std::max(options_.start, world.now()))),
      random_state_(options_.seed) {}

// Others may share the timeline: nothing of this Env may run any more, but what has left still reaches the
// World.
SimEnv::~SimEnv() {
  while (!flights_.empty()) cancel(flights_.begin()->first);
  for (TimerId id : timers_) timeline_->remove(id);
}

TimerId SimEnv::after(Duration delay, std::function<void()> fn) {
  auto id = std::make_shared<TimerId>(0);
  *id = timeline_->add(now() + delay, [this, id, fn = std::move(fn)] {
    timers_.erase(*id);
    fn();
  });
  timers_.insert(*id);
  return *id;
}

void SimEnv::cancel_timer(TimerId id) {
  if (timers_.erase(id) > 0) timeline_->remove(id);
}

Duration SimEnv::half_trip() {
  Duration extra =
      options_.jitter.count() > 0
          ? Duration(static_cast<std::int64_t>(random(static_cast<std::uint64_t>(options_.jitter.count()))))
          : Duration(0);
  return options_.latency / 2 + extra / 2;
}

ExchangeId SimEnv::send(Request request, std::function<void(Result<Response>)> done) {
  auto flight = std::make_shared<Flight>();
  flight->id = ++last_flight_;
  flight->request = std::move(request);
  flight->done = std::move(done);
  flights_[flight->id] = flight;
  if (gate_ && !gate_(flight->request)) return flight->id;
  Time end = now() + std::chrono::duration_cast<Duration>(flight->request.timeout);
  flight->next = timeline_->add(now() + half_trip(), [this, flight, world = &world_, line = timeline_.get()] {
    flight->arrived = true;
    Answer answer = world->handle(flight->request, line->now());
    if (!flight->gone) receive(flight, std::move(answer));
  });
  flight->deadline = timeline_->add(end, [this, flight] {
    finish(flight, error(Code::timeout, "No answer in time",
                         fmt::format("{} took longer than {} ms.", flight->request.url,
                                     flight->request.timeout.count())));
  });
  return flight->id;
}

// A request that has left takes effect all the same: only its answer is not heard.
void SimEnv::cancel(ExchangeId id) {
  auto it = flights_.find(id);
  if (it == flights_.end()) return;
  FlightPtr flight = it->second;
  flight->gone = true;
  timeline_->remove(flight->deadline);
  if (flight->arrived) timeline_->remove(flight->next);
  flights_.erase(it);
}

void SimEnv::receive(const FlightPtr& flight, Answer answer) {
  if (flight->gone) return;
  if (answer.held) {
    flight->next = timeline_->add(now() + answer.delay, [this, flight] {
      receive(flight, Answer{world_.resume(flight->request, now())});
    });
    return;
  }
  Duration delay = answer.delay + half_trip();
  flight->next = timeline_->add(now() + delay, [this, flight, answer = std::move(answer)]() mutable {
    const std::string& url = flight->request.url;
    if (!answer.response)
      finish(flight, error(Code::unavailable, "The connection was reset",
                           fmt::format("{} closed the connection without an answer.", url)));
    else if (answer.cut && *answer.cut < answer.response->body.size())
      finish(flight,
             error(Code::unavailable, "The answer was cut short",
                   fmt::format("{} sent {} of {} bytes.", url, *answer.cut, answer.response->body.size())));
    else if (answer.response->body.size() > flight->request.max_body)
      finish(flight, error(Code::io, std::string(kTooLarge),
                           fmt::format("{} sent more than {} bytes.", url, flight->request.max_body)));
    else
      finish(flight, std::move(*answer.response));
  });
}

void SimEnv::finish(const FlightPtr& flight, Result<Response> result) {
  if (flight->gone) return;
  cancel(flight->id);
  if (options_.record)
    exchanges_.push_back({flight->request.method, flight->request.url, flight->request.body,
                          result ? result->status : 0, result ? result->body : ""});
  flight->done(std::move(result));
}

bool SimEnv::step() {
  if (outside_calls_ > 0) return outside_.step();
  if (listens_) {
    // Gives a waiting interrupt its turn without waiting for one.
    bool passed = false;
    outside_.after(Duration(0), [&] { passed = true; });
    while (!passed && outside_.step()) {
    }
  }
  if (timeline_->empty()) return false;
  timeline_->run_next();
  return true;
}

void SimEnv::on_interrupt(std::function<void()> fn) {
  listens_ = static_cast<bool>(fn);
  outside_.on_interrupt(std::move(fn));
}

std::uint64_t SimEnv::random(std::uint64_t n) {
  std::uint64_t z = (random_state_ += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (z ^ (z >> 31)) % n;
}

Result<std::string> SimEnv::read_file(const std::string& path, std::size_t max_size) {
  return outside_.read_file(path, max_size);
}
Result<> SimEnv::write_file(const std::string& path, std::string_view bytes, bool is_private) {
  return outside_.write_file(path, bytes, is_private);
}
Result<> SimEnv::append_file(const std::string& path, std::string_view record) {
  return outside_.append_file(path, record);
}
Result<> SimEnv::make_directory(const std::string& path) {
  return outside_.make_directory(path);
}
Result<std::vector<std::string>> SimEnv::list_directory(const std::string& path) {
  return outside_.list_directory(path);
}
Result<FileInfo> SimEnv::file_info(const std::string& path) {
  return outside_.file_info(path);
}
Result<> SimEnv::remove_file(const std::string& path) {
  return outside_.remove_file(path);
}
Result<std::unique_ptr<FileLock>> SimEnv::lock_file(const std::string& path) {
  return outside_.lock_file(path);
}

void SimEnv::spawn(std::vector<std::string> argv, Duration timeout,
                   std::function<void(Result<ProgramResult>)> done) {
  ++outside_calls_;
  outside_.spawn(std::move(argv), timeout, [this, done = std::move(done)](Result<ProgramResult> result) {
    --outside_calls_;
    done(std::move(result));
  });
}

void SimEnv::prompt(std::string question, std::function<void(Result<std::string>)> done, Echo echo) {
  ++outside_calls_;
  outside_.prompt(
      std::move(question),
      [this, done = std::move(done)](Result<std::string> answer) {
        --outside_calls_;
        done(std::move(answer));
      },
      echo);
}

}  // namespace nbform::sim
