// Any text as a key file: service account, authorised user, external account, a ready token, a public ssh
// key. It is refused with a message that quotes none of it, or gives requests that may leave. The first
// line says which: "credential", "token", "ssh", "answer".
#include "base/json.h"
#include "fuzz.h"
#include "manifest/load.h"
#include "manifest/named_files.h"
#include "net/google_credentials.h"

using namespace nbform;

namespace {

const Lookup kNowhere = [](const std::string&) { return std::optional<std::string>(); };

// A message of a key file that repeats a long piece of it would show the key.
void check_refusal(const Diagnostic& problem, std::string_view secret) {
  fuzz::check_message(problem);
  constexpr std::size_t kPiece = 24;
  std::string said = problem.detail + problem.hint;
  for (std::size_t i = 0; i + kPiece <= secret.size(); ++i)
    fuzz::require(said.find(secret.substr(i, kPiece)) == std::string::npos, "a message that quotes a secret");
}

void may_leave(const Request& request) {
  auto fine = may_receive_credentials(request.url, kNowhere);
  fuzz::require(fine.ok(), "credentials for a foreign host");
  for (const auto& [name, value] : request.headers)
    fuzz::require(value.find_first_of("\r\n") == std::string::npos, "a header of two lines");
  (void)request.display();
}

void credential(std::string_view text) {
  auto parsed = parse_google_credential(text, "the file", kNowhere);
  if (!parsed.ok()) {
    auto json = parse_json(text);
    std::string key = json.ok() ? std::string((*json)["private_key"].as_text()) : "";
    return check_refusal(parsed.error(), key);
  }
  using Kind = GoogleCredential::Kind;
  Secret token("token");
  if (parsed->kind == Kind::service_account) {
    auto grant = jwt_grant(*parsed, Time::from_seconds(1'800'000'000));
    grant.ok() ? may_leave(*grant) : check_refusal(grant.error(), parsed->private_key.reveal());
  }
  if (parsed->kind == Kind::authorized_user) may_leave(refresh_grant(*parsed));
  if (parsed->kind == Kind::external_account) may_leave(token_exchange(*parsed, token));
  for (const Impersonation& step : parsed->impersonate) may_leave(impersonation_request(step, token));
}

void token(std::string_view text) {
  auto plain = plain_token(text, "the file");
  if (!plain.ok()) return check_refusal(plain.error(), text);
  for (unsigned char c : plain->reveal()) fuzz::require(c > ' ' && c < 0x7f, "a token that breaks a header");
}

void answer(std::string_view text) {
  auto json = parse_json(text);
  if (!json.ok()) return;
  auto access = parse_token_answer(*json, Time::from_seconds(1'800'000'000));
  if (!access.ok()) fuzz::check_message(access.error());
}

}  // namespace

NBFORM_FUZZ(text) {
  auto [kind, rest] = fuzz::first_line(text);
  if (kind == "credential") credential(rest);
  if (kind == "token") token(rest);
  if (kind == "answer") answer(rest);
  if (kind == "ssh") (void)public_key_problem(rest);
}
