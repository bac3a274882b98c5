// The AWS chain over the real Env: real files, a real program, a server on loopback.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "net/aws_account.h"
#include "net/aws_auth.h"
#include "net/aws_fetch.h"
#include "net/real_env.h"
#include "net/sigv4.h"
#include "support/catch.h"
#include "support/scratch.h"
#include "tiny_server.h"

using namespace nbform;

namespace {

constexpr const char* kRoleAnswer =
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>AKROLE</AccessKeyId>"
    "<SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-token</SessionToken>"
    "<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
constexpr const char* kCallerAnswer =
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:assumed-role/r/s</"
    "Arn>"
    "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

// HOME in a directory of the test's own, and nothing of AWS in the environment; put back at the end.
class Home {
 public:
  Home() {
    for (char** entry = environ; *entry != nullptr; ++entry)
      if (std::string_view text = *entry; text.starts_with("AWS_"))
        saved_.emplace_back(text.substr(0, text.find('=')), text.substr(text.find('=') + 1));
    saved_.emplace_back("HOME", std::getenv("HOME") != nullptr ? std::getenv("HOME") : "");
    for (const auto& [name, value] : saved_) ::unsetenv(name.c_str());
    ::setenv("HOME", dir_.path().c_str(), 1);
    std::filesystem::create_directory(dir_.path(".aws"));
  }
  ~Home() {
    ::unsetenv("HOME");
    for (const auto& [name, value] : saved_) ::setenv(name.c_str(), value.c_str(), 1);
  }

  std::string path(const std::string& name) const { return dir_.path(name); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }

 private:
  Scratch dir_;
  std::vector<std::pair<std::string, std::string>> saved_;
};

// The headers and body as they came over the wire, signed anew with the right secret: the same signature.
bool is_signed_by(const std::string& wire, const std::string& base, const AwsKeys& keys,
                  const SigningScope& scope) {
  auto end = wire.find("\r\n\r\n");
  Request request{.method = "POST", .url = base, .body = wire.substr(end + 4)};
  std::string signature, at;
  for (std::string_view line : split(std::string_view(wire).substr(0, end), '\n')) {
    auto colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    std::string name = to_lower(line.substr(0, colon)), value(trim(line.substr(colon + 2)));
    if (name == "authorization") signature = value;
    if (name == "x-amz-date") at = value;
    request.headers.emplace_back(name, value);
  }
  REQUIRE(at.size() == 16);
  std::string rfc = at.substr(0, 4) + "-" + at.substr(4, 2) + "-" + at.substr(6, 5) + ":" + at.substr(11, 2) +
                    ":" + at.substr(13, 3);
  Request again = sign_v4(request, keys, scope, parse_rfc3339(rfc).value());
  return !signature.empty() && header(again.headers, "authorization") == signature;
}

}  // namespace

TEST_CASE("profile, program, role and account check over files, processes and sockets") {
  Home home;
  TinyServer server([](int fd, const std::string& request, int) {
    bool role = request.find("Action=AssumeRole&") != std::string::npos;
    return TinyServer::answer(fd, role ? kRoleAnswer : kCallerAnswer);
  });
  home.write(
      "give-keys",
      "#!/bin/sh\necho \"{\\\"Version\\\":1,\\\"AccessKeyId\\\":\\\"$1\\\",\\\"SecretAccessKey\\\":\\\"base "
      "secret\\\"}\"\n");
  REQUIRE(::chmod(home.path("give-keys").c_str(), 0700) == 0);
  home.write(".aws/config",
             "[profile lab]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n"
             "region = eu-central-1\nservices = local\n[services local]\nsts =\n  endpoint_url = " +
                 server.url() + "\n[profile base]\ncredential_process = " + home.path("give-keys") +
                 " 'AK BASE'\n");
  auto env = make_real_env();
  AwsAuth auth(*env, {.profile = "lab"});
  AwsEndpoint sts = auth.endpoint("sts", "eu-central-1").value();
  CHECK(sts.at.overridden_by == "[services local]");
  Client client(*env, aws_client_options(auth.authorizer(sts.scope)));
  std::optional<Result<Answer>> answer;
  client.send({.http = caller_identity_request(sts.at.base)},
              [&](Result<Answer> r) { answer = std::move(r); });
  while (!answer && env->step()) {
  }
  REQUIRE(answer->ok());
  CHECK(parse_caller_identity((*answer)->json)->account == "123456789012");
  CHECK(auth.identity() == "role arn:aws:iam::123456789012:role/r through profile base (credential_process)");
  REQUIRE(server.requests() == 2);
  SigningScope scope{"sts", "eu-central-1"};
  CHECK(is_signed_by(server.request(0), sts.at.base, {"AK BASE", Secret("base secret"), {}}, scope));
  CHECK(is_signed_by(server.request(1), sts.at.base, {"AKROLE", Secret("role-secret"), Secret("role-token")},
                     scope));
  CHECK_FALSE(
      is_signed_by(server.request(1), sts.at.base, {"AKROLE", Secret("other"), Secret("role-token")}, scope));
}

TEST_CASE("an SSO login that is renewed is written back to its file, readable by its owner only") {
  Home home;
  TinyServer server([](int fd, const std::string& request, int) {
    bool renewal = request.find("refresh_token") != std::string::npos;
    return TinyServer::answer(
        fd, renewal ? R"({"accessToken":"fresh","expiresIn":3600})"
                    : R"({"roleCredentials":{"accessKeyId":"AKSSO","secretAccessKey":"s","sessionToken":"t",)"
                      R"("expiration":4070908800000}})");
  });
  home.write(".aws/config",
             "[default]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = r\nendpoint_url = " +
                 server.url() + "\n[sso-session corp]\nsso_start_url = u\nsso_region = eu-west-1\n");
  std::filesystem::create_directories(home.path(".aws/sso/cache"));
  std::string cache = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
  home.write(cache,
             R"({"accessToken":"old","expiresAt":"2020-01-01T00:00:00Z","refreshToken":"r","clientId":"c",)"
             R"("clientSecret":"s","registrationExpiresAt":"2099-01-01T00:00:00Z"})");
  auto env = make_real_env();
  AwsAuth auth(*env);
  std::optional<Result<Authorized>> ready;
  auth.authorizer({"ec2", "eu-west-1"})({.url = server.url()}, {}, [&](auto r) { ready = std::move(r); });
  while (!ready && env->step()) {
  }
  REQUIRE(ready->ok());
  CHECK(header((*ready)->request.headers, "authorization")->find("AKSSO") != std::string::npos);
  CHECK(server.request(1).find("x-amz-sso_bearer_token: fresh") != std::string::npos);
  CHECK(env->read_file(home.path(cache))->find("\"accessToken\":\"fresh\"") != std::string::npos);
  struct stat status {};
  REQUIRE(::stat(home.path(cache).c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}
