#include "rehearsal.h"

#include <fmt/format.h>

#include <algorithm>

#include "support/stage.h"

namespace nbform::crash {

namespace {

constexpr Duration kLastWords = std::chrono::seconds(1);  // what has left arrives within

std::string text_of(const Outcome& outcome) {
  std::string out;
  for (const ChangeResult& r : outcome.results)
    if (r.state != ChangeResult::State::done)
      out += fmt::format("  {} not done: {} {} {} {}\n", r.address, r.failure.summary, r.failure.detail,
                         r.failure.hint, r.blocked_by);
  return out;
}

// What an apply would do; a notebook that an error blocks is left alone.
int changes_in(const Plan& plan) {
  return static_cast<int>(std::count_if(plan.changes.begin(), plan.changes.end(), [&](const Change& c) {
    return c.action > Action::pending &&
           std::count(plan.blocked.begin(), plan.blocked.end(), c.notebook) == 0;
  }));
}

}  // namespace

std::string_view name_of(Death::How how) {
  constexpr std::string_view kNames[] = {"none", "unsent", "unheard", "heard", "interrupted"};
  return kNames[static_cast<int>(how)];
}

// --- a process ---

ExchangeId MortalEnv::send(Request request, std::function<void(Result<Response>)> done) {
  using How = Death::How;
  if (dead_ && death_.how != How::interrupted) return 0;
  if (ground_ == nullptr) return SimEnv::send(std::move(request), std::move(done));
  bool fresh = ground_->changes(request) && seen_.insert(ground_->identity(request)).second;
  if (dead_ && fresh && now() > died_) ++sent_after_;
  if (dead_) return SimEnv::send(std::move(request), std::move(done));
  mutations_ += fresh ? 1 : 0;
  if (requests_++ != death_.at || death_.how == How::none)
    return SimEnv::send(std::move(request), std::move(done));
  died_ = last_sign_ = now();
  dead_ = death_.how != How::heard;
  if (death_.how == How::unsent) return 0;
  if (death_.how == How::unheard) return SimEnv::send(std::move(request), [](Result<Response>) {});
  if (death_.how == How::interrupted) return SimEnv::send(std::move(request), std::move(done));
  return SimEnv::send(std::move(request), [this, done = std::move(done)](Result<Response> answer) {
    died_ = last_sign_ = now();
    dead_ = true;
    done(std::move(answer));
  });
}

bool MortalEnv::step() {
  bool more = SimEnv::step();
  last_sign_ = now();
  return more;
}

// --- a stack ---

Rehearsal::Rehearsal(const Ground& ground, sim::Options options)
    : world(std::move(options)), ground_(&ground), auditor_({"research", "research_3f9a1c2e"}) {
  manifest.stack = {"research", "3f9a1c2e", {}};
  ground.declare(manifest);
  ground.admit(world, "colleague");
  world.advance(sim::SimOptions().start);
}

Notebook& Rehearsal::declare(const std::string& key) {
  auto& all = manifest.notebooks;
  auto at = std::find_if(all.begin(), all.end(), [&](const Notebook& n) { return n.key >= key; });
  return *all.insert(at, ground_->sample(key));
}

Notebook& Rehearsal::notebook(const std::string& key) {
  return const_cast<Notebook&>(*manifest.find(key));
}

std::string Rehearsal::new_actor() {
  std::string actor = fmt::format("run-{}", ++runs_);
  ground_->admit(world, actor);
  return actor;
}

void Rehearsal::note(Value line) {
  auditor_.read(line);
  if (keeps_log_) log_.push_back(std::move(line));
}

void Rehearsal::collect() {
  for (; seen_ < world.events().size(); ++seen_) note(sim::to_value(world.events()[seen_]));
}

const List& Rehearsal::log() {
  collect();
  return log_;
}

const std::vector<Violation>& Rehearsal::violations() {
  collect();
  return auditor_.violations();
}

std::string Rehearsal::report() {
  std::string out;
  for (const Violation& v : violations())
    out += fmt::format("{} {}: {}\n", format_rfc3339(Time{v.time}), v.rule, v.text);
  return out;
}

Ending Rehearsal::run_as(MortalEnv& env, const std::string& actor, const Manifest& files, const Wish& wish,
                         const Death& death, const List& faults) {
  Ending ending;
  collect();
  Value line = wish_line(wish, files);
  line.map().set("actor", actor);
  line.map().set("time", world.now().us);
  note(std::move(line));
  Wire wire(env, ground_->wire(actor));
  PlanRequest request;
  request.manifest = &files;
  request.accounts = ground_->accounts;
  request.await_settling = true;
  request.diff = wish.diff;
  request.diff.stack = files.stack.label();
  request.diff.bare_stack = files.stack.name;
  Planned planned = make_plan(env, wire, request);
  ending.text = text_of(planned);
  ending.changes = changes_in(planned.plan);
  if (wish.second)
    note(Map{{"kind", "second"},
             {"actor", actor},
             {"time", world.now().us},
             {"detail", Map{{"changes", ending.changes}, {"what", ending.text}}}});
  ending.blocked = !planned.plan.blocked.empty() || planned.plan.diagnostics.has_errors();
  std::vector<std::string> consent;
  if (wish.consent) consent = planned.plan.data_loss({});
  ending.refused = !planned.plan.data_loss(consent).empty();
  if (ending.refused) return ending;
  ApplyOptions options;
  options.nonce = actor;
  options.interrupts = [&env] { return env.interrupts(); };
  Observer silent;
  env.arm(death, *ground_);
  if (!faults.empty() && !world.add_faults(faults)) bug("a fault script that the simulator refuses");
  Outcome outcome = apply(env, wire, planned.plan, *planned.graph, planned.snapshot, options, silent);
  ending.text += text_of(outcome);
  ending.done = all_done(outcome);
  collect();
  if (ending.done && !ending.blocked) note(Map{{"kind", "done"}, {"actor", actor}, {"time", world.now().us}});
  return ending;
}

Ending Rehearsal::run(const Wish& wish, const Death& death, const List& faults) {
  run_due();
  FakeEnv outside;
  outside.files = home;
  MortalEnv env(world, outside, network);
  for (const Due& due : due_)
    env.timeline()->add(due.at, [this, &env] {
      world.advance(env.now());
      run_due();
    });
  Ending ending = run_as(env, new_actor(), manifest, wish, death, faults);
  ending.died = env.dead();
  ending.requests = env.requests();
  ending.mutations = env.mutations();
  ending.sent_after = env.sent_after();
  ending.lingered = env.lingered();
  // What has left still arrives; what is to happen later does, too.
  Time over = env.now() + kLastWords;
  bool passed = false;
  env.timeline()->add(over, [&] { passed = true; });
  while (!passed) env.timeline()->run_next();
  world.advance(env.now());
  home = std::move(outside.files);
  return ending;
}

void Rehearsal::run_due() {
  std::stable_sort(due_.begin(), due_.end(), [](const Due& a, const Due& b) { return a.at < b.at; });
  while (!due_.empty() && due_.front().at <= world.now()) {
    Due next = std::move(due_.front());
    due_.erase(due_.begin());
    next.what(*this);
  }
}

void Rehearsal::later(Duration delay, std::function<void(Rehearsal&)> what) {
  due_.push_back({world.now() + delay, std::move(what)});
}

void Rehearsal::wait(Duration d) {
  Time end = world.now() + d;
  run_due();
  while (!due_.empty() && due_.front().at <= end) {
    world.advance(due_.front().at);
    run_due();
  }
  world.advance(end);
}

Ending Rehearsal::converge(const Wish& wish) {
  Ending ending = run(wish);
  bool asks_once = !wish.diff.replace.empty() || !wish.diff.restart.empty();
  if (!ending.done || (ending.blocked && asks_once)) return ending;  // it may do so the next time
  Wish again = wish;
  again.second = true;
  again.diff.replace.clear();
  again.diff.restart.clear();
  (void)run(again);
  return ending;
}

void Rehearsal::end(const std::map<std::string, std::string>& expect) {
  collect();
  Map states;
  for (const auto& [name, state] : expect) states.set(name, state);
  note(Map{{"kind", "end"}, {"time", world.now().us}, {"detail", Map{{"expect", states}}}});
}

}  // namespace nbform::crash
