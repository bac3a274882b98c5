#include "sim/variants.h"

#include <algorithm>
#include <array>

namespace nbform::sim {

namespace {
constexpr std::array kVariants = {
    Variant{"disk-name-attaches",
            "insert whose new disk has the name of an existing one attaches that one (default: 409)"},
    Variant{"disk-name-in-use", "the same, answered 400 resourceInUseByAnotherResource"},
    Variant{"exists-in-operation",
            "a taken name is an operation error RESOURCE_ALREADY_EXISTS (default: HTTP 409)"},
    Variant{"not-stopped-http",
            "a change that needs a stopped VM is HTTP 400 (default: operation error RESOURCE_NOT_READY)"},
    Variant{"live-scheduling-refused",
            "setScheduling needs a stopped VM even for restart and maintenance flags"},
    Variant{"spot-switch-refused", "provisioningModel cannot change, stopped or not"},
    Variant{"leftover-disks", "a failed insert leaves the disks it made (default: they are rolled back)"},
    Variant{"stale-in-operation",
            "a stale fingerprint is an operation error CONDITION_NOT_MET (default: HTTP 412)"},
    Variant{
        "slow-visibility",
        "a new VM answers 404 until its operation is half done; in EC2 every new id is not found for a while "
        "(default: visible at once)"},
    Variant{"flickering-visibility",
            "in its first seconds a new VM (EC2: every new id) is sometimes seen and sometimes not"},
    Variant{"preemptible-absent", "preemptible is not filled in for SPOT (default: preemptible: true)"},
    Variant{"rate-limit-429", "rate limits are HTTP 429 (default: 403 rateLimitExceeded)"},
    Variant{"staging-after-done", "the insert and start operations are DONE while the VM is still STAGING"},
    Variant{"built-in-gpus-hidden", "guestAccelerators does not list GPUs built into the machine type"},
    Variant{"stockout-plain",
            "a stock-out is ZONE_RESOURCE_POOL_EXHAUSTED without details or zonesAvailable"},
    Variant{"spot-stockout-unsupported", "a stock-out of a Spot VM is UNSUPPORTED_OPERATION"},
    Variant{"dated-interface",
            "returnPartialSuccess is refused and lists are always partial, as in dated versions"},
    Variant{"early-wait", "operations.wait returns at once, whatever the state"},
    Variant{"quota-http",
            "a VM over quota is HTTP 403 quotaExceeded (default: operation error QUOTA_EXCEEDED)"},
    Variant{"late-operations", "an operation answers 404 until it runs (default: known at once)"},
    Variant{"request-ids-forgotten", "a repeated requestId is a new request (default: known for 60 minutes)"},
    Variant{"reads-stopped", "a stopped VM reads STOPPED (default: TERMINATED)"},
    Variant{"defaults-omitted", "members that are false or empty are not in answers"},
    Variant{"links-of-another-host",
            "links in answers begin with https://compute.googleapis.com/compute/v1/"},
    Variant{"links-as-paths", "links in answers begin with projects/"},
    Variant{"short-memory", "a finished operation is forgotten after a second (default: an hour)"},
    Variant{"no-preempted-record", "a preemption leaves no operation compute.instances.preempted"},
    Variant{"repeated-rows", "EC2: a page begins with the last item of the page before"},
    Variant{"shuffled-sets", "EC2: the items of a page, and of every set in it, come in any order"},
    Variant{"request-buckets",
            "EC2: requests of an action are limited by token buckets (default: unlimited)"},
    Variant{"token-regional", "EC2: a client token counts in its region, whatever zone is asked for"},
    Variant{"skew-auth-failure", "EC2: a clock too far off is AuthFailure 401 (default: RequestExpired 400)"},
    Variant{"opt-in-required", "EC2: a region not opted in is OptInRequired (default: AuthFailure)"},
    Variant{"volume-cooldown", "EC2: one modification of a volume in six hours (default: four in 24 hours)"},
    Variant{"unmodified-volume-empty",
            "EC2: DescribeVolumesModifications of an untouched volume is empty (default: NotFound)"},
    Variant{"spot-relaunch-tagged",
            "EC2: an instance that a spot request launches again has the tags of the first"},
};
}  // namespace

std::span<const Variant> variants() {
  return kVariants;
}

bool is_variant(std::string_view name) {
  return std::any_of(kVariants.begin(), kVariants.end(), [&](const Variant& v) { return v.name == name; });
}

}  // namespace nbform::sim
