// An Env that writes down each exchange, redacted, as one JSON object per line, and hands everything else on.
// A line: {"t","method","url","body","status","ms","response"} or, without an answer, "error" in place of the
// last two. Credentials never appear: headers are left out, and secret fields of URLs and bodies are
// replaced.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/env.h"

namespace nbform {

using LogSink = std::function<void(std::string_view line)>;  // without the line's end

// `inner` must outlive the result.
std::unique_ptr<Env> make_logging_env(Env& inner, LogSink sink);

// Appends lines to a file, 0600 where it is made; a symlink is refused. Errors: denied, io.
Result<LogSink> open_log(const std::string& path);

}  // namespace nbform
