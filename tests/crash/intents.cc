#include "intents.h"

#include "support/catch.h"

namespace nbform::crash {

Disk data_disk(Keep keep) {
  Disk disk;
  disk.size_gb = Number(200);
  disk.type = Text("balanced");
  disk.keep = Setting<Keep>(keep);
  return disk;
}

Wish power_wish(PowerPolicy::Want want) {
  Wish wish;
  wish.diff.power_only = true;
  wish.diff.power["train"] = want;
  return wish;
}

Wish destroy_wish() {
  Wish wish;
  wish.diff.destroy = true;
  return wish;
}

Wish nothing_else(Rehearsal&) {
  return {};
}

Ready make_ready(const Ground& ground, const Intent& intent, const std::string& variant) {
  Rehearsal stage(ground);
  if (!variant.empty()) REQUIRE(stage.world.add_variant(variant).ok());
  intent.before(stage);
  Wish wish = intent.wish(stage);
  return {std::move(stage), std::move(wish)};
}

}  // namespace nbform::crash
