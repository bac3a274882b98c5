// Published vectors of Signature Version 4: AWS's test suite, the examples of its documentation, and requests
// as its own clients sign them.
#include "net/sigv4.h"

#include "base/text.h"
#include "support/catch.h"

using namespace nbform;

namespace {

const AwsKeys kSuite{"AKIDEXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), {}};
const AwsKeys kDocumentation{"AKIAIOSFODNN7EXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), {}};
const Time kSuiteTime = *parse_rfc3339("2015-08-30T12:36:00Z");
const Time kDocumentationTime = *parse_rfc3339("2013-05-24T00:00:00Z");
const SigningScope kService{"service", "us-east-1"};
const std::string kForm = "application/x-www-form-urlencoded; charset=utf-8";
const std::string kEmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const std::string kToken =
    "AQoDYXdzEPT//////////"
    "wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUu"
    "wthAx7mSEI/qkPpKPi/"
    "kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQc"
    "HNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+"
    "scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oL"
    "xBA==";

struct Signed {
  std::string canonical_hash, signature, signed_headers;
};

std::string part_after(std::string_view text, std::string_view name) {
  auto at = text.find(name);
  if (at == std::string_view::npos) return "";
  text.remove_prefix(at + name.size());
  return std::string(text.substr(0, text.find(',')));
}

Signed sign(Request request, const AwsKeys& keys, const SigningScope& scope, Time at) {
  Request ready = sign_v4(std::move(request), keys, scope, at);
  std::string_view line = header(ready.headers, "authorization").value();
  std::string canonical = canonical_request(ready, scope);
  return {hex(sha256(canonical)), part_after(line, "Signature="), part_after(line, "SignedHeaders=")};
}

struct Vector {
  const char* name;
  const char* method;
  const char* target;
  Headers headers;
  std::string body;
  const char* canonical_hash;
  const char* signature;
};

void check(const Vector& vector, const std::string& host, const AwsKeys& keys, const SigningScope& scope,
           Time at) {
  INFO(vector.name);
  Signed result = sign({.method = vector.method,
                        .url = "https://" + host + vector.target,
                        .headers = vector.headers,
                        .body = vector.body},
                       keys, scope, at);
  CHECK(result.canonical_hash == vector.canonical_hash);
  CHECK(result.signature == vector.signature);
}

constexpr const char* kVanilla = "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63";
constexpr const char* kVanillaSignature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";

}  // namespace

TEST_CASE("SigV4: get-vanilla in full") {
  Request ready = sign_v4({.url = "https://example.amazonaws.com/"}, kSuite, kService, kSuiteTime);
  CHECK(canonical_request(ready, kService) ==
        "GET\n/\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\nhost;x-amz-date\n" +
            kEmptyHash);
  CHECK(header(ready.headers, "x-amz-date") == "20150830T123600Z");
  CHECK(header(ready.headers, "authorization") ==
        std::string("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                    "SignedHeaders=host;x-amz-date, Signature=") +
            kVanillaSignature);
}

TEST_CASE("SigV4: the test suite") {
  const std::string unreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const std::string unreserved_path = "/" + unreserved,
                    unreserved_query = "/?" + unreserved + "=" + unreserved;
  const std::vector<Vector> suite = {
      {"get-vanilla", "GET", "/", {}, "", kVanilla, kVanillaSignature},
      {"post-vanilla",
       "POST",
       "/",
       {},
       "",
       "553f88c9e4d10fc9e109e2aeb65f030801b70c2f6468faca261d401ae622fc87",
       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {"get-vanilla-query-order-key-case",
       "GET",
       "/?Param2=value2&Param1=value1",
       {},
       "",
       "816cd5b414d056048ba4f7c5386d6e0533120fb1fcfa93762cf0fc39e2cf19e0",
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"get-vanilla-query-order-value",
       "GET",
       "/?Param1=value2&Param1=value1",
       {},
       "",
       "c968629d70850097a2d8781c9bf7edcb988b04cac14cca9be4acc3595f884606",
       "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"},
      {"get-vanilla-query-unreserved",
       "GET",
       unreserved_query.c_str(),
       {},
       "",
       "c30d4703d9f799439be92736156d47ccfb2d879ddf56f5befa6d1d6aab979177",
       "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
      {"get-vanilla-utf8-query",
       "GET",
       "/?\u1234=bar",
       {},
       "",
       "eb30c5bed55734080471a834cc727ae56beb50e5f39d1bff6d0d38cb192a7073",
       "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
      {"get-unreserved",
       "GET",
       unreserved_path.c_str(),
       {},
       "",
       "6a968768eefaa713e2a6b16b589a8ea192661f098f37349f4e2c0082757446f9",
       "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
      {"get-utf8",
       "GET",
       "/\u1234",
       {},
       "",
       "2a0a97d02205e45ce2e994789806b19270cfbbb0921b278ccf58f5249ac42102",
       "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
      {"a path that is encoded already",
       "GET",
       "/%E1%88%B4",
       {},
       "",
       "05a9d6899022a3640ab14690cea6ff574ab4eef0d900ff180107a5fc5b93e126",
       "697b34846207a3f72246f99d74ae1ee4fe54f44bb06730c58a0d339eb079596d"},
      {"get-space",
       "GET",
       "/example space/",
       {},
       "",
       "63ee75631ed7234ae61b5f736dfc7754cdccfedbff4b5128a915706ee9390d86",
       "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
      {"get-slash", "GET", "//", {}, "", kVanilla, kVanillaSignature},
      {"get-relative", "GET", "/example/..", {}, "", kVanilla, kVanillaSignature},
      {"get-relative-relative", "GET", "/example1/example2/../..", {}, "", kVanilla, kVanillaSignature},
      {"get-slash-dot-slash", "GET", "/./", {}, "", kVanilla, kVanillaSignature},
      {"get-slashes",
       "GET",
       "//example//",
       {},
       "",
       "cb96b4ac96d501f7c5c15bc6d67b3035061cfced4af6585ad927f7e6c985c015",
       "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
      {"get-slash-pointless-dot",
       "GET",
       "/./example",
       {},
       "",
       "214d50c111a8edc4819da6a636336472c916b5240f51e9a51b5c3305180cf702",
       "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
      {"get-header-key-duplicate",
       "GET",
       "/",
       {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
       "",
       "dc7f04a3abfde8d472b0ab1a418b741b7c67174dad1551b4117b15527fbe966c",
       "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
      {"get-header-value-order",
       "GET",
       "/",
       {{"My-Header1", "value4"},
        {"My-Header1", "value1"},
        {"My-Header1", "value3"},
        {"My-Header1", "value2"}},
       "",
       "31ce73cd3f3d9f66977ad3dd957dc47af14df92fcd8509f59b349e9137c58b86",
       "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
      {"get-header-value-trim",
       "GET",
       "/",
       {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
       "",
       "a726db9b0df21c14f559d0a978e563112acb1b9e05476f0a6a1c7d68f28605c7",
       "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
      {"post-header-key-sort",
       "POST",
       "/",
       {{"My-Header1", "value1"}},
       "",
       "9368318c2967cf6de74404b30c65a91e8f6253e0a8659d6d5319f1a812f87d65",
       "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
      {"post-header-value-case",
       "POST",
       "/",
       {{"My-Header1", "VALUE1"}},
       "",
       "d51ced243e649e3de6ef63afbbdcbca03131a21a7103a1583706a64618606a93",
       "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
      {"post-x-www-form-urlencoded",
       "POST",
       "/",
       {{"Content-Type", "application/x-www-form-urlencoded"}},
       "Param1=value1",
       "42a5e5bb34198acb3e84da4f085bb7927f2bc277ca766e6d19c73c2154021281",
       "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
      {"post-x-www-form-urlencoded-parameters",
       "POST",
       "/",
       {{"Content-Type", "application/x-www-form-urlencoded; charset=utf8"}},
       "Param1=value1",
       "2e1cf7ed91881a30569e46552437e4156c823447bf1781b921b5d486c568dd1c",
       "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe"},
  };
  for (const Vector& vector : suite) check(vector, "example.amazonaws.com", kSuite, kService, kSuiteTime);
}

TEST_CASE("SigV4: a session's token is signed") {
  AwsKeys session = kSuite;
  session.token = Secret(kToken);
  check({"post-sts-header-before",
         "POST",
         "/",
         {},
         "",
         "c237e1b440d4c63c32ca95b5b99481081cb7b13c7e40434868e71567c1a882f6",
         "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
        "example.amazonaws.com", session, kService, kSuiteTime);
  check({"the same as GET",
         "GET",
         "/",
         {},
         "",
         "241082ef8fa95584be7877c291fc6c895d8983c674c7dc8d240814633a7e08b2",
         "c8db8b9676d526f735dac5330f17623554c6cad1e2980d321903e9a3884c051b"},
        "example.amazonaws.com", session, kService, kSuiteTime);
  session.token = Secret("EXAMPLE/SESSION+TOKEN==");
  check({"EC2",
         "POST",
         "/",
         {{"Content-Type", kForm}},
         "Action=DescribeVpcs&Version=2016-11-15",
         "2468f4cc3b70e982799c07c01f197804c352f15adb04dce720a16043fe4d5eb3",
         "3a6567dc3faf812120442a2f28b70f6d143e5fd151dc0b9c48902392699b7145"},
        "ec2.us-east-1.amazonaws.com", session, {"ec2", "us-east-1"}, kSuiteTime);
}

TEST_CASE("SigV4: requests to real services") {
  check({"IAM's documentation",
         "GET",
         "/?Action=ListUsers&Version=2010-05-08",
         {{"Content-Type", kForm}},
         "",
         "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59",
         "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"},
        "iam.amazonaws.com", kSuite, {"iam", "us-east-1"}, kSuiteTime);
  check({"EC2 DescribeInstances",
         "POST",
         "/",
         {{"Content-Type", kForm}},
         "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag%3Anbform-name&Filter.1.Value.1=demo&"
         "MaxResults=50",
         "1ac4a25ae151d179ed9eebecec9da73e978f90a1bd0bf733511d896070567060",
         "fb52fa89ffd3b237e4678d69344608f86fa3ff9bf6206a58318a43ef0d2113ae"},
        "ec2.us-east-1.amazonaws.com", kSuite, {"ec2", "us-east-1"}, kSuiteTime);
  check({"EC2 RunInstances",
         "POST",
         "/",
         {{"Content-Type", kForm}},
         "Action=RunInstances&Version=2016-11-15&ImageId=ami-0123456789abcdef0&InstanceType=g5.xlarge&"
         "MinCount=1&"
         "MaxCount=1&ClientToken=nbform-demo-1&TagSpecification.1.ResourceType=instance&"
         "TagSpecification.1.Tag.1.Key=nbform%3Aname&TagSpecification.1.Tag.1.Value=a%20b%2Fc",
         "d48e4ae83617fb1a794af691c291498b247577166ff9b15e571e6f41da346b24",
         "c71e1a69b46b52cc7c3f8ed9b5c0b9ca676a2fc46d6163790e107870413238cb"},
        "ec2.us-west-2.amazonaws.com", kSuite, {"ec2", "us-west-2"}, kSuiteTime);
  check({"EC2 with filters and a page token",
         "POST",
         "/",
         {{"Content-Type", kForm}},
         "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag%3Anbform%3Aname&Filter.1.Value.1="
         "demo+box&"
         "Filter.1.Value.2=demo%2A&Filter.2.Name=tag%3Anbform%3Auid&Filter.2.Value.1=0a1b&"
         "NextToken=eyJ2IjoiMiJ9%2B%2F%3D&MaxResults=50",
         "6dba7d9885af7d182767d92c69f8ffd497b8e6d3f716fe0070d39b641c0407c8",
         "ac167b2f1b2c66082f9ae026195bf0ffcbc47e90018ab20a2ef8b539a8fbcd13"},
        "ec2.us-west-2.amazonaws.com", kSuite, {"ec2", "us-west-2"}, kSuiteTime);
  check(
      {"SSM",
       "POST",
       "/",
       {{"Content-Type", "application/x-amz-json-1.1"}, {"X-Amz-Target", "AmazonSSM.GetParameter"}},
       R"({"Name":"/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id"})",
       "b9a367b5a442592e50d1488f1b175017c72f32c856d988ae0c38b20e4e61e9c6",
       "fb32a68aaffad236f4b3398be17d3f18835d6c6c0c00ede6eb82c3264f31cdd2"},
      "ssm.us-west-2.amazonaws.com", kSuite, {"ssm", "us-west-2"}, kSuiteTime);
}

TEST_CASE("SigV4: S3 takes the path as it is and signs the body's hash") {
  SigningScope s3{"s3", "us-east-1"};
  check({"conditional PUT",
         "PUT",
         "/locks/a%20b%2Bc.json",
         {{"If-None-Match", "*"}, {"Content-Type", "application/json"}},
         R"({"owner":"x"})",
         "d30b9e0d8550e51e4aa58991b7f9ff477f74e7d8c86cc0f1ec914453415b55a0",
         "56ac7e2d637931ac926835af6ed2ac3cc6d321dc1c3199c2078a66a920143b11"},
        "nbform-state.s3.us-east-1.amazonaws.com", kSuite, s3, kSuiteTime);
  check({"unsigned payload",
         "PUT",
         "/scripts/boot.sh",
         {{"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}},
         "body",
         "8fac6be6012e5e0c82d1127e4beb5a8b973a605acd02040c319660277f969cf1",
         "18ef7c3d5b45a6fcdc522937e4c226fe42224ae5ea1a612d3ba6f1abc172d84f"},
        "nbform-state.s3.us-east-1.amazonaws.com", kSuite, s3, kSuiteTime);
  const std::vector<Vector> documentation = {
      {"GET object",
       "GET",
       "/test.txt",
       {{"Range", "bytes=0-9"}},
       "",
       "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972",
       "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
      {"PUT object",
       "PUT",
       "/test%24file.text",
       {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
       "Welcome to Amazon S3.",
       "9e0e90d9c76de8fa5b200d8c849cd5b8dc7a3be3951ddb7f6a76b4158342019d",
       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
      {"GET lifecycle",
       "GET",
       "/?lifecycle",
       {},
       "",
       "9766c798316ff2757b517bc739a67f6213b4ab36dd5da2f94eaebf79c77395ca",
       "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
      {"list",
       "GET",
       "/?max-keys=2&prefix=J",
       {},
       "",
       "df57d21db20da04d7fa30298dd4488ba3a2b47ca3a489c74750e0f1e7df1b9b7",
       "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
  };
  for (const Vector& vector : documentation)
    check(vector, "examplebucket.s3.amazonaws.com", kDocumentation, s3, kDocumentationTime);
  Request odd = sign_v4({.url = "https://b.s3.us-east-1.amazonaws.com/a//../b"}, kSuite, s3, kSuiteTime);
  CHECK(canonical_request(odd, s3).starts_with("GET\n/a//../b\n"));
}

TEST_CASE("SigV4: a second signature leaves nothing of the first") {
  AwsKeys session = kSuite;
  session.token = Secret(kToken);
  SigningScope s3{"s3", "us-east-1"};
  Request put{.method = "PUT", .url = "https://b.s3.us-east-1.amazonaws.com/k", .body = "x"};
  Request first = sign_v4(put, session, s3, kDocumentationTime);
  Request again = sign_v4(first, kSuite, s3, kSuiteTime);
  Request direct = sign_v4(put, kSuite, s3, kSuiteTime);
  CHECK(header(again.headers, "authorization") == header(direct.headers, "authorization"));
  CHECK_FALSE(header(again.headers, "x-amz-security-token"));
  CHECK(again.headers.size() == direct.headers.size());
}

TEST_CASE(
    "SigV4: the host carries a port that is not the scheme's own; the transport's headers are not signed") {
  auto host_line = [](const char* url) {
    std::string text = canonical_request({.url = url}, kService);
    return std::string(split(text, '\n')[3]);
  };
  CHECK(host_line("http://127.0.0.1:4566/") == "host:127.0.0.1:4566");
  CHECK(host_line("http://[::1]:4566/") == "host:[::1]:4566");
  CHECK(host_line("https://example.com:443/") == "host:example.com");
  CHECK(host_line("http://localhost:80/") == "host:localhost");
  CHECK(host_line("https://localhost:80/") == "host:localhost:80");
  Request request{.url = "https://example.amazonaws.com/",
                  .headers = {{"Accept", "*/*"}, {"User-Agent", "nbform"}, {"Content-Length", "0"}}};
  CHECK(sign(request, kSuite, kService, kSuiteTime).signature == kVanillaSignature);
}
