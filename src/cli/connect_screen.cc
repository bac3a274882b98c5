#include "cli/connect_screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/ink.h"
#include "base/text.h"

namespace nbform::cli {

namespace {

double seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}

std::string_view stage_name(ConnectEvent::What what) {
  switch (what) {
    case ConnectEvent::What::machine:
      return "machine";
    case ConnectEvent::What::opening:
      return "firewall";
    case ConnectEvent::What::host_key:
      return "host key";
    case ConnectEvent::What::key:
      return "key";
    case ConnectEvent::What::way:
      return "way in";
    case ConnectEvent::What::ssh:
      return "ssh";
    case ConnectEvent::What::jupyter:
      return "jupyter";
    case ConnectEvent::What::colab:
      return "colab";
    default:
      return "";
  }
}

std::string sentence_of(const Diagnostic& why) {
  return printable(why.detail.empty() ? why.summary : why.detail);
}

}  // namespace

std::string stage_line(std::string_view stage, const std::string& text, Duration took, const Style& style) {
  if (took < Duration{0})
    return fmt::format("  {:<10} {}\n", stage, inked("waiting: " + printable(text), Ink::dim, style));
  return fmt::format("  {:<10} {:<52} {:>6.1f} s\n", stage, printable(text), seconds(took));
}

void ConnectScreen::stamped(const std::string& line) {
  screen_.err(fmt::format("{} {}\n", format_clock(env_.now()), line));
}

// Of a way back only what holds it up is told, and its end.
void ConnectScreen::stage(std::string_view name, const ConnectEvent& event) {
  if (interrupted_ && !event.done)
    return stamped(fmt::format("waiting for the {}: {}", name, printable(event.text)));
  if (interrupted_ && event.what == ConnectEvent::What::jupyter) {
    interrupted_ = false;
    return stamped("connected again");
  }
  if (interrupted_) return;
  Duration took = event.done ? env_.now() - stage_began_ : Duration{-1};
  screen_.err(stage_line(name, event.text, took, screen_.err_style()));
  if (event.done) stage_began_ = env_.now();
}

// A reason is told once, however often it is the reason again.
void ConnectScreen::retry(const ConnectEvent& event) {
  std::string why = sentence_of(event.why);
  std::string when = fmt::format("trying again in {:.0f} s", std::max(1.0, seconds(event.pause)));
  if (why != std::exchange(reason_, why)) return stamped(why + " " + when);
  if (event.pause >= std::chrono::seconds(1)) stamped(when);
}

void ConnectScreen::show(const ConnectEvent& event) {
  switch (event.what) {
    case ConnectEvent::What::lost:
      interrupted_ = true;
      reason_ = sentence_of(event.why);
      return stamped("connection lost: " + reason_);
    case ConnectEvent::What::retry:
      return retry(event);
    case ConnectEvent::What::notice:
      return screen_.err("  " + printable(event.text) + "\n");
    case ConnectEvent::What::failed:
      return;  // reported by whoever ends the command
    default:
      return stage(stage_name(event.what), event);
  }
}

}  // namespace nbform::cli
