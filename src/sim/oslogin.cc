#include "sim/oslogin.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/refusal.h"
#include "sim/tokens.h"

namespace nbform::sim {

namespace {

constexpr std::string_view kPermission = "compute.instances.osLogin";
constexpr std::string_view kImport = ":importSshPublicKey";

Diagnostic bad(std::string what) {
  return refuse("badRequest", std::move(what));
}

// What stands after /v1/users/: the e-mail, and what of that person is asked for.
struct Asked {
  std::string email, what;  // ":importSshPublicKey", "/loginProfile", "/sshPublicKeys/F"
};

std::optional<Asked> read_path(const Url& url) {
  constexpr std::string_view kPrefix = "/v1/users/";
  std::string path = percent_decode(url.path);
  if (!path.starts_with(kPrefix)) return std::nullopt;
  std::string rest = path.substr(kPrefix.size());
  auto end = rest.ends_with(kImport) ? rest.size() - kImport.size() : rest.find('/');
  if (end == 0 || end == std::string::npos) return std::nullopt;
  return Asked{rest.substr(0, end), rest.substr(end)};
}

Result<> check_query(const Query& query, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : query)
    if (std::find(known.begin(), known.end(), name) == known.end())
      return bad(fmt::format(
          "Invalid JSON payload received. Unknown name \"{}\": Cannot bind query parameter.", name));
  return Ok{};
}

std::string value_of(const Query& query, std::string_view name) {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return {};
}

// "ssh-ed25519 AAAA [comment]" of one line, whose blob names the same type.
bool is_public_key(std::string_view text) {
  constexpr std::array kTypes = {
      std::string_view("ssh-ed25519"), std::string_view("ssh-rsa"), std::string_view("ecdsa-sha2-nistp256"),
      std::string_view("ecdsa-sha2-nistp384"), std::string_view("ecdsa-sha2-nistp521")};
  auto words = split(text, ' ');
  if (words.size() < 2 || text.find('\n') != std::string_view::npos) return false;
  auto blob = base64_decode(words[1]);
  bool known = std::find(kTypes.begin(), kTypes.end(), words[0]) != kTypes.end();
  return known && blob && blob->size() > 4 + words[0].size() && blob->substr(4, words[0].size()) == words[0];
}

bool is_over(const State& state, const Value& key) {
  const std::int64_t until = Value(key["expirationTimeUsec"].as_text()).as_int();
  return until != 0 && until <= state.cloud_time().us;
}

void drop_expired(State& state, const std::string& email) {
  Map left;
  for (const auto& [print, key] : state.login_keys[email])
    if (!is_over(state, key)) left.set(print, key);
  state.login_keys[email] = std::move(left);
}

// "me_example_com"; of service accounts "sa_" and a number.
std::string posix_name(const State& state, const std::string& email) {
  if (auto set = state.posix_names.find(email); set != state.posix_names.end()) return set->second;
  if (email.ends_with(".gserviceaccount.com")) {
    std::string number = "1";
    for (char c : sha256(email).substr(0, 10)) number += std::to_string(static_cast<unsigned char>(c));
    return "sa_" + number.substr(0, 21);
  }
  std::string out = to_lower(email).substr(0, 32);
  for (char& c : out)
    if ((c < 'a' || c > 'z') && (c < '0' || c > '9')) c = '_';
  return out;
}

Value profile(const State& state, const std::string& email, const std::string& project) {
  std::string name = posix_name(state, email);
  Map account{{"accountId", project.empty() ? state.options.project : project},
              {"gecos", ""},
              {"gid", "2713848513"},
              {"homeDirectory", "/home/" + name},
              {"name", fmt::format("users/{}/projects/{}", email, state.options.project)},
              {"operatingSystemType", "LINUX"},
              {"primary", true},
              {"shell", "/bin/bash"},
              {"uid", "2713848513"},
              {"username", name}};
  Map out{{"name", email}, {"posixAccounts", List{std::move(account)}}};
  const auto keys = state.login_keys.find(email);
  if (keys != state.login_keys.end() && !keys->second.empty()) out.set("sshPublicKeys", keys->second);
  return out;
}

Result<Value> import_key(State& state, const Request& request, const Query& query, const std::string& email) {
  NB_TRY(check_query(query, {"projectId", "regions", "$alt", "alt"}));
  auto body = parse_json(request.body);
  if (!body || !body->is_map()) return bad("Invalid JSON payload received.");
  for (const auto& [name, value] : body->as_map())
    if (name != "key" && name != "expirationTimeUsec")
      return bad(fmt::format("Invalid JSON payload received. Unknown name \"{}\": Cannot find field.", name));
  std::string_view key = trim((*body)["key"].as_text());
  if (!is_public_key(key)) return bad("Invalid SSH public key: key must be in OpenSSH format.");
  const Value& until = (*body)["expirationTimeUsec"];
  Map kept{{"fingerprint", hex(sha256(key))}, {"key", key}};
  if (!until.is_null()) {
    if (!until.is_text() || Value(until.as_text()).as_int() <= state.cloud_time().us)
      return bad("Invalid SSH public key: expirationTimeUsec must be in the future.");
    kept.set("expirationTimeUsec", until);
  }
  std::string print(kept.find("fingerprint")->as_text());
  kept.set("name", fmt::format("users/{}/sshPublicKeys/{}", email, print));
  state.login_keys[email].set(print, std::move(kept));
  state.note("oslogin", {value_of(query, "projectId"), "global", ""}, "sshPublicKeys/" + print,
             Map{{"email", email}});
  return Value(Map{{"loginProfile", profile(state, email, value_of(query, "projectId"))}});
}

Result<Value> delete_key(State& state, const std::string& email, const std::string& print) {
  if (!state.login_keys[email].has(print))
    return refuse("notFound", "The SSH public key with that fingerprint does not exist.");
  state.login_keys[email].erase(print);
  return Value(Map());
}

// Whoever calls sees and changes only what is their own.
Result<Value> judge(State& state, const Request& request, const Url& url) {
  state.actor = NB_TRY(bearer(state, request));
  auto asked = read_path(url);
  if (!asked) return refuse("notFound", "Method not found.");
  if (asked->email != state.actor)
    return refuse("forbidden",
                  fmt::format("The caller does not have permission to act as '{}'.", asked->email));
  if (state.denied.contains(std::string(kPermission)))
    return refuse("forbidden",
                  fmt::format("Permission '{}' denied on resource (or it may not exist).", kPermission));
  drop_expired(state, asked->email);
  const Query query = form_decode(url.query);
  constexpr std::string_view kKeys = "/sshPublicKeys/";
  if (asked->what == kImport && request.method == "POST")
    return import_key(state, request, query, asked->email);
  if (asked->what == "/loginProfile" && request.method == "GET") {
    NB_TRY(check_query(query, {"projectId", "systemId", "view", "alt"}));
    return profile(state, asked->email, value_of(query, "projectId"));
  }
  if (asked->what.starts_with(kKeys) && request.method == "DELETE")
    return delete_key(state, asked->email, asked->what.substr(kKeys.size()));
  return refuse("notFound", "Method not found.");
}

std::string_view metadata_item(const Value& metadata, std::string_view key) {
  for (const Value& item : metadata["items"].as_list())
    if (item["key"].as_text() == key) return item["value"].as_text();
  return {};
}

bool is_true(std::string_view text) {
  return iequals(text, "true") || iequals(text, "y") || iequals(text, "yes") || text == "1";
}

}  // namespace

Response answer_oslogin(State& state, const Request& request, const Url& url) {
  auto judged = judge(state, request, url);
  return judged ? json_response(200, to_json(*judged)) : rpc_refusal(judged.error());
}

Response answer_userinfo(State& state, const Request& request, const Url&) {
  auto who = bearer(state, request);
  if (!who) return rpc_refusal(who.error());
  if (request.method != "GET") return rpc_refusal(refuse("methodNotAllowed", "Only GET is accepted."));
  Map out{{"sub", "110169484474386276334"}};
  if (who->find('@') != std::string::npos)
    out = {{"email", *who}, {"email_verified", true}, {"sub", "110169484474386276334"}};
  return json_response(200, to_json(out));
}

Value effective_metadata(const State& state, const Key& key, const Value& instance) {
  Value out = Map();
  auto project = state.project_metadata.find(key.project);
  for (const auto& [name, field] :
       {std::pair("enable-oslogin", "enableOsloginMetadataValue"),
        std::pair("block-project-ssh-keys", "blockProjectSshKeysMetadataValue"),
        std::pair("enable-guest-attributes", "enableGuestAttributesMetadataValue"),
        std::pair("serial-port-enable", "serialPortEnableMetadataValue")}) {
    std::string_view own = metadata_item(instance["metadata"], name);
    if (own.empty() && project != state.project_metadata.end() && project->second.has(name))
      own = project->second.find(name)->as_text();
    out.map().set(field, is_true(own));
  }
  return out;
}

}  // namespace nbform::sim
