// The relay of IAP as the simulated cloud has it: who may pass, what a client may send, how a session counts.
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/relay_session.h"
#include "sim/relay_wire.h"
#include "world_fixture.h"

using namespace nbform;
using namespace nbform::sim;

namespace {

const std::string kVm =
    "https://tunnel.cloudproxy.app/v4/connect?project=acme-ml&zone=us-central1-a&instance=train";
const std::string kSsh = kVm + "&interface=nic0&port=22";

// A running VM and a handshake at its door.
struct Door : Cloud {
  Headers headers = {{"Origin", "bot:iap-tunneler"},
                     {"Sec-WebSocket-Protocol", "relay.tunnel.cloudproxy.app"},
                     {"Sec-WebSocket-Version", "13"},
                     {"User-Agent", "test"},
                     {"Authorization", "Bearer sandbox"}};

  Door() {
    world.give_loopback_addresses();
    ask("POST", std::string(kZone) + "instances", notebook("train"));
    wait(std::chrono::minutes(2));
  }
  Response knock(const std::string& url = kSsh, std::string method = "GET") {
    Answer answer = world.handle({.method = std::move(method), .url = url, .headers = headers}, now);
    return answer.response.value();
  }
  // What the relay shall do; the handshake must have been agreed to.
  Value plan(const std::string& url = kSsh) {
    Response response = knock(url);
    INFO(response.body);
    REQUIRE(response.status == 101);
    return parse_json(response.body).value();
  }
  int without(std::string_view name) {
    Headers all = headers;
    std::erase_if(headers, [&](const auto& h) { return h.first == name; });
    int status = knock().status;
    headers = all;
    return status;
  }
  void rule(Map fields) {
    fields.set("network", "projects/acme-ml/global/networks/default");
    ask("POST", "projects/acme-ml/global/firewalls", Value(std::move(fields)));
    wait(std::chrono::minutes(1));
  }
};

List tcp(List ports = {}) {
  return List{Map{{"IPProtocol", "tcp"}, {"ports", std::move(ports)}}};
}

std::string masked(int first, std::string payload, std::string mask = "\x01\x02\x03\x04") {
  std::string out(1, static_cast<char>(first));
  out += payload.size() < 126 ? std::string(1, static_cast<char>(128 | payload.size()))
                              : "\xfe" + big_endian(payload.size(), 2);
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
  return out + mask + payload;
}

std::string problem_of(const std::string& bytes) {
  ClientFrames frames;
  frames.feed(bytes);
  while (frames.next()) {
  }
  return frames.problem();
}

}  // namespace

TEST_CASE("the relay is shown a way to the machine's port where everything fits") {
  Door door;
  Value plan = door.plan();
  CHECK(plan.at_path("dial/host").as_text().starts_with("127.128."));
  CHECK(plan.at_path("dial/port").as_int() == 22);
  CHECK(door.plan("https://tunnel.cloudproxy.app/v4/reconnect?sid=s&ack=7&zone=z")["ack"].as_int() == 7);
}

TEST_CASE("a handshake that gcloud would not make is refused") {
  Door door;
  for (const char* name : {"Origin", "Sec-WebSocket-Protocol", "Sec-WebSocket-Version", "User-Agent"})
    CHECK(door.without(name) == 400);
  CHECK(door.without("Authorization") == 401);
  for (const char* more : {"&port=22", "&colour=red", "&newWebsocket="})
    CHECK(door.knock(kSsh + more).status == 400);
  CHECK(door.knock(kVm + "&port=22").status == 400);
  CHECK(door.knock(kVm + "&interface=nic0&port=65536").status == 400);
  CHECK(door.knock(kSsh, "POST").status == 400);
  CHECK(door.knock("https://tunnel.cloudproxy.app/v4/reconnect?sid=s&ack=-1&zone=z").status == 400);
  door.headers.emplace_back("Sec-WebSocket-Extensions", "permessage-deflate");
  CHECK(door.knock().status == 400);
}

TEST_CASE("who may not, what is not there and what is off each have their code") {
  Door door;
  auto close = [&](const std::string& url = kSsh) { return door.plan(url)["close"].as_int(); };
  CHECK(close(kVm + "x&interface=nic0&port=22") == 4047);
  CHECK(close(kVm + "&interface=nic1&port=22") == 4047);
  CHECK(close(kVm + "&interface=nic0&port=8080") == 4003);
  door.world.deny("iap.tunnelInstances.accessViaIAP");
  CHECK(close() == 4033);
  door.world.deny("");
  door.run("POST", std::string(kZone) + "instances/train/stop");
  CHECK(close() == 4047);
}

TEST_CASE("firewall rules decide as Google's do") {
  Door door;
  auto open = [&] { return door.plan()["close"].is_null(); };
  CHECK(open());  // default-allow-ssh
  door.rule(
      {{"name", "out"}, {"priority", 500}, {"denied", tcp()}, {"sourceRanges", List{"35.235.241.0/24"}}});
  CHECK_FALSE(open());
  door.rule({{"name", "too-late"},
             {"priority", 500},
             {"allowed", tcp()},
             {"sourceRanges", List{"35.235.240.0/20"}}});
  CHECK_FALSE(open());
  door.rule({{"name", "others"},
             {"priority", 1},
             {"allowed", tcp()},
             {"sourceRanges", List{"35.235.240.0/20"}},
             {"targetTags", List{"web"}}});
  door.rule(
      {{"name", "half"}, {"priority", 1}, {"allowed", tcp()}, {"sourceRanges", List{"35.235.240.0/21"}}});
  door.rule({{"name", "port"},
             {"priority", 1},
             {"allowed", tcp({"23-80"})},
             {"sourceRanges", List{"35.235.240.0/20"}}});
  CHECK_FALSE(open());
  door.rule(
      {{"name", "in"}, {"priority", 499}, {"allowed", tcp({"20-22"})}, {"sourceRanges", List{"35.0.0.0/8"}}});
  CHECK(open());
}

TEST_CASE("a client's frames are judged by the letter") {
  CHECK(problem_of(masked(0x82, "abc")) == "");
  CHECK(problem_of(masked(0x82, "")) == "");
  CHECK(problem_of(std::string("\x82\x03") + "abcdef") == "a frame is not masked");
  CHECK(problem_of(masked(0xc2, "abc")) == "a reserved bit is set");
  CHECK(problem_of(masked(0x81, "abc")) == "not a binary message");
  CHECK(problem_of(masked(0x80, "abc")) == "not a binary message");
  CHECK(problem_of(masked(0x82, "a") + masked(0x82, "b")) == "a mask is used twice");
  CHECK(problem_of("\x82\xfe" + big_endian(5, 2) + "mask" + "12345") == "a length is not the shortest form");
  CHECK(problem_of("\x82\xff" + big_endian(1 << 20, 8)) == "");  // the mask is not there yet
  CHECK(problem_of("\x82\xff" + big_endian(1 << 20, 8) + "mask") == "a message is too long");
  CHECK(problem_of(masked(0x89, std::string(126, 'x'))).starts_with("a control frame"));
  ClientFrames frames;
  frames.feed(masked(0x02, "ab", "mask") + masked(0x89, "p", "musk") + masked(0x80, "c", "mask"));
  CHECK(frames.next()->payload == "p");
  CHECK(frames.next()->payload == "abc");
}

TEST_CASE("fragments of the server put together are the message") {
  const std::string payload(1000, 'x');
  std::string whole;
  const std::string frames = server_frame(ClientFrame::Kind::message, payload, 300);
  for (std::size_t at = 0; at < frames.size();) {
    std::size_t size = static_cast<unsigned char>(frames[at + 1]), head = 2;
    if (size == 126) size = read_big_endian(frames.substr(at + 2, 2)), head = 4;
    CHECK((frames[at] & 15) == (at == 0 ? 2 : 0));
    CHECK(((frames[at] & 128) != 0) == (at + head + size == frames.size()));
    whole += frames.substr(at + head, size);
    at += head + size;
  }
  CHECK(whole == payload);
  CHECK(server_frame(ClientFrame::Kind::message, payload).size() == 1004);
}

TEST_CASE("a session counts what passes, and goes back to where its client was") {
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  RelaySession session("sid", pair[0]);
  auto data = [](std::string_view bytes) {
    return big_endian(4, 2) + big_endian(bytes.size(), 4) + std::string(bytes);
  };
  auto ack = [](std::uint64_t count) { return big_endian(7, 2) + big_endian(count, 8); };
  CHECK(session.take(data("hello")) == 0);
  session.write_target();
  char got[16] = {};
  CHECK(::recv(pair[1], got, sizeof got, 0) == 5);
  CHECK(session.ack(4) == ack(5));
  CHECK(session.ack(4) == "");
  REQUIRE(::send(pair[1], "0123456789", 10, 0) == 10);
  CHECK(session.read_target() == data("0123456789"));
  CHECK(session.take(ack(4)) == 0);
  CHECK(session.take(ack(4)) == 4005);   // nothing new
  CHECK(session.take(ack(11)) == 4005);  // more than was sent
  CHECK(session.take(big_endian(7, 2)) == 4006);
  CHECK(session.take(big_endian(9, 2)) == 4008);
  CHECK(session.take("x") == 4008);
  CHECK(session.take(data("")) == 4013);
  CHECK(session.take(data(std::string(16'385, 'x'))) == 4013);
  std::string again;
  CHECK(session.resume(3, again) == 4074);
  CHECK(session.resume(11, again) == 4074);
  CHECK(session.resume(6, again) == 0);
  CHECK(again == "6789");
  ::close(pair[1]);
  CHECK(session.read_target() == "");
  CHECK(session.target_ended());
}
