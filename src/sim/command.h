// A deed told as data, {"do": NAME, ...}: its members, each asked for once; what is left over is an error.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "sim/state.h"

namespace nbform::sim {

class Command {
 public:
  explicit Command(const Value& value) : value_(value), left_(value.as_map()) { left_.erase("do"); }

  std::string text(std::string_view name, std::string_view fallback = {}) {
    left_.erase(name);
    return std::string(value_[name].as_text(fallback));
  }
  const Value& value(std::string_view name) {
    left_.erase(name);
    return value_[name];
  }
  std::vector<std::string> texts(std::string_view name) {
    std::vector<std::string> out;
    for (const Value& item : value(name).as_list()) out.emplace_back(item.as_text());
    return out;
  }
  Result<> done() const {
    if (left_.empty()) return Ok{};
    return usage(fmt::format("'{}' has no member '{}'.", value_["do"].as_text(), left_.begin()->first));
  }
  static Diagnostic usage(std::string detail) {
    return error(Code::usage, "The simulator was told something it cannot do", std::move(detail));
  }

 private:
  const Value& value_;
  Map left_;
};

}  // namespace nbform::sim
