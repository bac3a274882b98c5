// Whole commands in a sandbox whose files are a map: what they send, say and end with.
#include "base/json.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/sandbox.h"
#include "cli/shell.h"
#include "cli/work_dir.h"
#include "support/catch.h"
#include "support/fake_env.h"

using namespace nbform;
using namespace nbform::cli;

namespace {

const char* const kManifest = R"(nbform: 1
stack: demo
notebooks:
  eda:
    service: gce
    where: us-central1-b
    image: base
    spot: true
    labels: {team: research}
)";

class Desk {
 public:
  Desk() { write(kManifest); }

  void write(const std::string& manifest) { env.files["/work/demo.nb.yaml"] = manifest; }
  void replace(const std::string& from, const std::string& to) {
    std::string& text = env.files["/work/demo.nb.yaml"];
    REQUIRE(text.find(from) != std::string::npos);
    text.replace(text.find(from), from.size(), to);
  }

  // The words after `nbform`; -C and --sandbox are added. Gives the exit code.
  int run(std::vector<std::string> words) {
    out.clear();
    err.clear();
    words.insert(words.begin(), "nbform");
    words.insert(words.end(), {"-C", "/work"});
    if (words[1] != "sandbox") words.push_back("--sandbox");
    Parsed parsed =
        parse_command_line(words, {&kPlanCommand, &kApplyCommand, &kDestroyCommand, &kStartCommand,
                                   &kStopCommand, &kStatusCommand, &kForgetCommand, &kSandboxCommand});
    out += parsed.out;
    err += parsed.err;
    if (!parsed.run) return parsed.exit_code;
    Screen screen(out, err);
    Shell shell{env, screen, parsed.program};
    return parsed.run(shell);
  }

  // Effects of the simulated cloud's diary, "insert instances/eda".
  std::vector<std::string> effects() {
    std::vector<std::string> all;
    auto sandbox = Sandbox::open(env, "/work");
    for (const sim::Event& event : (*sandbox)->world().events())
      if (event.kind != "request" && event.kind != "operation")
        all.push_back(event.kind + " " + event.resource);
    return all;
  }

  bool said(std::string_view text) const { return out.find(text) != std::string::npos; }
  bool talked(std::string_view text) const { return err.find(text) != std::string::npos; }

  FakeEnv env;
  std::string out, err;
};

}  // namespace

TEST_CASE("plan, apply, plan again: nothing is left to do") {
  Desk desk;
  CHECK(desk.run({"plan", "--detailed-exitcode"}) == kChanges);
  CHECK(desk.said("+   eda  gce us-central1-b  create"));
  CHECK(desk.effects().empty());
  CHECK(desk.run({"apply", "-y", "--verify"}) == kFine);
  CHECK(desk.said("Verified"));
  std::size_t effects = desk.effects().size();
  CHECK(effects > 0);
  CHECK(desk.run({"plan", "--detailed-exitcode"}) == kFine);
  CHECK(desk.said("No changes. 1 notebook is as declared."));
  CHECK(desk.run({"apply", "-y"}) == kFine);
  CHECK(desk.effects().size() == effects);
}

TEST_CASE("without a terminal and without -y nothing is sent") {
  Desk desk;
  CHECK(desk.run({"apply"}) == kError);
  CHECK(desk.talked("Add -y"));
  CHECK(desk.effects().empty());
}

TEST_CASE("only a yes is a yes") {
  Desk desk;
  desk.env.typed = {"no"};
  CHECK(desk.run({"apply"}) == kError);
  CHECK(desk.effects().empty());
  desk.env.typed = {"yes"};
  CHECK(desk.run({"apply"}) == kFine);
  CHECK_FALSE(desk.effects().empty());
}

TEST_CASE("lost data wants the notebook's name, typed or given") {
  Desk desk;
  REQUIRE(desk.run({"apply", "-y"}) == kFine);
  desk.replace("image: base", "image: pytorch");
  std::size_t before = desk.effects().size();

  SECTION("-y is not enough") {
    CHECK(desk.run({"apply", "-y"}) == kDataLoss);
    CHECK(desk.talked("--allow-data-loss eda"));
    CHECK(desk.effects().size() == before);
  }
  SECTION("nor is another notebook's name, nor a yes") {
    CHECK(desk.run({"apply", "-y", "--allow-data-loss", "other"}) == kDataLoss);
    desk.env.typed = {"yes"};
    CHECK(desk.run({"apply"}) == kDataLoss);
    CHECK(desk.effects().size() == before);
  }
  SECTION("its name is") {
    desk.env.typed = {"eda"};
    CHECK(desk.run({"apply"}) == kFine);
    CHECK(desk.run({"plan", "--detailed-exitcode"}) == kFine);
  }
  SECTION("and so is the flag") {
    CHECK(desk.run({"apply", "-y", "--allow-data-loss=eda"}) == kFine);
  }
}

TEST_CASE("protect refuses before anything is sent") {
  Desk desk;
  desk.replace("    spot: true", "    protect: true\n    spot: true");
  REQUIRE(desk.run({"apply", "-y"}) == kFine);
  std::size_t before = desk.effects().size();
  CHECK(desk.run({"destroy", "-y"}) == kDataLoss);
  CHECK(desk.talked("protect"));
  CHECK(desk.effects().size() == before);
}

TEST_CASE("start and stop change power and nothing else") {
  Desk desk;
  REQUIRE(desk.run({"apply", "-y"}) == kFine);
  desk.replace("team: research", "team: vision");
  CHECK(desk.run({"stop", "eda", "-y"}) == kFine);
  CHECK(desk.run({"status"}) == kFine);
  CHECK(desk.said("stopped"));
  CHECK(desk.run({"start", "eda"}) == kFine);
  CHECK(desk.run({"plan"}) == kFine);
  CHECK(desk.said("labels.team research → vision"));
  CHECK(desk.run({"start", "eds"}) == kError);
  CHECK(desk.talked("Did you mean eda?"));
}

TEST_CASE("status: a renamed notebook is itself, and one that stops itself says so") {
  Desk desk;
  desk.replace("spot: true", "disks: {data: 50GB}\n    power: {max_uptime: 12h}");
  REQUIRE(desk.run({"apply", "-y"}) == kFine);
  desk.replace("  eda:", "  learn:\n    moved_from: eda");
  CHECK(desk.run({"status"}) == kFine);
  CHECK(desk.said("still labelled eda; apply renames it"));
  CHECK_FALSE(desk.said("not created"));
  CHECK_FALSE(desk.said("in no manifest"));
  CHECK_FALSE(desk.said("kept "));
  desk.replace("  learn:\n    moved_from: eda", "  eda:");
  CHECK(desk.run({"sandbox", "clock", "+13h"}) == kFine);
  CHECK(desk.run({"status"}) == kFine);
  CHECK(desk.said("stopped by its own limit or by somebody"));
}

TEST_CASE("what is asked for and left out by the selection is an error; nothing to destroy is said so") {
  Desk desk;
  CHECK(desk.run({"destroy", "-y"}) == kFine);
  CHECK(desk.said("Nothing to destroy."));
  desk.write(std::string(kManifest) + "  two: {service: gce, where: us-central1-b, image: base}\n");
  REQUIRE(desk.run({"apply", "-y"}) == kFine);
  CHECK(desk.run({"plan", "--target", "two", "--replace", "eda"}) == kError);
  CHECK(desk.talked("the selection leaves eda out"));
  CHECK(desk.run({"plan", "--exclude", "eda", "--restart", "eda"}) == kError);
  CHECK(desk.run({"plan", "--target", "eda", "--replace", "eda"}) == kFine);
}

TEST_CASE("a preempted notebook is seen, and time passes only in the sandbox") {
  Desk desk;
  REQUIRE(desk.run({"apply", "-y"}) == kFine);
  CHECK(desk.run({"sandbox", "preempt", "eda"}) == kFine);
  CHECK(desk.run({"sandbox", "clock", "+20m"}) == kFine);
  CHECK(desk.run({"status", "--json"}) == kFine);
  auto json = parse_json(desk.out);
  REQUIRE(json.ok());
  CHECK((*json)["notebooks"].at_path("0/state").as_text() == "preempted");
  CHECK((*json)["time"].as_text().starts_with("2026-11-21T12:2"));
  CHECK(desk.run({"sandbox", "clock", "soon"}) == kError);
}

TEST_CASE("capacity that is nowhere ends with 7, a quota with 1") {
  Desk desk;
  CHECK(desk.run({"sandbox", "stockout", "us-*"}) == kFine);
  CHECK(desk.run({"apply", "-y"}) == kNoCapacity);
  CHECK(desk.run({"sandbox", "stockout", "us-*", "--end"}) == kFine);
  CHECK(desk.run({"sandbox", "quota", "CPUS", "0"}) == kFine);
  CHECK(desk.run({"apply", "-y"}) == kError);
  CHECK(desk.said("run it again"));
}

TEST_CASE("an interrupted apply ends with 130, keeps the sandbox, and the next one goes on") {
  Desk desk;
  desk.env.interrupt();
  CHECK(desk.run({"apply", "-y"}) == kInterrupted);
  CHECK(desk.run({"apply", "-y"}) == kFine);
  CHECK(desk.run({"plan", "--detailed-exitcode"}) == kFine);
}

TEST_CASE("events are a line each, and stdout holds nothing else") {
  Desk desk;
  CHECK(desk.run({"apply", "--json"}) == kError);
  CHECK(desk.out.empty());
  CHECK(desk.run({"apply", "-y", "--json"}) == kFine);
  std::vector<std::string> names;
  for (std::string_view line : split(desk.out, '\n')) {
    if (line.empty()) continue;
    auto event = parse_json(line);
    REQUIRE(event.ok());
    names.emplace_back((*event)["event"].as_text());
  }
  REQUIRE(names.size() > 3);
  CHECK(names.front() == "plan");
  CHECK(names.back() == "end");
}

TEST_CASE("refresh-only sends nothing") {
  Desk desk;
  CHECK(desk.run({"apply", "--refresh-only"}) == kFine);
  CHECK(desk.said("Nothing is proposed"));
  CHECK(desk.effects().empty());
}

TEST_CASE("the sandbox is one command's at a time, and a damaged one says what to do") {
  Desk desk;
  {
    auto held = Sandbox::open(desk.env, "/work");
    REQUIRE(held.ok());
    CHECK(desk.run({"plan"}) == kLockHeld);
  }
  desk.env.files["/work/.nbform/sandbox.json"] = "{";
  CHECK(desk.run({"plan"}) == kError);
  CHECK(desk.talked("nbform sandbox reset"));
  CHECK(desk.run({"sandbox", "reset"}) == kFine);
  CHECK(desk.run({"plan"}) == kFine);
}

TEST_CASE("the inventory remembers scopes by stack, once each, in a directory that git ignores") {
  FakeEnv env;
  Scope scope{"gce", "gcp", "acme-ml", ""};
  CHECK(read_inventory(env, "/work", "demo").value().empty());
  REQUIRE(remember_scopes(env, "/work", "demo", {scope}).ok());
  REQUIRE(remember_scopes(env, "/work", "demo", {scope, {"gce", "gcp", "acme-old", ""}}).ok());
  CHECK(read_inventory(env, "/work", "demo")->size() == 2);
  CHECK(read_inventory(env, "/work", "other")->empty());
  CHECK(env.files.at("/work/.nbform/.gitignore") == "*\n");
  env.files["/work/.nbform/inventory.json"] = "not JSON";
  CHECK(read_inventory(env, "/work", "demo").error().code == Code::io);
}

TEST_CASE("a sandbox run reads no credentials and sends nothing outside") {
  Desk desk;
  desk.env.variables = {{"GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json"},
                        {"GOOGLE_COMPUTE_CUSTOM_ENDPOINT", "http://127.0.0.1:9/"}};
  CHECK(desk.run({"apply", "-y"}) == kFine);
  CHECK(desk.env.sent.empty());
  CHECK(desk.said("SANDBOX"));
  CHECK_FALSE(desk.said("127.0.0.1"));
}
