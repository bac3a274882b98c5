#include "net/aws_endpoints.h"

#include "support/catch.h"
#include "support/fake_env.h"

using namespace nbform;

namespace {

FakeEnv with_config(std::string config) {
  FakeEnv env;
  env.variables["HOME"] = "/home/u";
  env.files["/home/u/.aws/config"] = std::move(config);
  return env;
}

std::string base(FakeEnv& env, std::string_view service, std::string_view region = "us-west-2") {
  auto endpoint = aws_endpoint(service, region, read_aws_home(env).value());
  return endpoint.ok() ? endpoint->at.base : endpoint.error().summary;
}

}  // namespace

TEST_CASE("AWS's own hosts, by service, region and partition") {
  FakeEnv env;
  CHECK(base(env, "ec2") == "https://ec2.us-west-2.amazonaws.com/");
  CHECK(base(env, "sts") == "https://sts.us-west-2.amazonaws.com/");
  CHECK(base(env, "sagemaker") == "https://api.sagemaker.us-west-2.amazonaws.com/");
  CHECK(base(env, "sso", "eu-west-1") == "https://portal.sso.eu-west-1.amazonaws.com/");
  CHECK(base(env, "ec2", "cn-north-1") == "https://ec2.cn-north-1.amazonaws.com.cn/");
  CHECK(base(env, "ec2", "us-gov-west-1") == "https://ec2.us-gov-west-1.amazonaws.com/");
  CHECK(base(env, "ec2", "eusc-de-east-1") == "https://ec2.eusc-de-east-1.amazonaws.eu/");
  CHECK(base(env, "iam", "eu-west-1") == "https://iam.amazonaws.com/");
  AwsHome home = read_aws_home(env).value();
  CHECK(aws_endpoint("iam", "eu-west-1", home)->scope.region == "us-east-1");
  CHECK(aws_endpoint("ec2", "eu-west-1", home)->scope.service == "ec2");
}

TEST_CASE("FIPS and dual-stack hosts where they are switched on") {
  FakeEnv env = with_config("[default]\nuse_fips_endpoint = true\n");
  CHECK(base(env, "ec2") == "https://ec2-fips.us-west-2.amazonaws.com/");
  CHECK(base(env, "sagemaker") == "https://api-fips.sagemaker.us-west-2.amazonaws.com/");
  env.variables["AWS_USE_DUALSTACK_ENDPOINT"] = "true";
  CHECK(base(env, "ec2") == "https://ec2-fips.us-west-2.api.aws/");
  env.variables["AWS_USE_FIPS_ENDPOINT"] = "false";
  CHECK(base(env, "ec2") == "https://ec2.us-west-2.api.aws/");
  CHECK(base(env, "s3") == "https://s3.dualstack.us-west-2.amazonaws.com/");
}

TEST_CASE("overrides: the service's variable, the general one, the profile's services, its endpoint_url") {
  FakeEnv env = with_config(
      "[default]\nservices = local\nendpoint_url = http://localhost:4\n[services local]\nec2 =\n"
      "  endpoint_url = http://localhost:3/\nservice_quotas =\n  endpoint_url = http://localhost:5\n");
  CHECK(base(env, "sts") == "http://localhost:4/");
  CHECK(base(env, "ec2") == "http://localhost:3/");
  CHECK(base(env, "servicequotas") == "http://localhost:5/");
  env.variables["AWS_ENDPOINT_URL"] = "http://127.0.0.1:2/prefix";
  CHECK(base(env, "ec2") == "http://127.0.0.1:2/prefix/");
  env.variables["AWS_ENDPOINT_URL_EC2"] = "https://ec2.example:1";
  CHECK(base(env, "ec2") == "https://ec2.example:1/");
  CHECK(base(env, "ssm") == "http://127.0.0.1:2/prefix/");
  CHECK(aws_overrides(read_aws_home(env).value())->size() == 2);
  env.variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  CHECK(base(env, "ec2") == "https://ec2.us-west-2.amazonaws.com/");
  CHECK(aws_overrides(read_aws_home(env).value())->empty());
}

TEST_CASE("http is for loopback only; what is no URL, no region or no section is refused") {
  FakeEnv env;
  for (auto url :
       {"http://ec2.example/", "http://169.254.169.254/", "ec2.example", "https://x/?a=b", "ftp://x"}) {
    env.variables["AWS_ENDPOINT_URL"] = url;
    auto endpoint = aws_endpoint("ec2", "us-west-2", read_aws_home(env).value());
    REQUIRE_FALSE(endpoint.ok());
    CHECK(endpoint.error().detail.find("AWS_ENDPOINT_URL") != std::string::npos);
  }
  FakeEnv plain;
  for (auto region :
       {"", "evil.example/", "us-west-2.evil.example#", "US-WEST-2", "us", "us--2", "us-west-a"})
    CHECK_FALSE(aws_endpoint("ec2", region, read_aws_home(plain).value()).ok());
  CHECK(aws_endpoint("ec2", "", read_aws_home(plain).value()).error().hint == "export AWS_REGION=us-west-2");
  FakeEnv missing = with_config("[default]\nservices = nowhere\n");
  CHECK(aws_endpoint("ec2", "us-west-2", read_aws_home(missing).value()).error().mark.line == 2);
}

TEST_CASE("a signed request goes to AWS or to where the user said") {
  FakeEnv env;
  env.variables["AWS_ENDPOINT_URL_EC2"] = "http://localhost:4566";
  AwsHome home = read_aws_home(env).value();
  auto may = [&](const char* url) { return may_receive_aws_signature(*parse_url(url), home); };
  CHECK(may("https://ec2.us-west-2.amazonaws.com/"));
  CHECK(may("https://bucket.s3.us-west-2.amazonaws.com/k"));
  CHECK(may("https://ec2.cn-north-1.amazonaws.com.cn/"));
  CHECK(may("http://localhost:4566/"));
  CHECK_FALSE(may("http://localhost:4567/"));
  CHECK_FALSE(may("http://ec2.us-west-2.amazonaws.com/"));
  CHECK_FALSE(may("https://amazonaws.com.evil.example/"));
  CHECK_FALSE(may("https://evilamazonaws.com/"));
}

TEST_CASE("S3: the bucket's own host, or below an endpoint; keys escaped once") {
  Endpoint own{"https://s3.us-west-2.amazonaws.com/", ""},
      local{"http://localhost:9000/", "AWS_ENDPOINT_URL"};
  CHECK(s3_url(own, "b", "a b/c+d") == "https://b.s3.us-west-2.amazonaws.com/a%20b/c%2Bd");
  CHECK(s3_url(own, "b", "") == "https://b.s3.us-west-2.amazonaws.com/");
  CHECK(s3_url(own, "b.c", "k") == "https://s3.us-west-2.amazonaws.com/b.c/k");
  CHECK(s3_url(local, "b", "k") == "http://localhost:9000/b/k");
  CHECK(s3_url(local, "b", "") == "http://localhost:9000/b");
}
