#include "connect/host_keys.h"

#include <fmt/format.h>

#include "base/text.h"

namespace nbform {

namespace {

constexpr Duration kPoll = std::chrono::seconds(7);           // guest attributes: ten reads a minute and VM
constexpr Duration kKeysAfterBoot = std::chrono::minutes(5);  // EC2 posts its console minutes after the start

}  // namespace

struct HostKeyFinder::Search {
  Live machine;
  Time until;
  std::function<void()> on_wait;
  Done done;
  std::vector<MachineCall> sources;
  std::size_t asked = 0;  // of `sources`
  std::vector<std::string> reasons;
  bool may_come = false;  // a source that may be read shows none yet
};

void HostKeyFinder::find(const Live& machine, Time until, std::function<void()> on_wait, Done done) {
  look(std::make_shared<Search>(Search{.machine = machine,
                                       .until = until,
                                       .on_wait = std::move(on_wait),
                                       .done = std::move(done),
                                       .sources = access_.host_key_sources(machine),
                                       .reasons = {}}));
}

void HostKeyFinder::look(const std::shared_ptr<Search>& search) {
  auto known = known_.keys_of(access_.machine_id(search->machine));
  if (!known.ok()) return search->done(std::move(known).error());
  if (!known->empty())
    return search->done(FoundHostKeys{.keys = std::move(*known), .from = "verified before", .reasons = {}});
  search->asked = 0;
  search->reasons.clear();
  search->may_come = false;
  ask(search);
}

void HostKeyFinder::ask(const std::shared_ptr<Search>& search) {
  if (search->asked == search->sources.size()) return none(search);
  wire_.send(search->machine.scope, search->sources[search->asked].call, ApiRequest::Repeat::safe,
             lifeline_.guard([this, search](const Result<Answer>& answer) { judge(search, answer); }));
}

void HostKeyFinder::judge(const std::shared_ptr<Search>& search, const Result<Answer>& answer) {
  if (!answer.ok()) return search->done(answer.error());
  const MachineCall& source = search->sources[search->asked++];
  std::vector<HostKey> keys;
  if (answer->http.ok())
    for (const std::string& line : access_.host_keys(answer->json))
      if (auto key = parse_host_key(line)) keys.push_back(std::move(*key));
  if (!keys.empty()) {
    if (auto kept = known_.remember(access_.machine_id(search->machine), keys); !kept.ok())
      return search->done(std::move(kept).error());
    return search->done(FoundHostKeys{.keys = std::move(keys), .from = source.name, .reasons = {}});
  }
  if (answer->http.ok() || answer->http.status == 404) {
    search->may_come = true;
    search->reasons.push_back(fmt::format("The {} shows none.", source.name));
  } else {
    Diagnostic refusal = wire_.refusal(search->machine.scope, answer->http);
    search->reasons.push_back(
        refusal.code == Code::denied
            ? fmt::format("The {} may not be read: it takes {}.", source.name, source.permission)
            : fmt::format("The {} can't be read: {}.", source.name, refusal.summary));
  }
  ask(search);
}

// A boot writes its keys within minutes, or never.
void HostKeyFinder::none(const std::shared_ptr<Search>& search) {
  const std::optional<Time>& started = search->machine.health.started;
  bool booting =
      search->may_come && (!started || env_.now() - *started < kKeysAfterBoot) && env_.now() < search->until;
  if (!booting)
    return search->done(FoundHostKeys{.keys = {}, .from = "", .reasons = std::move(search->reasons)});
  search->on_wait();
  env_.after(kPoll, lifeline_.guard([this, search] { look(search); }));
}

Diagnostic no_host_key(const std::string& notebook, const std::vector<std::string>& reasons) {
  return error(Code::denied, "The machine's host key is not known",
               fmt::format("Without it, nobody can tell whether it is {} that answers. {}", notebook,
                           join(reasons, " ")))
      .of(notebook)
      .with_hint(fmt::format("To trust whatever key is shown now, and only that from then on:\n"
                             "    nbform connect {} --accept-new-host-key",
                             notebook));
}

}  // namespace nbform
