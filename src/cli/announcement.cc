#include "cli/announcement.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"

namespace nbform::cli {

std::string tunnel_label(const Session& session) {
  std::string label = session.manifest().stack.label();
  return session.in_sandbox() ? "sandbox/" + label : label;
}

Announcement::Announcement(Session& session, OpenJupyter open, const AnnouncementFlags& flags)
    : open_(std::move(open)), flags_(flags) {
  list_it(session);
  Screen& screen = session.shell().screen;
  if (flags_.json)
    as_json(screen);
  else if (flags_.colab)
    to_colab(screen);
  else
    to_browser(session);
  if (!flags_.json) screen.err("Ctrl-C ends the connection.\n");
}

std::string Announcement::url(bool with_token) const {
  return open_.found.server.url(open_.ports.front(), with_token);
}

void Announcement::list_it(Session& session) {
  auto listed = AnnouncedTunnel::announce(
      session.env(), {tunnel_label(session), open_.notebook, open_.machine, url(false), session.env().now()});
  if (!listed.ok())
    return session.shell().screen.err(
        fmt::format("  not shown by nbform status: {}\n", printable(listed.error().detail)));
  listed_ = std::move(*listed);
}

void Announcement::as_json(Screen& screen) const {
  List ports;
  for (int port : open_.ports) ports.push_back(port);
  screen.out(
      to_json(Map{{"notebook", open_.notebook}, {"url", url(flags_.print)}, {"ports", std::move(ports)}}) +
      "\n");
}

// Colab takes no other host, and asks for the token as part of the URL.
void Announcement::to_colab(Screen& screen) const {
  std::string pasted = url(true);
  pasted.replace(pasted.find("127.0.0.1"), std::string_view("127.0.0.1").size(), "localhost");
  screen.out(pasted + "\n");
  screen.err(
      "In Colab: the arrow beside Connect, `Connect to a local runtime`, and this URL as the backend URL.\n"
      "Chrome asks once whether the page may reach devices on the local network: allow it.\n");
}

void Announcement::to_browser(Session& session) {
  Screen& screen = session.shell().screen;
  const bool opens = !flags_.no_open && screen.talks_to_terminal();
  screen.out(url(flags_.print) + "\n");
  screen.err(token_note(opens));
  if (opens) browser_.emplace(session.env(), Secret(url(true)));
}

std::string Announcement::token_note(bool opens) const {
  if (open_.found.locked)
    return "Jupyter asks for a token or password, which this login can't read on the machine.\n";
  if (open_.found.server.token.empty() || flags_.print) return "";
  return fmt::format("Jupyter asks for a token{}. --print shows it.\n",
                     opens ? ", which the browser is given" : "");
}

}  // namespace nbform::cli
