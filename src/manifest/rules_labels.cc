// Rules of labels and metadata.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "manifest/rules_parts.h"
#include "manifest/scalar.h"

namespace nbform {

namespace {

bool allowed_label_byte(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c >= 0x80;
}

}  // namespace

std::string legal_gcp_label(std::string_view text, bool is_key) {
  std::string out;
  for (char c : to_lower(text)) {
    bool ok = allowed_label_byte(static_cast<unsigned char>(c));
    if (ok || (!out.empty() && out.back() != '-')) out += ok ? c : '-';
  }
  while (!out.empty() && (out.back() == '-' || out.size() > 63)) out.pop_back();
  bool letter_first =
      !out.empty() && ((out[0] >= 'a' && out[0] <= 'z') || static_cast<unsigned char>(out[0]) >= 0x80);
  return is_key && !letter_first ? "l-" + out : out;
}

namespace {

class LabelRules : NotebookJudge {
 public:
  explicit LabelRules(const NotebookJudge& notebook) : NotebookJudge(notebook) {}

  void check_labels() {
    std::size_t most = cloud_ == "aws" ? 35 : 50;
    std::size_t set = static_cast<std::size_t>(
        std::count_if(nb_.labels.begin(), nb_.labels.end(), [](const auto& l) { return l.second.set(); }));
    if (set > most)
      report_.error(at("labels"), "Too many labels",
                    fmt::format("A notebook may have {} labels of its own on {}; this has {}.", most,
                                cloud_ == "aws" ? "AWS" : "Google Cloud", set));
    for (const auto& [key, value] : nb_.labels)
      if (const Node* node = entry("labels", key)) check_label(key, value, *node);
  }

  void check_metadata() {
    struct Managed {
      std::string_view key, by;
    };
    static constexpr Managed kManaged[] = {
        {"ssh-keys", "access.ssh.keys"},
        {"sshKeys", "access.ssh.keys"},
        {"startup-script", "setup.script"},
        {"startup-script-url", "setup.script"},
        {"shutdown-script", "setup.shutdown_script"},
        {"shutdown-script-url", "setup.shutdown_script"},
        {"install-nvidia-driver", "gpu.driver"},
        {"idle-timeout-seconds", "power.idle_stop"},
    };
    for (const auto& [key, value] : nb_.metadata) {
      const Node* node = entry("metadata", key);
      if (node == nullptr) continue;
      for (const Managed& m : kManaged)
        if (m.key == key)
          report_.error(node->key_at, "Managed elsewhere",
                        fmt::format("nbform writes the metadata key `{}` itself. Use `{}`.", key, m.by));
      if (key.starts_with("nbform"))
        report_.error(node->key_at, "Managed elsewhere",
                      "Metadata keys that start with `nbform` belong to nbform itself.");
    }
  }

 private:
  void check_label(const std::string& key, const Text& value, const Node& node) {
    for (std::string_view reserved : {"nbform", "goog-", "aws:"})
      if (to_lower(key).starts_with(reserved))
        return report_.error(node.key_at, "Reserved label",
                             fmt::format("Labels that start with `{}` belong to {}.", reserved,
                                         reserved == "nbform" ? "nbform itself"
                                         : reserved == "aws:" ? "AWS"
                                                              : "Google Cloud"));
    if (cloud_ != "gcp") return;
    if (legal_gcp_label(key, true) != key)
      report_.error(node.key_at, "Label not possible on Google Cloud",
                    fmt::format("A label's key there has 1 to 63 lower-case letters, digits, `-` and `_`, "
                                "and starts with a letter. Write `{}`.",
                                legal_gcp_label(key, true)));
    if (value.set() && !node.broken && legal_gcp_value(*value) != *value)
      report_.error(
          node.at, "Label not possible on Google Cloud",
          node.secret
              ? std::string("A label's value there has at most 63 lower-case letters, digits, `-` and `_`.")
              : fmt::format("A label's value there has at most 63 lower-case letters, digits, `-` and `_`. "
                            "Write `{}`.",
                            legal_gcp_value(*value)));
  }

  // Unlike a key, a value may start and end with anything legal.
  static std::string legal_gcp_value(const std::string& value) {
    bool legal = value.size() <= 63 && std::all_of(value.begin(), value.end(), [](char c) {
                   return allowed_label_byte(static_cast<unsigned char>(c));
                 });
    return legal ? value : legal_gcp_label(value, false);
  }
};

}  // namespace

void check_labels(const NotebookJudge& notebook) {
  LabelRules rules(notebook);
  rules.check_labels();
  rules.check_metadata();
}

}  // namespace nbform
