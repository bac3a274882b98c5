// World::State: everything the simulated cloud remembers, and the few operations that every service shares.
// Internal to src/sim. Holds data only, so that a copy is a second cloud and to_json is whole.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/aws/holdings.h"
#include "sim/cloud.h"
#include "sim/faults.h"
#include "sim/shelf.h"

namespace nbform::sim {

// Something that will happen. `what`: op.start, op.finish, op.forget, vm.staging, vm.running, vm.deadline,
// vm.stopped, vm.preempt, and aws.* (aws/ec2.h).
struct Happening {
  std::string what;
  Key target;
  Value detail;
  std::string actor;  // who brought it about, where somebody did
};

struct Token {
  std::string principal;
  std::optional<Time> expires;
};

struct Replay {
  std::string digest;  // of the mutation that the request id stands for
  Key operation;
  Time until;
};

struct Stockout {
  std::string zone_glob, machine_glob;
  std::vector<std::string> zones_available;
};

struct QuotaRule {
  std::string project_glob, region_glob, metric_glob;
  double limit;
};

struct PublishedImage {
  std::string project, family, name;
  Time created;
};

struct QuotaKey {
  std::string project, region, metric;  // region "" = global
  auto operator<=>(const QuotaKey&) const = default;
};

// What only the Google side remembers.
struct GoogleHoldings {
  Shelf instances, disks, firewalls, operations;
  std::set<std::string> firewalled;  // projects whose default rules were made
  std::map<Key, Time> busy_until;    // a thing's operations run one after the other
  std::map<std::pair<std::string, std::string>, Replay> replays;  // by project and request id
  std::map<std::string, Token> tokens;
  std::map<std::string, std::string> service_accounts;  // e-mail -> public key
  std::map<std::string, Map> project_metadata;          // by project
  std::map<std::string, Map> login_keys;                // OS Login: by e-mail, then fingerprint
  std::map<std::string, std::string> posix_names;       // OS Login: by e-mail, where one was given
  std::map<QuotaKey, double> usage;
  std::int64_t rate_minute = 0;  // what `rate_used` counts
  std::map<std::pair<std::string, std::string_view>, std::int64_t>
      rate_used;  // by project and kind of request
  std::set<std::string> unreachable;
  std::vector<PublishedImage> published;
};

// What every cloud shares (time, chance, the diary, what goes wrong), and each cloud's own.
struct World::State : GoogleHoldings {
  Options options;
  Time now;
  Duration clock_offset{0};
  std::uint64_t last_id = 0;
  std::uint64_t random = 0;
  std::map<std::pair<Time, std::uint64_t>, Happening> agenda;
  std::vector<Event> diary;
  std::vector<Stockout> stockouts;
  std::vector<QuotaRule> quota_rules;  // later ones win
  std::set<std::string> denied;
  bool on_loopback = false;  // public addresses are those of this computer, where something real may answer
  FaultScript faults;
  const FaultAction* fault = nullptr;  // of the request being handled
  std::string actor;                   // on whose behalf things happen right now; "" = the cloud's own
  aws::Holdings aws;

  Time cloud_time() const { return now + clock_offset; }
  bool lists_region(const std::string& region) const {
    return options.regions.empty() || options.regions.contains(region);
  }
  bool variant(std::string_view name) const { return options.variants.contains(std::string(name)); }
  std::uint64_t next_random(std::uint64_t n);
  std::string new_id();                 // decimal, 19 digits
  std::string stamp() const;            // the cloud's time now, in US Pacific
  Duration pace(double seconds) const;  // by Options::op_times
  void plan(Time at, Happening happening);
  void note(std::string kind, const Key& key, std::string resource, Value detail = Map());
  Shelf& shelf(std::string_view kind);  // "instances", "disks", "firewalls", "operations"
  const Shelf& shelf(std::string_view kind) const { return const_cast<State*>(this)->shelf(kind); }
  Resource* find(std::string_view kind, const Key& key);
  bool visible(const Resource& resource) const;
};
using State = World::State;

std::string pacific(Time t);
// Base64 of 8 bytes: what labels, metadata and tags carry; the same content, the same fingerprint.
std::string fingerprint(const Value& content);

inline constexpr std::string_view kCompute = "https://www.googleapis.com/compute/v1/";
std::string link(const Key& key, std::string_view collection);  // full selfLink
std::string global_link(std::string_view project,
                        std::string_view rest);  // rest: "zones/Z", "global/networks/default"
std::string path_of(const Key& key, std::string_view collection);  // projects/P/zones/Z/instances/N

}  // namespace nbform::sim
