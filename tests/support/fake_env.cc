#include "support/fake_env.h"

#include <algorithm>

#include "base/text.h"

namespace nbform {

namespace {

struct HeldLock : FileLock {
  std::shared_ptr<int> token;
};

Diagnostic missing(const std::string& path) {
  return error(Code::not_found, "There is no such file", path + " does not exist.");
}

}  // namespace

void FakeEnv::on(std::string method, std::string url_glob, Handler handler, int times) {
  rules_.push_back({std::move(method), std::move(url_glob), std::move(handler), times});
}

void FakeEnv::on(std::string method, std::string url_glob, int status, std::string body, int times) {
  on(
      std::move(method), std::move(url_glob),
      [status, body](const Request&) -> Result<Response> {
        return Response{status, {}, body};
      },
      times);
}

int FakeEnv::count(std::string_view method, std::string_view url_glob) const {
  return static_cast<int>(std::count_if(sent.begin(), sent.end(), [&](const Request& r) {
    return r.method == method && glob_match(url_glob, r.url);
  }));
}

bool FakeEnv::run_until(const bool& done) {
  while (!done && step()) {
  }
  return done;
}

void FakeEnv::run() {
  while (step()) {
  }
}

void FakeEnv::interrupt() {
  after(Duration(0), [this] {
    if (interrupt_) interrupt_();
  });
}

TimerId FakeEnv::after(Duration delay, std::function<void()> fn) {
  events_.emplace(std::pair(clock + std::max(delay, Duration(0)), next_id_), std::move(fn));
  return next_id_++;
}

void FakeEnv::cancel_timer(TimerId id) {
  std::erase_if(events_, [id](const auto& event) { return event.first.second == id; });
}

ExchangeId FakeEnv::send(Request request, std::function<void(Result<Response>)> done) {
  sent.push_back(request);
  return after(latency,
               [this, request = std::move(request), done = std::move(done)] { done(answer(request)); });
}

void FakeEnv::cancel(ExchangeId id) {
  cancel_timer(id);
}

bool FakeEnv::step() {
  if (events_.empty()) return false;
  auto first = events_.begin();
  clock = std::max(clock, first->first.first);
  auto fn = std::move(first->second);
  events_.erase(first);
  fn();
  return true;
}

Result<Response> FakeEnv::answer(const Request& request) {
  for (Rule& rule : rules_) {
    if (rule.left == 0 || rule.method != request.method || !glob_match(rule.url_glob, request.url)) continue;
    if (rule.left > 0) --rule.left;
    auto handler = rule.handler;
    return handler(request);
  }
  return Response{599, {}, "no rule of the test answers " + request.method + " " + request.url};
}

std::uint64_t FakeEnv::random(std::uint64_t n) {
  seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;  // xorshift64
  return seed % n;
}

std::optional<std::string> FakeEnv::env_var(const std::string& name) {
  auto at = variables.find(name);
  if (at == variables.end() || at->second.empty()) return std::nullopt;
  return at->second;
}

Result<std::string> FakeEnv::read_file(const std::string& path, std::size_t max_size) {
  auto at = files.find(path);
  if (at == files.end()) return missing(path);
  if (at->second.size() > max_size) return error(Code::io, "The file is too large", path);
  return at->second;
}

Result<> FakeEnv::write_file(const std::string& path, std::string_view bytes, bool) {
  files[path] = bytes;
  return Ok{};
}

Result<> FakeEnv::append_file(const std::string& path, std::string_view record) {
  files[path] += record;
  return Ok{};
}

Result<> FakeEnv::make_directory(const std::string& path) {
  directories_.insert(path);
  return Ok{};
}

Result<std::vector<std::string>> FakeEnv::list_directory(const std::string& path) {
  std::vector<std::string> names;
  for (const auto& [file, bytes] : files) {
    if (!file.starts_with(path + "/")) continue;
    std::string name = file.substr(path.size() + 1);
    name.resize(std::min(name.size(), name.find('/')));
    if (names.empty() || names.back() != name) names.push_back(name);
  }
  if (names.empty() && directories_.count(path) == 0) return missing(path);
  return names;
}

Result<FileInfo> FakeEnv::file_info(const std::string& path) {
  if (auto at = files.find(path); at != files.end())
    return FileInfo{FileInfo::Kind::file, at->second.size(), false, path, shared.count(path) == 0};
  if (directories_.count(path) != 0 || list_directory(path).ok())
    return FileInfo{FileInfo::Kind::directory, 0, false, path, shared.count(path) == 0};
  return missing(path);
}

Result<> FakeEnv::remove_file(const std::string& path) {
  if (files.erase(path) == 0) return missing(path);
  return Ok{};
}

Result<std::unique_ptr<FileLock>> FakeEnv::lock_file(const std::string& path) {
  if (!locks_[path].expired()) return error(Code::lock_held, "Another process holds the lock", path);
  auto lock = std::make_unique<HeldLock>();
  lock->token = std::make_shared<int>();
  locks_[path] = lock->token;
  return std::unique_ptr<FileLock>(std::move(lock));
}

void FakeEnv::spawn(std::vector<std::string> argv, Duration,
                    std::function<void(Result<ProgramResult>)> done) {
  spawned.push_back(argv);
  auto at = programs.find(join(argv, " "));
  auto result = at == programs.end()
                    ? Result<ProgramResult>(error(Code::not_found, "There is no such program", argv[0]))
                    : at->second;
  after(latency, [result, done = std::move(done)] { done(result); });
}

void FakeEnv::prompt(std::string, std::function<void(Result<std::string>)> done, Echo) {
  auto result = Result<std::string>(error(Code::usage, "There is no terminal to ask on"));
  if (!typed.empty()) {
    result = typed.front();
    typed.pop_front();
  }
  after(latency, [result, done = std::move(done)] { done(result); });
}

}  // namespace nbform
