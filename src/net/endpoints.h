// Base URLs of Google's services and who overrode them. Pure. Knows no request.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/route.h"

namespace nbform {

struct Endpoint {
  std::string base;           // with path and trailing '/': "https://compute.googleapis.com/compute/v1/"
  std::string overridden_by;  // the variable's name, "" for the service's own

  bool is_overridden() const { return !overridden_by.empty(); }
};

// `service`: compute, notebooks, storage, iamcredentials, iam, sts, cloudresourcemanager, serviceusage,
// cloudbilling, cloudquotas, oslogin, oauth2 (userinfo), iap_tunnel.
// CLOUDSDK_API_ENDPOINT_OVERRIDES_<SERVICE>, else Terraform's GOOGLE_<SERVICE>_CUSTOM_ENDPOINT. A value
// without a path or with "/" gets the service's own path. Errors: usage (not a URL, or http beyond loopback).
Result<Endpoint> google_endpoint(std::string_view service, const Lookup& env);

// Every override in force of what a plan speaks to (not the relay, oslogin, oauth2), for its header and its
// realm.
Result<std::vector<Endpoint>> google_overrides(const Lookup& env);

// May a Google credential go to this URL: https on Google's own API hosts or IAP's relay, or the origin of an
// override.
bool is_google_host(const Url& url);
bool may_receive_google_token(const Url& url, const Lookup& env);

}  // namespace nbform
