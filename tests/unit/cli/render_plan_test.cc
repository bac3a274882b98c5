#include "cli/render_plan.h"

#include "base/text.h"
#include "made_up_plan.h"
#include "support/catch.h"

using namespace nbform;
using namespace nbform::cli;
using nbform::test::edit;
using nbform::test::PlanMaker;

namespace {

PlanScreen screen() {
  PlanScreen s;
  s.header = {"nbplan", "research", false, {}, 6};
  s.next = "nbform apply";
  return s;
}

ScopeStatus looked_in() {
  ScopeStatus status;
  status.scope = {"gce", "gcp", "acme-ml", ""};
  return status;
}

PlanMaker one_of_each() {
  PlanMaker m;
  m.plan.looked_in = {looked_in()};
  m.plan.took = std::chrono::milliseconds(800);
  m.plan.calls = 7;
  m.change("class-bob", "instance", Action::restart,
           {edit("machine", "n1-standard-4", "n1-standard-8", Action::restart)});
  m.line("class-bob").why = {"a machine type changes only while stopped"};
  m.line("class-bob").consequences = {"all disks kept", "memory and running kernels lost"};
  m.change("dlami", "instance", Action::replace,
           {edit("image", "pytorch-2-7", "pytorch-2-8", Action::replace)});
  m.line("dlami").consequences = {"boot disk ERASED", "data disk data kept"};
  m.line("dlami").lost = {"boot disk"};
  m.change("wb", "instance", Action::update, {edit("labels.team", "research", "vision")});
  return m;
}

}  // namespace

TEST_CASE("the plan screen") {
  PlanMaker m = one_of_each();
  CHECK(render_plan(m.plan, screen(), {}) ==
        "nbplan  research    gcp acme-ml     6 notebooks, read live in 0.8 s (7 calls)\n"
        "\n"
        "!   class-bob  gce us-central1-b  restart  machine n1-standard-4 → n1-standard-8\n"
        "        why       a machine type changes only while stopped\n"
        "        data      all disks kept · memory and running kernels lost\n"
        "-/+ dlami      gce us-central1-b  REPLACE  image pytorch-2-7 → pytorch-2-8\n"
        "        data      boot disk ERASED · data disk data kept\n"
        "~   wb         gce us-central1-b  update   labels.team research → vision\n"
        "\n"
        "~ change while it runs   ! stop, change, start   -/+ destroy and create\n"
        "\n"
        "Plan: 1 update, 1 restart, 1 replace (erases data), 0 destroy.\n"
        "Data of dlami would be lost. Next: nbform apply --allow-data-loss dlami\n");
}

TEST_CASE("consent that was given is not asked for again") {
  PlanMaker m = one_of_each();
  PlanScreen s = screen();
  s.consent = {"dlami"};
  s.next = "nbform apply --allow-data-loss dlami";
  std::string text = render_plan(m.plan, s, {});
  CHECK(text.ends_with("0 destroy.\nNext: nbform apply --allow-data-loss dlami\n"));
}

TEST_CASE("red is for lost data alone") {
  PlanMaker m = one_of_each();
  std::string text = render_plan(m.plan, screen(), {true, 0});
  const std::string red = "\x1b[1;31m";
  CHECK(text.find(red + "boot disk ERASED") != std::string::npos);
  CHECK(text.find(red + "REPLACE") != std::string::npos);
  m.plan.notebooks[1].lost.clear();
  m.plan.notebooks[1].consequences.clear();
  CHECK(render_plan(m.plan, screen(), {true, 0}).find(red) == std::string::npos);
}

TEST_CASE("notebooks with the same change collapse, and --full shows them all") {
  PlanMaker m;
  for (int i = 0; i < 40; ++i)
    m.change("class-" + std::string(1, static_cast<char>('a' + i / 10)) + std::to_string(i % 10), "instance",
             Action::update, {edit("labels.team", "a", "b")});
  PlanScreen s = screen();
  std::string text = render_plan(m.plan, s, {});
  CHECK(text.find("~   40 x class-*  gce us-central1-b  update  labels.team a → b\n") != std::string::npos);
  CHECK(text.find("class-a0") == std::string::npos);
  s.rows.full = true;
  std::string full = render_plan(m.plan, s, {});
  CHECK(full.find("class-a0") != std::string::npos);
  CHECK(full.find("class-d9") != std::string::npos);
}

TEST_CASE("what loses data never collapses") {
  PlanMaker m;
  for (const char* name : {"a", "b", "c", "d"}) {
    m.change(name, "instance", Action::replace);
    m.line(name).lost = {"boot disk"};
  }
  std::string text = render_plan(m.plan, screen(), {});
  CHECK(text.find("4 x") == std::string::npos);
  CHECK(text.find("--allow-data-loss a --allow-data-loss b --allow-data-loss c --allow-data-loss d") !=
        std::string::npos);
}

TEST_CASE("details name the manifest line of each edit") {
  PlanMaker m;
  Edit e = edit("labels.team", "a", "b");
  e.mark = {"demo.nb.yaml", 12, 5};
  m.change("nb", "instance", Action::update, {e});
  PlanScreen s = screen();
  CHECK(render_plan(m.plan, s, {}).find("demo.nb.yaml:12") == std::string::npos);
  s.rows.details = true;
  CHECK(render_plan(m.plan, s, {}).find("edit      labels.team a → b  demo.nb.yaml:12\n") !=
        std::string::npos);
}

TEST_CASE("an empty plan says so, and proposes nothing") {
  Plan plan;
  plan.unchanged = 6;
  std::string text = render_plan(plan, screen(), {});
  CHECK(text.find("No changes. 6 notebooks are as declared.\n") != std::string::npos);
  CHECK(text.find("Next") == std::string::npos);
}

TEST_CASE("a blocked notebook is shown and not counted") {
  PlanMaker m;
  m.change("nb", "instance", Action::create);
  m.change("ok", "instance", Action::create);
  m.plan.blocked = {"nb"};
  std::string text = render_plan(m.plan, screen(), {});
  CHECK(text.find("nb  gce us-central1-b  blocked") != std::string::npos);
  CHECK(text.find("Plan: 1 create, 0 destroy, 1 blocked.") != std::string::npos);
}

TEST_CASE("kept disks and what is elsewhere are listed") {
  Plan plan;
  Live disk;
  disk.kind = &test::disk_kind();
  disk.name = "old-data";
  disk.zone = "europe-west4-a";
  disk.scope.service = "gce";
  disk.owner = {"research", "old", "disk-data"};
  plan.kept = {disk};
  plan.elsewhere = {"VM x/instance is in no manifest; it is left alone"};
  std::string text = render_plan(plan, screen(), {});
  CHECK(text.find("=   kept  gce disk old-data in europe-west4-a, of notebook old") != std::string::npos);
  CHECK(text.find("nbform destroy --kept old-data") != std::string::npos);
  CHECK(text.find("VM x/instance is in no manifest") != std::string::npos);
}

TEST_CASE("the header says sandbox, endpoints and places that are not declared") {
  Plan plan;
  plan.looked_in = {looked_in(), looked_in()};
  plan.looked_in[1].scope.account = "acme-old";
  plan.looked_in[1].declared = false;
  PlanScreen s = screen();
  s.header.sandbox = true;
  s.header.endpoints = {{"http://127.0.0.1:8080/compute/v1/", "GOOGLE_COMPUTE_CUSTOM_ENDPOINT"}};
  std::string text = render_plan(plan, s, {});
  CHECK(text.find("SANDBOX, virtual time 1970-01-01 00:00 UTC") != std::string::npos);
  CHECK(text.find("gcp acme-ml · gcp acme-old (not declared") != std::string::npos);
  CHECK(text.find("endpoint http://127.0.0.1:8080/compute/v1/ (from GOOGLE_COMPUTE_CUSTOM_ENDPOINT)") !=
        std::string::npos);
}

TEST_CASE("a narrow terminal breaks lines, and nothing steers it") {
  PlanMaker m = one_of_each();
  m.change("evil", "instance", Action::update, {edit("labels.x", "\x1b[2Ja", "b\r")});
  std::string text = render_plan(m.plan, screen(), {false, 60});
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\r') == std::string::npos);
  for (std::string_view line : split(text, '\n')) CHECK(display_width(line) <= 60);
}

TEST_CASE("refresh-only proposes nothing") {
  PlanMaker m = one_of_each();
  PlanScreen s = screen();
  s.proposes = false;
  std::string text = render_plan(m.plan, s, {});
  CHECK(text.find("Nothing is proposed") != std::string::npos);
  CHECK(text.find("Next:") == std::string::npos);
}
