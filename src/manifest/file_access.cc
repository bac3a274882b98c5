#include "manifest/file_access.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace nbform {

bool is_below(std::string_view path, std::string_view directory) {
  while (directory.ends_with('/')) directory.remove_suffix(1);
  return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

std::string FileAccess::shown(const std::string& path) const {
  namespace fs = std::filesystem;
  std::string relative = fs::path(path).lexically_relative(sources_.directory).generic_string();
  return (fs::path(sources_.shown_as) / relative).lexically_normal().generic_string();
}

void FileAccess::want(Wanted::Kind kind, std::string name) {
  Wanted w{kind, std::move(name)};
  if (std::find(wanted_.begin(), wanted_.end(), w) == wanted_.end()) wanted_.push_back(std::move(w));
}

std::optional<std::string> FileAccess::resolve(std::string_view written, Span at) {
  namespace fs = std::filesystem;
  fs::path base = fs::path(files_.path(at.file)).parent_path();
  std::string path = (base / fs::path(written)).lexically_normal().generic_string();
  if (is_below(path, sources_.repository)) return path;
  report_.error(at, "Path leaves the repository",
                fmt::format("`{}` is outside of the repository ({}), so what it holds is in nobody's review. "
                            "Copy the file into the repository.",
                            written.substr(0, 120), sources_.repository));
  return std::nullopt;
}

const std::string* FileAccess::text(const std::string& path, std::string_view written, Span at) {
  if (auto it = sources_.files.find(path); it != sources_.files.end()) return &it->second;
  if (auto it = sources_.unreadable.find(path); it != sources_.unreadable.end())
    report_.error(at, "Unreadable file", fmt::format("`{}` {}.", written.substr(0, 120), it->second));
  else
    want(Wanted::Kind::repository_file, path);
  return nullptr;
}

const std::string* FileAccess::home_text(const std::string& path, std::string_view written, Span at) {
  static const std::string kNothing;
  if (auto it = sources_.files.find(path); it != sources_.files.end()) return &it->second;
  auto it = sources_.unreadable.find(path);
  if (it == sources_.unreadable.end()) {
    want(Wanted::Kind::any_file, path);
    return nullptr;
  }
  if (it->second == "does not exist") return &kNothing;
  report_.error(at, "Unreadable file", fmt::format("`{}` {}.", written.substr(0, 120), it->second));
  return nullptr;
}

std::uint32_t FileAccess::number(const std::string& path, const std::string& text, bool quotable) {
  for (std::uint32_t i = 0; i < files_.size(); ++i)
    if (files_.path(i) == path) return i;
  return files_.add(path, shown(path), text, quotable);
}

std::optional<std::uint32_t> FileAccess::file(const std::string& path, std::string_view written, Span at) {
  const std::string* t = text(path, written, at);
  if (t == nullptr) return std::nullopt;
  return number(path, *t);
}

}  // namespace nbform
