#include "net/iap_session.h"

#include "net/iap_words.h"
#include "support/catch.h"

using namespace nbform;
using What = IapSession::Step::What;

namespace {

std::string number(std::uint64_t n, int bytes) {
  std::string out;
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out.push_back(static_cast<char>(n >> shift));
  return out;
}

// Messages as Google's own client lays them out.
std::string connected(const std::string& sid) {
  return number(1, 2) + number(sid.size(), 4) + sid;
}
std::string resumed(std::uint64_t count) {
  return number(2, 2) + number(count, 8);
}
std::string data_of(const std::string& bytes) {
  return number(4, 2) + number(bytes.size(), 4) + bytes;
}
std::string ack(std::uint64_t count) {
  return number(7, 2) + number(count, 8);
}

IapSession begun() {
  IapSession out;
  REQUIRE(out.take(connected("sid-1"))->what == What::begun);
  return out;
}

void took(IapSession& session, const std::string& message) {
  auto step = session.take(message);
  INFO((step.ok() ? "" : step.error().detail));
  REQUIRE(step.ok());
}

std::string all_next(IapSession& session) {
  std::string out;
  for (std::string m = session.next(); !m.empty(); m = session.next()) out += m;
  return out;
}

std::string refusal(IapSession session, const std::string& message) {
  auto step = session.take(message);
  return step.ok() ? "" : step.error().detail;
}

}  // namespace

TEST_CASE("nothing is sent before the relay says that the connection stands") {
  IapSession session;
  session.give("early");
  CHECK(session.next() == "");
  CHECK(session.take(connected("s")).value().what == What::begun);
  CHECK(session.id() == "s");
  CHECK(session.next() == data_of("early"));
  CHECK(session.next() == "");
  CHECK(session.all_sent());
}

TEST_CASE("data is cut into messages of 16384 bytes") {
  IapSession session = begun();
  session.give(std::string(40'000, 'x'));
  CHECK(session.next() == data_of(std::string(16'384, 'x')));
  CHECK(session.next() == data_of(std::string(16'384, 'x')));
  CHECK_FALSE(session.all_sent());
  CHECK(session.next() == data_of(std::string(40'000 - 2 * 16'384, 'x')));
}

TEST_CASE("what arrives is acknowledged with its total once two messages are not") {
  IapSession session = begun();
  const std::string one = data_of(std::string(16'384, 'y'));
  for (int i = 0; i < 2; ++i) took(session, one);
  CHECK(session.next() == "");
  took(session, data_of("z"));
  CHECK(session.next() == ack(2 * 16'384 + 1));
  CHECK(session.next() == "");
  CHECK(session.received() == 2 * 16'384 + 1);
}

TEST_CASE("what is not acknowledged takes room, and the acknowledgement gives it back") {
  IapSession session = begun();
  session.give(std::string(session.room(), 'x'));
  CHECK(session.room() == 0);
  all_next(session);
  took(session, ack(1000));
  CHECK(session.room() == 1000);
  took(session, ack(IapSession::kWindow));
  CHECK(session.room() == IapSession::kWindow);
}

TEST_CASE("a resumed session sends again what the relay has not got, and only that") {
  IapSession session = begun();
  session.give("0123456789");
  CHECK(session.next() == data_of("0123456789"));
  took(session, ack(3));
  session.interrupt();
  session.give("abc");
  CHECK(session.next() == "");
  took(session, resumed(7));
  CHECK(session.next() == data_of("789abc"));
  took(session, ack(13));
  CHECK(session.all_sent());
  CHECK(session.room() == IapSession::kWindow);
}

TEST_CASE("long streams with cuts at any place arrive whole and in order") {
  IapSession session = begun();
  std::string all, arrived;
  std::uint64_t seed = 7, confirmed = 0;
  auto random = [&](std::uint64_t n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33u) % n;
  };
  for (int i = 0; i < 2000; ++i) {
    std::string piece(random(20'000), static_cast<char>('a' + i % 26));
    piece.resize(std::min(piece.size(), session.room()));
    session.give(piece);
    all += piece;
    for (std::string m = session.next(); !m.empty(); m = session.next()) {
      arrived += m.substr(6);
      if (random(9) != 0) continue;
      session.interrupt();
      const std::uint64_t got = confirmed + random(arrived.size() - confirmed + 1);
      arrived.resize(got);
      took(session, resumed(confirmed = got));
    }
    if (random(3) == 0) took(session, ack(confirmed = arrived.size()));
  }
  CHECK(all.size() > 1'000'000);
  CHECK(arrived == all);
}

TEST_CASE("a relay that counts wrongly or speaks out of turn is not believed") {
  IapSession session = begun();
  session.give("0123456789");
  all_next(session);
  took(session, ack(5));
  CHECK(refusal(session, ack(4)).find("acknowledges 4 bytes") != std::string::npos);
  CHECK(refusal(session, ack(11)).find("10 were sent") != std::string::npos);
  CHECK(refusal(session, connected("again")).find("twice") != std::string::npos);
  CHECK(refusal(session, resumed(5)).find("not interrupted") != std::string::npos);
  CHECK_FALSE(refusal(IapSession(), data_of("x")).empty());
  CHECK_FALSE(refusal(IapSession(), ack(0)).empty());
  CHECK_FALSE(refusal(IapSession(), resumed(0)).empty());
  session.interrupt();
  CHECK_FALSE(refusal(session, resumed(11)).empty());
  CHECK_FALSE(refusal(session, data_of("x")).empty());
}

TEST_CASE("messages whose lengths lie are refused, unknown ones are passed over") {
  const IapSession session = begun();
  for (const std::string& message :
       {std::string(), number(4, 1), number(4, 2), number(4, 2) + number(5, 4) + "1234",
        number(4, 2) + number(3, 4) + "1234", number(4, 2) + number(0, 4),
        number(4, 2) + number(0xffffffff, 4), data_of(std::string(16'385, 'x')), number(7, 2) + number(0, 7),
        ack(0) + "x", number(10, 2) + number(1, 3), number(10, 2) + number(4003, 4) + number(9, 4) + "x"}) {
    INFO(message.size());
    CHECK_FALSE(refusal(session, message).empty());
  }
  CHECK(refusal(IapSession(), connected("a b")).find("printable") != std::string::npos);
  CHECK_FALSE(refusal(IapSession(), connected(std::string(1025, 'x'))).empty());
  IapSession open = begun();
  CHECK(open.take(number(99, 2) + "whatever").value().what == What::nothing);
  const std::string closing = number(10, 2) + number(4003, 4) + number(3, 4) + "why";
  auto end = open.take(closing);  // a view into it
  REQUIRE(end.ok());
  CHECK(end->what == What::closing);
  CHECK(end->code == 4003);
  CHECK(end->bytes == "why");
}

TEST_CASE("each refusal of the relay names what to mend, or that it passes") {
  using Cure = IapFailure::Cure;
  const IapTarget target{"acme-ml", "us-central1-b", "train", "nic0", 22};
  for (int status : {400, 403, 404}) {
    IapFailure refused = iap_refused(status, target);
    CHECK(refused.cure == Cure::none);
    CHECK(refused.why.code == Code::denied);
    CHECK(refused.why.detail.find(kIapPermission) != std::string::npos);
    CHECK(refused.why.hint.find("--role=roles/iap.tunnelResourceAccessor") != std::string::npos);
  }
  CHECK(iap_refused(401, target).cure == Cure::token);
  CHECK(iap_refused(503, target).cure == Cure::wait);
  CHECK(iap_refused(429, target).cure == Cure::wait);
  CHECK(iap_refused(200, target).cure == Cure::none);
  CHECK(iap_closed(4033, "", target).why.detail.find(kIapPermission) != std::string::npos);
  CHECK(iap_closed(4003, "", target).why.detail.find("35.235.240.0/20") != std::string::npos);
  CHECK(iap_closed(4003, "", target).cure == Cure::wait);
  CHECK(iap_closed(4004, "", target).cure == Cure::token);
  CHECK(iap_closed(4047, "", target).why.detail.find("train in us-central1-b") != std::string::npos);
  for (std::uint32_t code : {1000u, 4009u, 4010u}) CHECK(iap_closed(code, "", target).cure == Cure::over);
  for (std::uint32_t code : {4001u, 4002u, 4074u, 4999u})
    CHECK(iap_closed(code, "", target).cure == Cure::restart);
  CHECK(iap_closed(4999, "\x1b[31mred", target).why.detail.find("\\x1b[31mred") != std::string::npos);
}
