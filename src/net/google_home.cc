#include "net/google_home.h"

#include <fmt/format.h>

#include <map>

#include "base/json.h"
#include "base/text.h"
#include "net/google_credentials.h"

namespace nbform {

namespace {

constexpr std::size_t kMaxFile = 1 << 20;

std::string config_directory(Env& env) {
  if (auto named = env.env_var("CLOUDSDK_CONFIG")) return *named;
  return env.env_var("HOME").value_or("") + "/.config/gcloud";
}

// The "section/key" pairs of gcloud's active configuration.
std::map<std::string, std::string> active_configuration(Env& env) {
  std::string name = env.env_var("CLOUDSDK_ACTIVE_CONFIG_NAME").value_or("");
  if (auto active = env.read_file(config_directory(env) + "/active_config", kMaxFile);
      name.empty() && active.ok())
    name = trim(*active);
  if (name.empty()) name = "default";
  if (name.find('/') != std::string::npos) return {};
  auto text =
      env.read_file(fmt::format("{}/configurations/config_{}", config_directory(env), name), kMaxFile);
  if (!text.ok()) return {};
  std::map<std::string, std::string> settings;
  std::string section;
  for (std::string_view line : split(*text, '\n')) {
    line = trim(line);
    if (line.starts_with('[') && line.ends_with(']')) section = trim(line.substr(1, line.size() - 2));
    auto equals = line.find('=');
    if (equals == std::string_view::npos || line.starts_with('#') || line.starts_with(';')) continue;
    settings[fmt::format("{}/{}", section, trim(line.substr(0, equals)))] = trim(line.substr(equals + 1));
  }
  return settings;
}

struct Found {
  std::string value, from;
};

Found find(Env& env, std::initializer_list<const char*> variables,
           const std::map<std::string, std::string>& settings, const char* setting) {
  for (const char* name : variables)
    if (auto value = env.env_var(name)) return {*value, name};
  auto at = settings.find(setting);
  if (at != settings.end() && !at->second.empty()) return {at->second, "gcloud's configuration"};
  return {};
}

Found project_of_key_file(Env& env) {
  auto file = google_credential_file(env);
  if (!file.ok() || !*file) return {};
  auto json = parse_json((*file)->text.reveal());
  if (!json.ok()) return {};
  std::string project((*json)["project_id"].as_text());
  return project.empty() ? Found{} : Found{project, (*file)->source};
}

}  // namespace

std::string google_adc_path(Env& env) {
  return config_directory(env) + "/application_default_credentials.json";
}

Result<std::optional<CredentialFile>> google_credential_file(Env& env) {
  if (auto named = env.env_var("GOOGLE_APPLICATION_CREDENTIALS")) {
    auto text = env.read_file(*named, kMaxFile);
    if (text.ok())
      return std::optional(
          CredentialFile{fmt::format("{} (GOOGLE_APPLICATION_CREDENTIALS)", *named), Secret(*text)});
    return error(Code::unauthenticated, "A Google credential file cannot be used",
                 fmt::format("GOOGLE_APPLICATION_CREDENTIALS: {}", text.error().detail));
  }
  auto text = env.read_file(google_adc_path(env), kMaxFile);
  if (text.ok()) return std::optional(CredentialFile{google_adc_path(env), Secret(*text)});
  if (text.error().code == Code::not_found) return std::optional<CredentialFile>();
  return text.error();
}

GoogleDefaults google_defaults(Env& env) {
  auto settings = active_configuration(env);
  Found project = find(env, {"GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT", "GCLOUD_PROJECT"}, settings,
                       "core/project");
  if (project.value.empty()) project = project_of_key_file(env);
  Found region = find(env, {"CLOUDSDK_COMPUTE_REGION", "GOOGLE_REGION"}, settings, "compute/region");
  Found zone = find(env, {"CLOUDSDK_COMPUTE_ZONE", "GOOGLE_ZONE"}, settings, "compute/zone");
  return {project.value, region.value, zone.value, project.from, region.from, zone.from};
}

void google_defaults(Env& env, std::function<void(GoogleDefaults)> done) {
  GoogleDefaults found = google_defaults(env);
  bool ask = found.project.empty() && !iequals(env.env_var("NO_GCE_CHECK").value_or(""), "true");
  if (!ask) {
    env.after(Duration(0), [found, done = std::move(done)] { done(found); });
    return;
  }
  Lookup lookup = [&env](const std::string& name) { return env.env_var(name); };
  Request request{.url = metadata_url(lookup, "project/project-id"),
                  .headers = {{"Metadata-Flavor", "Google"}},
                  .timeout = std::chrono::seconds(3),
                  .max_body = 4096};
  env.send(std::move(request), [found, done = std::move(done)](Result<Response> answer) mutable {
    bool genuine = answer.ok() && answer->ok() && header(answer->headers, "metadata-flavor") == "Google";
    if (genuine) {
      found.project = trim(answer->body);
      found.project_from = "metadata server";
    }
    done(found);
  });
}

}  // namespace nbform
