#include "cli/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/diagnostic_text.h"

namespace nbform::cli {

namespace {

bool given(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

bool colour_on(bool terminal) {
  const char* force = std::getenv("CLICOLOR_FORCE");
  const char* term = std::getenv("TERM");
  if (given("NO_COLOR")) return false;
  if (given("CLICOLOR_FORCE") && std::strcmp(force, "0") != 0) return true;
  return terminal && (term == nullptr || std::strcmp(term, "dumb") != 0);
}

int width_of(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

int height_of(int fd) {
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

// False: not all of it could be written.
bool write_all(std::FILE* stream, std::string* instead, std::string_view text) {
  if (instead != nullptr) {
    *instead += text;
    return true;
  }
  return std::fwrite(text.data(), 1, text.size(), stream) == text.size() && std::fflush(stream) == 0;
}

}  // namespace

Screen::Screen() {
  bool out_terminal = ::isatty(STDOUT_FILENO) == 1;
  err_terminal_ = ::isatty(STDERR_FILENO) == 1;
  out_ = {colour_on(out_terminal), out_terminal ? width_of(STDOUT_FILENO) : 0};
  err_ = {colour_on(err_terminal_), err_terminal_ ? width_of(STDERR_FILENO) : 0};
}

void Screen::forbid_colour() {
  out_.colour = err_.colour = false;
}

int Screen::width() const {
  return err_terminal_ ? width_of(STDERR_FILENO) : 0;
}

int Screen::height() const {
  return err_terminal_ ? height_of(STDERR_FILENO) : 0;
}

void Screen::out(std::string_view text) {
  if (!write_all(stdout, out_text_, text) && out_error_ == 0) out_error_ = errno;
}
void Screen::err(std::string_view text) {
  write_all(stderr, err_text_, text);
}

void Screen::report(const Diagnostic& diagnostic) {
  err(render(diagnostic, err_));
}
void Screen::report(const Diagnostics& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics) report(diagnostic);
}

}  // namespace nbform::cli
