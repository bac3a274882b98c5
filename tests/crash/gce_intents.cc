#include "intents.h"

#include "support/catch.h"

namespace nbform::crash {

namespace {

constexpr const char* kZone = "us-central1-b";

void with_disk(Rehearsal& r) {
  r.declare("train").disks["data"] = Setting<Disk>(data_disk());
  REQUIRE(r.run().done);
}

void bare(Rehearsal& r) {
  r.declare("train");
  REQUIRE(r.run().done);
}

void stopped(Rehearsal& r) {
  with_disk(r);
  REQUIRE(r.run(power_wish(PowerPolicy::Want::stopped)).done);
}

void nothing(Rehearsal&) {}

Wish create(Rehearsal& r) {
  r.declare("train");
  return {};
}

Wish create_with_disk(Rehearsal& r) {
  r.declare("train").disks["data"] = Setting<Disk>(data_disk());
  return {};
}

Wish create_with_rules(Rehearsal& r) {
  Access& access = r.declare("train").access;
  access.ssh.allow_from = Texts(std::vector<std::string>{"203.0.113.7/32"});
  access.public_ports = Setting<std::vector<std::int64_t>>({443});
  return {};
}

void with_rules(Rehearsal& r) {
  create_with_rules(r);
  REQUIRE(r.run().done);
}

// One range for another, and the rule for everybody goes.
Wish close(Rehearsal& r) {
  Access& access = r.notebook("train").access;
  access.ssh.allow_from = Texts(std::vector<std::string>{"198.51.100.0/24"});
  access.public_ports = {};
  return {};
}

Wish fall_back(Rehearsal& r) {
  create_with_disk(r);
  r.notebook("train").where = {kZone, "us-central1-f"};
  r.world.stockout(kZone);
  return {};
}

Wish fall_back_bare(Rehearsal& r) {
  r.declare("train").where = {kZone, "us-central1-f"};
  r.world.stockout(kZone);
  return {};
}

Wish fall_back_to_demand(Rehearsal& r) {
  Spot spot;
  spot.market = Setting<Market>(Market::automatic);
  create_with_disk(r);
  r.notebook("train").spot = Setting<Spot>(spot);
  r.world.stockout("*", "spot:*");
  return {};
}

Wish update(Rehearsal& r) {
  Notebook& n = r.notebook("train");
  n.labels["team"] = Text("vision");
  n.metadata["greeting"] = Text("hello");
  n.network.tags = Texts(std::vector<std::string>{"open"});
  n.disks["data"].get().size_gb = Number(300);
  n.disks["data"].get().keep = Setting<Keep>(Keep::until_destroy);
  return {};
}

Wish restart(Rehearsal& r) {
  r.notebook("train").machine.type = Text("e2-standard-4");
  r.notebook("train").labels["team"] = Text("vision");
  return {};
}

Wish replace(Rehearsal& r) {
  gce_other_image(r.notebook("train"));
  return {};
}

Wish move(Rehearsal& r) {
  r.notebook("train").where = {"us-central1-f"};
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

void without_id(Rehearsal& r) {
  r.manifest.stack.id.clear();
  with_disk(r);
}

void forgotten(Rehearsal& r) {
  with_disk(r);
  Wish forget;
  forget.diff.forget = {"train"};
  REQUIRE(r.run(forget).done);
}

Wish adopt(Rehearsal& r) {
  r.notebook("train").adopt = Text("us-central1-b/train");
  return {};
}

Wish forget(Rehearsal&) {
  Wish wish;
  wish.diff.forget = {"train"};
  return wish;
}

Wish stop_and_change(Rehearsal& r) {
  r.notebook("train").power.state = Setting<PowerState>(PowerState::stopped);
  r.notebook("train").machine.type = Text("e2-standard-4");
  return {};
}

}  // namespace

void gce_other_image(Notebook& notebook) {
  notebook.image.get().family = Text("pytorch-2-9-cu129-ubuntu-2404-nvidia-580");
}

const std::vector<Intent>& gce_intents() {
  using Want = PowerPolicy::Want;
  auto add_disk = [](Rehearsal& r) {
    r.notebook("train").disks["data"] = Setting<Disk>(data_disk());
    return Wish();
  };
  auto let_go = [](Rehearsal& r) {
    r.notebook("train").disks.erase("data");
    return Wish();
  };
  auto expendable = [](Rehearsal& r) {
    r.declare("train").disks["data"] = Setting<Disk>(data_disk(Keep::never));
    REQUIRE(r.run().done);
  };
  auto ask = [](Want want) { return [want](Rehearsal&) { return power_wish(want); }; };
  auto destroy = [](Rehearsal&) { return destroy_wish(); };
  static const std::vector<Intent> all = {
      {"create", nothing, create},
      {"create with a data disk", nothing, create_with_disk},
      {"create with firewall rules", nothing, create_with_rules},
      {"a firewall rule changed, one dropped", with_rules, close},
      {"destroy with firewall rules", with_rules, destroy, "absent"},
      {"update", with_disk, update},
      {"restart", with_disk, restart},
      {"replace with a data disk", with_disk, replace},
      {"replace with an expendable disk", expendable, replace},
      {"replace of a stopped machine", stopped, replace, "any"},
      {"move to another zone", bare, move},
      {"stock-out fallback", nothing, fall_back},
      {"stock-out fallback without a disk", nothing, fall_back_bare},
      {"spot: auto fallback", nothing, fall_back_to_demand},
      {"adopt", forgotten, adopt},
      {"forget", with_disk, forget, "absent"},
      {"stop", with_disk, ask(Want::stopped), "TERMINATED"},
      {"start", stopped, ask(Want::running)},
      {"stop and change", with_disk, stop_and_change, "TERMINATED"},
      {"an id for the stack", without_id, relabel},
      {"rename", with_disk, rename, "RUNNING", "learn"},
      {"a new disk", bare, add_disk},
      {"a disk let go", with_disk, let_go},
      {"destroy", with_disk, destroy, "absent"},
      {"dropped from the files", with_disk, drop_from_files, "RUNNING", "other"},
  };
  return all;
}

}  // namespace nbform::crash
