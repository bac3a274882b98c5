// docs/ec2.md: its table is made of the attribute tables, and its policy allows just what the steps and
// lists call.
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "base/json.h"
#include "cloud/ec2/ec2.h"
#include "support/catch.h"

using namespace nbform;

namespace {

const std::string kPath = NBFORM_SOURCE_DIR "/docs/ec2.md";

std::string slurp(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string_view change_text(Mutability m) {
  switch (m) {
    case Mutability::live:
      return "update: while it runs";
    case Mutability::stopped:
      return "restart: stop, change, start";
    case Mutability::at_rest:
      return "pending: at the next stop and start";
    case Mutability::fixed:
      return "replace: deleted and made again";
    case Mutability::create_only:
      return "read at the first boot only";
  }
  return "";
}

std::string change_table() {
  std::string out = "| manifest key | resource | what a change does | what it is |\n|---|---|---|---|\n";
  for (const Kind* kind : find_service("ec2")->kinds())
    for (const Attr& attr : kind->attrs()) {
      if (attr.from.empty()) continue;
      std::string key =
          kind == &ec2::volume_kind() ? fmt::format("disks.NAME.{}", attr.from) : std::string(attr.from);
      out +=
          fmt::format("| `{}` | {} | {} | {} |\n", key, kind->noun(), change_text(attr.mutability), attr.doc);
    }
  return out;
}

// "ec2:RunInstances" of the policy in the page.
std::set<std::string> allowed_actions() {
  std::string page = slurp(kPath);
  auto from = page.find("```json\n"), to = page.find("```", from + 3);
  REQUIRE(from != std::string::npos);
  auto policy = parse_json(page.substr(from + 8, to - from - 8));
  REQUIRE(policy.ok());
  std::set<std::string> actions;
  for (const Value& statement : (*policy)["Statement"].as_list())
    for (const Value& action : statement["Action"].as_list()) actions.emplace(action.as_text());
  return actions;
}

// Every action that the sources of the service name in a call.
std::set<std::string> called_actions() {
  std::set<std::string> actions;
  for (const char* file : {"facts", "instance", "instance_steps", "key_pair", "listing", "security_group",
                           "settle", "volume", "run", "wire"}) {
    std::string text = slurp(fmt::format(NBFORM_SOURCE_DIR "/src/cloud/ec2/{}.cc", file));
    REQUIRE_FALSE(text.empty());
    for (std::size_t quote = text.find('"'); quote != std::string::npos; quote = text.find('"', quote + 1)) {
      std::size_t end = text.find('"', quote + 1);
      std::string word = text.substr(quote + 1, end - quote - 1);
      bool verb = false;
      for (const char* first :
           {"Associate", "Attach", "Authorize", "Cancel", "Create", "Delete", "Describe", "Detach",
            "Disassociate", "Import", "Modify", "Replace", "Revoke", "Run", "Start", "Stop", "Terminate"})
        verb = verb || word.starts_with(first);
      bool name = verb && word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
                              std::string::npos;
      bool parameter =
          word.ends_with("Response") || word.ends_with("Termination") || word.ends_with("Address");
      if (name && !parameter && word.size() > 9) actions.insert("ec2:" + word);
    }
  }
  actions.insert("ssm:GetParameter");
  actions.insert("servicequotas:GetServiceQuota");
  return actions;
}

}  // namespace

TEST_CASE("the table of docs/ec2.md is made of the attribute tables") {
  const std::string begin = "<!-- generated: changes -->\n", end = "<!-- end -->";
  std::string page = slurp(kPath);
  auto from = page.find(begin), to = page.find(end);
  REQUIRE(from != std::string::npos);
  REQUIRE(to != std::string::npos);
  from += begin.size();
  if (const char* accept = std::getenv("NBFORM_ACCEPT"); accept != nullptr && std::string(accept) == "1") {
    page.replace(from, to - from, change_table());
    std::ofstream(kPath) << page;
    WARN("rewritten: " << kPath);
    return;
  }
  CHECK(page.substr(from, to - from) == change_table());
}

TEST_CASE("the policy of docs/ec2.md allows just what is called") {
  CHECK(allowed_actions() == called_actions());
}
