// The AWS side of a stack: which entries of `clouds` are in use and how each is reached, and whose account
// the credentials of each are of. Knows no screen and no plan.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "cli/sandbox.h"
#include "engine/wire.h"
#include "manifest/load.h"

namespace nbform::cli {

// By entry of `clouds`, "aws" too where notebooks live there and nothing is declared. `sandbox`: null for the
// real thing.
std::map<std::string, AwsWireOptions> aws_entries(const Manifest& manifest, Sandbox* sandbox);

// What an entry's account is called where nobody can say: a scope that then fails.
inline constexpr std::string_view kUnknownAccount = "(unknown)";

// Asks AWS, for every entry at once. Without usable credentials it is the declared account: its lists fail
// then, and nothing else does. Errors: usage (the credentials are of another account than the declared one),
// cancelled.
Result<std::map<std::string, std::string>> aws_accounts(Env& env, Wire& wire, const Manifest& manifest,
                                                        const std::function<bool()>& stop);

// A region that the entry works in; "" where neither it nor a notebook names one.
std::string region_of_entry(const Manifest& manifest, const std::string& entry);

}  // namespace nbform::cli
