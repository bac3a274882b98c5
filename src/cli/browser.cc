#include "cli/browser.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"

namespace nbform::cli {

namespace {

constexpr std::size_t kLongestRequest = 16 << 10;

int peer_port(int fd) {
  sockaddr_in address = {};
  socklen_t size = sizeof address;
  bool known = ::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  return known ? ntohs(address.sin_port) : 0;
}

std::string random_name(Env& env) {
  std::string out;
  for (int i = 0; i < 4; ++i) out += fmt::format("{:08x}", env.random(std::uint64_t{1} << 32));
  return out;
}

void answer(int fd, const std::string& status_and_headers) {
  std::string text =
      fmt::format("HTTP/1.1 {}Content-Length: 0\r\nConnection: close\r\n\r\n", status_and_headers);
  [[maybe_unused]] ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

// "   1: 0100007F:A2B4 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000 ..."
long uid_of_connection(std::string_view proc_net_tcp, int from_port, int to_port) {
  const std::string from = fmt::format("0100007F:{:04X}", from_port);
  const std::string to = fmt::format("0100007F:{:04X}", to_port);
  for (std::string_view line : split(proc_net_tcp, '\n')) {
    std::vector<std::string_view> words;
    for (std::string_view word : split(line, ' '))
      if (!word.empty()) words.push_back(word);
    if (words.size() > 7 && words[1] == from && words[2] == to) return std::stol(std::string(words[7]));
  }
  return -1;
}

Browser::Browser(Env& env, Secret url)
    : env_(env), url_(std::move(url)), path_("/" + random_name(env)), knock_(env), reading_(env) {
  auto listener = listen_on_loopback(0);
  if (!listener.ok()) return;  // the URL is on the screen
  listener_ = std::move(*listener);
  knock_.begin(listener_.sockets.front().get(), {.read = true}, [this](Readiness) { on_knock(); });
  // In a session of its own, so that a browser that begins with it does not end with us.
  env_.spawn({"setsid", "--fork", "xdg-open", fmt::format("http://127.0.0.1:{}{}", listener_.port, path_)},
             std::chrono::seconds(20), [](const Result<ProgramResult>&) {});
}

// One visitor at a time; a browser asks again.
void Browser::on_knock() {
  bool ignored = false;
  Descriptor visitor = accept_one(listener_.sockets.front().get(), ignored);
  if (!visitor) return;
  auto connections = env_.read_file("/proc/net/tcp");
  if (!connections.ok()) return;
  long uid = uid_of_connection(*connections, peer_port(visitor.get()), listener_.port);
  if (uid != static_cast<long>(::getuid())) return answer(visitor.get(), "403 Forbidden\r\n");
  visitor_ = std::move(visitor);
  request_.clear();
  reading_.begin(visitor_.get(), {.read = true}, [this](Readiness) { on_request(); });
}

void Browser::on_request() {
  char bytes[4 << 10];
  ssize_t n = ::recv(visitor_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
  if (n > 0) request_.append(bytes, static_cast<std::size_t>(n));
  bool whole = request_.find("\r\n\r\n") != std::string::npos;
  if (n > 0 && !whole && request_.size() < kLongestRequest) return;
  reading_.end();
  bool asked = whole && request_.starts_with(fmt::format("GET {} HTTP/1.", path_));
  if (asked)
    answer(visitor_.get(),
           fmt::format(
               "302 Found\r\nLocation: {}\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n",
               url_.reveal()));
  else
    answer(visitor_.get(), "404 Not Found\r\n");
  visitor_.close();
  if (asked) knock_.end();
}

}  // namespace nbform::cli
