#include "cli/aws_accounts.h"

#include <memory>
#include <set>

#include "cloud/cloud.h"

namespace nbform::cli {

namespace {

const Service* aws_service(const Notebook& notebook) {
  const Service* service = find_service(notebook.service);
  return service != nullptr && service->cloud_type() == "aws" ? service : nullptr;
}

std::set<std::string> entries_of(const Manifest& manifest) {
  std::set<std::string> names;
  for (const auto& [name, cloud] : manifest.clouds)
    if (cloud.type == "aws") names.insert(name);
  for (const Notebook& notebook : manifest.notebooks)
    if (aws_service(notebook) != nullptr) names.insert(notebook.cloud);
  return names;
}

Cloud declared(const Manifest& manifest, const std::string& entry) {
  auto it = manifest.clouds.find(entry);
  return it != manifest.clouds.end() ? it->second : Cloud();
}

struct Asked {
  std::size_t open = 0;
  std::map<std::string, Result<AwsCaller>> callers;
};

}  // namespace

std::map<std::string, AwsWireOptions> aws_entries(const Manifest& manifest, Sandbox* sandbox) {
  std::map<std::string, AwsWireOptions> out;
  for (const std::string& name : entries_of(manifest)) {
    Cloud cloud = declared(manifest, name);
    AwsWireOptions& options = out[name];
    options.auth = {cloud.profile.value_or(""), cloud.region.value_or(""), cloud.assume_role.value_or("")};
    if (sandbox != nullptr) options.sandbox = sandbox->aws_keys(cloud.account.value_or(""));
  }
  return out;
}

std::string region_of_entry(const Manifest& manifest, const std::string& entry) {
  if (Cloud cloud = declared(manifest, entry); cloud.region.set()) return *cloud.region;
  for (const Notebook& notebook : manifest.notebooks) {
    const Service* service = notebook.cloud == entry ? aws_service(notebook) : nullptr;
    if (service == nullptr) continue;
    auto scope = service->scope(notebook, {&manifest, std::string(kUnknownAccount), {}});
    if (scope.ok()) return scope->region;
  }
  return {};
}

Result<std::map<std::string, std::string>> aws_accounts(Env& env, Wire& wire, const Manifest& manifest,
                                                        const std::function<bool()>& stop) {
  auto asked = std::make_shared<Asked>();
  for (const std::string& name : entries_of(manifest)) {
    std::string region = region_of_entry(manifest, name);
    if (region.empty()) continue;  // nothing of it is looked at
    ++asked->open;
    wire.aws(name).identify(region, [asked, name](Result<AwsCaller> caller) {
      --asked->open;
      asked->callers.emplace(name, std::move(caller));
    });
  }
  while (asked->open > 0) {
    if (stop && stop()) return error(Code::cancelled, "Interrupted", "Nothing was sent.");
    if (!env.step()) bug("AWS is being asked who we are and nothing can happen");
  }
  std::map<std::string, std::string> accounts;
  for (const auto& [name, caller] : asked->callers) {
    Cloud cloud = declared(manifest, name);
    if (!caller.ok()) {
      accounts[name] = cloud.account.value_or(std::string(kUnknownAccount));
      continue;
    }
    if (Result<> same = check_account(*caller, cloud.account.value_or("")); !same.ok())
      return std::move(same).error().at(cloud.mark);
    accounts[name] = caller->account;
  }
  return accounts;
}

}  // namespace nbform::cli
