#include "cli/edit_words.h"
#include "made_up_plan.h"
#include "support/catch.h"

using namespace nbform;
using namespace nbform::cli;
using nbform::test::edit;
using nbform::test::PlanMaker;

namespace {

std::vector<std::string> texts(PlanMaker& maker, const std::string& notebook = "nb") {
  std::vector<std::string> out;
  for (const EditWords& words : words_of(maker.plan, maker.line(notebook))) out.push_back(words.text);
  return out;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("an edit says from what to what") {
  PlanMaker m;
  m.change("nb", "instance", Action::update,
           {edit("labels.team", "research", "vision"), edit("disks.boot.size", 100, 200),
            edit("labels.old", "x", {}), edit("tags", List{"ssh", "web"}, List{"web", "gpu"}),
            edit("power.max_uptime", 0, 7200)});
  CHECK(texts(m) == Texts{"labels.team research → vision", "disks.boot.size 100 GB → 200 GB",
                          "labels.old x → (none)", "tags +gpu −ssh", "power.max_uptime (none) → 2h 00m"});
}

TEST_CASE("what several parts change alike is said once") {
  PlanMaker m;
  m.change("nb", "disk-data", Action::update, {edit("labels.team", "a", "b")});
  m.change("nb", "instance", Action::update, {edit("labels.team", "a", "b")});
  m.plan.changes[0].edits[0].title = "disk labels.team";
  CHECK(texts(m) == Texts{"labels.team a → b"});
}

TEST_CASE("nbform's own labels are said as what they mean") {
  PlanMaker m;
  SECTION("keep, on the flag and on the label, is one edit of the disk's keep") {
    m.change("nb", "disk-data", Action::update, {edit("labels.nbform-keep", "always", "until_destroy")});
    CHECK(texts(m) == Texts{"disks.data.keep always → until-destroy"});
  }
  SECTION("the boot disk's flag and label") {
    m.change("nb", "instance", Action::update,
             {edit("disks.boot.keep", true, false), edit("boot_labels.nbform-keep", "never", "always")});
    CHECK(texts(m) == Texts{"disks.boot.keep never → always"});
  }
  SECTION("protect") {
    m.change("nb", "instance", Action::update, {edit("labels.nbform-protect", {}, "true")});
    CHECK(texts(m) == Texts{"protect"});
  }
  SECTION("a stack that got an id") {
    m.change("nb", "instance", Action::update,
             {edit("labels.nbform-stack", "research", "research_3f9a1c2e")});
    m.change("nb", "disk-data", Action::update,
             {edit("labels.nbform-stack", "research", "research_3f9a1c2e")});
    CHECK(texts(m) == Texts{"now belongs to stack research_3f9a1c2e"});
  }
  SECTION("what means nothing to a person is one word, and only where there is nothing else") {
    m.change("nb", "instance", Action::update,
             {edit("labels.nbform-image", {}, "x"), edit("labels.nbform-part", {}, "boot")});
    CHECK(texts(m) == Texts{"nbform's own labels"});
    m.plan.changes[0].edits.push_back(edit("labels.a", "1", "2"));
    CHECK(texts(m) == Texts{"labels.a 1 → 2"});
  }
}

TEST_CASE("a secret edit shows no value") {
  PlanMaker m;
  Edit e = edit("metadata.token", "hunter2", "hunter3");
  e.secret = true;
  m.change("nb", "instance", Action::update, {e});
  CHECK(texts(m) == Texts{"metadata.token (secret)"});
}

TEST_CASE("long texts are not shown, heavier edits come first") {
  PlanMaker m;
  m.change("nb", "instance", Action::restart,
           {edit("metadata.motd", "a\nb", "a\nc"),
            edit("machine", "n1-standard-4", "n1-standard-8", Action::restart)});
  CHECK(texts(m) == Texts{"machine n1-standard-4 → n1-standard-8", "metadata.motd changed"});
}

TEST_CASE("disks come and go by attachment") {
  PlanMaker m;
  Value disk = Map{{"disk", "nb-data"}, {"auto_delete", false}};
  m.change("nb", "instance", Action::update, {edit("disks.data", {}, disk), edit("disks.old", disk, {})});
  CHECK(texts(m) == Texts{"disks.data attached", "disks.old detached"});
}
