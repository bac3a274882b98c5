#include "tiny_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

namespace nbform {

namespace {

// Head and body of the next request, "" at the end of the connection.
std::string read_request(int fd, std::string& buffer) {
  std::size_t need = std::string::npos;
  for (;;) {
    auto end = buffer.find("\r\n\r\n");
    if (end != std::string::npos && need == std::string::npos) {
      auto length = buffer.find("Content-Length: ");
      need = end + 4 + (length < end ? std::strtoul(buffer.c_str() + length + 16, nullptr, 10) : 0);
    }
    if (buffer.size() >= need) {
      std::string request = buffer.substr(0, need);
      buffer.erase(0, need);
      return request;
    }
    char chunk[4096];
    ssize_t n = ::recv(fd, chunk, sizeof chunk, 0);
    if (n <= 0) return {};
    buffer.append(chunk, static_cast<std::size_t>(n));
  }
}

}  // namespace

TinyServer::TinyServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 128) != 0)
    std::abort();
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

TinyServer::~TinyServer() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    std::lock_guard lock(mutex_);
    for (int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
  for (int fd : open_) ::close(fd);
  ::close(listener_);
}

void TinyServer::accept_all() {
  for (;;) {
    int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    ++connections_;
    std::lock_guard lock(mutex_);
    open_.push_back(fd);
    threads_.emplace_back([this, fd] { serve(fd); });
  }
}

void TinyServer::serve(int fd) {
  std::string buffer;
  for (std::string request = read_request(fd, buffer); !request.empty(); request = read_request(fd, buffer)) {
    int nth = ++requests_;
    {
      std::lock_guard lock(mutex_);
      seen_.push_back(request);
    }
    if (!handler_(fd, request, nth)) break;
  }
  ::shutdown(fd, SHUT_RDWR);
}

std::string TinyServer::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

std::string TinyServer::request(std::size_t i) const {
  std::lock_guard lock(mutex_);
  return seen_.at(i);
}

bool TinyServer::write(int fd, std::string_view bytes) {
  return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

bool TinyServer::answer(int fd, std::string_view body, std::string_view head) {
  return write(fd, std::string(head) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                       std::string(body));
}

bool TinyServer::reset(int fd) {
  linger hard{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  sockaddr unspecified{};
  unspecified.sa_family = AF_UNSPEC;
  ::connect(fd, &unspecified, sizeof unspecified);  // disconnects at once, with RST
  return false;
}

}  // namespace nbform
