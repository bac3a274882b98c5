#include "intents.h"
#include "support/catch.h"

namespace nbform::crash {

namespace {

constexpr const char *kZone = "us-west-2a", *kOtherZone = "us-west-2c";
constexpr const char* kAna =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFuYS1hbmEtYW5hLWFuYS1hbmEtYW5hLWFuYS1hbmEh";
constexpr const char* kMe =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGdvbGRlbi1rZXktZ29sZGVuLWtleS1nb2xkZW4ta2V5";

void admit_key(Notebook& n, const char* line) {
  n.access.ssh.keys = Setting<std::vector<SshKey>>({{"me.pub", line, false}});
}

void let_in(Notebook& n, std::vector<std::string> ranges) {
  n.access.ssh.allow_from = Texts(std::move(ranges));
}

void on_spot(Notebook& n, Market market = Market::spot) {
  Spot spot;
  spot.market = Setting<Market>(market);
  n.spot = Setting<Spot>(spot);
}

// All that an EC2 notebook may consist of.
Notebook& declare_whole(Rehearsal& r) {
  Notebook& n = r.declare("train");
  n.disks["data"] = Setting<Disk>(data_disk());
  admit_key(n, kMe);
  let_in(n, {"203.0.113.7/32"});
  return n;
}

// --- what was there before ---

void nothing(Rehearsal&) {}

void whole(Rehearsal& r) {
  declare_whole(r);
  REQUIRE(r.run().done);
}

void bare(Rehearsal& r) {
  r.declare("train");
  REQUIRE(r.run().done);
}

void spot_whole(Rehearsal& r) {
  on_spot(declare_whole(r));
  REQUIRE(r.run().done);
}

void stop_it(Rehearsal& r) {
  REQUIRE(r.run(power_wish(PowerPolicy::Want::stopped)).done);
}

void stopped(Rehearsal& r) {
  whole(r);
  stop_it(r);
}

void spot_stopped(Rehearsal& r) {
  spot_whole(r);
  stop_it(r);
}

void expendable(Rehearsal& r) {
  r.declare("train").disks["data"] = Setting<Disk>(data_disk(Keep::never));
  REQUIRE(r.run().done);
}

// Its client token is bound for a day yet.
void destroyed(Rehearsal& r) {
  bare(r);
  REQUIRE(r.run(destroy_wish()).done);
  r.wait(std::chrono::minutes(5));
}

// With its volume, whose token is bound as well.
void destroyed_whole(Rehearsal& r) {
  expendable(r);
  REQUIRE(r.run(destroy_wish()).done);
  r.wait(std::chrono::minutes(5));
}

void spot_destroyed_long_ago(Rehearsal& r) {
  spot_whole(r);
  REQUIRE(r.run(destroy_wish()).done);
  r.wait(std::chrono::hours(2));  // the instance is no longer shown
}

void strange(Rehearsal& r) {
  (void)ec2_stranger(r.world);
  r.wait(std::chrono::minutes(2));
}

void without_id(Rehearsal& r) {
  r.manifest.stack.id.clear();
  whole(r);
}

// --- wishes ---

Wish create(Rehearsal& r) {
  r.declare("train");
  return {};
}

Wish create_whole(Rehearsal& r) {
  declare_whole(r);
  return {};
}

Wish create_spot(Rehearsal& r) {
  on_spot(declare_whole(r));
  return {};
}

Wish fall_back(Rehearsal& r) {
  declare_whole(r).where = {kZone, kOtherZone};
  r.world.stockout(kZone);
  return {};
}

Wish fall_back_bare(Rehearsal& r) {
  r.declare("train").where = {kZone, kOtherZone};
  r.world.stockout(kZone);
  return {};
}

Wish fall_back_to_demand(Rehearsal& r) {
  on_spot(declare_whole(r), Market::automatic);
  r.notebook("train").where = {kZone, kOtherZone};
  r.world.stockout("*", "spot:*");
  return {};
}

Wish update(Rehearsal& r) {
  Notebook& n = r.notebook("train");
  n.labels["team"] = Text("vision");
  let_in(n, {"198.51.100.0/24"});
  n.identity.role = Text("nb-s3-read");
  n.disks["data"].get().size_gb = Number(300);
  n.disks["data"].get().keep = Setting<Keep>(Keep::until_destroy);
  Disk boot;
  boot.size_gb = Number(150);
  boot.keep = Setting<Keep>(Keep::never);
  n.disks["boot"] = Setting<Disk>(boot);
  return {};
}

Wish larger(Rehearsal& r) {
  r.notebook("train").machine.type = Text("g4dn.2xlarge");
  r.notebook("train").labels["team"] = Text("vision");
  return {};
}

Wish replace(Rehearsal& r) {
  ec2_other_image(r.notebook("train"));
  return {};
}

Wish move(Rehearsal& r) {
  r.notebook("train").where = {kOtherZone};
  Wish wish;
  wish.diff.replace = {"train"};
  return wish;
}

Wish other_key(Rehearsal& r) {
  admit_key(r.notebook("train"), kAna);
  Wish wish;
  wish.diff.replace = {"train"};
  return wish;
}

Wish rename(Rehearsal& r) {
  r.notebook("train").moved_from = Text("train");
  r.notebook("train").key = "learn";
  return {};
}

Wish drop_from_files(Rehearsal& r) {
  r.manifest.notebooks.clear();
  r.declare("other");
  return {};
}

Wish relabel(Rehearsal& r) {
  r.manifest.stack.id = "3f9a1c2e";
  return {};
}

Wish adopt(Rehearsal& r) {
  Notebook& n = r.declare("train");
  n.machine.type = Text();
  n.adopt = Text(std::string(r.world.resources("ec2.instances").at(0)["instanceId"].as_text()));
  n.disks["sdf"] = Setting<Disk>(data_disk());
  n.disks["sdf"].get().size_gb = Number(10);
  return {};
}

Wish forget(Rehearsal&) {
  Wish wish;
  wish.diff.forget = {"train"};
  return wish;
}

Wish stop_and_change(Rehearsal& r) {
  r.notebook("train").power.state = Setting<PowerState>(PowerState::stopped);
  r.notebook("train").machine.type = Text("g4dn.2xlarge");
  return {};
}

Wish add_disk(Rehearsal& r) {
  r.notebook("train").disks["data"] = Setting<Disk>(data_disk());
  return {};
}

Wish let_disk_go(Rehearsal& r) {
  r.notebook("train").disks.erase("data");
  return {};
}

Wish declare_again(Rehearsal& r) {
  if (!r.declares("train")) r.declare("train");
  return {};
}

Wish destroy(Rehearsal&) {
  return destroy_wish();
}

}  // namespace

void ec2_other_image(Notebook& notebook) {
  Image base;
  base.word = Text("base");
  notebook.image = Setting<Image>(base);
}

const std::vector<Intent>& ec2_intents() {
  using Want = PowerPolicy::Want;
  auto ask = [](Want want) { return [want](Rehearsal&) { return power_wish(want); }; };
  static const std::vector<Intent> all = {
      {"create", nothing, create},
      {"create with volume, key and group", nothing, create_whole},
      {"spot create", nothing, create_spot},
      {"stock-out fallback", nothing, fall_back},
      {"stock-out fallback, instance alone", nothing, fall_back_bare},
      {"spot: auto fallback", nothing, fall_back_to_demand},
      {"update", whole, update},
      {"type change by restart", whole, larger},
      {"replace with a data volume", whole, replace},
      {"replace with an expendable volume", expendable, replace},
      {"replace of a stopped instance", stopped, replace, "any"},
      {"type change on Spot, a replace", spot_whole, larger},
      {"replace of a stopped Spot instance", spot_stopped, replace, "any"},
      {"move to another zone", bare, move},
      {"another key", whole, other_key},
      {"adopt", strange, adopt},
      {"forget", spot_whole, forget, "absent"},
      {"stop", whole, ask(Want::stopped), "TERMINATED"},
      {"start", stopped, ask(Want::running)},
      {"stop on Spot", spot_whole, ask(Want::stopped), "TERMINATED"},
      {"start on Spot", spot_stopped, ask(Want::running)},
      {"stop and change", whole, stop_and_change, "TERMINATED"},
      {"an id for the stack", without_id, relabel},
      {"rename", whole, rename, "RUNNING", "learn"},
      {"a new volume", bare, add_disk},
      {"a volume let go", whole, let_disk_go},
      {"destroy", whole, destroy, "absent"},
      {"destroy on Spot", spot_whole, destroy, "absent"},
      {"destroy of a stopped Spot instance", spot_stopped, destroy, "absent"},
      {"create after destroy", destroyed, declare_again},
      {"create after destroy, with its volume", destroyed_whole, declare_again},
      {"spot create two hours after destroy", spot_destroyed_long_ago, declare_again},
      {"dropped from the files", whole, drop_from_files, "RUNNING", "other"},
  };
  return all;
}

}  // namespace nbform::crash
