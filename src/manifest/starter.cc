#include "manifest/starter.h"

#include <fmt/format.h>

#include "base/text.h"

namespace nbform {
namespace {

constexpr std::string_view kSpotManifest = R"(# A nearly free notebook: a Deep Learning VM on Spot capacity.
#
#   nbform plan                what would be made, and what changing it later would do
#   nbform apply               makes it; a second apply does nothing
#   nbform plan --sandbox      the same against a simulated cloud: no account, no network
nbform: 1
stack: {name: gce-spot, id: @ID@}

notebooks:
  eda-spot:
    service: gce
    where: [us-central1-b, us-central1]   # in order of preference; a region means any of its zones
    machine: e2-standard-2
    image:
      family: common-cu129-ubuntu-2404-nvidia-580
      project: deeplearning-platform-release
    disks: {boot: 200GB}
    spot:
      market: spot
      on_preemption: stop    # the machine is stopped, its disk and data stay (and are billed)
      restart: true          # plan a start after a preemption
    setup:
      shutdown_script: save-work.sh
    access:
      tunnel: 8080
)";

constexpr std::string_view kSaveWork = R"(#!/bin/sh
# Runs when the machine stops; before a preemption there are about 30 seconds for it.
# What is on the disk survives a stop. Jupyter writes notebooks there by itself; this gets everything else out of memory.
set -u
logger -t save-work "the machine stops: writing everything to disk"
sync
# Work that must outlive the machine, too, goes to a bucket:
#   gsutil -m rsync -r /home/jupyter gs://MY-BUCKET/eda-spot
)";

std::string replaced(std::string_view text, std::string_view what, std::string_view with) {
  std::string out(text);
  for (auto at = out.find(what); at != std::string::npos; at = out.find(what, at + with.size()))
    out.replace(at, what.size(), with);
  return out;
}

}  // namespace

std::string starter_manifest(const Starter& s) {
  std::string out = fmt::format(
      "nbform: 1\nstack: {{name: {}, id: {}}}\n\nnotebooks:\n  {}:\n    service: {}\n    where: {}\n",
      s.stack, s.id, s.notebook, s.service, s.where);
  if (!s.gpu.empty()) out += fmt::format("    gpu: {}\n", s.gpu);
  if (s.spot) out += "    spot: true\n";
  return out;
}

std::vector<std::string_view> example_names() {
  return {"spot"};
}

std::vector<StarterFile> example_files(std::string_view name, const std::string& id) {
  if (name != "spot") return {};
  return {{"notebooks.nb.yaml", replaced(kSpotManifest, "@ID@", id)},
          {"save-work.sh", std::string(kSaveWork), true}};
}

std::string legal_name(std::string_view text) {
  std::string out;
  for (char c : to_lower(text)) {
    bool letter = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';
    if (letter || (digit && !out.empty()))
      out += c;
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  if (out.size() > 40) out.resize(40);
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out;
}

}  // namespace nbform
