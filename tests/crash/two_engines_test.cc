// Two people apply at the same time, and nothing locks: the same files, or files that contradict each other.
#include <fmt/format.h>

#include <iostream>

#include "dice.h"
#include "duet.h"
#include "effort.h"
#include "intents.h"
#include "support/catch.h"

using namespace nbform;
using namespace nbform::crash;

namespace {

// What one of the two wants, on top of the common files.
struct Plea {
  const char* name;
  std::function<void(Notebook&, Wish&)> of;
};

// Where two may meet, and over what.
struct Agora {
  const Ground* ground;
  std::vector<Plea> pleas;
  std::vector<const char*> variants;  // "" the likeliest behaviour
  std::vector<std::string> where;
  std::string refused;  // zone without capacity
};

std::vector<Plea> common_pleas() {
  auto power = [](PowerPolicy::Want want) {
    return [want](Notebook&, Wish& wish) { wish = power_wish(want); };
  };
  return {
      {"the same", [](Notebook&, Wish&) {}},
      {"labels a", [](Notebook& n, Wish&) { n.labels["team"] = Text("a"); }},
      {"labels b", [](Notebook& n, Wish&) { n.labels["team"] = Text("b"); }},
      {"another disk", [](Notebook& n, Wish&) { n.disks["more"] = Setting<Disk>(data_disk()); }},
      {"no disk", [](Notebook& n, Wish&) { n.disks.erase("data"); }},
      {"a larger disk",
       [](Notebook& n, Wish&) {
         if (n.disks.count("data")) n.disks["data"].get().size_gb = Number(300);
       }},
      {"destroy", [](Notebook&, Wish& wish) { wish = destroy_wish(); }},
      {"stop", power(PowerPolicy::Want::stopped)},
      {"start", power(PowerPolicy::Want::running)},
  };
}

Plea machine_plea(const char* type) {
  return {type, [type](Notebook& n, Wish&) { n.machine.type = Text(type); }};
}

const Agora& gce_agora() {
  static const Agora agora = [] {
    Agora a{&gce_ground(),
            common_pleas(),
            {"", "", "slow-visibility", "flickering-visibility", "leftover-disks", "staging-after-done",
             "disk-name-attaches", "exists-in-operation", "stale-in-operation", "early-wait"},
            {"us-central1-b", "us-central1-f"},
            "us-central1-b"};
    a.pleas.push_back({"metadata", [](Notebook& n, Wish&) { n.metadata["greeting"] = Text("hello"); }});
    a.pleas.push_back(machine_plea("e2-standard-4"));
    a.pleas.push_back(machine_plea("e2-standard-8"));
    a.pleas.push_back({"another image", [](Notebook& n, Wish&) { gce_other_image(n); }});
    return a;
  }();
  return agora;
}

const Agora& ec2_agora() {
  static const Agora agora = [] {
    Agora a{&ec2_ground(),
            common_pleas(),
            {"", "", "slow-visibility", "flickering-visibility", "repeated-rows", "shuffled-sets",
             "token-regional"},
            {"us-west-2a", "us-west-2c"},
            "us-west-2a"};
    a.pleas.push_back({"another range", [](Notebook& n, Wish&) {
                         n.access.ssh.allow_from = Texts(std::vector<std::string>{"198.51.100.0/24"});
                       }});
    a.pleas.push_back(machine_plea("g4dn.2xlarge"));
    a.pleas.push_back(machine_plea("g4dn.4xlarge"));
    a.pleas.push_back({"another image", [](Notebook& n, Wish&) { ec2_other_image(n); }});
    return a;
  }();
  return agora;
}

struct Meeting {
  Rehearsal stage;
  std::array<Voice, 2> voices;
  std::string story;
};

Voice voice_of(Dice& dice, const Agora& agora, const Manifest& common, std::string& story) {
  const Plea& plea = agora.pleas[dice.below(agora.pleas.size())];
  Voice voice{common, {}, {}, {}, {}};
  plea.of(voice.files.notebooks[0], voice.wish);
  voice.begins = std::chrono::milliseconds(dice.pick({0, 0, 40, 200, 3'000, 20'000, 50'000}));
  voice.network.jitter = std::chrono::milliseconds(dice.pick({0, 50, 1'000, 5'000}));
  voice.network.seed = dice.below(1u << 30) + 1;
  if (dice.one_in(4)) voice.death = {Death::How::unheard, static_cast<int>(dice.below(12))};
  story +=
      fmt::format("'{}' after {} ms, jitter {} ms{}; ", plea.name, voice.begins.count() / 1000,
                  voice.network.jitter.count() / 1000,
                  voice.death.how == Death::How::none ? "" : fmt::format(", dies at {}", voice.death.at));
  return voice;
}

Meeting meeting_of(const Agora& agora, int seed) {
  Dice dice(static_cast<std::uint64_t>(seed));
  Meeting s{Rehearsal(*agora.ground), {}, {}};
  const char* variant = agora.variants[dice.below(agora.variants.size())];
  if (*variant != 0) REQUIRE(s.stage.world.add_variant(variant).ok());
  s.story = fmt::format("{}; ", variant);
  Notebook& n = s.stage.declare("train");
  if (!dice.one_in(3)) n.disks["data"] = Setting<Disk>(data_disk());
  n.where = agora.where;
  bool exists = !dice.one_in(3);
  if (exists) REQUIRE(s.stage.run().done);
  if (exists && dice.one_in(4)) REQUIRE(s.stage.run(power_wish(PowerPolicy::Want::stopped)).done);
  s.story += exists ? "it exists; " : "it does not exist; ";
  if (!exists && dice.one_in(3)) s.stage.world.stockout(agora.refused), s.story += "a stock-out; ";
  for (Voice& voice : s.voices) voice = voice_of(dice, agora, s.stage.manifest, s.story);
  return s;
}

std::string aftermath_of(Meeting& s, int& told) {
  (void)run_both(s.stage, s.voices);
  s.stage.world.end_stockout();
  s.stage.manifest = s.voices[1].files;
  auto& disks = s.stage.notebook("train").disks;
  if (disks.count("data")) disks["data"].get().size_gb = Number(300);  // the other may have grown it
  Ending last = s.stage.converge();
  // What the other made a moment ago, and differently, may not have shown before it was to be made.
  bool advised = !last.done && last.text.find("was made meanwhile") != std::string::npos;
  if (advised) last = s.stage.converge(), ++told;
  s.stage.wait(std::chrono::minutes(3));
  s.stage.end({{"train", "present"}});
  std::string wrong = s.stage.report();
  if (!last.done) return "the following run did not finish:\n" + last.text;
  return wrong;
}

void meet(const Agora& agora, int pairs, const std::string& name) {
  int runs = 0, failures = 0, told = 0;
  for (int seed = 1; seed <= seeds(pairs); ++seed) {
    if (!in_shard(seed)) continue;
    Meeting schedule = meeting_of(agora, seed);
    ++runs;
    std::string wrong = aftermath_of(schedule, told);
    if (wrong.empty()) continue;
    if (++failures <= 5) FAIL_CHECK("seed " << seed << ": " << schedule.story << "\n" << wrong);
  }
  report(name, {2, 4, 5, 10},
         Map{{"schedules", runs}, {"violations", failures}, {"told_to_apply_again", told}},
         "seeded pairs of applies of the same or contradicting files, interleaved request by request");
  CHECK(failures == 0);
}

}  // namespace

TEST_CASE("two engines without a lock make nothing twice and lose nothing", "[two-engines]") {
  meet(gce_agora(), 10'000, "crash-two-engines");
}

TEST_CASE("EC2: two engines without a lock make nothing twice and lose nothing", "[ec2-two-engines]") {
  meet(ec2_agora(), 4'000, "crash-ec2-two-engines");
}
