#include "net/google_auth.h"

#include <fmt/format.h>

#include "base/json.h"
#include "support/catch.h"
#include "support/fake_env.h"

using namespace nbform;
using std::chrono::seconds;

namespace {

constexpr const char* kCompute = "https://compute.googleapis.com/compute/v1/x";
constexpr const char* kTokenUrl = "https://oauth2.googleapis.com/token";

const RsaKeyPair& key() {
  static const RsaKeyPair pair = generate_rsa_key();
  return pair;
}

std::string service_account(std::string token_uri = kTokenUrl) {
  return to_json(Value(Map{{"type", "service_account"},
                           {"project_id", "key-project"},
                           {"private_key_id", "k1"},
                           {"private_key", key().private_pem.reveal()},
                           {"client_email", "nb@p.iam.gserviceaccount.com"},
                           {"token_uri", token_uri}}));
}

const char* const kUser = R"({"type":"authorized_user","client_id":"id","client_secret":"cs-canary",
  "refresh_token":"rt-canary","quota_project_id":"quota-p"})";

std::string external(const std::string& source, const std::string& more = "") {
  return R"({"type":"external_account","audience":"//iam/pool","subject_token_type":"urn:ietf:params:oauth:token-type:jwt",
    "token_url":"https://sts.googleapis.com/v1/token","credential_source":)" +
         source + more + "}";
}

std::string token_answer(std::string_view token, int lifetime = 3600) {
  return fmt::format(R"({{"access_token":"{}","expires_in":{},"token_type":"Bearer"}})", token, lifetime);
}

FakeEnv with_file(std::string text) {
  FakeEnv env;
  env.variables["GOOGLE_APPLICATION_CREDENTIALS"] = "/key.json";
  env.files["/key.json"] = std::move(text);
  return env;
}

// One authorised request: what would be sent, or why not.
Result<Authorized> authorise(FakeEnv& env, GoogleAuth& auth, std::uint64_t refused = 0,
                             const char* url = kCompute) {
  std::optional<Result<Authorized>> result;
  auth.authorizer()({.url = url}, {refused, {}}, [&](Result<Authorized> r) { result = std::move(r); });
  env.run();
  REQUIRE(result);
  return *result;
}

// The bearer token of a first request, or the summary of the error.
std::string token(FakeEnv& env, GoogleAuthOptions options = {}) {
  GoogleAuth auth(env, std::move(options));
  auto ready = authorise(env, auth);
  if (!ready.ok()) return ready.error().summary;
  return std::string(header(ready->request.headers, "authorization").value());
}

std::string form_field(const Request& request, std::string_view name) {
  for (const auto& [key, value] : form_decode(request.body))
    if (key == name) return value;
  return {};
}

Value jwt_part(const std::string& jwt, int part) {
  std::size_t begin = part == 0 ? 0 : jwt.find('.') + 1;
  return parse_json(*base64url_decode(jwt.substr(begin, jwt.find('.', begin) - begin))).value();
}

}  // namespace

TEST_CASE("sources of credentials are asked in the documented order") {
  FakeEnv env = with_file(kUser);
  env.on("POST", kTokenUrl, 200, token_answer("from-key-file"));
  env.on("GET", "http://metadata.google.internal/*", [](const Request&) -> Result<Response> {
    return Response{200, {{"Metadata-Flavor", "Google"}}, token_answer("from-metadata")};
  });
  env.variables["GOOGLE_OAUTH_ACCESS_TOKEN"] = "ready";
  env.variables["CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"] = "/token";
  env.variables["HOME"] = "/home/u";
  env.files["/token"] = "from-token-file\n";
  env.programs.emplace("gcloud auth print-access-token --quiet", ProgramResult{0, "from-gcloud\n", ""});

  CHECK(token(env) == "Bearer ready");
  env.variables.erase("GOOGLE_OAUTH_ACCESS_TOKEN");
  CHECK(token(env) == "Bearer from-token-file");
  env.variables.erase("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE");
  CHECK(token(env) == "Bearer from-key-file");
  env.variables.erase("GOOGLE_APPLICATION_CREDENTIALS");
  env.files["/home/u/.config/gcloud/application_default_credentials.json"] = env.files["/key.json"];
  CHECK(token(env) == "Bearer from-key-file");
  env.variables["CLOUDSDK_CONFIG"] = "/elsewhere";
  CHECK(env.spawned.empty());
  CHECK(token(env) == "Bearer from-gcloud");
  CHECK(env.spawned.size() == 1);
  env.programs.clear();
  CHECK(token(env) == "Bearer from-metadata");
}

TEST_CASE("nobody logged in: the error lists what was tried and the command to run") {
  FakeEnv env;
  env.variables["HOME"] = "/home/u";
  GoogleAuth auth(env);
  auto ready = authorise(env, auth);
  REQUIRE_FALSE(ready.ok());
  CHECK(ready.error().code == Code::unauthenticated);
  for (auto part :
       {"GOOGLE_APPLICATION_CREDENTIALS", "/home/u/.config/gcloud/application_default_credentials.json",
        "gcloud is not installed", "no metadata server"})
    CHECK(ready.error().detail.find(part) != std::string::npos);
  CHECK(ready.error().hint.find("gcloud auth application-default login") != std::string::npos);
}

TEST_CASE("a named credential file that cannot be used is an error, never passed over") {
  FakeEnv env;
  env.variables["GOOGLE_APPLICATION_CREDENTIALS"] = "/missing.json";
  env.programs.emplace("gcloud auth print-access-token --quiet", ProgramResult{0, "from-gcloud", ""});
  CHECK(token(env) == "A Google credential file cannot be used");
  for (auto text :
       {"", "[]", "{}", R"({"type":"service_account"})", R"({"type":"authorized_user","client_id":"x"})"}) {
    FakeEnv other = with_file(text);
    CHECK(token(other) == "A Google credential file cannot be used");
    CHECK(other.sent.empty());
  }
  FakeEnv odd = with_file(R"({"type":"gdch_service_account"})");
  CHECK(token(odd) == "This type of Google credential is not supported");
}

TEST_CASE("a service account signs its first token itself, without a round trip") {
  FakeEnv env = with_file(service_account());
  std::string jwt = token(env).substr(7);
  CHECK(env.sent.empty());
  CHECK(to_json(jwt_part(jwt, 0)) == R"({"alg":"RS256","kid":"k1","typ":"JWT"})");
  Value claims = jwt_part(jwt, 1);
  CHECK(claims["iss"].as_text() == "nb@p.iam.gserviceaccount.com");
  CHECK(claims["sub"] == claims["iss"]);
  CHECK(claims["aud"].is_null());
  CHECK(claims["scope"].as_text() == "https://www.googleapis.com/auth/cloud-platform");
  CHECK(claims["iat"].as_int() == Time{1'800'000'000'000'000}.seconds());
  CHECK(claims["exp"].as_int() - claims["iat"].as_int() == 3600);
  auto dot = jwt.rfind('.');
  CHECK(verify_rs256(key().public_pem, jwt.substr(0, dot), *base64url_decode(jwt.substr(dot + 1))));
}

TEST_CASE("a token that a service account signed and a server refused is followed by an exchanged one") {
  FakeEnv env = with_file(service_account());
  env.on("POST", kTokenUrl, 200, token_answer("t"));
  GoogleAuth auth(env);
  auto first = authorise(env, auth);
  auto second = authorise(env, auth, first->grant);
  CHECK(header(second->request.headers, "authorization") == "Bearer t");
  REQUIRE(env.sent.size() == 1);
  CHECK(form_field(env.sent[0], "grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer");
  Value claims = jwt_part(form_field(env.sent[0], "assertion"), 1);
  CHECK(claims["iss"].as_text() == "nb@p.iam.gserviceaccount.com");
  CHECK(claims["aud"].as_text() == kTokenUrl);
  CHECK(claims["scope"].as_text() == "https://www.googleapis.com/auth/cloud-platform");
  CHECK(claims["exp"].as_int() - claims["iat"].as_int() == 3600);
}

TEST_CASE("where only exchanged tokens are taken, a service account signs none itself") {
  FakeEnv env = with_file(service_account());
  env.on("POST", kTokenUrl, 200, token_answer("t"));
  GoogleAuth auth(env);
  auto ask = [&](const Authorize& authorize) {
    std::string bearer;
    authorize({.url = kCompute}, {}, [&](Result<Authorized> ready) {
      bearer = header(ready->request.headers, "authorization").value();
    });
    env.run();
    return bearer;
  };
  const bool signed_before = GENERATE(false, true);
  if (signed_before) CHECK(ask(auth.authorizer()) != "Bearer t");
  CHECK(ask(auth.exchanged_authorizer()) == "Bearer t");
  CHECK(ask(auth.exchanged_authorizer()) == "Bearer t");
  CHECK(ask(auth.authorizer()) == "Bearer t");
  CHECK(env.sent.size() == 1);
}

TEST_CASE("what is signed for a local token server is nothing for Google") {
  FakeEnv env = with_file(service_account("http://localhost:8080/token"));
  env.on("POST", "http://localhost:8080/token", 200, token_answer("t"));
  GoogleAuth auth(env);
  auto first = authorise(env, auth);
  Value own = jwt_part(std::string(header(first->request.headers, "authorization")->substr(7)), 1);
  CHECK(own["aud"].as_text() == "http://localhost:8080/");
  CHECK(own["scope"].is_null());
  CHECK(authorise(env, auth, first->grant).ok());
  CHECK(jwt_part(form_field(env.sent.at(0), "assertion"), 1)["aud"].as_text() ==
        "http://localhost:8080/token");
}

TEST_CASE("credentials leave only for Google's hosts, this machine, or a host the user named") {
  FakeEnv foreign = with_file(service_account("https://evil.example/token"));
  CHECK(token(foreign) == "Google credentials would go to a foreign host");
  FakeEnv plain = with_file(service_account("http://oauth2.googleapis.com/token"));
  CHECK(token(plain) == "A URL without TLS is refused");
  FakeEnv step = with_file(
      external(R"({"file":"/subject"})", R"(,"service_account_impersonation_url":"https://evil.example/x")"));
  CHECK(token(step) == "Google credentials would go to a foreign host");
  CHECK(foreign.sent.size() + plain.sent.size() + step.sent.size() == 0);
  FakeEnv named = with_file(service_account("https://oauth.corp.example/token"));
  named.variables["CLOUDSDK_AUTH_TOKEN_HOST"] = "https://oauth.corp.example/token";
  CHECK(token(named).starts_with("Bearer ey"));
}

TEST_CASE("a token is not added to a request that leaves for somewhere else") {
  FakeEnv env;
  env.variables["GOOGLE_OAUTH_ACCESS_TOKEN"] = "canary";
  GoogleAuth auth(env);
  for (auto url :
       {"https://evil.example/", "http://compute.googleapis.com/", "http://localhost:1/", "nonsense"})
    CHECK(authorise(env, auth, 0, url).error().code == Code::denied);
  env.variables["CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE"] = "http://localhost:1";
  CHECK(authorise(env, auth, 0, "http://localhost:1/compute/v1/x").ok());
}

TEST_CASE("an authorised user refreshes, and pays with the quota project") {
  FakeEnv env = with_file(kUser);
  env.on("POST", kTokenUrl, 200, token_answer("t"));
  GoogleAuth auth(env);
  auto ready = authorise(env, auth);
  CHECK(header(ready->request.headers, "x-goog-user-project") == "quota-p");
  CHECK(form_field(env.sent.at(0), "refresh_token") == "rt-canary");
  CHECK(form_field(env.sent.at(0), "grant_type") == "refresh_token");
  env.variables["GOOGLE_CLOUD_QUOTA_PROJECT"] = "from-env";
  CHECK(header(authorise(env, auth)->request.headers, "x-goog-user-project") == "from-env");
}

TEST_CASE("an external account exchanges what a file holds") {
  FakeEnv env = with_file(external(R"({"file":"/subject"})"));
  env.files["/subject"] = "subject-1\n";
  env.on("POST", "https://sts.googleapis.com/v1/token", 200, R"({"access_token":"federated"})");
  CHECK(token(env) == "Bearer federated");
  CHECK(form_field(env.sent.at(0), "subject_token") == "subject-1");
  CHECK(form_field(env.sent.at(0), "audience") == "//iam/pool");
}

TEST_CASE("an external account exchanges what a URL's JSON holds, then impersonates") {
  FakeEnv env = with_file(external(R"({"url":"https://idp.example/t","headers":{"Authorization":"bearer idp"},
                   "format":{"type":"json","subject_token_field_name":"value"}})",
                                   R"(,"service_account_impersonation_url":
                 "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/sa@p.iam:generateAccessToken")"));
  env.on("GET", "https://idp.example/t", 200, R"({"value":"subject-2"})");
  env.on("POST", "https://sts.googleapis.com/v1/token", 200, token_answer("federated"));
  env.on("POST", "https://iamcredentials.googleapis.com/*", 200,
         R"({"accessToken":"acting","expireTime":"2027-01-15T09:00:00Z"})");
  GoogleAuth auth(env);
  auto ready = authorise(env, auth);
  REQUIRE(ready.ok());
  CHECK(header(ready->request.headers, "authorization") == "Bearer acting");
  REQUIRE(env.sent.size() == 3);
  CHECK(header(env.sent[0].headers, "authorization") == "bearer idp");
  CHECK(form_field(env.sent[1], "subject_token") == "subject-2");
  CHECK(header(env.sent[2].headers, "authorization") == "Bearer federated");
  CHECK(auth.identity() == "service account sa@p.iam through /key.json (GOOGLE_APPLICATION_CREDENTIALS)");
}

TEST_CASE("external sources that are not read are refused by name") {
  FakeEnv env = with_file(external(R"({"executable":{"command":"rm -rf /"}})"));
  CHECK(token(env) == "This kind of external account is not supported");
  FakeEnv both = with_file(external(R"({"file":"/a","url":"https://b"})"));
  CHECK(token(both) == "A Google credential file cannot be used");
}

TEST_CASE("impersonation goes on top of whatever was found, and a refusal names the missing role") {
  FakeEnv env;
  env.variables["GOOGLE_OAUTH_ACCESS_TOKEN"] = "own";
  env.on("POST", "*serviceAccounts/robot%40p.iam:generateAccessToken", 200, R"({"accessToken":"robot"})", 1);
  CHECK(token(env, {.impersonate = "robot@p.iam"}) == "Bearer robot");
  CHECK(header(env.sent.at(0).headers, "authorization") == "Bearer own");
  CHECK(parse_json(env.sent[0].body)->at_path("scope/0").as_text() ==
        "https://www.googleapis.com/auth/cloud-platform");

  env.on("POST", "*:generateAccessToken", 403, R"({"error":{"status":"PERMISSION_DENIED","message":"no"}})");
  GoogleAuth auth(env, {.impersonate = "robot@p.iam"});
  auto ready = authorise(env, auth);
  CHECK(ready.error().code == Code::denied);
  CHECK(ready.error().hint.find("roles/iam.serviceAccountTokenCreator") != std::string::npos);
}

TEST_CASE("impersonated_service_account wraps another type") {
  FakeEnv env = with_file(R"({"type":"impersonated_service_account","delegates":["d@p.iam"],
    "service_account_impersonation_url":"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/sa@p.iam:generateAccessToken",
    "source_credentials":)" +
                          std::string(kUser) + "}");
  env.on("POST", kTokenUrl, 200, token_answer("user"));
  env.on("POST", "*:generateAccessToken", 200, R"({"accessToken":"sa"})");
  CHECK(token(env) == "Bearer sa");
  CHECK(parse_json(env.sent.at(1).body)->at_path("delegates/0").as_text() == "d@p.iam");
}

TEST_CASE("requests that come together share one token") {
  FakeEnv env = with_file(kUser);
  env.on("POST", kTokenUrl, 200, token_answer("t"));
  GoogleAuth auth(env);
  int ready = 0;
  for (int i = 0; i < 50; ++i)
    auth.authorizer()({.url = kCompute}, {}, [&](Result<Authorized> r) { ready += r.ok() ? 1 : 0; });
  env.run();
  CHECK(ready == 50);
  CHECK(env.count("POST", kTokenUrl) == 1);
}

TEST_CASE("a token is renewed 225 seconds before its end, not sooner") {
  FakeEnv env = with_file(kUser);
  env.on("POST", kTokenUrl, 200, token_answer("one"), 1);
  env.on("POST", kTokenUrl, 200, token_answer("two"), 1);
  GoogleAuth auth(env);
  CHECK(authorise(env, auth).ok());
  Time got = env.clock;
  env.clock = got + seconds(3600 - 226);
  CHECK(header(authorise(env, auth)->request.headers, "authorization") == "Bearer one");
  env.clock = got + seconds(3600 - 224);
  CHECK(header(authorise(env, auth)->request.headers, "authorization") == "Bearer two");
}

TEST_CASE("a token that still works is kept when renewing fails, and an expired one is not") {
  FakeEnv env = with_file(kUser);
  env.on("POST", kTokenUrl, 200, token_answer("one"), 1);
  env.on("POST", kTokenUrl, 400, R"({"error":"invalid_grant"})");
  GoogleAuth auth(env);
  CHECK(authorise(env, auth).ok());
  env.clock = env.clock + seconds(3500);
  CHECK(header(authorise(env, auth)->request.headers, "authorization") == "Bearer one");
  CHECK(env.sent.size() == 2);
  CHECK(authorise(env, auth).ok());
  CHECK(env.sent.size() == 2);  // no hammering
  env.clock = env.clock + seconds(101);
  auto ended = authorise(env, auth);
  CHECK(ended.error().code == Code::unauthenticated);
  CHECK(ended.error().hint.find("gcloud auth application-default login") != std::string::npos);
}

TEST_CASE("a refused token is replaced once for all who hold it") {
  FakeEnv env = with_file(kUser);
  env.on("POST", kTokenUrl, 200, token_answer("one"), 1);
  env.on("POST", kTokenUrl, 200, token_answer("two"), 1);
  GoogleAuth auth(env);
  auto first = authorise(env, auth);
  auto second = authorise(env, auth, first->grant);
  CHECK(header(second->request.headers, "authorization") == "Bearer two");
  // Another holder of the first token comes later: there is a newer one already.
  CHECK(authorise(env, auth, first->grant)->grant == second->grant);
  CHECK(env.count("POST", kTokenUrl) == 2);
}

TEST_CASE("a refused token is not used again when no other can be had") {
  FakeEnv env;
  env.variables["GOOGLE_OAUTH_ACCESS_TOKEN"] = "old";
  GoogleAuth auth(env);
  auto first = authorise(env, auth);
  auto again = authorise(env, auth, first->grant);
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().hint.find("GOOGLE_OAUTH_ACCESS_TOKEN") != std::string::npos);
}

TEST_CASE("the token endpoint is asked again when it fails for a moment, not when it refuses") {
  FakeEnv env = with_file(kUser);
  env.on("POST", kTokenUrl, 503, "", 1);
  env.on("POST", kTokenUrl, 400, R"({"error":"internal_failure"})", 1);
  env.on("POST", kTokenUrl, 200, token_answer("t"));
  CHECK(token(env) == "Bearer t");
  FakeEnv refused = with_file(service_account());
  refused.on("POST", kTokenUrl, 400,
             R"({"error":"invalid_grant","error_description":"Invalid JWT Signature."})");
  GoogleAuth auth(refused);
  auto ready = authorise(refused, auth, authorise(refused, auth)->grant);
  CHECK(refused.sent.size() == 1);
  CHECK(ready.error().detail.find("Invalid JWT Signature.") != std::string::npos);
  CHECK(ready.error().hint.find("clock") != std::string::npos);
}

TEST_CASE("a token with a line end never becomes a header") {
  FakeEnv env;
  env.variables["GOOGLE_OAUTH_ACCESS_TOKEN"] = "a\r\nX-Evil: 1";
  CHECK(token(env) == "There is no usable token");
}

TEST_CASE("no secret of a credential is in any diagnostic or in argv") {
  for (std::string text :
       {std::string(kUser), service_account("https://evil.example/"), std::string("{\"rt-canary\"")}) {
    FakeEnv env = with_file(text);
    env.on("POST", "*", 400, R"({"error":"invalid_grant"})");
    GoogleAuth auth(env);
    Diagnostic d = authorise(env, auth).error();
    for (std::string secret : {std::string("canary"), key().private_pem.reveal().substr(30, 20)})
      CHECK((d.summary + d.detail + d.hint + d.provider_code).find(secret) == std::string::npos);
  }
}

TEST_CASE("an auth object that goes away in the middle leaves nothing behind") {
  FakeEnv env = with_file(kUser);
  env.on("POST", kTokenUrl, 200, token_answer("t"));
  Authorize authorize;
  int calls = 0;
  {
    GoogleAuth auth(env);
    authorize = auth.authorizer();
    authorize({.url = kCompute}, {}, [&](auto) { ++calls; });
  }
  authorize({.url = kCompute}, {}, [&](auto) { ++calls; });
  env.run();
  CHECK(calls == 0);
}

TEST_CASE("the project comes from the environment, gcloud's configuration, the key file") {
  FakeEnv env = with_file(service_account());
  env.variables["HOME"] = "/home/u";
  CHECK(google_defaults(env).project == "key-project");
  env.files["/home/u/.config/gcloud/active_config"] = "work\n";
  env.files["/home/u/.config/gcloud/configurations/config_work"] =
      "[core]\naccount = me@x\nproject = gcloud-project\n\n[compute]\nzone = "
      "us-central1-b\nregion=us-central1\n";
  auto found = google_defaults(env);
  CHECK(found.project == "gcloud-project");
  CHECK(found.project_from == "gcloud's configuration");
  CHECK(found.zone == "us-central1-b");
  CHECK(found.region == "us-central1");
  env.variables["GCLOUD_PROJECT"] = "third";
  CHECK(google_defaults(env).project == "third");
  env.variables["CLOUDSDK_CORE_PROJECT"] = "second";
  CHECK(google_defaults(env).project == "second");
  env.variables["GOOGLE_CLOUD_PROJECT"] = "first";
  CHECK(google_defaults(env).project_from == "GOOGLE_CLOUD_PROJECT");
}

TEST_CASE("a configuration name does not lead out of its directory") {
  FakeEnv env;
  env.variables["HOME"] = "/h";
  env.variables["CLOUDSDK_ACTIVE_CONFIG_NAME"] = "x/../../../../secret";
  env.files["/h/.config/gcloud/configurations/config_x/../../../../secret"] = "[core]\nproject = stolen\n";
  CHECK(google_defaults(env).project == "");
}

TEST_CASE("the metadata server is asked for the project last, and must prove what it is") {
  FakeEnv env;
  env.variables["GCE_METADATA_HOST"] = "localhost:8080";
  auto ask = [&](const char* flavor) {
    env.on(
        "GET", "http://localhost:8080/computeMetadata/v1/project/project-id",
        [flavor](const Request&) -> Result<Response> {
          return Response{200, {{"Metadata-Flavor", flavor}}, "md\n"};
        },
        1);
    std::string project = "unset";
    google_defaults(env, [&](GoogleDefaults found) { project = found.project; });
    env.run();
    return project;
  };
  CHECK(ask("Google") == "md");
  CHECK(header(env.sent.at(0).headers, "metadata-flavor") == "Google");
  CHECK(ask("") == "");
  env.variables["GOOGLE_CLOUD_PROJECT"] = "p";
  std::size_t before = env.sent.size();
  CHECK(ask("Google") == "p");
  CHECK(env.sent.size() == before);
}
