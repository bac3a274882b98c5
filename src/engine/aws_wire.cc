#include "engine/aws_wire.h"

#include <fmt/format.h>

#include <utility>

#include "base/aws_error.h"
#include "base/aws_query.h"
#include "net/aws_fetch.h"

namespace nbform {

namespace {

constexpr std::string_view kEc2Version = "2016-11-15";
constexpr std::string_view kAlwaysOn = "us-east-1";

Request request_of(const std::string& base, const Call& call) {
  if (call.api == "ssm") return json_request(base, "AmazonSSM." + call.method, call.body);
  if (call.api == "servicequotas")
    return json_request(base, "ServiceQuotasV20190624." + call.method, call.body);
  if (call.api != "ec2") bug("no protocol is known for the AWS service " + call.api);
  return query_request(base, call.method, kEc2Version, call.body);
}

// Regions of other partitions are accounts of their own.
bool may_be_closed(std::string_view region) {
  return region != kAlwaysOn && !region.starts_with("cn-") && !region.starts_with("us-gov-") &&
         !region.starts_with("us-iso") && !region.starts_with("eusc-");
}

bool is_unknown_caller(const Diagnostic& refusal) {
  return refusal.provider_code == "InvalidClientTokenId" || refusal.provider_code == "AuthFailure" ||
         refusal.provider_code == "UnrecognizedClientException";
}

Diagnostic not_switched_on(const std::string& region, const Diagnostic& refusal) {
  Diagnostic why = error(Code::denied, "The account has not switched the region on",
                         fmt::format("The credentials are good, and {} does not accept them. AWS says: {}",
                                     region, refusal.detail));
  why.provider_code = refusal.provider_code;
  why.hint = fmt::format(
      "Switch it on (it takes some minutes), or take another region:\n"
      "  aws account enable-region --region-name {}",
      region);
  return why;
}

Lookup nothing() {
  return [](const std::string&) { return std::optional<std::string>(); };
}

}  // namespace

AwsWire::AwsWire(Env& env, AwsWireOptions options)
    : env_(env), options_(std::move(options)), auth_(env, options_.auth) {}

AwsWire::~AwsWire() = default;

void AwsWire::later(std::function<void()> then) {
  env_.after(Duration{0}, std::move(then));
}

Result<AwsEndpoint> AwsWire::endpoint(const std::string& api, const std::string& region) {
  if (!options_.sandbox) return auth_.endpoint(api, region);
  AwsHome home;
  home.env = nothing();
  return aws_endpoint(api, region, home);
}

Result<std::vector<Endpoint>> AwsWire::overrides() {
  if (options_.sandbox) return std::vector<Endpoint>();
  return auth_.overrides();
}

Authorize AwsWire::authorizer(const SigningScope& scope) {
  if (!options_.sandbox) return auth_.authorizer(scope);
  return fixed_signer(env_, clock_, {*options_.sandbox, std::nullopt}, scope);
}

Result<AwsWire::Line*> AwsWire::line(const std::string& api, const std::string& region) {
  auto [it, fresh] = lines_.try_emplace({api, region});
  if (!fresh) return &it->second;
  auto at = endpoint(api, region);
  if (!at.ok()) {
    lines_.erase(it);
    return std::move(at).error();
  }
  it->second.base = at->at.base;
  it->second.client = std::make_unique<Client>(env_, aws_client_options(authorizer(at->scope)));
  return &it->second;
}

void AwsWire::identify(const std::string& region, std::function<void(Result<AwsCaller>)> done) {
  if (caller_) return later([done = std::move(done), caller = *caller_] { done(caller); });
  waiting_.push_back(std::move(done));
  if (waiting_.size() > 1) return;
  ask_who(region);
}

void AwsWire::ask_who(const std::string& region) {
  auto sts = line("sts", region);
  if (!sts.ok()) return later([this, why = sts.error()] { know(why); });
  ApiRequest request;
  request.http = caller_identity_request((*sts)->base);
  request.repeat = ApiRequest::Repeat::safe;
  (*sts)->client->send(std::move(request), [this, region](Result<Answer> answer) {
    if (!answer.ok()) {
      bool closed = is_unknown_caller(answer.error()) && may_be_closed(region);
      return closed ? ask_who(std::string(kAlwaysOn)) : know(std::move(answer).error());
    }
    if (!answer->http.ok()) return know(aws_error(answer->http));
    know(parse_caller_identity(answer->json));
  });
}

void AwsWire::know(Result<AwsCaller> caller) {
  caller_ = std::move(caller);
  for (auto& done : std::exchange(waiting_, {})) done(*caller_);
}

void AwsWire::send(const Scope& scope, const Call& call, ApiRequest request,
                   std::function<void(Result<Answer>)> done) {
  if (caller_ && caller_->ok()) return send_known(scope, call, std::move(request), std::move(done));
  identify(scope.region, [this, scope, call, request = std::move(request),
                          done = std::move(done)](Result<AwsCaller> caller) {
    if (!caller.ok()) return done(std::move(caller).error());
    send_known(scope, call, request, done);
  });
}

void AwsWire::send_known(const Scope& scope, const Call& call, ApiRequest request,
                         std::function<void(Result<Answer>)> done) {
  Result<> ours = check_account(**caller_, scope.account);
  Result<Line*> to = ours.ok() ? line(call.api, scope.region) : Result<Line*>(ours.error());
  if (!to.ok()) return later([done = std::move(done), why = to.error()] { done(why); });
  request.http = request_of((*to)->base, call);
  if (!call.fields.empty())
    request.read = [fields = Fields(call.fields)](Response& r) {
      return read_aws_body(r.ok() ? std::move(r.body) : r.body, fields);  // a refusal is read again
    };
  auto judge = [this, region = scope.region, done = std::move(done)](Result<Answer> answer) {
    if (answer.ok()) answering_.insert(region);
    bool closed = !answer.ok() && is_unknown_caller(answer.error()) && may_be_closed(region) &&
                  answering_.count(region) == 0;
    done(closed ? not_switched_on(region, answer.error()) : std::move(answer));
  };
  (*to)->client->send(std::move(request), std::move(judge));
}

}  // namespace nbform
