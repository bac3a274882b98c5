#include "net/tunnel_forward.h"

#include "support/catch.h"

using namespace nbform;
using namespace std::chrono_literals;

TEST_CASE("a forwarding is written as for ssh -L") {
  CHECK(*parse_forward("9999:8888") == TunnelForward{.local = 9999, .fixed = true, .port = 8888});
  CHECK(*parse_forward("5432:db.internal:5433") ==
        TunnelForward{.local = 5432, .fixed = true, .host = "db.internal", .port = 5433});
  CHECK(*parse_forward("127.0.0.1:1:h:2") ==
        TunnelForward{.local = 1, .fixed = true, .host = "h", .port = 2});
  CHECK(*parse_forward("[::1]:1:[fe80::2]:2") ==
        TunnelForward{.local = 1, .fixed = true, .host = "fe80::2", .port = 2});
  CHECK(parse_forward("1:[fe80::2]:2")->target() == "[fe80::2]:2");
  CHECK(parse_forward("9999:8888")->target() == "127.0.0.1:8888");
}

TEST_CASE("what is no forwarding, or would let the network in, is refused with the reason") {
  for (const char* text :
       {"", "8888", "a:1", "0:1", "1:65536", "1:-2", "1: 2", "1::2", "1:h:", "::", "1:2:3:4:5"}) {
    INFO(text);
    auto forward = parse_forward(text);
    REQUIRE_FALSE(forward.ok());
    CHECK(forward.error().code == Code::usage);
  }
  for (const char* text : {"0.0.0.0:1:h:2", "*:1:h:2", "192.168.1.7:1:h:2", ":1:h:2"})
    CHECK(parse_forward(text).error().detail.find("loopback only") != std::string::npos);
}

TEST_CASE("a taken port is followed by the next ones, then by any; a fixed one by none") {
  CHECK(local_ports({.local = 8080, .fixed = true}) == std::vector<int>{8080});
  CHECK(local_ports({.local = 0}) == std::vector<int>{0});
  auto ports = local_ports({.local = 8080});
  CHECK(ports.size() == 21);
  CHECK(ports.front() == 8080);
  CHECK(ports[19] == 8099);
  CHECK(ports.back() == 0);
  CHECK(local_ports({.local = 65534}) == std::vector<int>{65534, 65535, 0});
}

TEST_CASE("pauses double from half a second to half a minute, with some chance in them") {
  Backoff backoff;
  for (Duration most : {500ms, 1000ms, 2000ms, 4000ms, 8000ms, 16000ms, 30000ms, 30000ms}) {
    Backoff same = backoff;
    Duration least = same.next(0);
    CHECK(least == most * 3 / 4);
    Duration longest = backoff.next(999);
    CHECK(longest > least);
    CHECK(longest <= most);
  }
  for (int i = 0; i < 100; ++i) CHECK(backoff.next(999) <= 30s);
  backoff.reset();
  CHECK(backoff.next(999) <= 500ms);
}
