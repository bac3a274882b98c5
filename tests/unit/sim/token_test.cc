#include "base/crypto.h"
#include "world_fixture.h"

namespace nbform::sim {

namespace {
constexpr const char* kEmail = "nb@acme-ml.iam.gserviceaccount.com";
const RsaKeyPair& key() {
  static const RsaKeyPair pair = generate_rsa_key();
  return pair;
}
// Written here anew: the simulator and this test share no signer with the client.
std::string jwt(const Value& claims, const Secret& pem) {
  std::string text = base64url(R"({"alg":"RS256","typ":"JWT"})") + "." + base64url(to_json(claims));
  return text + "." + base64url(*sign_rs256(pem, text));
}
Value claims(const Cloud& c) {
  return Map{{"iss", kEmail},
             {"aud", "https://oauth2.googleapis.com/token"},
             {"iat", c.now.seconds()},
             {"exp", c.now.seconds() + 3600},
             {"scope", "https://www.googleapis.com/auth/cloud-platform"}};
}
Response post(Cloud& c, std::string url, std::string body,
              std::string type = "application/x-www-form-urlencoded") {
  Request r{"POST", std::move(url), {{"Content-Type", std::move(type)}}, std::move(body)};
  return *c.world.handle(r, c.now).response;
}
Response redeem(Cloud& c, const std::string& assertion,
                std::string url = "https://oauth2.googleapis.com/token") {
  return post(
      c, std::move(url),
      form_encode({{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"}, {"assertion", assertion}}));
}
std::string description(const Response& r) {
  return std::string((*parse_json(r.body))["error_description"].as_text());
}
int read_with(Cloud& c, const std::string& token) {
  Request r = c.request("GET", "projects/acme-ml/zones/us-central1-a");
  set_header(r.headers, "Authorization", "Bearer " + token);
  return c.world.handle(r, c.now).response->status;
}
}  // namespace

TEST_CASE("a signed assertion becomes a token that lasts as long as it says") {
  Cloud c;
  c.world.add_service_account(kEmail, key().public_pem);
  Response r = redeem(c, jwt(claims(c), key().private_pem));
  REQUIRE(r.status == 200);
  std::string token((*parse_json(r.body))["access_token"].as_text());
  CHECK(read_with(c, token) == 200);
  c.wait(std::chrono::minutes(61));
  CHECK(read_with(c, token) == 401);
  CHECK(read_with(c, "made-up") == 401);
}

TEST_CASE("assertions that Google refuses") {
  Cloud c;
  c.world.add_service_account(kEmail, key().public_pem);
  auto with = [&](std::string_view name, Value value) {
    Value changed = claims(c);
    changed.map().set(name, std::move(value));
    Response r = redeem(c, jwt(changed, key().private_pem));
    CHECK(r.status == 400);
    return description(r);
  };
  CHECK(with("iss", "other@x.iam.gserviceaccount.com") == "Invalid grant: account not found");
  CHECK(with("aud", "https://example.com/token") == "Invalid JWT: Failed audience check.");
  CHECK(with("exp", c.now.seconds() + 7200).find("short-lived") != std::string::npos);
  CHECK(with("iat", c.now.seconds() + 3000).find("reasonable timeframe") != std::string::npos);
  Response forged = redeem(c, jwt(claims(c), generate_rsa_key().private_pem));
  CHECK(forged.status == 400);
  CHECK(description(forged) == "Invalid JWT Signature.");
  CHECK((*parse_json(forged.body))["error"] == Value("invalid_grant"));
  c.world.set_clock_offset(std::chrono::hours(-2));
  CHECK(description(redeem(c, jwt(claims(c), key().private_pem))).find("Check your iat and exp") !=
        std::string::npos);
}

TEST_CASE("the token endpoint's own address is an audience, and a self-signed token is one too") {
  Cloud c;
  c.world.add_service_account(kEmail, key().public_pem);
  Value own = claims(c);
  own.map().set("aud", "http://127.0.0.1:8085/token");
  CHECK(redeem(c, jwt(own, key().private_pem), "http://127.0.0.1:8085/token").status == 200);
  Value direct = claims(c);
  direct.map().set("sub", kEmail);
  direct.map().erase("aud");
  CHECK(read_with(c, jwt(direct, key().private_pem)) == 200);
  direct.map().set("aud", "https://compute.googleapis.com/");
  CHECK(read_with(c, jwt(direct, key().private_pem)) == 401);
  direct.map().erase("scope");
  CHECK(read_with(c, jwt(direct, key().private_pem)) == 200);
  CHECK(read_with(c, jwt(direct, generate_rsa_key().private_pem)) == 401);
  direct.map().set("aud", "https://compute.googleapis.com");
  CHECK(read_with(c, jwt(direct, key().private_pem)) == 401);
}

TEST_CASE("federation: a subject token for an access token, then impersonation") {
  Cloud c;
  Query form{
      {"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"},
      {"audience", "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q"},
      {"scope", "https://www.googleapis.com/auth/cloud-platform"},
      {"requested_token_type", "urn:ietf:params:oauth:token-type:access_token"},
      {"subject_token", "abc"},
      {"subject_token_type", "urn:ietf:params:oauth:token-type:jwt"}};
  Response r = post(c, "https://sts.googleapis.com/v1/token", form_encode(form));
  REQUIRE(r.status == 200);
  std::string federated((*parse_json(r.body))["access_token"].as_text());
  Request impersonate{"POST",
                      std::string("https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/") +
                          kEmail + ":generateAccessToken",
                      {{"Authorization", "Bearer " + federated}},
                      R"({"scope":["https://www.googleapis.com/auth/cloud-platform"],"lifetime":"600s"})"};
  Answer a = c.world.handle(impersonate, c.now);
  REQUIRE(a.response->status == 200);
  Value body = *parse_json(a.response->body);
  CHECK(body["expireTime"] == Value("2026-11-21T12:10:00Z"));
  CHECK(read_with(c, std::string(body["accessToken"].as_text())) == 200);
  impersonate.body = R"({"lifetime":"600s"})";
  CHECK(c.world.handle(impersonate, c.now).response->status == 400);
  form[4].second = "";
  CHECK(post(c, "https://sts.googleapis.com/v1/token", form_encode(form)).status == 400);
}

TEST_CASE("the metadata server answers only to those who know its flavour") {
  Cloud c;
  Request r{"GET",
            "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token",
            {},
            ""};
  CHECK(c.world.handle(r, c.now).response->status == 403);
  r.headers = {{"Metadata-Flavor", "Google"}};
  Answer a = c.world.handle(r, c.now);
  REQUIRE(a.response->status == 200);
  CHECK(header(a.response->headers, "metadata-flavor") == "Google");
  CHECK(read_with(c, std::string((*parse_json(a.response->body))["access_token"].as_text())) == 200);
  r.url = "http://metadata.google.internal/computeMetadata/v1/project/project-id";
  CHECK(c.world.handle(r, c.now).response->body == "acme-ml");
}

}  // namespace nbform::sim
