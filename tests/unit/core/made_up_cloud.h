// A made-up cloud of machines and disks for tests of the diff: its kinds, and a plan's input to build on. No
// service is involved.
#pragma once

#include <algorithm>
#include <array>

#include "core/arrange.h"
#include "core/diff.h"
#include "support/catch.h"

namespace nbform {

using Want = PowerPolicy::Want;
using HealthState = Health::State;

inline constexpr std::array kAttrs = {
    Attr{"size", "size", "machine", Mutability::stopped, Sameness::exact, "", "changes only while stopped"},
    Attr{"image", "image", "image", Mutability::fixed, Sameness::remembered, "", "made from its image"},
    Attr{"disk_gb", "disk", "disks", Mutability::live, Sameness::at_least, "", ""},
    Attr{"labels", "labels", "labels", Mutability::live, Sameness::entries, "", ""},
    Attr{"links", "network", "network", Mutability::fixed, Sameness::last_segment, "", ""},
    Attr{"tags", "tags", "tags", Mutability::live, Sameness::set, "", ""},
    Attr{"boot", "boot data", "setup", Mutability::at_rest, Sameness::remembered, "", "only while stopped"},
    Attr{"name_hint", "hint", "", Mutability::create_only, Sameness::exact, "", ""},
};

inline Step step(std::string id, Step::Needs needs = Step::Needs::any) {
  return {needs, std::move(id), "", [](const StepContext&) { return std::nullopt; }};
}

class FakeKind : public Kind {
 public:
  explicit FakeKind(bool machine) : machine_(machine) {}
  std::string_view name() const override { return machine_ ? "fake.machine" : "fake.disk"; }
  std::string_view noun() const override { return machine_ ? "machine" : "disk"; }
  std::span<const Attr> attrs() const override { return kAttrs; }
  std::vector<Step> create(const Resource&) const override { return {step("create")}; }
  std::vector<Step> update(const std::vector<Edit>& edits) const override {
    std::vector<Step> steps;
    for (const Edit& edit : edits)
      steps.push_back(step(
          edit.attr, edit.attr == "size" || edit.attr == "boot" ? Step::Needs::stopped : Step::Needs::any));
    return steps;
  }
  std::vector<Step> destroy(const Live&) const override { return {step("destroy")}; }
  std::optional<Step> stop() const override { return machine_ ? std::optional(step("stop")) : std::nullopt; }
  std::optional<Step> start() const override {
    return machine_ ? std::optional(step("start")) : std::nullopt;
  }
  std::optional<Step> mark_resume(bool set) const override {
    return machine_ ? std::optional(step(set ? "mark" : "unmark")) : std::nullopt;
  }
  std::vector<Step> forget() const override { return {step("forget")}; }
  Call read(const Scope&, std::string_view, std::string_view) const override { return {}; }
  Result<std::optional<Live>> found(const Scope&, const Response&, const Value&) const override {
    return std::optional<Live>();
  }
  Result<Live> decode(const Scope&, const Value&) const override { return Live(); }
  Settlement settle(const Scope&, const Response&) const override { return {}; }
  void carry_over(Live&, const Live&) const override {}
  std::vector<std::string> consequences(const Change&) const override { return {}; }
  std::optional<std::string> postpones(const Live& live, const Edit& edit) const override {
    if (edit.attr != "size" || live.tokens.find("busy") == nullptr) return std::nullopt;
    return "its size waits";
  }
  std::vector<std::string> openings(const Resource& resource, const Live*) const override {
    return resource.attributes.has("open") ? std::vector<std::string>{"tcp 443"} : std::vector<std::string>();
  }
  std::vector<std::string> notes(const Resource&, const Live&) const override { return {}; }
  std::optional<std::pair<std::string, std::string>> locate(std::string_view) const override {
    return std::nullopt;
  }
  std::string summary(const Resource&, const Attempt&) const override { return ""; }
  std::string data_name(const Live& live) const override { return "disk " + live.name; }

 private:
  bool machine_;
};

inline const FakeKind kMachine(true);
inline const FakeKind kDisk(false);
inline const Scope kScope{"fake", "c", "acct", ""};

struct Setup {
  Graph graph;
  Snapshot snapshot;
  DiffOptions options;

  Setup() {
    snapshot.scopes.push_back({kScope, true, {}, std::nullopt});
    options.stack = "s_1";
    options.bare_stack = "s";
    options.attempts = [](const Resource&, Diagnostics&) {
      return std::vector<Attempt>{{"z1", false}, {"z2", false}};
    };
  }

  Resource& want(const std::string& notebook, Map attributes = {}, const Kind& kind = kMachine,
                 std::string part = "instance") {
    Resource r;
    r.address = notebook + "/" + part;
    r.notebook = notebook;
    r.part = part;
    r.kind = &kind;
    r.scope = kScope;
    r.name = notebook;
    r.attributes = std::move(attributes);
    return graph[r.address] = r;
  }

  Live& have(const std::string& notebook, Map attributes = {}, const Kind& kind = kMachine,
             std::string part = "instance") {
    Live l;
    l.id = notebook + "/" + part + std::to_string(snapshot.live.size());
    l.name = notebook;
    l.kind = &kind;
    l.scope = kScope;
    l.zone = "z1";
    l.owner = {"s_1", notebook, part};
    l.attributes = std::move(attributes);
    l.health.state = kind.is_machine() ? HealthState::running : HealthState::none;
    l.erased_by_replace = kind.is_machine();
    l.holds_data = !kind.is_machine();
    l.pins = l.holds_data;
    snapshot.live.push_back(l);
    return snapshot.live.back();
  }

  Plan plan() { return diff(graph, snapshot, options); }
};

inline Action action_of(const Plan& plan, std::string_view key) {
  for (const NotebookPlan& line : plan.notebooks)
    if (line.key == key) return line.action;
  return Action::none;
}

inline std::vector<std::string> ids(const std::vector<Step>& steps) {
  std::vector<std::string> out;
  for (const Step& s : steps) out.push_back(s.id);
  return out;
}

}  // namespace nbform
