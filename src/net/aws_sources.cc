#include "net/aws_sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace nbform {

namespace {

using Kind = AwsSource::Kind;
using Found = std::optional<AwsSource>;

// Where the chain stands: which profiles it came through, so that a circle is seen.
class Chain {
 public:
  Chain(const AwsHome& home, Time now) : home_(home), now_(now) {}

  Result<Found> environment(AwsSource& note) const;
  // `own`: the profile in use, to which the variables of a web identity belong.
  Result<Found> profile(const IniSection& section, bool own);
  Found container() const;

 private:
  Diagnostic wrong(const IniSection& section, std::string_view key, std::string why) const;
  Result<AwsRole> role_of(const IniSection& section, std::string from) const;
  Result<Found> assumed(const IniSection& section);
  Result<AwsSource> base_of_role(const IniSection& section);
  Result<AwsSource> named_source(const IniSection& section);
  Result<Found> web_identity(const IniSection& section, bool own) const;
  Result<Found> sso(const IniSection& section) const;
  Result<Found> process(const IniSection& section) const;
  Result<Found> keys(const IniSections& file, const std::string& path, const std::string& name) const;

  const AwsHome& home_;
  Time now_;
  std::vector<std::string> path_;  // names of profiles
};

std::string of_profile(const IniSection& section) {
  return "profile " + section.name;
}

Result<Found> Chain::environment(AwsSource& note) const {
  if (home_.is_chosen) {
    note.tried.push_back("AWS_ACCESS_KEY_ID does not count, as clouds.aws.profile is given");
    return Found();
  }
  auto id = home_.env("AWS_ACCESS_KEY_ID"), secret = home_.env("AWS_SECRET_ACCESS_KEY");
  if (!id) {
    note.tried.push_back("AWS_ACCESS_KEY_ID is not set");
    return Found();
  }
  if (!secret)
    return error(Code::unauthenticated, "AWS credentials cannot be used",
                 "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not.");
  auto token = home_.env("AWS_SESSION_TOKEN");
  if (!token) token = home_.env("AWS_SECURITY_TOKEN");
  AwsSource found{.kind = Kind::keys, .from = "AWS_ACCESS_KEY_ID"};
  found.keys.keys = {*id, Secret(*secret), Secret(token.value_or(""))};
  if (auto until = home_.env("AWS_CREDENTIAL_EXPIRATION")) found.keys.expires = parse_rfc3339(*until);
  return Found(std::move(found));
}

Diagnostic Chain::wrong(const IniSection& section, std::string_view key, std::string why) const {
  const IniSetting* setting = section.find(key);
  return error(Code::unauthenticated, "An AWS profile cannot be used",
               fmt::format("The profile {}: {}", section.name, why))
      .at(setting != nullptr ? setting->mark : section.mark);
}

Result<Found> Chain::profile(const IniSection& section, bool own) {
  path_.push_back(section.name);
  if (section.has("role_arn") && !section.has("web_identity_token_file")) return assumed(section);
  if (Found found = NB_TRY(web_identity(section, own))) return found;
  if (Found found = NB_TRY(sso(section))) return found;
  const AwsFiles& files = home_.files;
  if (Found found = NB_TRY(keys(files.credentials, files.credentials_path, section.name))) return found;
  if (Found found = NB_TRY(process(section))) return found;
  return keys(files.config, files.config_path, section.name);
}

Result<AwsRole> Chain::role_of(const IniSection& section, std::string from) const {
  AwsRole role{.arn = section.text("role_arn"),
               .session_name = section.text("role_session_name"),
               .external_id = section.text("external_id"),
               .mfa_serial = section.text("mfa_serial"),
               .from = std::move(from)};
  if (role.session_name.empty()) role.session_name = fmt::format("nbform-{}", now_.seconds());
  std::string duration = section.text("duration_seconds");
  if (duration.empty()) return role;
  auto [end, ec] = std::from_chars(duration.data(), duration.data() + duration.size(), role.duration_seconds);
  bool fits = ec == std::errc() && end == duration.data() + duration.size() && role.duration_seconds >= 900 &&
              role.duration_seconds <= 43'200;
  if (fits) return role;
  return wrong(section, "duration_seconds", "duration_seconds must be a number from 900 to 43200.");
}

Result<Found> Chain::assumed(const IniSection& section) {
  AwsSource found = NB_TRY(base_of_role(section));
  found.roles.push_back(NB_TRY(role_of(section, of_profile(section))));
  return Found(std::move(found));
}

Result<AwsSource> Chain::base_of_role(const IniSection& section) {
  std::string source = section.text("credential_source");
  if (section.has("source_profile") == section.has("credential_source"))
    return wrong(section, "role_arn", "role_arn needs either source_profile or credential_source.");
  if (source.empty()) return named_source(section);
  if (source == "Ec2InstanceMetadata")
    return AwsSource{.kind = Kind::instance, .from = "instance metadata service"};
  if (source == "EcsContainer") {
    if (Found found = container()) return *std::move(found);
    return wrong(section, "credential_source",
                 "credential_source is EcsContainer; no variable AWS_CONTAINER_CREDENTIALS_... is set.");
  }
  if (source != "Environment")
    return wrong(section, "credential_source",
                 "credential_source must be Environment, Ec2InstanceMetadata or EcsContainer.");
  AwsHome any = home_;
  any.is_chosen = false;  // asked for by name
  AwsSource note;
  if (Found found = NB_TRY(Chain(any, now_).environment(note))) return *std::move(found);
  return wrong(section, "credential_source",
               "credential_source is Environment; AWS_ACCESS_KEY_ID is not set.");
}

Result<AwsSource> Chain::named_source(const IniSection& section) {
  std::string name = section.text("source_profile");
  if (name == section.name) {  // a profile of keys that are only good for assuming its role
    const AwsFiles& files = home_.files;
    if (Found found = NB_TRY(keys(files.credentials, files.credentials_path, name))) return *std::move(found);
    if (Found found = NB_TRY(keys(files.config, files.config_path, name))) return *std::move(found);
    return wrong(section, "source_profile", "source_profile names the profile itself, which has no keys.");
  }
  if (std::find(path_.begin(), path_.end(), name) != path_.end())
    return wrong(section, "source_profile",
                 fmt::format("source_profile goes in a circle: {} -> {}.", join(path_, " -> "), name));
  IniSection source = NB_TRY(aws_profile(home_.files, name, "source_profile of " + of_profile(section)));
  if (Found found = NB_TRY(profile(source, false))) return *std::move(found);
  return wrong(section, "source_profile",
               fmt::format("its source, the profile {}, has no credentials.", name));
}

Result<Found> Chain::web_identity(const IniSection& section, bool own) const {
  AwsSource found{.kind = Kind::web_identity};
  auto file = own && !home_.is_chosen ? home_.env("AWS_WEB_IDENTITY_TOKEN_FILE") : std::nullopt;
  if (file) {
    found.from = "AWS_WEB_IDENTITY_TOKEN_FILE";
    found.token_file = *file;
    found.web_role = {
        .arn = home_.env("AWS_ROLE_ARN").value_or(""),
        .session_name = home_.env("AWS_ROLE_SESSION_NAME").value_or(fmt::format("nbform-{}", now_.seconds())),
        .from = found.from};
    if (found.web_role.arn.empty())
      return error(Code::unauthenticated, "AWS credentials cannot be used",
                   "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not.");
    return Found(std::move(found));
  }
  found.token_file = below_home(home_.env, section.text("web_identity_token_file"));
  if (found.token_file.empty()) return Found();
  if (!section.has("role_arn"))
    return wrong(section, "web_identity_token_file", "web_identity_token_file needs role_arn.");
  found.from = of_profile(section);
  found.web_role = NB_TRY(role_of(section, found.from));
  return Found(std::move(found));
}

Result<Found> Chain::sso(const IniSection& section) const {
  if (!section.has("sso_account_id") && !section.has("sso_role_name")) return Found();
  AwsSource found{.kind = Kind::sso, .from = of_profile(section) + " (SSO)"};
  found.sso = {.start_url = section.text("sso_start_url"),
               .region = section.text("sso_region"),
               .account = section.text("sso_account_id"),
               .role = section.text("sso_role_name"),
               .session = section.text("sso_session"),
               .profile = section.name};
  AwsSso& sso = found.sso;
  if (!sso.session.empty()) {
    auto session = home_.files.sso_sessions.find(sso.session);
    if (session == home_.files.sso_sessions.end())
      return wrong(section, "sso_session",
                   fmt::format("there is no [sso-session {}].", printable(sso.session)));
    for (auto [key, value] :
         {std::pair("sso_start_url", &sso.start_url), std::pair("sso_region", &sso.region)}) {
      std::string shared = session->second.text(key);
      if (!value->empty() && *value != shared)
        return wrong(section, key,
                     fmt::format("{} differs from that of [sso-session {}].", key, sso.session));
      *value = shared;
    }
  }
  for (auto [key, value] : {std::pair("sso_start_url", &sso.start_url), std::pair("sso_region", &sso.region),
                            std::pair("sso_account_id", &sso.account), std::pair("sso_role_name", &sso.role)})
    if (value->empty()) return wrong(section, key, fmt::format("{} is missing.", key));
  return Found(std::move(found));
}

Result<Found> Chain::process(const IniSection& section) const {
  if (!section.has("credential_process")) return Found();
  AwsSource found{.kind = Kind::process, .from = of_profile(section) + " (credential_process)"};
  auto words = shell_words(section.text("credential_process"));
  if (!words || words->empty())
    return wrong(section, "credential_process", "credential_process is empty or leaves a quote open.");
  found.program = *std::move(words);
  return Found(std::move(found));
}

Result<Found> Chain::keys(const IniSections& file, const std::string& path, const std::string& name) const {
  auto at = file.find(name);
  if (at == file.end() || !at->second.has("aws_access_key_id")) return Found();
  const IniSection& section = at->second;
  if (!section.has("aws_secret_access_key"))
    return wrong(section, "aws_access_key_id", "aws_access_key_id stands without aws_secret_access_key.");
  AwsSource found{.kind = Kind::keys, .from = fmt::format("profile {} in {}", name, path)};
  std::string token = section.text("aws_session_token");
  if (token.empty()) token = section.text("aws_security_token");
  found.keys.keys = {section.text("aws_access_key_id"), section.find("aws_secret_access_key")->value,
                     Secret(std::move(token))};
  return Found(std::move(found));
}

Found Chain::container() const {
  for (const char* variable :
       {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"})
    if (home_.env(variable)) return AwsSource{.kind = Kind::container, .from = variable};
  return std::nullopt;
}

// Why the files gave nothing.
void note_files(const AwsHome& home, std::vector<std::string>& tried) {
  const AwsFiles& files = home.files;
  if (!home.is_chosen) tried.push_back("AWS_WEB_IDENTITY_TOKEN_FILE is not set");
  for (auto [exists, path] : {std::pair(files.has_credentials, &files.credentials_path),
                              std::pair(files.has_config, &files.config_path)})
    if (!exists) tried.push_back(*path + " does not exist");
  if (!files.has_config && !files.has_credentials) return;
  if (!files.profile(home.profile)) {
    tried.push_back(fmt::format("there is no profile {}", home.profile));
    return;
  }
  tried.push_back(
      fmt::format("the profile {} has no keys, role, web identity, SSO or credential_process", home.profile));
  if (home.settings.has("login_session"))
    tried.push_back("its login_session (aws login) is not supported: use aws configure sso");
}

Result<AwsSource> first_hit(const AwsHome& home, Time now) {
  AwsSource note{.kind = Kind::instance, .from = "instance metadata service"};
  Chain chain(home, now);
  if (Found found = NB_TRY(chain.environment(note))) return *std::move(found);
  IniSection section = home.settings;
  section.name = home.profile;
  if (Found found = NB_TRY(chain.profile(section, true))) return *std::move(found);
  note_files(home, note.tried);
  if (Found found = chain.container()) return *std::move(found);
  note.tried.push_back("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set");
  return note;
}

}  // namespace

std::string AwsSource::description() const {
  if (!roles.empty()) return fmt::format("role {} through {}", roles.back().arn, from);
  if (kind == Kind::web_identity) return fmt::format("role {} through {}", web_role.arn, from);
  if (kind == Kind::sso) return fmt::format("role {} of account {}, {}", sso.role, sso.account, from);
  return from;
}

Result<AwsSource> find_aws_source(const AwsHome& home, const std::string& assume_role, Time now) {
  AwsSource found = NB_TRY(first_hit(home, now));
  if (!assume_role.empty())
    found.roles.push_back({.arn = assume_role,
                           .session_name = fmt::format("nbform-{}", now.seconds()),
                           .from = "clouds.aws.assume_role"});
  return found;
}

Diagnostic no_aws_credentials(const std::vector<std::string>& tried) {
  return error(Code::unauthenticated, "No AWS credentials", "Tried: " + join(tried, "; ") + ".")
      .with_hint(
          "Log in:\n  aws configure sso\nor set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a "
          "profile in "
          "AWS_PROFILE");
}

}  // namespace nbform
