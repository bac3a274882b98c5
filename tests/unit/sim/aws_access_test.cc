// Signed requests as the simulated AWS judges them: who is let in, and in which words each wrong one is
// refused. That signatures are computed right is what the published vectors say (aws_signature_test.cc).
#include <algorithm>

#include "aws_fixture.h"
#include "sim/aws/signature.h"

namespace nbform::sim {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* kForm = "application/x-www-form-urlencoded; charset=utf-8";
constexpr const char* kVpcs = "Action=DescribeVpcs&Version=2016-11-15";
constexpr const char* kMe = "Action=GetCallerIdentity&Version=2011-06-15";

std::string compact(Time t) {
  std::string out;
  for (char c : format_rfc3339(t))
    if (c != '-' && c != ':') out.push_back(c);
  return out;
}

// One request and how it is signed; a test changes what it wants to be wrong.
struct Signed {
  std::string service = "ec2", region = "us-west-2", body = kVpcs;
  std::string key_id{kAwsKeyId}, secret{kAwsSecret};
  Time at = Time::from_seconds(1'795'262'400);
  Headers more;  // signed too, where x-amz-*

  Request request() const {
    Request r{"POST", "https://" + service + "." + region + ".amazonaws.com/", more, body};
    bool json = service == "ssm";
    r.headers.emplace_back("Content-Type", json ? "application/x-amz-json-1.1" : kForm);
    if (json) r.headers.emplace_back("X-Amz-Target", "AmazonSSM.GetParameter");
    r.headers.emplace_back("X-Amz-Date", compact(at));
    std::vector<std::string> names{"host"};
    for (const auto& [name, value] : r.headers) names.push_back(to_lower(name));
    std::sort(names.begin(), names.end());
    r.headers.emplace_back("Authorization", authorization(names, "0"));
    auto claim = aws::read_claim(r);
    REQUIRE(claim.ok());
    std::string text = aws::string_to_sign(*claim, aws::canonical_request(r, *parse_url(r.url), *claim));
    r.headers.back().second = authorization(names, aws::sign(secret, *claim, text));
    return r;
  }

 private:
  std::string authorization(const std::vector<std::string>& names, const std::string& signature) const {
    return "AWS4-HMAC-SHA256 Credential=" + key_id + "/" + compact(at).substr(0, 8) + "/" + region + "/" +
           service + "/aws4_request, SignedHeaders=" + join(names, ";") + ", Signature=" + signature;
  }
};

// "200", or "403 SignatureDoesNotMatch".
struct Door {
  World world;
  Time now = Time::from_seconds(1'795'262'400);

  std::string knock(const Request& request) {
    Response r = *world.handle(request, now).response;
    CHECK_FALSE(header(r.headers, "date").value_or("").empty());
    CHECK_FALSE(header(r.headers, "x-amzn-requestid").value_or("").empty());
    std::string code = Ec2::element(r.body, "Code");
    auto at = r.body.find("\"__type\":\"");
    if (at != std::string::npos) code = r.body.substr(at + 10, r.body.find('"', at + 10) - at - 10);
    return std::to_string(r.status) + (code.empty() ? "" : " " + code);
  }
  std::string knock(const Signed& asked) { return knock(asked.request()); }
};

Signed sts() {
  return {.service = "sts", .body = kMe};
}
Signed ssm() {
  return {
      .service = "ssm",
      .body =
          R"({"Name":"/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id"})"};
}

}  // namespace

TEST_CASE("AWS: what is signed as it must be is let in, at every service") {
  Door door;
  CHECK(door.knock(Signed()) == "200");
  CHECK(door.knock(sts()) == "200");
  CHECK(door.knock(ssm()) == "200");
}

TEST_CASE("AWS: a wrong secret, an unknown key and no signature, in each protocol's words") {
  Door door;
  auto with = [](Signed asked, std::string id, std::string secret) {
    if (!id.empty()) asked.key_id = std::move(id);
    if (!secret.empty()) asked.secret = std::move(secret);
    return asked;
  };
  CHECK(door.knock(with({}, "", "wrong")) == "403 SignatureDoesNotMatch");
  CHECK(door.knock(with(sts(), "", "wrong")) == "403 SignatureDoesNotMatch");
  CHECK(door.knock(with(ssm(), "", "wrong")) == "400 InvalidSignatureException");
  CHECK(door.knock(with({}, "AKIAUNKNOWN", "x")) == "401 AuthFailure");
  CHECK(door.knock(with(sts(), "AKIAUNKNOWN", "x")) == "403 InvalidClientTokenId");
  CHECK(door.knock(with(ssm(), "AKIAUNKNOWN", "x")) == "400 UnrecognizedClientException");
  auto unsigned_request = [](const Signed& asked) {
    Request r = asked.request();
    r.headers.pop_back();
    return r;
  };
  CHECK(door.knock(unsigned_request({})) == "401 AuthFailure");
  CHECK(door.knock(unsigned_request(sts())) == "403 MissingAuthenticationToken");
  CHECK(door.knock(unsigned_request(ssm())) == "400 MissingAuthenticationTokenException");
}

TEST_CASE("AWS: whatever is changed after signing is found") {
  Door door;
  auto changed = [](auto change) {
    Request r = Signed().request();
    change(r);
    return r;
  };
  CHECK(door.knock(changed([](Request& r) { r.body += "&MaxResults=5"; })) == "403 SignatureDoesNotMatch");
  CHECK(door.knock(changed([](Request& r) { r.method = "GET"; })) == "403 SignatureDoesNotMatch");
  CHECK(door.knock(changed([](Request& r) { r.url += "?MaxResults=5"; })) == "403 SignatureDoesNotMatch");
  CHECK(door.knock(changed([](Request& r) { set_header(r.headers, "Content-Type", "text/plain"); })) ==
        "403 SignatureDoesNotMatch");
  CHECK(door.knock(changed([](Request& r) { set_header(r.headers, "X-Amz-Date", "20261121T120001Z"); })) ==
        "403 SignatureDoesNotMatch");
  // Headers that are not signed may come and go, but for x-amz-*.
  CHECK(door.knock(changed([](Request& r) { r.headers.emplace_back("User-Agent", "x"); })) == "200");
  CHECK(door.knock(changed([](Request& r) { r.headers.emplace_back("x-amz-new", "x"); })) ==
        "403 SignatureDoesNotMatch");
  // A hash that is sent and signed must be the body's.
  Signed hashed;
  hashed.more = {{"X-Amz-Content-Sha256", std::string(64, '0')}};
  CHECK(door.knock(hashed) == "403 SignatureDoesNotMatch");
}

TEST_CASE("AWS: a signature for another service, region or day opens nothing") {
  Door door;
  Request other_service = Signed().request();
  other_service.url = "https://sts.us-west-2.amazonaws.com/";
  other_service.body = kMe;
  CHECK(door.knock(other_service) == "403 SignatureDoesNotMatch");
  Request other_region = Signed().request();
  other_region.url = "https://ec2.us-east-1.amazonaws.com/";
  CHECK(door.knock(other_region) == "403 SignatureDoesNotMatch");
  Request other_day = Signed().request();
  set_header(other_day.headers, "X-Amz-Date", "20261120T120000Z");
  CHECK(door.knock(other_day) == "400 IncompleteSignature");
  CHECK(door.knock(Signed{.region = "af-south-1"}) == "401 AuthFailure");
}

TEST_CASE("AWS: five minutes of skew either way are forgiven, more are not") {
  Door door;
  auto at = [&](Signed asked, Duration offset) {
    asked.at = door.now + offset;
    return asked;
  };
  for (Duration near : {Duration(minutes(5)), -Duration(minutes(5))})
    CHECK(door.knock(at({}, near)) == "200");
  for (Duration far : {Duration(seconds(301)), -Duration(seconds(301))}) {
    CHECK(door.knock(at({}, far)) == "400 RequestExpired");
    CHECK(door.knock(at(sts(), far)) == "403 SignatureDoesNotMatch");
    CHECK(door.knock(at(ssm(), far)) == "400 InvalidSignatureException");
  }
  // The cloud's own clock decides, and says what it shows.
  door.world.set_clock_offset(minutes(10));
  CHECK(door.knock(Signed()) == "400 RequestExpired");
  CHECK(door.knock(at({}, minutes(10))) == "200");
  Response r = *door.world.handle(Signed().request(), door.now).response;
  CHECK(header(r.headers, "date") == "Sat, 21 Nov 2026 12:10:00 GMT");
}

TEST_CASE("AWS: a session needs its token, and ends") {
  Door door;
  Signed ask = sts();
  ask.body =
      "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A210987654321%3Arole%2Fnb&"
      "RoleSessionName=nbform-1&DurationSeconds=900";
  std::string made = door.world.handle(ask.request(), door.now).response->body;
  Signed role;
  role.key_id = Ec2::element(made, "AccessKeyId");
  role.secret = Ec2::element(made, "SecretAccessKey");
  CHECK(door.knock(role) == "401 AuthFailure");
  role.more = {{"X-Amz-Security-Token", "another"}};
  CHECK(door.knock(role) == "401 AuthFailure");
  role.more = {{"X-Amz-Security-Token", Ec2::element(made, "SessionToken")}};
  CHECK(door.knock(role) == "200");
  door.now = door.now + minutes(15);
  role.at = door.now;
  CHECK(door.knock(role) == "400 RequestExpired");
  Signed late_sts = sts(), late_ssm = ssm();
  for (Signed* late : {&late_sts, &late_ssm}) {
    late->key_id = role.key_id;
    late->secret = role.secret;
    late->more = role.more;
    late->at = door.now;
  }
  CHECK(door.knock(late_sts) == "403 ExpiredToken");
  CHECK(door.knock(late_ssm) == "400 ExpiredTokenException");
}

}  // namespace nbform::sim
