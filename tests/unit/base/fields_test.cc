#include "base/fields.h"

#include "support/catch.h"

using namespace nbform;

TEST_CASE("no fields are all fields") {
  CHECK(Fields().all());
  CHECK_FALSE(Fields("a").all());
}

TEST_CASE("fields name members, and members of members") {
  Fields fields("item(name,size(unit)),id");
  CHECK(fields.size() == 2);
  CHECK(fields.find("size") == nullptr);
  REQUIRE(fields.find("id") != nullptr);
  CHECK(fields.find("id")->all());
  const Fields* item = fields.find("item");
  REQUIRE(item != nullptr);
  CHECK_FALSE(item->all());
  REQUIRE(item->find("size") != nullptr);
  CHECK(item->find("size")->find("unit") != nullptr);
  CHECK(item->find("size")->find("value") == nullptr);
  CHECK(item->find("id") == nullptr);
}
