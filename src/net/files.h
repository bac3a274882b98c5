// The files part of Env over POSIX: atomic, private, never through a planted symlink. Knows no loop and no
// clock.
#pragma once

#include "net/env.h"

namespace nbform {

class FileEnv : public Env {
 public:
  Result<std::string> read_file(const std::string& path, std::size_t max_size) override;
  Result<> write_file(const std::string& path, std::string_view bytes, bool is_private) override;
  Result<> append_file(const std::string& path, std::string_view record) override;
  Result<> make_directory(const std::string& path) override;
  Result<std::vector<std::string>> list_directory(const std::string& path) override;
  Result<FileInfo> file_info(const std::string& path) override;
  Result<> remove_file(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock_file(const std::string& path) override;
};

}  // namespace nbform
