// Any text as a key file: service account, authorised user, external account, a ready token, a public ssh
// key; and of AWS: its ini files, a program's output, an SSO login. It is refused with a message that quotes
// none of it, or gives requests that may leave. And what a tunnel reads: key files, host keys, the words of
// ssh. The first line says which: "credential", "token", "ssh", "answer", "ini", "process", "sts", "sso",
// "tunnel".
#include <algorithm>
#include <cctype>

#include "base/json.h"
#include "fuzz.h"
#include "manifest/load.h"
#include "manifest/named_files.h"
#include "net/aws_credentials.h"
#include "net/google_credentials.h"
#include "net/ini.h"
#include "net/ssh_command.h"
#include "net/ssh_key.h"
#include "net/ssh_words.h"
#include "net/tunnel_forward.h"

using namespace nbform;

namespace {

const Lookup kNowhere = [](const std::string&) { return std::optional<std::string>(); };

bool looks_like_a_key(std::string_view piece) {
  return std::all_of(piece.begin(), piece.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("+/=-_.").find(char(c)) != std::string_view::npos;
  });
}

// What a message says whatever stands in the file: a "secret" may be made of these words.
const std::string& own_words() {
  static const std::string words = parse_google_credential(R"({"type":"x"})", "", kNowhere).error().detail;
  return words;
}

// A message of a key file that repeats a long piece of it would show the key. `open`: what else the file
// holds, and a message may quote.
void check_refusal(const Diagnostic& problem, std::string_view secret, std::string_view open = {}) {
  fuzz::check_message(problem);
  constexpr std::size_t kPiece = 24;
  std::string said = problem.detail + problem.hint;
  for (std::size_t i = 0; i + kPiece <= secret.size(); ++i) {
    std::string_view piece = secret.substr(i, kPiece);
    if (said.find(piece) == std::string::npos || !looks_like_a_key(piece)) continue;
    fuzz::require(open.find(piece) != std::string_view::npos || own_words().find(piece) != std::string::npos,
                  "a message that quotes a secret");
  }
}

// The private key in a file, and the rest of it.
std::pair<std::string, std::string> split_key(std::string_view text) {
  auto json = parse_json(text);
  if (!json.ok() || !json->is_map()) return {};
  std::string key((*json)["private_key"].as_text());
  json->map().erase("private_key");
  return {key, to_json(*json)};
}

void may_be_sent(const Request& request) {
  for (const auto& [name, value] : request.headers)
    fuzz::require(value.find_first_of("\r\n") == std::string::npos, "a header of two lines");
  (void)request.display();
}

void may_leave(const Request& request) {
  auto fine = may_receive_credentials(request.url, kNowhere);
  fuzz::require(fine.ok(), "credentials for a foreign host");
  may_be_sent(request);
}

void credential(std::string_view text) {
  auto parsed = parse_google_credential(text, "the file", kNowhere);
  auto [key, open] = split_key(text);
  if (!parsed.ok()) return check_refusal(parsed.error(), key, open);
  using Kind = GoogleCredential::Kind;
  Secret token("token");
  if (parsed->kind == Kind::service_account) {
    auto grant = jwt_grant(*parsed, Time::from_seconds(1'800'000'000));
    grant.ok() ? may_leave(*grant) : check_refusal(grant.error(), key, open);
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

// --- AWS ---

void header_value(const Secret& secret) {
  for (unsigned char c : secret.reveal()) fuzz::require(c > ' ' && c < 0x7f, "a secret that breaks a header");
}

void aws_keys(const Result<AwsCredentials>& found) {
  if (!found.ok()) return fuzz::check_message(found.error());
  header_value(found->keys.token);
}

void ini(std::string_view text) {
  auto sections = parse_ini(text, "/home/me/.aws/config");
  if (!sections.ok()) return fuzz::check_message(sections.error());
  for (const IniSection& section : *sections)
    for (const auto& [key, setting] : section.settings) {
      fuzz::require(!key.empty(), "a setting without a name");
      (void)section.text(key);
    }
}

void sso(std::string_view text) {
  AwsSso login{"https://x.awsapps.com/start", "us-west-2", "123456789012", "dev", "me", "dev"};
  auto token = parse_sso_token(text, login);
  if (!token.ok()) return fuzz::check_message(token.error());
  Time now = Time::from_seconds(1'800'000'000);
  if (token->is_renewable(now)) (void)sso_renewal_request("https://oidc.us-west-2.amazonaws.com", *token);
  may_be_sent(sso_credentials_request("https://portal.sso.us-west-2.amazonaws.com", login, *token));
}

// --- SSH ---

void tunnel(std::string_view text) {
  if (auto key = read_private_key(text))
    fuzz::require(key->blob.empty() || key_type_of(key->blob) == key->type, "a key of two types");
  if (auto key = parse_host_key(text))
    fuzz::require(parse_host_key(key->text()) == key, "a host key that does not survive its own text");
  if (auto forward = parse_forward(text); !forward.ok())
    fuzz::check_message(forward.error());
  else
    fuzz::require(forward->local > 0 && forward->port > 0 && !forward->host.empty(), "half a forwarding");
  (void)read_ssh_words(text);
  (void)key_file_in(text);
}

}  // namespace

NBFORM_FUZZ(text) {
  auto [kind, rest] = fuzz::first_line(text);
  if (kind == "credential") credential(rest);
  if (kind == "token") token(rest);
  if (kind == "answer") answer(rest);
  if (kind == "ini") ini(rest);
  if (kind == "process") aws_keys(parse_process_output(rest, "a program"));
  if (kind == "sts") aws_keys(parse_sts_credentials({200, {}, std::string(rest)}));
  if (kind == "sso") sso(rest);
  if (kind == "tunnel") tunnel(rest);
  if (kind == "ssh") (void)public_key_problem(rest);
}
