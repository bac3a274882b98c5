// Shapes of single values and short forms of a notebook's keys: what a scalar may be, and the map it stands
// for. Only the tables of notebook_parts.h and notebook_schema.cc use them.
#pragma once

#include "manifest/schema.h"

namespace nbform {
namespace {

using Words = std::string_view;

// ---- shapes of single values ----

constexpr Shape kText{.noun = "a text"};
constexpr Shape kBool{.kind = ShapeKind::boolean, .noun = "true or false"};
constexpr Shape kMoney{.kind = ShapeKind::money, .noun = "an amount of US dollars such as $1.20"};
constexpr Shape kName{
    .noun = "a name of at most 40 lower-case letters, digits and `-`, starting with a letter",
    .pattern = "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"};
constexpr Shape kCloudName{
    .noun = "a name of at most 63 lower-case letters, digits and `-`, starting with a letter",
    .pattern = "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"};
constexpr Shape kOldKey{.noun = "the key the notebook had before", .pattern = "^[a-z][a-z0-9-]{0,80}$"};
constexpr Shape kCloudId{.noun = "the name or id that the cloud knows it by",
                         .pattern = "^[A-Za-z0-9][A-Za-z0-9_./:-]*$"};
constexpr Shape kFilePath{.noun = "a path relative to this file", .pattern = "^[^/~]"};
constexpr Shape kEmail{.noun = "an e-mail address", .pattern = "^[^@ ]+@[^@ ]+$"};
constexpr Shape kBucket{.noun = "a bucket such as gs://acme-nbform or s3://acme-nbform",
                        .pattern = "^(gs|s3)://[a-z0-9][a-z0-9._-]{1,220}(/[^*?]*)?$"};
constexpr Shape kBucketName{.noun = "the name of a bucket", .pattern = "^[a-z0-9][a-z0-9._-]{1,220}$"};
constexpr Shape kPort{
    .kind = ShapeKind::integer, .noun = "a port from 1 to 65535", .least = 1, .most = 65535};
constexpr Shape kSize{.kind = ShapeKind::size, .noun = "a size such as 200GB", .least = 1, .most = 65536};
constexpr Shape kIdle{.kind = ShapeKind::duration,
                      .noun = "a duration such as 60m, 2h or 1d",
                      .least = 300,
                      .most = 30 * 86400};
constexpr Shape kUptime{.kind = ShapeKind::duration,
                        .noun = "a duration such as 60m, 2h or 1d",
                        .least = 60,
                        .most = 120 * 86400};
constexpr Shape kSecretRef{.noun = "a reference to a secret", .pattern = "^[^ ]+$"};
constexpr Shape kAbsolutePath{.noun = "an absolute path", .pattern = "^(/[A-Za-z0-9_@%+=:,.-]+)+$"};

template <const Shape& Item>
inline constexpr Shape kListOf{.kind = ShapeKind::list, .noun = "a list", .item = &Item};

// ---- short forms ----

constexpr char kTypeKey[] = "type", kSizeKey[] = "size", kSourceKey[] = "source", kStateKey[] = "state",
               kNameKey[] = "name", kTextKey[] = "text", kDefaultKey[] = "default";

void add(Node& map, std::string key, std::string text, const Node& origin) {
  map.items.push_back(made_scalar(std::move(key), std::move(text), origin));
}

bool expand_gpu(const Node& text, Node& map) {
  std::string_view all = text.text;
  auto x = all.rfind('x');
  bool counted = x != std::string_view::npos && x > 0 && all[x - 1] == ' ';
  std::string_view model = counted ? all.substr(0, x) : all;
  while (model.ends_with(' ')) model.remove_suffix(1);
  add(map, "model", std::string(model), text);
  if (!counted) return true;
  all.remove_prefix(x + 1);
  while (all.starts_with(' ')) all.remove_prefix(1);
  add(map, "count", std::string(all), text);
  map.items.back().plain = true;
  return true;
}

bool expand_image(const Node& text, Node& map) {
  bool word = text.text == "pytorch" || text.text == "base";
  add(map, word ? "word" : "family", text.text, text);
  return true;
}

bool expand_spot(const Node& text, Node& map) {
  auto yes = parse_boolean(text.text);
  add(map, "market", !yes ? text.text : *yes ? "spot" : "on-demand", text);
  return true;
}

bool expand_identity(const Node& text, Node& map) {
  add(map, text.text.find('@') != std::string::npos ? "service_account" : "role", text.text, text);
  return true;
}

// ---- machine, GPU, image ----

constexpr Shape kMachineType{.noun = "a machine type such as e2-standard-2 or g4dn.xlarge",
                             .pattern = "^[a-z0-9][a-z0-9.-]{0,62}$"};
constexpr Shape kCpuPlatform{.noun = "a CPU platform such as Intel Ice Lake",
                             .pattern = "^[A-Za-z0-9 ]{1,60}$"};
constexpr Shape kGpuModel{.noun = "a GPU model such as t4 or nvidia-tesla-t4",
                          .pattern = "^[A-Za-z0-9_-]{1,63}$"};
constexpr Shape kGpuCount{
    .kind = ShapeKind::integer, .noun = "a whole number from 1 to 16", .least = 1, .most = 16};
constexpr Shape kGpuShort{.noun = "a GPU such as t4 or t4 x2",
                          .pattern = "^[A-Za-z0-9_-]{1,63}( +x *[1-9][0-9]?)?$"};
constexpr Words kDrivers[] = {"install", "image"};
constexpr Shape kDriver{.kind = ShapeKind::choice, .choices = kDrivers};
constexpr Shape kFamily{.noun = "an image family", .pattern = "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"};
constexpr Shape kImageShort{.noun = "an image family, pytorch or base", .pattern = kFamily.pattern};
constexpr Shape kProject{.noun = "a Google Cloud project id",
                         .pattern = "^([a-z0-9.-]+:)?[a-z][a-z0-9-]{2,61}[a-z0-9]$"};
constexpr Shape kImageName{.noun = "the name of an image", .pattern = "^[A-Za-z0-9]", .most = 200};
constexpr Shape kImageOwner{.noun = "amazon, self, aws-marketplace or an account number",
                            .pattern = "^(amazon|self|aws-marketplace|[0-9]{12})$"};
constexpr Shape kAmi{.noun = "an AMI id such as ami-0123456789abcdef0", .pattern = "^ami-[0-9a-f]{8,17}$"};
constexpr Shape kSsm{.noun = "the path of an SSM parameter", .pattern = "^/[A-Za-z0-9_./-]+$"};
constexpr Shape kContainer{.noun = "a container image", .pattern = "^[A-Za-z0-9][A-Za-z0-9_./:@-]*$"};
constexpr Words kTracks[] = {"pinned", "latest"};
constexpr Shape kTrack{.kind = ShapeKind::choice, .choices = kTracks};
constexpr Words kImageKinds[] = {"family", "name", "ami", "ssm", "container"};

// ---- disks, mounts, spot, power ----

constexpr Shape kDiskType{.noun = "a disk type such as balanced, ssd or gp3",
                          .pattern = "^[a-z][a-z0-9-]{1,40}$"};
constexpr Words kKeeps[] = {"always", "until-destroy", "never"};
constexpr Shape kKeep{.kind = ShapeKind::choice, .choices = kKeeps};
constexpr Shape kIops{.kind = ShapeKind::integer,
                      .noun = "a whole number of operations a second",
                      .least = 1,
                      .most = 1'000'000};
constexpr Shape kThroughput{
    .kind = ShapeKind::integer, .noun = "a whole number of MiB a second", .least = 1, .most = 100'000};
constexpr Shape kDiskSource{.noun = "disk:NAME, snapshot:NAME or image:NAME",
                            .pattern = "^(disk|snapshot|image):[A-Za-z0-9][A-Za-z0-9/_.-]*$"};
constexpr Words kModes[] = {"ro", "rw"};
constexpr Shape kMode{.kind = ShapeKind::choice, .choices = kModes};
constexpr Shape kCache{.noun = "off or a size such as 10GB", .pattern = "^(off|[1-9][0-9]*(GB|GiB|TB|TiB))$"};
constexpr Words kMarkets[] = {"on-demand", "spot", "auto"};
constexpr Shape kMarket{.kind = ShapeKind::choice, .choices = kMarkets};
constexpr Words kSpotWords[] = {"true", "false", "auto", "spot", "on-demand"};
constexpr Shape kSpotShort{.kind = ShapeKind::choice, .choices = kSpotWords};
constexpr Words kPreemptions[] = {"stop", "delete"};
constexpr Shape kPreemption{.kind = ShapeKind::choice, .choices = kPreemptions};
constexpr Words kStates[] = {"running", "stopped"};
constexpr Shape kState{.kind = ShapeKind::choice, .choices = kStates};
constexpr Shape kClock{.noun = "a time of day such as 08:00", .pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"};
constexpr Shape kDays{.noun = "days such as mon-fri, mon,wed or daily",
                      .pattern =
                          "^(daily|(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?(,(mon|tue|"
                          "wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?)*)$"};
constexpr Shape kTimezone{.noun = "a time zone such as Europe/Berlin",
                          .pattern = "^[A-Za-z_]+(/[A-Za-z0-9_+-]+)*$"};

// ---- access, identity, network, setup ----

constexpr Shape kTunnel{.noun = "a local port, or LOCAL:REMOTE",
                        .pattern = "^([1-9][0-9]{0,4}:)?[1-9][0-9]{0,4}$"};
constexpr Shape kLogin{.noun = "a Linux user name", .pattern = "^[a-z_][a-z0-9_-]{0,31}$"};
constexpr Shape kSshKey{
    .noun = "the path of a public key file, or a public key", .pattern = "^[^ ]", .most = 16384};
constexpr Shape kAllowed{
    .noun = "an address range such as 203.0.113.7/32, or me",
    .pattern = "^(me|[0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,2}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*/[0-9]{1,3})$"};
constexpr Shape kServiceAccount{.noun = "the e-mail address of a service account",
                                .pattern = "^(default|[^@ ]+@[a-z0-9.-]+)$"};
constexpr Shape kScope{.noun = "an OAuth scope", .pattern = "^[A-Za-z0-9:/._-]+$"};
constexpr Shape kRole{.noun = "the name or ARN of an IAM role", .pattern = "^[A-Za-z0-9+=,.@:/_-]+$"};
constexpr Shape kIdentityShort{.noun = "the e-mail address of a service account, or the name of an IAM role",
                               .pattern = "^[^ ]+$"};
constexpr Shape kNetworkName{.noun = "the name or id of a network",
                             .pattern = "^[A-Za-z0-9][A-Za-z0-9/._:-]*$"};
constexpr Words kAddresses[] = {"ephemeral", "static"};
constexpr Shape kAddress{.kind = ShapeKind::choice, .choices = kAddresses};
constexpr Shape kRepo{.noun = "the URL of a git repository", .pattern = "^(https|ssh)://[^ ]+$|^git@[^ ]+$"};
constexpr Shape kAptPackage{.noun = "the name of a Debian package",
                            .pattern = "^[a-z0-9][a-z0-9+.-]*(=[^ ]+)?$"};
constexpr Shape kPipPackage{.noun = "a requirement such as torch==2.7", .pattern = "^[A-Za-z0-9]"};
constexpr Shape kEnvText{.noun = "a text, or {secret: REF}", .most = 32768};
constexpr Shape kEnvName{.noun = "the name of an environment variable",
                         .pattern = "^[A-Za-z_][A-Za-z0-9_]*$"};
constexpr Shape kMetadataKey{.noun = "a name of letters, digits, `-` and `_`",
                             .pattern = "^[A-Za-z0-9_-]{1,127}$"};
constexpr Shape kMetadataText{.noun = "a text", .most = 65536};
constexpr Shape kLabelKey{.noun = "a text of 1 to 128 bytes", .pattern = "^[^ ]", .most = 128};
constexpr Shape kLabelText{.noun = "a text", .most = 256};

}  // namespace
}  // namespace nbform
