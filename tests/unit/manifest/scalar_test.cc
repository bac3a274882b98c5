#include "manifest/scalar.h"
#include "manifest/notebook.h"

#include "support/catch.h"

using namespace nbform;

TEST_CASE("sizes count in GiB whatever the unit is called") {
  CHECK(parse_size_gb("200GB") == 200);
  CHECK(parse_size_gb("200GiB") == 200);
  CHECK(parse_size_gb("2TB") == 2048);
  for (const char* bad :
       {"200", "GB", "200gb", "200 GB", "-1GB", "1.5TB", "0200GB", "99999999999999999999GB", ""})
    CHECK_FALSE(parse_size_gb(bad));
}

TEST_CASE("durations add up from large to small units") {
  CHECK(parse_duration_s("60m") == 3600);
  CHECK(parse_duration_s("1h30m") == 5400);
  CHECK(parse_duration_s("1d") == 86400);
  for (const char* bad : {"60", "m", "30m1h", "1h1h", "1.5h", "-1h", "1w", ""})
    CHECK_FALSE(parse_duration_s(bad));
  CHECK(format_duration_s(5400) == "1h30m");
  CHECK(format_duration_s(86400) == "1d");
  CHECK(format_duration_s(0) == "0s");
}

TEST_CASE("integers are decimal: no octal, no hex, no fractions") {
  CHECK(parse_integer("8080") == 8080);
  CHECK(parse_integer("-3") == -3);
  CHECK(parse_integer("0") == 0);
  for (const char* bad : {"0123", "0x10", "0o17", "1_000", "1e3", "1.0", "+1", "", "99999999999999999999"})
    CHECK_FALSE(parse_integer(bad));
}

TEST_CASE("only true and false are booleans") {
  CHECK(parse_boolean("true") == true);
  CHECK(parse_boolean("FALSE") == false);
  for (const char* bad : {"yes", "no", "on", "off", "y", "1", "tRue", ""}) CHECK_FALSE(parse_boolean(bad));
}

TEST_CASE("money has an optional dollar sign") {
  CHECK(parse_money("$1.20") == 1.2);
  CHECK(parse_money("10") == 10.0);
  CHECK(format_money(1.2) == "$1.20");
  CHECK(format_money(0.0125) == "$0.0125");
  for (const char* bad : {"$", "1.", ".5", "-1", "1e3", "1,20", "EUR 3", "inf", "nan", ""})
    CHECK_FALSE(parse_money(bad));
}

TEST_CASE("a setting is absent, removed or a value, and copies are their own") {
  Text absent, removed = Text::removal(), name("a name of more than fifteen bytes");
  CHECK((absent.absent() && removed.removed() && name.set()));
  CHECK(absent != removed);
  CHECK((absent->empty() && absent.value_or("x") == "x" && removed.value_or("x") == "x"));
  Setting<Image> image = Image{.family = name};
  Setting<Image> copy = image;
  CHECK(*copy->family == *name);
  copy.get().family = Text::removal();
  CHECK(image->family == name);
  copy = image;
  CHECK(copy->family == image->family);
  copy = Setting<Image>();
  CHECK((copy.absent() && copy->family.absent() && image.set()));
}

TEST_CASE("the same text is judged the same again, whatever was asked between") {
  for (int round = 0; round < 2; ++round) {
    CHECK(matches("^[a-z]+$", "abc"));
    CHECK(matches("^[a-z]+$", "abc"));
    CHECK_FALSE(matches("^[a-z]+$", "ab1"));
    CHECK_FALSE(matches("^[a-z]+$", "ab1"));
    CHECK_FALSE(matches("^[a-z]+$", ""));
    CHECK(matches("^[a-z0-9]+$", "ab1"));
  }
}
