#include "net/files.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "net/real_env.h"
#include "support/catch.h"
#include "support/scratch.h"

using namespace nbform;

namespace {

int mode_of(const std::string& path) {
  struct stat st = {};
  return ::stat(path.c_str(), &st) == 0 ? static_cast<int>(st.st_mode & 0777) : -1;
}

struct Files {
  Scratch dir;
  std::unique_ptr<Env> env = make_real_env();
  std::string at(const std::string& name) const { return dir.path(name); }
  std::string text(const std::string& name) { return env->read_file(at(name)).value(); }
};

// Runs `body` in a child that may write files of at most `bytes`; the child's exit code.
template <class F>
int with_file_limit(rlim_t bytes, F body) {
  pid_t pid = ::fork();
  if (pid == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{bytes, bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::_exit(body() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("files are private unless they are said to be public, also when replaced") {
  Files f;
  REQUIRE(f.env->write_file(f.at("a"), "one").ok());
  CHECK(mode_of(f.at("a")) == 0600);
  REQUIRE(f.env->write_file(f.at("b"), "one", false).ok());
  CHECK(mode_of(f.at("b")) == 0644);
  REQUIRE(f.env->write_file(f.at("b"), "two", true).ok());
  CHECK(mode_of(f.at("b")) == 0600);
  CHECK(f.text("b") == "two");
  REQUIRE(f.env->make_directory(f.at("x/y/z")).ok());
  CHECK(mode_of(f.at("x")) == 0700);
  CHECK(mode_of(f.at("x/y/z")) == 0700);
  CHECK(f.env->make_directory(f.at("x/y/z")).ok());
}

TEST_CASE("a replaced file is another file: who reads the old one still reads it whole") {
  Files f;
  REQUIRE(f.env->write_file(f.at("a"), "old").ok());
  int reader = ::open(f.at("a").c_str(), O_RDONLY);
  REQUIRE(f.env->write_file(f.at("a"), "newer").ok());
  char buffer[8] = {};
  CHECK(::read(reader, buffer, sizeof buffer) == 3);
  CHECK(std::string(buffer) == "old");
  ::close(reader);
  CHECK(f.env->list_directory(f.dir.path()).value() == std::vector<std::string>{"a"});
}

TEST_CASE("a write that does not fit leaves the old file and nothing else") {
  Files f;
  REQUIRE(f.env->write_file(f.at("a"), "old").ok());
  REQUIRE(f.env->append_file(f.at("journal"), "one\n").ok());
  CHECK(with_file_limit(100, [&] {
          auto written = f.env->write_file(f.at("a"), std::string(1000, 'x'));
          auto appended = f.env->append_file(f.at("journal"), std::string(1000, 'x'));
          return !written.ok() && written.error().code == Code::io && !appended.ok();
        }) == 0);
  CHECK(f.text("a") == "old");
  CHECK(f.text("journal") == "one\n");
  CHECK(f.env->list_directory(f.dir.path())->size() == 2);
}

TEST_CASE("a planted symlink is never written through") {
  Files f;
  REQUIRE(f.env->write_file(f.at("victim"), "safe").ok());
  REQUIRE(f.env->make_directory(f.at("elsewhere")).ok());
  for (auto [target, name] :
       {std::pair{"victim", "link"}, {"missing", "dangling"}, {"elsewhere", "directory"}})
    REQUIRE(::symlink(f.at(target).c_str(), f.at(name).c_str()) == 0);
  CHECK(f.env->write_file(f.at("link"), "x").error().code == Code::denied);
  CHECK(f.env->write_file(f.at("dangling"), "x").error().code == Code::denied);
  CHECK(f.env->append_file(f.at("link"), "x").error().code == Code::denied);
  CHECK(f.env->append_file(f.at("dangling"), "x").error().code == Code::denied);
  CHECK(f.env->lock_file(f.at("link")).error().code == Code::denied);
  CHECK(f.env->make_directory(f.at("directory")).error().code == Code::denied);
  CHECK(f.text("victim") == "safe");
  CHECK(f.env->file_info(f.at("missing")).error().code == Code::not_found);
}

TEST_CASE("records are appended, the file is private from its first one") {
  Files f;
  REQUIRE(f.env->append_file(f.at("journal"), "one\n").ok());
  REQUIRE(f.env->append_file(f.at("journal"), "two\n").ok());
  CHECK(f.text("journal") == "one\ntwo\n");
  CHECK(mode_of(f.at("journal")) == 0600);
}

TEST_CASE("a lock is held by one, at once told to others, and free when dropped") {
  Files f;
  auto lock = f.env->lock_file(f.at("lock"));
  REQUIRE(lock.ok());
  CHECK(f.env->lock_file(f.at("lock")).error().code == Code::lock_held);
  lock.value().reset();
  CHECK(f.env->lock_file(f.at("lock")).ok());
}

TEST_CASE("a lock dies with its process") {
  Files f;
  pid_t pid = ::fork();
  if (pid == 0) {
    auto lock = f.env->lock_file(f.at("lock"));
    ::raise(SIGKILL);
  }
  ::waitpid(pid, nullptr, 0);
  CHECK(f.env->lock_file(f.at("lock")).ok());
}

TEST_CASE("errors name the path and tell what is missing from what is forbidden") {
  Files f;
  auto missing = f.env->read_file(f.at("no"));
  CHECK(missing.error().code == Code::not_found);
  CHECK(missing.error().detail.find(f.at("no")) != std::string::npos);
  CHECK(f.env->list_directory(f.at("no")).error().code == Code::not_found);
  CHECK(f.env->remove_file(f.at("no")).error().code == Code::not_found);
  CHECK(f.env->write_file(f.at("no/file"), "x").error().code == Code::not_found);
  CHECK(f.env->read_file(f.dir.path()).error().code == Code::io);
  REQUIRE(f.env->write_file(f.at("big"), std::string(1001, 'x')).ok());
  CHECK(f.env->read_file(f.at("big"), 1000).error().summary == "The file is too large");
  CHECK(f.env->read_file(f.at("big"), 1001).ok());
}

TEST_CASE("file_info says whether a path is closed to all others") {
  Files f;
  REQUIRE(f.env->make_directory(f.at("mine")).ok());
  CHECK(f.env->file_info(f.at("mine"))->is_private);
  REQUIRE(::chmod(f.at("mine").c_str(), 0710) == 0);
  CHECK_FALSE(f.env->file_info(f.at("mine"))->is_private);
  CHECK_FALSE(f.env->file_info("/usr")->is_private);
}

TEST_CASE("file_info looks through symlinks and says so; circles are errors") {
  Files f;
  REQUIRE(f.env->write_file(f.at("a"), "12345").ok());
  REQUIRE(::symlink("a", f.at("link").c_str()) == 0);
  auto info = f.env->file_info(f.at("link"));
  REQUIRE(info.ok());
  CHECK(info->is_symlink);
  CHECK(info->kind == FileInfo::Kind::file);
  CHECK(info->size == 5);
  CHECK(info->resolved == std::filesystem::canonical(f.at("a")));
  REQUIRE(::symlink("circle", f.at("circle").c_str()) == 0);
  CHECK(f.env->file_info(f.at("circle")).error().code == Code::io);
  CHECK(f.env->read_file(f.at("circle")).error().code == Code::io);
}
