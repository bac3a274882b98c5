// One row for each key below a notebook: machine, GPU, image, disks, mounts, spot, power, access, identity,
// network, security, setup, budget. Data; only notebook_schema.cc uses it.
#pragma once

#include "manifest/notebook_values.h"

namespace nbform {

template <>
struct Schema<Machine> {
  static constexpr std::tuple fields{
      field("type", &Machine::type, kMachineType, "The cloud's machine type.", {.example = "e2-standard-2"}),
      field("min_cpu_platform", &Machine::min_cpu_platform, kCpuPlatform,
            "The oldest CPU generation to run on.", {.example = "Intel Ice Lake"}),
  };
  static constexpr Shape shape{.noun = "a map of type and min_cpu_platform",
                               .scalar = &kMachineType,
                               .expand = expand_to<kTypeKey>,
                               .list_reserved = true};
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
            {.fallback = "me on EC2; on GCE the network's own rules", .example = "[203.0.113.7/32]"}),
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

}  // namespace nbform
