#include "manifest/load.h"

#include <fmt/format.h>

#include <algorithm>

#include "manifest/named_files.h"
#include "manifest/notebooks.h"
#include "manifest/rules.h"

namespace nbform {
namespace {

// What the first run of a pipeline must not leave to the machine it happens to run on (design: defaults).
void require_places_in_ci(const StackFiles& stack, const std::vector<Built>& all, const Vars& vars,
                          FileAccess& access, Report& report) {
  for (const Built& b : all) {
    const Notebook& nb = b.notebook;
    std::string type = cloud_type(nb.service);
    auto it = stack.clouds.find(nb.cloud);
    bool written =
        it != stack.clouds.end() && (type == "gcp" ? it->second.project.set() : it->second.region.set());
    if (type.empty() || written) continue;
    auto ci = vars.environment.find("CI");
    if (ci == vars.environment.end()) return access.want(Wanted::Kind::environment, "CI");
    if (!ci->second || ci->second->empty() || *ci->second == "false") return;
    std::string key = type == "gcp" ? "project" : "region";
    report.error(
        b.service, "Missing key",
        fmt::format(
            "Where CI is set, the {} is not taken from the environment: `clouds.{}.{}` must be in the file.",
            key, nb.cloud, key),
        fmt::format("  clouds: {{{}: {{{}: ...}}}}", nb.cloud, key));
    return;
  }
}

bool wants_default_key(const Notebook& nb) {
  return (nb.service == "gce" || nb.service == "ec2") && nb.access.ssh.keys.absent();
}

void add_implied_clouds(Manifest& manifest) {
  for (const Notebook& nb : manifest.notebooks) {
    std::string type = cloud_type(nb.service);
    if (type.empty() || manifest.clouds.count(nb.cloud) != 0) continue;
    Cloud cloud;
    cloud.name = nb.cloud;
    cloud.type = type;
    manifest.clouds[nb.cloud] = std::move(cloud);
  }
}

Manifest assemble(StackFiles stack, std::vector<Built> built, const Files& files) {
  Manifest m;
  m.stack = std::move(stack.stack);
  m.lock = std::move(stack.lock);
  m.clouds = std::move(stack.clouds);
  m.policies = std::move(stack.policies);
  m.notebooks.reserve(built.size());
  for (Built& b : built) m.notebooks.push_back(std::move(b.notebook));
  for (std::uint32_t i = 0; i < files.size(); ++i)
    if (files.quotable(i)) m.files.push_back({files.shown(i), files.text(i)});
  add_implied_clouds(m);
  return m;
}

}  // namespace

namespace {

// Asked for before anything is merged: most stacks need them, and merging twice costs more than reading three
// files.
void want_always(FileAccess& access, const Vars& vars) {
  if (vars.environment.count("CI") == 0) access.want(Wanted::Kind::environment, "CI");
  default_ssh_key(access);
}

}  // namespace

Loaded load(const Sources& sources, const Vars& vars) {
  Loaded out;
  Files files;
  Report report(files);
  FileAccess access(sources, files, report, out.wanted);
  want_always(access, vars);
  StackFiles stack = read_stack_files(access, files, vars, report);
  if (!out.wanted.empty()) return out;
  std::vector<Built> built = build_notebooks(stack, access, files, report);
  std::optional<SshKey> default_key;
  if (std::any_of(built.begin(), built.end(), [](const Built& b) { return wants_default_key(b.notebook); }))
    default_key = default_ssh_key(access);
  check_names(built, report);
  check_old_names(built, report);
  require_places_in_ci(stack, built, vars, access, report);
  if (!out.wanted.empty()) return out;
  if (!report.has_errors()) {
    out.manifest = assemble(std::move(stack), std::move(built), files);
    out.manifest->default_key = std::move(default_key);
  }
  out.diagnostics = report.take();
  return out;
}

}  // namespace nbform
