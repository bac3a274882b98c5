#include "manifest/notebook_schema.h"

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

template <>
struct Schema<Machine> {
  static constexpr std::tuple fields{
      field("type", &Machine::type, kMachineType, "The cloud's machine type.", {.example = "e2-standard-2"}),
      field("min_cpu_platform", &Machine::min_cpu_platform, kCpuPlatform,
            "The oldest CPU generation to run on.", {.example = "Intel Ice Lake"}),
  };
  static constexpr Shape shape{
      .noun = "a map of type and min_cpu_platform", .scalar = &kMachineType, .expand = expand_to<kTypeKey>};
};

template <>
struct Schema<Gpu> {
  static constexpr std::tuple fields{
      field("model", &Gpu::model, kGpuModel, "The GPU, by its short name or the cloud's own.",
            {.required = true, .example = "t4"}),
      field("count", &Gpu::count, kGpuCount, "How many GPUs.", {.fallback = "1", .example = "2"}),
      field("driver", &Gpu::driver, kDriver,
            "Whether the driver is installed at first boot, or comes with the image.",
            {.fallback = "what the image needs", .example = "install"}),
  };
  static constexpr Shape shape{
      .noun = "a map of model, count and driver", .scalar = &kGpuShort, .expand = expand_gpu};
};

template <>
struct Schema<Image> {
  static constexpr std::tuple fields{
      field("family", &Image::family, kFamily,
            "An image family of Google Cloud: its newest image is taken when the notebook is made.",
            {.example = "common-cu129-ubuntu-2404-nvidia-580"}),
      field("project", &Image::project, kProject, "The project that holds the family or image.",
            {.fallback = "deeplearning-platform-release", .example = "deeplearning-platform-release"}),
      field("name", &Image::name, kImageName,
            "One image by name; on AWS a pattern, of which the newest is taken.", {.example = "my-image-v3"}),
      field("owner", &Image::owner, kImageOwner, "Who owns the AMI that `name` looks for.",
            {.example = "amazon"}),
      field("ami", &Image::ami, kAmi, "One AMI by its id.", {.example = "ami-0123456789abcdef0"}),
      field(
          "ssm", &Image::ssm, kSsm, "A public SSM parameter that holds an AMI id.",
          {.example =
               "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id"}),
      field("container", &Image::container, kContainer, "A container image that Workbench runs.",
            {.example = "gcr.io/deeplearning-platform-release/base-cu110:latest"}),
      field("track", &Image::track, kTrack,
            "Whether a newer image of the same reference is only noted (pinned) or replaces the notebook "
            "(latest).",
            {.fallback = "pinned", .example = "pinned"}),
      field("word", &Image::word, kText, "What the short forms pytorch and base turn into.",
            {.internal = true}),
  };
  static constexpr Shape shape{.noun = "a map with one of family, name, ami, ssm and container",
                               .scalar = &kImageShort,
                               .expand = expand_image,
                               .whole = true,
                               .one_of = kImageKinds};
};

template <>
struct Schema<Disk> {
  static constexpr std::tuple fields{
      field("size", &Disk::size_gb, kSize, "The size; a disk can grow, never shrink.",
            {.fallback = "boot: 100GB, or the image's minimum", .example = "200GB"}),
      field("type", &Disk::type, kDiskType,
            "The kind of disk: standard, balanced, ssd, or the cloud's own name.",
            {.fallback = "balanced; gp3 on EC2", .example = "balanced"}),
      field("mount", &Disk::mount, kAbsolutePath, "Where the guest mounts a data disk.",
            {.example = "/data"}),
      field("keep", &Disk::keep, kKeep,
            "What survives: always (replace and destroy), until-destroy (a replace), never.",
            {.fallback = "data disks always, the boot disk never", .example = "always"}),
      field("iops", &Disk::iops, kIops, "Provisioned operations a second, for disk types that have them.",
            {.example = "5000"}),
      field("throughput", &Disk::throughput, kThroughput,
            "Provisioned MiB a second, for disk types that have it.", {.example = "250"}),
      field("kms_key", &Disk::kms_key, kText, "The key that encrypts the disk; fixed when it is made.",
            {.example = "projects/acme-ml/locations/us/keyRings/nb/cryptoKeys/disk"}),
      field("source", &Disk::source, kDiskSource, "What a new disk is made from; ignored once it exists.",
            {.example = "snapshot:before-the-migration"}),
      field("moved_from", &Disk::moved_from, kName,
            "The name this disk had before, to rename it without making a new one.", {.example = "scratch"}),
  };
  static constexpr Shape shape{.noun = "a disk", .scalar = &kSize, .expand = expand_to<kSizeKey>};
};

template <>
struct Schema<Mount> {
  static constexpr std::tuple fields{
      field("source", &Mount::source, kBucket,
            "The bucket and the prefix in it: gs:// on Google Cloud, s3:// on AWS.",
            {.required = true, .example = "gs://my-super-bucket/notebook_data"}),
      field("mode", &Mount::mode, kMode, "Read only, or read and write.",
            {.fallback = "ro", .example = "rw"}),
      field("implicit_dirs", &Mount::implicit_dirs, kBool,
            "Show directories that exist only as parts of object names.",
            {.fallback = "true", .example = "true"}),
      field("cache", &Mount::cache, kCache, "How much of the local disk may hold copies.",
            {.fallback = "off", .example = "10GB"}),
      field("required", &Mount::required, kBool, "Whether the notebook counts as ready without this mount.",
            {.fallback = "true", .example = "false"}),
  };
  static constexpr Shape shape{
      .noun = "a map of source, mode and the rest", .scalar = &kBucket, .expand = expand_to<kSourceKey>};
};

template <>
struct Schema<Spot> {
  static constexpr std::tuple fields{
      field("market", &Spot::market, kMarket,
            "Spot capacity, on-demand, or auto: spot while there is some, else on-demand.",
            {.fallback = "on-demand", .example = "spot"}),
      field("on_preemption", &Spot::on_preemption, kPreemption,
            "What the cloud does to the machine when it takes the capacity back.",
            {.fallback = "stop", .example = "stop"}),
      field("restart", &Spot::restart, kBool, "Plan a start after a preemption.",
            {.fallback = "false", .example = "true"}),
      field("max_price", &Spot::max_price, kMoney, "The most to pay for an hour of Spot.",
            {.fallback = "the on-demand price", .example = "$1.20"}),
  };
  static constexpr Shape shape{.noun = "a map of market, on_preemption, restart and max_price",
                               .scalar = &kSpotShort,
                               .expand = expand_spot};
};

template <>
struct Schema<Schedule> {
  static constexpr std::tuple fields{
      field("start", &Schedule::start, kClock, "When the machine is started.", {.example = "\"08:00\""}),
      field("stop", &Schedule::stop, kClock, "When the machine is stopped.", {.example = "\"19:00\""}),
      field("days", &Schedule::days, kDays, "On which days.", {.fallback = "daily", .example = "mon-fri"}),
      field("timezone", &Schedule::timezone, kTimezone, "The time zone of the two times.",
            {.fallback = "UTC", .example = "Europe/Berlin"}),
  };
  static constexpr Shape shape{.noun = "a map of start, stop, days and timezone"};
};

template <>
struct Schema<Power> {
  static constexpr std::tuple fields{
      field("state", &Power::state, kState, "Whether the machine runs.",
            {.fallback = "running at create, then not managed", .example = "stopped"}),
      field("idle_stop", &Power::idle_stop_s, kIdle,
            "Stop after this long without a busy kernel or terminal.", {.fallback = "3h", .example = "60m"}),
      field("max_uptime", &Power::max_uptime_s, kUptime, "Stop this long after each start, busy or not.",
            {.example = "12h"}),
      field("schedule", &Power::schedule, kRecord<Schedule>, "Start and stop by the clock.",
            {.example = "{start: \"08:00\", stop: \"19:00\", days: mon-fri}"}),
  };
  static constexpr Shape shape{.noun = "a map of state, idle_stop, max_uptime and schedule",
                               .scalar = &kState,
                               .expand = expand_to<kStateKey>};
};

template <>
struct Schema<Ssh> {
  static constexpr std::tuple fields{
      field("user", &Ssh::user, kLogin, "The login that the keys belong to.",
            {.fallback = "nbform on GCE, the AMI's own on EC2", .example = "nbform"}),
      field("keys", &Ssh::keys, kListOf<kSshKey>,
            "Public keys that may log in: files of the repository or keys are the whole truth, a path under "
            "~ only adds.",
            {.fallback = "the first of ~/.ssh/id_{ed25519,ecdsa,rsa}.pub", .example = "[keys/me.pub]"}),
      field("allow_from", &Ssh::allow_from, kListOf<kAllowed>,
            "The only addresses that reach the SSH port; me = open for the caller while connected.",
            {.fallback = "me", .example = "[203.0.113.7/32]"}),
      field("port", &Ssh::port, kPort, "The SSH port.", {.fallback = "22", .example = "22"}),
  };
  static constexpr Shape shape{.noun = "a map of user, keys, allow_from and port"};
};

template <>
struct Schema<Jupyter> {
  static constexpr std::tuple fields{
      field("port", &Jupyter::port, kPort, "The port Jupyter listens on, on the machine's loopback.",
            {.fallback = "8080 on Deep Learning VMs and Workbench, 8888 elsewhere", .example = "8888"}),
  };
  static constexpr Shape shape{.noun = "a map of port"};
};

template <>
struct Schema<Access> {
  static constexpr std::tuple fields{
      field("tunnel", &Access::tunnel, kTunnel,
            "The local port of the tunnel to Jupyter; LOCAL:REMOTE sets both.",
            {.fallback = "the image's port", .example = "8080"}),
      field("ssh", &Access::ssh, kRecord<Ssh>, "Who may log in, and from where.",
            {.example = "{keys: [keys/me.pub]}"}),
      field("jupyter", &Access::jupyter, kRecord<Jupyter>, "Where Jupyter listens.",
            {.example = "{port: 8888}"}),
      field("colab", &Access::colab, kBool,
            "Give Jupyter the settings that Colab's \"connect to a local runtime\" needs.",
            {.fallback = "false", .example = "true"}),
      field("public", &Access::public_ports, kListOf<kPort>,
            "Ports open to the world, for servers you run; Jupyter stays on loopback.", {.example = "[443]"}),
      field("owners", &Access::owners, kListOf<kEmail>, "Who may open a Workbench instance in the browser.",
            {.example = "[me@example.com]"}),
      field("proxy", &Access::proxy, kBool, "Whether Workbench's own proxy URL is on.",
            {.fallback = "true", .example = "false"}),
  };
  static constexpr Shape shape{.noun = "a map of tunnel, ssh, jupyter and the rest"};
};

template <>
struct Schema<Identity> {
  static constexpr std::tuple fields{
      field("service_account", &Identity::service_account, kServiceAccount,
            "The service account the machine runs as.",
            {.fallback = "the project's default", .example = "nb@acme-ml.iam.gserviceaccount.com"}),
      field("scopes", &Identity::scopes, kListOf<kScope>, "OAuth scopes of the service account.",
            {.fallback = "[cloud-platform]", .example = "[cloud-platform]"}),
      field("role", &Identity::role, kRole, "The IAM role the machine runs as.", {.example = "nb-s3-read"}),
  };
  static constexpr Shape shape{.noun = "a map of service_account and scopes, or of role",
                               .scalar = &kIdentityShort,
                               .expand = expand_identity};
};

template <>
struct Schema<Network> {
  static constexpr std::tuple fields{
      field("network", &Network::network, kNetworkName, "The VPC network.",
            {.fallback = "the default network", .example = "ml-vpc"}),
      field("subnet", &Network::subnet, kNetworkName, "The subnet.",
            {.fallback = "the network's own in that place", .example = "ml-subnet"}),
      field("public_ip", &Network::public_ip, kBool, "Whether the machine has a public address.",
            {.fallback = "true", .example = "false"}),
      field("address", &Network::address, kAddress,
            "Whether the public address changes with each start or is reserved.",
            {.fallback = "ephemeral", .example = "static"}),
      field("tags", &Network::tags, kListOf<kCloudName>, "Network tags, for firewall rules of Google Cloud.",
            {.example = "[deep-learning]"}),
      field("security_groups", &Network::security_groups, kListOf<kNetworkName>,
            "Security groups of AWS, besides nbform's own.", {.example = "[sg-0123456789abcdef0]"}),
  };
  static constexpr Shape shape{.noun = "a map of network, subnet, public_ip and the rest"};
};

template <>
struct Schema<Security> {
  static constexpr std::tuple fields{
      field("secure_boot", &Security::secure_boot, kBool,
            "Boot only signed software; unsigned NVIDIA modules then don't load.",
            {.fallback = "the cloud's own", .example = "true"}),
      field("vtpm", &Security::vtpm, kBool, "A virtual trusted platform module.",
            {.fallback = "the cloud's own", .example = "true"}),
      field("integrity_monitoring", &Security::integrity_monitoring, kBool,
            "Compare each boot with a known good one.", {.fallback = "the cloud's own", .example = "true"}),
      field("deletion_protection", &Security::deletion_protection, kBool,
            "Have the cloud itself refuse to delete the machine.", {.fallback = "false", .example = "true"}),
  };
  static constexpr Shape shape{
      .noun = "a map of secure_boot, vtpm, integrity_monitoring and deletion_protection"};
};

template <>
struct Schema<EnvValue> {
  static constexpr std::tuple fields{
      field("secret", NoMember{}, kSecretRef,
            "A secret of the cloud's secret store, read by the guest with its own identity.",
            {.example = "projects/acme-ml/secrets/token"}),
      field("text", NoMember{}, kEnvText, "What the short form turns into.", {.internal = true}),
  };
  static constexpr Words kinds[] = {"secret"};
  static constexpr Shape shape{
      .noun = "{secret: REF}", .scalar = &kEnvText, .expand = expand_to<kTextKey>, .one_of = kinds};
};

template <>
struct Schema<Packages> {
  static constexpr std::tuple fields{
      field("apt", &Packages::apt, kListOf<kAptPackage>, "Debian packages.", {.example = "[ffmpeg]"}),
      field("pip", &Packages::pip, kListOf<kPipPackage>, "Python packages.", {.example = "[\"torch==2.7\"]"}),
  };
  static constexpr Shape shape{.noun = "a map of apt and pip"};
};

namespace {
constexpr Shape kEnv{.kind = ShapeKind::table,
                     .noun = "a map of names to values",
                     .most = 256,
                     .item = &kRecord<EnvValue>,
                     .key = &kEnvName};
constexpr Shape kDisks{.kind = ShapeKind::table,
                       .noun = "a map of disk names to disks",
                       .most = 64,
                       .item = &kRecord<Disk>,
                       .key = &kName};
constexpr Shape kMounts{.kind = ShapeKind::table,
                        .noun = "a map of paths to buckets",
                        .most = 64,
                        .item = &kRecord<Mount>,
                        .key = &kAbsolutePath};
constexpr Shape kMetadata{.kind = ShapeKind::table,
                          .noun = "a map of texts",
                          .most = 256,
                          .item = &kMetadataText,
                          .key = &kMetadataKey};
constexpr Shape kLabels{
    .kind = ShapeKind::table, .noun = "a map of texts", .most = 64, .item = &kLabelText, .key = &kLabelKey};
}  // namespace

template <>
struct Schema<Setup> {
  static constexpr std::tuple fields{
      field("script", &Setup::script, kFilePath, "A script that runs as root at every boot.",
            {.example = "setup.sh"}),
      field("shutdown_script", &Setup::shutdown_script, kFilePath,
            "A script that runs when the machine stops; on Spot it has about 30 s.",
            {.example = "save-work.sh"}),
      field("conda", &Setup::conda, kFilePath, "A conda environment file to create.",
            {.example = "environment.yml"}),
      field("requirements", &Setup::requirements, kFilePath, "A pip requirements file to install.",
            {.example = "requirements.txt"}),
      field("packages", &Setup::packages, kRecord<Packages>, "Packages to install.",
            {.example = "{apt: [ffmpeg]}"}),
      field("repos", &Setup::repos, kListOf<kRepo>, "Git repositories to clone into the home directory.",
            {.example = "[https://github.com/acme/notebooks.git]"}),
      field("env", &Setup::env, kEnv, "Environment variables of Jupyter: texts, or {secret: REF}.",
            {.example = "{WANDB_MODE: offline}"}),
      field("upload_to", &Setup::upload_to, kBucket,
            "Where scripts are uploaded, instead of the cloud's `bucket`.",
            {.example = "gs://acme-ml-nbform"}),
  };
  static constexpr Shape shape{.noun = "a map of script, conda, requirements and the rest"};
};

template <>
struct Schema<Budget> {
  static constexpr std::tuple fields{
      field("max_hourly", &Budget::max_hourly, kMoney, "The most that an hour of this notebook may cost.",
            {.example = "$2"}),
      field("max_monthly", &Budget::max_monthly, kMoney, "The most that a month of this notebook may cost.",
            {.example = "$300"}),
  };
  static constexpr Shape shape{.noun = "a map of max_hourly and max_monthly"};
};

namespace {
constexpr Words kServices[] = {"gce", "workbench", "ec2", "sagemaker"};
constexpr Shape kService{.kind = ShapeKind::choice, .choices = kServices};
constexpr Shape kPlace{.noun = "a zone or region such as us-central1-b, or a pattern such as us-*",
                       .pattern = "^[a-z0-9*?-]{1,63}$"};
constexpr Shape kWhere{.kind = ShapeKind::list,
                       .noun = "a zone or region, or a list of them",
                       .least = 1,
                       .most = 256,
                       .item = &kPlace,
                       .whole = true};
constexpr Shape kUse{.kind = ShapeKind::list, .noun = "a list of profiles", .most = 64, .item = &kName};
constexpr Shape kEach{.kind = ShapeKind::each,
                      .noun = "a map of keys to overlays, or the path of a file with one"};
constexpr unsigned kOwn = kInNotebook | kInEach;
}  // namespace

template <>
struct Schema<Notebook> {
  static constexpr std::tuple fields{
      field("service", &Notebook::service, kService,
            "What runs the notebook: a Compute Engine VM, a Workbench instance, an EC2 instance, a SageMaker "
            "notebook.",
            {.required = true, .example = "gce"}),
      field("cloud", &Notebook::cloud, kName, "The entry of `clouds` to use.",
            {.fallback = "gcp or aws, by the service", .example = "aws-lab"}),
      field("where", &Notebook::where, kWhere,
            "Zones, regions or patterns in order of preference, when the notebook is made; afterwards it "
            "stays where it is.",
            {.required = true, .example = "us-central1-b"}),
      field("machine", &Notebook::machine, kRecord<Machine>, "The machine type.",
            {.fallback = "from `gpu`; e2-standard-2 or t3.medium without", .example = "e2-standard-2"}),
      field("gpu", &Notebook::gpu, kRecord<Gpu>, "The GPU and how many; null removes it.",
            {.example = "t4 x2"}),
      field("image", &Notebook::image, kRecord<Image>,
            "What the boot disk is made from: a family, pytorch or base, or a map.",
            {.fallback = "pytorch with a GPU, else base", .example = "pytorch"}),
      field("disks", &Notebook::disks, kDisks, "The boot disk (`boot`) and data disks by name.",
            {.example = "{boot: 200GB, data: {size: 500GB, keep: always}}"}),
      field("mounts", &Notebook::mounts, kMounts, "Buckets mounted into the file system, by path.",
            {.example = "{/data/gcs: gs://my-super-bucket/data}"}),
      field("spot", &Notebook::spot, kRecord<Spot>, "The Spot policy: true, false, auto, or a map.",
            {.fallback = "on-demand", .example = "auto"}),
      field("power", &Notebook::power, kRecord<Power>, "Whether and when the machine runs.",
            {.example = "{idle_stop: 60m, max_uptime: 12h}"}),
      field("access", &Notebook::access, kRecord<Access>, "How people reach the notebook.",
            {.example = "{tunnel: 8080}"}),
      field("identity", &Notebook::identity, kRecord<Identity>, "What the machine may do in the cloud.",
            {.example = "nb@acme-ml.iam.gserviceaccount.com"}),
      field("network", &Notebook::network, kRecord<Network>, "The network the machine is in.",
            {.example = "{network: ml-vpc, public_ip: false}"}),
      field("security", &Notebook::security, kRecord<Security>, "Boot integrity and protection by the cloud.",
            {.example = "{secure_boot: true}"}),
      field("setup", &Notebook::setup, kRecord<Setup>, "What is put onto the machine.",
            {.example = "{script: setup.sh}"}),
      field("metadata", &Notebook::metadata, kMetadata, "Extra instance metadata of Google Cloud.",
            {.example = "{title: demo}"}),
      field("labels", &Notebook::labels, kLabels, "Labels; tags on AWS.", {.example = "{team: research}"}),
      field("use", NoMember{}, kUse, "Profiles to pull in, in order.",
            {.places = kOwn, .example = "[cheap]"}),
      field("each", NoMember{}, kEach,
            "Makes one notebook, NAME-KEY, of each entry: a map of keys to overlays, or a file with one.",
            {.places = kInNotebook, .example = "{alice: {}, bob: {gpu: t4}}"}),
      field("protect", &Notebook::protect, kBool, "Refuse to replace or destroy this notebook.",
            {.fallback = "false", .example = "true"}),
      field("budget", &Notebook::budget, kRecord<Budget>, "The most this notebook may cost.",
            {.example = "{max_hourly: $2}"}),
      field("name", &Notebook::name, kCloudName,
            "The name in the cloud, where it differs from the key; fixed when the notebook is made.",
            {.places = kOwn, .fallback = "the notebook's key", .example = "vision-train"}),
      field("moved_from", &Notebook::moved_from, kOldKey,
            "The key this notebook had before, to rename it without making a new one.",
            {.places = kOwn, .example = "old-key"}),
      field("adopt", &Notebook::adopt, kCloudId, "Take over a resource that exists already.",
            {.places = kOwn, .example = "notebook-vm-spot"}),
  };
  static constexpr Shape shape{.noun = "a map of a notebook's keys", .most = 64};
};

template <>
struct Schema<Stack> {
  static constexpr Shape kId{.noun = "8 hex digits", .pattern = "^[0-9a-f]{8}$"};
  static constexpr std::tuple fields{
      field("name", &Stack::name, kName, "The name of the stack; everything it owns carries it.",
            {.required = true, .example = "research"}),
      field("id", &Stack::id, kId,
            "8 hex digits that tell this stack from another of the same name; `nbform init` writes them.",
            {.example = "3f9a1c2e"}),
  };
  static constexpr Shape shape{
      .noun = "a map of name and id", .scalar = &kName, .expand = expand_to<kNameKey>};
};

template <>
struct Schema<Cloud> {
  static constexpr Words kTypes[] = {"gcp", "aws"};
  static constexpr Shape kType{.kind = ShapeKind::choice, .choices = kTypes};
  static constexpr Shape kRegion{.noun = "a region such as us-west-2",
                                 .pattern = "^[a-z]{2}(-[a-z]+)+-[0-9]+$"};
  static constexpr Shape kAccount{.noun = "an account number of 12 digits", .pattern = "^[0-9]{12}$"};
  static constexpr Shape kArn{.noun = "the ARN of a role",
                              .pattern = "^arn:aws[a-z-]*:iam::[0-9]{12}:role/[^ ]+$"};
  static constexpr Shape kProfile{.noun = "the name of a profile", .pattern = "^[^ ]+$"};
  static constexpr std::tuple fields{
      field("type", &Cloud::type, kType, "Which cloud; entries named gcp and aws need not say it.",
            {.example = "aws"}),
      field("project", &Cloud::project, kProject, "The Google Cloud project.",
            {.fallback = "the environment's", .example = "acme-ml"}),
      field("impersonate", &Cloud::impersonate, kEmail, "A service account to act as.",
            {.example = "deploy@acme-ml.iam.gserviceaccount.com"}),
      field("region", &Cloud::region, kRegion, "The AWS region.",
            {.fallback = "the environment's", .example = "us-west-2"}),
      field("account", &Cloud::account, kAccount, "The AWS account that must be the caller's.",
            {.example = "\"123456789012\""}),
      field("profile", &Cloud::profile, kProfile, "A profile of the AWS configuration files.",
            {.example = "lab"}),
      field("assume_role", &Cloud::assume_role, kArn, "A role to assume.",
            {.example = "arn:aws:iam::210987654321:role/nb"}),
      field("bucket", &Cloud::bucket, kBucketName, "Where scripts are uploaded.",
            {.example = "acme-ml-nbform"}),
  };
  static constexpr Shape shape{.noun = "a map of a cloud's keys"};
};

template <>
struct Schema<Policy> {
  static constexpr Words kPortRules[] = {"allow", "forbid"};
  static constexpr Shape kPortRule{.kind = ShapeKind::choice, .choices = kPortRules};
  static constexpr Shape kAny{.kind = ShapeKind::any, .noun = "rules"};
  static constexpr Shape kPattern{.noun = "a pattern such as us-*", .pattern = "^[a-z0-9*?.-]+$"};
  static constexpr std::tuple fields{
      field("max_hourly", &Policy::max_hourly, kMoney, "The most that an hour of the stack may cost.",
            {.example = "$10"}),
      field("max_monthly", &Policy::max_monthly, kMoney, "The most that a month of the stack may cost.",
            {.example = "$2000"}),
      field("require_labels", &Policy::require_labels, kListOf<kLabelKey>,
            "Labels that every notebook must carry.", {.example = "[team]"}),
      field("allow_where", &Policy::allow_where, kListOf<kPlace>, "The only places notebooks may be in.",
            {.example = "[\"us-*\"]"}),
      field("allow_machines", &Policy::allow_machines, kListOf<kPattern>,
            "The only machine types notebooks may have.", {.example = "[\"e2-*\"]"}),
      field("public_ports", &Policy::public_ports, kPortRule, "Whether `access.public` may be used.",
            {.example = "forbid"}),
      field("require", NoMember{}, kAny, "House rules that must hold.", {}),
      field("forbid", NoMember{}, kAny, "House rules that must not hold.", {}),
      field("waive", NoMember{}, kAny, "Exceptions to rules, with their reason.", {}),
  };
  static constexpr Shape shape{.noun = "a map of rules"};
};

namespace {

struct Variable {
  Text fallback, description;
  Flag secret;
};
// A file of a stack. Its overlays stay nodes until they are merged, so nothing here has a member.
struct Document {};

}  // namespace

template <>
struct Schema<Variable> {
  static constexpr Shape kLong{.noun = "a text", .most = 65536};
  static constexpr std::tuple fields{
      field("default", &Variable::fallback, kLong, "The value when none is given.", {.example = "research"}),
      field("description", &Variable::description, kText, "What the variable is for.",
            {.example = "label on every notebook"}),
      field("secret", &Variable::secret, kBool, "Never print or store the value.",
            {.fallback = "false", .example = "true"}),
  };
  static constexpr Shape shape{
      .noun = "a map of default, description and secret", .scalar = &kLong, .expand = expand_to<kDefaultKey>};
};

template <>
struct Schema<Document> {
  static constexpr Shape kVersion{
      .kind = ShapeKind::integer, .noun = "1, the version of this language", .least = 1, .most = 1};
  static constexpr Shape kRequires{
      .noun = "a version such as \">=1.2\"",
      .pattern = "^ *(>=|<=|=|>|<) *[0-9]+(\\.[0-9]+){0,2} *(, *(>=|<=|=|>|<) *[0-9]+(\\.[0-9]+){0,2} *)*$"};
  static constexpr Shape kVarName{.noun = "a name of lower-case letters, digits and `_`",
                                  .pattern = "^[a-z][a-z0-9_]{0,39}$"};
  static constexpr Shape kClouds{.kind = ShapeKind::table,
                                 .noun = "a map of names to clouds",
                                 .most = 64,
                                 .item = &kRecord<Cloud>,
                                 .key = &kName};
  static constexpr Shape kVariables{.kind = ShapeKind::table,
                                    .noun = "a map of names to variables",
                                    .most = 256,
                                    .item = &kRecord<Variable>,
                                    .key = &kVarName};
  static constexpr Shape kInclude{
      .kind = ShapeKind::list, .noun = "a list of files", .most = 64, .item = &kFilePath};
  static constexpr Shape kOverlay{.kind = ShapeKind::each, .noun = "a map of a notebook's keys"};
  static constexpr Shape kOverlays{.kind = ShapeKind::each,
                                   .noun = "a map of names to maps of a notebook's keys"};
  static constexpr std::tuple fields{
      field("nbform", NoMember{}, kVersion,
            "The version of the manifest language; every file starts with it.",
            {.required = true, .example = "1"}),
      field("stack", NoMember{}, kRecord<Stack>, "The name of the stack, in one of its files.",
            {.example = "{name: research, id: 3f9a1c2e}"}),
      field("requires", NoMember{}, kRequires, "The version of nbform that this stack needs.",
            {.example = "\">=1.2\""}),
      field("lock", NoMember{}, kBucket, "Where the stack's lock is kept.",
            {.example = "gs://acme-ml-nbform"}),
      field("include", NoMember{}, kInclude,
            "Files with profiles, defaults, policy and variables that stacks share; inside the repository "
            "only.",
            {.example = "[../platform/profiles.nb.yaml]"}),
      field("clouds", NoMember{}, kClouds, "Projects, accounts and regions; by default the environment's.",
            {.example = "{gcp: {project: acme-ml}}"}),
      field("variables", NoMember{}, kVariables,
            "Values for ${var.NAME}, set by --var, --var-file or NBFORM_VAR_NAME.",
            {.example = "{team: {default: research}}"}),
      field("defaults", NoMember{}, kOverlay, "The base of every notebook.",
            {.example = "{labels: {team: research}}"}),
      field("profiles", NoMember{}, kOverlays, "Named overlays that notebooks pull in with `use`.",
            {.example = "{cheap: {spot: auto}}"}),
      field("policy", NoMember{}, kRecord<Policy>,
            "Rules of the stack as a whole; the plan fails when one is broken.",
            {.example = "{max_hourly: $10}"}),
      field("notebooks", NoMember{}, kOverlays, "The notebooks, by name.",
            {.example = "{eda: {service: gce, where: us-central1}}"}),
  };
  static constexpr Shape shape{.noun = "a map of a manifest's keys"};
};

const Shape& notebook_shape() {
  return kRecord<Notebook>;
}
const Shape& document_shape() {
  return kRecord<Document>;
}
const Shape& name_shape() {
  return kName;
}

bool may_stand_in_include(std::string_view key) {
  return key == "nbform" || key == "variables" || key == "profiles" || key == "defaults" || key == "policy";
}

namespace {
template <class T>
T decode(const Node& node) {
  T out;
  fill(node, kRecord<T>, out);
  return out;
}
}  // namespace

Notebook decode_notebook(const Node& merged) {
  return decode<Notebook>(merged);
}
Stack decode_stack(const Node& node) {
  return decode<Stack>(node);
}
Cloud decode_cloud(const Node& node) {
  return decode<Cloud>(node);
}
Policy decode_policy(const Node& node) {
  return decode<Policy>(node);
}

void walk_notebook(const Notebook& notebook, const VisitLeaf& visit) {
  walk(notebook, [&](const std::vector<std::string>& path, const Shape& shape, const Value& value) {
    visit(path, shape, value);
  });
}

}  // namespace nbform
