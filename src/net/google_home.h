// What gcloud and the environment keep on this machine: the credential file, the active configuration, the
// project. Reads files through Env; sends nothing but, where asked to, the metadata server's project
// question.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/crypto.h"
#include "net/env.h"

namespace nbform {

struct CredentialFile {
  std::string source;  // "GOOGLE_APPLICATION_CREDENTIALS" or the path, for people
  Secret text;
};

// The file that GOOGLE_APPLICATION_CREDENTIALS names, which must then be readable; else gcloud's own; else
// none.
Result<std::optional<CredentialFile>> google_credential_file(Env& env);
// Where gcloud keeps its application-default credentials (CLOUDSDK_CONFIG, else ~/.config/gcloud).
std::string google_adc_path(Env& env);

// Project and place as the environment has them, each with where it came from; "" where nowhere.
struct GoogleDefaults {
  std::string project, region, zone;
  std::string project_from, region_from, zone_from;
};
// GOOGLE_CLOUD_PROJECT > CLOUDSDK_CORE_PROJECT > GCLOUD_PROJECT > gcloud's active configuration > the key
// file's project_id. No network.
GoogleDefaults google_defaults(Env& env);
// The same, and last the metadata server, asked only when no project was found.
void google_defaults(Env& env, std::function<void(GoogleDefaults)> done);

}  // namespace nbform
