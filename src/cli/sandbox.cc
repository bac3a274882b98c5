#include "cli/sandbox.h"

#include <fmt/format.h>

#include "base/json.h"
#include "cli/work_dir.h"

namespace nbform::cli {

namespace {

sim::World new_world() {
  sim::Options options;
  options.project = Sandbox::kProject;
  sim::World world(options);
  world.add_token(Sandbox::kToken, "you@sandbox");
  return world;
}

Result<sim::World> read_world(Env& outside, const std::string& path) {
  auto text = outside.read_file(path);
  if (!text.ok() && text.error().code == Code::not_found) return new_world();
  if (!text.ok()) return std::move(text).error();
  auto value = parse_json(*text);
  auto world = value.ok() ? sim::World::from_json(*value) : Result<sim::World>(value.error());
  if (world.ok()) return world;
  return error(Code::io, "The sandbox cannot be read", fmt::format("{}: {}", path, world.error().detail))
      .with_hint("Start a new one with\n    nbform sandbox reset");
}

Result<std::unique_ptr<FileLock>> lock_world(Env& outside, const std::string& directory) {
  auto lock = outside.lock_file(directory + "/sandbox.lock");
  if (lock.ok() || lock.error().code != Code::lock_held) return lock;
  return error(Code::lock_held, "The sandbox is in use",
               fmt::format("Another nbform works in {} right now. Wait until it is done.", directory));
}

// Another one for each run, as request ids and waiting times depend on it; the same for the same world.
std::uint64_t seed_of(const sim::World& world) {
  return static_cast<std::uint64_t>(world.now().us) + world.events().size();
}

}  // namespace

Sandbox::Sandbox(Env& outside, std::string path, std::unique_ptr<FileLock> lock, sim::World world)
    : outside_(outside), path_(std::move(path)), lock_(std::move(lock)), world_(std::move(world)) {
  sim::SimOptions options;
  options.seed = seed_of(world_);
  env_ = std::make_unique<sim::SimEnv>(world_, outside_, options);
}

Result<std::unique_ptr<Sandbox>> Sandbox::open(Env& outside, const std::string& stack_directory) {
  std::string directory = NB_TRY(work_dir(outside, stack_directory));
  auto lock = NB_TRY(lock_world(outside, directory));
  std::string path = directory + "/sandbox.json";
  sim::World world = NB_TRY(read_world(outside, path));
  return std::unique_ptr<Sandbox>(new Sandbox(outside, path, std::move(lock), std::move(world)));
}

Result<> Sandbox::reset(Env& outside, const std::string& stack_directory) {
  std::string directory = NB_TRY(work_dir(outside, stack_directory));
  auto lock = NB_TRY(lock_world(outside, directory));
  auto removed = outside.remove_file(directory + "/sandbox.json");
  if (!removed.ok() && removed.error().code != Code::not_found) return removed;
  return Ok{};
}

AwsKeys Sandbox::aws_keys(const std::string& account) {
  std::string secret(sim::kAwsSecret);
  if (account.empty() || account == sim::kAwsAccount)
    return {std::string(sim::kAwsKeyId), Secret(secret), Secret()};
  std::string id = fmt::format("AKIA{}SBOX", account);
  world_.add_aws_key(id, secret, account, fmt::format("arn:aws:iam::{}:user/you", account));
  return {id, Secret(secret), Secret()};
}

Result<> Sandbox::save() {
  world_.advance(env_->now());
  return outside_.write_file(path_, to_json(world_.to_json()));
}

}  // namespace nbform::cli
