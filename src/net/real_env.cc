#include "net/real_env.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/random.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <utility>

#include "net/exchanges.h"
#include "net/files.h"
#include "net/interrupts.h"
#include "net/program.h"
#include "net/route.h"
#include "net/timers.h"
#include "net/watches.h"

namespace nbform {

namespace {
// ------------------------------------------------------------------------------------------------------

constexpr std::int64_t kLongestWait = 3'600'000'000;  // us
constexpr std::int64_t kReapEvery = 5'000;            // a program that closed its output and has not ended

struct RunningProgram {
  std::unique_ptr<Program> program;
  std::function<void(Result<ProgramResult>)> done;
  TimerId deadline = 0;
};

struct Question {
  std::string text;
  std::function<void(Result<std::string>)> done;
  Env::Echo echo = Env::Echo::shown;
  bool asked = false;
};

// A terminal that does not show what is typed, until this ends.
class QuietTerminal {
 public:
  QuietTerminal() {
    known_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    quiet.c_lflag |= ECHONL;
    if (known_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &quiet);
  }
  ~QuietTerminal() {
    if (known_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;

 private:
  termios before_ = {};
  bool known_ = false;
};

// Where it goes, if it may; a line end in a header would be a second header.
Result<Url> checked_url(const Request& request) {
  for (const auto& [name, value] : request.headers)
    for (const std::string& text : {name, value})
      if (text.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
        return error(Code::usage, "A header with a line end is refused",
                     "The header is " + name.substr(0, 40) + ".");
  return allowed_url(request.url);
}

std::int64_t steady_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

class RealEnv : public FileEnv {
 public:
  Time now() override {
    return {std::chrono::duration_cast<std::chrono::microseconds>(
                std::chrono::system_clock::now().time_since_epoch())
                .count()};
  }

  TimerId after(Duration delay, std::function<void()> fn) override {
    return timers_.add(steady_us() + std::max(delay, Duration(0)).count(), std::move(fn));
  }
  void cancel_timer(TimerId id) override { timers_.cancel(id); }

  ExchangeId send(Request request, std::function<void(Result<Response>)> done) override;
  void cancel(ExchangeId id) override {
    exchanges_.cancel(id);
    auto at = refused_.find(id);
    if (at == refused_.end()) return;
    timers_.cancel(at->second);
    refused_.erase(at);
  }

  bool step() override;

  void on_interrupt(std::function<void()> fn) override {
    interrupts_.listen(static_cast<bool>(fn));
    interrupted_ = std::move(fn);
  }

  std::uint64_t random(std::uint64_t n) override;
  std::optional<std::string> env_var(const std::string& name) override {
    const char* value = std::getenv(name.c_str());
    return value == nullptr || *value == 0 ? std::nullopt : std::optional<std::string>(value);
  }

  void spawn(std::vector<std::string> argv, Duration timeout,
             std::function<void(Result<ProgramResult>)> done) override;
  void prompt(std::string question, std::function<void(Result<std::string>)> done, Echo echo) override;

  WatchId watch(int fd, Readiness what, std::function<void(Readiness)> fn) override {
    return watches_.add(fd, what, std::move(fn));
  }
  void change_watch(WatchId id, Readiness what) override { watches_.change(id, what); }
  void unwatch(WatchId id) override { watches_.remove(id); }

 private:
  bool deliver();
  bool deliver_interrupt();
  bool deliver_exchange();
  bool deliver_program();
  bool deliver_line();
  void read_terminal();
  void ask();
  bool idle() const {
    return timers_.empty() && exchanges_.empty() && programs_.empty() && questions_.empty() &&
           !watches_.any_asks();
  }
  void wait();
  void end_program(std::uint64_t id, Result<ProgramResult> result);

  Timers timers_;
  bool timers_turn_ = true;
  Watches watches_;
  Exchanges exchanges_;
  Interrupts interrupts_;
  std::function<void()> interrupted_;
  int pending_interrupts_ = 0;
  std::map<ExchangeId, TimerId> refused_;
  std::map<std::uint64_t, RunningProgram> programs_;
  std::deque<Question> questions_;
  std::unique_ptr<QuietTerminal> quiet_;  // while a hidden answer is typed
  std::string typed_;
  bool terminal_ready_ = false, terminal_ended_ = false;
  std::uint64_t next_id_ = 1;
};

ExchangeId RealEnv::send(Request request, std::function<void(Result<Response>)> done) {
  ExchangeId id = next_id_++;
  auto url = checked_url(request);
  if (!url.ok()) {
    refused_[id] = after(Duration(0), [this, id, problem = url.error(), done = std::move(done)] {
      refused_.erase(id);
      done(problem);
    });
    return id;
  }
  Lookup env = [this](const std::string& name) { return env_var(name); };
  Exchange exchange{.url = *url,
                    .proxy = request.proxy.empty() ? proxy_for(*url, env) : request.proxy,
                    .ca_file = ca_file(*url, env),
                    .done = std::move(done)};
  exchange.request = std::move(request);
  exchanges_.add(id, std::move(exchange));
  return id;
}

bool RealEnv::step() {
  while (!deliver()) {
    if (idle()) return false;
    wait();
  }
  return true;
}

bool RealEnv::deliver() {
  if (deliver_interrupt() || deliver_exchange()) return true;
  // Not twice before the rest was looked at: timers that are always due would starve it.
  if (auto fn = std::exchange(timers_turn_, true) ? timers_.take_due(steady_us()) : nullptr) {
    timers_turn_ = false;
    fn();
    return true;
  }
  return deliver_program() || deliver_line() || watches_.deliver_one();
}

bool RealEnv::deliver_interrupt() {
  pending_interrupts_ += interrupts_.take();
  if (pending_interrupts_ == 0 || !interrupted_) return false;
  --pending_interrupts_;
  quiet_.reset();
  auto fn = interrupted_;  // it may replace itself
  fn();
  return true;
}

bool RealEnv::deliver_exchange() {
  auto finished = exchanges_.finish_one();
  if (finished) finished->done(std::move(finished->result));
  return finished.has_value();
}

void RealEnv::spawn(std::vector<std::string> argv, Duration timeout,
                    std::function<void(Result<ProgramResult>)> done) {
  auto program = Program::start(argv);
  if (!program.ok()) {
    after(Duration(0), [problem = program.error(), done = std::move(done)] { done(problem); });
    return;
  }
  std::uint64_t id = next_id_++;
  TimerId deadline = after(timeout, [this, id, name = argv[0], timeout] {
    end_program(id, error(Code::timeout, "A program took too long",
                          fmt::format("{} was ended after {}.", name, format_span(timeout))));
  });
  programs_[id] = {std::move(program).value(), std::move(done), deadline};
}

void RealEnv::end_program(std::uint64_t id, Result<ProgramResult> result) {
  auto node = programs_.extract(id);
  timers_.cancel(node.mapped().deadline);
  auto done = std::move(node.mapped().done);
  node.mapped().program.reset();
  done(std::move(result));
}

bool RealEnv::deliver_program() {
  for (auto& [id, running] : programs_) {
    if (!running.program->pump()) continue;
    end_program(id, running.program->take());
    return true;
  }
  return false;
}

void RealEnv::prompt(std::string question, std::function<void(Result<std::string>)> done, Echo echo) {
  if (::isatty(STDIN_FILENO) == 1) {
    questions_.push_back({std::move(question), std::move(done), echo});
    return;
  }
  after(Duration(0), [done = std::move(done)] {
    done(error(Code::usage, "There is no terminal to ask on", "The standard input is not a terminal."));
  });
}

void RealEnv::ask() {
  if (questions_.empty() || std::exchange(questions_.front().asked, true)) return;
  // Before the question shows: an answer may be typed at once.
  if (questions_.front().echo == Echo::hidden) quiet_ = std::make_unique<QuietTerminal>();
  const std::string& text = questions_.front().text;
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

// A terminal hands out whole lines; more than one after a paste.
void RealEnv::read_terminal() {
  char buffer[4096];
  ssize_t n = ::read(STDIN_FILENO, buffer, sizeof buffer);
  if (n > 0)
    typed_.append(buffer, static_cast<std::size_t>(n));
  else if (n == 0 || errno != EINTR)
    terminal_ended_ = true;
}

bool RealEnv::deliver_line() {
  ask();
  if (questions_.empty()) return false;
  if (std::exchange(terminal_ready_, false)) read_terminal();
  auto end = typed_.find('\n');
  if (end == std::string::npos && !terminal_ended_) return false;
  auto done = std::move(questions_.front().done);
  questions_.pop_front();
  quiet_.reset();
  if (end == std::string::npos) {
    terminal_ended_ = false;
    done(error(Code::cancelled, "No answer", "The input ended."));
    return true;
  }
  std::string line = typed_.substr(0, end);
  typed_.erase(0, end + 1);
  done(std::move(line));
  return true;
}

void RealEnv::wait() {
  std::vector<pollfd> fds;
  if (interrupts_.listening()) fds.push_back({interrupts_.wake_fd(), POLLIN, 0});
  std::int64_t limit = kLongestWait;
  for (auto& [id, running] : programs_) {
    auto open = running.program->descriptors();
    if (open.empty()) limit = kReapEvery;
    for (int fd : open) fds.push_back({fd, POLLIN, 0});
  }
  if (!questions_.empty()) fds.push_back({STDIN_FILENO, POLLIN, 0});
  if (auto due = timers_.next_due()) limit = std::clamp<std::int64_t>(*due - steady_us(), 0, limit);
  const std::size_t others = fds.size();
  watches_.collect(fds);
  exchanges_.poll(fds, static_cast<int>((limit + 999) / 1000));
  terminal_ready_ = !questions_.empty() && fds[others - 1].revents != 0;
  watches_.found(std::span(fds).subspan(others));
}

std::uint64_t RealEnv::random(std::uint64_t n) {
  if (n == 0) bug("a random number below 0 was asked for");
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % n;
  std::uint64_t value = 0;
  do {
    if (::getrandom(&value, sizeof value, 0) != sizeof value) bug("getrandom gives no bytes");
  } while (value >= limit);
  return value % n;
}

}  // namespace

std::unique_ptr<Env> make_real_env() {
  return std::make_unique<RealEnv>();
}

}  // namespace nbform
