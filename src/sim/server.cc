#include "sim/server.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fmt/format.h>
#include <httplib.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <fstream>
#include <mutex>
#include <thread>

#include "base/crypto.h"
#include "base/json.h"
#include "sim/relay.h"
#include "sim/variants.h"
#include "sim/world_file.h"

namespace nbform::sim {

namespace {

constexpr const char* kHost = "127.0.0.1";
constexpr const char* kAccount = "nbsim@acme-ml.iam.gserviceaccount.com";
constexpr int kBacklog = 256;
constexpr std::size_t kThreads = 256;  // each kept-alive connection and each waiting call holds one

int peer_port(int fd) {
  sockaddr_storage peer{};
  socklen_t size = sizeof(peer);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return -1;
  if (peer.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in*>(&peer)->sin_port);
  return -1;
}

// httplib has no way to end a connection without an answer, so the socket is looked up by its peer's port.
void drop_connection(int remote_port) {
  DIR* dir = opendir("/proc/self/fd");
  if (dir == nullptr) return;
  while (dirent* entry = readdir(dir)) {
    int fd = std::atoi(entry->d_name);
    if (fd > 2 && peer_port(fd) == remote_port) shutdown(fd, SHUT_RDWR);
  }
  closedir(dir);
}

void reply_json(httplib::Response& res, int status, const Value& value) {
  res.status = status;
  res.set_content(to_json(value), "application/json");
}

}  // namespace

struct Server::Inside {
  World world;
  ServerOptions options;
  std::unique_ptr<httplib::Server> http;
  std::mutex mutex;  // around world, ahead, log and account
  Duration ahead{0};
  std::ofstream log;
  std::optional<RsaKeyPair> account;
  socket_t listening = INVALID_SOCKET;
  std::string url;
  Relay relay{[this](const Request& request) {
    std::lock_guard lock(mutex);
    return world.handle(request, now());
  }};
  int relay_port = 0;

  Inside(World w, ServerOptions o) : world(std::move(w)), options(std::move(o)) {}

  Time now() const {
    auto real = std::chrono::system_clock::now().time_since_epoch();
    return Time{std::chrono::duration_cast<Duration>(real).count()} + ahead;
  }

  Request convert(const httplib::Request& req) const {
    Request out;
    out.method = req.method;
    std::string host = req.get_header_value("Host");
    out.url = fmt::format("{}://{}{}", options.certificate.empty() ? "http" : "https",
                          host.empty() ? kHost : host, req.target);
    for (const auto& [name, value] : req.headers) out.headers.emplace_back(name, value);
    out.body = req.body;
    return out;
  }

  void serve(const httplib::Request& req, httplib::Response& res) {
    if (req.path.starts_with("/_nbsim/")) return administer(req, res);
    if (req.path == "/checkip") return res.set_content("203.0.113.99\n", "text/plain");
    if (req.path.starts_with("/v4/"))
      return reply_json(res, 404, Map{{"error", "The relay of IAP has a port of its own: /_nbsim/env."}});
    Request request = convert(req);
    Answer answer;
    {
      std::lock_guard lock(mutex);
      answer = world.handle(request, now());
      if (!answer.held) write_log(req, answer);
    }
    std::this_thread::sleep_for(options.latency + answer.delay);
    if (answer.held) {
      std::lock_guard lock(mutex);
      answer.response = world.resume(request, now());
      write_log(req, answer);
    }
    send(std::move(answer), req, res);
  }

  void write_log(const httplib::Request& req, const Answer& answer) {
    if (!log.is_open()) return;
    auto body = parse_json(req.body);
    Map line{{"time", format_rfc3339(now())},
             {"method", req.method},
             {"url", req.target},
             {"body", body ? *body : Value(req.body)},
             {"status", answer.response ? answer.response->status : 0}};
    if (answer.response) line.set("answer", answer.response->body);
    if (answer.scripted) line.set("scripted", true);
    if (req.has_header("X-Amz-Target")) line.set("target", req.get_header_value("X-Amz-Target"));
    log << to_json(line) << std::endl;
  }

  static void send(Answer answer, const httplib::Request& req, httplib::Response& res) {
    if (!answer.response) return drop_connection(req.remote_port);
    res.status = answer.response->status;
    std::string type = "application/json; charset=UTF-8";
    for (const auto& [name, value] : answer.response->headers)
      if (name == "Content-Type")
        type = value;
      else
        res.set_header(name, value);
    auto body = std::make_shared<std::string>(std::move(answer.response->body));
    if (body->empty() && !answer.cut) return;
    std::size_t end = answer.cut ? std::min(*answer.cut, body->size()) : body->size();
    // A provider, not set_content: that would compress tens of megabytes for every client that says it may.
    res.set_content_provider(body->size(), type,
                             [body, end](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
                               if (offset >= end) return false;
                               return sink.write(body->data() + offset, std::min(length, end - offset));
                             });
  }

  // --- /_nbsim/

  void administer(const httplib::Request& req, httplib::Response& res) {
    std::lock_guard lock(mutex);
    world.advance(now());
    std::string what = req.path.substr(std::string("/_nbsim/").size());
    if (req.method == "GET") return show(what, req, res);
    auto body = req.body.empty() ? Result<Value>(Value(Map())) : parse_json(req.body);
    if (!body || !body->is_map())
      return reply_json(res, 400, Map{{"error", "The body is not a JSON object."}});
    if (what != "do") body->map().set("do", what);
    auto result = world.administer(*body);
    if (world.now() > now()) ahead += world.now() - now();
    if (!result) return reply_json(res, 400, Map{{"error", result.error().detail}});
    reply_json(res, 200, Map{{"result", *result}});
  }

  void show(const std::string& what, const httplib::Request& req, httplib::Response& res) {
    if (what == "world") return reply_json(res, 200, world.to_json());
    if (what == "events")
      return reply_json(res, 200,
                        events_from(std::strtoull(req.get_param_value("from").c_str(), nullptr, 10)));
    if (what == "env") return reply_json(res, 200, env());
    if (what == "variants") {
      List names;
      for (const Variant& v : variants()) names.push_back(v.name);
      return reply_json(res, 200, names);
    }
    reply_json(res, 404, Map{{"error", "There are world, events, env and variants to read."}});
  }

  Value events_from(std::size_t first) const {
    List out;
    for (std::size_t i = first; i < world.events().size(); ++i) {
      const Event& e = world.events()[i];
      Value shown = to_value(e);
      shown.map().set("time", format_rfc3339(e.time));
      out.push_back(std::move(shown));
    }
    return out;
  }

  // The throw-away account: made once, at the first question.
  Value env() {
    if (!account) {
      account = generate_rsa_key();
      world.add_service_account(kAccount, account->public_pem);
      world.add_token("sandbox", kAccount);
    }
    Map key{{"type", "service_account"},
            {"project_id", "acme-ml"},
            {"private_key_id", digest16(account->public_pem)},
            {"private_key", account->private_pem.reveal()},
            {"client_email", kAccount},
            {"client_id", "100000000000000000000"},
            {"token_uri", url + "/token"},
            {"universe_domain", "googleapis.com"}};
    return Map{{"key_file", key},         {"token", "sandbox"},
               {"project", "acme-ml"},    {"relay", fmt::format("http://{}:{}/v4/", kHost, relay_port)},
               {"aws_key_id", kAwsKeyId}, {"aws_secret", kAwsSecret}};
  }

  Result<> load() {
    auto text = options.world.empty() ? std::nullopt : read_world_file(options.world);
    if (!text) return Ok{};
    world = NB_TRY(World::from_json(NB_TRY(parse_json(*text))));
    if (world.now() > now()) ahead = world.now() - now();
    return Ok{};
  }

  Result<> save() {
    if (options.world.empty()) return Ok{};
    std::lock_guard lock(mutex);
    return replace_world_file(options.world, to_json(world.to_json()));
  }

  void set_up() {
    http->new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    http->set_tcp_nodelay(true);
    // The library would set SO_REUSEPORT, and a second nbsim on the port would take half of the requests.
    http->set_socket_options([this](socket_t socket) {
      listening = socket;
      int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    http->set_keep_alive_max_count(1'000'000);
    http->set_keep_alive_timeout(120);
    auto handler = [this](const httplib::Request& req, httplib::Response& res) { serve(req, res); };
    // The body is read here: the library refuses forms of more than 8 KiB, and user data alone may be 16.
    auto reading = [this](const httplib::Request& req, httplib::Response& res,
                          const httplib::ContentReader& reader) {
      httplib::Request whole = req;
      reader([&](const char* data, std::size_t size) {
        whole.body.append(data, size);
        return true;
      });
      serve(whole, res);
    };
    http->Get(".*", handler)
        .Post(".*", reading)
        .Put(".*", reading)
        .Patch(".*", reading)
        .Delete(".*", reading);
  }
};

Server::Server(World world, ServerOptions options)
    : inside_(std::make_unique<Inside>(std::move(world), std::move(options))) {}
Server::~Server() = default;

Result<std::string> Server::bind() {
  Inside& in = *inside_;
  NB_TRY(in.load());
  bool tls = !in.options.certificate.empty();
  if (tls)
    in.http = std::make_unique<httplib::SSLServer>(in.options.certificate.c_str(), in.options.key.c_str());
  else
    in.http = std::make_unique<httplib::Server>();
  if (!in.http->is_valid())
    return error(
        Code::io, "The certificate cannot be used",
        fmt::format("{} or {} is not a PEM file that fits.", in.options.certificate, in.options.key));
  if (!in.options.log.empty()) {
    in.log.open(in.options.log, std::ios::app);
    if (!in.log) return error(Code::io, "The log cannot be written", in.options.log);
  }
  in.set_up();
  int port = in.options.port;
  if (port == 0)
    port = in.http->bind_to_any_port(kHost);
  else if (!in.http->bind_to_port(kHost, port))
    port = -1;
  if (port < 0)
    return error(Code::io, "The port cannot be used",
                 fmt::format("Port {} of {} is taken.", in.options.port, kHost));
  in.relay_port = NB_TRY(in.relay.serve());
  // The library lets five callers wait; to the sixth of a burst the kernel answers a second later.
  ::listen(in.listening, kBacklog);
  in.url = fmt::format("{}://{}:{}", tls ? "https" : "http", kHost, port);
  return in.url;
}

void Server::run() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread listener([this] { inside_->http->listen_after_bind(); });
  int received = 0;
  sigwait(&signals, &received);
  Result<> saved = inside_->save();
  if (!saved.ok()) fmt::print(stderr, "{}. {}\n", saved.error().summary, saved.error().detail);
  // Connections that are kept alive would hold the listener for their whole timeout: nothing is left to be
  // done.
  std::fflush(nullptr);
  std::_Exit(saved.ok() ? 0 : 1);
}

Result<Value> fetch_env(int port, bool tls) {
  auto nowhere = [&] {
    return error(Code::unavailable, "There is no nbsim",
                 fmt::format("Nothing answers on port {} of {}.", port, kHost));
  };
  auto read = [&](auto client) -> Result<Value> {
    client->set_read_timeout(60);  // a key is made first
    auto answer = client->Get("/_nbsim/env");
    if (!answer || answer->status != 200) return nowhere();
    return parse_json(answer->body);
  };
  if (!tls) return read(std::make_unique<httplib::Client>(kHost, port));
  auto client = std::make_unique<httplib::SSLClient>(kHost, port);
  client->enable_server_certificate_verification(
      false);  // only a file of the simulator's own is fetched, from loopback
  return read(std::move(client));
}

}  // namespace nbform::sim
