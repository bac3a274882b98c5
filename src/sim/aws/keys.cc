// Key pairs: imported ones only. A key's id is its name on the shelf; names are unique in a region.
#include <fmt/format.h>

#include <algorithm>

#include "base/crypto.h"
#include "base/text.h"
#include "sim/aws/describe.h"
#include "sim/aws/keys.h"
#include "sim/aws/ssh_key.h"
#include "sim/aws/tags.h"
#include "sim/aws/xml.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

std::string key_named(Region& region, std::string_view name) {
  for (const auto& [key, pair] : region.all("key-pairs"))
    if (pair["keyName"].as_text() == name) return key.name;
  return {};
}

namespace {

Result<Value> import_key(Region& region, const Value& in) {
  std::string_view name = in["KeyName"].as_text();
  if (name.empty() || name.size() > 255)
    return refuse("InvalidParameterValue", "Invalid value for keyName. Must be 1 to 255 characters.");
  if (!key_named(region, name).empty())
    return refuse("InvalidKeyPair.Duplicate", fmt::format("The keypair '{}' already exists.", name));
  auto text = base64_decode(in["PublicKeyMaterial"].as_text());
  auto key = text ? read_ssh_key(*text) : std::nullopt;
  if (!key) return refuse("InvalidKey.Format", "Key is not in valid OpenSSH public key format");
  Value tags = NB_TRY(tags_for(in, "key-pair"));
  std::string id = region.new_id("key-");
  region.put("key-pairs", id,
             Map{{"keyPairId", id},
                 {"keyName", name},
                 {"keyType", key->type},
                 {"keyFingerprint", key->fingerprint},
                 {"publicKey", trim(*text)},
                 {"createTime", stamp(region.now())},
                 {"tagSet", tags}});
  region.note("insert", "key-pairs", id, Map{{"keyName", name}, {"tagSet", tags}});
  return Value(
      Map{{"keyName", name}, {"keyFingerprint", key->fingerprint}, {"keyPairId", id}, {"tagSet", tags}});
}

constexpr FilterRule kKeyRules[] = {
    {"key-name", "keyName"}, {"key-pair-id", "keyPairId"}, {"fingerprint", "keyFingerprint"}};

Result<Value> describe_keys(Region& region, const Value& in) {
  List ids = in["KeyPairId"].as_list();
  for (const std::string& name : texts(in["KeyName"])) {
    std::string id = key_named(region, name);
    if (id.empty() || !region.visible(region.get("key-pairs", id)))
      return refuse("InvalidKeyPair.NotFound", fmt::format("The key pair '{}' does not exist", name));
    ids.push_back(id);
  }
  Value asked = in;
  asked.map().set("ids", ids);
  bool with_key = in["IncludePublicKey"].as_bool();
  auto whole = [](Region&, const Value& wire) { return wire; };
  auto without = [](Region&, const Value& wire) {
    Value out = wire;
    out.map().erase("publicKey");
    return out;
  };
  return describe(region, asked,
                  {"key-pairs", "ids", "keySet", kKeyRules, {5, 1'000'000}, with_key ? +whole : +without});
}

// An absent key is no error.
Result<Value> delete_key(Region& region, const Value& in) {
  std::string id = in["KeyPairId"].is_null() ? key_named(region, in["KeyName"].as_text())
                                             : std::string(in["KeyPairId"].as_text());
  if (in["KeyPairId"].is_null() && in["KeyName"].is_null())
    return refuse("MissingParameter", "The request must contain the parameter KeyName or KeyPairId");
  if (region.find("key-pairs", id) == nullptr) return Value(Map{{"return", true}});
  region.note("delete", "key-pairs", id);
  region.erase("key-pairs", id);
  return Value(Map{{"return", true}, {"keyPairId", id}});
}

constexpr Action kActions[] = {
    {"ImportKeyPair", import_key}, {"DescribeKeyPairs", describe_keys}, {"DeleteKeyPair", delete_key}};

}  // namespace

std::span<const Action> key_actions() {
  return kActions;
}

}  // namespace nbform::sim::aws
