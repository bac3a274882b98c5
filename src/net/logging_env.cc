#include "net/logging_env.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "base/json.h"

namespace nbform {

namespace {

constexpr std::size_t kMaxLoggedBody = 256 << 10;
constexpr const char* kRedacted = "[redacted]";

void replace_all(std::string& text, std::string_view what) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), "[redacted]");
    at += 10;
  }
}

// Metadata that says how a machine is set up; the values of all other keys are their owner's business.
constexpr std::string_view kPlainMetadata[] = {"enable-guest-attributes", "enable-oslogin",
                                               "install-nvidia-driver", "ssh-keys"};

bool is_plain(std::string_view key) {
  return std::find(std::begin(kPlainMetadata), std::end(kPlainMetadata), key) != std::end(kPlainMetadata);
}

// The metadata items, {"items": [{"key": .., "value": ..}]}, whose values are their owner's.
template <class Visit>
void each_private_item(Value& value, const Visit& visit, bool items = false) {
  if (value.is_list())
    for (Value& item : value.list()) {
      const Map& map = item.as_map();
      bool is_item = items && map.size() == 2 && map.has("key") && map.has("value");
      if (is_item && !is_plain(item["key"].as_text())) visit(item.map());
      each_private_item(item, visit);
    }
  if (value.is_map())
    for (auto& [key, member] : value.map()) each_private_item(member, visit, key == "items");
}

std::string content_type(const Headers& headers) {
  return std::string(header(headers, "content-type").value_or(""));
}

class LoggingEnv : public Env {
 public:
  LoggingEnv(Env& inner, LogSink sink, std::vector<Secret> hide)
      : inner_(inner), sink_(std::move(sink)), hide_(std::move(hide)) {}

  ExchangeId send(Request request, std::function<void(Result<Response>)> done) override {
    Time begun = inner_.now();
    Map line = {{"t", Value(format_rfc3339(begun))}, {"method", Value(request.method)}};
    line.set("url", Value(hidden(redacted_url(request.url))));
    if (auto target = header(request.headers, "x-amz-target")) line.set("target", Value(*target));
    if (!request.body.empty()) {
      Value body = shown(request.body, content_type(request.headers));
      each_private_item(body, [this](Map& item) { hide_if_found(item); });
      line.set("body", std::move(body));
    }
    bool secret = request.secret_answer;
    return inner_.send(std::move(request),
                       [this, begun, secret, line, done = std::move(done)](Result<Response> result) {
                         log(line, begun, secret, result);
                         done(std::move(result));
                       });
  }

  Time now() override { return inner_.now(); }
  TimerId after(Duration delay, std::function<void()> fn) override {
    return inner_.after(delay, std::move(fn));
  }
  void cancel_timer(TimerId id) override { inner_.cancel_timer(id); }
  void cancel(ExchangeId id) override { inner_.cancel(id); }
  bool step() override { return inner_.step(); }
  void on_interrupt(std::function<void()> fn) override { inner_.on_interrupt(std::move(fn)); }
  std::uint64_t random(std::uint64_t n) override { return inner_.random(n); }
  std::optional<std::string> env_var(const std::string& name) override { return inner_.env_var(name); }
  Result<std::string> read_file(const std::string& path, std::size_t max_size) override {
    return inner_.read_file(path, max_size);
  }
  Result<> write_file(const std::string& path, std::string_view bytes, bool is_private) override {
    return inner_.write_file(path, bytes, is_private);
  }
  Result<> append_file(const std::string& path, std::string_view record) override {
    return inner_.append_file(path, record);
  }
  Result<> make_directory(const std::string& path) override { return inner_.make_directory(path); }
  Result<std::vector<std::string>> list_directory(const std::string& path) override {
    return inner_.list_directory(path);
  }
  Result<FileInfo> file_info(const std::string& path) override { return inner_.file_info(path); }
  Result<> remove_file(const std::string& path) override { return inner_.remove_file(path); }
  Result<std::unique_ptr<FileLock>> lock_file(const std::string& path) override {
    return inner_.lock_file(path);
  }
  void spawn(std::vector<std::string> argv, Duration timeout,
             std::function<void(Result<ProgramResult>)> done) override {
    inner_.spawn(std::move(argv), timeout, std::move(done));
  }
  void prompt(std::string question, std::function<void(Result<std::string>)> done, Echo echo) override {
    inner_.prompt(std::move(question), std::move(done), echo);
  }
  WatchId watch(int fd, Readiness what, std::function<void(Readiness)> fn) override {
    return inner_.watch(fd, what, std::move(fn));
  }
  void change_watch(WatchId id, Readiness what) override { inner_.change_watch(id, what); }
  void unwatch(WatchId id) override { inner_.unwatch(id); }

 private:
  void log(Map line, Time begun, bool secret, const Result<Response>& result) {
    line.set("ms", Value((inner_.now() - begun).count() / 1000));
    if (result.ok()) {
      line.set("status", Value(result->status));
      line.set("answer", secret ? Value(kRedacted) : shown_answer(*result));
    } else {
      line.set("error", Value(hidden(result.error().summary + ". " + result.error().detail)));
    }
    sink_(to_json(Value(std::move(line))));
  }

  // JSON as JSON, so that a reader need not decode twice; anything else as text.
  Value shown(std::string_view body, std::string_view type) const {
    if (body.size() > kMaxLoggedBody) return Value(fmt::format("[{} bytes]", body.size()));
    std::string text = hidden(redacted_body(body, type));
    auto json = parse_json(text);
    return json.ok() ? std::move(json).value() : Value(std::move(text));
  }

  // What was live before this run may be a secret that no manifest tells of any more: it is shown neither
  // here nor in a request that hands it back.
  Value shown_answer(const Response& answer) {
    Value body = shown(answer.body, content_type(answer.headers));
    each_private_item(body, [this](Map& item) {
      found_.insert(to_json(Value(item)));
      item.set("value", kRedacted);
    });
    return body;
  }
  void hide_if_found(Map& item) const {
    if (found_.count(to_json(Value(item)))) item.set("value", kRedacted);
  }

  std::string hidden(std::string text) const {
    for (const Secret& secret : hide_) {
      if (secret.empty()) continue;
      std::string quoted = to_json(Value(secret.reveal()));
      for (const std::string& form :
           {secret.reveal(), quoted.substr(1, quoted.size() - 2), percent_encode(secret.reveal())})
        replace_all(text, form);
    }
    return text;
  }

  Env& inner_;
  LogSink sink_;
  std::vector<Secret> hide_;
  std::set<std::string> found_;  // metadata items in answers
};

}  // namespace

std::unique_ptr<Env> make_logging_env(Env& inner, LogSink sink, std::vector<Secret> hide) {
  return std::make_unique<LoggingEnv>(inner, std::move(sink), std::move(hide));
}

Result<LogSink> open_log(const std::string& path) {
  int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) {
    Code code = errno == ENOENT                     ? Code::not_found
                : errno == EACCES || errno == ELOOP ? Code::denied
                                                    : Code::io;
    return error(code, "The request log cannot be written",
                 fmt::format("{}: {}.", path, std::strerror(errno)));
  }
  std::shared_ptr<int> file(new int(fd), [](int* p) {
    ::close(*p);
    delete p;
  });
  return LogSink([file](std::string_view line) {
    std::string text = std::string(line) + "\n";
    [[maybe_unused]] ssize_t n =
        ::write(*file, text.data(), text.size());  // a full disk must not stop an apply
  });
}

}  // namespace nbform
