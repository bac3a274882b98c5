// A small scripted world for tests: virtual time, answers by rule, files in a map, and a diary of what was
// sent. Nothing happens until step(); nothing waits.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "net/env.h"

namespace nbform {

class FakeEnv : public Env {
 public:
  using Handler = std::function<Result<Response>(const Request&)>;

  // The first rule whose method is equal and whose glob matches the URL answers, until it was used `times`
  // times
  // (-1: always). A request that no rule matches is answered 599.
  void on(std::string method, std::string url_glob, Handler handler, int times = -1);
  void on(std::string method, std::string url_glob, int status, std::string body, int times = -1);

  Time clock{1'800'000'000'000'000};
  Duration latency = std::chrono::milliseconds(10);
  std::map<std::string, std::string> variables;
  std::map<std::string, std::string> files;
  std::set<std::string> shared;                           // paths that somebody else can get into
  std::map<std::string, Result<ProgramResult>> programs;  // by the words of argv, joined with blanks
  std::deque<std::string> typed;                          // what the user answers; empty: no terminal
  std::uint64_t seed = 1;

  std::vector<Request> sent;                                            // the diary
  std::vector<std::vector<std::string>> spawned;                        // likewise
  int count(std::string_view method, std::string_view url_glob) const;  // of `sent`

  // Steps until `done` or nothing can happen.
  bool run_until(const bool& done);
  void run();
  void interrupt();  // as by Ctrl-C, delivered with the next step

  Time now() override { return clock; }
  TimerId after(Duration delay, std::function<void()> fn) override;
  void cancel_timer(TimerId id) override;
  ExchangeId send(Request request, std::function<void(Result<Response>)> done) override;
  void cancel(ExchangeId id) override;
  bool step() override;
  void on_interrupt(std::function<void()> fn) override { interrupt_ = std::move(fn); }
  std::uint64_t random(std::uint64_t n) override;
  std::optional<std::string> env_var(const std::string& name) override;
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
  void prompt(std::string question, std::function<void(Result<std::string>)> done, Echo echo) override;

 private:
  struct Rule {
    std::string method, url_glob;
    Handler handler;
    int left;
  };
  Result<Response> answer(const Request& request);

  std::vector<Rule> rules_;
  std::map<std::pair<Time, TimerId>, std::function<void()>> events_;
  TimerId next_id_ = 1;
  std::function<void()> interrupt_;
  std::map<std::string, std::weak_ptr<int>> locks_;
  std::set<std::string> directories_;  // made, and empty until files say otherwise
};

}  // namespace nbform
