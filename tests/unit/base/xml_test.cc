#include "base/xml.h"

#include <fmt/format.h>

#include "base/json.h"
#include "support/catch.h"

using namespace nbform;

namespace {

// The content as JSON, or the error's detail.
std::string read(std::string_view text, const XmlRules& rules = {}) {
  auto document = read_xml(std::string(text), rules);
  return document.ok() ? to_json(document->content) : document.error().detail;
}

std::string nested(int depth) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += "<a>";
  text += "x";
  for (int i = 0; i < depth; ++i) text += "</a>";
  return text;
}

}  // namespace

TEST_CASE("XML of EC2 becomes maps and lists of texts") {
  auto document = read_xml(R"(<?xml version="1.0" encoding="UTF-8"?>
    <DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15">
      <requestId>r-1</requestId>
      <reservationSet><item><instancesSet>
        <item><instanceId>i-1</instanceId><instanceState><code>16</code><name>running</name></instanceState>
          <tagSet><item><key>a</key><value/></item><item><key>b</key><value> </value></item></tagSet></item>
        <item><instanceId>i-2</instanceId><tagSet/></item>
      </instancesSet></item></reservationSet>
    </DescribeInstancesResponse>)");
  REQUIRE(document.ok());
  CHECK(document->root == "DescribeInstancesResponse");
  CHECK(to_json(document->content) == R"({"requestId":"r-1","reservationSet":[{"instancesSet":[)"
                                      R"({"instanceId":"i-1","instanceState":{"code":"16","name":"running"},)"
                                      R"("tagSet":{"a":"","b":" "}},{"instanceId":"i-2"}]}]})");
  CHECK(document->content.at_path("reservationSet/0/instancesSet/0/instanceState/code").as_int() == 16);
}

TEST_CASE("an empty list is the same whether absent, empty or laid out over lines") {
  std::string absent = read("<r><a>1</a></r>");
  CHECK(read("<r><a>1</a><set/></r>") == absent);
  CHECK(read("<r><a>1</a><set></set></r>") == absent);
  CHECK(read("<r><a>1</a><set>\n    </set></r>") == absent);
  CHECK(read_xml("<r><set/></r>")->content["set"].as_list().empty());
  CHECK(read("<r><set><item/><item/></set></r>") == R"({"set":[null,null]})");
}

TEST_CASE("lists by either marker, and repetitions where they are foreseen") {
  CHECK(read("<r><accelerators><member>a</member><member>b</member></accelerators></r>") ==
        R"({"accelerators":["a","b"]})");
  XmlRules s3{.repeated = {"Contents"}};
  CHECK(read("<r><Name>b</Name><Contents><Key>1</Key></Contents></r>", s3) ==
        R"({"Contents":[{"Key":"1"}],"Name":"b"})");
  CHECK(read("<r><Contents><Key>1</Key></Contents><Contents><Key>2</Key></Contents></r>", s3) ==
        R"({"Contents":[{"Key":"1"},{"Key":"2"}]})");
  CHECK(read("<r><x>1</x><x>2</x></r>") == R"({"x":"2"})");
}

TEST_CASE("a tagSet is a map where its items are keys and values and nothing else") {
  std::string_view tags = "<r><tagSet><item><key>a</key><value>1</value></item></tagSet></r>";
  CHECK(read(tags) == R"({"tagSet":{"a":"1"}})");
  Fields pairs("tagSet(key,value)"), keys("tagSet(key)");
  CHECK(read(tags, {.fields = &pairs}) == R"({"tagSet":{"a":"1"}})");
  CHECK(read(tags, {.fields = &keys}) == R"({"tagSet":[{"key":"a"}]})");
  CHECK(read("<r><tagSet><item><key>a</key></item><item><key>a</key><value>2</value></item></tagSet></r>") ==
        R"({"tagSet":{"a":"2"}})");
  CHECK(read("<r><tagSet><item><resourceId>i-1</resourceId><key>a</key></item></tagSet></r>") ==
        R"({"tagSet":[{"key":"a","resourceId":"i-1"}]})");
  CHECK(read("<r><tagSet><item><key>a</key><value>1</value><x>2</x></item></tagSet></r>") ==
        R"({"tagSet":[{"key":"a","value":"1","x":"2"}]})");
  CHECK(read("<r><a>1</a><tagSet/></r>") == R"({"a":"1"})");
}

TEST_CASE("only wanted members are read, of each item of a list too") {
  std::string_view text =
      "<r><id>1</id><set><item><a>x</a><b><c>y</c><d>z</d></b></item><item><e/></item></set><g><a>v</a></g></"
      "r>";
  auto wanted = [&](std::string_view names) {
    Fields fields(names);
    return read(text, {.fields = &fields});
  };
  CHECK(wanted("id,g") == R"({"g":{"a":"v"},"id":"1"})");
  CHECK(wanted("set(a,b(d))") == R"({"set":[{"a":"x","b":{"d":"z"}},{}]})");
  CHECK(wanted("nothing") == "{}");
  std::string deep = nested(70);
  Fields other("b");
  CHECK(read("<r>" + deep + "<b>1</b></r>", {.fields = &other}) == R"({"b":"1"})");
  Fields into("a");
  CHECK(read("<r>" + deep + "<b>1</b></r>", {.fields = &into}) == "It is nested too deeply.");
}

TEST_CASE("a text may come in pieces") {
  CHECK(read("<r><a>x<!-- c -->y<![CDATA[z]]>!</a></r>") == R"({"a":"xyz!"})");
  CHECK(read("<r><a><![CDATA[z]]>!</a></r>") == R"({"a":"z!"})");
  CHECK(read("<r><a>x<b>1</b>y</a></r>") == R"({"a":{"b":"1"}})");
}

TEST_CASE("namespaces, attributes and comments do not matter") {
  CHECK(read(R"(<e:r xmlns:e="urn:x" e:k="v"><!-- note --><e:a e:z="1">t</e:a></e:r>)") == R"({"a":"t"})");
}

TEST_CASE("entities") {
  CHECK(read("<r><a>&lt;b&gt; &amp; &quot;c&quot; &apos;d&apos; &#65;&#x1F600;</a></r>") ==
        R"({"a":"<b> & \"c\" 'd' A😀"})");
  CHECK(read("<r><a><![CDATA[&nothing; <x>]]></a></r>") == R"({"a":"&nothing; <x>"})");
  CHECK(read("<r><a>&lt;<![CDATA[&x;]]>&gt;<![CDATA[&y;]]></a></r>") == R"({"a":"<&x;>&y;"})");
  CHECK(read("<r><a><![CDATA[&x;]]>&y;<![CDATA[&z;]]></a></r>") == "There is an unknown entity at byte 21.");
  CHECK(read("<r><a>&amp;<![CDATA[&x;</a></r>").find("CDATA") != std::string::npos);
  for (const char* bad : {"&nbsp;", "&#0;", "&#x0;", "&#xD800;", "&#x110000;", "&#;", "&#x;", "&", "& b"})
    CHECK(read(fmt::format("<r><a>{}</a></r>", bad)).find("unknown entity") != std::string::npos);
}

TEST_CASE("a document type definition is refused, with what it defines") {
  CHECK(read(R"(<!DOCTYPE r [<!ENTITY a "x">]><r><a>t</a></r>)").find("definition") != std::string::npos);
  CHECK(read(R"(<!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>)").find("definition") != std::string::npos);
  CHECK_FALSE(read_xml(R"(<!DOCTYPE l [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><l>&b;</l>)").ok());
}

TEST_CASE("hostile XML is an error, not a crash") {
  CHECK(read_xml(nested(64)).ok());
  CHECK(read(nested(65)) == "It is nested too deeply.");
  CHECK(read(nested(200'000)) == "It is nested too deeply.");
  std::string wide = "<r>";
  for (int i = 0; i < 250'000; ++i) wide += "<a/>x";
  CHECK(read(wide + "</r>") == "It has too many elements.");  // with the outermost
  std::string dressed = "<r";
  for (int i = 0; i < 500'001; ++i) dressed += " a=\"\"";
  CHECK(read(dressed + "/>") == "It has too many elements.");
  CHECK(read("<r>" + std::string(33 << 20, 'x') + "</r>").find("bytes") != std::string::npos);
  CHECK(read("<r>\xff</r>") == "It is not text in UTF-8.");
  for (std::size_t n = 0; n < 40; ++n) {  // wherever it stands in a word of the processor
    std::string text(n, 'x');
    CHECK(read("<r>" + text + "\xC3\xA9" + text + "</r>") == "\"" + text + "\xC3\xA9" + text + "\"");
    CHECK(read("<r>" + text + "\xC3" + text + "</r>") == "It is not text in UTF-8.");
  }
  CHECK(read(std::string("<r>a\0b</r>", 10)) == "It is not text in UTF-8.");
}

TEST_CASE("what is cut or is no document is an error") {
  std::string whole = "<r><set><item><id>i-1</id></item><item><id>i-2</id></item></set></r>";
  REQUIRE(read_xml(whole).ok());
  for (std::size_t n = 0; n < whole.size(); ++n) {
    CAPTURE(n);
    CHECK_FALSE(read_xml(whole.substr(0, n)).ok());
  }
  for (const char* bad : {"", "text", "{}", "<a></b>", "<a/><b/>", "<a/>text<b/>", "<a b=c/>", "<?xml?>",
                          "<a></a\"><b></b>", "<r><a></a#</r>", "<r></a></r>", "</r>", "<r><1/></r>", "< r/>",
                          "<r a=\"1\"b=\"2\"/>", "<r><!x></r>", "<r/></r>", "<r>a</r >b"})
    CHECK_FALSE(read_xml(bad).ok());
  CHECK(read("<r a = 'b>' c=\"\" ><x:a>t</x:a\n></r>\n<!-- end --><?end?>") == R"({"a":"t"})");
}

TEST_CASE("whatever is done to an answer's bytes, reading it ends with a value or an error") {
  const std::string whole =
      "<?xml version=\"1.0\"?><R "
      "xmlns=\"urn:x\"><set><item><k>a&amp;b</k><v/></item><item><k>c</k></item></set>"
      "<n>16</n><!-- c --><t><![CDATA[x]]></t></R>";
  REQUIRE(read_xml(whole).ok());
  std::uint64_t state = 42;
  auto random = [&state](std::size_t n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>((state >> 33) % n);
  };
  const std::string alphabet = "<>/&;![]\"'= -?#x0AR\n\xC3\xFF" + std::string(1, '\0');
  int readable = 0, refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = whole;
    for (std::size_t edits = 1 + random(4); edits > 0; --edits) {
      std::size_t at = random(text.size());
      if (random(3) == 0)
        text.erase(at, 1 + random(8));
      else if (random(2) == 0)
        text[at] = alphabet[random(alphabet.size())];
      else
        text.insert(at, 1, alphabet[random(alphabet.size())]);
      if (text.empty()) break;
    }
    ++(read_xml(text).ok() ? readable : refused);
  }
  CHECK(readable > 0);
  CHECK(refused > 10'000);
}
