// XML as AWS writes it, from Values: a map is an element with members, a list one of <item>s, a null nothing.
// Knows no schema; the names are those on the wire.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "base/value.h"

namespace nbform::sim::aws {

void write_element(std::string& out, std::string_view name, const Value& value);
// The members of `body` directly under <root xmlns="space">, with the XML declaration.
std::string xml_document(std::string_view root, std::string_view space, const Value& body);
std::string escape_xml(std::string_view text);

std::string stamp(Time t);  // 2026-11-20T15:38:07.000Z

}  // namespace nbform::sim::aws
