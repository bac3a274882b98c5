#include "net/websocket_frames.h"

#include <vector>

#include "support/catch.h"

using namespace nbform;
using Kind = WebSocketKind;

namespace {

std::string bytes(std::initializer_list<int> list) {
  std::string out;
  for (int byte : list) out.push_back(static_cast<char>(byte));
  return out;
}

// What a reader makes of the bytes, given in pieces: "binary:abc" for each message, "!1002" for a fault.
std::vector<std::string> read(std::string_view all, std::size_t piece = 1 << 20, std::size_t most = 1 << 20) {
  WebSocketReader reader(most);
  std::vector<std::string> out;
  for (std::size_t at = 0; at < all.size(); at += piece) {
    reader.feed(all.substr(at, piece));
    while (auto message = reader.next()) {
      const char* name = message->kind == Kind::text     ? "text:"
                         : message->kind == Kind::binary ? "binary:"
                         : message->kind == Kind::ping   ? "ping:"
                         : message->kind == Kind::pong   ? "pong:"
                                                         : "close:";
      std::string code = message->kind == Kind::close ? std::to_string(message->code) + ":" : "";
      out.push_back(name + code + std::string(message->payload));
    }
  }
  if (reader.fault()) out.push_back("!" + std::to_string(static_cast<int>(reader.fault()->code)));
  return out;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("the examples of RFC 6455 section 5.7 are read and written") {
  CHECK(read(bytes({0x81, 0x05, 'H', 'e', 'l', 'l', 'o'})) == Words{"text:Hello"});
  CHECK(read(bytes({0x01, 0x03, 'H', 'e', 'l', 0x80, 0x02, 'l', 'o'})) == Words{"text:Hello"});
  CHECK(read(bytes({0x89, 0x05, 'H', 'e', 'l', 'l', 'o'})) == Words{"ping:Hello"});
  CHECK(read(bytes({0x82, 0x7e, 0x01, 0x00}) + std::string(256, 'x')) ==
        Words{"binary:" + std::string(256, 'x')});
  CHECK(read(bytes({0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0}) + std::string(65536, 'y')) ==
        Words{"binary:" + std::string(65536, 'y')});
  std::string out;
  append_frame(out, Kind::text, "Hello", {0x37, 0xfa, 0x21, 0x3d});
  CHECK(out == bytes({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}));
}

TEST_CASE("what is sent is masked byte by byte, whatever its length") {
  const WebSocketMask mask = {1, 2, 4, 8};
  for (std::size_t size : {0, 1, 7, 8, 9, 125, 126, 1000, 65535, 65536, 70001}) {
    INFO(size);
    std::string payload, out;
    for (std::size_t i = 0; i < size; ++i) payload.push_back(static_cast<char>(i * 7));
    append_frame(out, Kind::binary, payload, mask);
    const std::size_t head = size <= 125 ? 6 : size <= 0xffff ? 8 : 14;
    REQUIRE(out.size() == head + size);
    CHECK((out[1] & 0x80) != 0);
    bool same = true;
    for (std::size_t i = 0; i < size; ++i) same = same && (out[head + i] ^ mask[i % 4]) == payload[i];
    CHECK(same);
  }
}

TEST_CASE("however the bytes arrive, the messages are the same") {
  std::string all = bytes({0x02, 0x02, 'a', 'b', 0x89, 0x01, 'p', 0x00, 0x01, 'c', 0x8a, 0x00, 0x80, 0x00});
  all += bytes({0x82, 0x7e, 0x00, 0x80}) + std::string(128, 'z') + bytes({0x88, 0x04, 0x0f, 0xa3, 'n', 'o'});
  const Words expected = {"ping:p", "pong:", "binary:abc", "binary:" + std::string(128, 'z'),
                          "close:4003:no"};
  for (std::size_t piece : {1, 2, 3, 5, 1000}) CHECK(read(all, piece) == expected);
}

TEST_CASE("what a server must not send ends the reading, with the code that says so") {
  CHECK(read(bytes({0x82, 0x81, 1, 2, 3, 4, 'x'})) == Words{"!1002"});               // masked
  CHECK(read(bytes({0xc2, 0x01, 'x'})) == Words{"!1002"});                           // compressed
  CHECK(read(bytes({0x83, 0x00})) == Words{"!1002"});                                // no such kind
  CHECK(read(bytes({0x8b, 0x00})) == Words{"!1002"});                                // nor this
  CHECK(read(bytes({0x09, 0x00})) == Words{"!1002"});                                // a ping in pieces
  CHECK(read(bytes({0x89, 0x7e, 0x00, 0x7e})) == Words{"!1002"});                    // a ping of 126 bytes
  CHECK(read(bytes({0x80, 0x01, 'x'})) == Words{"!1002"});                           // continues nothing
  CHECK(read(bytes({0x02, 0x01, 'x', 0x82, 0x01, 'y'})) == Words{"!1002"});          // begins within another
  CHECK(read(bytes({0x82, 0x7e, 0x00, 0x7d})) == Words{"!1002"});                    // 125 in two bytes
  CHECK(read(bytes({0x82, 0x7f, 0, 0, 0, 0, 0, 0, 0xff, 0xff})) == Words{"!1002"});  // 65535 in eight
  CHECK(read(bytes({0x88, 0x01, 3})) == Words{"!1002"});                             // half a code
  CHECK(read(bytes({0x88, 0x02, 0x03, 0xed})) == Words{"!1002"});                    // 1005
  CHECK(read(bytes({0x88, 0x02, 0x13, 0x88})) == Words{"!1002"});                    // 5000
  CHECK(read(bytes({0x88, 0x03, 0x03, 0xe8, 0xff})) == Words{"!1007"});
  CHECK(read(bytes({0x81, 0x01, 0xc3})) == Words{"!1007"});
  CHECK(read(bytes({0x88, 0x00})) == Words{"close:1005:"});
}

TEST_CASE("a length is judged before its bytes arrive, and fragments count together") {
  CHECK(read(bytes({0x82, 0x7f, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})) == Words{"!1009"});
  CHECK(read(bytes({0x82, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})) == Words{"!1009"});
  CHECK(read(bytes({0x82, 0x7e, 0x10, 0x01}), 1000, 4096) == Words{"!1009"});
  const std::string three = bytes({0x02, 0x03, 'a', 'b', 'c'}), two = bytes({0x80, 0x02, 'd', 'e'});
  CHECK(read(three + two, 1000, 4) == Words{"!1009"});
  CHECK(read(three + two, 1000, 5) == Words{"binary:abcde"});
  CHECK(read(three + two + three + two, 1000, 5) == Words{"binary:abcde", "binary:abcde"});
}

TEST_CASE("after the end and after a fault nothing is read any more") {
  CHECK(read(bytes({0x88, 0x00, 0x82, 0x01, 'x'})) == Words{"close:1005:"});
  CHECK(read(bytes({0x83, 0x00, 0x82, 0x01, 'x'}), 2) == Words{"!1002"});
}

TEST_CASE("the reason of an end is cut to what fits into a control frame") {
  CHECK(close_payload(1002, "why") == bytes({0x03, 0xea}) + "why");
  CHECK(close_payload(1000, std::string(200, 'x')).size() == 125);
}
