// Signing in with the user's keys, one after the other: the agent's and those of files, asking for
// passphrases. Knows no socket and no loop; whoever owns it calls advance() when the session may go on.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "net/env.h"
#include "net/ssh_key.h"
#include "net/ssh_session.h"
#include "net/ssh_transport.h"

namespace nbform {

class SshSignIn {
 public:
  enum class State { going, asking, done, failed };

  // `go_on` is called when an answer that was waited for is there.
  SshSignIn(Env& env, SshSession& session, const SshSettings& settings, const SshCalls& calls,
            std::function<void()> go_on);

  // As far as it goes now. `asking`: a person's answer is waited for, not the server's.
  State advance();
  // When it failed; a session that broke while the server still judged keys is a refusal too.
  SshFailure failure() const;

 private:
  void read_files(Env& env);
  State offer();
  State judge(SshSession::Progress progress);
  void ask_passphrase();
  void next_key();
  bool wants_passphrase() const;
  const KeyOffer& current() const { return offers_.offers[at_]; }

  SshSession& session_;
  const SshSettings& settings_;
  const SshCalls& calls_;
  std::function<void()> go_on_;
  Lifeline lifeline_;
  std::vector<KeyFile> files_;
  std::vector<std::string> unreadable_;  // sentences
  KeyOffers offers_;
  std::size_t at_ = 0;
  bool listed_ = false, asking_ = false;
  int attempt_ = 0;
  std::optional<Secret> passphrase_;
  std::vector<std::string> tried_;
};

}  // namespace nbform
