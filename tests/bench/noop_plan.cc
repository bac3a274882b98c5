// A plan that finds nothing to do, for N notebooks, of Compute Engine or, with a second word `ec2`, of EC2:
// calls, CPU and memory of the client side alone. The answers are recorded from the simulator first, then
// replayed, so that the simulator's own work does not count.
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdlib>
#include <map>

#include "support/stage.h"

using namespace nbform;

namespace {

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

long resident_kib() {
  FILE* file = std::fopen("/proc/self/statm", "r");
  long total = 0, resident = 0;
  if (file == nullptr || std::fscanf(file, "%ld %ld", &total, &resident) != 2) resident = 0;
  if (file != nullptr) std::fclose(file);
  return resident * 4;
}

}  // namespace

int main(int argc, char** argv) {
  int n = argc > 1 ? std::atoi(argv[1]) : 1000;
  bool ec2 = argc > 2 && std::string_view(argv[2]) == "ec2";
  sim::Options options;
  options.op_times = sim::OpTimes::instant;
  options.quotas = false;
  Stage stage(options);
  for (int i = 0; i < n; ++i) {
    std::string key = fmt::format("nb-{:05}", i);
    (ec2 ? stage.ec2_notebook(key) : stage.notebook(key)).labels["team"] = Text("research");
  }
  ApplyOptions wide;
  wide.parallelism = 1000;
  Outcome made = stage.apply(stage.plan(), wide);
  if (made.any_failed()) return fmt::print(stderr, "the world could not be made\n"), 1;

  std::size_t before = stage.env.exchanges().size();
  Planned warm = stage.plan();
  std::map<std::string, std::string> answers;
  for (std::size_t i = before; i < stage.env.exchanges().size(); ++i) {
    const sim::Exchange& e = stage.env.exchanges()[i];
    answers[e.url + " " + e.body] = e.answer;
  }

  FakeEnv replay;
  for (const char* method : {"GET", "POST"})
    replay.on(method, "*", [&](const Request& request) -> Result<Response> {
      std::string type = request.method == "GET" ? "application/json" : "text/xml";
      return Response{200, {{"Content-Type", type}}, answers.at(request.url + " " + request.body)};
    });
  PlanRequest request;
  request.manifest = &stage.manifest();
  request.accounts = {{"gcp", "acme-ml"}, {"aws", stage.aws_account}};
  request.diff.stack = stage.manifest().stack.label();
  request.diff.bare_stack = stage.manifest().stack.name;
  long memory = resident_kib();
  double began = cpu_seconds();
  Wire wire(replay, Stage::wire_options());
  Planned planned = make_plan(replay, wire, request);
  double cpu = cpu_seconds() - began;
  std::size_t bytes = 0;
  for (const auto& [asked, answer] : answers) bytes += answer.size();
  fmt::print(
      "{{\"bench\":\"noop_plan\",\"notebooks\":{},\"unchanged\":{},\"calls\":{},\"cpu_s\":{:.4f},\"answer_"
      "mib\":{:.1f},"
      "\"grown_mib\":{:.1f}}}\n",
      n, planned.plan.unchanged, planned.snapshot.calls, cpu, static_cast<double>(bytes) / 1048576,
      static_cast<double>(resident_kib() - memory) / 1024);
  return planned.plan.empty() && planned.plan.unchanged == n ? 0 : 1;
}
