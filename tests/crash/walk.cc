#include "walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "dice.h"
#include "intents.h"
#include "trouble.h"

namespace nbform::crash {

namespace {

constexpr const char* kZones[] = {"us-central1-b", "us-central1-f"};
constexpr const char* kFamily = "common-cu129-ubuntu-2404-nvidia-580";

constexpr Duration kLongestOperation = std::chrono::minutes(1);

Duration seconds(const std::string& text) {
  return std::chrono::seconds(std::atoi(text.c_str()));
}

Keep keep_named(const std::string& word) {
  return word == "never" ? Keep::never : word == "until-destroy" ? Keep::until_destroy : Keep::always;
}

Map vm_body(const std::string& zone, const std::string& name, const Value& labels) {
  Map disk{{"boot", true},
           {"autoDelete", true},
           {"initializeParams",
            Map{{"sourceImage",
                 fmt::format("projects/deeplearning-platform-release/global/images/family/{}", kFamily)}}}};
  return Map{{"name", name},
             {"labels", labels},
             {"machineType", fmt::format("zones/{}/machineTypes/e2-standard-2", zone)},
             {"disks", List{disk}},
             {"networkInterfaces", List{Map{{"network", "global/networks/default"}}}}};
}

// A cloud in which others live, too.
Rehearsal inhabited() {
  Rehearsal r;
  auto post = [&](const std::string& path, const Value& body) {
    if (r.colleague("POST", path, body) != 200) bug("the simulator refuses a bystander");
  };
  Map labels{{"nbform-stack", "other"}, {"nbform-notebook", "train"}, {"nbform-part", "instance"}};
  post("zones/us-central1-b/instances", vm_body("us-central1-b", "bystander", Map()));
  post("zones/us-central1-f/instances", vm_body("us-central1-f", "others-train", labels));
  for (const char* zone : kZones)
    post(fmt::format("zones/{}/disks", zone), Map{{"name", "strange"}, {"sizeGb", "10"}});
  r.wait(std::chrono::minutes(2));
  Notebook& n = r.declare("train");
  n.where = {kZones[0], kZones[1]};
  n.disks["data"] = Setting<Disk>(data_disk());
  return r;
}

class Walk {
 public:
  explicit Walk(bool keep_log) : stage_(start()) {
    if (keep_log) stage_.keep_log();
  }

  // False: the line makes no sense.
  bool take(const std::string& line) {
    std::istringstream in(line);
    std::string verb;
    in >> verb;
    words_.assign(std::istream_iterator<std::string>(in), {});
    if (verb == "apply") return apply(), true;
    if (verb == "console") return schedule([this, what = word(0)](Rehearsal&) { console(what); }), true;
    if (verb == "preempt") return schedule([this](Rehearsal&) { preempt(); }), true;
    return edit(verb) || weather(verb);
  }

  // Everything calms down, the user applies once more, and nothing is left to do.
  Walked finish() {
    calm();
    stage_.wait(std::chrono::minutes(5));
    if (Notebook* n = notebook())
      for (auto& [name, disk] : n->disks)
        if (disk.set()) disk.get().size_gb = Number();  // whoever grew it, grew it
    Ending last = stage_.converge();
    ++out_.runs;
    if (last.blocked) last = heed();
    stage_.wait(std::chrono::minutes(5));
    stage_.end({{"train", expected(last)}});
    out_.wrong = stage_.report();
    if (!stage_.violations().empty()) out_.rule = stage_.violations().front().rule;
    if (!last.done) {
      out_.wrong += "no peace: the last run did not finish:\n" + last.text;
      if (out_.rule.empty()) out_.rule = "no peace";
    }
    out_.blocked = last.blocked;
    out_.log = stage_.log();
    return std::move(out_);
  }

 private:
  static const Rehearsal& start() {
    static const Rehearsal kStart = inhabited();
    return kStart;
  }
  std::string word(std::size_t i) const { return i < words_.size() ? words_[i] : std::string(); }
  bool has(std::string_view w) const { return std::find(words_.begin(), words_.end(), w) != words_.end(); }
  // "later=30" -> "30"; "" where absent
  std::string option(std::string_view name) const {
    for (const std::string& w : words_)
      if (w.starts_with(name) && w.size() > name.size() && w[name.size()] == '=')
        return w.substr(name.size() + 1);
    return {};
  }
  Notebook* notebook() { return stage_.declares("train") ? &stage_.notebook("train") : nullptr; }

  std::string expected(const Ending& last) {
    if (last.blocked) return "unknown";
    Notebook* n = notebook();
    if (n == nullptr) return "absent";
    if (!n->power.state.set()) return "any";
    return *n->power.state == PowerState::stopped ? "TERMINATED" : "RUNNING";
  }

  // --- the user

  // Does what the errors advise: removes the clone, adopts what lost its labels, adopts nothing that is not
  // there.
  Ending heed() {
    console("unclone");
    std::string zone = zone_of_vm();
    Map labels = vm_in(zone)["labels"].as_map();
    bool torn = !vm_in(zone).is_null() && !(labels.has("nbform-stack") && labels.has("nbform-notebook"));
    if (Notebook* n = notebook()) n->adopt = torn ? Text(zone + "/train") : Text();
    stage_.wait(std::chrono::minutes(5));
    ++out_.runs;
    return stage_.converge();
  }

  bool edit(const std::string& verb) {
    if (verb == "declare") return declare(), true;
    Notebook* n = notebook();
    if (verb == "undeclare") {
      if (n != nullptr) undeclared_ = *n;
      stage_.manifest.notebooks.clear();
      return true;
    }
    Notebook nobody;
    if (n == nullptr) n = &nobody;
    if (verb == "machine") return n->machine.type = Text(word(0)), true;
    if (verb == "label") return n->labels["team"] = Text(word(0)), true;
    if (verb == "image") return change_image(*n), true;
    if (verb == "power") return change_power(*n), true;
    if (verb == "disk") return n->disks[word(0)] = Setting<Disk>(data_disk(keep_named(word(1)))), true;
    if (verb == "nodisk") return n->disks.erase(word(0)), true;
    if (verb == "spot") return change_spot(*n), true;
    if (verb == "where") return n->where = words_, true;
    if (verb == "adopt") return n->adopt = has("no") ? Text() : Text(zone_of_vm() + "/train"), true;
    return false;
  }

  void declare() {
    if (notebook() == nullptr && undeclared_.key == "train") stage_.manifest.notebooks = {undeclared_};
  }
  void change_image(Notebook& n) {
    if (!n.image.set()) return;
    if (word(0) == "pytorch")
      other_image(n);
    else
      n.image.get().family = Text(kFamily);
  }
  void change_power(Notebook& n) {
    n.power.state = Setting<PowerState>();
    if (word(0) == "running") n.power.state = Setting<PowerState>(PowerState::running);
    if (word(0) == "stopped") n.power.state = Setting<PowerState>(PowerState::stopped);
  }
  void change_spot(Notebook& n) {
    Spot spot;
    spot.market = Setting<Market>(word(0) == "auto" ? Market::automatic : Market::spot);
    spot.restart = Flag(true);
    n.spot = word(0) == "off" ? Setting<Spot>() : Setting<Spot>(spot);
  }

  Wish wish() const {
    Wish wish;
    if (has("stop")) wish = power_wish(PowerPolicy::Want::stopped);
    if (has("start")) wish = power_wish(PowerPolicy::Want::running);
    wish.diff.destroy = has("destroy");
    if (has("replace")) wish.diff.replace = {"train"};
    if (has("forget")) wish.diff.forget = {"train"};
    wish.consent = has("consent");
    return wish;
  }

  void apply() {
    Death death;
    std::string die = option("die"), bad = option("bad");
    if (auto at = die.find('@'); at != std::string::npos) {
      for (Death::How how :
           {Death::How::unsent, Death::How::unheard, Death::How::heard, Death::How::interrupted})
        if (die.substr(0, at) == name_of(how)) death.how = how;
      death.at = std::atoi(die.c_str() + at + 1);
    }
    if (!bad.empty()) misbehave(std::atoi(bad.c_str()));
    ++out_.runs;
    bool at_rest = !stage_.has_plans() && stage_.now() >= restless_until_;
    bool peaceful = die.empty() && bad.empty() && at_rest;
    if (peaceful)
      (void)stage_.converge(wish());
    else
      out_.deaths += stage_.run(wish(), death).died;
    stage_.world.clear_faults();
  }

  void misbehave(int which) {
    const Trouble& trouble = troubles()[static_cast<std::size_t>(which) % troubles().size()];
    Map match{{"service", "compute"}, {"chance", 0.1}};
    (void)stage_.world.add_faults(List{Map{{"match", match}, {"do", trouble.what}, {"times", 0}}});
  }

  // --- the cloud

  bool weather(const std::string& verb) {
    if (verb == "wait") return stage_.wait(seconds(word(0))), true;
    if (verb == "stockout") return stage_.world.stockout(word(0), has("spot") ? "spot:*" : "*"), true;
    if (verb == "outage") return stage_.world.set_unreachable(word(0)), true;
    if (verb == "variant") return stage_.world.add_variant(word(0)).ok();
    if (verb == "calm") return calm(), true;
    return false;
  }

  void calm() {
    stage_.world.end_stockout();
    stage_.world.clear_faults();
    for (const char* zone : kZones) stage_.world.set_unreachable(zone, false);
  }

  void preempt() {
    restless_until_ = stage_.now() + kLongestOperation;
    for (const char* zone : kZones) (void)stage_.world.preempt("acme-ml", zone, "train");
  }

  // --- colleagues

  void schedule(std::function<void(Rehearsal&)> what) {
    std::string later = option("later");
    if (later.empty())
      what(stage_);
    else
      stage_.later(seconds(later), std::move(what));
  }

  Value vm_in(const std::string& zone) {
    return stage_.world.resource(fmt::format("projects/acme-ml/zones/{}/instances/train", zone));
  }
  std::string zone_of_vm() {
    for (const char* zone : kZones)
      if (!vm_in(zone).is_null()) return zone;
    return kZones[0];
  }

  void console(const std::string& what) {
    ++out_.console;
    restless_until_ = stage_.now() + kLongestOperation;
    std::string zone = zone_of_vm(), base = fmt::format("zones/{}/", zone), vm = base + "instances/train";
    Value live = vm_in(zone);
    auto post = [&](const std::string& path, const Value& body = {}) {
      stage_.colleague("POST", path, body);
    };
    if (what == "delete") stage_.colleague("DELETE", vm);
    if (what == "stop" || what == "start") post(vm + "/" + what);
    if (what == "label") set_labels(vm, live, [](Map& l) { l.set("team", "console"); });
    if (what == "unlabel") set_labels(vm, live, [](Map& l) { l.erase("nbform-notebook"); });
    if (what == "relabel") set_labels(vm, live, [](Map& l) { l.set("nbform-notebook", "train"); });
    if (what == "unkeep") drop_keep(base + "disks/train-data");
    if (what == "resize") post(base + "disks/train-data/resize", Map{{"sizeGb", "260"}});
    if (what == "detach") post(vm + "/detachDisk?deviceName=data");
    if (what == "autodelete") post(vm + "/setDiskAutoDelete?autoDelete=true&deviceName=data");
    if (what == "noautodelete") post(vm + "/setDiskAutoDelete?autoDelete=false&deviceName=more");
    if (what == "attach" || what == "attach-autodelete")
      post(vm + "/attachDisk", Map{{"source", base + "disks/strange"},
                                   {"deviceName", "strange"},
                                   {"autoDelete", what != "attach"}});
    if (what == "deletedisk") stage_.colleague("DELETE", base + "disks/train-data");
    if (what == "clone")
      post("zones/us-central1-f/instances", vm_body("us-central1-f", "clone", live["labels"]));
    if (what == "unclone") stage_.colleague("DELETE", "zones/us-central1-f/instances/clone");
  }

  void set_labels(const std::string& path, const Value& live, const std::function<void(Map&)>& change) {
    if (live.is_null()) return;
    Map labels = live["labels"].as_map();
    change(labels);
    stage_.colleague("POST", path + "/setLabels",
                     Map{{"labels", labels}, {"labelFingerprint", live["labelFingerprint"]}});
  }
  void drop_keep(const std::string& path) {
    set_labels(path, stage_.world.resource("projects/acme-ml/" + path),
               [](Map& l) { l.erase("nbform-keep"); });
  }

  Rehearsal stage_;
  Walked out_;
  Time restless_until_;  // what was clicked may take effect in the middle of a run
  std::vector<std::string> words_;
  Notebook undeclared_;
};

// --- lines from a seed

std::string edit_line(Dice& d) {
  switch (d.below(12)) {
    case 0:
      return d.pick({"machine e2-standard-4", "machine e2-standard-2"});
    case 1:
      return d.pick({"label a", "label b"});
    case 2:
      return d.pick({"image pytorch", "image common"});
    case 3:
      return d.pick({"power running", "power stopped", "power any"});
    case 4:
      return d.pick({"disk more never", "disk more always", "disk more until-destroy"});
    case 5:
      return "nodisk more";
    case 6:
      return d.pick({"disk data always", "disk data until-destroy", "disk data never"});
    case 7:
      return "nodisk data";
    case 8:
      return d.pick({"spot auto", "spot on", "spot off"});
    case 9:
      return d.pick(
          {"where us-central1-b us-central1-f", "where us-central1-f us-central1-b", "where us-central1-f"});
    case 10:
      return d.one_in(3) ? "undeclare" : "declare";
    default:
      return d.pick({"adopt", "adopt no"});
  }
}

std::string apply_line(Dice& d) {
  std::string line = "apply";
  switch (d.below(14)) {
    case 0:
      line += " destroy";
      break;
    case 1:
      line += " stop";
      break;
    case 2:
      line += " start";
      break;
    case 3:
      line += " replace";
      break;
    case 4:
      line += d.one_in(2) ? " forget" : "";
      break;
    default:
      break;
  }
  if (!d.one_in(4)) line += " consent";
  // A forget that was cut short and is followed by another wish stays blocked, with advice; that the same
  // wish finishes it is enumerated elsewhere.
  if (line.find(" forget") != std::string::npos) return line;
  if (d.one_in(4)) line += fmt::format(" bad={}", d.below(troubles().size()));
  if (!d.one_in(3))
    line += fmt::format(" die={}@{}", d.pick({"unsent", "unheard", "heard", "interrupted"}),
                        d.one_in(2) ? d.below(8) : d.below(40));
  return line;
}

std::string console_line(Dice& d) {
  std::string line = "console ";
  line +=
      d.pick({"delete",     "stop",   "start",   "label",      "unlabel",      "relabel", "relabel",
              "unkeep",     "resize", "detach",  "autodelete", "noautodelete", "attach",  "attach-autodelete",
              "deletedisk", "clone",  "unclone", "unclone",    "stop",         "start"});
  if (d.one_in(2)) line += fmt::format(" later={}", d.below(60));
  return line;
}

std::string cloud_line(Dice& d) {
  std::string zone = d.pick({"us-central1-b", "us-central1-f"});
  switch (d.below(6)) {
    case 0:
      return "stockout " + zone;
    case 1:
      return "stockout " + zone + " spot";
    case 2:
      return "outage " + zone;
    case 3:
      return "calm";
    case 4:
      return "preempt";
    default:
      return fmt::format("preempt later={}", d.below(60));
  }
}

}  // namespace

Steps steps_of(std::uint64_t seed) {
  Dice d(seed);
  Steps steps;
  for (const char* variant :
       {"leftover-disks", "slow-visibility", "flickering-visibility", "staging-after-done", "short-memory",
        "disk-name-attaches", "exists-in-operation", "no-preempted-record"})
    if (d.one_in(5)) steps.push_back(fmt::format("variant {}", variant));
  if (d.one_in(2)) steps.push_back("apply");
  for (std::uint64_t rounds = 3 + d.below(4); rounds > 0; --rounds) {
    while (!d.one_in(3)) steps.push_back(edit_line(d));
    if (d.one_in(3)) steps.push_back(cloud_line(d));
    if (d.one_in(2)) steps.push_back(console_line(d));
    steps.push_back(apply_line(d));
    if (d.one_in(2)) steps.push_back(fmt::format("wait {}", d.pick({1, 5, 20, 60, 300, 3700})));
  }
  return steps;
}

Walked walk(const Steps& steps, bool keep_log) {
  Walk one(keep_log);
  for (const std::string& line : steps)
    if (!one.take(line)) return {"a line that makes no sense: " + line, "no sense"};
  return one.finish();
}

Steps shortened(const Steps& steps, const std::string& rule) {
  Steps best = steps;
  for (bool shorter = true; shorter;) {
    shorter = false;
    for (std::size_t i = best.size(); i-- > 0;) {
      Steps fewer = best;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      if (walk(fewer).rule != rule) continue;
      best = std::move(fewer);
      shorter = true;
    }
  }
  return best;
}

std::string replay_script(const Steps& steps, const std::string& why) {
  std::string out = "#!/bin/sh\n";
  std::istringstream lines(why);
  for (std::string line; std::getline(lines, line);) out += "# " + line + "\n";
  out += "NBFORM_WALK='";
  for (const std::string& step : steps) out += step + "\n";
  return out + "' build/bin/crash_suite 'a walk is gone again'\n";
}

}  // namespace nbform::crash
