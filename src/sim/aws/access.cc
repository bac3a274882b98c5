#include "sim/aws/access.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crypto.h"
#include "base/text.h"
#include "sim/aws/catalogue.h"
#include "sim/aws/signature.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

namespace {

constexpr Duration kWindow = std::chrono::minutes(5);

// One sort of trouble, and each protocol's code for it.
struct Trouble {
  std::string_view ec2, query, json;
  std::string_view of(Protocol p) const {
    return p == Protocol::ec2 ? ec2 : p == Protocol::query ? query : json;
  }
};
constexpr Trouble kMissing{"AuthFailure", "MissingAuthenticationToken",
                           "MissingAuthenticationTokenException"};
constexpr Trouble kIncomplete{"IncompleteSignature", "IncompleteSignature", "IncompleteSignatureException"};
constexpr Trouble kUnknownKey{"AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException"};
constexpr Trouble kExpired{"RequestExpired", "ExpiredToken", "ExpiredTokenException"};
constexpr Trouble kSkew{"RequestExpired", "SignatureDoesNotMatch", "InvalidSignatureException"};
constexpr Trouble kMismatch{"SignatureDoesNotMatch", "SignatureDoesNotMatch", "InvalidSignatureException"};

constexpr std::string_view kNotValidated = "AWS was not able to validate the provided access credentials";
constexpr std::string_view kInvalidToken = "The security token included in the request is invalid.";

// 20150830T123600Z
std::optional<Time> read_stamp(std::string_view s) {
  if (s.size() != 16 || s[8] != 'T' || s[15] != 'Z') return std::nullopt;
  return parse_rfc3339(fmt::format("{}-{}-{}T{}:{}:{}Z", s.substr(0, 4), s.substr(4, 2), s.substr(6, 2),
                                   s.substr(9, 2), s.substr(11, 2), s.substr(13, 2)));
}

std::string compact(Time t) {
  std::string out;
  for (char c : format_rfc3339(Time::from_seconds(t.seconds())))
    if (c != '-' && c != ':') out.push_back(c);
  return out;
}

class Judge {
 public:
  Judge(State& state, const Request& request, const Url& url, Protocol protocol)
      : state_(state), request_(request), url_(url), protocol_(protocol) {}

  Result<Caller> judge(std::string_view service, std::string_view region) {
    auto read = read_claim(request_);
    if (!read) {
      bool absent = read.error().provider_code == "MissingAuthenticationToken";
      return trouble(absent ? kMissing : kIncomplete, read.error().detail);
    }
    const Claim& claim = *read;
    const AccessKey* key = NB_TRY(find_key(claim));
    NB_TRY(check_time(claim));
    NB_TRY(check_scope(claim, service, region));
    NB_TRY(check_signature(claim, *key));
    state_.actor = key->arn;
    return Caller{key->account, key->arn, key->user_id};
  }

 private:
  Diagnostic trouble(const Trouble& sort, std::string message) const {
    return refuse(sort.of(protocol_), std::move(message));
  }
  Diagnostic not_validated() const {
    return trouble(kUnknownKey, std::string(protocol_ == Protocol::ec2 ? kNotValidated : kInvalidToken));
  }

  Result<const AccessKey*> find_key(const Claim& claim) const {
    auto key = state_.aws.keys.find(claim.key_id);
    if (key == state_.aws.keys.end()) return not_validated();
    std::string_view token = header(request_.headers, "x-amz-security-token").value_or("");
    if (token != key->second.session_token) return not_validated();
    if (key->second.expires && *key->second.expires <= state_.cloud_time())
      return trouble(kExpired, protocol_ == Protocol::ec2
                                   ? "Request has expired."
                                   : "The security token included in the request is expired");
    return &key->second;
  }

  Result<> check_time(const Claim& claim) const {
    auto at = read_stamp(claim.stamp);
    if (!at || claim.stamp.substr(0, 8) != claim.date)
      return trouble(kIncomplete,
                     "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
                     "from HTTP");
    Time now = state_.cloud_time();
    if (*at >= now - kWindow && *at <= now + kWindow) return Ok{};
    if (protocol_ == Protocol::ec2) {
      if (state_.variant("skew-auth-failure")) return refuse("AuthFailure", std::string(kNotValidated));
      return trouble(kSkew, "Request has expired.");
    }
    if (*at > now)
      return trouble(kSkew, fmt::format("Signature not yet current: {} is still later than {} ({} + 5 min.)",
                                        claim.stamp, compact(now + kWindow), compact(now)));
    return trouble(kSkew, fmt::format("Signature expired: {} is now earlier than {} ({} - 5 min.)",
                                      claim.stamp, compact(now - kWindow), compact(now)));
  }

  Result<> check_scope(const Claim& claim, std::string_view service, std::string_view region) const {
    if (claim.service != service)
      return trouble(kMismatch,
                     fmt::format("Credential should be scoped to correct service: '{}'. ", service));
    if (claim.region != region)
      return trouble(kMismatch,
                     fmt::format("Credential should be scoped to a valid region, not '{}'. ", claim.region));
    const RegionFacts* facts = find_region(region);
    if (facts != nullptr && facts->opted_in) return Ok{};
    if (facts != nullptr && state_.variant("opt-in-required"))
      return refuse("OptInRequired",
                    "You are not subscribed to this service. Please go to "
                    "http://aws.amazon.com to subscribe.");
    return not_validated();
  }

  // host and every x-amz-* must be signed.
  Result<> check_signed_names(const Claim& claim) const {
    auto is_signed = [&](const std::string& name) {
      return std::find(claim.signed_headers.begin(), claim.signed_headers.end(), name) !=
             claim.signed_headers.end();
    };
    if (!is_signed("host"))
      return trouble(kMismatch, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
    for (const auto& [given, value] : request_.headers) {
      std::string name = to_lower(given);
      if (name.starts_with("x-amz-") && !is_signed(name))
        return trouble(kMismatch,
                       fmt::format("'{}' must be a 'SignedHeader' in the AWS Authorization.", name));
    }
    return Ok{};
  }

  Result<> check_signature(const Claim& claim, const AccessKey& key) const {
    NB_TRY(check_signed_names(claim));
    auto payload = header(request_.headers, "x-amz-content-sha256");
    bool body_fits = !payload || *payload == hex(sha256(request_.body));
    std::string text = string_to_sign(claim, canonical_request(request_, url_, claim));
    if (body_fits && sign(key.secret, claim, text) == claim.signature) return Ok{};
    return trouble(
        kMismatch,
        "The request signature we calculated does not match the signature you provided. Check your AWS "
        "Secret Access Key and signing method. Consult the service documentation for details.");
  }

  State& state_;
  const Request& request_;
  const Url& url_;
  Protocol protocol_;
};

}  // namespace

Result<Caller> authenticate(State& state, const Request& request, const Url& url, Protocol protocol,
                            std::string_view service, std::string_view region) {
  ensure_sandbox_key(state);
  const AccessKey& own = state.aws.keys.at(std::string(kAwsKeyId));
  if (!state.options.auth) {
    state.actor = own.arn;
    return Caller{own.account, own.arn, own.user_id};
  }
  return Judge(state, request, url, protocol).judge(service, region);
}

void expire_caller(State& state, const Request& request) {
  auto claim = read_claim(request);
  if (!claim) return;
  auto key = state.aws.keys.find(claim->key_id);
  bool temporary = key != state.aws.keys.end() && !key->second.session_token.empty();
  if (temporary) key->second.expires = state.cloud_time();
}

void ensure_sandbox_key(State& state) {
  state.aws.keys.try_emplace(std::string(kAwsKeyId),
                             AccessKey{std::string(kAwsSecret), "", std::string(kAwsAccount),
                                       fmt::format("arn:aws:iam::{}:user/sandbox", kAwsAccount),
                                       "AIDANBFORMSANDBOX0001", std::nullopt});
}

Session issue_session(State& state, std::string account, std::string arn, std::string user_id,
                      std::int64_t seconds) {
  auto letters = [&] { return fmt::format("{:016X}", state.next_random(~0ull)); };
  Session s{"ASIA" + letters(), {}};
  s.key.secret = base64(sha256(letters() + letters())).substr(0, 40);
  s.key.session_token = base64("nbsim session " + letters() + letters());
  s.key.account = std::move(account);
  s.key.arn = std::move(arn);
  s.key.user_id = std::move(user_id);
  s.key.expires = state.cloud_time() + std::chrono::seconds(seconds);
  state.aws.keys[s.key_id] = s.key;
  return s;
}

}  // namespace nbform::sim::aws
