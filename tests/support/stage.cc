#include "support/stage.h"

#include <fmt/format.h>

#include <algorithm>

namespace nbform {

namespace {
sim::SimOptions recording() {
  sim::SimOptions options;
  options.record = true;
  return options;
}
}  // namespace

sim::Options Stage::default_options() {
  return {};
}

Stage::Stage(sim::Options options) : world(options), env(world, outside, recording()) {
  world.add_token("sandbox", "tester@example.com");
  manifest_.stack = {"research", "3f9a1c2e", {}};
}

Notebook sample_notebook(const std::string& key) {
  Notebook n;
  n.key = n.name = key;
  n.service = "gce";
  n.cloud = "gcp";
  n.where = {"us-central1-b"};
  n.machine.type = Text("e2-standard-2");
  Image image;
  image.family = Text("common-cu129-ubuntu-2404-nvidia-580");
  n.image = Setting<Image>(image);
  Disk boot;
  boot.size_gb = Number(200);
  n.disks["boot"] = Setting<Disk>(boot);
  return n;
}

Notebook& Stage::notebook(const std::string& key) {
  manifest_.notebooks.push_back(sample_notebook(key));
  return manifest_.notebooks.back();
}

Notebook& Stage::ec2_notebook(const std::string& key) {
  Notebook n;
  n.key = n.name = key;
  n.service = "ec2";
  n.cloud = "aws";
  n.where = {"us-west-2a"};
  n.machine.type = Text("g4dn.xlarge");
  manifest_.notebooks.push_back(std::move(n));
  return manifest_.notebooks.back();
}

WireOptions Stage::wire_options() {
  WireOptions options;
  options.sandbox_token = "sandbox";
  options.aws["aws"].sandbox =
      AwsKeys{std::string(sim::kAwsKeyId), Secret(std::string(sim::kAwsSecret)), Secret()};
  return options;
}

Planned Stage::plan(DiffOptions options, bool await_settling) {
  PlanRequest request;
  request.manifest = &manifest_;
  request.accounts = {{"gcp", "acme-ml"}, {"aws", aws_account}};
  options.stack = manifest_.stack.label();
  options.bare_stack = manifest_.stack.name;
  request.diff = std::move(options);
  request.await_settling = await_settling;
  Wire wire(env, wire_options());
  return make_plan(env, wire, request);
}

Outcome Stage::apply(const Planned& planned, ApplyOptions options) {
  Wire wire(env, wire_options());
  options.nonce = fmt::format("run-{}", ++runs_);
  Observer silent;
  return nbform::apply(env, wire, planned.plan, *planned.graph, planned.snapshot, options, silent);
}

std::vector<std::string> Stage::mutations() {
  std::vector<std::string> out;
  const auto& all = env.exchanges();
  for (; seen_ < all.size(); ++seen_) {
    const sim::Exchange& e = all[seen_];
    std::string path = parse_url(e.url)->path;
    if (e.method == "GET" || path.ends_with("/wait")) continue;
    auto at = path.find("/zones/");
    out.push_back(e.method + " " + path.substr(at == std::string::npos ? 0 : at + 1));
  }
  return out;
}

std::string text_of(const Planned& planned) {
  std::string out;
  for (const Diagnostic& d : planned.plan.diagnostics)
    out += fmt::format("{} {} {}\n", d.address, d.summary, d.detail);
  for (const Change& c : planned.plan.changes) {
    out += fmt::format("{} {} {}\n", action_name(c.action), c.address, c.reason_text);
    for (const Edit& e : c.edits)
      out += fmt::format("  {} {} -> {}\n", e.attr, canonical(e.before), canonical(e.after));
  }
  return out;
}

bool all_done(const Outcome& outcome) {
  return std::all_of(outcome.results.begin(), outcome.results.end(),
                     [](const ChangeResult& r) { return r.state == ChangeResult::State::done; });
}

}  // namespace nbform
