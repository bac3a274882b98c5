#include "net/ssh_socket.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace nbform {

namespace {

void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

std::vector<std::string> look_up(const std::string& host, int port) {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  std::vector<std::string> out;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return out;
  for (addrinfo* at = found; at != nullptr; at = at->ai_next)
    out.emplace_back(reinterpret_cast<const char*>(at->ai_addr), at->ai_addrlen);
  ::freeaddrinfo(found);
  return out;
}

const sockaddr* as_address(const std::string& bytes) {
  return reinterpret_cast<const sockaddr*>(bytes.data());
}

Descriptor new_socket(int family) {
  return Descriptor(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

}  // namespace

void tune_socket(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 30);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

// ---- connecting
// ---------------------------------------------------------------------------------------------

Connecting::Connecting(Env& env, std::string host, int port, Duration limit,
                       std::function<void(Outcome)> done)
    : host_(std::move(host)),
      port_(port),
      done_(std::move(done)),
      addresses_(look_up(host_, port)),
      watch_(env),
      limit_(env),
      turn_(env) {
  limit_.set(limit, [this] { end({.socket = {}, .failure = failure(ETIMEDOUT)}); });
  turn_.set(Duration(0), [this] { next(); });
}

void Connecting::next() {
  while (tried_ < addresses_.size()) {
    const std::string& address = addresses_[tried_++];
    socket_ = new_socket(as_address(address)->sa_family);
    if (!socket_) continue;
    if (::connect(socket_.get(), as_address(address), static_cast<socklen_t>(address.size())) == 0)
      return end({.socket = std::move(socket_), .failure = {}});
    last_error_ = errno;
    if (errno != EINPROGRESS) continue;
    return watch_.begin(socket_.get(), {.write = true}, [this](Readiness) { settled(); });
  }
  end({.socket = {}, .failure = failure(last_error_)});
}

void Connecting::settled() {
  socklen_t size = sizeof last_error_;
  ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &last_error_, &size);
  watch_.end();
  if (last_error_ != 0) return next();
  end({.socket = std::move(socket_), .failure = {}});
}

void Connecting::end(Outcome outcome) {
  watch_.end();
  limit_.cancel();
  if (outcome.socket) tune_socket(outcome.socket.get());
  auto done = std::move(done_);
  done(std::move(outcome));  // `this` may be gone now
}

SshFailure Connecting::failure(int error_number) const {
  const std::string place = fmt::format("{} port {}", host_, port_);
  if (addresses_.empty())
    return {SshProblem::unreachable, error(Code::not_found, "The host is not known",
                                           fmt::format("There is no address of {}.", host_))};
  const std::string detail = fmt::format("{}: {}.", place, std::strerror(error_number));
  switch (error_number) {
    case ECONNREFUSED:
      return {SshProblem::refused, error(Code::unavailable, "Nothing listens for SSH", detail)};
    case ETIMEDOUT:
      return {SshProblem::timed_out, error(Code::timeout, "No answer from the host", detail)};
    default:
      return {SshProblem::unreachable, error(Code::unavailable, "The host cannot be reached", detail)};
  }
}

// ---- listening
// ----------------------------------------------------------------------------------------------

namespace {

// An errno, 0 when `into` listens.
int listen_at(const sockaddr* address, socklen_t size, Descriptor& into) {
  into = new_socket(address->sa_family);
  if (!into) return errno;
  set_option(into.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (address->sa_family == AF_INET6) set_option(into.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (::bind(into.get(), address, size) != 0 || ::listen(into.get(), SOMAXCONN) != 0) return errno;
  return 0;
}

int listen_v4(int port, Descriptor& into) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return listen_at(reinterpret_cast<const sockaddr*>(&address), sizeof address, into);
}

int listen_v6(int port, Descriptor& into) {
  sockaddr_in6 address = {};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(static_cast<std::uint16_t>(port));
  address.sin6_addr = in6addr_loopback;
  return listen_at(reinterpret_cast<const sockaddr*>(&address), sizeof address, into);
}

int port_of(int fd) {
  sockaddr_in address = {};
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

Diagnostic cannot_listen(int port, int error_number) {
  const std::string detail = fmt::format("Port {} of this computer: {}.", port, std::strerror(error_number));
  if (error_number == EADDRINUSE)
    return error(Code::exists, "The local port is taken", detail)
        .with_hint(fmt::format("ss -ltnp 'sport = :{}'   shows who listens there", port));
  return error(error_number == EACCES ? Code::denied : Code::io, "The local port cannot be used", detail);
}

}  // namespace

Result<Listener> listen_on_loopback(int port) {
  Listener out;
  Descriptor v4, v6;
  if (int code = listen_v4(port, v4); code != 0) return cannot_listen(port, code);
  out.port = port_of(v4.get());
  int code = listen_v6(out.port, v6);
  if (code == EADDRINUSE) return port == 0 ? listen_on_loopback(0) : cannot_listen(port, code);
  out.sockets.push_back(std::move(v4));
  if (code == 0) out.sockets.push_back(std::move(v6));
  return out;
}

Descriptor accept_one(int listener, bool& out_of_descriptors) {
  Descriptor got(::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  out_of_descriptors = !got && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM);
  if (got) set_option(got.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  return got;
}

}  // namespace nbform
