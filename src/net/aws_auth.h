// Who we are to AWS: finds credentials as AWS's own tools find them, keeps them fresh, shares them, and signs
// each attempt at the server's time. Secrets live in memory only; signed requests go only to AWS's hosts and
// to endpoints the user named. Knows no resource.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/aws_endpoints.h"
#include "net/client.h"
#include "net/env.h"

namespace nbform {

// Of an entry of `clouds`; each may be "".
struct AwsAuthOptions {
  std::string profile, region, assume_role;
};

class AwsAuth {
 public:
  // Nothing is read before the first request or question. `env` must outlive this.
  AwsAuth(Env& env, AwsAuthOptions options = {});
  ~AwsAuth();

  // For ClientOptions::authorize, see also aws_client_options(). Errors: unauthenticated with every source
  // tried and what to do; denied for a URL that must not get a signature. Outlives this object harmlessly.
  Authorize authorizer(SigningScope scope);

  // Flag or manifest, AWS_REGION, AWS_DEFAULT_REGION, profile, instance. Errors: unauthenticated (files),
  // usage (nobody says). `done` runs from Env::step() or at once.
  void region(std::function<void(Result<AwsRegion>)> done);

  // Where a service is, as the environment and the profile say. Errors as of aws_endpoint(), and of files.
  Result<AwsEndpoint> endpoint(std::string_view service, std::string_view region);
  Result<std::vector<Endpoint>> overrides();

  // For people, without secrets, "" before the first credentials: "profile dev in /home/u/.aws/credentials".
  std::string identity() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace nbform
