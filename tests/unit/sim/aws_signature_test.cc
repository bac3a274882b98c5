// The published vectors of Signature Version 4: what AWS's documentation and its suite of test cases say.
#include "sim/aws/signature.h"

#include "base/crypto.h"
#include "sim/aws/ssh_key.h"
#include "support/catch.h"

namespace nbform::sim::aws {

namespace {

constexpr const char* kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
constexpr const char* kForm = "application/x-www-form-urlencoded; charset=utf-8";
constexpr const char* kToken =
    "AQoDYXdzEPT//////////"
    "wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwth"
    "Ax7mSEI/qkPpKPi/"
    "kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAk"
    "iY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/"
    "oLxBA==";

struct Case {
  const char* name;
  Request request;
  const char* signed_headers;
  const char* scope;
  const char* canonical_hash;
  const char* signature;
};

Request plain(std::string method, std::string path, Headers headers = {}, std::string body = {}) {
  Request r{std::move(method), "https://example.amazonaws.com" + path, std::move(headers), std::move(body)};
  r.headers.emplace_back("X-Amz-Date", "20150830T123600Z");
  return r;
}

Request real(std::string host, std::string body, Headers headers) {
  Request r = plain("POST", "/", std::move(headers), std::move(body));
  r.url = "https://" + host + "/";
  return r;
}

constexpr const char* kPlain = "host;x-amz-date";
constexpr const char* kService = "us-east-1/service";

std::vector<Case> cases() {
  return {
      {"get-vanilla", plain("GET", "/"), kPlain, kService,
       "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"post-vanilla", plain("POST", "/"), kPlain, kService,
       "553f88c9e4d10fc9e109e2aeb65f030801b70c2f6468faca261d401ae622fc87",
       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {"get-vanilla-query-order-key-case", plain("GET", "/?Param2=value2&Param1=value1"), kPlain, kService,
       "816cd5b414d056048ba4f7c5386d6e0533120fb1fcfa93762cf0fc39e2cf19e0",
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"get-vanilla-query-order-value", plain("GET", "/?Param1=value2&Param1=value1"), kPlain, kService,
       "c968629d70850097a2d8781c9bf7edcb988b04cac14cca9be4acc3595f884606",
       "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"},
      {"get-vanilla-utf8-query", plain("GET", "/?%E1%88%B4=bar"), kPlain, kService,
       "eb30c5bed55734080471a834cc727ae56beb50e5f39d1bff6d0d38cb192a7073",
       "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
      {"a wire path that is escaped already", plain("GET", "/%E1%88%B4"), kPlain, kService,
       "05a9d6899022a3640ab14690cea6ff574ab4eef0d900ff180107a5fc5b93e126",
       "697b34846207a3f72246f99d74ae1ee4fe54f44bb06730c58a0d339eb079596d"},
      {"get-slash", plain("GET", "//"), kPlain, kService,
       "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-relative-relative", plain("GET", "/example1/example2/../.."), kPlain, kService,
       "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-slashes", plain("GET", "//example//"), kPlain, kService,
       "cb96b4ac96d501f7c5c15bc6d67b3035061cfced4af6585ad927f7e6c985c015",
       "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
      {"get-slash-pointless-dot", plain("GET", "/./example"), kPlain, kService,
       "214d50c111a8edc4819da6a636336472c916b5240f51e9a51b5c3305180cf702",
       "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
      {"get-header-key-duplicate",
       plain("GET", "/", {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}}),
       "host;my-header1;x-amz-date", kService,
       "dc7f04a3abfde8d472b0ab1a418b741b7c67174dad1551b4117b15527fbe966c",
       "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
      {"get-header-value-trim",
       plain("GET", "/", {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}}),
       "host;my-header1;my-header2;x-amz-date", kService,
       "a726db9b0df21c14f559d0a978e563112acb1b9e05476f0a6a1c7d68f28605c7",
       "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
      {"post-x-www-form-urlencoded",
       plain("POST", "/", {{"Content-Type", "application/x-www-form-urlencoded"}}, "Param1=value1"),
       "content-type;host;x-amz-date", kService,
       "42a5e5bb34198acb3e84da4f085bb7927f2bc277ca766e6d19c73c2154021281",
       "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
      {"post-sts-header-before", plain("POST", "/", {{"X-Amz-Security-Token", kToken}}),
       "host;x-amz-date;x-amz-security-token", kService,
       "c237e1b440d4c63c32ca95b5b99481081cb7b13c7e40434868e71567c1a882f6",
       "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
      {"EC2",
       real("ec2.us-east-1.amazonaws.com",
            "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag%3Anbform-name&Filter.1.Value.1="
            "demo&"
            "MaxResults=50",
            {{"Content-Type", kForm}}),
       "content-type;host;x-amz-date", "us-east-1/ec2",
       "1ac4a25ae151d179ed9eebecec9da73e978f90a1bd0bf733511d896070567060",
       "fb52fa89ffd3b237e4678d69344608f86fa3ff9bf6206a58318a43ef0d2113ae"},
      {"SSM",
       real(
           "ssm.us-west-2.amazonaws.com",
           R"({"Name":"/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id"})",
           {{"Content-Type", "application/x-amz-json-1.1"}, {"X-Amz-Target", "AmazonSSM.GetParameter"}}),
       "content-type;host;x-amz-date;x-amz-target", "us-west-2/ssm",
       "b9a367b5a442592e50d1488f1b175017c72f32c856d988ae0c38b20e4e61e9c6",
       "fb32a68aaffad236f4b3398be17d3f18835d6c6c0c00ede6eb82c3264f31cdd2"},
  };
}

Request with_authorization(const Case& c) {
  Request r = c.request;
  r.headers.emplace_back("Authorization", std::string("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/") +
                                              c.scope + "/aws4_request, SignedHeaders=" + c.signed_headers +
                                              ", Signature=" + c.signature);
  return r;
}

}  // namespace

TEST_CASE("the published vectors of Signature Version 4") {
  for (const Case& c : cases()) {
    INFO(c.name);
    Request r = with_authorization(c);
    auto claim = read_claim(r);
    REQUIRE(claim.ok());
    std::string canonical = canonical_request(r, *parse_url(r.url), *claim);
    CHECK(hex(sha256(canonical)) == c.canonical_hash);
    CHECK(sign(kSecret, *claim, string_to_sign(*claim, canonical)) == c.signature);
  }
}

TEST_CASE("an Authorization header that is not well formed") {
  auto code = [](const char* text) {
    Request r = plain("GET", "/");
    if (text != nullptr) r.headers.emplace_back("Authorization", text);
    auto claim = read_claim(r);
    return claim ? std::string("read") : claim.error().provider_code;
  };
  CHECK(code(nullptr) == "MissingAuthenticationToken");
  CHECK(code("Bearer x") == "IncompleteSignature");
  CHECK(code("AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=1") == "IncompleteSignature");
  CHECK(code("AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host") ==
        "IncompleteSignature");
  CHECK(code("AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, Signature=1") == "IncompleteSignature");
  CHECK(code("AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request,SignedHeaders=host,Signature=1") == "read");
}

TEST_CASE("fingerprints of imported keys are EC2's, not ssh-keygen's") {
  // Measured with openssl: `openssl rsa -pubin -outform DER | openssl md5 -c` of the same key.
  auto rsa = read_ssh_key(
      "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCNeyMaV6GnKt1Mwn/KtuM/rjpB77viefd0lUAlyhE/41/38PPIgw"
      "H/UqfG7FWqH7Kx0hsVsq6Q+HqfhrSP+GfNgkwQWsmtZx+BNfKsFlZCv1Z0X34thO11QZq7b3/RQyNGeEqge57+NwXc"
      "daB3TfxDTw/386q/zhJWbo4lQOCWeyyZ+jP8EsJ3E3xjXvrJ+Iysu+CX7mNlF6e3/LjD9e0mTabqlNewa3u7ggkKXl"
      "xv0fKmhxzirQwYM1bNQqOp1J9rMc6/3nYQoygXQht1p+iVcDtURLPS+siWtGANsMXp9z0w7kci3POnXTIVW06rxjRY"
      "Tu1TU++cB5eLZFt3kxrD");
  REQUIRE(rsa);
  CHECK(rsa->type == "rsa");
  CHECK(rsa->fingerprint == "67:40:b2:33:87:d3:bb:cf:1c:96:e3:b6:16:32:27:a8");
  CHECK_FALSE(read_ssh_key("ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTY= x"));
  CHECK_FALSE(read_ssh_key("ssh-ed25519 AAAA"));
}

}  // namespace nbform::sim::aws
