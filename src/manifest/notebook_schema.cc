#include "manifest/notebook_schema.h"

#include "manifest/notebook_parts.h"

namespace nbform {

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
