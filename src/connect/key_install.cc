#include "connect/key_install.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "engine/refresh.h"

namespace nbform {

namespace {

constexpr Duration kSpare = std::chrono::minutes(5);  // a key that ends sooner is renewed
constexpr Duration kLimit = std::chrono::minutes(3);  // for the whole of it
constexpr std::size_t kAfterYear = 5;                 // of a date
constexpr Duration kPause = std::chrono::milliseconds(500);

// Only what it is good for, where that is less.
Duration spare_of(const KeyWay& way) {
  return std::min(kSpare, way.lifetime() / 4);
}

std::string made_words(const UserKey& key) {
  return fmt::format("There was no SSH key: nbform made one, {}.", key.file);
}

}  // namespace

struct KeyInstaller::Attempt {
  Live machine;
  const KeyWay* way = nullptr;
  When when = When::now;
  Done done;
  std::vector<UserKey> keys;
  UserKey chosen;
  bool made = false;  // the chosen key, just now
  KeyGrant grant;
  Time until;    // that the chosen key is let in for
  Value answer;  // to the call that lets it in
  Time give_up;
  bool sent = false;
};

void KeyInstaller::see_to(const Live& machine, When when, Done done) {
  const KeyWay* way = wishes_.access->key_way(machine);
  if (way == nullptr) return done(as_wished());
  if (auto why = way->hindrance(machine)) return done(std::move(*why).of(wishes_.notebook));
  if (!way->rules_logins() && wishes_.keys_declared) return done(as_wished());
  const bool holds = granted_ && granted_on_ == machine.id && env_.now() + kSpare < granted_until_;
  if (way->rules_logins() && holds) {
    granted_->fresh = false;
    return done(*granted_);
  }
  auto attempt = std::make_shared<Attempt>();
  attempt->machine = machine;
  attempt->way = way;
  attempt->when = when;
  attempt->done = std::move(done);
  attempt->give_up = env_.now() + kLimit;
  list_keys(attempt);
}

SignInAs KeyInstaller::as_wished(const std::string& first_file) const {
  SignInAs out{.user = wishes_.user, .key_files = wishes_.key_files};
  if (first_file.empty()) return out;
  std::erase(out.key_files, first_file);
  out.key_files.insert(out.key_files.begin(), first_file);
  return out;
}

// Which keys there are

void KeyInstaller::list_keys(const std::shared_ptr<Attempt>& attempt) {
  attempt->keys = keys_of_files(env_, wishes_.key_files);
  if (wishes_.only_these_keys) return judge_keys(attempt);
  if (wishes_.has_agent && !agent_)
    return keys_of_agent(env_, lifeline_.guard([this, attempt](std::vector<UserKey> found) {
      agent_ = std::move(found);
      list_keys(attempt);
    }));
  for (const UserKey& key : agent_.value_or(std::vector<UserKey>())) attempt->keys.push_back(key);
  for (UserKey& own : keys_of_files(env_, {wishes_.own_key})) {
    own.name = "nbform's own key";
    attempt->keys.push_back(std::move(own));
  }
  judge_keys(attempt);
}

void KeyInstaller::judge_keys(const std::shared_ptr<Attempt>& attempt) {
  KeyGrant& grant = attempt->grant;
  grant.user = wishes_.user;
  grant.now = env_.now();
  grant.until = grant.now + spare_of(*attempt->way);
  for (const UserKey& key : attempt->keys) {
    grant.key = key.key;
    if (!attempt->way->lets_in(attempt->machine, grant)) continue;
    if (!attempt->sent) return attempt->done(as_wished(key.file));
    attempt->chosen = key;
    return finish(attempt);
  }
  choose(attempt);
}

void KeyInstaller::choose(const std::shared_ptr<Attempt>& attempt) {
  if (!attempt->keys.empty()) {
    attempt->chosen = attempt->keys.front();
  } else {
    if (wishes_.only_these_keys || wishes_.own_key.empty()) return attempt->done(as_wished());
    auto own = make_own_key(env_, wishes_.own_key);
    if (!own.ok()) return attempt->done(std::move(own).error());
    attempt->chosen = std::move(*own);
    attempt->chosen.name = "nbform's own key";
    attempt->made = true;
  }
  KeyGrant& grant = attempt->grant;
  grant.key = attempt->chosen.key;
  attempt->until = grant.until = Time::from_seconds((grant.now + attempt->way->lifetime()).seconds());
  if (attempt->when == When::later && !attempt->way->rules_logins()) {
    SignInAs later = as_wished(attempt->chosen.file);
    if (attempt->made) later.notices.push_back(made_words(attempt->chosen));
    return attempt->done(std::move(later));
  }
  if (!attempt->way->wants_caller()) return send(attempt);
  wire_.caller(attempt->machine.scope, lifeline_.guard([this, attempt](Result<std::string> who) {
    if (!who.ok()) return attempt->done(std::move(who).error());
    attempt->grant.caller = std::move(*who);
    send(attempt);
  }));
}

// How one is let in

void KeyInstaller::send(const std::shared_ptr<Attempt>& attempt) {
  attempt->sent = true;
  attempt->answer = Value();
  std::string id = uuid_from(
      fmt::format("connect-key|{}|{}|{}", attempt->machine.id, attempt->grant.key, env_.random(UINT64_MAX)));
  ask(attempt, attempt->way->let_in(attempt->machine, attempt->grant, id), ApiRequest::Repeat::keyed);
}

void KeyInstaller::ask(const std::shared_ptr<Attempt>& attempt, const Call& call, ApiRequest::Repeat repeat) {
  wire_.send(attempt->machine.scope, call, repeat,
             lifeline_.guard([this, attempt](Result<Answer> answer) { settle(attempt, std::move(answer)); }));
}

void KeyInstaller::settle(const std::shared_ptr<Attempt>& attempt, Result<Answer> answer) {
  if (!answer.ok()) return attempt->done(std::move(answer).error());
  Settlement verdict = attempt->way->settle(attempt->machine.scope, answer->http);
  if (attempt->answer.is_null()) attempt->answer = answer->json;
  switch (verdict.state) {
    case Settlement::State::done:
      return finish(attempt);
    case Settlement::State::pending:
      if (env_.now() > attempt->give_up || !verdict.poll) break;
      env_.after(verdict.pause, lifeline_.guard([this, attempt, poll = *verdict.poll] {
        ask(attempt, poll, ApiRequest::Repeat::safe);
      }));
      return;
    case Settlement::State::failed:
      if (verdict.failure.code != Code::conflict && verdict.failure.code != Code::busy)
        return attempt->done(refused(*attempt, std::move(verdict.failure)));
      return read_again(attempt);
    case Settlement::State::unknown:
    case Settlement::State::spent:
      return read_again(attempt);
  }
  attempt->done(error(Code::timeout, "The key is not let in", "The cloud has not finished writing it.")
                    .of(wishes_.notebook));
}

// Somebody else wrote meanwhile; perhaps another connect, with the same key.
void KeyInstaller::read_again(const std::shared_ptr<Attempt>& attempt) {
  if (env_.now() > attempt->give_up)
    return attempt->done(error(Code::timeout, "The key is not let in",
                               fmt::format("Others keep changing {}.", attempt->way->name()))
                             .of(wishes_.notebook));
  env_.after(kPause + std::chrono::milliseconds(env_.random(500)), lifeline_.guard([this, attempt] {
    const Live& machine = attempt->machine;
    read_live(wire_, *machine.kind, machine.scope, machine.zone, machine.name,
              lifeline_.guard([this, attempt](Result<std::optional<Live>> answer) {
                if (!answer.ok()) return attempt->done(std::move(answer).error());
                if (!*answer)
                  return attempt->done(error(Code::not_found, "The machine is gone",
                                             fmt::format("{} was deleted.", attempt->machine.id))
                                           .of(wishes_.notebook));
                attempt->machine = std::move(**answer);
                judge_keys(attempt);
              }));
  }));
}

void KeyInstaller::finish(const std::shared_ptr<Attempt>& attempt) {
  const KeyWay& way = *attempt->way;
  auto login = way.login(attempt->answer, attempt->grant);
  if (!login.ok()) return attempt->done(std::move(login).error().of(wishes_.notebook));
  SignInAs out = as_wished(attempt->chosen.file);
  out.user = std::move(*login);
  out.by_cloud = way.rules_logins();
  out.fresh = true;
  out.said = fmt::format("{} until {} UTC, {}", attempt->chosen.name,
                         format_date_clock(attempt->until).substr(kAfterYear), way.label());
  if (attempt->made) out.notices.push_back(made_words(attempt->chosen));
  if (out.by_cloud && wishes_.user_declared && out.user != wishes_.user)
    out.notices.push_back(fmt::format("{} rules the names: {} signs in, not {} as access.ssh.user has it.",
                                      way.name(), out.user, wishes_.user));
  if (out.by_cloud) {
    granted_ = out;
    granted_on_ = attempt->machine.id;
    granted_until_ = attempt->until;
  }
  attempt->done(std::move(out));
}

Diagnostic KeyInstaller::refused(const Attempt& attempt, Diagnostic why) const {
  const KeyWay& way = *attempt.way;
  why.address = wishes_.notebook;
  if (attempt.made) why.detail += "\n" + made_words(attempt.chosen);
  if (why.code != Code::denied) return why;
  why.summary = fmt::format("You may not let your key in through {}", way.name());
  why.hint = fmt::format("It takes {}.", way.takes());
  if (!way.rules_logins())
    why.hint += fmt::format(
        "\nOr let somebody who may apply it write the key:\n    access: {{ssh: {{keys: [KEY.pub]}}}}");
  return why;
}

}  // namespace nbform
