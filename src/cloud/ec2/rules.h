// One rule of a security group as a text, "tcp 22 203.0.113.7/32": lowered, read and compared in this form.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nbform::ec2 {

// "tcp 22 SOURCE", "tcp 8000-8010 SOURCE", "all SOURCE" (protocol -1, which has no ports).
std::string rule_text(std::string_view protocol, std::int64_t from, std::int64_t to, std::string_view source);
bool is_everybody(std::string_view source);  // 0.0.0.0/0 or ::/0

}  // namespace nbform::ec2
