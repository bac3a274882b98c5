// Attribute differences: one resource against one live thing.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "core/diff.h"

namespace nbform {

namespace {

List sorted(List list) {
  std::sort(list.begin(), list.end(),
            [](const Value& a, const Value& b) { return canonical(a) < canonical(b); });
  return list;
}

bool contains(const List& list, const Value& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

bool is_off(const Live& live) {
  return live.health.state == Health::State::stopped || live.health.state == Health::State::none;
}

Action effect_of(Mutability mutability, const Live& live) {
  switch (mutability) {
    case Mutability::live:
      return Action::update;
    case Mutability::stopped:
      return is_off(live) ? Action::update : Action::restart;
    case Mutability::at_rest:
      return is_off(live) ? Action::update : Action::pending;
    case Mutability::fixed:
      return Action::replace;
    case Mutability::create_only:
      return Action::none;
  }
  return Action::none;
}

Diagnostic shrink_refused(const Resource& resource, const Attr& attr, const Value& want, const Value& have) {
  Diagnostic d =
      error(Code::unsupported, "A disk cannot shrink",
            fmt::format("{} of {} is {} GB in the cloud and {} GB in the manifest. Cloud disks only grow.",
                        attr.title, resource.notebook, have.as_int(), want.as_int()));
  d.address = resource.notebook;
  if (resource.mark) d.mark = resource.mark(attr.from);
  d.hint =
      fmt::format("Write {}GB or more, or move the data to a new disk under another name.", have.as_int());
  return d;
}

class EditList {
 public:
  EditList(const Resource& resource, const Live& live) : resource_(resource), live_(live) {}

  void add(const Attr& attr, std::string path, std::string_view from, Value before, Value after) {
    Edit edit;
    edit.effect = effect_of(attr.mutability, live_);
    if (edit.effect == Action::none) return;
    edit.attr = std::move(path);
    edit.title = attr.title;
    if (auto dot = edit.attr.find('.'); dot != std::string::npos) edit.title += edit.attr.substr(dot);
    edit.before = std::move(before);
    edit.after = std::move(after);
    if (edit.effect != Action::update) edit.why = attr.why;
    if (resource_.mark) edit.mark = resource_.mark(from);
    const auto& hidden = resource_.secret_paths;
    edit.secret = std::find(hidden.begin(), hidden.end(), edit.attr) != hidden.end();
    items_.push_back(std::move(edit));
  }

  void add_entries(const Attr& attr, const Map& want, const Map& have) {
    for (const auto& [key, value] : want) {
      const Value* now = have.find(key);
      bool same = value.is_null() ? now == nullptr : now != nullptr && *now == value;
      if (same) continue;
      add(attr, fmt::format("{}.{}", attr.name, key), fmt::format("{}.{}", attr.from, key),
          now != nullptr ? *now : Value(), value);
    }
  }

  std::vector<Edit> take() { return std::move(items_); }

 private:
  const Resource& resource_;
  const Live& live_;
  std::vector<Edit> items_;
};

}  // namespace

bool satisfies(Sameness same, const Value& desired, const Value& live) {
  switch (same) {
    case Sameness::exact:
      return desired == live;
    case Sameness::set:
      return sorted(desired.as_list()) == sorted(live.as_list());
    case Sameness::superset:
      return std::all_of(desired.as_list().begin(), desired.as_list().end(),
                         [&](const Value& item) { return contains(live.as_list(), item); });
    case Sameness::entries:
      return std::all_of(desired.as_map().begin(), desired.as_map().end(), [&](const Map::Item& entry) {
        const Value* now = live.as_map().find(entry.first);
        return entry.second.is_null() ? now == nullptr : now != nullptr && *now == entry.second;
      });
    case Sameness::last_segment:
      return last_segment(desired.as_text()) == last_segment(live.as_text());
    case Sameness::remembered:
      return live.is_null() || desired == live;
    case Sameness::at_least:
      return live.as_int() == desired.as_int();
  }
  return false;
}

std::vector<Edit> edits_between(const Resource& resource, const Live& live, Diagnostics& problems) {
  EditList edits(resource, live);
  for (const Attr& attr : resource.kind->attrs()) {
    const Value* want = resource.attributes.find(attr.name);
    if (want == nullptr) continue;
    const Value* found = live.attributes.find(attr.name);
    const Value have = found != nullptr ? *found : resource.kind->absent_value(attr.name);
    if (satisfies(attr.same, *want, have)) continue;
    if (attr.mutability == Mutability::fixed && have.is_null()) continue;  // not read: unknown
    if (attr.same == Sameness::entries)
      edits.add_entries(attr, want->as_map(), have.as_map());
    else if (attr.same == Sameness::at_least && have.as_int() > want->as_int())
      problems.add(shrink_refused(resource, attr, *want, have));
    else
      edits.add(attr, std::string(attr.name), attr.from, have, *want);
  }
  return edits.take();
}

std::vector<std::string> postpone(std::vector<Edit>& edits, const Live& live) {
  std::vector<std::string> reasons;
  std::erase_if(edits, [&](const Edit& edit) {
    std::optional<std::string> why = live.kind->postpones(live, edit);
    if (why && std::find(reasons.begin(), reasons.end(), *why) == reasons.end()) reasons.push_back(*why);
    return why.has_value();
  });
  return reasons;
}

}  // namespace nbform
