#include "net/logging_env.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "base/json.h"
#include "support/catch.h"
#include "support/fake_env.h"
#include "support/scratch.h"

using namespace nbform;

namespace {

struct Logged {
  FakeEnv world;
  std::vector<std::string> lines;
  std::unique_ptr<Env> env = make_logging_env(
      world, [this](std::string_view line) { lines.emplace_back(line); }, {Secret("user \"canary\"")});

  Value send(Request request) {
    env->send(std::move(request), [](auto) {});
    while (env->step()) {
    }
    return lines.empty() ? Value() : parse_json(lines.back()).value();
  }
  bool canary_shown() const {
    for (const std::string& line : lines)
      if (line.find("canary") != std::string::npos) return true;
    return false;
  }
};

}  // namespace

TEST_CASE("each exchange is a line with time, request, answer and duration") {
  Logged log;
  log.world.on("POST", "*", 200, R"({"name":"op"})");
  Value line = log.send({.method = "POST", .url = "https://a.example/x?y=1", .body = R"({"zone":"b"})"});
  CHECK(line["t"].as_text() == "2027-01-15T08:00:00Z");
  CHECK(line["method"].as_text() == "POST");
  CHECK(line["url"].as_text() == "https://a.example/x?y=1");
  CHECK(line.at_path("body/zone").as_text() == "b");
  CHECK(line["status"].as_int() == 200);
  CHECK(line.at_path("answer/name").as_text() == "op");
  CHECK(line["ms"].as_int() == 10);
}

TEST_CASE("which operation a request of AWS is for is in its line, if only a header says so") {
  Logged log;
  log.world.on("POST", "*", 200, "{}");
  Value line = log.send({.method = "POST",
                         .url = "https://ssm.us-west-2.amazonaws.com/",
                         .headers = {{"X-Amz-Target", "AmazonSSM.GetParameter"}},
                         .body = R"({"Name":"/a"})"});
  CHECK(line["target"].as_text() == "AmazonSSM.GetParameter");
}

TEST_CASE("an exchange without an answer says why") {
  Logged log;
  log.world.on("GET", "*",
               [](const Request&) -> Result<Response> { return error(Code::timeout, "Too slow", "10 s."); });
  CHECK(log.send({.url = "https://a.example/"})["error"].as_text() == "Too slow. 10 s.");
}

TEST_CASE("credentials appear nowhere in the log") {
  Logged log;
  log.world.on("POST", "*", 200, R"({"access_token":"canary","refresh_token":"canary","expires_in":1})");
  log.world.on("GET", "*", 200, R"({"value":"canary"})");
  log.send(
      {.method = "POST",
       .url = "https://a.example/token?key=canary",
       .headers = {{"Authorization", "Bearer canary"}, {"Content-Type", "application/x-www-form-urlencoded"}},
       .body = "grant_type=x&assertion=canary&refresh_token=canary"});
  log.send({.url = "https://a.example/subject", .headers = {{"X-Own", "canary"}}, .secret_answer = true});
  log.send(
      {.method = "POST", .url = "https://a.example/", .body = R"({"subjectToken":"canary","x":"cut canary)"});
  CHECK(log.lines.size() == 3);
  log.lines.pop_back();  // cut JSON with a word in an ordinary field is no credential
  CHECK_FALSE(log.canary_shown());
}

TEST_CASE("metadata that was live is its owner's business, also where a request hands it back") {
  Logged log;
  log.world.on(
      "GET", "*", 200,
      R"({"items":[{"metadata":{"items":[{"key":"api","value":"canary"},{"key":"ssh-keys","value":"me:k"}]}}]})");
  log.world.on("POST", "*", 200, "{}");
  Value line = log.send({.url = "https://a.example/"});
  CHECK(line.at_path("answer/items/0/metadata/items/0/key").as_text() == "api");
  CHECK(line.at_path("answer/items/0/metadata/items/1/value").as_text() == "me:k");
  line = log.send({.method = "POST",
                   .url = "https://a.example/",
                   .body = R"({"items":[{"key":"api","value":"canary"},{"key":"own","value":"new"}]})"});
  CHECK_FALSE(log.canary_shown());
  CHECK(line.at_path("body/items/1/value").as_text() == "new");
}

TEST_CASE("values that the caller calls secret appear in no spelling") {
  Logged log;
  log.world.on("POST", "*", 200, R"({"echo":"user \"canary\""})");
  log.send({.method = "POST",
            .url = "https://a.example/user%20%22canary%22",
            .body = R"({"items":[{"key":"k","value":"a user \"canary\" b"}]})"});
  CHECK_FALSE(log.canary_shown());
  CHECK(parse_json(log.lines.at(0))->at_path("body/items/0/key").as_text() == "k");
}

TEST_CASE("a log file is private, grows, and is not written through a symlink") {
  Scratch dir;
  std::string path = dir.path("log");
  for (int run = 0; run < 2; ++run) {
    auto sink = open_log(path);
    REQUIRE(sink.ok());
    (*sink)("{}");
  }
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  CHECK(text.str() == "{}\n{}\n");
  struct stat st = {};
  REQUIRE(::stat(path.c_str(), &st) == 0);
  CHECK((st.st_mode & 0777) == 0600);
  REQUIRE(::symlink(path.c_str(), dir.path("link").c_str()) == 0);
  CHECK(open_log(dir.path("link")).error().code == Code::denied);
}
