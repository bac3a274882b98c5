#include "net/instance_metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/aws_error.h"
#include "base/text.h"
#include "net/aws_credentials.h"

namespace nbform {

namespace {

Diagnostic nothing(std::string clause) {
  return error(Code::not_found, "No instance metadata", std::move(clause));
}

// Each question once, unless the user says otherwise: most machines are no instances.
RetryPolicy policy(const Lookup& env) {
  std::string text = env("AWS_METADATA_SERVICE_NUM_ATTEMPTS").value_or("");
  int attempts = 1;
  std::from_chars(text.data(), text.data() + text.size(), attempts);
  return {.first = std::chrono::milliseconds(200),
          .cap = std::chrono::seconds(1),
          .max_attempts = std::clamp(attempts, 1, 10)};
}

ClientOptions plain_client() {
  ClientOptions options;
  options.classify = [](const Response& r) { return classify_aws(r); };
  options.describe = [](const Response& r) { return aws_error(r); };
  return options;
}

}  // namespace

struct InstanceMetadata::State : std::enable_shared_from_this<InstanceMetadata::State> {
  using Done = std::function<void(Result<std::string>)>;

  explicit State(Env& env)
      : lookup([&env](const std::string& name) { return env.env_var(name); }), client(env, plain_client()) {}

  void ask_token(std::string path, Done done);
  void read(std::string path, Done done);
  bool may_use_version_1(const Result<Answer>& answer) const;

  Lookup lookup;
  Client client;
  std::optional<Secret> token;  // empty: version 1
};

bool InstanceMetadata::State::may_use_version_1(const Result<Answer>& answer) const {
  if (iequals(lookup("AWS_EC2_METADATA_V1_DISABLED").value_or(""), "true")) return false;
  if (!answer.ok()) return answer.error().code == Code::timeout;
  int status = answer->http.status;
  return status == 403 || status == 404 || status == 405;
}

void InstanceMetadata::State::ask_token(std::string path, Done done) {
  ApiRequest request{.http = instance_token_request(lookup), .policy = policy(lookup), .expects_json = false};
  client.send(std::move(request), [this, path = std::move(path),
                                   done = std::move(done)](Result<Answer> answer) {
    if (answer.ok() && answer->http.ok()) {
      auto text = header_secret(answer->http.body, "the instance metadata service");
      if (!text.ok()) return done(nothing("the instance metadata service gives no token"));
      token = std::move(text).value();
    } else if (may_use_version_1(answer)) {
      token = Secret();
    } else if (answer.ok()) {
      return done(nothing(fmt::format("the instance metadata service answers HTTP {}", answer->http.status)));
    } else {
      return done(nothing("there is no instance metadata service"));
    }
    read(path, done);
  });
}

void InstanceMetadata::State::read(std::string path, Done done) {
  ApiRequest request{.http = instance_metadata_request(lookup, path, *token),
                     .policy = policy(lookup),
                     .expects_json = false};
  client.send(std::move(request), [path, done = std::move(done)](Result<Answer> answer) {
    if (!answer.ok()) return done(nothing("there is no instance metadata service"));
    if (answer->http.status == 200) return done(std::move(answer->http.body));
    Diagnostic problem = nothing(
        fmt::format("the instance metadata service answers HTTP {} to {}", answer->http.status, path));
    problem.provider_code = fmt::format("{}", answer->http.status);
    done(std::move(problem));
  });
}

InstanceMetadata::InstanceMetadata(Env& env) : state_(std::make_shared<State>(env)) {}
InstanceMetadata::~InstanceMetadata() = default;

void InstanceMetadata::get(const std::string& path, std::function<void(Result<std::string>)> done) {
  if (iequals(state_->lookup("AWS_EC2_METADATA_DISABLED").value_or(""), "true"))
    return done(nothing("the instance metadata service is switched off by AWS_EC2_METADATA_DISABLED"));
  if (state_->token) return state_->read(path, std::move(done));
  state_->ask_token(path, std::move(done));
}

}  // namespace nbform
