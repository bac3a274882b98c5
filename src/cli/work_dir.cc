#include "cli/work_dir.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"

namespace nbform::cli {

namespace {

constexpr std::int64_t kFormat = 1;

std::string inventory_path(const std::string& stack_directory) {
  return stack_directory + "/.nbform/inventory.json";
}

Scope scope_of(const Value& entry) {
  return {std::string(entry["service"].as_text()), std::string(entry["cloud"].as_text()),
          std::string(entry["account"].as_text()), std::string(entry["region"].as_text())};
}

Value entry_of(const Scope& scope) {
  return Map{{"service", scope.service},
             {"cloud", scope.cloud},
             {"account", scope.account},
             {"region", scope.region}};
}

Result<Value> read_all(Env& env, const std::string& path) {
  auto text = env.read_file(path, std::size_t{1} << 20);
  if (!text.ok() && text.error().code == Code::not_found)
    return Value(Map{{"format", kFormat}, {"stacks", Map()}});
  if (!text.ok()) return std::move(text).error();
  auto value = parse_json(*text);
  if (value.ok() && (*value)["format"].as_int() == kFormat) return std::move(value).value();
  return error(Code::io, "The inventory cannot be read",
               fmt::format("{} is damaged or of another version.", path))
      .with_hint("It only remembers where the stack has been; delete it to go on without.");
}

}  // namespace

Result<std::string> work_dir(Env& env, const std::string& stack_directory) {
  std::string path = stack_directory + "/.nbform";
  NB_TRY(env.make_directory(path));
  if (!env.file_info(path + "/.gitignore").ok()) NB_TRY(env.write_file(path + "/.gitignore", "*\n"));
  return path;
}

Result<std::vector<Scope>> read_inventory(Env& env, const std::string& stack_directory,
                                          const std::string& stack) {
  Value all = NB_TRY(read_all(env, inventory_path(stack_directory)));
  std::vector<Scope> scopes;
  for (const Value& entry : all["stacks"][stack].as_list()) scopes.push_back(scope_of(entry));
  return scopes;
}

Result<> remember_scopes(Env& env, const std::string& stack_directory, const std::string& stack,
                         const std::vector<Scope>& scopes) {
  Value all = NB_TRY(read_all(env, inventory_path(stack_directory)));
  List& known = all.map()["stacks"].map()[stack].list();
  std::size_t before = known.size();
  for (const Scope& scope : scopes)
    if (std::find(known.begin(), known.end(), entry_of(scope)) == known.end())
      known.push_back(entry_of(scope));
  if (known.size() == before) return Ok{};
  NB_TRY(work_dir(env, stack_directory));
  return env.write_file(inventory_path(stack_directory), to_pretty_json(all));
}

}  // namespace nbform::cli
