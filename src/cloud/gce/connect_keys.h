// The lines that `nbform connect` puts into the metadata value `ssh-keys`: in the form of google-ssh, because
// it is the only one that the guest agent lets expire, with userName "nbform-connect", because that form's
// comment is taken. All other lines stay as they are, byte for byte. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace nbform::gce {

// USER:TYPE BLOB [COMMENT], as the guest agent takes it. A line with options, or that it rejects, is none.
struct KeyLine {
  std::string user, key;      // key: "ssh-ed25519 AAAA..."
  std::optional<Time> until;  // none: it does not expire
  bool of_connect = false;
};
std::optional<KeyLine> read_key_line(std::string_view line);

std::string connect_line(std::string_view user, std::string_view key, Time until);
// `all` with `line` at its end, without lines of connect that are over or hold the same key for the same
// user.
std::string with_connect_line(std::string_view all, std::string_view line, Time now);
// Whether a line of `all` lets that user in with that key until then.
bool lets_key_in(std::string_view all, std::string_view user, std::string_view key, Time until);

}  // namespace nbform::gce
