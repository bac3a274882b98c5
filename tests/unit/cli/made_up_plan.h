// Plans made up for the screen: kinds that need no cloud.
#pragma once

#include <fmt/format.h>

#include "core/kind.h"
#include "core/plan.h"

namespace nbform::test {

class MadeUpKind final : public Kind {
 public:
  explicit MadeUpKind(bool machine) : machine_(machine) {}
  std::string_view name() const override { return machine_ ? "made.machine" : "made.disk"; }
  std::string_view noun() const override { return machine_ ? "VM" : "disk"; }
  std::span<const Attr> attrs() const override { return {}; }
  std::vector<Step> create(const Resource&) const override { return {}; }
  std::vector<Step> update(const std::vector<Edit>&) const override { return {}; }
  std::vector<Step> destroy(const Live&) const override { return {}; }
  std::optional<Step> stop() const override { return machine_ ? std::optional<Step>(Step{}) : std::nullopt; }
  std::vector<Step> forget() const override { return {}; }
  Call read(const Scope&, std::string_view, std::string_view) const override { return {}; }
  Result<std::optional<Live>> found(const Scope&, const Response&, const Value&) const override {
    return std::optional<Live>();
  }
  Result<Live> decode(const Scope&, const Value&) const override { return Live{}; }
  std::optional<std::pair<std::string, std::string>> locate(std::string_view) const override { return {}; }
  Settlement settle(const Scope&, const Response&) const override { return {}; }
  void carry_over(Live&, const Live&) const override {}
  std::vector<std::string> consequences(const Change&) const override { return {}; }
  std::vector<std::string> notes(const Resource&, const Live&) const override { return {}; }
  std::string summary(const Resource&, const Attempt&) const override {
    return machine_ ? "e2-standard-2" : "disk data 200 GB";
  }
  std::string data_name(const Live& live) const override {
    return machine_ ? "boot disk" : "disk " + live.name;
  }

 private:
  bool machine_;
};

inline const Kind& machine_kind() {
  static const MadeUpKind kind(true);
  return kind;
}
inline const Kind& disk_kind() {
  static const MadeUpKind kind(false);
  return kind;
}

inline Edit edit(std::string attr, Value before, Value after, Action effect = Action::update) {
  Edit e;
  e.attr = e.title = std::move(attr);
  e.before = std::move(before);
  e.after = std::move(after);
  e.effect = effect;
  return e;
}

class PlanMaker {
 public:
  // Adds a change of `part`, and its notebook's line where there is none yet.
  PlanMaker& change(const std::string& notebook, const std::string& part, Action action,
                    std::vector<Edit> edits = {}) {
    Change c;
    c.address = notebook + "/" + part;
    c.notebook = notebook;
    c.action = action;
    c.kind = part == "instance" ? &machine_kind() : &disk_kind();
    c.edits = std::move(edits);
    Live live;
    live.kind = c.kind;
    live.id = live.name = notebook + "-" + part;
    live.zone = "us-central1-b";
    c.live = std::make_shared<Live>(live);
    line(notebook).changes.push_back(plan.changes.size());
    line(notebook).action = std::max(line(notebook).action, action);
    plan.changes.push_back(std::move(c));
    return *this;
  }

  NotebookPlan& line(const std::string& notebook) {
    for (NotebookPlan& known : plan.notebooks)
      if (known.key == notebook) return known;
    NotebookPlan fresh;
    fresh.key = notebook;
    fresh.service = "gce";
    fresh.place = "us-central1-b";
    plan.notebooks.push_back(fresh);
    return plan.notebooks.back();
  }

  Plan plan;
};

}  // namespace nbform::test
