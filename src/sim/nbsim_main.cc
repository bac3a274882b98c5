// nbsim: the simulated cloud over HTTP, for real clients.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/json.h"
#include "base/text.h"
#include "sim/faults.h"
#include "sim/server.h"
#include "sim/variants.h"

namespace nbform::sim {

namespace {

constexpr std::string_view kHelp =
    R"help(nbsim: a simulated Google Cloud (Compute v1, OAuth, STS, metadata, IAP) and AWS (EC2, STS, SSM, IMDS) on loopback

  nbsim --port P [options]        serve; port 0 = any free one; the first line printed is the address
  nbsim env --port P [--dir D]    print the export lines that point clients at a running nbsim
  nbsim --list-variants           the switches for what is unconfirmed about the real cloud

  --faults FILE       fault script (JSON; schemas/faults.schema.json)
  --variant NAME      switch one unconfirmed point; repeatable
  --op-times T        realistic (default), fast, instant
  --latency MS        added to every answer
  --tls CERT KEY      serve https with these PEM files
  --log FILE.jsonl    one line for every request
  --world FILE        state: read at the start, written at the end
  --seed N            of ids, names and chances
  --auth on|off       off: requests need no token and no signature
  --quotas on|off     off: nothing is limited

Example:  nbsim --port 8085 --op-times fast &  eval "$(nbsim env --port 8085)"
)help";

struct CommandLine {
  bool env = false, list_variants = false, help = false;
  Options world;
  ServerOptions server;
  std::string faults, directory;
};

Diagnostic usage(std::string detail) {
  return error(Code::usage, "The command line is not understood", std::move(detail));
}

class ArgumentReader {
 public:
  ArgumentReader(int argc, char** argv) : args_(argv + 1, argv + argc) {}

  Result<CommandLine> read() {
    for (; at_ < args_.size(); ++at_) NB_TRY(one(args_[at_]));
    return line_;
  }

 private:
  Result<std::string> next(const std::string& flag) {
    if (at_ + 1 >= args_.size()) return usage(flag + " needs a value.");
    return args_[++at_];
  }
  Result<std::int64_t> number(const std::string& flag, std::int64_t most) {
    std::string text = NB_TRY(next(flag));
    std::int64_t n = Value(text).as_int(-1);
    if (n < 0 || n > most) return usage(fmt::format("{}: '{}' is no number from 0 to {}.", flag, text, most));
    return n;
  }
  Result<bool> on_off(const std::string& flag) {
    std::string text = NB_TRY(next(flag));
    if (text != "on" && text != "off") return usage(flag + " is on or off.");
    return text == "on";
  }
  Result<OpTimes> op_times(const std::string& flag) {
    std::string text = NB_TRY(next(flag));
    if (text == "realistic") return OpTimes::realistic;
    if (text == "fast") return OpTimes::fast;
    if (text == "instant") return OpTimes::instant;
    return usage(flag + " is realistic, fast or instant.");
  }
  Result<> variant(const std::string& flag) {
    std::string name = NB_TRY(next(flag));
    if (!is_variant(name))
      return usage(fmt::format("There is no variant '{}'; nbsim --list-variants names them.", name));
    line_.world.variants.insert(name);
    return Ok{};
  }

  Result<> one(const std::string& flag) {
    if (flag == "env" && at_ == 0)
      line_.env = true;
    else if (flag == "--help" || flag == "-h")
      line_.help = true;
    else if (flag == "--list-variants")
      line_.list_variants = true;
    else if (flag == "--variant")
      return variant(flag);
    else if (flag == "--op-times")
      line_.world.op_times = NB_TRY(op_times(flag));
    else if (flag == "--auth")
      line_.world.auth = NB_TRY(on_off(flag));
    else if (flag == "--quotas")
      line_.world.quotas = NB_TRY(on_off(flag));
    else if (flag == "--seed")
      line_.world.seed = static_cast<std::uint64_t>(NB_TRY(number(flag, INT64_MAX)));
    else
      return server_option(flag);
    return Ok{};
  }

  Result<> server_option(const std::string& flag) {
    if (flag == "--port")
      line_.server.port = static_cast<int>(NB_TRY(number(flag, 65535)));
    else if (flag == "--latency")
      line_.server.latency = std::chrono::milliseconds(NB_TRY(number(flag, 600'000)));
    else if (flag == "--faults")
      line_.faults = NB_TRY(next(flag));
    else if (flag == "--log")
      line_.server.log = NB_TRY(next(flag));
    else if (flag == "--world")
      line_.server.world = NB_TRY(next(flag));
    else if (flag == "--dir")
      line_.directory = NB_TRY(next(flag));
    else if (flag == "--tls") {
      line_.server.certificate = NB_TRY(next(flag));
      line_.server.key = NB_TRY(next(flag));
    } else
      return usage(fmt::format("There is no option '{}'; nbsim --help names them.", flag));
    return Ok{};
  }

  std::vector<std::string> args_;
  std::size_t at_ = 0;
  CommandLine line_;
};

Result<> add_fault_file(World& world, const std::string& path) {
  if (path.empty()) return Ok{};
  std::ifstream in(path, std::ios::binary);
  if (!in || std::filesystem::is_directory(path))
    return error(Code::not_found, "The fault script cannot be read", path);
  return world.add_faults(NB_TRY(parse_json(std::string(std::istreambuf_iterator<char>(in), {}))));
}

Result<> serve(CommandLine line) {
  World world(line.world);
  world.add_token("sandbox", "user@example.com");
  NB_TRY(add_fault_file(world, line.faults));
  Server server(std::move(world), line.server);
  std::string url = NB_TRY(server.bind());
  fmt::print("{}\n", url);
  std::fflush(stdout);
  server.run();
  return Ok{};
}

Result<> write_private(const std::string& path, const std::string& text) {
  ::umask(0077);
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  if (!(out << text) || !out.flush()) return error(Code::io, "A file cannot be written", path);
  return Ok{};
}

Result<std::string> env_directory(const std::string& asked) {
  if (!asked.empty()) return asked;
  const char* base = std::getenv("TMPDIR");
  std::string name = fmt::format("{}/nbsim-XXXXXX", base != nullptr ? base : "/tmp");
  if (::mkdtemp(name.data()) == nullptr) return error(Code::io, "No directory for the key can be made", name);
  return name;
}

Result<> print_env(const CommandLine& line) {
  if (line.server.port == 0) return usage("nbsim env needs --port.");
  bool tls = !line.server.certificate.empty();
  Value env = NB_TRY(fetch_env(line.server.port, tls));
  std::string dir = NB_TRY(env_directory(line.directory));
  NB_TRY(write_private(dir + "/key.json", to_pretty_json(env["key_file"])));
  NB_TRY(write_private(dir + "/token", std::string(env["token"].as_text())));
  std::string host = fmt::format("127.0.0.1:{}", line.server.port),
              root = (tls ? "https://" : "http://") + host;
  std::string project(env["project"].as_text());
  for (const auto& [name, value] : std::initializer_list<std::pair<std::string_view, std::string>>{
           {"CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE", root + "/compute/v1/"},
           {"GOOGLE_COMPUTE_CUSTOM_ENDPOINT", root + "/compute/v1/"},
           {"CLOUDSDK_API_ENDPOINT_OVERRIDES_IAP_TUNNEL", std::string(env["relay"].as_text())},
           {"CLOUDSDK_API_ENDPOINT_OVERRIDES_OSLOGIN", root + "/v1/"},
           {"CLOUDSDK_API_ENDPOINT_OVERRIDES_OAUTH2", root + "/oauth2/v3/"},
           {"GCE_METADATA_HOST", host},
           {"GOOGLE_APPLICATION_CREDENTIALS", dir + "/key.json"},
           {"CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", dir + "/token"},
           {"CLOUDSDK_CORE_PROJECT", project},
           {"GOOGLE_CLOUD_PROJECT", project},
           {"NBFORM_CHECKIP_URL", root + "/checkip"},
           {"AWS_ENDPOINT_URL", root},
           {"AWS_EC2_METADATA_SERVICE_ENDPOINT", root},
           {"AWS_ACCESS_KEY_ID", std::string(env["aws_key_id"].as_text())},
           {"AWS_SECRET_ACCESS_KEY", std::string(env["aws_secret"].as_text())},
           {"AWS_REGION", "us-west-2"},
           {"AWS_DEFAULT_REGION", "us-west-2"}})
    fmt::print("export {}='{}'\n", name, value);
  return Ok{};
}

Result<> run(int argc, char** argv) {
  CommandLine line = NB_TRY(ArgumentReader(argc, argv).read());
  if (line.help || argc == 1) {
    fmt::print("{}", kHelp);
    return Ok{};
  }
  if (line.list_variants) {
    for (const Variant& v : variants()) fmt::print("{:<28}{}\n", v.name, v.meaning);
    return Ok{};
  }
  return line.env ? print_env(line) : serve(std::move(line));
}

}  // namespace

}  // namespace nbform::sim

int main(int argc, char** argv) {
  auto result = nbform::sim::run(argc, argv);
  if (result) return 0;
  fmt::print(stderr, "nbsim: {}: {}\n", result.error().summary, result.error().detail);
  return 1;
}
