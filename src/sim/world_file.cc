#include "sim/world_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace nbform::sim {

namespace fs = std::filesystem;

namespace {

Diagnostic failure(const std::string& path) {
  return error(Code::io, "The world cannot be written", fmt::format("{}: {}.", path, std::strerror(errno)));
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool write_draft(const std::string& path, std::string_view text) {
  int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (file < 0) return false;
  bool written = write_all(file, text) && ::fsync(file) == 0;
  int why = errno;
  written = ::close(file) == 0 && written;
  if (!written) errno = why;
  return written;
}

// A name that was changed counts once its directory is on the disk.
void sync_directory(const fs::path& directory) {
  int file = ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;
  ::fsync(file);
  ::close(file);
}

}  // namespace

std::optional<std::string> read_world_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in || fs::is_directory(path)) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

Result<> replace_world_file(const std::string& path, std::string_view text) {
  std::error_code absent;
  fs::path target = fs::canonical(path, absent);
  if (absent) target = path;
  std::string draft = fmt::format("{}.{}.new", target.string(), ::getpid());
  if (!write_draft(draft, text) || ::rename(draft.c_str(), target.c_str()) != 0) {
    Diagnostic d = failure(path);
    ::unlink(draft.c_str());
    return d;
  }
  sync_directory(target.parent_path());
  return Ok{};
}

}  // namespace nbform::sim
