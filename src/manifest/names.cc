// Names across notebooks: what two of them would share in the cloud, and what was renamed to what.
#include <fmt/format.h>

#include "base/text.h"
#include "manifest/rules.h"
#include "manifest/scalar.h"

namespace nbform {

namespace {

// Whether a machine of each could land in one place.
bool may_meet(const Notebook& a, const Notebook& b) {
  auto meets = [](const std::string& x, const std::string& y) {
    if (is_glob(x) || is_glob(y))
      return glob_match(x, y) || glob_match(y, x) || (is_glob(x) && is_glob(y)) || glob_match(x, y + "-a") ||
             glob_match(y, x + "-a");
    return x == y || x.starts_with(y + "-") || y.starts_with(x + "-");
  };
  for (const std::string& x : a.where)
    for (const std::string& y : b.where)
      if (meets(x, y)) return true;
  return false;
}

struct CloudName {
  const Built* built;
  std::string what;  // "the machine of train", "its boot disk"
  Span at;
};

void add_disk_names(const Built& b, std::map<std::string, std::vector<CloudName>>& names) {
  const Notebook& nb = b.notebook;
  std::string space = nb.cloud + "/disk/";
  if (nb.service == "gce")
    names[space + nb.name].push_back({&b, fmt::format("the boot disk of `{}`", nb.key), b.key});
  if (nb.service == "workbench") {
    names[space + nb.name + "-boot"].push_back({&b, fmt::format("the boot disk of `{}`", nb.key), b.key});
    names[space + nb.name + "-data"].push_back({&b, fmt::format("the data disk of `{}`", nb.key), b.key});
    return;
  }
  if (nb.service != "gce") return;
  for (const auto& [name, disk] : nb.disks)
    if (auto at = b.disks.find(name); name != "boot" && disk.set() && at != b.disks.end())
      names[space + nb.name + "-" + name].push_back(
          {&b, fmt::format("the disk `{}` of `{}`", name, nb.key), at->second});
}

void check_old_name(const Built& b, const std::map<std::string, const Built*>& keys,
                    std::map<std::string, const Built*>& moved, Report& report) {
  std::string old = b.notebook.moved_from.value_or("");
  if (old.empty()) return;
  if (auto there = keys.find(old); there != keys.end())
    report.error(b.moved_from, "Still declared",
                 old == b.notebook.key
                     ? fmt::format("`{}` was never called otherwise. Drop `moved_from`.", old)
                     : fmt::format("`{}` was `{}`, and `{}` is declared too ({}). A notebook that moved is "
                                   "declared under its new name only.",
                                   b.notebook.key, old, old, report.where(there->second->key)),
                 {}, {there->second->key});
  auto [first, fresh] = moved.emplace(old, &b);
  if (!fresh)
    report.error(b.moved_from, "Moved twice",
                 fmt::format("Both `{}` ({}) and `{}` say that they were `{}`. Only one can be.",
                             first->second->notebook.key, report.where(first->second->moved_from),
                             b.notebook.key, old),
                 {}, {first->second->moved_from});
}

}  // namespace

void check_names(const std::vector<Built>& all, Report& report) {
  std::map<std::string, std::vector<CloudName>> names;
  for (const Built& b : all) {
    std::string kind = b.notebook.service == "sagemaker" ? "/notebook/" : "/machine/";
    names[b.notebook.cloud + kind + b.notebook.name].push_back(
        {&b, fmt::format("the machine of `{}`", b.notebook.key), b.name});
    add_disk_names(b, names);
  }
  for (const auto& [key, users] : names)
    for (std::size_t i = 1; i < users.size(); ++i) {
      const CloudName &a = users[0], &b = users[i];
      if (!may_meet(a.built->notebook, b.built->notebook) || a.built->notebook.key == b.built->notebook.key)
        continue;
      report.error(b.at, "Name used twice",
                   fmt::format("In the cloud {} would be named `{}`, as {} ({}). Rename one, or set `name`.",
                               b.what, last_segment(key), a.what, report.where(a.at)),
                   {}, {a.at});
    }
}

void check_old_names(const std::vector<Built>& all, Report& report) {
  std::map<std::string, const Built*> keys, moved;
  for (const Built& b : all) keys.emplace(b.notebook.key, &b);
  for (const Built& b : all) check_old_name(b, keys, moved, report);
}

}  // namespace nbform
