#include "connect/caller_opening.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/crypto.h"
#include "base/text.h"
#include "connect/live_tunnels.h"
#include "connect/own_address.h"

namespace nbform {

namespace {

constexpr Duration kFresh = std::chrono::minutes(1);
constexpr Duration kNeeded = std::chrono::hours(12);  // then anybody of the stack may close it

}  // namespace

std::string caller_id(Env& env) {
  char host[256] = "";
  (void)::gethostname(host, sizeof host - 1);
  auto machine = env.read_file("/etc/machine-id", 256);
  return digest16(fmt::format("{} {} {}", machine.ok() ? trim(*machine) : "", host, ::getuid())).substr(0, 8);
}

CallerOpening::CallerOpening(Env& env, Wire& wire, const Openings& openings, std::string stack,
                             std::string notebook, int port)
    : env_(env), wire_(wire), openings_(openings), stack_(std::move(stack)), port_(port) {
  mine_.notebook = std::move(notebook);
  mine_.caller = caller_id(env);
}

void CallerOpening::ensure(const Live& machine, Opened done) {
  bool fresh = ensured_ && env_.now() - *ensured_ < kFresh && machine.id == machine_.id;
  if (fresh) return done(text());
  machine_ = machine;
  find_source([this, done = std::move(done)](Result<> found) {
    if (!found.ok()) return done(std::move(found).error());
    list("", [this, done](Result<> listed) {
      if (!listed.ok()) return done(std::move(listed).error());
      auto connected = [this](const std::string& notebook) { return is_connected(notebook); };
      tidy(left_behind(all_, mine_, env_.now(), connected), [this, done](const Result<>&) { open(done); });
    });
  });
}

void CallerOpening::find_source(Done done) {
  if (std::string_view range = openings_.relay_range(machine_); !range.empty()) {
    mine_.source = range;
    return done(Ok{});
  }
  find_own_address(env_, lifeline_.guard([this, done = std::move(done)](Result<std::string> address) {
    if (!address.ok()) return done(std::move(address).error());
    mine_.source = *address + "/32";
    done(Ok{});
  }));
}

void CallerOpening::list(const std::string& page, Done done) {
  if (page.empty()) all_.clear();
  wire_.send(machine_.scope, openings_.list(machine_, stack_, page), ApiRequest::Repeat::safe,
             lifeline_.guard([this, done = std::move(done)](const Result<Answer>& answer) {
               if (!answer.ok()) return done(answer.error());
               if (!answer->http.ok()) return done(refused(wire_.refusal(machine_.scope, answer->http)));
               for (Opening& one : openings_.read(answer->json, stack_)) all_.push_back(std::move(one));
               std::string next = openings_.next_page(answer->json);
               next.empty() ? done(Ok{}) : list(next, done);
             }));
}

// One after the other, to the end of each: a rule's name is free only once the old one is gone. `done` gets
// the first problem.
void CallerOpening::tidy(std::vector<Opening> these, Done done) {
  if (these.empty()) return done(Ok{});
  Opening last = std::move(these.back());
  these.pop_back();
  std::erase_if(all_, [&](const Opening& one) { return one.id == last.id; });
  send(openings_.close(machine_, last, request_id(last.id)),
       [this, these = std::move(these), done = std::move(done)](Result<> closed) {
         if (!closed.ok() && closed.error().code == Code::not_found) closed = Ok{};
         tidy(these, [done, closed](Result<> rest) { done(closed.ok() ? std::move(rest) : closed); });
       });
}

void CallerOpening::open(const Opened& done) {
  auto there = std::find_if(all_.begin(), all_.end(), [this](const Opening& one) { return is_mine(one); });
  ensured_ = env_.now();
  is_open_ = true;
  mine_.until = there != all_.end() ? there->until : env_.now() + kNeeded;
  if (there != all_.end()) return done(text());
  auto call = openings_.open(machine_, stack_, mine_, port_, request_id("open"));
  if (!call.ok()) return done(std::move(call).error());
  opening_ = true;
  send(*call, [this, done](Result<> opened) {
    opening_ = false;
    if (closes_then_) return close(std::exchange(closes_then_, nullptr));
    bool there = opened.ok() || opened.error().code == Code::exists;
    if (!there) return done(refused(std::move(opened).error()));
    done(text());
  });
}

void CallerOpening::close(Done done) {
  if (opening_) {  // only what is there can be closed
    closes_then_ = std::move(done);
    return;
  }
  lifeline_ = Lifeline();  // nothing that was under way opens it again
  if (!std::exchange(is_open_, false) || is_connected(mine_.notebook)) return done(Ok{});
  ensured_.reset();
  list("", [this, done = std::move(done)](Result<> listed) {
    if (!listed.ok()) return done(std::move(listed));
    std::vector<Opening> mine = all_;
    std::erase_if(mine, [this](const Opening& one) { return !is_mine(one); });
    tidy(std::move(mine), done);
  });
}

// One mutation to its end. All of them may be repeated: a second one says that it is there, or gone.
void CallerOpening::send(const Call& call, Done done) {
  wire_.send(machine_.scope, call, ApiRequest::Repeat::keyed,
             lifeline_.guard([this, call, done = std::move(done)](const Result<Answer>& answer) {
               follow(call, answer, done);
             }));
}

void CallerOpening::follow(const Call& call, const Result<Answer>& answer, const Done& done) {
  using State = Settlement::State;
  if (!answer.ok()) return done(answer.error());
  Settlement settled = openings_.settle(machine_.scope, answer->http);
  if (settled.state == State::done) return done(Ok{});
  if (settled.state != State::pending) return done(std::move(settled.failure));
  Call poll = settled.poll.value_or(call);
  env_.after(settled.pause, lifeline_.guard([this, poll, done] {
    wire_.send(machine_.scope, poll, ApiRequest::Repeat::safe,
               lifeline_.guard([this, poll, done](const Result<Answer>& next) { follow(poll, next, done); }));
  }));
}

bool CallerOpening::is_mine(const Opening& one) const {
  return one.caller == mine_.caller && one.notebook == mine_.notebook;
}

// By another process of this user: this one is not listed while it opens and closes.
bool CallerOpening::is_connected(const std::string& notebook) {
  std::vector<LiveTunnel> open = live_tunnels(env_);
  return std::any_of(open.begin(), open.end(),
                     [&](const LiveTunnel& t) { return t.stack == stack_ && t.notebook == notebook; });
}

Diagnostic CallerOpening::refused(Diagnostic why) const {
  why.address = mine_.notebook;
  if (why.code != Code::denied) return why;
  why.summary = "The firewall may not be opened";
  why.detail = fmt::format("`allow_from: me` takes {}. {}", openings_.permissions(), why.detail);
  return why;
}

std::string CallerOpening::text() const {
  return mine_.source + " is let in while this runs";
}

std::string CallerOpening::request_id(std::string_view what) {
  return uuid_from(fmt::format("{}|{}|{}", what, env_.now().us, env_.random(std::uint64_t{1} << 62)));
}

}  // namespace nbform
