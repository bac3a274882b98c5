// Fields: which members of an answer are wanted, for answers that come whole whether one wants them or not.
// Knows no format.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/key.h"

namespace nbform {

class Fields {
 public:
  Fields() = default;  // all
  // "a,b(c,d(e))": a with all that is in it, c of b, e of b's d. A list goes by the name of its items'
  // members: "b(c)" is also c of each item of b. Anything else is a bug.
  explicit Fields(std::string_view text);

  bool all() const { return members_.empty(); }
  std::size_t size() const { return members_.size(); }
  const Fields* find(std::string_view name) const;  // null: not wanted
  const Key& name() const { return name_; }         // of what `find` found

 private:
  void take_members(std::string_view& text);
  void index();

  static constexpr std::size_t kLongest = 40;
  Key name_;
  std::vector<Fields> members_;                               // by length
  std::array<std::uint8_t, kLongest + 2> first_of_length_{};  // the last entry is their end
};

}  // namespace nbform
