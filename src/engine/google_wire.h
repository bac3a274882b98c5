// The Google half of Wire: one identity and one client for an entry of `clouds`. Knows no resource and no
// plan.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/kind.h"
#include "net/client.h"
#include "net/endpoints.h"
#include "net/env.h"
#include "net/google_auth.h"

namespace nbform {

struct GoogleWireOptions {
  std::string sandbox_token;  // not empty: the sandbox; no credential and no endpoint is read
  std::string impersonate;
  bool mixed_endpoints = false;  // one API on this machine and another live is what the user wants
};

class GoogleWire {
 public:
  GoogleWire(Env& env, GoogleWireOptions options);

  // Fills in request.http and sends it.
  void send(const Call& call, ApiRequest request, std::function<void(Result<Answer>)> done);
  // E-mail of whoever calls: the credential's, else what userinfo says, else CLOUDSDK_CORE_ACCOUNT. Errors:
  // unauthenticated, where nobody tells.
  void caller(std::function<void(Result<std::string>)> done);
  // For what is no API call: the relay of IAP.
  Authorize authorizer();

 private:
  Result<std::string> base_of(const std::string& api);
  Result<Endpoint> endpoint_of(const std::string& api) const;

  Env& env_;
  GoogleWireOptions options_;
  std::unique_ptr<GoogleAuth> auth_;  // none in the sandbox
  std::unique_ptr<Client> client_;
  std::map<std::string, std::string> bases_;  // by API
};

}  // namespace nbform
