#include "connect/own_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/text.h"

namespace nbform {

namespace {

constexpr const char* kService = "https://checkip.amazonaws.com/";

bool is_ipv4(const std::string& text) {
  in_addr address{};
  return ::inet_pton(AF_INET, text.c_str(), &address) == 1;
}

Diagnostic not_known(const std::string& url, std::string why) {
  return error(Code::unavailable, "Your own address is not known",
               fmt::format("`allow_from: me` lets it in, and {} does not tell it: {}", url, std::move(why)))
      .with_hint("Write it, or the range that it is of:\n    access: {ssh: {allow_from: [ADDRESS/32]}}");
}

}  // namespace

void find_own_address(Env& env, std::function<void(Result<std::string>)> done) {
  Request request;
  request.url = env.env_var("NBFORM_CHECKIP_URL").value_or(kService);
  request.timeout = std::chrono::seconds(10);
  request.max_body = 1024;
  std::string url = request.url;
  env.send(std::move(request), [url, done = std::move(done)](const Result<Response>& answer) {
    if (!answer.ok()) return done(not_known(url, answer.error().detail));
    std::string address(trim(answer->body));
    if (!answer->ok()) return done(not_known(url, fmt::format("it answers with {}.", answer->status)));
    if (!is_ipv4(address)) return done(not_known(url, "it answers with something else."));
    done(std::move(address));
  });
}

}  // namespace nbform
