#include "connect/relay_stream.h"

#include <fmt/format.h>

#include "net/endpoints.h"

namespace nbform {

namespace {

constexpr std::size_t kMostPages = 40;

}  // namespace

RelayStream::RelayStream(Env& env, Wire& wire, const SshAccess& access, const Live& machine, int port,
                         MachineStreamCalls calls)
    : env_(env),
      wire_(wire),
      access_(access),
      machine_(machine),
      port_(port),
      calls_(std::move(calls)),
      soon_(env) {
  auto endpoint =
      google_endpoint("iap_tunnel", [this](const std::string& name) { return env_.env_var(name); });
  if (endpoint.ok())
    begin(endpoint->base);
  else
    soon_.set(Duration(0), [this, why = endpoint.error()] { fail(why); });
}

void RelayStream::begin(std::string base) {
  const RelayTarget to = access_.relay(machine_).value();
  IapSettings settings;
  settings.base = std::move(base);
  settings.target = {to.project, to.zone, to.instance, to.interface, port_};
  settings.authorize = wire_.google_authorizer(machine_.scope.cloud);
  IapCalls calls;
  calls.connected = [this](Descriptor stream) {
    connected_ = true;
    calls_.connected(std::move(stream));
  };
  calls.interrupted = [this](const Diagnostic&) { cut_ = env_.now(); };
  calls.resumed = [this] {
    if (calls_.notice)
      calls_.notice(fmt::format("the connection to IAP broke and was resumed after {:.1f} s; nothing is lost",
                                static_cast<double>((env_.now() - cut_).count()) / 1e6));
  };
  calls.ended = [this](const IapFailure& failure) { on_ended(failure); };
  tunnel_ = std::make_unique<IapTunnel>(env_, std::move(settings), std::move(calls));
}

void RelayStream::on_ended(const IapFailure& failure) {
  tunnel_.reset();
  if (!connected_) return explain(failure.why);
  if (failure.cure != IapFailure::Cure::over && calls_.notice) calls_.notice(failure.why.detail);
}

// A relay that does not reach the machine cannot tell why: the firewall can.
void RelayStream::explain(Diagnostic why) {
  why_ = std::move(why);
  if (why_.summary != kIapNotReached) return fail(why_);
  read_rules("");
}

void RelayStream::read_rules(const std::string& page_token) {
  Call call = access_.relay_rules(machine_);
  if (!page_token.empty()) call.query.emplace_back("pageToken", page_token);
  wire_.send(machine_.scope, call, ApiRequest::Repeat::safe,
             lifeline_.guard([this](const Result<Answer>& answer) { judge_rules(answer); }));
}

// Who may not read the rules is told what the relay says.
void RelayStream::judge_rules(const Result<Answer>& answer) {
  if (!answer.ok() || !answer->http.ok() || pages_.size() == kMostPages) return fail(why_);
  pages_.push_back(answer->json);
  const std::string next(answer->json["nextPageToken"].as_text());
  if (!next.empty()) return read_rules(next);
  fail(access_.relay_shut_out(machine_, pages_, port_).value_or(why_));
}

void RelayStream::fail(Diagnostic why) {
  auto failed = calls_.failed;
  failed(std::move(why));  // `this` may be gone now
}

}  // namespace nbform
