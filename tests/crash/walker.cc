#include "walker.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace nbform::crash {

namespace {

constexpr Duration kLongestOperation = std::chrono::minutes(1);

Duration seconds(const std::string& text) {
  return std::chrono::seconds(std::atoi(text.c_str()));
}

Keep keep_named(const std::string& word) {
  return word == "never" ? Keep::never : word == "until-destroy" ? Keep::until_destroy : Keep::always;
}

}  // namespace

bool Walker::take(const std::string& line) {
  std::istringstream in(line);
  std::string verb;
  in >> verb;
  words_.assign(std::istream_iterator<std::string>(in), {});
  if (verb == "apply") return apply(), true;
  if (verb == "console")
    return schedule([this, what = word(0)] {
             disturb();
             ++out_.console;
             console(what);
           }),
           true;
  if (verb == "preempt")
    return schedule([this] {
             disturb();
             preempt();
           }),
           true;
  return edit(verb) || weather(verb);
}

Walked Walker::finish() {
  calm();
  stage_.wait(std::chrono::minutes(5));
  calm();  // what the cloud took in the meantime it gives back
  stage_.wait(std::chrono::minutes(2));
  if (Notebook* n = notebook())
    for (auto& [name, disk] : n->disks)
      if (disk.set()) disk.get().size_gb = Number();  // whoever grew it, grew it
  Ending last = stage_.converge();
  ++out_.runs;
  if (last.blocked) last = heed();
  if (last.text.find("--replace makes it anew") != std::string::npos) last = replace();
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

bool Walker::has(std::string_view w) const {
  return std::find(words_.begin(), words_.end(), w) != words_.end();
}

// "later=30" -> "30"; "" where absent
std::string Walker::option(std::string_view name) const {
  for (const std::string& w : words_)
    if (w.starts_with(name) && w.size() > name.size() && w[name.size()] == '=')
      return w.substr(name.size() + 1);
  return {};
}

std::string Walker::expected(const Ending& last) {
  if (last.blocked) return "unknown";
  Notebook* n = notebook();
  if (n == nullptr) return "absent";
  if (!n->power.state.set()) return "any";
  return *n->power.state == PowerState::stopped ? "TERMINATED" : "RUNNING";
}

// --- the user

// Does what the errors advise: removes the clone, adopts what lost its marks, adopts nothing that is not
// there.
Ending Walker::heed() {
  std::string torn = heed_console();
  if (Notebook* n = notebook()) n->adopt = torn.empty() ? Text() : Text(torn);
  stage_.wait(std::chrono::minutes(5));
  ++out_.runs;
  return stage_.converge();
}

Ending Walker::replace() {
  Wish wish;
  wish.diff.replace = {"train"};
  wish.consent = true;
  ++out_.runs;
  return stage_.converge(wish);
}

bool Walker::edit(const std::string& verb) {
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
  if (verb == "power") return change_power(*n), true;
  if (verb == "disk") return n->disks[word(0)] = Setting<Disk>(data_disk(keep_named(word(1)))), true;
  if (verb == "nodisk") return n->disks.erase(word(0)), true;
  if (verb == "spot") return change_spot(*n), true;
  if (verb == "where") return n->where = words_, true;
  return edit_more(verb, *n);
}

void Walker::declare() {
  if (notebook() == nullptr && undeclared_.key == "train") stage_.manifest.notebooks = {undeclared_};
}

void Walker::change_power(Notebook& n) {
  n.power.state = Setting<PowerState>();
  if (word(0) == "running") n.power.state = Setting<PowerState>(PowerState::running);
  if (word(0) == "stopped") n.power.state = Setting<PowerState>(PowerState::stopped);
}

void Walker::change_spot(Notebook& n) {
  Spot spot;
  spot.market = Setting<Market>(word(0) == "auto" ? Market::automatic : Market::spot);
  spot.restart = Flag(true);
  n.spot = word(0) == "off" ? Setting<Spot>() : Setting<Spot>(spot);
}

Wish Walker::wish() const {
  Wish wish;
  if (has("stop")) wish = power_wish(PowerPolicy::Want::stopped);
  if (has("start")) wish = power_wish(PowerPolicy::Want::running);
  wish.diff.destroy = has("destroy");
  if (has("replace")) wish.diff.replace = {"train"};
  if (has("forget")) wish.diff.forget = {"train"};
  wish.consent = has("consent");
  return wish;
}

void Walker::apply() {
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

void Walker::misbehave(int which) {
  const auto& troubles = repertoire_.troubles;
  const Trouble& trouble = troubles[static_cast<std::size_t>(which) % troubles.size()];
  Map match{{"service", repertoire_.ground->service}, {"chance", 0.1}};
  (void)stage_.world.add_faults(List{Map{{"match", match}, {"do", trouble.what}, {"times", 0}}});
}

// --- the cloud

bool Walker::weather(const std::string& verb) {
  if (verb == "wait") return stage_.wait(seconds(word(0))), true;
  if (verb == "stockout") return stage_.world.stockout(word(0), has("spot") ? "spot:*" : "*"), true;
  if (verb == "variant") return stage_.world.add_variant(word(0)).ok();
  if (verb == "calm") return calm(), true;
  return weather_more(verb);
}

void Walker::calm() {
  stage_.world.end_stockout();
  stage_.world.clear_faults();
}

void Walker::schedule(std::function<void()> what) {
  std::string later = option("later");
  if (later.empty())
    what();
  else
    stage_.later(seconds(later), [what = std::move(what)](Rehearsal&) { what(); });
}

void Walker::disturb() {
  restless_until_ = stage_.now() + kLongestOperation;
}

std::string apply_line(Dice& d, std::size_t troubles) {
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
  if (d.one_in(4)) line += fmt::format(" bad={}", d.below(troubles));
  if (!d.one_in(3))
    line += fmt::format(" die={}@{}", d.pick({"unsent", "unheard", "heard", "interrupted"}),
                        d.one_in(2) ? d.below(8) : d.below(40));
  return line;
}

}  // namespace nbform::crash
