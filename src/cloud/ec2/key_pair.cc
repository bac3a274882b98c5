// ec2.key_pair: the public key that the first boot installs. Its name holds its content, so another key is
// another pair, and a pair never changes. Facts: ImportKeyPair.
#include <fmt/format.h>

#include <array>

#include "base/crypto.h"
#include "cloud/ec2/ec2.h"
#include "cloud/labels.h"
#include "core/plan.h"

namespace nbform::ec2 {

namespace {

using Needs = Step::Needs;

constexpr std::array kAttrs = {
    Attr{"public_key", "ssh key", "access.ssh.keys", Mutability::create_only, Sameness::exact,
         "The key; the name of its pair is made of it.", "another key is another key pair"},
    Attr{"tags", "key pair labels", "labels", Mutability::live, Sameness::entries, "Tags.", ""},
};

Live decode_key(const Scope& scope, const Value& item) {
  Live live;
  live.kind = &key_pair_kind();
  live.scope = scope;
  live.id = item["keyPairId"].as_text();
  live.name = item["keyName"].as_text();
  Map tags = read_tags(item);
  live.owner = labels::read_owner(tags, labels::kAws);
  live.keep = KeepRule::never;
  live.attributes.set("tags", std::move(tags));
  return live;
}

std::optional<Call> import_call(const StepContext& c) {
  if (c.live != nullptr) return std::nullopt;
  const Resource& r = *c.resource;
  return call("ImportKeyPair",
              Map{{"KeyName", r.name},
                  {"PublicKeyMaterial", base64(wanted(r, "public_key").as_text())},
                  {"TagSpecification", List{tag_specification("key-pair", wanted(r, "tags").as_map())}}});
}

class KeyPairKind final : public Kind {
 public:
  std::string_view name() const override { return "ec2.key_pair"; }
  std::string_view noun() const override { return "key pair"; }
  std::span<const Attr> attrs() const override { return kAttrs; }
  Duration settles_within() const override { return kConsistent; }
  bool is_zonal() const override { return false; }

  std::vector<Step> create(const Resource&) const override {
    Step make{Needs::any, "import", "importing", import_call};
    make.makes = true;
    return {std::move(make)};
  }
  std::vector<Step> update(const std::vector<Edit>& edits) const override {
    return edits_attr(edits, "tags") ? tag_steps() : std::vector<Step>();
  }
  std::vector<Step> destroy(const Live&) const override {
    return {delete_step("DeleteKeyPair", "KeyPairId")};
  }
  std::vector<Step> forget() const override { return {untag_step()}; }

  Call read(const Scope&, std::string_view, std::string_view name) const override {
    return describe("DescribeKeyPairs", "key-name", name);
  }
  Result<std::optional<Live>> found(const Scope& scope, const Response& answer,
                                    const Value& body) const override {
    return found_item(*this, scope, answer, body["keySet"].as_list(), never_gone);
  }
  Result<Live> decode(const Scope& scope, const Value& body) const override {
    if (body["keyPairId"].as_text().empty())
      return error(Code::unavailable, "An answer lacks what every key pair has",
                   "The cloud sent a key pair without an id.");
    return decode_key(scope, body);
  }
  Settlement settle(const Scope& scope, const Response& answer) const override {
    return ec2::settle(scope, answer);
  }
  void carry_over(Live&, const Live&) const override {}

  std::vector<std::string> consequences(const Change& change) const override {
    if (change.action != Action::destroy) return {};
    return {"machines that have the key keep it"};
  }
  std::vector<std::string> notes(const Resource&, const Live&) const override { return {}; }
  std::optional<std::pair<std::string, std::string>> locate(std::string_view) const override {
    return std::nullopt;
  }
  std::string summary(const Resource&, const Attempt&) const override { return "key pair"; }
  std::string data_name(const Live& live) const override { return fmt::format("key pair {}", live.name); }
};

}  // namespace

const Kind& key_pair_kind() {
  static const KeyPairKind kind;
  return kind;
}

}  // namespace nbform::ec2
