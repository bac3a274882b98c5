#include "net/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/crypto.h"

namespace nbform {

namespace {

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&&) = delete;

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  // Some file systems report a failed write only here.
  bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

Diagnostic failure(std::string_view doing, const std::string& path, int code = errno) {
  switch (code) {
    case ENOENT:
    case ENOTDIR:
      return error(Code::not_found, "There is no such file", fmt::format("{} does not exist.", path));
    case EACCES:
    case EPERM:
    case EROFS:
      return error(Code::denied, "A file may not be accessed",
                   fmt::format("{} {}: {}.", doing, path, std::strerror(code)));
    case ELOOP:
      return error(
          Code::denied, "A symbolic link stands where a file of nbform's should be",
          fmt::format("{} {} is refused, as writing would go to where the link points. Remove the link.",
                      doing, path));
    default:
      return error(Code::io, "A file operation failed",
                   fmt::format("{} {}: {}.", doing, path, std::strerror(code)));
  }
}

struct Split {
  std::string directory, name;
};

Split split_path(const std::string& path) {
  auto slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::string random_suffix() {
  char bytes[8] = {};
  if (::getrandom(bytes, sizeof bytes, 0) != sizeof bytes) bug("getrandom gives no bytes");
  return hex({bytes, sizeof bytes});
}

bool is_symlink_at(int directory, const std::string& name) {
  struct stat st = {};
  return ::fstatat(directory, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

// Writes and syncs a new file beside its target; it is removed again when anything fails.
Result<> write_new(int directory, const std::string& name, std::string_view bytes, mode_t mode) {
  Fd file(::openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file.open()) return failure("Creating", name);
  if (write_all(file.get(), bytes) && ::fsync(file.get()) == 0 && file.close()) return Ok{};
  Diagnostic d = failure("Writing", name);
  ::unlinkat(directory, name.c_str(), 0);
  return d;
}

Result<> sync_directory(const std::string& path) {
  Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.open() || ::fsync(directory.get()) != 0) return failure("Syncing", path);
  return Ok{};
}

class FlockedFile : public FileLock {
 public:
  explicit FlockedFile(Fd fd) : fd_(std::move(fd)) {}

 private:
  Fd fd_;
};

// Is the open file still the one that the path names?
bool is_same_file(int fd, const std::string& path) {
  struct stat opened = {}, named = {};
  return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

}  // namespace

Result<std::string> FileEnv::read_file(const std::string& path, std::size_t max_size) {
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.open())
    return errno == ELOOP ? error(Code::io, "Symbolic links lead in a circle", path)
                          : failure("Reading", path);
  std::string bytes;
  constexpr std::size_t kChunk = 64 << 10;
  for (;;) {
    std::size_t used = bytes.size();
    bytes.resize(used + kChunk);
    ssize_t n = ::read(file.get(), bytes.data() + used, kChunk);
    if (n < 0 && errno != EINTR) return failure("Reading", path);
    bytes.resize(used + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (bytes.size() > max_size)
      return error(Code::io, "The file is too large",
                   fmt::format("{} is larger than {} bytes.", path, max_size));
    if (n == 0) return bytes;
  }
}

Result<> FileEnv::write_file(const std::string& path, std::string_view bytes, bool is_private) {
  auto [directory, name] = split_path(path);
  Fd parent(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent.open()) return failure("Opening", directory);
  if (is_symlink_at(parent.get(), name)) return failure("Writing", path, ELOOP);
  std::string fresh = fmt::format(".{}.{}.tmp", name, random_suffix());
  if (auto written = write_new(parent.get(), fresh, bytes, is_private ? 0600 : 0644); !written.ok()) {
    Diagnostic d = std::move(written).error();
    d.detail += fmt::format(" {} is as it was.", path);
    return d;
  }
  if (::renameat(parent.get(), fresh.c_str(), parent.get(), name.c_str()) != 0) {
    Diagnostic d = failure("Replacing", path);
    ::unlinkat(parent.get(), fresh.c_str(), 0);
    return d;
  }
  if (::fsync(parent.get()) != 0) return failure("Syncing", directory);
  return Ok{};
}

Result<> FileEnv::append_file(const std::string& path, std::string_view record) {
  constexpr int kFlags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
  bool made = false;
  int fd = ::open(path.c_str(), kFlags);
  if (fd < 0 && errno == ENOENT) made = (fd = ::open(path.c_str(), kFlags | O_CREAT, 0600)) >= 0;
  Fd file(fd);
  struct stat before = {};
  if (!file.open() || ::fstat(file.get(), &before) != 0) return failure("Opening", path);
  if (!S_ISREG(before.st_mode))
    return error(Code::denied, "Not a regular file", path + " is not a regular file.");
  if (!write_all(file.get(), record) || ::fsync(file.get()) != 0) {
    Diagnostic d = failure("Appending to", path);
    if (::ftruncate(file.get(), before.st_size) != 0) d.detail += " Its last record is torn.";
    return d;
  }
  if (!file.close()) return failure("Appending to", path);
  return made ? sync_directory(split_path(path).directory) : Ok{};
}

Result<> FileEnv::make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return sync_directory(split_path(path).directory);
  if (errno == ENOENT) {
    auto parent = split_path(path).directory;
    if (parent == path || parent == ".") return failure("Making", path);
    NB_TRY(make_directory(parent));
    return ::mkdir(path.c_str(), 0700) == 0 ? Result<>(Ok{}) : failure("Making", path);
  }
  if (errno != EEXIST) return failure("Making", path);
  struct stat st = {};
  if (::lstat(path.c_str(), &st) != 0) return failure("Making", path);
  if (S_ISLNK(st.st_mode)) return failure("Using", path, ELOOP);
  if (!S_ISDIR(st.st_mode))
    return error(Code::io, "Not a directory", path + " exists and is not a directory.");
  return Ok{};
}

Result<std::vector<std::string>> FileEnv::list_directory(const std::string& path) {
  std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (!directory) return failure("Listing", path);
  std::vector<std::string> names;
  for (errno = 0; const dirent* entry = ::readdir(directory.get()); errno = 0) {
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return failure("Listing", path);
  std::sort(names.begin(), names.end());
  return names;
}

Result<FileInfo> FileEnv::file_info(const std::string& path) {
  struct stat own = {}, target = {};
  if (::lstat(path.c_str(), &own) != 0 || ::stat(path.c_str(), &target) != 0)
    return errno == ELOOP ? error(Code::io, "Symbolic links lead in a circle", path)
                          : failure("Looking at", path);
  std::unique_ptr<char, void (*)(void*)> resolved(::realpath(path.c_str(), nullptr), ::free);
  if (!resolved) return failure("Looking at", path);
  FileInfo info;
  info.kind = S_ISREG(target.st_mode)   ? FileInfo::Kind::file
              : S_ISDIR(target.st_mode) ? FileInfo::Kind::directory
                                        : FileInfo::Kind::other;
  info.size = static_cast<std::uint64_t>(target.st_size);
  info.is_symlink = S_ISLNK(own.st_mode);
  info.is_private = target.st_uid == ::geteuid() && (target.st_mode & 077) == 0;
  info.resolved = resolved.get();
  return info;
}

Result<> FileEnv::remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return failure("Removing", path);
  return sync_directory(split_path(path).directory);
}

Result<std::unique_ptr<FileLock>> FileEnv::lock_file(const std::string& path) {
  for (;;) {
    Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600));
    if (!file.open()) return failure("Locking", path);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno != EWOULDBLOCK) return failure("Locking", path);
      return error(Code::lock_held, "Another process holds the lock",
                   fmt::format("{} is locked by another process. Wait until it ends.", path));
    }
    if (is_same_file(file.get(), path))
      return std::unique_ptr<FileLock>(std::make_unique<FlockedFile>(std::move(file)));
  }
}

}  // namespace nbform
