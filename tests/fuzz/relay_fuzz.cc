// What a relay of IAP, or whoever stands in its place, may send: the head of an HTTP answer, the frames of a
// WebSocket, the relay's messages. The first line says which: "head", "frames N" (given in pieces of N
// bytes), "messages" (each after its length in two bytes).
#include "fuzz.h"
#include "net/iap_session.h"
#include "net/iap_words.h"
#include "net/websocket_frames.h"
#include "net/websocket_upgrade.h"

using namespace nbform;

namespace {

constexpr std::size_t kMost = 70'000;

void head(std::string_view text) {
  auto read = read_http_head(text);
  if (!read.ok()) return fuzz::check_message(read.error());
  if (!*read) return;
  fuzz::require((*read)->size <= text.size(), "a head that is longer than what arrived");
  auto agreed = check_upgrade((*read)->answer, "dGhlIHNhbXBsZSBub25jZQ==", "p");
  if (!agreed.ok()) fuzz::check_message(agreed.error());
  fuzz::check_message(iap_refused((*read)->answer.status, {"p", "z", "i", "nic0", 22}).why);
}

std::string all_of(std::string_view text, std::size_t piece) {
  WebSocketReader reader(kMost);
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    reader.feed(text.substr(at, piece));
    while (auto message = reader.next()) {
      fuzz::require(message->payload.size() <= kMost, "a message beyond its limit");
      out += std::to_string(static_cast<int>(message->kind)) + ":" + std::to_string(message->code) + ":";
      out += message->payload;
    }
  }
  return out + (reader.fault() ? "!" + std::to_string(static_cast<int>(reader.fault()->code)) : "");
}

// However the bytes are cut, they are the same messages.
void frames(std::string_view text, std::string_view words) {
  const std::size_t piece = words.empty() ? 1 : 1 + static_cast<unsigned char>(words.back()) % 64;
  fuzz::require(all_of(text, piece) == all_of(text, text.size() + 1),
                "messages that depend on how bytes arrive");
}

void messages(std::string_view text) {
  IapSession session;
  std::uint64_t received = 0;
  while (text.size() >= 2) {
    const std::size_t size = static_cast<unsigned char>(text[0]) * 256u + static_cast<unsigned char>(text[1]);
    const std::string_view message = text.substr(2, size);
    text.remove_prefix(2 + message.size());
    if (session.room() >= 100) session.give(std::string(100, 'x'));
    while (!session.next().empty()) {
    }
    auto step = session.take(message);
    if (!step.ok()) return fuzz::check_message(step.error());
    using What = IapSession::Step::What;
    if (step->what == What::data) received += step->bytes.size();
    fuzz::require(session.received() == received, "bytes that are counted wrongly");
    fuzz::require(session.room() <= IapSession::kWindow, "more room than there is");
    if (step->what == What::closing) {
      auto failure = iap_closed(step->code, step->bytes, {"p", "z", "i", "nic0", 22});
      fuzz::check_message(failure.why);
      if (step->code % 2 == 0) session.interrupt();
    }
  }
}

}  // namespace

NBFORM_FUZZ(text) {
  auto [line, rest] = fuzz::first_line(text);
  auto [kind, words] = fuzz::first_word(line);
  if (kind == "head") head(rest);
  if (kind == "frames") frames(rest, words);
  if (kind == "messages") messages(rest);
}
