// Load for the tunnel's benchmark, light enough not to be what is measured. Blocking sockets, a thread for
// each connection.
//   tunnel_load serve                        prints its port; sends, takes and echoes what clients ask for
//   tunnel_load pull|push PORT COUNT BYTES   COUNT connections at once, BYTES each; prints the seconds
//   tunnel_load ping PORT COUNT BYTES        COUNT requests and answers of BYTES; prints median and 99 % in
//   us tunnel_load dial PORT COUNT BYTES        COUNT new connections, one after the other; prints the same
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBlock = 256 << 10;

struct Ask {
  char what;  // d: send me `size` bytes, u: take them and answer one, e: echo until I end
  std::uint64_t size;
};

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

void quick(int fd) {
  int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool send_all(int fd, const char* bytes, std::size_t size) {
  for (std::size_t done = 0; done < size;) {
    ssize_t n = ::send(fd, bytes + done, size - done, MSG_NOSIGNAL);
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

bool receive_all(int fd, char* into, std::size_t size) {
  return ::recv(fd, into, size, MSG_WAITALL) == static_cast<ssize_t>(size);
}

bool send_many(int fd, std::uint64_t size) {
  std::vector<char> block(kBlock, 'x');
  for (; size > 0; size -= std::min<std::uint64_t>(size, kBlock))
    if (!send_all(fd, block.data(), std::min<std::uint64_t>(size, kBlock))) return false;
  return true;
}

bool receive_many(int fd, std::uint64_t size) {
  std::vector<char> block(kBlock);
  while (size > 0) {
    ssize_t n = ::recv(fd, block.data(), std::min<std::uint64_t>(size, kBlock), 0);
    if (n <= 0) return false;
    size -= static_cast<std::uint64_t>(n);
  }
  return true;
}

void echo(int fd) {
  std::vector<char> block(kBlock);
  for (ssize_t n = 0; (n = ::recv(fd, block.data(), block.size(), 0)) > 0;)
    if (!send_all(fd, block.data(), static_cast<std::size_t>(n))) return;
}

void answer(int fd) {
  quick(fd);
  Ask ask{};
  if (receive_all(fd, reinterpret_cast<char*>(&ask), sizeof ask)) {
    if (ask.what == 'd') send_many(fd, ask.size);
    if (ask.what == 'u' && receive_many(fd, ask.size)) send_all(fd, "k", 1);
    if (ask.what == 'e') echo(fd);
  }
  ::close(fd);
}

sockaddr_in loopback(int port) {
  sockaddr_in out = {};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  out.sin_port = htons(static_cast<std::uint16_t>(port));
  return out;
}

int serve() {
  int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener, 512) != 0)
    die("listen");
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  for (int fd = 0; (fd = ::accept(listener, nullptr, nullptr)) >= 0;) std::thread(answer, fd).detach();
  return 0;
}

int dial(int port, Ask ask) {
  int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(port);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) die("connect");
  quick(fd);
  if (!send_all(fd, reinterpret_cast<const char*>(&ask), sizeof ask)) die("ask");
  return fd;
}

void move(int port, Ask ask) {
  int fd = dial(port, ask);
  char done = 0;
  bool fine =
      ask.what == 'd' ? receive_many(fd, ask.size) : send_many(fd, ask.size) && receive_all(fd, &done, 1);
  if (!fine) die("transfer");
  ::close(fd);
}

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

void throughput(int port, int count, Ask ask) {
  auto begun = Clock::now();
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(move, port, ask);
  for (auto& thread : threads) thread.join();
  std::printf("%.6f\n", seconds_since(begun));
}

void print_times(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  std::printf("%.1f %.1f\n", seconds[seconds.size() / 2] * 1e6, seconds[seconds.size() * 99 / 100] * 1e6);
}

void round_trip(int fd, std::vector<char>& bytes) {
  if (!send_all(fd, bytes.data(), bytes.size()) || !receive_all(fd, bytes.data(), bytes.size())) die("echo");
}

void latency(int port, int count, std::size_t size, bool anew) {
  std::vector<char> bytes(size, 'p');
  std::vector<double> seconds;
  int fd = anew ? -1 : dial(port, {'e', 0});
  if (!anew) round_trip(fd, bytes);
  for (int i = 0; i < count; ++i) {
    auto begun = Clock::now();
    if (anew) fd = dial(port, {'e', 0});
    round_trip(fd, bytes);
    seconds.push_back(seconds_since(begun));
    if (anew) ::close(fd);
  }
  print_times(std::move(seconds));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "serve") return serve();
  if (argc != 5) return 2;
  const std::string what = argv[1];
  const int port = std::atoi(argv[2]), count = std::atoi(argv[3]);
  const std::uint64_t bytes = std::strtoull(argv[4], nullptr, 10);
  if (what == "pull") throughput(port, count, {'d', bytes});
  if (what == "push") throughput(port, count, {'u', bytes});
  if (what == "ping" || what == "dial") latency(port, count, bytes, what == "dial");
  return 0;
}
