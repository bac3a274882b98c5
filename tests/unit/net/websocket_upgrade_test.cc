#include "net/websocket_upgrade.h"

#include "support/catch.h"

using namespace nbform;

namespace {

constexpr const char* kKey = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455 section 1.3
constexpr const char* kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

Response agreed() {
  return {101,
          {{"Upgrade", "websocket"},
           {"Connection", "keep-alive, Upgrade"},
           {"sec-websocket-accept", kAccept},
           {"Sec-WebSocket-Protocol", "p"}},
          ""};
}

std::string verdict(Response answer) {
  auto judged = check_upgrade(answer, kKey, "p");
  return judged.ok() ? "" : judged.error().detail;
}

Response with(std::string_view name, std::string value) {
  Response out = agreed();
  set_header(out.headers, name, std::move(value));
  return out;
}

}  // namespace

TEST_CASE("a handshake asks for what RFC 6455 wants asked") {
  std::string text = upgrade_request(*parse_url("https://relay.example/v4/connect?port=22&zone=a"),
                                     {{"Origin", "bot:x"}, {"Authorization", "Bearer t"}}, kKey, "p");
  CHECK(text ==
        "GET /v4/connect?port=22&zone=a HTTP/1.1\r\nHost: relay.example\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Protocol: p\r\nOrigin: bot:x\r\nAuthorization: Bearer t\r\n\r\n");
  CHECK(upgrade_request(*parse_url("http://[::1]:81/"), {}, kKey, "p").find("Host: [::1]:81\r\n") !=
        std::string::npos);
}

TEST_CASE("only the server's word on this very request makes a WebSocket") {
  CHECK(verdict(agreed()) == "");
  CHECK(verdict(with("Sec-WebSocket-Accept", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")).find("another request") !=
        std::string::npos);
  CHECK(verdict(with("Upgrade", "h2c")).find("switches to") != std::string::npos);
  CHECK(verdict(with("Connection", "close")).find("switches to") != std::string::npos);
  CHECK(verdict(with("Sec-WebSocket-Protocol", "q")).find("protocol p") != std::string::npos);
  CHECK(verdict(with("Sec-WebSocket-Extensions", "permessage-deflate")).find("extension") !=
        std::string::npos);
}

TEST_CASE("the head of an answer ends where it ends, and is judged as far as it is there") {
  const std::string head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX:  y \r\n\r\n";
  for (std::size_t n = 0; n < head.size(); ++n) {
    auto part = read_http_head(head.substr(0, n));
    REQUIRE(part.ok());
    CHECK_FALSE(part->has_value());
  }
  auto whole = read_http_head(head + "\x82\x01x");
  REQUIRE(whole->has_value());
  CHECK((*whole)->size == head.size());
  CHECK((*whole)->answer.status == 101);
  CHECK(header((*whole)->answer.headers, "x") == "y");
  CHECK(read_http_head("HTTP/1.1 403\r\n\r\n").value()->answer.status == 403);
}

TEST_CASE("what is no HTTP is refused at once, and an endless head before it fills the memory") {
  for (std::string_view text : {"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 abc\r\n\r\n",
                                "HTTP/1.1 20\r\n\r\n", "HTTP/1.1 200 OK\r\nno header\r\n\r\n", "\r\n\r\n"}) {
    INFO(text);
    CHECK_FALSE(read_http_head(text).ok());
  }
  CHECK_FALSE(read_http_head("HTTP/1.1 200 OK\r\nA: " + std::string(17'000, 'x')).ok());
}

TEST_CASE("a proxy is asked for the way, with its password where it has one, which no message quotes") {
  auto proxy = parse_proxy("http://me:p%40ss@proxy.example:3128/");
  REQUIRE(proxy.ok());
  CHECK(tunnel_request(*parse_url("https://relay.example/v4/"), *proxy) ==
        "CONNECT relay.example:443 HTTP/1.1\r\nHost: relay.example:443\r\n"
        "Proxy-Authorization: Basic bWU6cEBzcw==\r\n\r\n");
  CHECK(parse_proxy("proxy.example:8080")->port == 8080);
  CHECK(parse_proxy("proxy.example")->port == 80);
  auto socks = parse_proxy("socks5://me:canary@proxy.example");
  REQUIRE_FALSE(socks.ok());
  CHECK(socks.error().detail.find("socks5") != std::string::npos);
  CHECK(socks.error().detail.find("canary") == std::string::npos);
  CHECK_FALSE(parse_proxy("http://").ok());
}
