// What AWS's tools keep on this machine: ~/.aws/config and ~/.aws/credentials, the profile in use, the
// region. Reads files through Env; sends nothing (AWS SDKs and Tools Reference).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "net/env.h"
#include "net/ini.h"
#include "net/route.h"

namespace nbform {

using IniSections = std::map<std::string, IniSection, std::less<>>;  // by name without its kind

struct AwsFiles {
  std::string config_path, credentials_path;
  bool has_config = false, has_credentials = false;
  IniSections config;       // [default] and [profile NAME] of the config file
  IniSections credentials;  // [NAME] of the credentials file
  IniSections sso_sessions, services;
  std::vector<std::string> unmarked;  // sections of the config file that lack the word "profile"

  // Both files' settings of one profile; those of the credentials file win. None: in neither file.
  std::optional<IniSection> profile(std::string_view name) const;
};

struct AwsHome {
  Lookup env;
  AwsFiles files;
  std::string profile;       // the name in use
  std::string profile_from;  // "clouds.aws.profile", "AWS_PROFILE"; "" for the default
  bool is_chosen = false;    // by the manifest: goes before the environment's keys
  IniSection settings;       // of the profile; empty where there is none
};

// AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE. Errors: unauthenticated (a file that cannot be read or
// parsed).
Result<AwsFiles> read_aws_files(Env& env);
// `profile`: clouds.aws.profile, "" for AWS_PROFILE, AWS_DEFAULT_PROFILE or "default". Errors:
// unauthenticated, for a named profile that is in no file also.
Result<AwsHome> read_aws_home(Env& env, std::string profile = "");

// The profile that `from` names. Errors: unauthenticated, with the nearest name.
Result<IniSection> aws_profile(const AwsFiles& files, std::string_view name, std::string_view from);

struct AwsRegion {
  std::string name, from;  // "" and "" where nobody says
};
// `given` (flag or manifest), AWS_REGION, AWS_DEFAULT_REGION, the profile's region. The instance metadata
// service, which comes last, is AwsAuth's to ask.
AwsRegion aws_region(const AwsHome& home, std::string given = "");

// A switch: the variable, else the profile's setting; "true" in any case.
bool aws_switch(const AwsHome& home, const char* variable, std::string_view setting);
// "~/x" below the home directory.
std::string below_home(const Lookup& env, std::string path);

}  // namespace nbform
