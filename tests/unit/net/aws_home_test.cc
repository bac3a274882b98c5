#include "net/aws_home.h"

#include <fstream>

#include "net/real_env.h"
#include "support/catch.h"
#include "support/fake_env.h"
#include "support/scratch.h"

using namespace nbform;

namespace {

FakeEnv with_files(std::string config, std::string credentials = "") {
  FakeEnv env;
  env.variables["HOME"] = "/home/u";
  env.files["/home/u/.aws/config"] = std::move(config);
  if (!credentials.empty()) env.files["/home/u/.aws/credentials"] = std::move(credentials);
  return env;
}

std::string region(FakeEnv& env, std::string given = "") {
  AwsRegion found = aws_region(read_aws_home(env).value(), std::move(given));
  return found.name + " from " + found.from;
}

}  // namespace

TEST_CASE("a profile is both files' settings, those of the credentials file first") {
  FakeEnv env = with_files(
      "[default]\nregion = us-east-1\n[profile dev]\nregion = us-west-2\naws_access_key_id = LOW\n"
      "[profile \"two words\"]\nregion = eu-west-1\n[sso-session corp]\nsso_region = us-east-1\n"
      "[services local]\nec2 =\n  endpoint_url = http://localhost:1\n[plugins]\nx = y\n",
      "[dev]\naws_access_key_id = HIGH\n[keys-only]\naws_access_key_id = K\n");
  AwsFiles files = read_aws_files(env).value();
  CHECK(files.profile("dev")->text("aws_access_key_id") == "HIGH");
  CHECK(files.profile("dev")->text("region") == "us-west-2");
  CHECK(files.profile("two words")->text("region") == "eu-west-1");
  CHECK(files.profile("keys-only")->text("aws_access_key_id") == "K");
  CHECK_FALSE(files.profile("corp"));
  CHECK(files.sso_sessions.at("corp").text("sso_region") == "us-east-1");
  CHECK(files.services.at("local").find("ec2")->nested.at("endpoint_url") == "http://localhost:1");
}

TEST_CASE("the profile: the manifest's, AWS_PROFILE, AWS_DEFAULT_PROFILE, default") {
  FakeEnv env = with_files("[default]\nx = 0\n[profile a]\nx = 1\n[profile b]\nx = 2\n[profile c]\nx = 3\n");
  CHECK(read_aws_home(env)->profile == "default");
  CHECK(read_aws_home(env)->settings.text("x") == "0");
  env.variables["AWS_DEFAULT_PROFILE"] = "a";
  CHECK(read_aws_home(env)->settings.text("x") == "1");
  env.variables["AWS_PROFILE"] = "b";
  CHECK(read_aws_home(env)->settings.text("x") == "2");
  CHECK(read_aws_home(env)->profile_from == "AWS_PROFILE");
  CHECK_FALSE(read_aws_home(env)->is_chosen);
  AwsHome chosen = read_aws_home(env, "c").value();
  CHECK(chosen.settings.text("x") == "3");
  CHECK(chosen.is_chosen);
}

TEST_CASE("no files at all is no error; a named profile that is nowhere is one, with what may be meant") {
  FakeEnv none;
  none.variables["HOME"] = "/home/u";
  CHECK(read_aws_home(none)->profile == "default");
  FakeEnv env = with_files("[profile develop]\nx = 1\n[staging]\nx = 1\n");
  auto wrong = read_aws_home(env, "devlop");
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().code == Code::unauthenticated);
  CHECK(wrong.error().hint == "Did you mean develop?");
  CHECK(wrong.error().detail ==
        "clouds.aws.profile names the profile devlop; neither /home/u/.aws/config nor "
        "/home/u/.aws/credentials has it.");
  CHECK(read_aws_home(env, "staging").error().hint ==
        "In /home/u/.aws/config its section must be called [profile staging]");
}

TEST_CASE("files where the variables say, on a real disk; one that is broken or locked is an error") {
  Scratch dir;
  std::ofstream(dir.path("cfg")) << "[default]\nregion = sa-east-1\n";
  std::ofstream(dir.path("creds")) << "[default]\naws_access_key_id = A\nbroken\n";
  auto real = make_real_env();
  FakeEnv env;
  env.variables = {{"HOME", dir.path()}, {"AWS_CONFIG_FILE", "~/cfg"}};
  env.files[dir.path("cfg")] = real->read_file(dir.path("cfg")).value();
  CHECK(region(env) == "sa-east-1 from profile default");
  env.variables["AWS_SHARED_CREDENTIALS_FILE"] = dir.path("creds");
  env.files[dir.path("creds")] = real->read_file(dir.path("creds")).value();
  auto broken = read_aws_home(env);
  REQUIRE_FALSE(broken.ok());
  CHECK(broken.error().code == Code::unauthenticated);
  CHECK(broken.error().detail == dir.path("creds") + ":3: this is not of the form key = value.");
}

TEST_CASE("the region: given, AWS_REGION, AWS_DEFAULT_REGION, the profile's") {
  FakeEnv env = with_files("[default]\nregion = us-east-1\n");
  CHECK(region(env) == "us-east-1 from profile default");
  env.variables["AWS_DEFAULT_REGION"] = "us-east-2";
  CHECK(region(env) == "us-east-2 from AWS_DEFAULT_REGION");
  env.variables["AWS_REGION"] = "us-west-1";
  CHECK(region(env) == "us-west-1 from AWS_REGION");
  CHECK(region(env, "us-west-2") == "us-west-2 from the manifest");
  FakeEnv none;
  CHECK(aws_region(read_aws_home(none).value()).name.empty());
}
