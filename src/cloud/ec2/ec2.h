// What the parts of the EC2 service share: tags, calls, tokens, facts, GPU types. Pure; knows no transport
// and no signature. Wire facts: EC2 API 2016-11-15 (botocore 1.44.5's model).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/attributes.h"
#include "cloud/cloud.h"
#include "core/kind.h"

namespace nbform::ec2 {

const Kind& instance_kind();
const Kind& volume_kind();
const Kind& security_group_kind();
const Kind& key_pair_kind();

// Our words in tags. The owner's three are written by labels::write_owner.
namespace tag {
inline constexpr std::string_view kName = "Name";  // what consoles show; not ours alone
inline constexpr std::string_view kStack = "nbform:stack";
inline constexpr std::string_view kNotebook = "nbform:notebook";
inline constexpr std::string_view kPart = "nbform:part";
inline constexpr std::string_view kKeep = "nbform:keep";
inline constexpr std::string_view kProtect = "nbform:protect";
inline constexpr std::string_view kImage = "nbform:image";    // the reference, see image_text
inline constexpr std::string_view kBoot = "nbform:boot";      // digest of the boot data
inline constexpr std::string_view kLock = "nbform:locked";    // termination protection, which no list tells
inline constexpr std::string_view kResume = "nbform:resume";  // as labels::kResume
inline constexpr std::string_view kIncarnation = "nbform:incarnation";
inline constexpr std::string_view kForgotten = "nbform:forgotten";  // its client token is no sign any more
}  // namespace tag

inline constexpr std::int64_t kDefaultDiskGb = 100;
inline constexpr std::string_view kDefaultBoot = "boot disk";  // as lowered; the image tells the size
inline constexpr std::size_t kMaxUserData = 16384;             // bytes before base64
inline constexpr Duration kConsistent =
    std::chrono::minutes(3);  // reads may lag behind writes for so long (EC2: eventual consistency)

// --- the wire ---

Call call(std::string_view action, Map parameters = {});
Map filter(std::string_view name, List values);
// {Key, Value} of each entry that is not null.
List tag_list(const Map& tags);
Map tag_specification(std::string_view type, const Map& tags);
const Map& read_tags(const Value& item);                               // its tagSet
bool is_true(const Value& flag);                                       // XML's "true", or a boolean
std::string_view live_token(const Live& live, std::string_view name);  // "" where it has none

// What `read` asks for where no id is known yet: the owner, as one name.
std::string owner_name(const Owner& owner);
// Describe with a filter for one id, or for the owner that `name` spells: an empty answer, never an error,
// where the thing is not visible.
Call describe(std::string_view action, std::string_view id_filter, std::string_view name);
// The first of `items` that `gone` does not disown, decoded; none: not there.
bool never_gone(const Value& item);
Result<std::optional<Live>> found_item(const Kind& kind, const Scope& scope, const Response& answer,
                                       const List& items, bool (*gone)(const Value& item));

// "nbform-<h8 stack>-": what every client token of a stack begins with.
std::string token_prefix(std::string_view stack);
// "nbform-<h8 stack>-<h8 notebook>-<16 hex digits>" (42 characters): the digits are those of what the thing
// is to its notebook, how many-th it is, and the id of the notebook's group, which lives from a create to its
// destroy. Nothing that people may wish otherwise: of two who make it at the same time, one is refused.
std::string client_token(const Owner& owner, const StepContext& context);
const Live* own_group(const StepContext& context);  // of its notebook; null where there is none yet

// What the answer to a mutation or poll says, told by its outermost element. A poll's filter names the states
// that are waited for, so an empty answer means "not yet": it is pending without a poll of its own.
Settlement settle(const Scope& scope, const Response& answer);

// --- tags of a live thing ---

// Calls that bring the tags of `id` from `now` to `want`; none where nothing differs.
std::optional<Call> set_tags(std::string_view id, const Map& now, const Map& want);
std::optional<Call> delete_tags(std::string_view id, const Map& now, const Map& want);
Map without_own(const Map& tags);
// Steps of kinds that have one set of tags and one id: bring the tags to what was approved, delete the thing
// by `action` with its id as `parameter`, take our tags off.
std::vector<Step> tag_steps();
Step delete_step(std::string_view action, std::string_view parameter);
Step untag_step();

// "disk data is still optimizing (42 %) ...": EC2 takes no other modification of it meanwhile. None: it is
// not.
std::optional<std::string> modification_note(std::string_view what, const Live& live);
// Whether that keeps an edit of size, type, IOPS or throughput ("root_size_gb", with the prefix "root_")
// from being made now.
bool waits_for_modification(const Live& live, const Edit& edit, std::string_view prefix);

// --- machine types ---

struct TypeGpu {
  std::string model;  // "t4"
  int count = 0;
};
std::optional<TypeGpu> gpu_of_type(std::string_view type);  // none: none, or not known
// "T4", "nvidia-tesla-t4" -> "t4".
std::string gpu_model(std::string_view written);
// The smallest type with just so many; "" where there is none.
std::string type_for_gpu(std::string_view model, int count);
// "1, 4, 8": how many of a model types have; "" where none has it.
std::string gpu_counts(std::string_view model);
bool needs_proprietary_driver(std::string_view type);  // older than Turing: V100, P100, M60, K80
bool is_arm(std::string_view type);
// The quota whose vCPUs a type counts against: "L-DB2E81BA"; "" where it is not known.
std::string_view quota_code(std::string_view type, bool spot);

// --- images ---

// "ami ami-0123", "ssm /aws/...", "name amazon/Deep Learning *": as lowered and as remembered in a tag.
std::string image_text(std::string_view kind, std::string_view reference);
bool has_open_driver(std::string_view image_name);

// --- facts ---

std::string image_fact(std::string_view region, std::string_view image_text);
std::string offers_fact(std::string_view region, std::string_view type);
std::string subnets_fact(std::string_view region);
std::string type_fact(std::string_view region, std::string_view type);
std::string ways_fact(std::string_view region);                          // route tables
std::string quota_fact(std::string_view region, std::string_view code);  // of Service Quotas
const Value& fact_at(const Facts& facts, const std::string& key);        // null where it is not known
// Whether what has a public address there is reached; true where nobody could tell.
bool has_way_out(const Value& ways, std::string_view subnet, std::string_view vpc);
// Of each zone the subnet to launch in.
Map subnets_for(const Resource& machine, const Facts& facts);
bool is_optional_fact(std::string_view key);
bool fact_is_of(std::string_view key, const Scope& scope);
Call fact_call(std::string_view key);
Call fact_page(std::string_view key, std::string_view token);
Result<std::string> add_fact(std::string_view key, const Response& answer, Value& fact);

// --- service ---

// "us-west-2" of us-west-2, us-west-2b, us-west-2* and us-west-2-lax-1a; "" where a pattern leaves it open.
std::string region_of(std::string_view place);
const SshAccess& ssh_access();
const Openings& openings();

void lower_notebook(const Notebook& notebook, const LowerContext& context, Graph& graph,
                    Diagnostics& problems);
std::vector<Attempt> attempts(const Resource& resource, const Facts& facts, Diagnostics& problems);
void complete(Resource& resource, const Facts& facts);
std::vector<ListCall> lists(const Scope& scope, const Stack& stack);
std::unique_ptr<Listing> listing(const Scope& scope);

}  // namespace nbform::ec2
