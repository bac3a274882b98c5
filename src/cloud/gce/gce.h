// What the parts of the GCE service share: names of attributes, paths, references. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/attributes.h"
#include "cloud/cloud.h"
#include "core/kind.h"

namespace nbform {
class KeyWay;  // cloud/key_way.h
}

namespace nbform::gce {

const Kind& instance_kind();
const Kind& disk_kind();
const Kind& firewall_kind();

inline constexpr std::string_view kImageProject = "deeplearning-platform-release";
inline constexpr std::string_view kCloudPlatform = "https://www.googleapis.com/auth/cloud-platform";

inline constexpr std::int64_t kDefaultDiskGb = 100;
inline constexpr std::string_view kDefaultBootText = "boot disk balanced";  // on the plan's `defaults` line

inline constexpr std::string_view kLogin = "nbform";  // the user whose keys stand in the metadata

const SshAccess& ssh_access();
const Openings& openings();
const KeyWay& key_way(const Live& vm);
// As the guest agent reads a flag of the metadata.
bool is_metadata_true(std::string_view text);

void lower_notebook(const Notebook& notebook, const LowerContext& context, Graph& graph,
                    Diagnostics& problems);

// "projects/P/zones/Z/instances/N" of a selfLink, a partial path or a full URL; what has no "projects/"
// stays.
std::string_view resource_path(std::string_view link);
// Whether an answer's `name`, `zone` and names of disks are such as Compute gives (RFC 1035 labels), so that
// they may go into paths.
bool has_place(const Value& body);

// Zone and name of "projects/P/zones/Z/COLLECTION/N".
std::optional<std::pair<std::string, std::string>> zone_and_name(std::string_view id);

// POST/GET/... below "projects/P/zones/Z/". `request_id` goes into the query where it is not empty.
Call zonal(std::string_view method, const Scope& scope, std::string_view zone, std::string_view rest,
           std::string_view request_id = {}, Value body = {});

// What a Compute answer says: an operation under way, done, failed, or an HTTP refusal (Compute Engine:
// handling API responses).
Settlement settle_operation(const Scope& scope, const Response& answer);

// What a GET of one resource says, before it is decoded: null where there is none (404).
Result<std::optional<Live>> found_resource(const Kind& kind, const Scope& scope, const Response& answer,
                                           const Value& body);

// A GPU that comes with a machine type.
struct BuiltInGpu {
  std::string type;
  int count = 0;
};
std::optional<BuiltInGpu> built_in_gpu(std::string_view machine_type);
// "t4", "nvidia-tesla-t4", "T4" -> "nvidia-tesla-t4". A name that is not known stays as it is.
std::string accelerator_type(std::string_view model);
// The machine type that a GPU asks for where none is declared; "" where there is no usual one.
std::string machine_for_gpu(std::string_view accelerator, int count);

// Takes what only the boot disk knows over into its VM.
void fold_boot_disk(Live& instance, const Live& boot);

// Fact keys. All firewall rules of a project come with the list of ours.
std::string firewalls_fact(const Scope& scope);
void add_to_fact(Value& fact, const Value& firewall);  // null: begins it
std::string zones_fact(const Scope& scope);
std::string image_fact(std::string_view kind, std::string_view project, std::string_view reference);
Call fact_call(std::string_view key);
Result<std::string> add_fact(std::string_view key, const Response& answer, Value& fact);

// Lists.
std::vector<ListCall> lists(const Scope& scope, const Stack& stack);
std::unique_ptr<Listing> listing(const Scope& scope);

}  // namespace nbform::gce
