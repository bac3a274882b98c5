// Turns a source of AWS credentials into credentials: asks STS, SSO, a program, the container or the
// instance, then acts as each role on top. Knows neither how long they are kept nor what they sign.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/aws_sources.h"
#include "net/client.h"
#include "net/clock_skew.h"
#include "net/env.h"

namespace nbform {

class AwsFetch {
 public:
  using Done = std::function<void(Result<AwsCredentials>)>;

  // `region`: of STS, where the home names none. `env` and `clock` must outlive this.
  AwsFetch(Env& env, ClockSkew& clock, std::string region);
  ~AwsFetch();  // cancels what is under way

  // One at a time. Errors say which source, what it said and what to do.
  void fetch(const AwsHome& home, const AwsSource& source, Done done);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Signs with these credentials at the server's time; once refused, again only where the clock was to blame.
Authorize fixed_signer(Env& env, ClockSkew& clock, AwsCredentials credentials, SigningScope scope);

// A client for AWS's answers: errors by their code, bodies of XML or JSON.
ClientOptions aws_client_options(Authorize authorize);

}  // namespace nbform
