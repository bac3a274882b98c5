#include "cli/endpoint_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/aws_accounts.h"
#include "cloud/cloud.h"
#include "net/endpoints.h"

namespace nbform::cli {

namespace {

bool uses(const Manifest& manifest, std::string_view cloud_type) {
  return std::any_of(manifest.notebooks.begin(), manifest.notebooks.end(), [&](const Notebook& notebook) {
    const Service* service = find_service(notebook.service);
    return service != nullptr && service->cloud_type() == cloud_type;
  });
}

bool is_local(const std::string& base) {
  auto url = parse_url(base);
  return url && is_loopback(url->host);
}

// Where a cloud's notebooks are managed.
struct Seat {
  std::string cloud, base;
};

Result<std::vector<Seat>> seats_of(Wire& wire, const Manifest& manifest, const Lookup& env) {
  std::vector<Seat> seats;
  if (uses(manifest, "gcp")) {
    Endpoint compute = NB_TRY(google_endpoint("compute", env));
    seats.push_back({"gcp", compute.base});
  }
  for (const auto& [entry, options] : aws_entries(manifest, nullptr))
    if (std::string region = region_of_entry(manifest, entry); !region.empty()) {
      auto at = wire.aws(entry).endpoint("ec2", region);
      if (at.ok()) seats.push_back({entry, at->at.base});
    }
  return seats;
}

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> overridden_endpoints(Wire& wire,
                                                                              const Manifest& manifest,
                                                                              const Lookup& env) {
  std::vector<std::pair<std::string, std::string>> out;
  auto add = [&](const std::vector<Endpoint>& found) {
    for (const Endpoint& endpoint : found)
      if (std::pair one(endpoint.base, endpoint.overridden_by);
          std::find(out.begin(), out.end(), one) == out.end())
        out.push_back(std::move(one));
  };
  add(NB_TRY(google_overrides(env)));
  for (const auto& [entry, options] : aws_entries(manifest, nullptr)) {
    auto found = wire.aws(entry).overrides();
    if (found.ok()) add(*found);  // files that cannot be read are told of by the first request
  }
  return out;
}

Result<> check_one_world(Wire& wire, const Manifest& manifest, const Lookup& env) {
  std::vector<Seat> seats = NB_TRY(seats_of(wire, manifest, env));
  auto local = std::find_if(seats.begin(), seats.end(), [](const Seat& s) { return is_local(s.base); });
  auto live = std::find_if(seats.begin(), seats.end(), [](const Seat& s) { return !is_local(s.base); });
  if (local == seats.end() || live == seats.end()) return Ok{};
  return error(
             Code::usage, "One cloud is on this machine and another is live",
             fmt::format("{} is reached at {}, and {} at {}: half of this run would be a rehearsal and half "
                         "would be real.",
                         local->cloud, local->base, live->cloud, live->base))
      .with_hint("Point both at the simulator (nbsim env), or neither; --mixed-endpoints allows it.");
}

}  // namespace nbform::cli
