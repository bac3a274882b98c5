// KeyWay: how a public key is let into a live machine for a while, through the cloud's API and beside any
// plan. Pure: names calls and reads answers; connect performs them. Knows no key file and no SSH.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/kind.h"
#include "core/resource.h"

namespace nbform {

struct KeyGrant {
  std::string user;    // who signs in, as the manifest or the image has it
  std::string key;     // "ssh-ed25519 AAAA...", without a comment
  std::string caller;  // e-mail of whoever asks; only where the way wants it
  Time now, until;
};

class KeyWay {
 public:
  virtual ~KeyWay() = default;

  virtual std::string_view name() const = 0;   // for people, in a sentence: "the VM's metadata"
  virtual std::string_view label() const = 0;  // where there is less room: "metadata"
  virtual std::string_view takes() const = 0;  // the permissions, as a sentence's end
  virtual Duration lifetime() const = 0;       // that a key is let in for
  // The cloud says who may sign in and by which name; keys and user of a manifest do not count.
  virtual bool rules_logins() const { return false; }
  virtual bool wants_caller() const { return false; }

  // Why no key that goes this way would open the machine.
  virtual std::optional<Diagnostic> hindrance(const Live&) const { return std::nullopt; }
  // Whether the machine, as just read, lets that user in with that key until `grant.until`.
  virtual bool lets_in(const Live& machine, const KeyGrant& grant) const = 0;
  virtual Call let_in(const Live& machine, const KeyGrant& grant, std::string_view request_id) const = 0;
  // What the answer, or that of a poll, says. A failure of code `conflict`: somebody else wrote; read again.
  virtual Settlement settle(const Scope& scope, const Response& answer) const = 0;
  // Under which name one signs in, of the answer to `let_in`.
  virtual Result<std::string> login(const Value& answer, const KeyGrant& grant) const {
    return (void)answer, grant.user;
  }
};

}  // namespace nbform
