#include "net/client.h"

#include <fmt/format.h>

#include "support/catch.h"
#include "support/fake_env.h"

using namespace nbform;
using Repeat = ApiRequest::Repeat;
using std::chrono::seconds;

namespace {

constexpr const char* kUrl = "https://compute.googleapis.com/compute/v1/x";

ApiRequest get(std::string url = kUrl) {
  return {.http = {.url = std::move(url)}};
}
ApiRequest post(Repeat repeat) {
  return {.http = {.method = "POST", .url = kUrl, .body = "{}"}, .repeat = repeat};
}

Response refused(int status, Headers headers = {}) {
  return {status, std::move(headers), ""};
}

// Sends one request and runs the world until it has its end.
Result<Answer> ask(FakeEnv& env, ApiRequest request, ClientOptions options = {}) {
  Client client(env, std::move(options));
  std::optional<Result<Answer>> result;
  client.send(std::move(request), [&](Result<Answer> r) { result = std::move(r); });
  CHECK_FALSE(result);  // never from within send()
  env.run();
  REQUIRE(result);
  return *result;
}

// Grants are numbered; a refused one is replaced by the next.
Authorize numbered_grants(int& calls) {
  return [&calls](Request request, const Refused& refused, std::function<void(Result<Authorized>)> done) {
    ++calls;
    set_header(request.headers, "Authorization", fmt::format("Bearer {}", refused.grant + 1));
    done(Authorized{std::move(request), refused.grant + 1});
  };
}

}  // namespace

TEST_CASE("a 2xx answer arrives with its body read") {
  FakeEnv env;
  env.on("GET", "*/x", 200, R"({"name":"a"})");
  auto answer = ask(env, get());
  CHECK(answer->http.status == 200);
  CHECK(answer->json["name"].as_text() == "a");
}

TEST_CASE("a refusal is a value, sent once") {
  for (int status : {400, 403, 404, 409, 412}) {
    FakeEnv env;
    env.on("GET", "*", status, R"({"error":{"message":"no"}})");
    auto answer = ask(env, get());
    CHECK(answer->http.status == status);
    CHECK(answer->json.at_path("error/message").as_text() == "no");
    CHECK(env.sent.size() == 1);
  }
}

TEST_CASE("a read survives what passes by itself") {
  FakeEnv env;
  env.on("GET", "*", 503, "", 1);
  env.on("GET", "*", 429, "", 1);
  env.on("GET", "*", 403, R"({"error":{"errors":[{"reason":"rateLimitExceeded"}]}})", 1);
  env.on(
      "GET", "*", [](const Request&) -> Result<Response> { return error(Code::unavailable, "reset"); }, 1);
  env.on(
      "GET", "*", [](const Request&) -> Result<Response> { return error(Code::timeout, "slow"); }, 1);
  env.on("GET", "*", 200, R"({"items":[)", 1);
  env.on("GET", "*", 200, "<html>captive portal</html>", 1);
  env.on("GET", "*", 200, R"({"ok":true})");
  auto answer = ask(env, get());
  REQUIRE(answer.ok());
  CHECK(answer->json["ok"].as_bool());
  CHECK(env.sent.size() == 8);
}

TEST_CASE("an unprotected mutation is sent exactly once, whatever happens") {
  for (int fault = 0; fault < 5; ++fault) {
    FakeEnv env;
    env.on("POST", "*", [fault](const Request&) -> Result<Response> {
      if (fault == 0) return error(Code::unavailable, "The connection failed", "It was reset.");
      if (fault == 1) return error(Code::timeout, "The answer took too long");
      if (fault == 2) return Response{200, {}, "{\"cut"};
      return refused(fault == 3 ? 503 : 429);
    });
    auto answer = ask(env, post(Repeat::never));
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().detail.find("may have taken effect") != std::string::npos);
    CHECK(env.sent.size() == 1);
  }
}

TEST_CASE("a keyed mutation is repeated with the same bytes") {
  FakeEnv env;
  env.on(
      "POST", "*", [](const Request&) -> Result<Response> { return error(Code::unavailable, "reset"); }, 2);
  env.on("POST", "*", 200, "{}");
  CHECK(ask(env, post(Repeat::keyed)).ok());
  REQUIRE(env.sent.size() == 3);
  CHECK(env.sent[0].body == env.sent[2].body);
  CHECK(env.sent[0].url == env.sent[2].url);
}

TEST_CASE("giving up is bounded in time and attempts, and says so") {
  FakeEnv env;
  env.on("GET", "*", 503, R"({"error":{"message":"The service is down.","status":"UNAVAILABLE"}})");
  Time before = env.clock;
  auto answer = ask(env, get());
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == Code::unavailable);
  CHECK(answer.error().provider_code == "UNAVAILABLE");
  CHECK(answer.error().detail.find("The service is down.") == 0);
  CHECK(answer.error().detail.find(fmt::format("Tried {} times", env.sent.size())) != std::string::npos);
  CHECK(env.sent.size() <= 12);
  CHECK(env.clock - before <= seconds(181));
}

TEST_CASE("Retry-After holds back this request and others to the same host") {
  FakeEnv env;
  env.on(
      "GET", "*/x",
      [](const Request&) -> Result<Response> {
        return refused(429, {{"retry-after", "20"}});
      },
      1);
  env.on("GET", "*", 200, "{}");
  Client client(env, {});
  Time start = env.clock;
  std::map<std::string, Time> finished;
  client.send(get(), [&](auto) { finished["x"] = env.clock; });
  env.after(seconds(1), [&] {
    client.send(get("https://compute.googleapis.com/y"), [&](auto) { finished["y"] = env.clock; });
    client.send(get("https://storage.googleapis.com/z"), [&](auto) { finished["z"] = env.clock; });
  });
  env.run();
  CHECK(finished["x"] - start >= seconds(20));
  CHECK(finished["y"] - start >= seconds(20));
  CHECK(finished["z"] - start < seconds(2));
}

TEST_CASE(
    "a server that has not answered once is given up within half a minute, one that has is waited for") {
  for (bool answered : {false, true}) {
    FakeEnv env;
    if (answered) env.on("GET", "https://a.example/", 200, "{}", 1);
    env.on("GET", "https://a.example/", [](const Request&) -> Result<Response> {
      return error(Code::unavailable, "No connection", "Refused.");
    });
    Client client(env, {});
    if (answered) client.send({.http = {.url = "https://a.example/"}}, [](auto) {});
    env.run();
    Time begun = env.now();
    std::optional<Result<Answer>> last;
    client.send({.http = {.url = "https://a.example/"}},
                [&](Result<Answer> answer) { last = std::move(answer); });
    env.run();
    REQUIRE(last);
    CHECK_FALSE(last->ok());
    CHECK((env.now() - begun < std::chrono::seconds(30)) == !answered);
  }
}

TEST_CASE("a Retry-After beyond patience ends the call at once") {
  FakeEnv env;
  env.on("GET", "*", [](const Request&) -> Result<Response> {
    return refused(503, {{"Retry-After", "86400"}});
  });
  Time start = env.clock;
  auto answer = ask(env, get());
  REQUIRE_FALSE(answer.ok());
  CHECK(
      answer.error().detail.ends_with("It asks not to be asked again for 1d 0h, longer than nbform waits."));
  CHECK(env.clock - start < seconds(1));
}

TEST_CASE("who authorises sees what the server said, whatever status the service chose for it") {
  FakeEnv env;
  env.on("GET", "*", 400, "expired", 1);
  env.on("GET", "*", 200, "{}");
  ClientOptions options;
  options.classify = [](const Response& r) {
    return r.body == "expired" ? Code::unauthenticated : Code::unavailable;
  };
  std::vector<std::string> said;
  options.authorize = [&](Request request, const Refused& refused, auto done) {
    said.push_back(fmt::format("{} {}", refused.grant, refused.answer.body));
    done(Authorized{std::move(request), 7});
  };
  CHECK(ask(env, get(), options)->http.status == 200);
  CHECK(said == std::vector<std::string>{"0 ", "7 expired"});
}

TEST_CASE("a service may answer in another form than JSON; cut, it is not taken for an object") {
  FakeEnv env;
  env.on("GET", "*", 200, "<cut", 1);
  env.on("GET", "*", 200, "<whole>");
  ClientOptions options;
  options.read = [](const Response& r) -> Result<Value> {
    if (r.body.ends_with('>')) return Value(Map{{"body", r.body}});
    return error(Code::io, "cut");
  };
  CHECK(ask(env, get(), options)->json["body"].as_text() == "<whole>");
  CHECK(env.sent.size() == 2);
}

TEST_CASE("a 401 is answered with one fresh credential, then it is a value") {
  for (Repeat repeat : {Repeat::safe, Repeat::never}) {
    FakeEnv env;
    int grants = 0;
    env.on("POST", "*", 401, "{}");
    auto answer = ask(env, post(repeat), {.authorize = numbered_grants(grants)});
    CHECK(answer->http.status == 401);
    REQUIRE(env.sent.size() == 2);
    CHECK(header(env.sent[0].headers, "authorization") == "Bearer 1");
    CHECK(header(env.sent[1].headers, "authorization") == "Bearer 2");
  }
}

TEST_CASE("after a refresh, later attempts keep the fresh credential") {
  FakeEnv env;
  int grants = 0;
  env.on("GET", "*", 401, "{}", 1);
  env.on("GET", "*", 503, "{}", 1);
  env.on("GET", "*", 200, "{}");
  CHECK(ask(env, get(), {.authorize = numbered_grants(grants)}).ok());
  REQUIRE(env.sent.size() == 3);
  CHECK(header(env.sent[2].headers, "authorization") == "Bearer 2");
}

TEST_CASE("without a credential nothing is sent") {
  FakeEnv env;
  Authorize none = [](Request, const Refused&, auto done) { done(error(Code::unauthenticated, "Nobody")); };
  CHECK(ask(env, get(), {.authorize = none}).error().summary == "Nobody");
  CHECK(env.sent.empty());
}

TEST_CASE("a coming retry is told with its reason, without the query") {
  FakeEnv env;
  env.on("GET", "*", 503, R"({"error":{"errors":[{"reason":"backendError"}]}})", 1);
  env.on("GET", "*", 200, "{}");
  std::vector<RetryNotice> notices;
  ApiRequest request = get(std::string(kUrl) + "?key=canary");
  request.on_retry = [&](const RetryNotice& n) { notices.push_back(n); };
  CHECK(ask(env, request).ok());
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].reason == "HTTP 503 backendError");
  CHECK(notices[0].url == kUrl);
  CHECK(notices[0].attempts == 1);
}

TEST_CASE("a cancelled call never calls back, in whichever phase") {
  for (int phase = 0; phase < 3; ++phase) {
    FakeEnv env;
    env.on("GET", "*", 503, "");
    bool called = false;
    Client client(env, {});
    CallId id = client.send(get(), [&](auto) { called = true; });
    for (int i = 0; i < phase; ++i) env.step();
    client.cancel(id);
    env.run();
    CHECK_FALSE(called);
    CHECK(client.in_flight() == 0);
  }
}

TEST_CASE("a client that goes away takes its calls with it") {
  FakeEnv env;
  env.on("GET", "*", 200, "{}");
  bool called = false;
  {
    Client client(env, {});
    client.send(get(), [&](auto) { called = true; });
    env.step();
  }
  env.run();
  CHECK_FALSE(called);
}

TEST_CASE("an empty answer never passes for an empty list, but 204 says that there is nothing") {
  for (auto body : {"", "null", "[]", " "}) {
    FakeEnv env;
    env.on("GET", "*", 200, body, 1);
    env.on("GET", "*", 200, R"({"items":[1]})");
    CHECK(ask(env, get())->json["items"].as_list().size() == 1);
  }
  FakeEnv env;
  env.on("DELETE", "*", 204, "");
  CHECK(ask(env, {.http = {.method = "DELETE", .url = kUrl}})->json.is_null());
  CHECK(env.sent.size() == 1);
}

TEST_CASE("a download need not be JSON") {
  FakeEnv env;
  env.on("GET", "*", 200, "#!/bin/sh\n");
  ApiRequest request = get();
  request.expects_json = false;
  CHECK(ask(env, request)->http.body == "#!/bin/sh\n");
}

TEST_CASE("at 30 % random 5xx, reads and keyed mutations succeed at least 999 times in 1000") {
  int failures = 0;
  for (int i = 0; i < 3000; ++i) {
    FakeEnv world;
    world.seed = static_cast<std::uint64_t>(i) * 2654435761 + 1;
    world.on("GET", "*", [&world](const Request&) -> Result<Response> {
      if (world.random(10) < 3) return refused(world.random(2) == 0 ? 500 : 503);
      return Response{200, {}, "{}"};
    });
    failures += ask(world, get()).ok() ? 0 : 1;
  }
  CHECK(failures <= 3);
}
