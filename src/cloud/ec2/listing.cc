// Reading EC2: eight lists a region, whatever the number of notebooks, folded into one Live an instance,
// volume, group and key pair. Instances are found by client token, which nobody can take off; of the others
// their tags tell.
// Facts: EC2 API Reference, Describe calls.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/crypto.h"
#include "base/text.h"
#include "cloud/ec2/instance_parts.h"
#include "cloud/labels.h"

namespace nbform::ec2 {

namespace {

constexpr int kPage = 1000, kSmallPage = 500;
constexpr std::size_t kFilterValues = 200;  // the most in one request

// EC2 cannot be asked for parts of its answers: what nobody reads is dropped while they are read.
constexpr std::string_view kInstanceFields =
    "nextToken,reservationSet(instancesSet("
    "instanceId,instanceState(name),stateReason(code),reason,launchTime,placement(availabilityZone),"
    "instanceType,instanceLifecycle,spotInstanceRequestId,imageId,keyName,rootDeviceName,"
    "blockDeviceMapping(deviceName,ebs(volumeId,deleteOnTermination)),groupSet(groupId,groupName),"
    "vpcId,subnetId,ipAddress,networkInterfaceSet(networkInterfaceId),iamInstanceProfile(arn),"
    "metadataOptions(httpTokens,httpPutResponseHopLimit),clientToken,tagSet(key,value)))";
constexpr std::string_view kTagFields = "nextToken,tagSet(resourceId)";
constexpr std::string_view kVolumeFields =
    "nextToken,volumeSet(volumeId,availabilityZone,status,size,volumeType,iops,throughput,kmsKeyId,encrypted,"
    "attachmentSet(instanceId,device,status),tagSet(key,value))";
constexpr std::string_view kGroupFields =
    "nextToken,securityGroupInfo(groupId,groupName,vpcId,ipPermissions(ipProtocol,fromPort,toPort,"
    "ipRanges(cidrIp,description),ipv6Ranges(cidrIpv6,description),groups(groupId,description),"
    "prefixListIds(prefixListId,description)),tagSet(key,value))";
constexpr std::string_view kKeyFields = "keySet(keyPairId,keyName,tagSet(key,value))";
constexpr std::string_view kRequestFields =
    "nextToken,spotInstanceRequestSet(spotInstanceRequestId,state,status(code),type,instanceId,spotPrice,"
    "instanceInterruptionBehavior,launchedAvailabilityZone,tagSet(key,value))";
constexpr std::string_view kModificationFields =
    "nextToken,volumeModificationSet(volumeId,modificationState,progress,startTime)";

ListCall list(std::string_view id, std::string_view action, std::string_view fields, List filters, int page) {
  ListCall out;
  out.id = id;
  out.size_parameter = "MaxResults";
  Map p{{"Filter", std::move(filters)}};
  if (page > 0) p.set("MaxResults", page);
  out.call = call(action, std::move(p));
  out.call.fields = fields;
  return out;
}

bool is_named(const Owner& owner) {
  return !owner.stack.empty() && !owner.notebook.empty() && !owner.part.empty();
}

bool is_forgotten(const Live& machine) {
  return machine.owner.stack.empty() && live_value(machine, "tags").as_map().has(tag::kForgotten);
}

using Lives = std::map<std::string, Live, std::less<>>;  // by id

class Ec2Listing final : public Listing {
 public:
  explicit Ec2Listing(Scope scope) : scope_(std::move(scope)) {}

  Result<std::string> add_page(std::string_view list_id, const Value& page) override {
    if (!page.is_map())
      return error(Code::unavailable, "A list cannot be read", "The answer has no members.");
    if (!add_items(list_id, page))
      return error(Code::unavailable, "A list cannot be read", "An entry of it lacks what each one has.");
    return std::string(page["nextToken"].as_text());
  }

  // Instances with tags of ours that no client token of ours leads to: adopted ones, and copies.
  std::vector<ListCall> follow_ups() const override {
    std::vector<ListCall> out;
    List ids;
    auto ask = [&] {
      if (!ids.empty())
        out.push_back(list("tagged", "DescribeInstances", kInstanceFields,
                           {filter("instance-id", std::exchange(ids, {}))}, kPage));
    };
    std::set<std::string_view> ended;
    for (const Live& machine : ended_) ended.insert(machine.id);
    for (const std::string& id : tagged_) {
      if (machines_.count(id) || forgotten_.count(id) || ended.count(id)) continue;
      ids.emplace_back(id);
      if (ids.size() == kFilterValues) ask();
    }
    ask();
    return out;
  }

  // What may hide a notebook: nothing new is made while one of these is there.
  std::vector<std::string> unreachable() const override {
    std::vector<std::string> out;
    for (const auto& [id, machine] : machines_)
      if (!is_named(owner_of(machine))) out.push_back(fmt::format("{} (its nbform tags are gone)", id));
    return out;
  }

  Folded fold() override {
    Folded all;
    add_relaunched();
    all.making = unseen_launches();
    fold_requests();
    fold_volumes();
    find_copies();
    restore_owners();
    all.maybe_hidden = incomplete_notebooks();
    for (Live& request : open_requests()) all.live.push_back(std::move(request));
    for (auto& [id, machine] : machines_) {
      count(all, machine);
      if (is_named(machine.owner)) all.live.push_back(std::move(machine));
    }
    for (Live& ended : ended_) count(all, ended);
    for (auto* others : {&forgotten_, &grouped_})
      for (auto& [id, machine] : *others)
        if (!machines_.count(id)) all.strangers.push_back(std::move(machine));
    for (auto& [id, live] : others_)
      if (!folded_.count(id)) {
        if (live.kind == &volume_kind()) count(all, live);
        all.live.push_back(std::move(live));
      }
    return all;
  }

 private:
  // False: an entry cannot be read, and must not pass for one that is not there.
  bool add_items(std::string_view list_id, const Value& page) {
    if (list_id == "instances" || list_id == "tagged") return add_instances(page, machines_);
    if (list_id == "tags") return add_tagged(page);
    if (list_id == "grouped") return add_instances(page, grouped_);
    if (list_id == "volumes") return add(volume_kind(), page["volumeSet"].as_list());
    if (list_id == "groups") return add(security_group_kind(), page["securityGroupInfo"].as_list());
    if (list_id == "keys") return add(key_pair_kind(), page["keySet"].as_list());
    if (list_id == "spot") add_requests(page);
    if (list_id == "modifications") add_modifications(page);
    return true;
  }

  template <typename Take>  // false: it cannot
  static bool each_instance(const Value& page, Take take) {
    for (const Value& reservation : page["reservationSet"].as_list())
      for (const Value& item : reservation["instancesSet"].as_list())
        if (!take(item)) return false;
    return true;
  }

  static bool is_ended(const Value& item) {
    return item.at_path("instanceState/name").as_text() == "terminated";
  }

  bool add_instances(const Value& page, Lives& to) {
    return each_instance(page, [&](const Value& item) {
      auto live = instance_kind().decode(scope_, item);
      if (!live.ok()) return false;
      if (is_forgotten(*live)) {
        if (!is_ended(item)) forgotten_.insert_or_assign(live->id, std::move(live).value());
      } else if (is_ended(item)) {
        ended_.push_back(std::move(live).value());
      } else {
        to.insert_or_assign(live->id, std::move(live).value());
      }
      return true;
    });
  }

  bool add_tagged(const Value& page) {
    for (const Value& tag : page["tagSet"].as_list())
      if (tag["resourceId"].as_text().empty()) return false;
    for (const Value& tag : page["tagSet"].as_list()) tagged_.emplace(tag["resourceId"].as_text());
    return true;
  }

  // An instance that EC2 launched again for a request that was left open has neither tags nor token of ours:
  // the request tells whose it is. Others in our groups are none of our business.
  void add_relaunched() {
    for (auto& [id, machine] : grouped_)
      if (is_named(owner_of(machine))) machines_.try_emplace(id, std::move(machine));
  }

  bool add(const Kind& kind, const List& items) {
    for (const Value& item : items) {
      bool gone = &kind == &volume_kind() && item["status"].as_text() == "deleted";
      auto live = kind.decode(scope_, item);
      if (!live.ok()) return false;
      if (!gone) others_.insert_or_assign(live->id, std::move(live).value());
    }
    return true;
  }

  void add_requests(const Value& page) {
    for (const Value& request : page["spotInstanceRequestSet"].as_list())
      requests_.insert_or_assign(std::string(request["spotInstanceRequestId"].as_text()), request);
  }

  void add_modifications(const Value& page) {
    for (const Value& one : page["volumeModificationSet"].as_list())
      modifications_.insert_or_assign(std::string(one["volumeId"].as_text()), one);
  }

  // --- who it is ---

  // Its own tags; else those of its Spot request; else a sibling whose notebook the client token names by
  // digest.
  Owner owner_of(const Live& machine) const {
    if (is_named(machine.owner)) return machine.owner;
    auto request = requests_.find(std::string(live_value(machine, "spot_request").as_text()));
    if (request != requests_.end())
      if (Owner owner = request_owner(request->second); is_named(owner)) return owner;
    const Value* token = machine.tokens.find("client_token");
    if (token == nullptr) return machine.owner;
    auto fits = [&](const Owner& owner) {
      return is_named(owner) &&
             token->as_text().starts_with(
                 fmt::format("{}{}-", token_prefix(owner.stack), digest16(owner.notebook).substr(0, 8)));
    };
    for (const auto& [id, live] : others_)
      if (fits(live.owner)) return {live.owner.stack, live.owner.notebook, "instance"};
    for (const auto& [id, request] : requests_)
      if (Owner owner = request_owner(request); fits(owner)) return owner;
    return machine.owner;
  }

  static Owner request_owner(const Value& request) {
    Owner owner = labels::read_owner(read_tags(request), labels::kAws);
    if (is_named(owner)) owner.part = "instance";
    return owner;
  }

  // Somebody copied its tags: neither its token, its Spot request nor its root volume says that it is ours.
  void find_copies() {
    std::map<std::string, std::string> prefixes;  // by stack
    for (auto& [id, machine] : machines_) {
      std::string& prefix = prefixes[machine.owner.stack];
      if (prefix.empty()) prefix = token_prefix(machine.owner.stack);
      bool launched_by_us = live_token(machine, "client_token").starts_with(prefix);
      auto request = requests_.find(std::string(live_value(machine, "spot_request").as_text()));
      bool requested_by_us = request != requests_.end() && is_named(request_owner(request->second));
      Owner root = labels::read_owner(live_value(machine, "root_tags").as_map(), labels::kAws);
      machine.bare = is_named(machine.owner) && !launched_by_us && !requested_by_us && !is_named(root);
    }
  }

  void restore_owners() {
    for (auto& [id, machine] : machines_) machine.owner = owner_of(machine);
  }

  static void count(Folded& all, const Live& live) {
    if (!is_named(live.owner)) return;
    const Value* seen = live_value(live, "tags").as_map().find(tag::kIncarnation);
    int& highest = all.incarnations[live.owner.address()];
    highest = std::max(highest, static_cast<int>(seen != nullptr ? seen->as_int(1) : 1));
  }

  // --- what belongs to one ---

  void fold_requests() {
    for (auto& [id, machine] : machines_) {
      auto request = requests_.find(std::string(live_value(machine, "spot_request").as_text()));
      if (request != requests_.end()) fold_spot_request(machine, request->second);
    }
  }

  // A request that is open launches another instance, whenever there is capacity: after a termination, or a
  // launch that failed, it stands for the machine.
  std::vector<Live> open_requests() const {
    std::vector<Live> out;
    for (const auto& [id, request] : requests_) {
      if (request["state"].as_text() != "open" || !is_named(request_owner(request))) continue;
      Live live = decode_open_request(scope_, request);
      bool has_machine = std::any_of(machines_.begin(), machines_.end(), [&](const auto& machine) {
        return !machine.second.bare && machine.second.owner.address() == live.owner.address();
      });
      if (!has_machine) out.push_back(std::move(live));
    }
    return out;
  }

  // A request whose instance no list shows yet.
  std::vector<Making> unseen_launches() const {
    std::vector<Making> out;
    for (const auto& [id, request] : requests_) {
      std::string_view state = request["state"].as_text();
      std::string instance(request["instanceId"].as_text());
      bool launches = state == "active" && !instance.empty();
      if (!launches || machines_.count(instance) || forgotten_.count(instance)) continue;
      Owner owner = request_owner(request);
      if (is_named(owner))
        out.push_back({&instance_kind(), scope_, std::string(request["launchedAvailabilityZone"].as_text()),
                       owner_name(owner), id});
    }
    return out;
  }

  // A group is made before its instance and goes after it; what is attached should be in a list, too.
  std::set<std::string> incomplete_notebooks() const {
    std::set<std::string> with_machine, out;
    for (const auto& [id, machine] : machines_) {
      with_machine.insert(machine.owner.notebook);
      for (const auto& [volume, device] : live_value(machine, "attachments").as_map())
        if (!others_.count(volume)) out.insert(machine.owner.notebook);
    }
    for (const auto& [id, live] : others_)
      if (live.kind == &security_group_kind() && is_named(live.owner) &&
          !with_machine.count(live.owner.notebook))
        out.insert(live.owner.notebook);
    return out;
  }

  void fold_volumes() {
    for (auto& [id, machine] : machines_) {
      auto root = others_.find(std::string(live_value(machine, "root_volume").as_text()));
      if (root == others_.end()) continue;
      fold_root(machine, root->second);
      folded_.insert(root->first);
    }
    for (auto& [id, volume] : others_) {
      if (volume.kind != &volume_kind()) continue;
      std::string machine(live_value(volume, "instance").as_text());
      // An AMI's further volumes are tagged like its root, and are as much a part of the instance.
      if (volume.owner.part == "boot" && machines_.count(machine)) folded_.insert(id);
      auto on = machines_.find(machine);
      if (on != machines_.end() && !volume.owner.part.empty())
        on->second.attributes["attached_parts"].map().set(id, volume.owner.part);
      bool elsewhere = on != machines_.end() && owner_of(on->second).notebook != volume.owner.notebook;
      if (elsewhere) volume.attributes.set("attached", false);
      note_modification(volume, id);
    }
  }

  // What DescribeVolumes says of the root, read back from its Live.
  void fold_root(Live& machine, const Live& root) {
    for (auto [to, from] : {std::pair{"root_size_gb", "size_gb"},
                            {"root_type", "type"},
                            {"root_iops", "iops"},
                            {"root_throughput", "throughput"},
                            {"root_kms", "kms"},
                            {"root_encrypted", "encrypted"},
                            {"root_tags", "tags"}})
      if (const Value* value = root.attributes.find(from)) machine.attributes.set(to, *value);
    machine.keep = root.keep;
    note_modification(machine, root.id);
  }

  void note_modification(Live& live, const std::string& volume) {
    auto it = modifications_.find(volume);
    if (it == modifications_.end()) return;
    live.tokens.set("modification", it->second["modificationState"].as_text());
    live.tokens.set("modification_progress", it->second["progress"].as_int());
    live.tokens.set("modification_since", it->second["startTime"].as_text());
  }

  Scope scope_;
  Lives machines_, others_;
  std::set<std::string> tagged_;  // ids of instances with tags of ours
  Lives grouped_;                 // instances in a group of ours
  std::vector<Live> ended_;       // terminated instances: they count incarnations
  std::map<std::string, Value> requests_, modifications_;
  Lives forgotten_;               // instances that still carry a token of ours, by id
  std::set<std::string> folded_;  // volumes that are part of an instance
};

}  // namespace

std::vector<ListCall> lists(const Scope& scope, const Stack& stack) {
  (void)scope;
  List stacks{stack.label()}, tokens{token_prefix(stack.label()) + "*"};
  if (!stack.id.empty()) {
    stacks.emplace_back(stack.name);
    tokens.emplace_back(token_prefix(stack.name) + "*");
  }
  // One short entry an instance, where DescribeInstances would describe each for the second time.
  List tagged{filter("resource-type", {"instance"}), filter("key", {tag::kStack}), filter("value", stacks)};
  List owned{filter(fmt::format("tag:{}", tag::kStack), std::move(stacks))};
  // Our groups are called like our tokens. What EC2 launches by itself it launches on Spot.
  List grouped{filter("instance.group-name", tokens), filter("instance-lifecycle", {"spot"})};
  return {list("instances", "DescribeInstances", kInstanceFields, {filter("client-token", std::move(tokens))},
               kPage),
          list("tags", "DescribeTags", kTagFields, std::move(tagged), kPage),
          list("grouped", "DescribeInstances", kInstanceFields, std::move(grouped), kPage),
          list("volumes", "DescribeVolumes", kVolumeFields, owned, kSmallPage),
          list("groups", "DescribeSecurityGroups", kGroupFields, owned, kPage),
          list("keys", "DescribeKeyPairs", kKeyFields, owned, 0),  // has no pages
          list("spot", "DescribeSpotInstanceRequests", kRequestFields, owned, kPage),
          list("modifications", "DescribeVolumesModifications", kModificationFields,
               {filter("modification-state", {"modifying", "optimizing"})}, kSmallPage)};
}

std::unique_ptr<Listing> listing(const Scope& scope) {
  return std::make_unique<Ec2Listing>(scope);
}

}  // namespace nbform::ec2
