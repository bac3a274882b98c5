#include "engine/refresh.h"

#include <algorithm>
#include <iterator>
#include <memory>

namespace nbform {

namespace {

constexpr int kMaxPages = 10'000;  // a page-token loop is an error, not a hang

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
    for (const std::string& key : facts) start_fact(key, scopes);
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
  };

  void start_scope(const RefreshScope& scope) {
    gathers_.push_back({scope, find_service(scope.scope.service), nullptr, std::nullopt, 0});
    std::size_t index = gathers_.size() - 1;
    Gather& gather = gathers_[index];
    gather.listing = gather.service->listing(scope.scope);
    for (const ListCall& list : gather.service->lists(scope.scope, stack_)) {
      ++gather.open;
      fetch_page(index, list, {}, 1);
    }
  }

  void fetch_page(std::size_t index, ListCall list, const std::string& token, int page) {
    Call call =
        token.empty() ? list.call : at_page(list.call, gathers_[index].service->page_parameter(), token);
    ++outstanding_;
    wire_.send(
        gathers_[index].scope.scope, call, ApiRequest::Repeat::safe,
        [this, self = shared_from_this(), index, list = std::move(list), token, page](Result<Answer> answer) {
          if (cancelled_) return;
          --outstanding_;
          take_page(index, list, token, page, std::move(answer));
        });
  }

  void take_page(std::size_t index, const ListCall& list, const std::string& token, int page,
                 Result<Answer> answer) {
    Gather& gather = gathers_[index];
    Result<std::string> next = next_page(gather, list, std::move(answer), wire_);
    if (next.ok() && !next->empty() && (*next == token || page >= kMaxPages))
      next = error(Code::unavailable, "A list never ends", "The cloud keeps sending the same page token.");
    if (!next.ok() && !gather.failure) gather.failure = std::move(next).error();
    if (next.ok() && !next->empty())
      fetch_page(index, list, *next, page + 1);
    else
      --gather.open;
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
        fetch_fact(scope.scope, find_service(service_name), key, {}, 1);
        return;
      }
  }

  void fetch_fact(const Scope& scope, const Service* service, const std::string& key,
                  const std::string& token, int page) {
    Call call = service->fact_call(key);
    if (!token.empty()) call = at_page(std::move(call), service->page_parameter(), token);
    ++outstanding_;
    wire_.send(scope, call, ApiRequest::Repeat::safe,
               [this, self = shared_from_this(), scope, service, key, token, page](Result<Answer> answer) {
                 if (cancelled_) return;
                 --outstanding_;
                 take_fact(scope, service, key, token, page, std::move(answer));
               });
  }

  void take_fact(const Scope& scope, const Service* service, const std::string& key, const std::string& token,
                 int page, Result<Answer> answer) {
    Result<std::string> next =
        answer.ok() ? service->add_fact(key, answer->http, facts_[key]) : Result<std::string>(answer.error());
    if (next.ok() && !next->empty() && (*next == token || page >= kMaxPages))
      next = error(Code::unavailable, "A list never ends", "The cloud keeps sending the same page token.");
    if (!next.ok()) {
      facts_.erase(key);
      snapshot_.fact_errors.emplace(key, next.error());
    } else if (!next->empty()) {
      fetch_fact(scope, service, key, *next, page + 1);
    }
  }

  void collect(bool cut_short) {
    for (Gather& gather : gathers_) {
      if (cut_short && gather.open > 0 && !gather.failure)
        gather.failure = error(Code::cancelled, "Reading the cloud was interrupted");
      ScopeStatus status{gather.scope.scope, gather.scope.declared, gather.listing->unreachable(),
                         gather.failure};
      if (!gather.failure) take(gather.listing->fold());
      if (status.failure) status.failure->address = gather.scope.scope.account;
      snapshot_.scopes.push_back(std::move(status));
    }
    snapshot_.facts = std::move(facts_);
  }

  void take(Folded folded) {
    std::move(folded.live.begin(), folded.live.end(), std::back_inserter(snapshot_.live));
    for (const auto& [address, incarnation] : folded.incarnations)
      snapshot_.incarnations[address] = std::max(snapshot_.incarnations[address], incarnation);
    for (Making& one : folded.making)
      snapshot_.making.emplace(making_key(*one.kind, one.scope, one.name), std::move(one));
  }

  Env& env_;
  Wire& wire_;
  Stack stack_;
  std::vector<Gather> gathers_;
  Facts facts_;
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
