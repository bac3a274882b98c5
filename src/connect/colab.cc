#include "connect/colab.h"

#include <fmt/format.h>

#include "base/text.h"

namespace nbform {

namespace {

std::string header(const Response& answer, std::string_view name) {
  for (const auto& [key, value] : answer.headers)
    if (to_lower(key) == name) return value;
  return "";
}

// Jupyter Server and the classic notebook read the same names from classes of their own.
std::string settings() {
  std::string out = "In Jupyter's configuration on the machine, and restart it:";
  for (std::string_view app : {"ServerApp", "NotebookApp"})
    out += fmt::format("\n    c.{0}.allow_origin = \"{1}\"\n    c.{0}.allow_credentials = True", app,
                       kColabOrigin);
  return out;
}

}  // namespace

Request colab_preflight(const std::string& url) {
  Request out;
  out.method = "OPTIONS";
  out.url = url + "api/kernels";
  out.headers = {{"Origin", std::string(kColabOrigin)},
                 {"Access-Control-Request-Method", "POST"},
                 {"Access-Control-Request-Headers", "authorization,content-type"}};
  out.timeout = std::chrono::seconds(10);
  out.max_body = std::size_t{64} << 10;
  return out;
}

std::optional<Diagnostic> colab_refusal(const Response& answer) {
  std::string origin = header(answer, "access-control-allow-origin");
  std::string refusal;
  if (origin != kColabOrigin)
    refusal = origin.empty() ? "Jupyter lets no pages of other origins call it."
                             : fmt::format("Jupyter lets pages of {} call it.", printable(origin));
  else if (header(answer, "access-control-allow-credentials") != "true")
    refusal = "Jupyter lets Colab's pages call it, but without credentials.";
  if (refusal.empty()) return std::nullopt;
  return error(Code::denied, "Jupyter does not let Colab in", refusal).with_hint(settings());
}

}  // namespace nbform
