// Where credentials of AWS come from, one source after the other, and whom they are sent to.
#include "unit/net/aws_fixtures.h"

using namespace nbform;
using namespace nbform::aws_fixtures;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("a request is signed with what the environment has, and sends no secret") {
  FakeEnv env = with_keys();
  env.variables["AWS_SESSION_TOKEN"] = "session";
  AwsAuth auth(env);
  auto ready = authorise(env, auth);
  REQUIRE(ready.ok());
  CHECK(key_in(ready->request) == "AKENV");
  CHECK(header(ready->request.headers, "x-amz-security-token") == "session");
  CHECK(header(ready->request.headers, "authorization")->find("/us-west-2/ec2/aws4_request") !=
        std::string::npos);
  CHECK(auth.identity() == "AWS_ACCESS_KEY_ID");
  CHECK(env.sent.empty());
  for (const auto& [name, value] : ready->request.headers) CHECK(value.find("canary") == std::string::npos);
}

TEST_CASE("a role is assumed with its source's keys, signed, and its own key signs from then on") {
  FakeEnv env = with_files(
      "[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\nexternal_id = "
      "ext\nduration_seconds = 1800\n",
      "[base]\naws_access_key_id = AKBASE\naws_secret_access_key = secret-canary\n");
  env.on("POST", kSts, 200, sts_answer("AssumeRole", "AKROLE", until(env, minutes(30))));
  CHECK(key_id(env) == "AKROLE");
  REQUIRE(env.sent.size() == 1);
  CHECK(key_in(env.sent[0]) == "AKBASE");
  CHECK(parameter(env.sent[0], "RoleArn") == "arn:aws:iam::1:role/r");
  CHECK(parameter(env.sent[0], "ExternalId") == "ext");
  CHECK(parameter(env.sent[0], "DurationSeconds") == "1800");
  CHECK(parameter(env.sent[0], "RoleSessionName") == "nbform-1800000000");
  CHECK(env.sent[0].secret_answer);
}

TEST_CASE("clouds.aws.assume_role goes on top of a profile's role, each signed by the one before") {
  FakeEnv env = with_files("[default]\nrole_arn = arn:one\nsource_profile = base\n",
                           "[base]\naws_access_key_id = AKBASE\naws_secret_access_key = s\n");
  env.on("POST", kSts, 200, sts_answer("AssumeRole", "AK1", until(env, minutes(60))), 1);
  env.on("POST", kSts, 200, sts_answer("AssumeRole", "AK2", until(env, minutes(60))), 1);
  CHECK(key_id(env, {.assume_role = "arn:two"}) == "AK2");
  REQUIRE(env.sent.size() == 2);
  CHECK(key_in(env.sent[1]) == "AK1");
  CHECK(header(env.sent[1].headers, "x-amz-security-token") == "token-AK1");
  CHECK(parameter(env.sent[1], "RoleArn") == "arn:two");
}

TEST_CASE("a role that may not be assumed: whose wish it was, what AWS said, what is needed") {
  FakeEnv env = with_keys();
  env.on("POST", kSts, 403,
         "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: x is not authorized to perform: "
         "sts:AssumeRole</Message></Error><RequestId>r9</RequestId></ErrorResponse>");
  AwsAuth auth(env, {.assume_role = "arn:two"});
  auto ready = authorise(env, auth);
  REQUIRE_FALSE(ready.ok());
  CHECK(ready.error().code == Code::denied);
  CHECK(ready.error().detail.find("arn:two could not be assumed, as clouds.aws.assume_role asks.") == 0);
  CHECK(ready.error().detail.find("sts:AssumeRole") != std::string::npos);
  CHECK(ready.error().hint.find("trust policy") != std::string::npos);
  CHECK(ready.error().request_id == "r9");
}

TEST_CASE("a role with a second factor asks for its code") {
  FakeEnv env = with_files("[default]\nrole_arn = arn:r\nsource_profile = default\nmfa_serial = arn:mfa\n",
                           "[default]\naws_access_key_id = A\naws_secret_access_key = s\n");
  CHECK(key_id(env).find("An MFA code is needed") == 0);
  env.on("POST", kSts, 200, sts_answer("AssumeRole", "AKMFA", until(env, minutes(60))));
  env.typed = {" 123456 "};
  CHECK(key_id(env) == "AKMFA");
  CHECK(parameter(env.sent.back(), "SerialNumber") == "arn:mfa");
  CHECK(parameter(env.sent.back(), "TokenCode") == "123456");
  CHECK(env.sent.back().display().find("123456") == std::string::npos);
}

TEST_CASE("a web identity is exchanged unsigned, and its file read again for each exchange") {
  FakeEnv env = with_files("");
  env.variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/token";
  env.variables["AWS_ROLE_ARN"] = "arn:web";
  env.variables["AWS_ROLE_SESSION_NAME"] = "job";
  env.files["/token"] = "jwt-one\n";
  env.on("POST", kSts, 200, sts_answer("AssumeRoleWithWebIdentity", "AKWEB", until(env, minutes(60))), 1);
  env.on("POST", kSts, 200, sts_answer("AssumeRoleWithWebIdentity", "AKWEB2", until(env, minutes(120))), 1);
  AwsAuth auth(env);
  CHECK(key_in(authorise(env, auth)->request) == "AKWEB");
  CHECK(parameter(env.sent[0], "WebIdentityToken") == "jwt-one");
  CHECK(parameter(env.sent[0], "RoleSessionName") == "job");
  CHECK_FALSE(header(env.sent[0].headers, "authorization"));
  CHECK(env.sent[0].display().find("jwt-one") == std::string::npos);
  env.files["/token"] = "jwt-two";
  env.clock = env.clock + minutes(50);
  CHECK(key_in(authorise(env, auth)->request) == "AKWEB2");
  CHECK(parameter(env.sent[1], "WebIdentityToken") == "jwt-two");
}

TEST_CASE("a program's credentials") {
  FakeEnv env = with_files("[default]\ncredential_process = /opt/creds \"two words\"\n");
  auto run = [&](ProgramResult result) {
    env.programs.clear();
    env.programs.emplace("/opt/creds two words", result);
    return key_id(env);
  };
  CHECK(run({0, R"({"Version":1,"AccessKeyId":"AKP","SecretAccessKey":"s"})", ""}) == "AKP");
  CHECK(run({0, R"({"Version":2,"AccessKeyId":"AKP","SecretAccessKey":"s"})", ""}).find("is not 1") !=
        std::string::npos);
  CHECK(run({0, "secret-canary", ""}).find("canary") == std::string::npos);
  std::string odd =
      run({0, R"({"Version":1,"AccessKeyId":"AKP","SecretAccessKey":"s","SessionToken":"canary x"})", ""});
  CHECK(odd.find("SessionToken has blanks") != std::string::npos);
  CHECK(odd.find("canary") == std::string::npos);
  std::string failed = run({3, "", "vault is locked\n"});
  CHECK(failed.find("exit code 3: vault is locked") != std::string::npos);
  CHECK(failed.find("profile default (credential_process)") != std::string::npos);
}

TEST_CASE("a container's credentials, with its token from a file that ends in a new line") {
  FakeEnv env = with_files("");
  env.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://169.254.170.23/v1/credentials";
  env.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = "/pod-token";
  env.files["/pod-token"] = "pod\n";
  env.on("GET", "http://169.254.170.23/*", 503, "", 1);
  env.on("GET", "http://169.254.170.23/*", 200, machine_answer("AKPOD", until(env, minutes(60))));
  CHECK(key_id(env) == "AKPOD");
  CHECK(header(env.sent[0].headers, "authorization") == "pod");
  env.variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/x";
  env.on("GET", "http://169.254.170.2/v2/x", 200, machine_answer("AKECS", until(env, minutes(60))));
  CHECK(key_id(env) == "AKECS");
}

TEST_CASE("a container's credentials come from this machine or over TLS, and a token fits into a header") {
  for (auto url : {"http://evil.example/", "http://169.254.170.3/", "ftp://localhost/", "nonsense"}) {
    FakeEnv env = with_files("");
    env.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
    CHECK(key_id(env).find("foreign host") != std::string::npos);
    CHECK(env.sent.empty());
  }
  FakeEnv env = with_files("");
  env.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "https://creds.example/";
  env.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "a\r\nX-Injected: 1";
  CHECK(key_id(env).find("not one line") != std::string::npos);
  CHECK(env.sent.empty());
}

TEST_CASE("the instance's role through version 2 of its metadata service") {
  FakeEnv env = with_files("");
  env.on("PUT", "http://169.254.169.254/latest/api/token", 200, "imds-token\n");
  env.on("GET", "http://169.254.169.254/latest/meta-data/iam/security-credentials/", 200, "nb-role\n");
  env.on("GET", "*/iam/security-credentials/nb-role", 200,
         machine_answer("AKIMDS", until(env, minutes(360))));
  CHECK(key_id(env) == "AKIMDS");
  REQUIRE(env.sent.size() == 3);
  CHECK(header(env.sent[0].headers, "x-aws-ec2-metadata-token-ttl-seconds") == "21600");
  CHECK(header(env.sent[2].headers, "x-aws-ec2-metadata-token") == "imds-token");
  env.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"] = "IPv6";
  key_id(env);
  CHECK(env.sent.back().url.starts_with("http://[fd00:ec2::254]/latest/"));
}

TEST_CASE("version 1 of the metadata service only where 2 is not spoken and 1 is not switched off") {
  for (int status : {403, 404, 405}) {
    FakeEnv env = with_files("");
    env.on("PUT", "*/api/token", status, "");
    env.on("GET", "*/iam/security-credentials/", 200, "r");
    env.on("GET", "*/iam/security-credentials/r", 200, machine_answer("AKV1", until(env, minutes(60))));
    CHECK(key_id(env) == "AKV1");
    CHECK_FALSE(header(env.sent[1].headers, "x-aws-ec2-metadata-token"));
    env.sent.clear();
    env.variables["AWS_EC2_METADATA_V1_DISABLED"] = "true";
    CHECK(key_id(env).find("No AWS credentials") == 0);
    CHECK(env.sent.size() == 1);
  }
}

TEST_CASE("credentials that the instance hands out too old are used, and asked for again soon") {
  FakeEnv env = with_files("");
  env.on("PUT", "*/api/token", 200, "t");
  env.on("GET", "*/iam/security-credentials/", 200, "r");
  env.on("GET", "*/iam/security-credentials/r", 200, machine_answer("AKOLD", until(env, -minutes(5))));
  AwsAuth auth(env);
  CHECK(key_in(authorise(env, auth)->request) == "AKOLD");
  auto asked = env.sent.size();
  env.clock = env.clock + minutes(1);
  REQUIRE(authorise(env, auth).ok());
  CHECK(env.sent.size() == asked);
  env.clock = env.clock + minutes(20);
  CHECK(key_in(authorise(env, auth)->request) == "AKOLD");
  CHECK(env.sent.size() == 2 * asked);
}

TEST_CASE("nobody is logged in: every source with what it said, and what to do") {
  FakeEnv env = with_files("[default]\nregion = us-west-2\n");
  env.on("PUT", "*/api/token",
         [](const Request&) -> Result<Response> { return error(Code::unavailable, "no route"); });
  AwsAuth auth(env);
  auto ready = authorise(env, auth);
  REQUIRE_FALSE(ready.ok());
  CHECK(ready.error().code == Code::unauthenticated);
  CHECK(ready.error().summary == "No AWS credentials");
  CHECK(ready.error().detail ==
        "Tried: AWS_ACCESS_KEY_ID is not set; AWS_WEB_IDENTITY_TOKEN_FILE is not set; /h/.aws/credentials "
        "does not "
        "exist; the profile default has no keys, role, web identity, SSO or credential_process; "
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set; there is no instance metadata "
        "service.");
  CHECK(ready.error().hint.find("aws configure sso") != std::string::npos);
  env.variables["AWS_EC2_METADATA_DISABLED"] = "true";
  CHECK(key_id(env).find("switched off by AWS_EC2_METADATA_DISABLED") != std::string::npos);
  env.variables.erase("AWS_EC2_METADATA_DISABLED");
  FakeEnv bare = with_files("");
  bare.on("PUT", "*/api/token", 200, "t");
  bare.on("GET", "*/iam/security-credentials/", 404, "");
  CHECK(key_id(bare).find("this instance has no IAM role") != std::string::npos);
}

TEST_CASE("a signature goes to AWS's hosts and named endpoints only") {
  FakeEnv env = with_keys();
  AwsAuth auth(env);
  CHECK(authorise(env, auth, "https://evil.example/").error().code == Code::denied);
  env.variables["AWS_ENDPOINT_URL"] = "http://127.0.0.1:4566";
  AwsAuth local(env);
  CHECK(authorise(env, local, "http://127.0.0.1:4566/").ok());
}

TEST_CASE("a broken file is told with its line before anything is sent") {
  FakeEnv env = with_files("[default]\nregion us-west-2\n");
  CHECK(key_id(env) ==
        "A configuration file cannot be read. /h/.aws/config:2: this is not of the form key = value.");
  CHECK(env.sent.empty());
}

TEST_CASE("the region at last from the instance") {
  FakeEnv env = with_files("");
  env.variables.erase("AWS_REGION");
  env.on("PUT", "*/api/token", 200, "t");
  env.on("GET", "*/meta-data/placement/region", 200, "ap-southeast-2\n");
  auto region = [&](AwsAuth& auth) {
    std::optional<Result<AwsRegion>> result;
    auth.region([&](Result<AwsRegion> r) { result = std::move(r); });
    env.run();
    return result->ok() ? (*result)->name + " from " + (*result)->from : result->error().detail;
  };
  AwsAuth auth(env);
  CHECK(region(auth) == "ap-southeast-2 from instance metadata service");
  AwsAuth given(env, {.region = "us-east-1"});
  CHECK(region(given) == "us-east-1 from the manifest");
  env.variables["AWS_EC2_METADATA_DISABLED"] = "true";
  CHECK(region(auth).find("AWS_DEFAULT_REGION") != std::string::npos);
}

TEST_CASE("once the owner is gone, a signer is harmless") {
  FakeEnv env = with_keys();
  env.on("POST", kSts, 200, sts_answer("AssumeRole", "AK1", until(env, minutes(60))));
  Authorize sign;
  int calls = 0;
  {
    AwsAuth auth(env, {.assume_role = "arn:r"});
    sign = auth.authorizer(kEc2);
    sign({.url = kUrl}, {}, [&](auto) { ++calls; });
  }
  sign({.url = kUrl}, {}, [&](auto) { ++calls; });
  env.run();
  CHECK(calls == 0);
}

TEST_CASE("whose account it is, and that it is the declared one") {
  Request request = caller_identity_request(kSts);
  CHECK(request.body == "Action=GetCallerIdentity&Version=2011-06-15");
  Value answer =
      Value(Map{{"GetCallerIdentityResult",
                 Value(Map{{"Account", "123456789012"}, {"Arn", "arn:aws:iam::123456789012:user/u"}})}});
  AwsCaller caller = parse_caller_identity(answer).value();
  CHECK(caller.account == "123456789012");
  CHECK(check_account(caller, "").ok());
  CHECK(check_account(caller, "123456789012").ok());
  auto wrong = check_account(caller, "210987654321");
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().detail ==
        "The manifest declares account 210987654321; the credentials are of 123456789012 "
        "(arn:aws:iam::123456789012:user/u). Nothing was read.");
  CHECK_FALSE(parse_caller_identity(Value(Map{})).ok());
}
