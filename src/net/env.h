// Env: the one seam between nbform and the world. Clock, timers, HTTP exchanges, randomness, environment,
// files, programs, prompts, descriptors and interrupts. Callbacks are only ever run from inside step();
// nothing here is thread-safe and nothing needs to be. Knows no cloud, no retry, no signing.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/message.h"
#include "base/result.h"
#include "base/time.h"

namespace nbform {

using TimerId = std::uint64_t;
using ExchangeId = std::uint64_t;
using WatchId = std::uint64_t;

struct FileInfo {
  enum class Kind { file, directory, other } kind = Kind::file;
  std::uint64_t size = 0;
  bool is_symlink = false;  // of the path itself; `kind` is what it leads to
  std::string resolved;     // absolute, all symlinks followed
  bool is_private = false;  // this user's, and closed to all others
};

// What is asked, or so, of a descriptor.
struct Readiness {
  bool read = false, write = false;

  bool any() const { return read || write; }
  bool operator==(const Readiness&) const = default;
};

struct ProgramResult {
  int exit_code = 0;
  std::string out, err;
};

// Holds an advisory lock until destroyed.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class Env {
 public:
  virtual ~Env() = default;

  // Wall clock, UTC.
  virtual Time now() = 0;
  // Runs `fn` once, not before `delay` has passed.
  virtual TimerId after(Duration delay, std::function<void()> fn) = 0;
  virtual void cancel_timer(TimerId id) = 0;

  // One HTTP exchange. `done` gets the answer whatever its status, or an error: unavailable (no connection,
  // reset, cut short), timeout (request.timeout), io (an answer longer than max_body, or not HTTP), usage (a
  // URL that is not allowed, see net/route.h; nothing was sent). Redirects are answers.
  virtual ExchangeId send(Request request, std::function<void(Result<Response>)> done) = 0;
  virtual void cancel(ExchangeId id) = 0;  // `done` is not called any more

  // Delivers at least one event, waiting for it as needed. False: nothing is outstanding, so nothing can
  // happen.
  virtual bool step() = 0;

  // Called once for each interrupt of the user (SIGINT, SIGTERM, SIGHUP). One handler; empty = none.
  virtual void on_interrupt(std::function<void()> fn) = 0;

  virtual std::uint64_t random(std::uint64_t n) = 0;                        // uniform in [0, n); n > 0
  virtual std::optional<std::string> env_var(const std::string& name) = 0;  // set but empty counts as absent

  // Files. Errors: not_found, denied, io; the detail names the path.
  virtual Result<std::string> read_file(const std::string& path,
                                        std::size_t max_size = std::size_t{64} << 20) = 0;
  // Whole or not at all, even when the machine dies; mode 0600 or 0644; an existing symlink is never written
  // through.
  virtual Result<> write_file(const std::string& path, std::string_view bytes, bool is_private = true) = 0;
  // One record, synced to disk before this returns; made 0600 where absent.
  virtual Result<> append_file(const std::string& path, std::string_view record) = 0;
  virtual Result<> make_directory(const std::string& path) = 0;  // 0700, parents too; fine where it exists
  virtual Result<std::vector<std::string>> list_directory(const std::string& path) = 0;  // names, sorted
  virtual Result<FileInfo> file_info(const std::string& path) = 0;
  virtual Result<> remove_file(const std::string& path) = 0;
  // Made where absent; lock_held at once where another process has it.
  virtual Result<std::unique_ptr<FileLock>> lock_file(const std::string& path) = 0;

  // Runs a program found on PATH without a shell, its input empty. not_found: there is none of that name.
  virtual void spawn(std::vector<std::string> argv, Duration timeout,
                     std::function<void(Result<ProgramResult>)> done) = 0;
  // One line of the user's, without its end. usage: there is no terminal to ask on; cancelled: end of input.
  // Hidden: what is typed does not show.
  enum class Echo { shown, hidden };
  virtual void prompt(std::string question, std::function<void(Result<std::string>)> done,
                      Echo echo = Echo::shown) = 0;

  // Runs `fn` each time the descriptor is ready for what is asked; a hang-up or an error counts as ready for
  // all of it. Asked for nothing, it rests. The descriptor stays the caller's, open until unwatch(). Only
  // where there is a real machine.
  virtual WatchId watch(int, Readiness, std::function<void(Readiness)>) {
    bug("this Env has no descriptors");
  }
  virtual void change_watch(WatchId, Readiness) { bug("this Env has no descriptors"); }
  virtual void unwatch(WatchId) { bug("this Env has no descriptors"); }
};

}  // namespace nbform
