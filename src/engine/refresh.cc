#include "engine/refresh.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

namespace nbform {

namespace {

constexpr std::size_t kMaxPages = 2'000;  // of one list
constexpr std::int64_t kSmallerBy = 5;    // pages, after one that was too large
constexpr std::int64_t kLeastPage = 5;    // AWS pages by no less

// The tokens of a list's pages so far. One that comes again would lead in a circle, for ever.
class PageTokens {
 public:
  Result<> take(const std::string& token) {
    bool again = !seen_.insert(token).second;
    if (!again && seen_.size() < kMaxPages) return Ok{};
    return error(Code::unavailable, "A list never ends",
                 again ? "The cloud sends a page token for the second time."
                       : fmt::format("After {} pages there are still more.", seen_.size()));
  }

 private:
  std::set<std::string> seen_;
};

// Asks for smaller pages; false: they cannot be smaller, or the call does not say how large they are.
bool make_pages_smaller(ListCall& list) {
  if (const Value* asked = list.call.body.as_map().find(list.size_parameter)) {
    if (asked->as_int() <= kLeastPage) return false;
    list.call.body.map().set(list.size_parameter, std::max(asked->as_int() / kSmallerBy, kLeastPage));
    return true;
  }
  for (auto& [name, value] : list.call.query)
    if (std::int64_t size = Value(value).as_int(); name == list.size_parameter && size > 1) {
      value = std::to_string(std::max<std::int64_t>(size / kSmallerBy, 1));
      return true;
    }
  return false;
}

// A project; of AWS, whose account may be what is not known, the entry of `clouds` and the region.
std::string spoken(const Scope& scope) {
  return scope.region.empty() ? scope.account : fmt::format("{} {}", scope.cloud, scope.region);
}

// Shared with its callbacks: an interrupted refresh may leave answers behind.
class Refresher : public std::enable_shared_from_this<Refresher> {
 public:
  Refresher(Env& env, Wire& wire, const Stack& stack) : env_(env), wire_(wire), stack_(stack) {}

  Snapshot run(const std::vector<RefreshScope>& scopes, const std::set<std::string>& facts,
               const std::function<bool()>& stop) {
    Time began = env_.now();
    int calls_before = wire_.calls();
    gathers_.reserve(scopes.size());
    for (const RefreshScope& scope : scopes) start_scope(scope);
    for (const std::string& key : facts)
      if (listed_.count(key) == 0) start_fact(key, scopes);
    while (outstanding_ > 0 && !(stop && stop()))
      if (!env_.step()) bug("requests are outstanding and nothing can happen");
    bool cut_short = outstanding_ > 0;
    cancelled_ = true;
    collect(cut_short);
    snapshot_.took = env_.now() - began;
    snapshot_.at = env_.now();
    snapshot_.calls = wire_.calls() - calls_before;
    return std::move(snapshot_);
  }

 private:
  struct Gather {
    RefreshScope scope;
    const Service* service = nullptr;
    std::unique_ptr<Listing> listing;
    std::optional<Diagnostic> failure;
    int open = 0;
    bool followed_up = false;
  };

  void start_scope(const RefreshScope& scope) {
    gathers_.push_back({scope, find_service(scope.scope.service), nullptr, std::nullopt});
    std::size_t index = gathers_.size() - 1;
    Gather& gather = gathers_[index];
    gather.listing = gather.service->listing(scope.scope);
    start_lists(index, gather.service->lists(scope.scope, stack_));
  }

  void start_lists(std::size_t index, const std::vector<ListCall>& lists) {
    gathers_[index].open += static_cast<int>(lists.size());
    for (const ListCall& list : lists) {
      if (!list.fact.empty()) listed_.insert(list.fact);
      fetch_page(index, list, {}, std::make_shared<PageTokens>());
    }
  }

  void fetch_page(std::size_t index, ListCall list, const std::string& token,
                  std::shared_ptr<PageTokens> tokens) {
    Call call =
        token.empty() ? list.call : at_page(list.call, gathers_[index].service->page_parameter(), token);
    ++outstanding_;
    wire_.send(gathers_[index].scope.scope, call, ApiRequest::Repeat::safe,
               [this, self = shared_from_this(), index, list, token, tokens](Result<Answer> answer) {
                 if (cancelled_) return;
                 --outstanding_;
                 if (ListCall easier = list; make_easier(easier, answer))
                   return fetch_page(index, easier, token, tokens);
                 take_page(index, list, tokens, std::move(answer));
               });
  }

  // What a refusal leaves to ask: the same in smaller pages, or without a parameter that it can do without.
  static bool make_easier(ListCall& list, const Result<Answer>& answer) {
    if (!answer.ok()) return answer.error().summary == kTooLarge && make_pages_smaller(list);
    return answer->http.status == 400 && drop_optional(list);
  }

  static bool drop_optional(ListCall& list) {
    return !list.optional_parameter.empty() && std::erase_if(list.call.query, [&](const auto& p) {
                                                 return p.first == list.optional_parameter;
                                               }) > 0;
  }

  void take_page(std::size_t index, const ListCall& list, const std::shared_ptr<PageTokens>& tokens,
                 Result<Answer> answer) {
    Gather& gather = gathers_[index];
    Result<std::string> next = next_page(gather, list, std::move(answer), wire_);
    bool more = next.ok() && !next->empty();
    if (!next.ok() && !list.fact.empty() && next.error().code == Code::denied) {
      snapshot_.fact_errors.emplace(list.fact, std::move(next).error());
      return end_list(index);
    }
    if (more)
      if (Result<> fine = tokens->take(*next); !fine.ok()) next = std::move(fine).error();
    if (!next.ok() && !gather.failure) gather.failure = std::move(next).error();
    if (more && next.ok() && !gather.failure)
      fetch_page(index, list, *next, tokens);
    else
      end_list(index);
  }

  void end_list(std::size_t index) {
    Gather& gather = gathers_[index];
    if (--gather.open > 0 || gather.failure || std::exchange(gather.followed_up, true)) return;
    start_lists(index, gather.listing->follow_ups());
  }

  static Result<std::string> next_page(Gather& gather, const ListCall& list, Result<Answer> answer,
                                       const Wire& wire) {
    if (!answer.ok()) return std::move(answer).error();
    if (!answer->http.ok()) return wire.refusal(gather.scope.scope, answer->http);
    return gather.listing->add_page(list.id, answer->json);
  }

  void start_fact(const std::string& key, const std::vector<RefreshScope>& scopes) {
    std::string service_name = key.substr(0, key.find('|'));
    for (const RefreshScope& scope : scopes)
      if (scope.scope.service == service_name && find_service(service_name)->fact_is_of(key, scope.scope)) {
        fetch_fact(scope.scope, find_service(service_name), key, {}, std::make_shared<PageTokens>());
        return;
      }
  }

  void fetch_fact(const Scope& scope, const Service* service, const std::string& key,
                  const std::string& token, std::shared_ptr<PageTokens> tokens) {
    Call call = token.empty() ? service->fact_call(key) : service->fact_page(key, token);
    ++outstanding_;
    wire_.send(scope, call, ApiRequest::Repeat::safe,
               [this, self = shared_from_this(), scope, service, key, tokens](Result<Answer> answer) {
                 if (cancelled_) return;
                 --outstanding_;
                 take_fact(scope, service, key, tokens, std::move(answer));
               });
  }

  void take_fact(const Scope& scope, const Service* service, const std::string& key,
                 const std::shared_ptr<PageTokens>& tokens, Result<Answer> answer) {
    Result<std::string> next =
        answer.ok() ? service->add_fact(key, answer->http, facts_[key]) : Result<std::string>(answer.error());
    if (next.ok() && !next->empty())
      if (Result<> fine = tokens->take(*next); !fine.ok()) next = std::move(fine).error();
    if (!next.ok()) {
      facts_.erase(key);
      snapshot_.fact_errors.emplace(key, next.error());
    } else if (!next->empty()) {
      fetch_fact(scope, service, key, *next, tokens);
    }
  }

  void collect(bool cut_short) {
    for (Gather& gather : gathers_) {
      if (cut_short && gather.open > 0 && !gather.failure)
        gather.failure = error(Code::cancelled, "Reading the cloud was interrupted");
      ScopeStatus status{gather.scope.scope, gather.scope.declared, gather.listing->unreachable(),
                         gather.failure};
      if (!gather.failure) take(gather.listing->fold());
      gather.listing.reset();  // what was folded into others is not needed any more
      if (status.failure) status.failure->address = spoken(gather.scope.scope);
      snapshot_.scopes.push_back(std::move(status));
    }
    snapshot_.facts = std::move(facts_);
  }

  void take(Folded folded) {
    if (snapshot_.live.empty())
      snapshot_.live = std::move(folded.live);
    else
      std::move(folded.live.begin(), folded.live.end(), std::back_inserter(snapshot_.live));
    std::move(folded.strangers.begin(), folded.strangers.end(), std::back_inserter(snapshot_.strangers));
    for (const auto& [address, incarnation] : folded.incarnations)
      snapshot_.incarnations[address] = std::max(snapshot_.incarnations[address], incarnation);
    facts_.merge(folded.facts);
    snapshot_.preempted.merge(folded.preempted);
    snapshot_.maybe_hidden.merge(folded.maybe_hidden);
    for (Making& one : folded.making)
      snapshot_.making.emplace(making_key(*one.kind, one.scope, one.name), std::move(one));
  }

  Env& env_;
  Wire& wire_;
  Stack stack_;
  std::vector<Gather> gathers_;
  Facts facts_;
  std::set<std::string> listed_;  // facts that come with lists
  Snapshot snapshot_;
  int outstanding_ = 0;
  bool cancelled_ = false;
};

using LiveDone = std::function<void(Result<std::optional<Live>>)>;

// Fetches part after part, in order, and folds each in.
void read_parts(Wire& wire, const Kind& kind, std::shared_ptr<Live> live, std::vector<Call> parts,
                std::size_t next, LiveDone done) {
  if (next == parts.size()) {
    done(std::optional<Live>(std::move(*live)));
    return;
  }
  Call call = parts[next];
  wire.send(live->scope, call, ApiRequest::Repeat::safe,
            [&wire, &kind, live, parts = std::move(parts), next, done](Result<Answer> answer) {
              if (!answer.ok()) return done(std::move(answer).error());
              if (answer->http.ok()) kind.fold(*live, answer->json);
              Diagnostic refusal = answer->http.ok() ? Diagnostic() : wire.refusal(live->scope, answer->http);
              bool gone = refusal.code == Code::not_found;
              if (!answer->http.ok() && !gone) return done(std::move(refusal));
              read_parts(wire, kind, live, parts, next + 1, done);
            });
}

}  // namespace

Snapshot refresh(Env& env, Wire& wire, const Stack& stack, const std::vector<RefreshScope>& scopes,
                 const std::set<std::string>& facts, const std::function<bool()>& stop) {
  return std::make_shared<Refresher>(env, wire, stack)->run(scopes, facts, stop);
}

void read_live(Wire& wire, const Kind& kind, const Scope& scope, const std::string& zone,
               const std::string& name, std::function<void(Result<std::optional<Live>>)> done) {
  wire.send(scope, kind.read(scope, zone, name), ApiRequest::Repeat::safe,
            [&wire, &kind, scope, done](Result<Answer> answer) {
              if (!answer.ok()) return done(std::move(answer).error());
              auto found = kind.found(scope, answer->http, answer->json);
              if (!found.ok() || !found->has_value()) return done(std::move(found));
              auto whole = std::make_shared<Live>(std::move(**found));
              std::vector<Call> parts = kind.parts(*whole);
              read_parts(wire, kind, whole, std::move(parts), 0, done);
            });
}

}  // namespace nbform
