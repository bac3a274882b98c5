// Our words on cloud resources: owner labels and remembered facts, in the grammar of each cloud. The k-names
// are GCP's spelling; AWS's stand in cloud/ec2. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/value.h"
#include "core/resource.h"

namespace nbform::labels {

inline constexpr std::string_view kStack = "nbform-stack";
inline constexpr std::string_view kNotebook = "nbform-notebook";
inline constexpr std::string_view kPart = "nbform-part";
inline constexpr std::string_view kKeep = "nbform-keep";
inline constexpr std::string_view kProtect = "nbform-protect";
inline constexpr std::string_view kImage = "nbform-image";
inline constexpr std::string_view kImageKind = "nbform-image-kind";
inline constexpr std::string_view kImageProject = "nbform-image-project";
inline constexpr std::string_view kResume =
    "nbform-resume";  // Unix ms of the start that an interrupted change ended; kRest: of one that was to end
                      // stopped
inline constexpr std::string_view kRest = "stop";

// How a cloud lets keys be spelled.
struct Spelling {
  std::string_view prefix;  // before each of our words
};
inline constexpr Spelling kGcp{"nbform-"}, kAws{"nbform:"};

// Whether a label belongs to nbform.
bool is_own(std::string_view key, Spelling spelling = kGcp);

void write_owner(Map& labels, const Owner& owner, Spelling spelling = kGcp);
Owner read_owner(const Map& labels, Spelling spelling = kGcp);  // empty fields where absent

// The text itself where the label grammar allows it ([a-z0-9_-], at most 63), else 16 hex digits of its
// SHA-256.
std::string label_text(std::string_view text);
// 8 hex digits of a text's SHA-256: what names are made of that have no room for the text.
std::string h8(std::string_view text);

}  // namespace nbform::labels
