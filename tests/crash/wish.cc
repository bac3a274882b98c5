#include "wish.h"

namespace nbform::crash {

Value wish_line(const Wish& wish, const Manifest& files) {
  Map notebooks;
  List consent, destroy, stop, start, adopt, kept;
  for (const Notebook& n : files.notebooks) {
    Map keep;
    for (const auto& [name, disk] : n.disks) {
      bool boot = name == "boot", set = disk.set() && disk->keep.set();
      Keep rule = set ? *disk->keep : boot ? Keep::never : Keep::always;
      keep.set(name, rule == Keep::always ? "always" : rule == Keep::never ? "never" : "until-destroy");
    }
    std::string power;
    if (n.power.state.set()) power = *n.power.state == PowerState::stopped ? "stopped" : "running";
    bool resumes = n.spot.set() && n.spot->restart.set() && *n.spot->restart;
    notebooks.set(n.key, Map{{"keep", keep}, {"power", power}, {"resumes", resumes}});
    if (wish.diff.destroy) destroy.push_back(n.key);
    if (n.adopt.set()) adopt.push_back(*n.adopt);
  }
  if (wish.consent) consent.push_back("*");
  for (const auto& [key, want] : wish.diff.power)
    (want == PowerPolicy::Want::stopped ? stop : start).push_back(key);
  for (const std::string& disk : wish.diff.delete_kept) kept.push_back(disk);
  return Map{{"kind", "run"},
             {"detail", Map{{"notebooks", notebooks},
                            {"consent", consent},
                            {"destroy", destroy},
                            {"stop", stop},
                            {"start", start},
                            {"adopt", adopt},
                            {"kept", kept},
                            {"second", wish.second}}}};
}

}  // namespace nbform::crash
