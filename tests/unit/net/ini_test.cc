#include "net/ini.h"

#include "support/catch.h"

using namespace nbform;

namespace {

std::string problem(std::string_view text) {
  auto sections = parse_ini(text, "f");
  REQUIRE_FALSE(sections.ok());
  CHECK(sections.error().mark.file == "f");
  return sections.error().detail;
}

}  // namespace

TEST_CASE("sections and settings, with comments, blank lines, CRLF and a byte order mark") {
  auto sections = parse_ini(
      "\xEF\xBB\xBF# top\r\n[default]  ; the usual one\r\n\r\nRegion = us-west-2\r\n; note\r\nkey=a = b # "
      "c\r\n"
      "[profile \"my dev\"]\nempty =\nlast = x",
      "f");
  REQUIRE(sections.ok());
  REQUIRE(sections->size() == 2);
  const IniSection& first = (*sections)[0];
  CHECK(first.name == "default");
  CHECK(first.text("region") == "us-west-2");
  CHECK(first.text("key") == "a = b # c");
  CHECK(first.find("key")->mark.line == 6);
  CHECK((*sections)[1].name == "profile \"my dev\"");
  CHECK((*sections)[1].has("empty"));
  CHECK((*sections)[1].text("empty").empty());
  CHECK((*sections)[1].text("last") == "x");
  CHECK_FALSE((*sections)[1].has("region"));
}

TEST_CASE("an indented line continues a value, or is a key of its own below an empty one") {
  auto sections = parse_ini(
      "[a]\ns3 =\n  max_queue_size = 10\n  # note\n  endpoint_url = http://localhost:9\nlong = one\n   two\n"
      "\tthree\nnext = 1\n[b]\n  region = r\n  output = o\n",
      "f");
  REQUIRE(sections.ok());
  const IniSection& a = (*sections)[0];
  CHECK(a.find("s3")->nested.at("endpoint_url") == "http://localhost:9");
  CHECK(a.find("s3")->nested.size() == 2);
  CHECK(a.text("long") == "one\ntwo\nthree");
  CHECK(a.text("next") == "1");
  CHECK((*sections)[1].text("region") == "r");
  CHECK((*sections)[1].text("output") == "o");
}

TEST_CASE("what is no INI file is refused with its line, and without the line's text") {
  CHECK(problem("[a]\nx = 1\nwJalrXUtn-canary\n") == "f:3: this is not of the form key = value.");
  CHECK(problem("[a\nx = 1\n") == "f:1: a section must end with ']'.");
  CHECK(problem("[a] b\n") == "f:1: a section must end with ']'.");
  CHECK(problem("[ ]\n") == "f:1: a section must have a name.");
  CHECK(problem("x = 1\n") == "f:1: there is no [section] above this line.");
  CHECK(problem("[a]\n= canary\n") == "f:2: this is not of the form key = value.");
  CHECK(problem("[a]\nx = 1\nX = 2\n") == "f:3: the key x stands here again, first in line 2.");
  CHECK(problem("[a]\n\n[b]\n[a]\n") == "f:4: the section [a] stands here again, first in line 1.");
  CHECK(problem("[a]\ns3 =\n  canary\n") == "f:3: this is not of the form key = value.");
  CHECK(problem("[a]\ns3 =\n  x = 1\n  x = 2\n") == "f:4: the key x stands here again.");
}
