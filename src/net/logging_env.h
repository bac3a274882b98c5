// An Env that writes down each exchange, redacted, as one JSON object per line, and hands everything else on.
// A line: {"t","method","url","body","status","ms","answer"}, or "error" in place of status and answer;
// "body" only where there is one. Credentials never appear: headers are left out, secret fields of URLs and
// bodies are replaced, and so are the values of metadata that were live before.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/crypto.h"
#include "net/env.h"

namespace nbform {

using LogSink = std::function<void(std::string_view line)>;  // without the line's end

// `inner` must outlive the result. `hide`: further texts that never appear, e.g. the values of secret
// variables.
std::unique_ptr<Env> make_logging_env(Env& inner, LogSink sink, std::vector<Secret> hide = {});

// Appends lines to a file, 0600 where it is made; a symlink is refused. Errors: denied, not_found, io.
Result<LogSink> open_log(const std::string& path);

}  // namespace nbform
