#include "net/aws_fetch.h"

#include <fmt/format.h>

#include "base/aws_error.h"
#include "base/aws_query.h"
#include "base/json.h"
#include "base/text.h"
#include "net/aws_endpoints.h"
#include "net/instance_metadata.h"

namespace nbform {

namespace {

using Kind = AwsSource::Kind;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr RetryPolicy kPolicy{
    .first = seconds(1), .cap = seconds(8), .patience = seconds(45), .max_attempts = 4};
constexpr RetryPolicy kContainerPolicy{
    .first = seconds(1), .cap = seconds(1), .patience = seconds(30), .max_attempts = 3};
constexpr Duration kProgramLimit = minutes(2);
constexpr std::size_t kMaxFile = 1 << 20;
constexpr std::string_view kInstanceRoles = "iam/security-credentials/";

Diagnostic in_context(Diagnostic problem, const AwsSource& source) {
  problem.detail = fmt::format("No credentials from {}. {}", source.from, problem.detail);
  return problem;
}

// The last of the chain: without it nothing is left.
Diagnostic not_here(const AwsSource& source, std::string why) {
  std::vector<std::string> tried = source.tried;
  tried.push_back(std::move(why));
  return no_aws_credentials(tried);
}

}  // namespace

struct AwsFetch::State : std::enable_shared_from_this<AwsFetch::State> {
  State(Env& e, ClockSkew& c, std::string r)
      : env(e), clock(c), region(std::move(r)), plain(std::make_unique<Client>(e, aws_client_options({}))) {}

  Env& env;
  ClockSkew& clock;
  std::string region;
  std::unique_ptr<Client> plain;   // without a signature; none once AwsFetch is gone
  std::unique_ptr<Client> signer;  // of the step that acts as a role
  std::unique_ptr<InstanceMetadata> metadata;
  AwsHome home;
  AwsSource source;

  void fetch_own(Done done);
  void from_web_identity(Done done);
  void from_program(Done done);
  void from_container(Done done);
  void from_instance(Done done);
  void from_instance_role(const std::string& role, Done done);
  void from_sso(Done done);
  void with_sso_token(SsoToken token, Done done);
  void renew_sso_token(SsoToken old, Done done);
  void act_as(std::size_t step, AwsCredentials own, Done done);
  void ask_to_be(std::size_t step, AwsCredentials own, const Secret& mfa_code, Done done);
  void ask(Request request, RetryPolicy policy, std::function<void(Result<Answer>)> done) {
    if (plain) plain->send({.http = std::move(request), .policy = policy}, std::move(done));
  }
  Result<AwsEndpoint> sts() const {
    std::string here = aws_region(home, region).name;
    return aws_endpoint("sts", here.empty() ? "us-east-1" : here, home);
  }
  std::string cache_path() const {
    return below_home(home.env, "~/.aws/sso/cache/" + source.sso.cache_name());
  }
};

void AwsFetch::State::fetch_own(Done done) {
  switch (source.kind) {
    case Kind::keys:
      return done(source.keys);
    case Kind::web_identity:
      return from_web_identity(std::move(done));
    case Kind::sso:
      return from_sso(std::move(done));
    case Kind::process:
      return from_program(std::move(done));
    case Kind::container:
      return from_container(std::move(done));
    case Kind::instance:
      return from_instance(std::move(done));
  }
}

void AwsFetch::State::from_web_identity(Done done) {
  auto text = env.read_file(source.token_file, kMaxFile);
  if (!text.ok()) return done(std::move(text).error());
  auto token = header_secret(*text, source.token_file);
  if (!token.ok()) return done(std::move(token).error());
  auto endpoint = sts();
  if (!endpoint.ok()) return done(std::move(endpoint).error());
  ask(web_identity_request(endpoint->at.base, source.web_role, *token), kPolicy,
      [done = std::move(done)](Result<Answer> answer) {
        if (!answer.ok()) return done(std::move(answer).error());
        done(parse_sts_credentials(answer->http));
      });
}

void AwsFetch::State::from_program(Done done) {
  env.spawn(source.program, kProgramLimit,
            [self = shared_from_this(), done = std::move(done)](Result<ProgramResult> ran) {
              if (!ran.ok()) return done(std::move(ran).error());
              const std::string& program = self->source.program[0];
              if (ran->exit_code == 0) return done(parse_process_output(ran->out, program));
              done(error(Code::unauthenticated, "A program gives no AWS credentials",
                         fmt::format("{} ended with exit code {}: {}", program, ran->exit_code,
                                     printable(trim(std::string_view(ran->err).substr(0, 500))))));
            });
}

void AwsFetch::State::from_container(Done done) {
  Secret token;
  if (auto file = home.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) {
    auto text = env.read_file(*file, kMaxFile);
    if (!text.ok()) return done(std::move(text).error());
    token = Secret(std::move(text).value());
  } else {
    token = Secret(home.env("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or(""));
  }
  if (!token.empty()) {
    auto fit = header_secret(token.reveal(), "the container's authorization token");
    if (!fit.ok()) return done(std::move(fit).error());
    token = std::move(fit).value();
  }
  auto request = container_request(home.env, token);
  if (!request.ok()) return done(std::move(request).error());
  ask(**request, kContainerPolicy, [done = std::move(done)](Result<Answer> answer) {
    if (!answer.ok()) return done(std::move(answer).error());
    if (!answer->http.ok()) return done(aws_error(answer->http));
    done(parse_credentials(answer->json, kMachineNames, "the container's credentials"));
  });
}

void AwsFetch::State::from_instance(Done done) {
  if (!plain) return;
  metadata = std::make_unique<InstanceMetadata>(env);
  metadata->get(std::string(kInstanceRoles), [this, done = std::move(done)](Result<std::string> roles) {
    if (!roles.ok()) {
      bool no_role = roles.error().provider_code == "404";
      return done(not_here(source, no_role ? "this instance has no IAM role" : roles.error().detail));
    }
    from_instance_role(std::string(trim(roles->substr(0, roles->find('\n')))), done);
  });
}

void AwsFetch::State::from_instance_role(const std::string& role, Done done) {
  metadata->get(std::string(kInstanceRoles) + role, [this, done = std::move(done)](Result<std::string> text) {
    if (!text.ok()) return done(not_here(source, text.error().detail));
    auto json = parse_json(*text);
    auto found = parse_credentials(json.ok() ? *json : Value(), kMachineNames, source.from);
    if (!found.ok() || found->keys.token.empty() || !found->expires)
      return done(not_here(source, "the instance metadata service gives no credentials"));
    // In an outage it hands out old ones, which AWS goes on accepting: ask again in a few minutes.
    Time now = env.now() + clock.offset();
    if (*found->expires < now + minutes(15))
      found->expires = now + minutes(17) + seconds(static_cast<std::int64_t>(env.random(8 * 60)));
    done(std::move(found));
  });
}

void AwsFetch::State::from_sso(Done done) {
  auto text = env.read_file(cache_path(), kMaxFile);
  if (!text.ok() && text.error().code == Code::not_found)
    return done(sso_login_needed(source.sso, fmt::format("{} does not exist.", cache_path())));
  if (!text.ok()) return done(std::move(text).error());
  auto token = parse_sso_token(*text, source.sso);
  if (!token.ok()) return done(std::move(token).error());
  Time now = env.now() + clock.offset();
  bool may_renew = !source.sso.session.empty() && token->is_renewable(now);
  if (may_renew && *token->expires < now + minutes(15)) return renew_sso_token(*token, std::move(done));
  if (*token->expires <= now)
    return done(
        sso_login_needed(source.sso, fmt::format("It was good until {}.", format_rfc3339(*token->expires))));
  with_sso_token(std::move(token).value(), std::move(done));
}

void AwsFetch::State::renew_sso_token(SsoToken old, Done done) {
  auto endpoint = aws_endpoint("oidc", source.sso.region, home);
  if (!endpoint.ok()) return done(std::move(endpoint).error());
  ask(sso_renewal_request(endpoint->at.base, old), kPolicy,
      [this, old, done = std::move(done)](Result<Answer> answer) {
        Time now = env.now() + clock.offset();
        if (answer.ok() && answer->http.ok()) {
          auto token = renewed_sso_token(old, answer->json, now);
          if (!token.ok()) return done(std::move(token).error());
          auto written = env.write_file(cache_path(), to_json(token->file), true);
          if (!written.ok()) return done(std::move(written).error());
          return with_sso_token(std::move(token).value(), done);
        }
        if (*old.expires > now) return with_sso_token(old, done);
        if (!answer.ok()) return done(std::move(answer).error());
        done(sso_login_needed(source.sso, aws_error(answer->http).detail));
      });
}

void AwsFetch::State::with_sso_token(SsoToken token, Done done) {
  auto endpoint = aws_endpoint("sso", source.sso.region, home);
  if (!endpoint.ok()) return done(std::move(endpoint).error());
  ask(sso_credentials_request(endpoint->at.base, source.sso, token), kPolicy,
      [this, done = std::move(done)](Result<Answer> answer) {
        if (!answer.ok()) return done(std::move(answer).error());
        if (answer->http.status == 401)
          return done(sso_login_needed(source.sso, aws_error(answer->http).detail));
        if (!answer->http.ok()) return done(aws_error(answer->http));
        done(parse_credentials(answer->json["roleCredentials"], kSsoNames, "SSO"));
      });
}

void AwsFetch::State::act_as(std::size_t step, AwsCredentials own, Done done) {
  if (step == source.roles.size()) return done(std::move(own));
  const AwsRole& role = source.roles[step];
  if (role.mfa_serial.empty()) return ask_to_be(step, std::move(own), {}, std::move(done));
  env.prompt(fmt::format("MFA code of {}: ", role.mfa_serial),
             [self = shared_from_this(), step, own, done = std::move(done)](Result<std::string> code) {
               if (code.ok()) return self->ask_to_be(step, own, Secret(std::string(trim(*code))), done);
               Diagnostic problem =
                   error(Code::unauthenticated, "An MFA code is needed",
                         fmt::format("{} wants one. {}", self->source.roles[step].from, code.error().detail));
               done(std::move(problem).with_hint("Use credentials of a session, or run on a terminal"));
             });
}

void AwsFetch::State::ask_to_be(std::size_t step, AwsCredentials own, const Secret& mfa_code, Done done) {
  auto endpoint = sts();
  if (!endpoint.ok()) return done(std::move(endpoint).error());
  if (!plain) return;
  const AwsRole& role = source.roles[step];
  signer = std::make_unique<Client>(
      env, aws_client_options(fixed_signer(env, clock, std::move(own), endpoint->scope)));
  ApiRequest request{.http = assume_role_request(endpoint->at.base, role, mfa_code), .policy = kPolicy};
  signer->send(std::move(request), [this, step, done = std::move(done)](Result<Answer> answer) {
    auto next = answer.ok() ? parse_sts_credentials(answer->http) : std::move(answer).error();
    if (next.ok()) return act_as(step + 1, std::move(next).value(), done);
    const AwsRole& wanted = source.roles[step];
    Diagnostic problem = std::move(next).error();
    problem.detail =
        fmt::format("{} could not be assumed, as {} asks. {}", wanted.arn, wanted.from, problem.detail);
    if (problem.code == Code::denied)
      problem.hint = "The role's trust policy must allow whom you act from, who needs sts:AssumeRole on it";
    done(std::move(problem));
  });
}

AwsFetch::AwsFetch(Env& env, ClockSkew& clock, std::string region)
    : state_(std::make_shared<State>(env, clock, std::move(region))) {}

AwsFetch::~AwsFetch() {
  state_->plain.reset();
  state_->signer.reset();
  state_->metadata.reset();
}

void AwsFetch::fetch(const AwsHome& home, const AwsSource& source, Done done) {
  state_->home = home;
  state_->source = source;
  state_->fetch_own([state = state_, done = std::move(done)](Result<AwsCredentials> own) {
    if (own.ok()) return state->act_as(0, std::move(own).value(), done);
    bool says_all = state->source.kind == Kind::instance;
    done(says_all ? std::move(own).error() : in_context(std::move(own).error(), state->source));
  });
}

Authorize fixed_signer(Env& env, ClockSkew& clock, AwsCredentials credentials, SigningScope scope) {
  return [&env, &clock, credentials = std::move(credentials), scope = std::move(scope)](
             Request request, const Refused& refused, std::function<void(Result<Authorized>)> done) {
    auto url = parse_url(request.url);
    std::string origin = url ? url->origin() : "";
    if (refused.grant != 0 && !clock.learn(origin, refused.answer, refused.sent, env.now()))
      return done(aws_error(refused.answer));
    Time now = clock.now(origin, env.now());
    done(Authorized{sign_v4(std::move(request), credentials.keys, scope, now), refused.grant + 1});
  };
}

ClientOptions aws_client_options(Authorize authorize) {
  ClientOptions options;
  options.authorize = std::move(authorize);
  options.read = [](const Response& r) { return read_aws_body(r.body); };
  options.classify = [](const Response& r) { return classify_aws(r); };
  options.describe = [](const Response& r) { return aws_error(r); };
  return options;
}

}  // namespace nbform
