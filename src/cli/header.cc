#include "cli/header.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ink.h"
#include "base/text.h"
#include "cli/session.h"
#include "cloud/cloud.h"

namespace nbform::cli {

namespace {

std::string account_words(const ScopeStatus& status) {
  const Service* service = find_service(status.scope.service);
  std::string cloud(service != nullptr ? service->cloud_type() : std::string_view(status.scope.cloud));
  std::string out = fmt::format("{} {}", cloud, status.scope.account);
  if (!status.scope.region.empty()) out += " " + status.scope.region;
  if (!status.declared) out += " (not declared, looked in as it was used before)";
  return out;
}

// "0.8 s", "40 ms", "1m 30s".
std::string seconds_words(Duration took) {
  if (took < std::chrono::milliseconds(100)) return fmt::format("{} ms", took.count() / 1000);
  if (took < std::chrono::seconds(60))
    return fmt::format("{:.1f} s", static_cast<double>(took.count()) / 1e6);
  return format_span(took);
}

}  // namespace

Header header_of(const Session& session, std::string program) {
  Header header;
  header.program = std::move(program);
  header.stack = session.manifest().stack.name;
  header.sandbox = session.in_sandbox();
  header.endpoints = session.endpoints();
  header.notebooks = static_cast<int>(session.manifest().notebooks.size());
  return header;
}

std::string accounts_words(const std::vector<ScopeStatus>& scopes) {
  std::vector<std::string> words;
  for (bool declared : {true, false})
    for (const ScopeStatus& status : scopes) {
      std::string text = account_words(status);
      if (status.declared == declared && std::find(words.begin(), words.end(), text) == words.end())
        words.push_back(std::move(text));
    }
  return join(words, " · ");
}

std::string render_header(const Header& header, const std::vector<ScopeStatus>& scopes, Time at,
                          Duration took, int calls, const Style& style) {
  Pieces line{{header.program, Ink::bold}, {"  "}, {header.stack, Ink::bold}, {"    "}};
  if (header.sandbox)
    line.push_back({fmt::format("SANDBOX, virtual time {} UTC · ", format_date_clock(at)), Ink::yellow});
  line.push_back({accounts_words(scopes)});
  line.push_back({fmt::format("     {}, read live in {} ({})",
                              plural(static_cast<std::size_t>(header.notebooks), "notebook"),
                              seconds_words(took), plural(static_cast<std::size_t>(calls), "call"))});
  std::string out = laid_out(line, style, 8);
  for (const auto& [base, variable] : header.endpoints)
    out += laid_out({{fmt::format("        endpoint {} (from {})", base, variable), Ink::yellow}}, style, 8);
  return out;
}

}  // namespace nbform::cli
