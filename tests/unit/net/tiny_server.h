// An HTTP/1.1 server on loopback for tests of the transport: each request is given to a function that writes
// raw bytes, or misbehaves. One thread per connection.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace nbform {

class TinyServer {
 public:
  // False: close the connection. `nth` counts requests of all connections from 1.
  using Handler = std::function<bool(int fd, const std::string& request, int nth)>;

  explicit TinyServer(Handler handler);
  ~TinyServer();

  std::string url(const std::string& path = "/") const;
  int connections() const { return connections_; }
  int requests() const { return requests_; }
  std::string request(std::size_t i) const;  // head and body

  static bool write(int fd, std::string_view bytes);
  static bool answer(int fd, std::string_view body, std::string_view head = "HTTP/1.1 200 OK\r\n");
  static bool reset(int fd);  // the connection ends with RST

 private:
  void accept_all();
  void serve(int fd);

  Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0}, requests_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> seen_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace nbform
