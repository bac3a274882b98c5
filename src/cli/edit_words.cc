#include "cli/edit_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/time.h"
#include "core/kind.h"

namespace nbform::cli {

namespace {

constexpr std::size_t kLongest = 60;  // of a value that is shown

bool ends_with_word(std::string_view title, std::string_view word) {
  return title == word || title.ends_with("." + std::string(word)) ||
         title.ends_with(" " + std::string(word));
}

// "nbform-keep" of "labels.nbform-keep", "nbform:keep" of AWS; "" for what is the user's.
std::string_view own_word(std::string_view attr) {
  auto dot = attr.find('.');
  std::string_view key = dot == std::string_view::npos ? std::string_view() : attr.substr(dot + 1);
  if (!key.starts_with("nbform-") && !key.starts_with("nbform:")) return {};
  return key.substr(7);
}

std::string_view part_of(const Change& change) {
  std::string_view address(change.address);
  auto slash = address.find('/');
  return slash == std::string_view::npos ? std::string_view() : address.substr(slash + 1);
}

// "disks.data", or the boot disk's for everything else.
std::string disk_of(const Change& change) {
  std::string_view part = part_of(change);
  return part.starts_with("disk-") ? fmt::format("disks.{}", part.substr(5)) : "disks.boot";
}

std::string keep_words(const Value& value) {
  if (value.is_bool()) return value.as_bool() ? "never" : "always";
  std::string text = value.is_null() ? "unset" : std::string(value.as_text());
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

// What an edit of nbform's own labels means; "" where it means nothing to a person.
EditWords own_words(const Change& change, const Edit& edit, std::string_view word) {
  EditWords out;
  if (word == "keep") {
    out.subject = disk_of(change) + ".keep";
    out.text = fmt::format("{} {} → {}", out.subject, keep_words(edit.before), keep_words(edit.after));
  } else if (word == "protect") {
    out.subject = "protect";
    out.text = edit.after.is_null() ? "protect off" : "protect";
  } else if (word == "stack") {
    out.subject = "stack";
    out.text = fmt::format("now belongs to stack {}", edit.after.as_text());
  } else if (word == "notebook") {
    out.subject = "notebook";
    out.text = edit.before.is_null() ? fmt::format("now notebook {}", edit.after.as_text())
                                     : fmt::format("was notebook {}", edit.before.as_text());
  } else if (word == "part" && edit.before.as_text().starts_with("disk-")) {
    out.subject = "disk";
    out.text = fmt::format("disk {} is now {}", edit.before.as_text().substr(5), part_of(change).substr(5));
  } else {
    out.subject = "nbform's labels";
    out.text = "nbform's own labels";
  }
  return out;
}

// Where the manifest says what one of nbform's labels remembers.
Mark own_mark(const Change& change, std::string_view word) {
  if (change.resource == nullptr || !change.resource->mark || (word != "keep" && word != "protect"))
    return {};
  if (word == "protect") return change.resource->mark("protect");
  return change.resource->mark(part_of(change).starts_with("disk-") ? "keep" : "disks.boot.keep");
}

std::string title_of(const Change& change, const Edit& edit) {
  std::string_view title(edit.title);
  std::string_view part = part_of(change);
  if (!part.starts_with("disk-") || !title.starts_with("disk ")) return std::string(title);
  std::string_view rest = title.substr(5);
  return rest.starts_with("labels") ? std::string(rest) : fmt::format("{}.{}", disk_of(change), rest);
}

bool is_long(const Value& value) {
  return value.is_text() &&
         (value.as_text().size() > kLongest || value.as_text().find('\n') != std::string_view::npos);
}

// A list by what comes and what goes: "+web −ssh".
std::string list_words(const List& before, const List& after, std::string_view title) {
  std::vector<std::string> parts;
  auto missing = [](const List& in, const Value& item) {
    return std::find(in.begin(), in.end(), item) == in.end();
  };
  for (const Value& item : after)
    if (missing(before, item)) parts.push_back("+" + value_words(item, title));
  for (const Value& item : before)
    if (missing(after, item)) parts.push_back("−" + value_words(item, title));
  return parts.empty() ? "in another order" : join(parts, " ");
}

std::string attachment_words(const std::string& title, const Edit& edit) {
  if (edit.before.is_null()) return title + " attached";
  if (edit.after.is_null()) return title + " detached";
  if (edit.before["disk"] != edit.after["disk"])
    return fmt::format("{} {} → {}", title, edit.before["disk"].as_text(), edit.after["disk"].as_text());
  return fmt::format("{}.keep {} → {}", title, keep_words(edit.before["auto_delete"]),
                     keep_words(edit.after["auto_delete"]));
}

std::string change_words(const std::string& title, const Edit& edit) {
  if (edit.secret) return title + " (secret)";
  if (edit.before.is_map() || edit.after.is_map()) return attachment_words(title, edit);
  if (edit.before.is_list() || edit.after.is_list())
    return fmt::format("{} {}", title, list_words(edit.before.as_list(), edit.after.as_list(), title));
  if (is_long(edit.before) || is_long(edit.after)) {
    if (edit.before.is_null()) return fmt::format("{} added", title);
    return fmt::format("{} {}", title, edit.after.is_null() ? "removed" : "changed");
  }
  if (ends_with_word(title, "keep"))
    return fmt::format("{} {} → {}", title, keep_words(edit.before), keep_words(edit.after));
  return fmt::format("{} {} → {}", title, value_words(edit.before, title), value_words(edit.after, title));
}

EditWords words_of_edit(const Change& change, const Edit& edit) {
  std::string_view own = own_word(edit.attr);
  EditWords out;
  if (!own.empty()) {
    out = own_words(change, edit, own);
  } else {
    auto words = change.kind != nullptr ? change.kind->words(change, edit) : std::nullopt;
    out.text = words ? *words : change_words(title_of(change, edit), edit);
    out.subject = out.text.substr(0, out.text.find(' '));
  }
  out.effect = edit.effect;
  out.why = edit.why;
  out.mark = own.empty() ? edit.mark : own_mark(change, own);
  return out;
}

// After the user's own: what follows from the stack's or the notebook's name.
bool follows(const EditWords& words) {
  return words.subject == "stack" || words.subject == "notebook";
}

}  // namespace

std::string value_words(const Value& value, std::string_view title) {
  bool size = ends_with_word(title, "size");
  switch (value.type()) {
    case Value::Type::null:
      return "(none)";
    case Value::Type::boolean:
      return value.as_bool() ? "true" : "false";
    case Value::Type::integer:
      if (ends_with_word(title, "max_uptime")) {
        if (value.as_int() == 0) return "(none)";
        return format_span(std::chrono::seconds(value.as_int()));
      }
      return fmt::format("{}{}", value.as_int(), size ? " GB" : "");
    case Value::Type::text:
      if (value.as_text().empty()) return "(none)";
      return is_long(value) ? std::string(value.as_text().substr(0, 24)) + "…" : std::string(value.as_text());
    case Value::Type::map: {
      const Value& type = value["type"];
      if (type.is_text()) return fmt::format("{} x{}", type.as_text(), value["count"].as_int(1));
      return canonical(value);
    }
    case Value::Type::ref:
      return "(known after apply)";
    default:
      return canonical(value);
  }
}

std::vector<EditWords> words_of(const Plan& plan, const NotebookPlan& notebook) {
  std::vector<EditWords> out;
  for (std::size_t index : notebook.changes) {
    const Change& change = plan.changes.at(index);
    for (const Edit& edit : change.edits) {
      EditWords words = words_of_edit(change, edit);
      auto same = std::find_if(out.begin(), out.end(), [&](const EditWords& other) {
        return other.text == words.text ||
               (other.subject == words.subject && words.subject.ends_with(".keep"));
      });
      if (same == out.end())
        out.push_back(std::move(words));
      else if (!own_word(edit.attr).empty() && same->subject == words.subject)
        same->text = words.text;  // the label says it whole; a flag only has two states
    }
  }
  bool meant =
      std::any_of(out.begin(), out.end(), [](const auto& w) { return w.subject != "nbform's labels"; });
  if (meant) std::erase_if(out, [](const auto& w) { return w.subject == "nbform's labels"; });
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return a.effect != b.effect ? a.effect > b.effect : follows(a) < follows(b);
  });
  return out;
}

}  // namespace nbform::cli
