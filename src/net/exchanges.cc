#include "net/exchanges.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <deque>
#include <map>
#include <utility>
#include <vector>

namespace nbform {

namespace {

constexpr long kMaxPerHost = 32;
constexpr std::size_t kMaxHeaders = 256 << 10;
constexpr std::size_t kMaxBuffered = std::size_t{24} << 20;  // memory of all bodies that are arriving
constexpr long kConnectLimitMs = 20'000;

// libcurl, with the thirty libraries that it brings, is loaded when the first exchange begins: it would more
// than double the time that every other command takes to start.
struct Library {
  template <class F>
  class Symbol {
   public:
    Symbol(Library& library, const char* name) {
      if (library.handle != nullptr) found_ = reinterpret_cast<F*>(::dlsym(library.handle, name));
      if (found_ == nullptr && library.problem.empty()) library.problem = ::dlerror();
    }
    template <class... Args>
    auto operator()(Args... args) const {
      return found_(args...);
    }

   private:
    F* found_ = nullptr;
  };

  void* handle = ::dlopen(NBFORM_LIBCURL, RTLD_LAZY | RTLD_LOCAL);
  std::string problem;  // why it cannot be used
  Symbol<decltype(::curl_global_init)> global_init{*this, "curl_global_init"};
  Symbol<decltype(::curl_slist_append)> slist_append{*this, "curl_slist_append"};
  Symbol<decltype(::curl_slist_free_all)> slist_free_all{*this, "curl_slist_free_all"};
  Symbol<decltype(::curl_easy_init)> easy_init{*this, "curl_easy_init"};
  Symbol<decltype(::curl_easy_setopt)> easy_setopt{*this, "curl_easy_setopt"};
  Symbol<decltype(::curl_easy_getinfo)> easy_getinfo{*this, "curl_easy_getinfo"};
  Symbol<decltype(::curl_easy_strerror)> easy_strerror{*this, "curl_easy_strerror"};
  Symbol<decltype(::curl_easy_cleanup)> easy_cleanup{*this, "curl_easy_cleanup"};
  Symbol<decltype(::curl_multi_init)> multi_init{*this, "curl_multi_init"};
  Symbol<decltype(::curl_multi_setopt)> multi_setopt{*this, "curl_multi_setopt"};
  Symbol<decltype(::curl_multi_add_handle)> multi_add_handle{*this, "curl_multi_add_handle"};
  Symbol<decltype(::curl_multi_remove_handle)> multi_remove_handle{*this, "curl_multi_remove_handle"};
  Symbol<decltype(::curl_multi_perform)> multi_perform{*this, "curl_multi_perform"};
  Symbol<decltype(::curl_multi_info_read)> multi_info_read{*this, "curl_multi_info_read"};
  Symbol<decltype(::curl_multi_poll)> multi_poll{*this, "curl_multi_poll"};
  Symbol<decltype(::curl_multi_cleanup)> multi_cleanup{*this, "curl_multi_cleanup"};
};

const Library& curl() {
  static const Library library;
  return library;
}

// An exchange and what curl knows of it.
struct Transfer {
  Exchange exchange;
  CURL* easy = nullptr;  // none: waits for its turn
  curl_slist* headers = nullptr;
  Response response;
  std::size_t* buffered = nullptr;  // memory of all bodies that are arriving
  std::size_t held = 0;             // of it, by this one
  std::size_t header_bytes = 0;
  bool too_large = false;
  int starts = 0;  // how often curl was about to send it
  char message[CURL_ERROR_SIZE] = {};

  Transfer(Exchange what, std::size_t* all) : exchange(std::move(what)), buffered(all) {}
  Transfer(const Transfer&) = delete;
  ~Transfer() {
    *buffered -= held;
    if (easy != nullptr) curl().easy_cleanup(easy);
    curl().slist_free_all(headers);
  }
  Response hand_over() {
    *buffered -= std::exchange(held, 0);
    return std::exchange(response, {});
  }
  bool is_mutation() const { return exchange.request.method != "GET" && exchange.request.method != "HEAD"; }
};

// Room for all of it at once: a string that grows holds its bytes twice while it does.
void make_room(std::string& body, const Headers& headers, std::size_t most) {
  auto told = header(headers, "Content-Length");
  std::size_t length = 0;
  if (told) std::from_chars(told->data(), told->data() + told->size(), length);
  body.reserve(std::min(length, most));
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* to) {
  auto& transfer = *static_cast<Transfer*>(to);
  std::string& body = transfer.response.body;
  if (body.empty()) make_room(body, transfer.response.headers, transfer.exchange.request.max_body);
  std::size_t& all = *transfer.buffered;
  std::size_t whole = body.size() + size, room = std::max(body.capacity(), whole);
  transfer.too_large =
      whole > transfer.exchange.request.max_body || all - transfer.held + room > kMaxBuffered;
  if (transfer.too_large) return 0;
  body.append(data, size);
  all += body.capacity() - transfer.held;
  transfer.held = body.capacity();
  return size;
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* to) {
  auto& transfer = *static_cast<Transfer*>(to);
  transfer.too_large = (transfer.header_bytes += size) > kMaxHeaders;
  if (transfer.too_large) return 0;
  std::string_view line(data, size);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) transfer.response.headers.clear();  // an interim answer came before
  auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return size;
  std::string_view value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  transfer.response.headers.emplace_back(line.substr(0, colon), value);
  return size;
}

// curl would quietly send again what died on a kept-alive connection. A mutation may have arrived there.
int before_send(void* to, char*, char*, int, int) {
  auto& transfer = *static_cast<Transfer*>(to);
  return ++transfer.starts > 1 && transfer.is_mutation() ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

int keep_from_programs(void*, curl_socket_t fd, curlsocktype) {
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return CURL_SOCKOPT_OK;
}

std::string what_happened(const Transfer& transfer, CURLcode code) {
  if (transfer.too_large) return fmt::format("more than {} bytes came", transfer.response.body.size());
  if (code == CURLE_ABORTED_BY_CALLBACK) return "the connection was closed before an answer came";
  bool has_password = transfer.exchange.proxy.find('@') != std::string::npos;  // which curl might quote
  return transfer.message[0] != 0 && !has_password ? transfer.message : curl().easy_strerror(code);
}

Diagnostic failed(const Transfer& transfer, CURLcode code) {
  const Url& url = transfer.exchange.url;
  std::string detail = fmt::format("{} {}{}: {}.", transfer.exchange.request.method, url.origin(), url.path,
                                   what_happened(transfer, code));
  if (transfer.too_large) return error(Code::io, std::string(kTooLarge), detail);
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return error(Code::timeout, "The answer took too long", detail);
    case CURLE_PEER_FAILED_VERIFICATION:
      return error(Code::io, "The server's certificate is not trusted", detail)
          .with_hint(
              "Where your network has a certificate authority of its own, name its file in SSL_CERT_FILE");
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      return error(Code::io, "A certificate file cannot be used", detail);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return error(Code::io, "The answer is not HTTP", detail);
    case CURLE_URL_MALFORMAT:
      return error(Code::io, "This is no address of a server", detail);
    case CURLE_PARTIAL_FILE:
    case CURLE_WRITE_ERROR:
    case CURLE_BAD_CONTENT_ENCODING:
      return error(Code::unavailable, "The answer was cut short", detail);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      return error(Code::unavailable, "No connection", detail);
    default:
      return error(Code::unavailable, "The connection failed", detail);
  }
}

template <class T>
void set(CURL* easy, CURLoption option, T value) {
  if (curl().easy_setopt(easy, option, value) != CURLE_OK)
    bug(fmt::format("curl refuses option {}", static_cast<int>(option)));
}

void set_security(Transfer& transfer) {
  CURL* easy = transfer.easy;
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(easy, CURLOPT_PROXY, transfer.exchange.proxy.c_str());
  set(easy, CURLOPT_NOPROXY, "");
  set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!transfer.exchange.ca_file.empty()) set(easy, CURLOPT_CAINFO, transfer.exchange.ca_file.c_str());
  set(easy, CURLOPT_HTTP09_ALLOWED, 0L);
  set(easy, CURLOPT_SOCKOPTFUNCTION, keep_from_programs);
  set(easy, CURLOPT_PREREQFUNCTION, before_send);
  set(easy, CURLOPT_PREREQDATA, static_cast<void*>(&transfer));
}

void set_transport(Transfer& transfer) {
  CURL* easy = transfer.easy;
  bool tls = transfer.exchange.url.scheme == "https";
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  set(easy, CURLOPT_PIPEWAIT, tls ? 1L : 0L);
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  long limit = std::max(static_cast<long>(transfer.exchange.request.timeout.count()), 1L);
  set(easy, CURLOPT_TIMEOUT_MS, limit);
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, std::min(limit, kConnectLimitMs));
}

void set_headers(Transfer& transfer) {
  const Headers& headers = transfer.exchange.request.headers;
  auto add = [&](const std::string& line) {
    transfer.headers = curl().slist_append(transfer.headers, line.c_str());
  };
  for (const auto& [name, value] : headers) add(value.empty() ? name + ";" : name + ": " + value);
  add("Expect:");
  if (!header(headers, "content-type")) add("Content-Type:");
  set(transfer.easy, CURLOPT_HTTPHEADER, transfer.headers);
}

void set_request(Transfer& transfer) {
  CURL* easy = transfer.easy;
  const Request& request = transfer.exchange.request;
  set(easy, CURLOPT_URL, request.url.c_str());
  set(easy, CURLOPT_PATH_AS_IS, 1L);  // a signature covers the path as it was written
  set_headers(transfer);
  if (request.method == "HEAD") set(easy, CURLOPT_NOBODY, 1L);
  if (!transfer.is_mutation()) return;
  if (request.method != "DELETE" || !request.body.empty()) {
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(easy, CURLOPT_POSTFIELDS, request.body.c_str());
  }
  set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void set_answer(Transfer& transfer) {
  CURL* easy = transfer.easy;
  set(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
  set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(easy, CURLOPT_WRITEFUNCTION, on_body);
  set(easy, CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
  set(easy, CURLOPT_HEADERFUNCTION, on_header);
  set(easy, CURLOPT_HEADERDATA, static_cast<void*>(&transfer));
  set(easy, CURLOPT_ERRORBUFFER, transfer.message);
}

short curl_events(short events) {
  int out =
      ((events & POLLIN) != 0 ? CURL_WAIT_POLLIN : 0) | ((events & POLLOUT) != 0 ? CURL_WAIT_POLLOUT : 0);
  return static_cast<short>(out);
}

}  // namespace

// At most kMaxPerHost at work for each origin; the others wait in the order they came.
class Exchanges::Curl {
 public:
  Curl() {
    curl().global_init(CURL_GLOBAL_DEFAULT);
    std::signal(SIGPIPE, SIG_IGN);  // a closed connection is an error of that exchange
    multi_ = curl().multi_init();
    if (multi_ == nullptr) bug("curl does not start");
    curl().multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl().multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, kMaxPerHost);
    curl().multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 4 * kMaxPerHost);
  }
  ~Curl() {
    for (auto& [id, transfer] : all_)
      if (transfer->easy != nullptr) curl().multi_remove_handle(multi_, transfer->easy);
    all_.clear();
    curl().multi_cleanup(multi_);
  }
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;

  bool empty() const { return all_.empty(); }

  void add(Id id, Exchange exchange) {
    Lane& lane = lanes_[exchange.url.origin()];
    all_[id] = std::make_unique<Transfer>(std::move(exchange), &buffered_);
    lane.waiting.push_back(id);
    fill(lane);
  }

  // Takes it out of curl and its lane, and lets the next one begin.
  std::unique_ptr<Transfer> remove(Id id) {
    auto node = all_.extract(id);
    if (node.empty()) return nullptr;
    auto transfer = std::move(node.mapped());
    Lane& lane = lanes_[transfer->exchange.url.origin()];
    if (transfer->easy == nullptr) {
      std::erase(lane.waiting, id);
    } else {
      curl().multi_remove_handle(multi_, transfer->easy);
      --lane.active;
      fill(lane);
    }
    return transfer;
  }

  std::optional<FinishedExchange> finish_one() {
    int running = 0, left = 0;
    if (!std::exchange(more_messages_, false)) curl().multi_perform(multi_, &running);
    const CURLMsg* message = curl().multi_info_read(multi_, &left);
    if (message == nullptr) return std::nullopt;
    more_messages_ = left > 0;
    CURLcode code = message->data.result;
    void* id = nullptr;
    long status = 0;
    curl().easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &id);
    curl().easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
    auto transfer = remove(reinterpret_cast<Id>(id));
    transfer->response.status = static_cast<int>(status);
    if (code != CURLE_OK)
      return FinishedExchange{std::move(transfer->exchange.done), failed(*transfer, code)};
    return FinishedExchange{std::move(transfer->exchange.done), transfer->hand_over()};
  }

  void poll(std::span<pollfd> others, int ms) {
    std::vector<curl_waitfd> fds;
    for (const pollfd& other : others) fds.push_back({other.fd, curl_events(other.events), 0});
    curl().multi_poll(multi_, fds.data(), static_cast<unsigned>(fds.size()), ms, nullptr);
    ::poll(others.data(), others.size(), 0);  // curl tells nothing of a hang-up
  }

 private:
  struct Lane {
    long active = 0;
    std::deque<Id> waiting;
  };

  void fill(Lane& lane) {
    while (lane.active < kMaxPerHost && !lane.waiting.empty()) {
      begin(lane.waiting.front());
      lane.waiting.pop_front();
      ++lane.active;
    }
  }

  void begin(Id id) {
    Transfer& transfer = *all_.at(id);
    transfer.easy = curl().easy_init();
    if (transfer.easy == nullptr) bug("curl gives no handle");
    set_security(transfer);
    set_transport(transfer);
    set_request(transfer);
    set_answer(transfer);
    set(transfer.easy, CURLOPT_PRIVATE, reinterpret_cast<void*>(id));
    curl().multi_add_handle(multi_, transfer.easy);
  }

  CURLM* multi_ = nullptr;
  bool more_messages_ = false;
  std::size_t buffered_ = 0;
  std::map<Id, std::unique_ptr<Transfer>> all_;
  std::map<std::string, Lane> lanes_;
};

Exchanges::Exchanges() = default;
Exchanges::~Exchanges() = default;

void Exchanges::add(Id id, Exchange exchange) {
  if (!curl().problem.empty()) {
    refused_.emplace_back(id, std::move(exchange.done));
    return;
  }
  if (!curl_) curl_ = std::make_unique<Curl>();
  curl_->add(id, std::move(exchange));
}

void Exchanges::cancel(Id id) {
  std::erase_if(refused_, [id](const auto& refused) { return refused.first == id; });
  if (curl_) curl_->remove(id);
}

bool Exchanges::empty() const {
  return refused_.empty() && (!curl_ || curl_->empty());
}

std::optional<FinishedExchange> Exchanges::finish_one() {
  if (!refused_.empty()) {
    FinishedExchange out{std::move(refused_.front().second),
                         error(Code::io, "libcurl cannot be loaded", curl().problem)};
    refused_.pop_front();
    return out;
  }
  if (empty()) return std::nullopt;
  return curl_->finish_one();
}

void Exchanges::poll(std::span<pollfd> others, int ms) {
  if (!curl_ || curl_->empty())
    ::poll(others.data(), others.size(), ms);
  else
    curl_->poll(others, ms);
}

}  // namespace nbform
