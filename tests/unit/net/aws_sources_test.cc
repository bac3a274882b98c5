#include "net/aws_sources.h"

#include "support/catch.h"
#include "support/fake_env.h"

using namespace nbform;

namespace {

using Kind = AwsSource::Kind;

FakeEnv with_files(std::string config, std::string credentials = "") {
  FakeEnv env;
  env.variables["HOME"] = "/h";
  if (!config.empty()) env.files["/h/.aws/config"] = std::move(config);
  if (!credentials.empty()) env.files["/h/.aws/credentials"] = std::move(credentials);
  return env;
}

Result<AwsSource> find(FakeEnv& env, std::string profile = "", std::string assume_role = "") {
  auto home = read_aws_home(env, std::move(profile));
  REQUIRE(home.ok());
  return find_aws_source(*home, assume_role, env.now());
}

std::string description(FakeEnv& env, std::string profile = "") {
  auto source = find(env, std::move(profile));
  return source.ok() ? source->description() : source.error().detail;
}

const char* const kKeys = "aws_access_key_id = AK\naws_secret_access_key = canary\n";

}  // namespace

TEST_CASE("AWS sources in the order of AWS's own tools") {
  std::string keys(kKeys);
  FakeEnv env = with_files("[default]\n" + keys +
                               "credential_process = /bin/creds --x\nsso_account_id = 1\nsso_role_name = r\n"
                               "sso_start_url = https://s\nsso_region = us-east-1\nweb_identity_token_file = "
                               "/t\nrole_arn = arn:role\n"
                               "source_profile = default\n",
                           "[default]\n" + keys);
  env.variables["AWS_ACCESS_KEY_ID"] = "AK";
  env.variables["AWS_SECRET_ACCESS_KEY"] = "s";
  env.variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/env-token";
  env.variables["AWS_ROLE_ARN"] = "arn:env";
  env.variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/c";
  CHECK(description(env) == "AWS_ACCESS_KEY_ID");
  env.variables.erase("AWS_ACCESS_KEY_ID");
  CHECK(description(env) == "role arn:env through AWS_WEB_IDENTITY_TOKEN_FILE");
  env.variables.erase("AWS_WEB_IDENTITY_TOKEN_FILE");
  CHECK(description(env) == "role arn:role through profile default");
  CHECK(find(env)->kind == Kind::web_identity);

  auto drop = [&](const char* line) {
    std::string& text = env.files["/h/.aws/config"];
    text.erase(text.find(line), text.find('\n', text.find(line)) + 1 - text.find(line));
  };
  drop("web_identity_token_file");
  CHECK(find(env)->kind == Kind::keys);
  CHECK(find(env)->roles.size() == 1);
  drop("role_arn");
  CHECK(description(env) == "role r of account 1, profile default (SSO)");
  drop("sso_account_id");
  drop("sso_role_name");
  CHECK(description(env) == "profile default in /h/.aws/credentials");
  env.files.erase("/h/.aws/credentials");
  CHECK(description(env) == "profile default (credential_process)");
  CHECK(find(env)->program == std::vector<std::string>{"/bin/creds", "--x"});
  drop("credential_process");
  CHECK(description(env) == "profile default in /h/.aws/config");
  env.files.erase("/h/.aws/config");
  CHECK(description(env) == "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  env.variables.erase("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  CHECK(description(env) == "instance metadata service");
}

TEST_CASE("a role goes before a web identity of the environment") {
  FakeEnv env =
      with_files("[default]\nrole_arn = arn:r\nsource_profile = k\n[profile k]\n" + std::string(kKeys));
  env.variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/t";
  env.variables["AWS_ROLE_ARN"] = "arn:env";
  CHECK(description(env) == "role arn:r through profile k in /h/.aws/config");
}

TEST_CASE("a profile that the manifest chooses goes before the environment; AWS_PROFILE does not") {
  FakeEnv env = with_files("", "[dev]\n" + std::string(kKeys));
  env.variables["AWS_ACCESS_KEY_ID"] = "ENV";
  env.variables["AWS_SECRET_ACCESS_KEY"] = "s";
  env.variables["AWS_PROFILE"] = "dev";
  CHECK(description(env) == "AWS_ACCESS_KEY_ID");
  CHECK(description(env, "dev") == "profile dev in /h/.aws/credentials");
}

TEST_CASE("keys of the environment: token under its new and its old name, an end, and never half of them") {
  FakeEnv env;
  env.variables = {
      {"AWS_ACCESS_KEY_ID", "AK"}, {"AWS_SECRET_ACCESS_KEY", "s"}, {"AWS_SECURITY_TOKEN", "old"}};
  CHECK(find(env)->keys.keys.token.reveal() == "old");
  env.variables["AWS_SESSION_TOKEN"] = "new";
  env.variables["AWS_CREDENTIAL_EXPIRATION"] = "2030-01-01T00:00:00Z";
  CHECK(find(env)->keys.keys.token.reveal() == "new");
  CHECK(find(env)->keys.expires == parse_rfc3339("2030-01-01T00:00:00Z"));
  env.variables.erase("AWS_SECRET_ACCESS_KEY");
  CHECK(description(env) == "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not.");
}

TEST_CASE("roles stand on one another, the innermost first, clouds.aws.assume_role last") {
  FakeEnv env = with_files(
      "[profile outer]\nrole_arn = arn:outer\nsource_profile = inner\nexternal_id = x\nmfa_serial = arn:mfa\n"
      "duration_seconds = 1800\nrole_session_name = me\n"
      "[profile inner]\nrole_arn = arn:inner\nsource_profile = inner\n",
      "[inner]\n" + std::string(kKeys));
  env.variables["AWS_PROFILE"] = "outer";
  AwsSource source = find(env, "", "arn:top").value();
  CHECK(source.keys.keys.id == "AK");
  REQUIRE(source.roles.size() == 3);
  CHECK(source.roles[0].arn == "arn:inner");
  CHECK(source.roles[0].session_name == "nbform-1800000000");
  CHECK(source.roles[1].arn == "arn:outer");
  CHECK(source.roles[1].session_name == "me");
  CHECK(source.roles[1].external_id == "x");
  CHECK(source.roles[1].mfa_serial == "arn:mfa");
  CHECK(source.roles[1].duration_seconds == 1800);
  CHECK(source.roles[2].from == "clouds.aws.assume_role");
  CHECK(source.description() == "role arn:top through profile inner in /h/.aws/credentials");
}

TEST_CASE("credential_source names the environment, the instance or the container") {
  FakeEnv env = with_files("[profile p]\nrole_arn = arn:r\ncredential_source = Environment\n");
  CHECK(description(env, "p").find("AWS_ACCESS_KEY_ID is not set") != std::string::npos);
  env.variables["AWS_ACCESS_KEY_ID"] = "ENV";
  env.variables["AWS_SECRET_ACCESS_KEY"] = "s";
  CHECK(description(env, "p") == "role arn:r through AWS_ACCESS_KEY_ID");
  env.files["/h/.aws/config"] = "[profile p]\nrole_arn = arn:r\ncredential_source = Ec2InstanceMetadata\n";
  CHECK(find(env, "p")->kind == Kind::instance);
  env.files["/h/.aws/config"] = "[profile p]\nrole_arn = arn:r\ncredential_source = EcsContainer\n";
  CHECK(description(env, "p").find("no variable AWS_CONTAINER_CREDENTIALS_") != std::string::npos);
  env.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://localhost/x";
  CHECK(find(env, "p")->kind == Kind::container);
}

TEST_CASE("a profile that contradicts itself is an error at its line, without its secrets") {
  struct Case {
    const char* config;
    const char* said;
    int line;
  };
  for (const Case& c : std::vector<Case>{
           {"[default]\nrole_arn = r\n", "role_arn needs either source_profile or credential_source.", 2},
           {"[default]\nrole_arn = r\nsource_profile = a\ncredential_source = Environment\n",
            "role_arn needs either source_profile or credential_source.", 2},
           {"[default]\nrole_arn = r\ncredential_source = Elsewhere\n",
            "credential_source must be Environment, Ec2InstanceMetadata or EcsContainer.", 3},
           {"[default]\nrole_arn = r\nsource_profile = default\n",
            "source_profile names the profile itself, which has no keys.", 3},
           {"[default]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn = r\nsource_profile = "
            "default\n",
            "source_profile goes in a circle: default -> b -> default.", 6},
           {"[default]\nrole_arn = r\nsource_profile = b\n[profile b]\nregion = x\n",
            "its source, the profile b, has no credentials.", 3},
           {"[default]\nrole_arn = r\nsource_profile = b\nduration_seconds = 1h\n[profile b]\n"
            "aws_access_key_id = A\naws_secret_access_key = canary\n",
            "duration_seconds must be a number from 900 to 43200.", 4},
           {"[default]\naws_access_key_id = A\n", "aws_access_key_id stands without aws_secret_access_key.",
            2},
           {"[default]\nweb_identity_token_file = /t\n", "web_identity_token_file needs role_arn.", 2},
           {"[default]\nsso_account_id = 1\n", "sso_start_url is missing.", 1},
           {"[default]\nsso_account_id = 1\nsso_session = s\n", "there is no [sso-session s].", 3},
           {"[default]\nsso_account_id = 1\nsso_role_name = r\nsso_session = s\nsso_region = us-east-2\n"
            "[sso-session s]\nsso_region = us-east-1\nsso_start_url = u\n",
            "sso_region differs from that of [sso-session s].", 5},
           {"[default]\ncredential_process = 'open\n", "credential_process is empty or leaves a quote open.",
            2},
       }) {
    FakeEnv env = with_files(c.config);
    auto source = find(env);
    REQUIRE_FALSE(source.ok());
    CHECK(source.error().code == Code::unauthenticated);
    CHECK(source.error().detail.find(c.said) != std::string::npos);
    CHECK(source.error().mark.line == c.line);
    CHECK(source.error().mark.file == "/h/.aws/config");
    CHECK(source.error().detail.find("canary") == std::string::npos);
  }
}

TEST_CASE("what was passed over is remembered") {
  FakeEnv env = with_files("[default]\nregion = us-east-1\nlogin_session = x\n");
  auto tried = find(env)->tried;
  auto says = [&](std::string_view part) {
    return std::any_of(tried.begin(), tried.end(),
                       [&](const std::string& t) { return t.find(part) != std::string::npos; });
  };
  CHECK(says("AWS_ACCESS_KEY_ID is not set"));
  CHECK(says("/h/.aws/credentials does not exist"));
  CHECK(says("the profile default has no keys"));
  CHECK(says("login_session"));
  CHECK(says("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"));
}
