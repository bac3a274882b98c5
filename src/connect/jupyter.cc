#include "connect/jupyter.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/message.h"
#include "base/text.h"

namespace nbform {

namespace {

constexpr Duration kAgain = std::chrono::seconds(1);
constexpr std::chrono::seconds kAnswer{10};
constexpr char kBetween = '\036';  // files in the list

// What a machine says is put into URLs: nothing that could end a path.
bool is_base_url(std::string_view text) {
  return text.starts_with('/') && text.ends_with('/') &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._~%@:+-") ==
             std::string_view::npos;
}

std::optional<JupyterServer> read_server(std::string_view text) {
  auto file = parse_json(trim(text));
  if (!file.ok()) return std::nullopt;
  JupyterServer out;
  std::int64_t port = (*file)["port"].as_int();
  std::string_view base = (*file)["base_url"].as_text("/");
  if (port < 1 || port > 65'535 || !is_base_url(base)) return std::nullopt;
  out.port = static_cast<int>(port);
  out.base_url = base;
  out.token = Secret(std::string((*file)["token"].as_text()));
  out.secure = (*file)["secure"].as_bool();
  return out;
}

}  // namespace

std::string JupyterServer::url(int local_port, bool with_token) const {
  std::string out = fmt::format("http{}://127.0.0.1:{}{}", secure ? "s" : "", local_port, base_url);
  if (with_token && !token.empty()) out += "?token=" + percent_encode(token.reveal());
  return out;
}

// One line without quotes of its own or an exclamation mark, so that csh and fish hand it on as it is.
std::string list_jupyter_servers() {
  return "sh -c 'exec 2>/dev/null; "
         "for d in \"$JUPYTER_RUNTIME_DIR\" \"${XDG_DATA_HOME:-$HOME/.local/share}/jupyter/runtime\"; do "
         "[ -n \"$d\" ] && cd \"$d\" || continue; "
         "for f in $(ls -t); do case $f in jpserver-*.json|nbserver-*.json) "
         "p=${f%.json}; kill -0 \"${p##*-}\" && cat \"$f\" && printf \"\\036\";; esac; done; done'";
}

std::vector<JupyterServer> read_jupyter_servers(std::string_view printed) {
  std::vector<JupyterServer> out;
  for (std::string_view text : split(printed, kBetween))
    if (auto server = read_server(text)) out.push_back(std::move(*server));
  return out;
}

JupyterSearch::JupyterSearch(Env& env, Tunnel& tunnel, int port, bool fixed, Calls calls)
    : env_(env),
      tunnel_(tunnel),
      port_(port),
      fixed_(fixed),
      calls_(std::move(calls)),
      again_(env),
      listing_(env) {
  look();
}

JupyterSearch::~JupyterSearch() {
  if (exchange_ != 0) env_.cancel(exchange_);
}

// A server that runs no commands, or takes its time over them, does not keep the tunnel from its work.
void JupyterSearch::look() {
  listing_.set(kAnswer, [this] { take(""); });
  tunnel_.run(list_jupyter_servers(), lifeline_.guard([this](const std::string& printed) {
    if (listing_.is_set()) take(printed);
  }));
}

void JupyterSearch::take(const std::string& printed) {
  listing_.cancel();
  listed_ = read_jupyter_servers(printed);
  auto at = std::find_if(listed_.begin(), listed_.end(),
                         [this](const JupyterServer& server) { return server.port == port_; });
  found_ = {};
  found_.server.port = port_;
  if (at != listed_.end()) found_.server = *at;
  if (found_.server.secure) {  // with a certificate of its own: the browser judges it
    found_.version = "unknown, it speaks HTTPS";
    return calls_.found(found_);
  }
  ask("api", [this](const Result<Response>& answer) { judge_version(answer); });
}

void JupyterSearch::ask(std::string_view path, std::function<void(const Result<Response>&)> done) {
  Request request;
  request.url = found_.server.url(tunnel_.ports().front(), false) + std::string(path);
  request.timeout = kAnswer;
  request.max_body = std::size_t{64} << 10;
  if (const Secret& token = found_.server.token; !token.empty())
    request.headers.emplace_back("Authorization", "token " + token.reveal());
  exchange_ = env_.send(std::move(request), [this, done = std::move(done)](const Result<Response>& answer) {
    exchange_ = 0;
    done(answer);
  });
}

// GET /api takes no token, in the classic server and in Jupyter Server 2.
void JupyterSearch::judge_version(const Result<Response>& answer) {
  if (!answer.ok()) return nothing_there(fmt::format("nothing answers on port {} yet", port_));
  auto body = parse_json(answer->body);
  if (!body.ok() || (*body)["version"].is_null())
    return nothing_there(
        fmt::format("what listens on port {} is not Jupyter (status {})", port_, answer->status));
  found_.version = printable((*body)["version"].as_text());
  ask("api/status?no_track_activity=1", [this](const Result<Response>& status) {
    status.ok() ? judge_status(*status) : nothing_there("it stopped to answer");
  });
}

void JupyterSearch::judge_status(const Response& answer) {
  found_.locked = answer.status == 401 || answer.status == 403;
  calls_.found(found_);
}

void JupyterSearch::nothing_there(std::string why) {
  if (!fixed_ && !listed_.empty() && listed_.front().port != port_)
    return std::function(calls_.elsewhere)(listed_.front().port);
  again_.set(kAgain, [this] { look(); });
  calls_.missing(std::move(why));
}

}  // namespace nbform
