// World: a small Google Cloud and a small AWS in memory. It answers requests, lets time pass, and keeps a
// diary of every request and every effect. It does no I/O, has no thread and no clock of its own, and knows
// nothing of nbform's core, back ends, codecs or signers: what it accepts and sends is written down here
// anew, from the providers' published descriptions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/message.h"
#include "base/result.h"
#include "base/time.h"
#include "base/value.h"

namespace nbform::sim {

// The access key that every World knows: of a user of this account. Signed requests need it or one of
// add_aws_key.
inline constexpr std::string_view kAwsKeyId = "AKIANBFORMSANDBOX001";
inline constexpr std::string_view kAwsSecret = "nbform/sandbox+secret/known/to/everyone1";
inline constexpr std::string_view kAwsAccount = "123456789012";

// How long operations take: like the cloud's (a VM in about 12 s), a twentieth of that, or a millisecond.
enum class OpTimes { realistic, fast, instant };

struct Options {
  OpTimes op_times = OpTimes::realistic;
  bool auth = true;                // false: requests need no bearer token and no signature
  std::set<std::string> variants;  // see variants.h
  std::uint64_t seed = 1;
  std::int64_t token_lifetime = 3600;  // seconds
  std::string project = "acme-ml";     // the metadata server's, and of nbsim's throw-away key
  bool quotas = true;                  // false: no limit is enforced
  std::set<std::string> regions;       // those that lists name; empty: all of the catalogue
  std::int64_t rate_limit = 0;         // Compute requests of a kind per project and minute; 0 = unlimited
};

// What happens to one request. Without a response the connection is dropped.
struct Answer {
  std::optional<Response> response;
  Duration delay{0};               // before the answer is sent, on top of the network's own latency
  std::optional<std::size_t> cut;  // only so many bytes of the body are sent, then the connection is dropped
  bool held = false;      // operations.wait: ask World::resume for the answer once `delay` has passed
  bool scripted = false;  // a fault's own text stands in place of the cloud's answer
};

// One line of the diary. kind: "request", or an effect: insert, delete, status, attach, detach, labels,
// metadata, tags, machine_type, resize, auto_delete, operation, preempt, ... `resource` is "instances/train",
// "disks/x". `actor` is whoever asked for it, "" the cloud itself.
struct Event {
  Time time;
  std::string kind, project, zone, resource, actor;
  Value detail;
};
Value to_value(const Event& event);  // its members by name; time in microseconds

class World {
 public:
  explicit World(Options options = {});
  ~World();
  World(const World&);  // a whole second cloud: for enumerating what could happen next
  World(World&&) noexcept;
  World& operator=(const World&);
  World& operator=(World&&) noexcept;

  // Time never runs backwards: an earlier `now` counts as the latest one seen.
  Answer handle(const Request& request, Time now);
  Response resume(const Request& request, Time now);  // the answer to a held request
  void advance(Time now);
  Time now() const;
  std::optional<Time> next_event() const;
  const std::vector<Event>& events() const;

  // The whole state but the "request" lines of the diary; `format` numbers the shape, an unknown one is
  // refused.
  Value to_json() const;
  static Result<World> from_json(const Value& value);

  // The wire form of "projects/P/zones/Z/instances/N" (or disks, operations), "projects/P/global/firewalls/N"
  // or "ec2.instances/i-..." (or volumes, security-groups, ... aws/region.h), null where there is none.
  Value resource(std::string_view path) const;
  // All of a kind ("instances", "disks", "firewalls", "operations"; "ec2.instances", ...), of every project
  // and zone, by name within them.
  std::vector<Value> resources(std::string_view kind) const;

  // Administration. Globs: '*' and '?'.
  // An instance of EC2 goes by its id, whatever project and zone are given.
  Result<> preempt(std::string_view project, std::string_view zone, std::string_view name);
  Result<> preempt_at(std::string_view project, std::string_view zone, std::string_view name, Time at);
  // Inserts and starts of matching machine types (and attached GPUs: "n1-standard-4+nvidia-tesla-t4",
  // Spot VMs: "spot:n1-standard-4", EC2 also "on-demand:g5.xlarge") fail.
  void stockout(std::string zone_glob, std::string machine_glob = "*",
                std::vector<std::string> zones_available = {});
  void end_stockout(std::string_view zone_glob = "*");
  // region "" or "global": the project's own quotas. AWS: account, region, quota code ("L-DB2E81BA").
  void set_quota(std::string project_glob, std::string region_glob, std::string metric_glob, double limit);
  Result<> add_faults(const Value& list);  // schemas/faults.schema.json
  void clear_faults();
  void set_rate_limit(std::int64_t per_minute);  // 0 = unlimited
  void set_unreachable(std::string zone, bool unreachable = true);
  Result<> add_variant(std::string_view name);
  void set_clock_offset(Duration offset);  // the cloud's clock runs ahead of its callers'
  void add_token(std::string token, std::string principal, std::optional<Time> expires = {});
  void expire_tokens();  // every token with an end is over
  void add_service_account(std::string email, std::string public_pem);
  void publish_image(std::string project, std::string family, std::string name);
  void write_guest_attribute(std::string_view project, std::string_view zone, std::string_view instance,
                             std::string space, std::string key, std::string value);
  void give_loopback_addresses();  // from now on 127.0.0.0/8, so that a test's server can stand for a guest's
  void deny(std::string permission);  // "compute.instances.create", "ec2:Run*": refused with 403; "" clears
  // AWS. What befalls it besides, as data: `administer` (docs/simulator.md).
  void add_aws_key(std::string id, std::string secret, std::string account, std::string arn);
  // One of the above as data, e.g. {"do":"preempt","zone":Z,"name":N}: what nbsim's /_nbsim/ and the sandbox
  // send.
  Result<Value> administer(const Value& command);

  struct State;

 private:
  explicit World(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace nbform::sim
