#include "base/crypto.h"
#include "base/json.h"
#include "base/message.h"
#include "base/text.h"
#include "base/time.h"
#include "support/catch.h"

using namespace nbform;

TEST_CASE("JSON of too many values is refused, whatever its strings hold") {
  CHECK(parse_json("[1,1,1]", 4).ok());
  CHECK(parse_json("[1,1,1]", 3).error().summary == kTooLarge);
  CHECK(parse_json(R"(["a,b,[,{,c\",",2])", 3).ok());
  CHECK(parse_json(R"({"a":[[],[]]})", 3).error().summary == kTooLarge);
}

TEST_CASE("JSON keeps int64, sorts keys and escapes control characters") {
  auto v = parse_json(R"({"b":9007199254740993,"a":[1.5,true,null,"x\u001b[31m"]})");
  REQUIRE(v.ok());
  CHECK(v.value()["b"].as_int() == 9007199254740993);
  CHECK(to_json(*v) == R"({"a":[1.5,true,null,"x\u001b[31m"],"b":9007199254740993})");
  CHECK(v.value().at_path("a/3").as_text() == "x\x1b[31m");
  CHECK(v.value().at_path("a/9").is_null());
}

TEST_CASE("JSON refuses trailing text, deep nesting and bad UTF-8") {
  CHECK_FALSE(parse_json("{} x").ok());
  CHECK_FALSE(parse_json("").ok());
  CHECK_FALSE(parse_json(std::string(100, '[') + std::string(100, ']')).ok());
  CHECK_FALSE(parse_json("\"\xff\"").ok());
}

TEST_CASE("a map is the same whatever order it was read in, and the last duplicate wins") {
  CHECK(parse_json(R"({"x":1,"y":2})").value() == parse_json(R"({"y":2,"x":1})").value());
  CHECK(parse_json(R"({"x":1,"x":2})").value()["x"].as_int() == 2);
}

TEST_CASE("int64 arrives as text or as a number") {
  CHECK(Value("200").as_int() == 200);
  CHECK(Value(200).as_int() == 200);
  CHECK(Value("12x").as_int(-1) == -1);
}

TEST_CASE("RFC 3339 with and without offset") {
  CHECK(parse_rfc3339("2026-11-20T19:12:04.006-08:00")->us == parse_rfc3339("2026-11-21T03:12:04.006Z")->us);
  CHECK(format_rfc3339(Time::from_seconds(0)) == "1970-01-01T00:00:00Z");
  CHECK(format_rfc3339_offset(*parse_rfc3339("2026-11-21T03:12:04.006Z"), -480) ==
        "2026-11-20T19:12:04.006-08:00");
  CHECK_FALSE(parse_rfc3339("2026-13-01T00:00:00Z"));
  CHECK_FALSE(parse_rfc3339("2026-02-30T00:00:00Z"));
  CHECK_FALSE(parse_rfc3339("2026-11-21"));
}

TEST_CASE("HTTP dates round trip") {
  CHECK(format_http_date(*parse_rfc3339("2026-11-21T03:12:04Z")) == "Sat, 21 Nov 2026 03:12:04 GMT");
  CHECK(parse_http_date("Sat, 21 Nov 2026 03:12:04 GMT") == parse_rfc3339("2026-11-21T03:12:04Z"));
  CHECK_FALSE(parse_http_date("120"));
}

TEST_CASE("a private key that cannot be read is an error, not a crash") {
  auto broken = sign_rs256(Secret("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), "x");
  REQUIRE_FALSE(broken.ok());
  CHECK(broken.error().summary == "The private key cannot be read");
}

TEST_CASE("a signature verifies with its own key and message only") {
  RsaKeyPair pair = generate_rsa_key();
  auto signature = sign_rs256(pair.private_pem, "header.payload");
  REQUIRE(signature.ok());
  CHECK(verify_rs256(pair.public_pem, "header.payload", *signature));
  CHECK_FALSE(verify_rs256(pair.public_pem, "header.payloae", *signature));
  CHECK_FALSE(verify_rs256("no key", "header.payload", *signature));
}

TEST_CASE("base64 and base64url as RFC 4648 section 10") {
  for (auto [plain, coded] :
       {std::pair{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}}) {
    CHECK(base64(plain) == coded);
    CHECK(base64_decode(coded).value() == plain);
  }
  CHECK(base64url("\xfb\xff") == "-_8");
  CHECK_FALSE(base64_decode("Zh==").has_value());
  CHECK_FALSE(base64_decode("Zg=").has_value());
}

TEST_CASE("a request shows no credential") {
  Request r{.method = "POST", .url = "https://h/t?key=K1&a=b", .headers = {{"Authorization", "Bearer T1"}}};
  r.body = R"({"access_token" : "T2","x":"y"})";
  std::string shown = r.display();
  for (const char* secret : {"K1", "T1", "T2"}) CHECK(shown.find(secret) == std::string::npos);
  CHECK(shown.find("a=b") != std::string::npos);
  CHECK(shown.find("\"x\":\"y\"") != std::string::npos);
}

TEST_CASE("URLs") {
  auto url = parse_url("http://127.0.0.1:9200/compute/v1/?x=1");
  REQUIRE(url);
  CHECK(url->origin() == "http://127.0.0.1:9200");
  CHECK(url->path == "/compute/v1/");
  CHECK(url->query == "x=1");
  CHECK(is_loopback(parse_url("http://[::1]:1/")->host));
  CHECK_FALSE(is_loopback("127.0.0.1.example.com"));
  CHECK_FALSE(parse_url("http://user@host/"));
  CHECK_FALSE(parse_url("http://host:99999/"));
}

TEST_CASE("text that could steer a terminal is made visible") {
  CHECK(printable("a\x1b[31mb\r\xc2\x9b\xff") == "a\\x1b[31mb\\x0d\\x9b\\xff");
  CHECK(printable("größe 漢字") == "größe 漢字");
  CHECK(printable("x\xe2\x80\xae") == "x\\u202e");
  CHECK(display_width("漢字a") == 5);
}

TEST_CASE("the nearest word is offered only when it is near") {
  CHECK(nearest("machin", {"machine", "metadata"}) == "machine");
  CHECK(nearest("sopt", {"spot", "setup"}) == "spot");
  CHECK(nearest("zzz", {"spot", "setup"}).empty());
}

TEST_CASE("globs") {
  CHECK(glob_match("us-*", "us-central1-b"));
  CHECK(glob_match("*-b", "us-central1-b"));
  CHECK_FALSE(glob_match("us-?", "us-central1-b"));
}

TEST_CASE("a value keeps its content through copies, moves and changes of the others") {
  for (std::size_t size : {0, 1, 13, 14, 15, 16, 200, 70'000}) {
    std::string text(size, 'x');
    Value original(text);
    Value copy = original;
    CHECK(copy == original);
    CHECK(copy.as_text() == text);
    original = Value("another");
    CHECK(copy.as_text() == text);
    Value moved = std::move(copy);
    CHECK(moved.as_text() == text);
    CHECK(moved != Value(text + "y"));
  }
  Value tree = Map{{"list", List{1, "two", Map{{"a text of more than fourteen bytes", nullptr}}}},
                   {"ref", Ref{"a/b", "id"}}};
  Value copy = tree;
  copy.map()["list"].list().push_back(4);
  CHECK(tree["list"].as_list().size() == 3);
  CHECK(copy != tree);
  copy.map()["list"].list().pop_back();
  CHECK(copy == tree);
  tree = tree["list"].as_list()[2];  // a part of itself
  CHECK(to_json(tree) == R"({"a text of more than fourteen bytes":null})");
}

TEST_CASE("uuid_from is stable, well formed and never zero") {
  CHECK(uuid_from("a") == uuid_from("a"));
  CHECK(uuid_from("a") != uuid_from("b"));
  CHECK(uuid_from("a")[14] == '8');
}

TEST_CASE("words as a shell splits them") {
  using Words = std::vector<std::string>;
  CHECK(shell_words("a  b\tc") == Words{"a", "b", "c"});
  CHECK(shell_words("") == Words{});
  CHECK(shell_words(R"(run "two words" 'it''s' a\ b "q\"\\\n" "")") ==
        Words{"run", "two words", "its", "a b", "q\"\\\\n", ""});
  CHECK(shell_words(R"(-x="a b"c)") == Words{"-x=a bc"});
  CHECK_FALSE(shell_words("a 'b").has_value());
  CHECK_FALSE(shell_words("\"").has_value());
}

TEST_CASE("AWS's secrets in forms, JSON and headers are not displayed") {
  Request form{.method = "POST",
               .url = "https://sts.example/",
               .headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                           {"X-Amz-Security-Token", "canary"},
                           {"x-amz-sso_bearer_token", "canary"},
                           {"X-aws-ec2-metadata-token", "canary"}},
               .body = "Action=A&WebIdentityToken=canary&TokenCode=canary&RoleArn=arn"};
  CHECK(form.display().find("canary") == std::string::npos);
  CHECK(form.display().find("RoleArn=arn") != std::string::npos);
  std::string json = redacted_body(
      R"({"SecretAccessKey":"canary","SessionToken":"canary","Token":"canary","clientSecret":"canary",)"
      R"("refreshToken":"canary","roleCredentials":{"secretAccessKey":"canary","sessionToken":"canary"},"NextToken":"n"})",
      "application/json");
  CHECK(json.find("canary") == std::string::npos);
  CHECK(json.find("\"NextToken\":\"n\"") != std::string::npos);
}

TEST_CASE("JSON text steers no terminal and is read back as it was") {
  std::string text = "e\x1b[2J\xc2\x9b\xe2\x80\xae \xc3\xa9 \"\\";
  CHECK(to_json(Value(text)) == "\"e\\u001b[2J\\u009b\\u202e \xc3\xa9 \\\"\\\\\"");
  CHECK(parse_json(to_json(Value(text))).value() == Value(text));
}
