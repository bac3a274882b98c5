#include "net/google_auth.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "net/endpoints.h"
#include "net/google_credentials.h"
#include "net/google_home.h"
#include "net/shared_grant.h"

namespace nbform {

namespace {

using Kind = GoogleCredential::Kind;
using TokenDone = std::function<void(Result<AccessToken>)>;

constexpr RetryPolicy kTokenPolicy{.first = std::chrono::seconds(1),
                                   .cap = std::chrono::seconds(8),
                                   .patience = std::chrono::seconds(45),
                                   .max_attempts = 4};
constexpr Duration kStaleBefore = std::chrono::seconds(225);
constexpr Duration kGcloudLimit = std::chrono::seconds(30);

std::string describe(const GoogleCredential& credential) {
  std::string_view what;
  switch (credential.kind) {
    case Kind::service_account:
      what = "service account";
      break;
    case Kind::authorized_user:
      what = "user";
      break;
    case Kind::external_account:
      what = "external account";
      break;
    case Kind::metadata:
      what = "this machine's service account";
      break;
    default:
      what = "access token";
      break;
  }
  std::string account = credential.account.empty() ? "" : " " + credential.account;
  if (!credential.impersonate.empty())
    return fmt::format("service account{} through {}", account, credential.source);
  return fmt::format("{}{} ({})", what, account, credential.source);
}

Diagnostic in_context(Diagnostic problem, const GoogleCredential& credential) {
  problem.detail = fmt::format("No access token for {}. {}", describe(credential), problem.detail);
  if (problem.code == Code::unauthenticated && credential.kind == Kind::service_account)
    problem.hint =
        "The key may have been deleted, or this machine's clock is wrong: make a new key, or set the clock";
  return problem;
}

Diagnostic nobody(const std::vector<std::string>& tried) {
  return error(Code::unauthenticated, "No Google Cloud credentials", "Tried: " + join(tried, "; ") + ".")
      .with_hint(
          "Log in:\n  gcloud auth application-default login\nor name a key file in "
          "GOOGLE_APPLICATION_CREDENTIALS");
}

}  // namespace

// One credential, one token.
struct GoogleAuth::State : std::enable_shared_from_this<GoogleAuth::State> {
  State(Env& e, GoogleAuthOptions o)
      : env(e),
        options(std::move(o)),
        lookup([&e](const std::string& name) { return e.env_var(name); }),
        token([&e] { return e.now(); }, kStaleBefore, [this](TokenDone done) { renew(std::move(done)); }) {
    client.emplace(env, ClientOptions{});
  }

  Env& env;
  GoogleAuthOptions options;
  Lookup lookup;
  SharedGrant<AccessToken> token;
  std::optional<Client> client;  // none once GoogleAuth is gone
  std::optional<GoogleCredential> credential;
  bool may_sign_itself = true;
  std::uint64_t self_signed = 0;  // the number of the token that was, 0 = none

  void only_exchanged(Refused& refused);
  void authorize(Request request, const Refused& refused, std::function<void(Result<Authorized>)> done);
  Authorized with_token(Request request) const;
  void renew(TokenDone done);

  // Finding a credential, source by source.
  void discover(std::function<void(Result<Ok>)> done);
  Result<std::optional<GoogleCredential>> from_environment(std::vector<std::string>& tried);
  void ask_gcloud(std::vector<std::string> tried, std::function<void(Result<Ok>)> done);
  void ask_metadata(std::vector<std::string> tried, std::function<void(Result<Ok>)> done);
  Result<Ok> adopt(GoogleCredential found);

  // Turning it into a token.
  void fetch(TokenDone done);
  void fetch_own(TokenDone done);
  void fetch_signed(TokenDone done);
  void fetch_file(TokenDone done);
  void fetch_gcloud(TokenDone done);
  void fetch_external(TokenDone done);
  void send(ApiRequest request, std::function<void(Result<Answer>)> done) {
    if (client) client->send(std::move(request), std::move(done));
  }
  void exchange(Request request, TokenDone done);
  void impersonate(std::size_t step, AccessToken own, TokenDone done);
};

void GoogleAuth::State::authorize(Request request, const Refused& refused,
                                  std::function<void(Result<Authorized>)> done) {
  auto url = parse_url(request.url);
  if (!url || !may_receive_google_token(*url, lookup)) {
    done(error(Code::denied, "A Google token would go to a foreign host",
               fmt::format("{} is not a host of Google's, and no variable names it as an endpoint.",
                           url ? url->origin() : "The URL")));
    return;
  }
  token.get(refused.grant, [this, request = std::move(request),
                            done = std::move(done)](Result<std::uint64_t> number) mutable {
    if (number.ok())
      done(with_token(std::move(request)));
    else
      done(std::move(number).error());
  });
}

// A token that we signed ourselves counts as refused, and the next one is not.
void GoogleAuth::State::only_exchanged(Refused& refused) {
  may_sign_itself = false;
  if (self_signed != 0 && self_signed == token.number()) refused.grant = self_signed;
}

Authorized GoogleAuth::State::with_token(Request request) const {
  set_header(request.headers, "Authorization", "Bearer " + token.value().token.reveal());
  std::string project = options.quota_project;
  if (project.empty()) project = lookup("GOOGLE_CLOUD_QUOTA_PROJECT").value_or(credential->quota_project);
  if (!project.empty()) set_header(request.headers, "x-goog-user-project", project);
  return {std::move(request), token.number()};
}

void GoogleAuth::State::renew(TokenDone done) {
  if (credential) return fetch(std::move(done));
  discover([self = shared_from_this(), done = std::move(done)](Result<Ok> found) {
    if (found.ok())
      self->fetch(done);
    else
      done(std::move(found).error());
  });
}

void GoogleAuth::State::discover(std::function<void(Result<Ok>)> done) {
  std::vector<std::string> tried;
  auto found = from_environment(tried);
  if (!found.ok()) return done(std::move(found).error());
  if (*found) return done(adopt(**found));
  ask_gcloud(std::move(tried), std::move(done));
}

Result<std::optional<GoogleCredential>> GoogleAuth::State::from_environment(std::vector<std::string>& tried) {
  GoogleCredential c;
  c.source = "GOOGLE_OAUTH_ACCESS_TOKEN";
  if (auto token = lookup(c.source)) {
    c.token = NB_TRY(plain_token(*token, c.source));
    return std::optional(c);
  }
  c.source = "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE";
  if (auto path = lookup(c.source)) {
    c.kind = Kind::token_file;
    c.path = *path;
    return std::optional(c);
  }
  tried = {
      "GOOGLE_OAUTH_ACCESS_TOKEN, CLOUDSDK_AUTH_ACCESS_TOKEN_FILE and GOOGLE_APPLICATION_CREDENTIALS are not "
      "set"};
  auto file = NB_TRY(google_credential_file(env));
  if (!file) {
    tried.push_back(google_adc_path(env) + " does not exist");
    return std::optional<GoogleCredential>();
  }
  return std::optional(NB_TRY(parse_google_credential(file->text.reveal(), file->source, lookup)));
}

void GoogleAuth::State::ask_gcloud(std::vector<std::string> tried, std::function<void(Result<Ok>)> done) {
  env.spawn({"gcloud", "auth", "print-access-token", "--quiet"}, kGcloudLimit,
            [self = shared_from_this(), tried, done](Result<ProgramResult> ran) mutable {
              if (ran.ok() && ran->exit_code == 0) {
                GoogleCredential c;
                c.kind = Kind::gcloud;
                c.source = "gcloud auth print-access-token";
                c.token = Secret(ran->out);
                return done(self->adopt(std::move(c)));
              }
              bool absent = !ran.ok() && ran.error().code == Code::not_found;
              tried.push_back(absent ? "gcloud is not installed" : "gcloud is not logged in");
              self->ask_metadata(std::move(tried), std::move(done));
            });
}

void GoogleAuth::State::ask_metadata(std::vector<std::string> tried, std::function<void(Result<Ok>)> done) {
  if (iequals(lookup("NO_GCE_CHECK").value_or(""), "true")) {
    tried.push_back("the metadata server is switched off by NO_GCE_CHECK");
    return done(nobody(tried));
  }
  ApiRequest probe{.http = metadata_token_request(lookup), .policy = kTokenPolicy};
  probe.policy.max_attempts = 2;
  send(std::move(probe), [self = shared_from_this(), tried, done](Result<Answer> answer) mutable {
    bool flavored =
        answer.ok() && iequals(header(answer->http.headers, "metadata-flavor").value_or(""), "Google");
    if (flavored && answer->http.ok()) {
      GoogleCredential c;
      c.kind = Kind::metadata;
      c.source = "metadata server";
      return done(self->adopt(std::move(c)));
    }
    tried.push_back(flavored ? "this machine has no service account" : "there is no metadata server");
    done(nobody(tried));
  });
}

Result<Ok> GoogleAuth::State::adopt(GoogleCredential found) {
  if (!options.impersonate.empty()) {
    found.impersonate.push_back(NB_TRY(impersonation_of(options.impersonate, lookup)));
    found.account = options.impersonate;
  }
  credential = std::move(found);
  return Ok{};
}

void GoogleAuth::State::fetch(TokenDone done) {
  fetch_own([this, self = shared_from_this(), done = std::move(done)](Result<AccessToken> own) {
    if (!own.ok()) return done(in_context(std::move(own).error(), *credential));
    impersonate(0, std::move(own).value(), done);
  });
}

void GoogleAuth::State::fetch_own(TokenDone done) {
  switch (credential->kind) {
    case Kind::ready_token: {
      if (token.number() == 0 || !credential->impersonate.empty())
        return done(AccessToken{credential->token, std::nullopt});
      return done(error(Code::unauthenticated, "The access token is not accepted",
                        "It has expired or is for something else, and it cannot be renewed from here.")
                      .with_hint("export GOOGLE_OAUTH_ACCESS_TOKEN=\"$(gcloud auth print-access-token)\""));
    }
    case Kind::token_file:
      return fetch_file(std::move(done));
    case Kind::gcloud:
      return fetch_gcloud(std::move(done));
    case Kind::metadata:
      return exchange(metadata_token_request(lookup), std::move(done));
    case Kind::authorized_user:
      return exchange(refresh_grant(*credential), std::move(done));
    case Kind::external_account:
      return fetch_external(std::move(done));
    case Kind::service_account:
      return fetch_signed(std::move(done));
  }
}

// The first token costs no round trip. Where it is refused, the token endpoint knows why.
void GoogleAuth::State::fetch_signed(TokenDone done) {
  if (token.number() == 0 && credential->impersonate.empty() && may_sign_itself) {
    self_signed = 1;
    return done(self_signed_token(*credential, env.now()));
  }
  auto request = jwt_grant(*credential, env.now());
  if (!request.ok()) return done(std::move(request).error());
  exchange(std::move(request).value(), std::move(done));
}

void GoogleAuth::State::fetch_file(TokenDone done) {
  auto text = env.read_file(credential->path, 1 << 20);
  if (!text.ok()) return done(std::move(text).error());
  auto token = plain_token(*text, credential->path);
  if (!token.ok()) return done(std::move(token).error());
  done(AccessToken{std::move(token).value(), std::nullopt});
}

void GoogleAuth::State::fetch_gcloud(TokenDone done) {
  auto finish = [done](std::string_view out) {
    auto token = plain_token(out, "gcloud");
    if (!token.ok()) return done(std::move(token).error());
    done(AccessToken{std::move(token).value(), std::nullopt});
  };
  // The one that it gave when it was found.
  if (Secret found = std::exchange(credential->token, {}); !found.empty()) return finish(found.reveal());
  env.spawn({"gcloud", "auth", "print-access-token", "--quiet"}, kGcloudLimit,
            [done, finish](Result<ProgramResult> ran) {
              if (!ran.ok()) return done(std::move(ran).error());
              if (ran->exit_code == 0) return finish(ran->out);
              done(error(Code::unauthenticated, "gcloud gives no token", "gcloud is not logged in any more.")
                       .with_hint("gcloud auth login"));
            });
}

void GoogleAuth::State::fetch_external(TokenDone done) {
  const SubjectSource& source = credential->subject;
  auto go_on = [this, self = shared_from_this(), done](std::string_view text) {
    auto subject = subject_token(credential->subject, text);
    if (!subject.ok()) return done(std::move(subject).error());
    exchange(token_exchange(*credential, *subject), done);
  };
  if (!source.file.empty()) {
    auto text = env.read_file(source.file, 1 << 20);
    return text.ok() ? go_on(*text) : done(std::move(text).error());
  }
  Request get{.url = source.url, .headers = source.headers, .max_body = 1 << 20, .secret_answer = true};
  send({.http = std::move(get), .policy = kTokenPolicy, .expects_json = !source.field.empty()},
       [done, go_on](Result<Answer> answer) {
         if (!answer.ok()) return done(std::move(answer).error());
         if (answer->http.ok()) return go_on(answer->http.body);
         done(error(Code::unauthenticated, "The identity provider gives no token",
                    fmt::format("The credential's url answers HTTP {}.", answer->http.status)));
       });
}

void GoogleAuth::State::exchange(Request request, TokenDone done) {
  send({.http = std::move(request), .policy = kTokenPolicy},
       [self = shared_from_this(), done = std::move(done)](Result<Answer> answer) {
         if (!answer.ok()) return done(std::move(answer).error());
         if (!answer->http.ok()) return done(google_error(answer->http));
         done(parse_token_answer(answer->json, self->env.now()));
       });
}

void GoogleAuth::State::impersonate(std::size_t step, AccessToken own, TokenDone done) {
  if (step == credential->impersonate.size()) return done(std::move(own));
  exchange(impersonation_request(credential->impersonate[step], own.token),
           [this, self = shared_from_this(), step, done](Result<AccessToken> next) {
             if (next.ok()) return impersonate(step + 1, std::move(next).value(), done);
             Diagnostic problem = in_context(std::move(next).error(), *credential);
             if (problem.code == Code::denied)
               problem.hint =
                   "The account you act from needs the role roles/iam.serviceAccountTokenCreator on " +
                   credential->account;
             done(std::move(problem));
           });
}

GoogleAuth::GoogleAuth(Env& env, GoogleAuthOptions options)
    : state_(std::make_shared<State>(env, std::move(options))) {}

GoogleAuth::~GoogleAuth() {
  state_->client.reset();
  state_->token.close();
}

Authorize GoogleAuth::authorizer() {
  return [state = state_](Request request, const Refused& refused,
                          std::function<void(Result<Authorized>)> done) {
    state->authorize(std::move(request), refused, std::move(done));
  };
}

Authorize GoogleAuth::exchanged_authorizer() {
  return [state = state_](Request request, Refused refused, std::function<void(Result<Authorized>)> done) {
    state->only_exchanged(refused);
    state->authorize(std::move(request), refused, std::move(done));
  };
}

std::string GoogleAuth::account() const {
  return state_->credential ? state_->credential->account : "";
}

std::string GoogleAuth::identity() const {
  return state_->credential ? describe(*state_->credential) : "";
}

}  // namespace nbform
