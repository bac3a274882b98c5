// A Jupyter that answers on this computer, made known: in `nbform status`, on the screen, to the browser, or
// to the person who pastes its URL into Colab. Knows not how it came here.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/browser.h"
#include "cli/session.h"
#include "connect/jupyter.h"
#include "connect/live_tunnels.h"

namespace nbform::cli {

struct AnnouncementFlags {
  bool no_open = false, print = false, colab = false, json = false;
};

struct OpenJupyter {
  std::string notebook;    // its key
  std::string machine;     // Live::id
  std::vector<int> ports;  // of this computer; Jupyter's first
  FoundJupyter found;
};

// The stack that an open notebook is listed under, for `nbform status`: a simulated one is another.
std::string tunnel_label(const Session& session);

// Listed, and the browser let in, as long as this is.
class Announcement {
 public:
  Announcement(Session& session, OpenJupyter open, const AnnouncementFlags& flags);

 private:
  std::string url(bool with_token) const;
  void list_it(Session& session);
  void as_json(Screen& screen) const;
  void to_colab(Screen& screen) const;
  void to_browser(Session& session);
  std::string token_note(bool opens) const;

  OpenJupyter open_;
  AnnouncementFlags flags_;
  std::optional<Browser> browser_;
  std::unique_ptr<AnnouncedTunnel> listed_;
};

}  // namespace nbform::cli
