#include "effort.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "base/json.h"

namespace nbform::crash {

namespace {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kPart = 40;
#elif !defined(NDEBUG)
constexpr int kPart = 8;
#else
constexpr int kPart = 1;
#endif

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}
}  // namespace

int stride() {
  return kPart == 1 ? 1 : kPart / 5 + 1;
}

int seeds(int full) {
  std::string asked = variable("NBFORM_CRASH_COUNT");
  return asked.empty() ? full / kPart : std::atoi(asked.c_str());
}

bool in_shard(int seed) {
  int shard = 1, of = 1;
  std::sscanf(variable("NBFORM_CRASH_SHARD").c_str(), "%d/%d", &shard, &of);
  return seed % of == shard - 1;
}

void report(const std::string& name, const List& promises, Map figures, const std::string& input) {
  std::string shard = variable("NBFORM_CRASH_SHARD"), file = name;
  if (!shard.empty()) file += "-" + shard.substr(0, shard.find('/'));
  std::cout << name << ": " << to_json(figures) << std::endl;
  std::string directory = variable("NBFORM_REPORT");
  if (directory.empty()) return;
  Map out{{"name", name},
          {"promise", promises},
          {"figures", std::move(figures)},
          {"input", input},
          {"run", "sh tests/run.sh --suite crash"}};
  if (!shard.empty()) out.set("shard", shard);
  std::ofstream(directory + "/" + file + ".json") << to_pretty_json(out) << "\n";
}

}  // namespace nbform::crash
