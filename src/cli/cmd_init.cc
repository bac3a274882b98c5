#include <fmt/format.h>

#include <filesystem>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/selection.h"
#include "cli/shell.h"
#include "manifest/load.h"
#include "manifest/starter.h"

namespace nbform::cli {

namespace {

constexpr std::string_view kFileName = "notebooks.nb.yaml";

struct InitOptions {
  std::string chdir, directory, stack, notebook, service, where, gpu, example;
  bool spot = false, yes = false;
};

// One answer; an empty line takes `fallback`.
class Questions {
 public:
  explicit Questions(Env& env) : env_(env) {}

  Result<std::string> ask(const std::string& question, const std::string& fallback) {
    std::optional<Result<std::string>> answer;
    std::string shown = fallback.empty() ? question + ": " : fmt::format("{} [{}]: ", question, fallback);
    env_.prompt(shown, [&](Result<std::string> line) { answer = std::move(line); });
    while (!answer && env_.step()) {
    }
    if (!answer) return error(Code::cancelled, "No answer", "The question was not answered.");
    if (!answer->ok()) return *answer;
    std::string text(trim(**answer));
    return text.empty() ? fallback : text;
  }

 private:
  Env& env_;
};

std::string new_id(Env& env) {
  return fmt::format("{:08x}", env.random(std::uint64_t{1} << 32));
}

class Init {
 public:
  Init(Shell& shell, const InitOptions& options) : shell_(shell), env_(shell.env), options_(options) {}

  Result<> run() {
    NB_TRY(find_directory());
    std::vector<StarterFile> files = NB_TRY(options_.example.empty() ? from_answers() : from_example());
    NB_TRY(check(files));
    if (!env_.file_info(directory_).ok()) NB_TRY(env_.make_directory(directory_));
    for (const StarterFile& file : files) NB_TRY(env_.write_file(path(file.name), file.text, false));
    report(files);
    return Ok{};
  }

 private:
  std::string path(std::string_view name) const {
    return (std::filesystem::path(directory_) / name).lexically_normal().generic_string();
  }

  Result<> find_directory() {
    if (!options_.chdir.empty() && !options_.directory.empty())
      return error(Code::usage, "Two directories",
                   fmt::format("Both -C {} and {} name the directory.", options_.chdir, options_.directory));
    directory_ = !options_.chdir.empty()       ? options_.chdir
                 : !options_.directory.empty() ? options_.directory
                                               : ".";
    auto names = env_.list_directory(directory_);
    for (const std::string& name : names.ok() ? *names : std::vector<std::string>{})
      if (name.ends_with(".nb.yaml"))
        return error(Code::exists, "There is a manifest already",
                     fmt::format("`{}` is there; init writes only a first one.", path(name)))
            .with_hint("`nbform explain` lists what may stand in it.");
    return Ok{};
  }

  Result<std::vector<StarterFile>> from_example() {
    auto files = example_files(options_.example, new_id(env_));
    if (!files.empty()) return files;
    auto names = example_names();
    return error(
        Code::usage, "No such example",
        fmt::format("There is no example `{}`. There is {}.", options_.example, fmt::join(names, ", ")));
  }

  Result<std::vector<StarterFile>> from_answers() {
    auto here = env_.file_info(directory_);
    std::string name = legal_name(last_segment(here.ok() ? here->resolved : directory_));
    Starter s;
    s.id = new_id(env_);
    s.stack = NB_TRY(answer(options_.stack, "Name of the stack", name.empty() ? "notebooks" : name));
    s.notebook = NB_TRY(answer(options_.notebook, "Name of the notebook", "nb"));
    s.service = NB_TRY(answer(options_.service, "Service: gce, workbench, ec2 or sagemaker", "gce"));
    s.where = NB_TRY(answer(options_.where, "Zone or region",
                            s.service == "ec2" || s.service == "sagemaker" ? "us-west-2" : "us-central1"));
    s.gpu = NB_TRY(answer(options_.gpu, "GPU, such as t4, or none", "none"));
    if (s.gpu == "none") s.gpu.clear();
    s.spot = options_.spot;
    return std::vector<StarterFile>{{std::string(kFileName), starter_manifest(s)}};
  }

  // What a flag gave, else what the user says, else (with -y) what is usual.
  Result<std::string> answer(const std::string& given, const std::string& question,
                             const std::string& fallback) {
    if (!given.empty()) return given;
    if (options_.yes) return fallback;
    auto said = Questions(env_).ask(question, fallback);
    if (!said.ok() && said.error().code == Code::usage)
      return error(Code::usage, "Nobody to ask", "There is no terminal to ask on.")
          .with_hint(
              "Give the answers: nbform init -y --service gce --where us-central1\nor take an example:  "
              "nbform init --example spot");
    return said;
  }

  // Answers are whatever somebody typed: nothing is written that `nbform validate` would refuse.
  Result<> check(const std::vector<StarterFile>& files) {
    Sources sources;
    sources.directory = sources.repository = "/stack";
    for (const StarterFile& file : files) {
      sources.files["/stack/" + file.name] = file.text;
      if (file.name.ends_with(".nb.yaml")) sources.manifests.push_back("/stack/" + file.name);
    }
    Vars vars;
    vars.environment["CI"] = std::nullopt;
    Loaded loaded = load(sources, vars);
    if (!loaded.diagnostics.has_errors()) return Ok{};
    for (const Diagnostic& d : loaded.diagnostics)
      if (d.severity == Severity::error) shell_.screen.report(d);
    return error(Code::usage, "Nothing was written", "With these answers the manifest would not be valid.");
  }

  void report(const std::vector<StarterFile>& files) {
    for (const StarterFile& file : files) shell_.screen.err(fmt::format("Wrote {}.\n", path(file.name)));
    std::string where = directory_ == "." ? "" : " " + directory_;
    shell_.screen.err(
        fmt::format("Next: nbform plan{0}, or without an account: nbform plan{0} --sandbox\n", where));
  }

  Shell& shell_;
  Env& env_;
  const InitOptions& options_;
  std::string directory_;
};

int run(Shell& shell, const InitOptions& options) {
  auto done = Init(shell, options).run();
  if (done.ok()) return kFine;
  shell.screen.report(done.error());
  return done.error().code == Code::cancelled ? kInterrupted : kError;
}

Run declare(Flags& flags) {
  auto o = std::make_shared<InitOptions>();
  flags.positional("DIR", o->directory, false, "Where to write; made where it is missing");
  flags.text("-C", o->chdir, "DIR", "The same");
  flags.text("--stack", o->stack, "NAME", "Name of the stack");
  flags.text("--name", o->notebook, "NAME", "Name of the notebook");
  flags.text("--service", o->service, "SERVICE", "gce, workbench, ec2 or sagemaker");
  flags.text("--where", o->where, "PLACE", "Zone or region");
  flags.text("--gpu", o->gpu, "GPU", "Such as t4 or \"t4 x2\"; none");
  flags.flag("--spot", o->spot, "Spot capacity");
  flags.text("--example", o->example, "NAME", "Write a whole example instead: spot");
  flags.flag("-y,--yes", o->yes, "Ask nothing: take what is usual for the rest");
  return [o](Shell& shell) { return run(shell, *o); };
}

}  // namespace

const Command kInitCommand{
    "init", "Manifests:", "Write a first manifest: asks, or takes flags",
    "nbform init\nnbform init -y --service gce --where us-central1 --spot\nnbform init demo --example spot",
    declare};

}  // namespace nbform::cli
