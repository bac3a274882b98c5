// What the tables of the manifest language say, for others: editors (JSON Schema), readers (reference,
// explain), and a stack written out in its long form. Pure; every text here is generated from the same
// declarations that decode.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "manifest/notebook.h"
#include "manifest/shape.h"

namespace nbform {

// JSON Schema 2020-12 of a *.nb.yaml file, as schemas/notebook.schema.json holds it. It accepts whatever
// load() does.
std::string json_schema();

// Markdown tables of every key, as docs/manifest.md holds them.
std::string reference();

// One key, e.g. "disks.boot.size" or "policy.max_hourly", for a terminal. usage: there is no such key.
Result<std::string> explain(std::string_view key);

// The manifest as YAML in its long forms, each value with where it came from. Secrets are not shown.
std::string expanded(const Manifest& manifest);

// "one of `spot`, `auto`", "a size such as 200GB, from 1GB to 65536GB": what a shape takes, its short form
// included.
std::string takes_text(const Shape& shape);

}  // namespace nbform
