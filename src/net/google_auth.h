// Who we are to Google: finds credentials as gcloud and Terraform find them, turns them into one access
// token, keeps it fresh, shares it. Tokens live in memory only and go only to Google's hosts and to endpoints
// the user named. Knows no service and no retry table.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/client.h"
#include "net/env.h"
#include "net/google_home.h"

namespace nbform {

struct GoogleAuthOptions {
  // E-mail of a service account to act as, on top of whatever is found; "" = none.
  std::string impersonate;
  // For x-goog-user-project; "" = GOOGLE_CLOUD_QUOTA_PROJECT, else the credential's own.
  std::string quota_project;
};

class GoogleAuth {
 public:
  // Nothing is read before the first token is asked for. `env` must outlive this.
  GoogleAuth(Env& env, GoogleAuthOptions options = {});
  ~GoogleAuth();

  // For ClientOptions::authorize. Errors: unauthenticated with every source tried and the command to run;
  // denied for a URL that must not get the token. Outlives this object harmlessly.
  Authorize authorizer();
  // The same for servers that may not take a token which a service account signs itself (AIP-4111).
  Authorize exchanged_authorizer();

  // For people, without secrets, "" before the first token:
  // "service account nb@acme-ml.iam.gserviceaccount.com (GOOGLE_APPLICATION_CREDENTIALS)".
  std::string identity() const;
  // E-mail; "" before the first token, and where the credential does not tell.
  std::string account() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace nbform
