// A console on a person's terminal: nothing steers it, nothing comes twice.
#include "cli/console_text.h"

#include "support/catch.h"

using namespace nbform::cli;

namespace {

using Lines = std::vector<std::string>;

Lines lines_of(std::initializer_list<std::string_view> pieces) {
  ConsoleLines lines;
  Lines out;
  for (std::string_view piece : pieces)
    for (std::string& line : lines.take(piece)) out.push_back(std::move(line));
  return out;
}

}  // namespace

TEST_CASE("colours, cursor movements and titles are left out, what else steers becomes visible") {
  CHECK(plain_line("[  \x1b[0;32mOK\x1b[0m  ] Started \x1b]0;owned\aNetwork\x1b]2;t\x1b\\.") ==
        "[  OK  ] Started Network.");
  CHECK(plain_line("\x1b[2J\x1b[Hcleared\x1b(B\x1b=") == "cleared");
  CHECK(plain_line("a\tb\x07\x08") == "a       b\\x07\\x08");
  CHECK(plain_line("cut \x1b[0;3") == "cut ");
  CHECK(plain_line("cut \x1b") == "cut ");
  CHECK(plain_line("\xff h\xc3\xa4user \xe2\x80\xae") == "\\xff h\xc3\xa4user \\u202e");
}

TEST_CASE("lines end as consoles end them") {
  CHECK(lines_of({"a\r\nb\nc\r\r\n\r\nd\n"}) == Lines{"a", "b", "c", "", "d"});
  CHECK(lines_of({"10%\r20%\rdone\n"}) == Lines{"10%", "20%", "done"});
  CHECK(lines_of({"a\r", "\nb", "c\n"}) == Lines{"a", "bc"});
  ConsoleLines lines;
  CHECK(lines.take("login: ").empty());
  CHECK(lines.rest() == "login: ");
  CHECK(lines.rest().empty());
  CHECK(lines.take(std::string(3 << 20, 'x')).size() == 2);
}

TEST_CASE("of a later reading only what is new counts") {
  CHECK(beyond("", "abc") == "abc");
  CHECK(beyond("abc", "abc").empty());
  CHECK(beyond("abc", "abcdef") == "def");
  CHECK(beyond("xxabcabd", "abcabdabc") == "abc");  // the beginning was pushed out
  CHECK(beyond("aaaa", "aaab") == "b");
  CHECK(beyond("0123", "4567") == "4567");
  CHECK(beyond("abc", "").empty());
  CHECK(beyond("a longer one than ab", "ab") == "");
}
