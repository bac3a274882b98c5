// Base URLs of AWS's services by region, and who overrode them (AWS General Reference; AWS SDKs Reference).
// Pure. Knows no request.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/aws_home.h"
#include "net/endpoints.h"
#include "net/sigv4.h"

namespace nbform {

struct AwsEndpoint {
  Endpoint at;
  SigningScope scope;
};

// `service`: ec2, sts, ssm, s3, servicequotas, pricing, sagemaker, tagging, iam, sso, oidc.
// AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's [services] section, its endpoint_url, unless
// configured endpoints are switched off; else AWS's own, FIPS or dual-stack where switched on. Errors: usage
// (not a URL, http beyond loopback, no region or none that could be one).
Result<AwsEndpoint> aws_endpoint(std::string_view service, std::string_view region, const AwsHome& home);

// Every override in force, for the plan's header and its realm.
Result<std::vector<Endpoint>> aws_overrides(const AwsHome& home);

// May a signed request, with its session token, go to this URL: https on AWS's own hosts, or the origin of an
// override.
bool may_receive_aws_signature(const Url& url, const AwsHome& home);

// A bucket's own host, or below the endpoint where that is overridden or the name has dots. `key` is not yet
// escaped; "" for the bucket.
std::string s3_url(const Endpoint& endpoint, std::string_view bucket, std::string_view key);

}  // namespace nbform
