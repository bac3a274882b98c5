#include "connect/jupyter.h"

#include "support/catch.h"

namespace nbform {

namespace {

// As jupyter_server 2.21 and notebook 6.4 write them.
constexpr const char* kLab =
    R"({"base_url": "/user/me/", "hostname": "127.0.0.1", "password": false, "pid": 41, "port": 8889, "root_dir": "/home/me",
        "secure": false, "sock": "", "token": "a+b", "url": "http://127.0.0.1:8889/user/me/", "version": "2.21.1"})";
constexpr const char* kClassic =
    R"({"base_url": "/", "hostname": "localhost", "notebook_dir": "/", "password": true, "pid": 7, "port": 8888,
        "secure": true, "sock": "", "token": "", "url": "https://localhost:8888/"})";

std::vector<JupyterServer> read(const std::string& one, const std::string& two = "") {
  return read_jupyter_servers(one + "\036" + two + "\036");
}

}  // namespace

TEST_CASE("what Jupyter writes of itself is read, the newest first") {
  auto servers = read(kLab, kClassic);
  REQUIRE(servers.size() == 2);
  CHECK(servers[0].port == 8889);
  CHECK(servers[0].url(8080, false) == "http://127.0.0.1:8080/user/me/");
  CHECK(servers[0].url(8080, true) == "http://127.0.0.1:8080/user/me/?token=a%2Bb");
  CHECK(servers[1].url(9999, true) == "https://127.0.0.1:9999/");
}

TEST_CASE("what is no server's file, or would end a URL's path, is passed over") {
  for (const char* text :
       {"", "[]", "{}", R"({"port": 0})", R"({"port": 70000})", "{\"port\": 8888",
        R"({"port": 8888, "base_url": "x/"})", R"({"port": 8888, "base_url": "/a b/"})",
        R"({"port": 8888, "base_url": "/?q/"})", "{\"port\": 8888, \"base_url\": \"/\\r\\nX: y/\"}"}) {
    CAPTURE(text);
    CHECK(read(text, kLab).size() == 1);
  }
}

}  // namespace nbform
