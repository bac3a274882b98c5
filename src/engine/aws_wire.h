// The AWS half of Wire: one identity for an entry of `clouds`, asked whose it is before anything else is; one
// client for each service and region. Knows no resource and no plan.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/kind.h"
#include "net/aws_account.h"
#include "net/aws_auth.h"
#include "net/client.h"
#include "net/clock_skew.h"
#include "net/env.h"

namespace nbform {

struct AwsWireOptions {
  AwsAuthOptions auth;
  std::optional<AwsKeys> sandbox;  // these, and AWS's own endpoints: no credential and no setting is read
};

class AwsWire {
 public:
  AwsWire(Env& env, AwsWireOptions options);
  ~AwsWire();

  // Whose account the credentials are of, asked once. `region`: whose STS is asked; that of us-east-1 where
  // it does not accept them, as a region that is not switched on does.
  void identify(const std::string& region, std::function<void(Result<AwsCaller>)> done);

  // Fills in request.http and sends it, once the caller is known and is of scope.account. Errors: no verdict,
  // as of Client; usage (another account: nothing was sent).
  void send(const Scope& scope, const Call& call, ApiRequest request,
            std::function<void(Result<Answer>)> done);

  Result<AwsEndpoint> endpoint(const std::string& api, const std::string& region);
  Result<std::vector<Endpoint>> overrides();

 private:
  struct Line {
    std::string base;
    std::unique_ptr<Client> client;
  };
  Result<Line*> line(const std::string& api, const std::string& region);
  Authorize authorizer(const SigningScope& scope);
  void ask_who(const std::string& region);
  void know(Result<AwsCaller> caller);
  void send_known(const Scope& scope, const Call& call, ApiRequest request,
                  std::function<void(Result<Answer>)> done);
  void later(std::function<void()> then);

  Env& env_;
  AwsWireOptions options_;
  ClockSkew clock_;  // of the sandbox's signatures
  AwsAuth auth_;
  std::map<std::pair<std::string, std::string>, Line> lines_;  // by service and region
  std::set<std::string> answering_;                            // regions that have accepted the caller
  std::optional<Result<AwsCaller>> caller_;
  std::vector<std::function<void(Result<AwsCaller>)>> waiting_;
};

}  // namespace nbform
