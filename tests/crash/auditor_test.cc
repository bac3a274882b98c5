// Each kind of violation in a forged log, and the lawful act beside it.
#include "auditor.h"
#include "base/json.h"
#include "support/catch.h"

using namespace nbform;
using namespace nbform::crash;

namespace {

const std::string kLink = "https://www.googleapis.com/compute/v1/projects/p/zones/";

const std::string kDiskLabels =
    R"({"labels": {"nbform-stack": "s", "nbform-notebook": "train", "nbform-part": "disk-data"}})";

// Writes a log line by line, a second each.
class Log {
 public:
  explicit Log(std::string project = "p") : project_(std::move(project)) { wish("run-1"); }

  Log& wish(const std::string& actor, const std::string& more = "", const std::string& power = "",
            const std::string& keep = "always") {
    std::string notebooks =
        R"({"train": {"keep": {"data": ")" + keep + R"("}, "power": ")" + power + R"("}})";
    return line("run", actor, "", R"({"notebooks": )" + notebooks + (more.empty() ? "" : ", " + more) + "}");
  }
  Log& line(const std::string& kind, const std::string& actor, const std::string& resource,
            const std::string& detail = "{}", const std::string& zone = "b") {
    Map out{{"time", ++time_ * 1'000'000}, {"kind", kind}, {"actor", actor},
            {"project", project_},         {"zone", zone}, {"resource", resource}};
    auto parsed = parse_json(detail);
    REQUIRE(parsed.ok());
    out.set("detail", *parsed);
    auditor_.read(Value(std::move(out)));
    return *this;
  }
  Log& machine(const std::string& name = "train", const std::string& actor = "run-1",
               const std::string& zone = "b", const std::string& stack = "s") {
    line("insert", actor, "instances/" + name, R"({"labels": )" + labels(stack, "instance") + "}", zone);
    return line("status", actor, "instances/" + name, R"({"before": "STAGING", "after": "RUNNING"})", zone);
  }
  Log& disk(const std::string& keep = "always", const std::string& actor = "run-1",
            const std::string& stack = "s") {
    return line("insert", actor, "disks/train-data",
                R"({"labels": )" + labels(stack, "disk-data", keep) + "}");
  }
  Log& attach(const std::string& actor = "run-1") {
    return line("attach", actor, "disks/train-data", R"({"instance": "train"})");
  }
  Log& detach(const std::string& actor = "run-1") {
    return line("detach", actor, "disks/train-data", R"({"instance": "train"})");
  }
  Log& status(const std::string& after, const std::string& actor, const std::string& by = "stop") {
    return line("status", actor, "instances/train",
                R"({"after": ")" + after + R"(", "by": ")" + by + R"("})");
  }
  Log& pass(std::int64_t seconds) {
    time_ += seconds;
    return *this;
  }
  Log& end(const std::string& expected = "any") {
    return line("end", "", "", R"({"expect": {"train": ")" + expected + R"("}})");
  }
  std::vector<std::string> found() const {
    std::vector<std::string> rules;
    for (const Violation& v : auditor_.violations()) rules.push_back(v.rule);
    return rules;
  }

 private:
  static std::string labels(const std::string& stack, const std::string& part,
                            const std::string& keep = "never") {
    return R"({"nbform-stack": ")" + stack + R"(", "nbform-notebook": "train", "nbform-part": ")" + part +
           R"(", "nbform-keep": ")" + keep + R"("})";
  }
  std::string project_;
  Auditor auditor_{{"s", "s_1"}};
  std::int64_t time_ = 0;
};

using Rules = std::vector<std::string>;

}  // namespace

TEST_CASE("auditor: an ordinary life is no violation") {
  Log log;
  log.disk().machine().attach().end("RUNNING");
  log.wish("run-2").status("STOPPING", "run-2").status("TERMINATED", "run-2");
  log.status("STAGING", "run-2", "start").status("RUNNING", "run-2", "start").end("RUNNING");
  log.wish("run-3", R"("destroy": ["train"])").detach("run-3").line("delete", "run-3", "instances/train");
  log.line("end", "", "", R"({"expect": {"train": "absent"}})");
  CHECK(log.found() == Rules{});
}

TEST_CASE("auditor: a second machine of one notebook, in whatever zone") {
  CHECK(Log().machine().machine("train", "run-1", "f").found() == Rules{"duplicate"});
  CHECK(Log().machine().machine("train", "run-1", "f", "s_1").found() == Rules{"duplicate"});
  Log refused = Log().machine().machine("train", "run-1", "f");
  CHECK(refused.line("delete", "run-1", "instances/train", R"({"by": "failed insert"})", "f").found() ==
        Rules{});
  CHECK(Log().machine().machine("clone", "colleague", "f").found() == Rules{});
  CHECK(Log().machine("clone", "colleague", "f").machine().found() == Rules{});  // a second old
  Log cloned = Log().machine("clone", "colleague", "f").pass(100);
  CHECK(Log(cloned).machine().found() == Rules{"duplicate"});
  std::string dark = R"({"unreachable": true})", bright = R"({"unreachable": false})";
  CHECK(Log(cloned).line("outage", "", "", dark, "f").machine().found() == Rules{});
  cloned.line("outage", "", "", dark, "f").line("outage", "", "", bright, "f");
  CHECK(cloned.machine().found() == Rules{"duplicate"});
  CHECK(Log().machine().line("delete", "colleague", "instances/train").machine().found() == Rules{});
}

TEST_CASE("auditor: what is made without labels") {
  CHECK(Log().disk("always", "run-1", "").found() == Rules{"unlabelled"});
  CHECK(Log().disk("always", "colleague", "").found() == Rules{});
}

TEST_CASE("auditor: hands off what is not ours, unless it is adopted") {
  auto strange = [] { return Log().machine("train", "colleague", "b", "other"); };
  std::string relabel = R"({"before": {}, "after": {"nbform-stack": "s"}})";
  CHECK(strange().status("STOPPING", "run-1").found() == Rules{"foreign"});
  CHECK(strange().line("labels", "run-1", "instances/train", relabel).found() == Rules{"foreign"});
  Log adopting = strange().wish("run-2", R"("adopt": ["b/train"])");
  CHECK(adopting.line("labels", "run-2", "instances/train", relabel).found() == Rules{});
  CHECK(Log().disk("always", "colleague", "other").machine().attach().found() == Rules{"foreign"});
}

TEST_CASE("auditor: what a run under way finds taken from it, it may finish") {
  std::string away = R"({"before": {}, "after": {}})";
  Log log = Log().machine().line("labels", "colleague", "instances/train", away);
  CHECK(Log(log).status("STOPPING", "run-1").found() == Rules{});
  CHECK(Log(log).wish("run-2").status("STOPPING", "run-2").found() == Rules{"foreign"});
}

TEST_CASE("auditor: data goes with consent, or where files and disk both say never") {
  auto used = [](const std::string& keep) { return Log().disk(keep).machine().attach().detach(); };
  std::string data = "disks/train-data";
  CHECK(used("always").line("delete", "run-1", data).found() == Rules{"lost data"});
  CHECK(used("until-destroy").line("delete", "run-1", data).found() == Rules{"lost data"});
  CHECK(used("never").line("delete", "run-1", data).found() == Rules{"lost data"});  // not in the files
  CHECK(used("never").wish("run-2", "", "", "never").line("delete", "run-2", data).found() == Rules{});
  auto asked = [&](const std::string& more, const std::string& keep) {
    return used("until-destroy").wish("run-2", more, "", keep).line("delete", "run-2", data).found();
  };
  CHECK(asked(R"("consent": ["train"])", "until-destroy") == Rules{});
  CHECK(asked(R"("consent": ["eda"])", "until-destroy") == Rules{"lost data"});
  CHECK(asked(R"("consent": ["train"])", "always") == Rules{"lost data"});
  CHECK(asked(R"("kept": ["train-data"])", "always") == Rules{});
  CHECK(used("always").line("delete", "colleague", data).found() == Rules{});
  CHECK(Log().disk().line("delete", "run-1", data).found() == Rules{});  // never used
}

TEST_CASE("auditor: a run does not talk itself into consent by relabelling first") {
  Log log;
  log.disk().machine().attach().wish("run-2", "", "", "never");
  log.line("labels", "run-2", "disks/train-data",
           R"({"before": {}, "after": {"nbform-stack": "s", "nbform-notebook": "train",
               "nbform-part": "disk-data", "nbform-keep": "never"}})");
  CHECK(log.detach("run-2").line("delete", "run-2", "disks/train-data").found() == Rules{"lost data"});
}

TEST_CASE("auditor: a disk that goes with its machine is whose doing the flag is") {
  auto flagged = [](const std::string& actor) {
    return Log().disk().machine().attach().line(
        "auto_delete", actor, "instances/train",
        R"({"after": {"autoDelete": true, "source": ")" + kLink + R"(b/disks/train-data"}})");
  };
  CHECK(flagged("colleague").detach("").line("delete", "", "disks/train-data").found() == Rules{});
  CHECK(flagged("run-1").detach("").line("delete", "", "disks/train-data").found() == Rules{"lost data"});
  CHECK(flagged("colleague").detach("run-1").line("delete", "run-1", "disks/train-data").found() ==
        Rules{"lost data"});
}

TEST_CASE("auditor: a machine is erased with consent, or by a destroy of what is declared") {
  auto gone = [](const std::string& more) {
    return Log().machine().wish("run-2", more).line("delete", "run-2", "instances/train").found();
  };
  CHECK(gone("") == Rules{"erased"});
  CHECK(gone(R"("destroy": ["train"])") == Rules{});
  CHECK(gone(R"("consent": ["*"])") == Rules{});
}

TEST_CASE("auditor: nobody's machine stays off, and what somebody stopped stays so") {
  auto stopped = [](const std::string& actor) {
    return Log().machine().status("STOPPING", actor).status("TERMINATED", actor);
  };
  CHECK(stopped("run-1").end().found() == Rules{"left off"});
  CHECK(stopped("colleague").end().found() == Rules{});
  CHECK(stopped("colleague").end("RUNNING").found() == Rules{"left off"});
  Log asked = stopped("run-1").wish("run-2", R"("stop": ["train"])");
  CHECK(Log(asked).end().found() == Rules{});
  CHECK(Log(asked).status("RUNNING", "run-1").end().found() == Rules{});  // run-2 died, and is forgotten
  asked.line("done", "run-2", "");
  CHECK(Log(asked).end().found() == Rules{});
  CHECK(Log(asked).status("RUNNING", "run-1").end().found() == Rules{"woken"});
  CHECK(Log().machine().wish("run-2", R"("stop": ["train"])").end().found() == Rules{});  // died, forgotten
  CHECK(stopped("colleague").status("RUNNING", "run-1", "start").end().found() == Rules{"woken"});
  CHECK(stopped("colleague").wish("run-2", "", "running").status("RUNNING", "run-2").end().found() ==
        Rules{});
  Log booting = stopped("colleague").status("STAGING", "run-1", "start");  // and then by itself
  CHECK(booting.status("RUNNING", "", "boot").end().found() == Rules{"woken"});
  auto taken = [](const std::string& wish, const std::string& known_until = "99000000") {
    Log log = Log().machine().status("TERMINATED", "", "preempted").line("run", "run-2", "", wish);
    log.line("operation", "", "operations/x",
             R"({"type": "compute.instances.preempted", "known_until": )" + known_until + R"(, "target": ")" +
                 kLink + R"(b/instances/train"})");
    return log.status("RUNNING", "run-2", "start").end().found();
  };
  CHECK(taken(R"({"notebooks": {"train": {}}})") == Rules{"woken"});
  CHECK(taken(R"({"notebooks": {"train": {"resumes": true}}})") == Rules{});
  CHECK(taken(R"({"notebooks": {"train": {"resumes": true}}})", "1") == Rules{"woken"});  // forgotten by then
  Log started = stopped("colleague").wish("run-2", R"("start": ["train"])");  // whether it got there or not
  CHECK(Log(started).end().found() == Rules{});
  CHECK(started.status("RUNNING", "").end().found() == Rules{});
}

TEST_CASE("auditor: with a label taken off, a machine is nobody's, and still none is made beside it") {
  std::string torn = R"({"before": {}, "after": {"nbform-stack": "s", "nbform-part": "instance"}})";
  Log log = Log().machine().line("labels", "colleague", "instances/train", torn).wish("run-2");
  CHECK(Log(log).status("STOPPING", "run-2").found() == Rules{"foreign"});
  CHECK(Log(log).machine("train", "run-2", "f").found() == Rules{"duplicate"});
  CHECK(Log(log).end("absent").found() == Rules{});
}

TEST_CASE("auditor: a colleague's copy is the colleague's") {
  Log log = Log().machine().machine("copy", "colleague", "f");
  CHECK(Log(log).line("delete", "colleague", "instances/train").end("absent").found() == Rules{});
  CHECK(Log(log).end("absent").found() == Rules{"orphan"});  // the notebook's own
}

TEST_CASE("auditor: what is hung on a machine that is already being deleted goes along") {
  std::string asked = R"({"method": "DELETE", "path": "/compute/v1/projects/p/zones/b/instances/train"})";
  std::string along = R"({"by": "autoDelete with instances/train"})";
  auto made = [] { return Log().machine().disk("always", "colleague", "other"); };
  auto gone = [&](Log log) {
    return log.detach().line("delete", "run-1", "disks/train-data", along).found();
  };
  CHECK(gone(made().line("request", "run-1", "", asked).attach("colleague")) == Rules{});
  CHECK(gone(made().attach("colleague").line("request", "run-1", "", asked)) == Rules{"foreign"});
}

TEST_CASE("auditor: a replace leaves a stopped machine stopped") {
  Log log = Log().machine().status("TERMINATED", "colleague").wish("run-2", R"("consent": ["*"])");
  log.line("delete", "run-2", "instances/train").machine("train", "run-2");
  CHECK(Log(log).end().found() == Rules{"woken"});
  CHECK(Log(log).status("STOPPING", "run-2").status("TERMINATED", "run-2").end().found() == Rules{});
}

TEST_CASE("auditor: orphans and what is missing") {
  CHECK(Log().end().found() == Rules{"missing"});
  CHECK(Log().machine().end("absent").found() == Rules{"orphan"});
  CHECK(Log().machine().disk().end().found() == Rules{"orphan"});  // declared
  CHECK(Log().machine().disk("never").line("run", "run-2", "").end().found() == Rules{"orphan"});
  CHECK(Log().machine().disk().line("run", "run-2", "").end().found() == Rules{});  // kept, in no file
  CHECK(
      Log().disk().machine().attach().line("insert", "run-1", "disks/copy", kDiskLabels, "f").end().found() ==
      Rules{"duplicate", "orphan"});
}

namespace {

std::string tags(const std::string& part) {
  std::string tag = R"({"key": "nbform:)";
  return R"("tagSet": [)" + tag + R"(stack", "value": "s"}, )" + tag + R"(notebook", "value": "train"}, )" +
         tag + R"(part", "value": ")" + part + R"("}])";
}

// An instance in its group, running.
Log ec2_log() {
  Log log("123456789012");
  log.line("insert", "run-1", "security-groups/sg-1", "{" + tags("security-group") + "}");
  log.line("insert", "run-1", "instances/i-1", "{" + tags("instance") + R"(, "groups": ["sg-1"]})");
  return log.line("status", "run-1", "instances/i-1", R"({"status": "running"})");
}

}  // namespace

TEST_CASE("auditor: a group that was let go is taken back once nobody uses it, or with who uses it") {
  std::string away = R"({"tagSet": []})", back = "{" + tags("security-group") + "}";
  Log log = ec2_log().line("tags", "run-1", "instances/i-1", away);
  log.line("tags", "run-1", "security-groups/sg-1", away).pass(10);
  auto taken = [&](Log then) { return then.line("tags", "run-2", "security-groups/sg-1", back).found(); };
  CHECK(taken(Log(log).wish("run-2")) == Rules{"foreign"});
  CHECK(taken(Log(log).wish("run-2", R"("adopt": ["i-1"])")) == Rules{});
  CHECK(taken(Log(log).line("delete", "colleague", "instances/i-1").wish("run-2")) == Rules{});
  Log strange = Log("123456789012").line("insert", "colleague", "security-groups/sg-1", away);
  CHECK(taken(strange.wish("run-2")) == Rules{"foreign"});
}

TEST_CASE("auditor: what EC2 took and starts again was not woken by anybody") {
  auto status = [](Log& log, const std::string& state, const std::string& actor = "") {
    log.line("status", actor, "instances/i-1", R"({"status": ")" + state + R"("})");
  };
  auto found = [&](const std::string& starter) {
    Log log = ec2_log();
    for (const char* state : {"stopping", "stopped"}) status(log, state);
    status(log.wish("run-2"), "pending", starter);
    status(log, "running");
    return log.end().found();
  };
  CHECK(found("") == Rules{});
  CHECK(found("run-2") == Rules{"woken"});
}

TEST_CASE("auditor: a second plan is empty, and sends nothing") {
  auto second = [] { return Log().machine().wish("run-2", R"("second": true)"); };
  CHECK(second().line("second", "run-2", "", R"({"changes": 0})").found() == Rules{});
  CHECK(second().line("second", "run-2", "", R"({"changes": 1})").found() == Rules{"second plan"});
  std::string post = R"({"method": "POST", "path": "/p/zones/b/instances/train/stop"})";
  std::string wait = R"({"method": "POST", "path": "/p/zones/b/operations/x/wait"})";
  CHECK(second().line("request", "run-2", "", post).found() == Rules{"second plan"});
  CHECK(second().line("request", "run-2", "", wait).found() == Rules{});
}
