#include "net/aws_auth.h"

#include <fmt/format.h>

#include "base/aws_error.h"
#include "base/text.h"
#include "net/aws_fetch.h"
#include "net/instance_metadata.h"
#include "net/shared_grant.h"

namespace nbform {

namespace {

constexpr Duration kEarly = std::chrono::minutes(15);

bool same(const AwsKeys& a, const AwsKeys& b) {
  return a.id == b.id && a.secret.reveal() == b.secret.reveal() && a.token.reveal() == b.token.reveal();
}

}  // namespace

struct AwsAuth::State : std::enable_shared_from_this<AwsAuth::State> {
  State(Env& e, AwsAuthOptions o)
      : env(e),
        options(std::move(o)),
        credentials([this] { return env.now() + clock.offset(); }, kEarly,
                    [this](AwsFetch::Done done) { renew(std::move(done)); }),
        fetcher(std::make_unique<AwsFetch>(e, clock, options.region)) {}

  Env& env;
  AwsAuthOptions options;
  ClockSkew clock;
  SharedGrant<AwsCredentials> credentials;
  std::unique_ptr<AwsFetch> fetcher;  // none once AwsAuth is gone
  std::unique_ptr<InstanceMetadata> metadata;
  std::optional<AwsHome> home;
  std::string identity;

  Result<AwsHome*> known_home();
  void renew(AwsFetch::Done done);
  void authorize(const SigningScope& scope, Request request, const Refused& refused,
                 std::function<void(Result<Authorized>)> done);
  Diagnostic not_accepted(const Response& answer) const;
};

Result<AwsHome*> AwsAuth::State::known_home() {
  if (!home) home = NB_TRY(read_aws_home(env, options.profile));
  return &*home;
}

// Everything is looked up afresh: other tools rewrite files and caches while we run.
void AwsAuth::State::renew(AwsFetch::Done done) {
  if (!fetcher) return;
  auto fresh = read_aws_home(env, options.profile);
  if (!fresh.ok()) return done(std::move(fresh).error());
  home = std::move(fresh).value();
  auto source = find_aws_source(*home, options.assume_role, env.now() + clock.offset());
  if (!source.ok()) return done(std::move(source).error());
  fetcher->fetch(
      *home, *source,
      [self = shared_from_this(), who = source->description(), done](Result<AwsCredentials> found) {
        if (found.ok()) self->identity = who;
        done(std::move(found));
      });
}

Diagnostic AwsAuth::State::not_accepted(const Response& answer) const {
  Diagnostic problem = aws_error(answer);
  problem.detail += fmt::format(" The credentials are those of {}.", identity);
  return problem;
}

void AwsAuth::State::authorize(const SigningScope& scope, Request request, const Refused& refused,
                               std::function<void(Result<Authorized>)> done) {
  auto here = known_home();
  if (!here.ok()) return done(std::move(here).error());
  auto url = parse_url(request.url);
  if (!url || !may_receive_aws_signature(*url, **here)) {
    done(error(Code::denied, "AWS credentials would go to a foreign host",
               fmt::format("{} is not a host of AWS, and nothing names it as an endpoint.",
                           url ? url->origin() : "The URL")));
    return;
  }
  std::string origin = url->origin();
  // Another request may have led to a fresh credential or a corrected clock since this one left.
  bool was_refused = refused.grant != 0 && refused.grant == credentials.number() &&
                     !clock.learn(origin, refused.answer, refused.sent, env.now());
  AwsKeys old = was_refused ? credentials.value().keys : AwsKeys{};
  auto ready = [this, scope, origin, was_refused, old, answer = refused.answer, request = std::move(request),
                done = std::move(done)](Result<std::uint64_t> number) mutable {
    if (!number.ok()) return done(std::move(number).error());
    const AwsKeys& keys = credentials.value().keys;
    if (was_refused && same(keys, old)) return done(not_accepted(answer));
    done(Authorized{sign_v4(std::move(request), keys, scope, clock.now(origin, env.now())), *number});
  };
  credentials.get(was_refused ? refused.grant : 0, std::move(ready));
}

AwsAuth::AwsAuth(Env& env, AwsAuthOptions options)
    : state_(std::make_shared<State>(env, std::move(options))) {}

AwsAuth::~AwsAuth() {
  state_->credentials.close();
  state_->fetcher.reset();
  state_->metadata.reset();
}

Authorize AwsAuth::authorizer(SigningScope scope) {
  return [state = state_, scope = std::move(scope)](Request request, const Refused& refused,
                                                    std::function<void(Result<Authorized>)> done) {
    state->authorize(scope, std::move(request), refused, std::move(done));
  };
}

void AwsAuth::region(std::function<void(Result<AwsRegion>)> done) {
  auto home = state_->known_home();
  if (!home.ok()) return done(std::move(home).error());
  AwsRegion found = aws_region(**home, state_->options.region);
  if (!found.name.empty()) return done(std::move(found));
  if (!state_->metadata) state_->metadata = std::make_unique<InstanceMetadata>(state_->env);
  state_->metadata->get("placement/region", [done = std::move(done)](Result<std::string> text) {
    if (text.ok()) return done(AwsRegion{std::string(trim(*text)), "instance metadata service"});
    done(
        error(Code::usage, "No AWS region is known",
              fmt::format(
                  "Neither the manifest nor AWS_REGION, AWS_DEFAULT_REGION or the profile names one, and {}.",
                  text.error().detail))
            .with_hint("export AWS_REGION=us-west-2"));
  });
}

Result<AwsEndpoint> AwsAuth::endpoint(std::string_view service, std::string_view region) {
  AwsHome* home = NB_TRY(state_->known_home());
  return aws_endpoint(service, region, *home);
}

Result<std::vector<Endpoint>> AwsAuth::overrides() {
  AwsHome* home = NB_TRY(state_->known_home());
  return aws_overrides(*home);
}

std::string AwsAuth::identity() const {
  return state_->identity;
}

}  // namespace nbform
