#include "base/key.h"

#include <fmt/format.h>

#include <thread>
#include <vector>

#include "base/value.h"
#include "support/catch.h"

using namespace nbform;

TEST_CASE("a key is its text, whatever it was made of and wherever it is kept") {
  const std::vector<std::string> texts = {"",
                                          "a",
                                          "zone",
                                          "instanceId",
                                          "in\nstance",
                                          std::string("a\0b", 3),
                                          std::string(64, 'x'),
                                          std::string(65, 'x'),
                                          std::string(100'000, 'y')};
  for (const std::string& text : texts) {
    CAPTURE(text.size());
    Key key(text), again{std::string_view(text)}, copy = key;
    CHECK(key.text() == text);
    CHECK(key == again);
    CHECK(copy == text);
    Key taken = std::move(copy);
    CHECK(taken == again);
    taken = Key("other");
    CHECK_FALSE(taken == key);
    CHECK(key.text() == text);
    for (const std::string& other : texts) CHECK((Key(other) == key) == (other == text));
  }
  CHECK(Key("ab") < std::string_view("b"));
  CHECK("disks." + Key("boot") == std::string("disks.boot"));
}

TEST_CASE("keys without number are kept apart, and maps of them know each") {
  constexpr int kMany = 20'000;
  Map map;
  for (int i = 0; i < kMany; ++i) map.set(fmt::format("vol-{:05}", i), i);
  Map copy = map;
  map = Map();
  REQUIRE(copy.size() == kMany);
  for (int i = 0; i < kMany; ++i) REQUIRE(copy.find(fmt::format("vol-{:05}", i))->as_int() == i);
  CHECK_FALSE(copy.has("vol-20000"));
}

TEST_CASE("threads that meet the same keys at once agree on them") {
  std::vector<std::vector<Key>> made(4);
  std::vector<std::thread> threads;
  for (auto& keys : made)
    threads.emplace_back([&keys] {
      for (int i = 0; i < 3'000; ++i) keys.emplace_back(fmt::format("at-once-{}", i));
    });
  for (std::thread& thread : threads) thread.join();
  for (const auto& keys : made)
    for (std::size_t i = 0; i < keys.size(); ++i) REQUIRE(keys[i].text() == fmt::format("at-once-{}", i));
  CHECK(made[0] == made[1]);
  CHECK(made[2] == made[3]);
}
