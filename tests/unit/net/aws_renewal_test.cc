// How credentials of AWS are kept good: logins renewed, one fetch for many, clocks corrected, refusals got
// over.
#include "unit/net/aws_fixtures.h"

using namespace nbform;
using namespace nbform::aws_fixtures;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr const char* kSsoConfig =
    "[default]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = dev\n"
    "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\n";
// SHA-1 of "corp".
constexpr const char* kSsoCache = "/h/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

std::string sso_cache(FakeEnv& env, Duration life, bool renewable = true) {
  Map file = {{"accessToken", "sso-canary"}, {"expiresAt", until(env, life)}, {"region", "eu-west-1"}};
  if (renewable)
    for (const char* member : {"clientSecret", "refreshToken"}) file.set(member, Value("client-canary"));
  if (renewable) file.set("clientId", "app");
  if (renewable) file.set("registrationExpiresAt", Value(until(env, minutes(10'000))));
  return to_json(Value(file));
}

std::string role_credentials(FakeEnv& env) {
  return fmt::format(
      R"({{"roleCredentials":{{"accessKeyId":"AKSSO","secretAccessKey":"s","sessionToken":"t","expiration":{}}}}})",
      (env.clock + minutes(60)).millis());
}

}  // namespace

TEST_CASE("SSO: the cached login is exchanged for the role's credentials") {
  FakeEnv env = with_files(kSsoConfig);
  env.files[kSsoCache] = sso_cache(env, minutes(300));
  env.on("GET", "https://portal.sso.eu-west-1.amazonaws.com/federation/credentials*", 200,
         role_credentials(env));
  CHECK(key_id(env) == "AKSSO");
  REQUIRE(env.sent.size() == 1);
  CHECK(env.sent[0].url.ends_with("?role_name=dev&account_id=123456789012"));
  CHECK(header(env.sent[0].headers, "x-amz-sso_bearer_token") == "sso-canary");
  CHECK(env.sent[0].display().find("canary") == std::string::npos);
}

TEST_CASE("SSO: a login that ends soon is renewed and written back for the other tools") {
  FakeEnv env = with_files(kSsoConfig);
  env.files[kSsoCache] = sso_cache(env, minutes(5));
  env.on("POST", "https://oidc.eu-west-1.amazonaws.com/token", 200,
         R"({"accessToken":"fresh","expiresIn":28800,"refreshToken":"next"})");
  env.on("GET", "https://portal.sso.*", 200, role_credentials(env));
  CHECK(key_id(env) == "AKSSO");
  CHECK(header(env.sent[1].headers, "x-amz-sso_bearer_token") == "fresh");
  Value file = parse_json(env.files[kSsoCache]).value();
  CHECK(file["accessToken"].as_text() == "fresh");
  CHECK(file["refreshToken"].as_text() == "next");
  CHECK(file["clientId"].as_text() == "app");
  CHECK(*parse_rfc3339(file["expiresAt"].as_text()) > env.clock + minutes(400));
  CHECK(env.sent[0].display().find("canary") == std::string::npos);
}

TEST_CASE("SSO: a renewal that fails keeps a login that still holds; else the command to log in") {
  FakeEnv env = with_files(kSsoConfig);
  env.on("POST", "https://oidc.*", 400, R"({"error":"invalid_grant"})");
  env.on("GET", "https://portal.sso.*", 200, role_credentials(env));
  env.files[kSsoCache] = sso_cache(env, minutes(5));
  CHECK(key_id(env) == "AKSSO");
  env.files[kSsoCache] = sso_cache(env, -minutes(5));
  AwsAuth auth(env);
  auto ready = authorise(env, auth);
  REQUIRE_FALSE(ready.ok());
  CHECK(ready.error().code == Code::unauthenticated);
  CHECK(ready.error().hint == "Log in again:\n  aws sso login --sso-session corp");
  env.files.erase(kSsoCache);
  CHECK(key_id(env).find("The login to AWS has ended") == 0);
}

TEST_CASE("SSO: a profile of the older form is never renewed, and a 401 means to log in again") {
  FakeEnv env = with_files(
      "[default]\nsso_start_url = https://s/start\nsso_region = eu-west-1\nsso_account_id = 1\nsso_role_name "
      "= r\n");
  std::string cache = "/h/.aws/sso/cache/" + hex(sha1("https://s/start")) + ".json";
  env.files[cache] = sso_cache(env, minutes(5));
  env.on("GET", "https://portal.sso.*", 200, role_credentials(env), 1);
  env.on("GET", "https://portal.sso.*", 401, R"({"message":"Session token not found or invalid"})");
  CHECK(key_id(env) == "AKSSO");
  CHECK(env.count("POST", "*") == 0);
  AwsAuth auth(env);
  CHECK(authorise(env, auth).error().hint == "Log in again:\n  aws sso login --profile default");
}

TEST_CASE("requests that come together share one fetch; a fresh one comes before the end") {
  FakeEnv env = with_keys();
  env.on("POST", kSts, 200, sts_answer("AssumeRole", "AK1", until(env, minutes(60))), 1);
  env.on("POST", kSts, 200, sts_answer("AssumeRole", "AK2", until(env, minutes(120))), 1);
  AwsAuth auth(env, {.assume_role = "arn:r"});
  int ready = 0;
  for (int i = 0; i < 5; ++i)
    auth.authorizer(kEc2)({.url = kUrl}, {}, [&](Result<Authorized> r) { ready += r.ok() ? 1 : 0; });
  env.run();
  CHECK(ready == 5);
  CHECK(env.sent.size() == 1);
  env.clock = env.clock + minutes(44);
  CHECK(key_in(authorise(env, auth)->request) == "AK1");
  env.clock = env.clock + minutes(2);
  CHECK(key_in(authorise(env, auth)->request) == "AK2");
}

TEST_CASE("credentials that have not ended survive a failed renewal") {
  FakeEnv env = with_keys();
  env.on("POST", kSts, 200, sts_answer("AssumeRole", "AK1", until(env, minutes(60))), 1);
  env.on("POST", kSts, 403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>");
  AwsAuth auth(env, {.assume_role = "arn:r"});
  REQUIRE(authorise(env, auth).ok());
  env.clock = env.clock + minutes(50);
  CHECK(key_in(authorise(env, auth)->request) == "AK1");
  env.clock = env.clock + minutes(11);
  CHECK_FALSE(authorise(env, auth).ok());
}

TEST_CASE("files that another tool is just rewriting take nothing away from credentials that hold") {
  FakeEnv env = with_files("[default]\ncredential_process = /creds\n");
  env.programs.emplace(
      "/creds", ProgramResult{0,
                              R"({"Version":1,"AccessKeyId":"AKP","SecretAccessKey":"s","Expiration":")" +
                                  until(env, minutes(60)) + R"("})",
                              ""});
  AwsAuth auth(env);
  REQUIRE(authorise(env, auth).ok());
  env.files["/h/.aws/config"] = "[defau";
  env.clock = env.clock + minutes(50);
  CHECK(key_in(authorise(env, auth)->request) == "AKP");
  CHECK(key_in(authorise(env, auth)->request) == "AKP");
  env.clock = env.clock + minutes(15);
  CHECK(authorise(env, auth).error().summary == "A configuration file cannot be read");
}

TEST_CASE("a clock that is off is corrected by the server's, once for every host") {
  FakeEnv env = with_keys();
  Time real = env.clock + minutes(17);
  for (auto [code, status] : {std::pair("RequestExpired", 400), std::pair("AuthFailure", 401)}) {
    env.sent.clear();
    AwsAuth auth(env);
    bool accept = false;
    env.on(
        "POST", kUrl,
        [&, code = std::string(code), status = status](const Request&) -> Result<Response> {
          if (accept) return Response{200, {}, "<XResponse/>"};
          accept = true;
          return Response{status, {{"Date", format_http_date(real)}}, ec2_error(code)};
        },
        3);
    REQUIRE(ask(env, auth)->http.status == 200);
    REQUIRE(env.sent.size() == 2);
    std::string corrected = format_rfc3339(Time::from_seconds(real.seconds()));
    std::erase_if(corrected, [](char c) { return c == '-' || c == ':'; });
    CHECK(header(env.sent[1].headers, "x-amz-date")->substr(0, 13) == corrected.substr(0, 13));
    REQUIRE(ask(env, auth)->http.status == 200);
    CHECK(env.sent.size() == 3);  // the correction stays
  }
}

namespace {

// Sends `n` requests at once; how many were answered 200.
int accepted(FakeEnv& env, AwsAuth& auth, int n) {
  Client client(env, aws_client_options(auth.authorizer(kEc2)));
  int good = 0;
  for (int i = 0; i < n; ++i)
    client.send({.http = {.method = "POST", .url = kUrl, .body = "Action=X"}},
                [&](Result<Answer> r) { good += r.ok() && r->http.ok() ? 1 : 0; });
  env.run();
  return good;
}

}  // namespace

TEST_CASE("of requests refused together for one wrong clock or one old credential, each is sent again") {
  FakeEnv env = with_keys();
  Response late{400, {{"Date", format_http_date(env.clock - minutes(40))}}, ec2_error("RequestExpired")};
  env.on(
      "POST", kUrl, [late](const Request&) -> Result<Response> { return late; }, 5);
  env.on("POST", kUrl, 200, "<XResponse/>");
  AwsAuth auth(env);
  CHECK(accepted(env, auth, 5) == 5);
  CHECK(env.sent.size() == 10);

  FakeEnv other = with_files("", "[default]\naws_access_key_id = AKOLD\naws_secret_access_key = s\n");
  other.on("POST", kUrl, [&other](const Request& r) -> Result<Response> {
    other.files["/h/.aws/credentials"] = "[default]\naws_access_key_id = AKNEW\naws_secret_access_key = s\n";
    if (key_in(r) == "AKNEW") return Response{200, {}, "<XResponse/>"};
    return Response{400, {}, ec2_error("ExpiredToken")};
  });
  AwsAuth renewed(other);
  CHECK(accepted(other, renewed, 5) == 5);
  CHECK(other.sent.size() == 10);
}

TEST_CASE(
    "a wrong secret is not blamed on a clock that is right, and is told with whose credentials they are") {
  FakeEnv env = with_keys();
  AwsAuth auth(env);
  env.on("POST", kUrl, [&](const Request&) -> Result<Response> {
    return Response{403, {{"Date", format_http_date(env.clock)}}, ec2_error("SignatureDoesNotMatch")};
  });
  auto answer = ask(env, auth);
  REQUIRE_FALSE(answer.ok());
  CHECK(env.sent.size() == 1);
  CHECK(answer.error().code == Code::unauthenticated);
  CHECK(answer.error().provider_code == "SignatureDoesNotMatch");
  CHECK(answer.error().detail.find("The credentials are those of AWS_ACCESS_KEY_ID.") != std::string::npos);
}

TEST_CASE("an expired token is replaced by what another tool has written meanwhile") {
  FakeEnv env = with_files("", "[default]\naws_access_key_id = AKOLD\naws_secret_access_key = s\n");
  AwsAuth auth(env);
  REQUIRE(authorise(env, auth).ok());
  env.files["/h/.aws/credentials"] = "[default]\naws_access_key_id = AKNEW\naws_secret_access_key = s\n";
  env.on("POST", kUrl, 400, ec2_error("ExpiredToken"), 1);
  env.on("POST", kUrl, 200, "<XResponse/>");
  CHECK(ask(env, auth)->http.status == 200);
  CHECK(key_in(env.sent[0]) == "AKOLD");
  CHECK(key_in(env.sent[1]) == "AKNEW");
}

TEST_CASE("a stock-out is no reason to try again, and its 500 is none either") {
  FakeEnv env = with_keys();
  AwsAuth auth(env);
  env.on("POST", kUrl, 500, ec2_error("InsufficientInstanceCapacity"));
  auto answer = ask(env, auth);
  REQUIRE(answer.ok());
  CHECK(env.sent.size() == 1);
  CHECK(classify_aws(answer->http) == Code::capacity);
}
