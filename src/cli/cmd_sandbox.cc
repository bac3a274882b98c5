// nbform sandbox: what befalls the simulated cloud of a stack. The commands are the World's own, as data.
#include <fmt/format.h>

#include <charconv>

#include "base/json.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/sandbox.h"
#include "cli/shell.h"
#include "sim/names.h"

namespace nbform::cli {

namespace {

struct SandboxOptions {
  std::string chdir = ".";
  std::string name, zone, machine = "*", hint, metric, limit, region = "*", file, clock, command;
  bool end = false, clear = false;
  std::string verb;
};

using Done = Result<std::string>;  // what to say

struct Vm {
  std::string project, zone;
  std::string name;   // in its cloud: an instance of EC2 goes by its id
  std::string shown;  // to people
  std::string state, machine;
  bool on_ec2 = false;
};

// "https://.../projects/P/zones/Z/instances/N" -> P.
std::string project_of(std::string_view link) {
  auto at = link.find("projects/");
  if (at == std::string_view::npos) return Sandbox::kProject;
  link.remove_prefix(at + 9);
  return std::string(link.substr(0, link.find('/')));
}

std::string name_tag(const Value& item) {
  for (const Value& tag : item["tagSet"].as_list())
    if (tag["key"].as_text() == "Name") return std::string(tag["value"].as_text());
  return {};
}

std::string text(const Value& value) {
  return std::string(value.as_text());
}

// Those that are gone are left out.
std::vector<Vm> all_vms(const sim::World& world) {
  std::vector<Vm> out;
  for (const Value& vm : world.resources("instances"))
    out.push_back({project_of(vm["selfLink"].as_text()), text(Value(last_segment(vm["zone"].as_text()))),
                   text(vm["name"]), text(vm["name"]), text(vm["status"]),
                   text(Value(last_segment(vm["machineType"].as_text()))), false});
  for (const Value& vm : world.resources("ec2.instances")) {
    std::string state = text(vm.at_path("instanceState/name")), name = name_tag(vm);
    if (state == "terminated") continue;
    out.push_back({"", text(vm.at_path("placement/availabilityZone")), text(vm["instanceId"]),
                   name.empty() ? text(vm["instanceId"]) : name, state, text(vm["instanceType"]), true});
  }
  return out;
}

// The one VM of that name, wherever it is.
Result<Vm> find_vm(const sim::World& world, const std::string& name) {
  std::vector<std::string_view> names;
  std::vector<Vm> all = all_vms(world);
  for (const Vm& vm : all) {
    if (vm.shown == name || vm.name == name) return vm;
    names.push_back(vm.shown);
  }
  std::string_view close = nearest(name, names);
  Diagnostic d =
      error(Code::usage, "There is no such VM in the sandbox", fmt::format("None is called {}.", name));
  if (!close.empty()) d.hint = fmt::format("Did you mean {}?", close);
  return d;
}

Done preempt(sim::World& world, const SandboxOptions& o) {
  Vm vm = NB_TRY(find_vm(world, o.name));
  NB_TRY(world.preempt(vm.project, vm.zone, vm.name));
  return fmt::format("{} in {} is being preempted.", o.name, vm.zone);
}

// EC2 alone starts again what it stopped.
Done resume(sim::World& world, const SandboxOptions& o) {
  Vm vm = NB_TRY(find_vm(world, o.name));
  if (!vm.on_ec2)
    return error(Code::usage, "Only EC2 starts Spot machines again by itself",
                 fmt::format("nbform start {} starts it.", o.name));
  NB_TRY(world.administer(Map{{"do", "resume"}, {"name", vm.name}}));
  return fmt::format("EC2 has capacity for {} again.", o.name);
}

Done administer(sim::World& world, const SandboxOptions& o) {
  Value command = NB_TRY(parse_json(o.command));
  if (auto vm = find_vm(world, std::string(command["name"].as_text())); vm.ok())
    command.map().set("name", vm->name);  // an instance of EC2 goes by its id there
  NB_TRY(world.administer(command));
  return std::string("Done.");
}

Done stockout(sim::World& world, const SandboxOptions& o) {
  NB_TRY(sim::check_zone_glob(o.zone));
  if (o.end) {
    world.end_stockout(o.zone);
    return fmt::format("{} has capacity again.", o.zone);
  }
  std::vector<std::string> zones;
  for (std::string_view zone : split(o.hint, ','))
    if (!trim(zone).empty()) zones.emplace_back(trim(zone));
  for (const std::string& zone : zones) NB_TRY(sim::check_zone_glob(zone));
  world.stockout(o.zone, o.machine, zones);
  return fmt::format("{} has no capacity for {}.", o.zone, o.machine == "*" ? "any machine" : o.machine);
}

Done quota(sim::World& world, const SandboxOptions& o) {
  double limit = 0;
  auto [end, problem] = std::from_chars(o.limit.data(), o.limit.data() + o.limit.size(), limit);
  if (problem != std::errc() || end != o.limit.data() + o.limit.size())
    return error(Code::usage, "That is no number", fmt::format("{} is no limit of a quota.", o.limit));
  NB_TRY(sim::check_quota_glob(o.metric));
  world.set_quota("*", o.region, o.metric, limit);
  return fmt::format("Quota {} is {} in {}.", o.metric, o.limit, o.region == "*" ? "every region" : o.region);
}

Done fault(Env& env, sim::World& world, const SandboxOptions& o) {
  if (o.clear) world.clear_faults();
  if (o.file.empty()) {
    if (o.clear) return std::string("No faults any more.");
    return error(Code::usage, "A file of faults is needed", "nbform sandbox fault FILE, or --clear.");
  }
  std::string text = NB_TRY(env.read_file(o.file, std::size_t{1} << 20));
  Value list = NB_TRY(parse_json(text));
  NB_TRY(world.add_faults(list));
  return plural(list.as_list().size(), "fault") + " added.";
}

Done clock(sim::World& world, const SandboxOptions& o) {
  Time before = world.now();
  std::string by = o.clock.starts_with('+') ? o.clock.substr(1) : o.clock;
  NB_TRY(world.administer(Map{{"do", "clock"}, {"advance", by}}));
  if (world.now() == before)
    return error(Code::usage, "That is no length of time",
                 fmt::format("{} should read +90s, +15m or +1h.", o.clock));
  return fmt::format("It is {} in the sandbox.", format_rfc3339(world.now()));
}

Done show(sim::World& world) {
  std::string out = fmt::format("virtual time {}\n", format_rfc3339(world.now()));
  for (const Vm& vm : all_vms(world))
    out += fmt::format("VM    {:<24} {:<18} {:<12} {}\n", vm.shown, vm.zone, vm.state, vm.machine);
  for (const Value& disk : world.resources("disks"))
    out +=
        fmt::format("disk  {:<24} {:<18} {:<12} {} GB\n", disk["name"].as_text(),
                    last_segment(disk["zone"].as_text()), disk["status"].as_text(), disk["sizeGb"].as_text());
  for (const Value& volume : world.resources("ec2.volumes"))
    out += fmt::format("disk  {:<24} {:<18} {:<12} {} GB\n", name_tag(volume),
                       volume["availabilityZone"].as_text(), volume["status"].as_text(),
                       volume["size"].as_int());
  out.pop_back();
  return out;
}

Done act(Shell& shell, const SandboxOptions& o) {
  if (o.verb == "reset") {
    NB_TRY(Sandbox::reset(shell.env, o.chdir));
    return std::string("The sandbox is empty.");
  }
  auto sandbox = NB_TRY(Sandbox::open(shell.env, o.chdir));
  sim::World& world = sandbox->world();
  Done done = o.verb == "preempt"    ? preempt(world, o)
              : o.verb == "resume"   ? resume(world, o)
              : o.verb == "do"       ? administer(world, o)
              : o.verb == "stockout" ? stockout(world, o)
              : o.verb == "quota"    ? quota(world, o)
              : o.verb == "fault"    ? fault(shell.env, world, o)
              : o.verb == "clock"    ? clock(world, o)
                                     : show(world);
  if (done.ok()) NB_TRY(sandbox->save());
  return done;
}

int run(Shell& shell, const SandboxOptions& options) {
  Done done = act(shell, options);
  if (!done.ok()) {
    shell.screen.report(done.error());
    return done.error().code == Code::lock_held ? kLockHeld : kError;
  }
  shell.screen.out(*done + "\n");
  return kFine;
}

Run declare(Flags& flags) {
  auto o = std::make_shared<SandboxOptions>();
  flags.text("-C,--chdir", o->chdir, "DIR", "The stack whose sandbox it is");
  auto verb = [&](const std::string& name, const std::string& help) {
    return flags.verb(name, help, [o, name] { o->verb = name; });
  };
  verb("preempt", "The cloud takes a Spot VM").positional("NAME", o->name, true, "The VM");
  verb("resume", "EC2 has capacity again for a Spot instance that it stopped")
      .positional("NAME", o->name, true, "The instance");
  Flags out = verb("stockout", "A zone has no capacity");
  out.positional("ZONE", o->zone, true, "May hold * and ?");
  out.text("--machine", o->machine, "TYPE", "Only this machine type; may hold * and ?");
  out.text("--hint", o->hint, "ZONES", "Zones that the cloud says have capacity, with commas");
  out.flag("--end", o->end, "Capacity is back");
  Flags limit = verb("quota", "Set the limit of a quota");
  limit.positional("METRIC", o->metric, true, "CPUS, NVIDIA_T4_GPUS, ...");
  limit.positional("N", o->limit, true, "The limit");
  limit.text("--region", o->region, "REGION", "Of one region, or global; else of every one");
  Flags faults = verb("fault", "Make requests fail as a file says (schemas/faults.schema.json)");
  faults.positional("FILE", o->file, false, "A JSON list of {match, do, times}");
  faults.flag("--clear", o->clear, "Take earlier faults away first");
  verb("clock", "Let virtual time pass").positional("BY", o->clock, true, "+90s, +1h, ...");
  verb("do", "One command of the simulator's own (docs/simulator.md)")
      .positional("JSON", o->command, true, "{\"do\": \"ami\", \"parameter\": ...}");
  verb("show", "What is in the simulated cloud");
  verb("reset", "Start again with an empty cloud");
  return [o](Shell& shell) { return run(shell, *o); };
}

}  // namespace

const Command kSandboxCommand{
    "sandbox", "Now and then:", "Let things happen to the simulated cloud of --sandbox",
    "nbform sandbox preempt eda-spot\nnbform sandbox stockout us-central1-b --hint us-central1-f\n"
    "nbform sandbox clock +1h",
    declare};

}  // namespace nbform::cli
