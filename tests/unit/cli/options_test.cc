#include "cli/options.h"

#include "cli/commands.h"
#include "cli/selection.h"
#include "cli/shell.h"
#include "support/catch.h"

using namespace nbform;
using namespace nbform::cli;

namespace {

struct Seen {
  bool yes = false;
  Output json;
  std::vector<std::string> targets;
  std::string directory;
  int parallelism = 16;
};
Seen seen;

const Command kProbe{"plan", "Group:", "Does nothing", "nbform plan x", [](Flags& flags) -> Run {
                       seen = Seen();
                       flags.positional("DIRECTORY", seen.directory, false, "where");
                       flags.flag("-y,--auto-approve", seen.yes, "yes");
                       flags.flag_or_file("--json", seen.json, "json");
                       flags.texts("--target", seen.targets, "NAME", "which");
                       flags.number("--parallelism", seen.parallelism, 1, 256, "how many");
                       return [](Shell&) { return 0; };
                     }};

struct Remote {
  std::string name, directory;
  std::vector<std::string> identities, command;
  bool tty = false;
};
Remote remote;

const Command kRemote{"ssh", "Group:", "Does nothing", "nbform ssh x", [](Flags& flags) -> Run {
                        remote = Remote();
                        flags.positional("NAME", remote.name, true, "where");
                        flags.rest("COMMAND", remote.command, "what");
                        flags.text("-C,--chdir", remote.directory, "DIR", "where");
                        flags.texts("-i,--identity", remote.identities, "FILE", "which");
                        flags.flag("-t,--tty", remote.tty, "tty");
                        return [](Shell&) { return 0; };
                      }};

Parsed parse(std::vector<std::string> argv) {
  return parse_command_line(argv, {&kProbe, &kRemote});
}

}  // namespace

TEST_CASE("Terraform's single-dash spellings are understood") {
  CHECK(parse({"nbform", "plan", "-auto-approve", "-target=a", "-target", "b*", "-json", "dir"}).run);
  CHECK(seen.yes);
  CHECK(seen.json.to_stdout());
  CHECK(seen.targets == std::vector<std::string>{"a", "b*"});
  CHECK(seen.directory == "dir");
}

TEST_CASE("--json=FILE names a file and --json takes no word") {
  CHECK(parse({"nbform", "plan", "--json=p.json"}).run);
  CHECK(seen.json.to == "p.json");
  CHECK_FALSE(seen.json.to_stdout());
  CHECK(parse({"nbform", "plan", "--json", "dir"}).run);
  CHECK(seen.directory == "dir");
}

TEST_CASE("the links stand for their commands") {
  CHECK(parse({"/usr/bin/nbplan", "-y"}).program == "nbplan");
  CHECK(parse({"nbform", "plan"}).program == "nbform plan");
}

TEST_CASE("mistakes on the command line end with 1 and a guess") {
  Parsed flag = parse({"nbform", "plan", "--targt", "x"});
  CHECK_FALSE(flag.run);
  CHECK(flag.exit_code == kError);
  CHECK(flag.err.find("Did you mean --target?") != std::string::npos);
  Parsed command = parse({"nbform", "plna"});
  CHECK(command.exit_code == kError);
  CHECK(command.err.find("Did you mean plan?") != std::string::npos);
  CHECK(parse({"nbform", "plan", "--parallelism", "0"}).exit_code == kError);
  CHECK(parse({"nbform"}).exit_code == kError);
}

TEST_CASE("help goes to stdout, ends with 0 and shows an example") {
  Parsed help = parse({"nbform", "plan", "--help"});
  CHECK(help.exit_code == kFine);
  CHECK(help.out.find("nbform plan x") != std::string::npos);
  CHECK(parse({"nbform", "--help"}).out.find("Does nothing") != std::string::npos);
}

TEST_CASE("a selection is targets and files, less what is excluded") {
  Manifest manifest;
  for (auto [key, file] : {std::pair{"class-a", "sub/class.nb.yaml"},
                           {"class-b", "sub/class.nb.yaml"},
                           {"eda", "sub/eda.nb.yaml"}}) {
    Notebook notebook;
    notebook.key = key;
    notebook.file = file;
    manifest.notebooks.push_back(notebook);
  }
  StackFlags flags;
  CHECK_FALSE(Selection::of(flags, manifest)->any());
  flags.targets = {"class-*"};
  flags.excludes = {"class-b"};
  auto selection = Selection::of(flags, manifest);
  CHECK(selection->has("class-a"));
  CHECK_FALSE(selection->has("class-b"));
  CHECK_FALSE(selection->has("eda"));
  flags = StackFlags();
  flags.files = {"eda.nb.yaml"};
  CHECK(Selection::of(flags, manifest)->has("eda"));
  CHECK_FALSE(Selection::of(flags, manifest)->has("class-a"));
  flags.files = {"sub/class.nb.yaml"};
  CHECK(Selection::of(flags, manifest)->has("class-a"));
  CHECK(flags.stack_directory().value() == "sub");
  flags.files = {"other.nb.yaml"};
  CHECK(Selection::of(flags, manifest).error().code == Code::usage);
  flags = StackFlags();
  flags.targets = {"clas-a"};
  auto wrong = Selection::of(flags, manifest)->fits({"class-a", "class-b", "eda"});
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().hint == "Did you mean class-a?");
}

TEST_CASE("what stands after the name is the command, as it is") {
  using Words = std::vector<std::string>;
  auto command_of = [](Words words) {
    words.insert(words.begin(), {"nbform", "ssh"});
    REQUIRE(parse(words).run);
    REQUIRE(remote.name == "train");
    return remote.command;
  };
  CHECK(command_of({"train"}).empty());
  CHECK(command_of({"train", "ls", "-la"}) == Words{"ls", "-la"});
  CHECK(command_of({"train", "-C", "x", "--chdir=y", "-tty", "--help"}) ==
        Words{"-C", "x", "--chdir=y", "-tty", "--help"});
  CHECK(remote.directory.empty());
  CHECK(command_of({"-C", "dir", "-i", "key", "-tty", "train", "a b", ""}) == Words{"a b", ""});
  CHECK(remote.directory == "dir");
  CHECK(remote.identities == Words{"key"});
  CHECK(remote.tty);
  CHECK(command_of({"-chdir", "dir", "-ikey", "train", "--", "--", "x"}) == Words{"--", "x"});
  CHECK(command_of({"--", "train", "x"}) == Words{"x"});
  CHECK_FALSE(parse({"nbform", "ssh", "--tyy", "train", "x"}).run);
  CHECK_FALSE(parse({"nbform", "ssh"}).run);
  CHECK(parse({"nbform", "ssh", "--help"}).out.find("COMMAND") != std::string::npos);
}
