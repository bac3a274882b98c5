#include "net/aws_home.h"

#include <fmt/format.h>

#include "base/text.h"

namespace nbform {

namespace {

constexpr std::size_t kMaxFile = 1 << 20;

struct File {
  bool exists = false;
  std::vector<IniSection> sections;
};

Result<File> read_sections(Env& env, const std::string& path) {
  auto text = env.read_file(path, kMaxFile);
  if (!text.ok() && text.error().code == Code::not_found) return File{};
  Result<std::vector<IniSection>> sections =
      text.ok() ? parse_ini(*text, path) : Result<std::vector<IniSection>>(text.error());
  if (sections.ok()) return File{true, std::move(sections).value()};
  Diagnostic d = std::move(sections).error();
  d.code = Code::unauthenticated;
  return d;
}

// "profile dev" -> {profile, dev}; "profile \"my dev\"" likewise; "default" -> {"", default}.
struct Heading {
  std::string kind, name;
};

Heading heading_of(const std::string& text) {
  auto words = shell_words(text);
  if (words && words->size() == 2) return {(*words)[0], (*words)[1]};
  return {"", text};
}

void sort_in(AwsFiles& files, IniSection section) {
  Heading heading = heading_of(section.name);
  IniSections* to = heading.kind == "profile"       ? &files.config
                    : heading.kind == "sso-session" ? &files.sso_sessions
                    : heading.kind == "services"    ? &files.services
                    : heading.name == "default"     ? &files.config
                                                    : nullptr;
  if (to == nullptr) {
    files.unmarked.push_back(section.name);
    return;
  }
  section.name = heading.name;
  // [profile default] is the same profile as [default], and wins.
  if (heading.kind.empty())
    to->emplace(heading.name, std::move(section));
  else
    to->insert_or_assign(heading.name, std::move(section));
}

std::string hint_for(const AwsFiles& files, std::string_view name) {
  for (const std::string& other : files.unmarked)
    if (other == name)
      return fmt::format("In {} its section must be called [profile {}]", files.config_path, name);
  std::vector<std::string_view> names;
  for (const IniSections* sections : {&files.config, &files.credentials})
    for (const auto& [known, section] : *sections) names.push_back(known);
  if (auto near = nearest(name, names); !near.empty()) return fmt::format("Did you mean {}?", near);
  if (names.empty()) return "Make one:\n  aws configure sso";
  return "There are: " + join({names.begin(), names.end()}, ", ");
}

std::string path_of(const Lookup& env, const char* variable, const char* usual) {
  return below_home(env, env(variable).value_or(usual));
}

}  // namespace

std::string below_home(const Lookup& env, std::string path) {
  return path.starts_with("~/") ? env("HOME").value_or("") + path.substr(1) : path;
}

std::optional<IniSection> AwsFiles::profile(std::string_view name) const {
  auto low = config.find(name), high = credentials.find(name);
  if (low == config.end() && high == credentials.end()) return std::nullopt;
  if (high == credentials.end()) return low->second;
  IniSection merged = high->second;
  if (low != config.end()) merged.settings.insert(low->second.settings.begin(), low->second.settings.end());
  return merged;
}

Result<AwsFiles> read_aws_files(Env& env) {
  Lookup lookup = [&env](const std::string& name) { return env.env_var(name); };
  AwsFiles files;
  files.config_path = path_of(lookup, "AWS_CONFIG_FILE", "~/.aws/config");
  files.credentials_path = path_of(lookup, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
  File config = NB_TRY(read_sections(env, files.config_path));
  File credentials = NB_TRY(read_sections(env, files.credentials_path));
  files.has_config = config.exists;
  files.has_credentials = credentials.exists;
  for (IniSection& section : config.sections) sort_in(files, std::move(section));
  for (IniSection& section : credentials.sections) {
    std::string name = section.name;
    files.credentials.emplace(std::move(name), std::move(section));
  }
  return files;
}

Result<IniSection> aws_profile(const AwsFiles& files, std::string_view name, std::string_view from) {
  if (auto found = files.profile(name)) return *std::move(found);
  return error(Code::unauthenticated, "There is no such AWS profile",
               fmt::format("{} names the profile {}; neither {} nor {} has it.", from, printable(name),
                           files.config_path, files.credentials_path))
      .with_hint(hint_for(files, name));
}

Result<AwsHome> read_aws_home(Env& env, std::string profile) {
  AwsHome home{.env = [&env](const std::string& name) { return env.env_var(name); }};
  home.files = NB_TRY(read_aws_files(env));
  home.is_chosen = !profile.empty();
  if (home.is_chosen) home.profile_from = "clouds.aws.profile";
  for (const char* variable : {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"}) {
    if (!profile.empty()) break;
    profile = home.env(variable).value_or("");
    if (!profile.empty()) home.profile_from = variable;
  }
  home.profile = profile.empty() ? "default" : std::move(profile);
  if (!home.profile_from.empty())
    home.settings = NB_TRY(aws_profile(home.files, home.profile, home.profile_from));
  else if (auto usual = home.files.profile(home.profile))
    home.settings = *std::move(usual);
  return home;
}

AwsRegion aws_region(const AwsHome& home, std::string given) {
  if (!given.empty()) return {std::move(given), "the manifest"};
  for (const char* variable : {"AWS_REGION", "AWS_DEFAULT_REGION"})
    if (auto value = home.env(variable)) return {*value, variable};
  std::string region = home.settings.text("region");
  return region.empty() ? AwsRegion{} : AwsRegion{region, fmt::format("profile {}", home.profile)};
}

bool aws_switch(const AwsHome& home, const char* variable, std::string_view setting) {
  if (auto value = home.env(variable)) return iequals(*value, "true");
  return iequals(home.settings.text(setting), "true");
}

}  // namespace nbform
