#include "net/ssh_sign_in.h"

#include <fmt/format.h>

#include "base/text.h"

namespace nbform {

namespace {

constexpr int kAttempts = 3;  // at a passphrase

using Progress = SshSession::Progress;
using Trouble = SshSession::Trouble;

}  // namespace

SshSignIn::SshSignIn(Env& env, SshSession& session, const SshSettings& settings, const SshCalls& calls,
                     std::function<void()> go_on)
    : session_(session), settings_(settings), calls_(calls), go_on_(std::move(go_on)) {
  read_files(env);
}

void SshSignIn::read_files(Env& env) {
  for (const std::string& path : settings_.key_files) {
    auto text = env.read_file(path);
    auto key = text.ok() ? read_private_key(*text) : std::nullopt;
    if (!key) {
      unreadable_.push_back(text.ok() ? path + " is not a private key." : text.error().detail);
      continue;
    }
    if (auto half = key->blob.empty() ? env.read_file(path + ".pub") : Result<std::string>(std::string());
        half.ok())
      if (auto known = parse_host_key(*half)) key->blob = known->blob;
    files_.push_back({path, Secret(std::move(text).value()), *key});
  }
}

SshSignIn::State SshSignIn::advance() {
  if (asking_) return State::asking;
  if (!listed_) {
    Progress asked = session_.ask_methods(settings_.user);
    if (asked != Progress::done) return asked == Progress::again ? State::going : State::failed;
    listed_ = true;
    std::vector<std::pair<std::string, std::string>> agent;
    for (AgentKey& key : session_.agent_keys(settings_.agent_socket))
      agent.emplace_back(std::move(key.blob), std::move(key.comment));
    offers_ = order_keys(files_, agent, library_signs_with);
  }
  return session_.signed_in() ? State::done : offer();
}

bool SshSignIn::wants_passphrase() const {
  return current().agent < 0 && files_[static_cast<std::size_t>(current().file)].key.encrypted;
}

SshSignIn::State SshSignIn::offer() {
  while (at_ < offers_.offers.size()) {
    if (wants_passphrase() && !passphrase_) {
      ask_passphrase();
      return State::asking;
    }
    const KeyOffer& key = current();
    State state =
        key.agent >= 0
            ? judge(session_.sign_in_with_agent(settings_.user, static_cast<std::size_t>(key.agent)))
            : judge(session_.sign_in(settings_.user, files_[static_cast<std::size_t>(key.file)].text,
                                     passphrase_.value_or(Secret())));
    if (state != State::asking) return state;
  }
  return State::failed;
}

// `asking` here: the next key, or the same with another passphrase.
SshSignIn::State SshSignIn::judge(Progress progress) {
  if (progress == Progress::done) return State::done;
  if (progress == Progress::again) return State::going;
  const Trouble trouble = session_.trouble();
  if (trouble == Trouble::key && wants_passphrase() && attempt_ < kAttempts) {
    passphrase_.reset();
    return State::asking;
  }
  if (trouble == Trouble::key)
    unreadable_.push_back(
        fmt::format("{} cannot be used: {}.", current().name,
                    wants_passphrase() ? "the passphrase is wrong" : session_.trouble_text()));
  else
    tried_.push_back(current().name);
  if (trouble != Trouble::key && trouble != Trouble::auth) return State::failed;
  next_key();
  return State::asking;
}

void SshSignIn::next_key() {
  ++at_;
  attempt_ = 0;
  passphrase_.reset();
}

void SshSignIn::ask_passphrase() {
  asking_ = true;
  calls_.passphrase(current().name, ++attempt_, lifeline_.guard([this](Result<Secret> answer) {
    if (!std::exchange(asking_, false)) return;
    if (answer.ok()) {
      passphrase_ = std::move(answer).value();
    } else {
      unreadable_.push_back(fmt::format("{} is encrypted: {}", current().name, answer.error().summary));
      next_key();
    }
    go_on_();
  }));
}

SshFailure SshSignIn::failure() const {
  const std::string& words = session_.last_words();
  const bool too_many = words.find("authentication failures") != std::string::npos;
  if (session_.trouble() == Trouble::broken && !too_many)
    return {SshProblem::lost, error(Code::unavailable, "The connection was lost while signing in",
                                    words.empty() ? "" : fmt::format("The server says: {}.", words))};
  std::string detail = join(unreadable_, " ") + (unreadable_.empty() ? "" : " ");
  if (!offers_.unable.empty())
    return {SshProblem::needs_system_ssh,
            error(Code::unsupported, "The SSH library cannot sign with this key",
                  fmt::format("{}{}: RSA keys need the system's ssh.", detail, join(offers_.unable, ", "))),
            session_.methods(), tried_};
  detail += fmt::format("User {}. ", settings_.user);
  if (!tried_.empty()) detail += fmt::format("Offered: {}. ", join(tried_, ", "));
  if (!session_.methods().empty())
    detail += fmt::format("The server takes: {}. ", join(session_.methods(), ", "));
  if (too_many) detail += "It hung up after too many keys. ";
  detail.pop_back();
  if (tried_.empty())
    return {SshProblem::key_unusable, error(Code::unauthenticated, "There is no key to sign in with", detail),
            session_.methods()};
  return {SshProblem::auth_refused, error(Code::unauthenticated, "The server takes none of the keys", detail),
          session_.methods(), tried_};
}

}  // namespace nbform
