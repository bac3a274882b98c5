// How a key is let into a VM while it lives: its metadata, or OS Login where that rules (guest agent;
// OS Login API v1).
#include <fmt/format.h>

#include "base/google_error.h"
#include "base/json.h"
#include "base/text.h"
#include "cloud/gce/connect_keys.h"
#include "cloud/gce/gce.h"
#include "cloud/gce/instance_steps.h"
#include "cloud/key_way.h"

namespace nbform::gce {

namespace {

// One write a day and person, however often one connects; and what is left behind is over by tomorrow.
constexpr Duration kLifetime = std::chrono::hours(24);

std::string_view metadata_text(const Live& vm, std::string_view key) {
  const Value* value = live_value(vm, "metadata").as_map().find(key);
  return value != nullptr ? value->as_text() : std::string_view();
}

class MetadataKeys final : public KeyWay {
 public:
  std::string_view name() const override { return "the VM's metadata"; }
  std::string_view label() const override { return "metadata"; }
  std::string_view takes() const override {
    return "compute.instances.setMetadata and, on the VM's service account, iam.serviceAccounts.actAs";
  }
  Duration lifetime() const override { return kLifetime; }
  bool lets_in(const Live& vm, const KeyGrant& grant) const override {
    return lets_key_in(metadata_text(vm, "ssh-keys"), grant.user, grant.key, grant.until);
  }
  Call let_in(const Live& vm, const KeyGrant& grant, std::string_view request_id) const override {
    Map metadata = live_value(vm, "metadata").as_map();
    metadata.set("ssh-keys", with_connect_line(metadata_text(vm, "ssh-keys"),
                                               connect_line(grant.user, grant.key, grant.until), grant.now));
    return metadata_call(vm, metadata, request_id);
  }
  Settlement settle(const Scope& scope, const Response& answer) const override {
    return settle_operation(scope, answer);
  }
};

class OsLogin final : public KeyWay {
 public:
  std::string_view name() const override { return "OS Login"; }
  std::string_view label() const override { return name(); }
  std::string_view takes() const override {
    return "roles/compute.osLogin (with sudo: roles/compute.osAdminLogin) and, on the VM's service account, "
           "roles/iam.serviceAccountUser";
  }
  Duration lifetime() const override { return kLifetime; }
  bool rules_logins() const override { return true; }
  bool wants_caller() const override { return true; }
  std::optional<Diagnostic> hindrance(const Live& vm) const override {
    if (!is_metadata_true(metadata_text(vm, "enable-oslogin-2fa"))) return std::nullopt;
    return error(Code::unsupported, "A key alone does not let in",
                 "The VM's metadata has enable-oslogin-2fa: OS Login asks for a second factor, which nbform "
                 "cannot give.")
        .with_hint("Take it off the VM, or sign in by hand:\n    gcloud compute ssh " + vm.name);
  }
  bool lets_in(const Live&, const KeyGrant&) const override { return false; }  // the VM does not tell
  Call let_in(const Live& vm, const KeyGrant& grant, std::string_view) const override {
    Call call{"oslogin",
              "POST",
              fmt::format("users/{}:importSshPublicKey", percent_encode(grant.caller)),
              {{"projectId", vm.scope.account}},
              {}};
    call.body = Map{{"expirationTimeUsec", std::to_string(grant.until.us)}, {"key", grant.key}};
    return call;
  }
  Settlement settle(const Scope&, const Response& answer) const override {
    Settlement out;
    if (answer.ok()) return out;
    out.state = Settlement::State::failed;
    out.failure = google_error(answer);
    return out;
  }
  Result<std::string> login(const Value& answer, const KeyGrant& grant) const override {
    const Value* account = nullptr;
    for (const Value& one : answer.at_path("loginProfile/posixAccounts").as_list())
      if (account == nullptr || one["primary"].as_bool()) account = &one;
    std::string name(account != nullptr ? (*account)["username"].as_text() : "");
    constexpr std::string_view kLegal = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    bool legal = name.find_first_not_of(kLegal) == std::string::npos && !name.starts_with('-');
    if (!name.empty() && legal) return name;
    return error(Code::unavailable, "OS Login gives no account",
                 fmt::format("{} has no POSIX account in the project.", grant.caller));
  }
};

}  // namespace

const KeyWay& key_way(const Live& vm) {
  static const MetadataKeys metadata;
  static const OsLogin os_login;
  return live_value(vm, "os_login").as_bool() ? static_cast<const KeyWay&>(os_login) : metadata;
}

}  // namespace nbform::gce
