// What OpenSSH is told, with names and paths that try to say something else.
#include "connect/ssh_config.h"

#include "base/text.h"
#include "support/catch.h"

using namespace nbform;

namespace {

SshHost train() {
  SshHost host;
  host.notebook = "train";
  host.names = {"nbform-train", "nbform-research-train"};
  host.address = "203.0.113.7";
  host.user = "nbform";
  host.key_files = {"/home/ada/.ssh/id_ed25519"};
  host.machine_id = "gce/acme/42";
  host.known_hosts = "/home/ada/stack/.nbform/host_keys";
  host.stream = {"/usr/bin/nbform", "connect", "--stdio", "train", "-C", "/home/ada/stack"};
  return host;
}

std::string value_of(const SshHost& host, std::string_view keyword) {
  auto keywords = ssh_keywords(host);
  REQUIRE(keywords.ok());
  for (const auto& [name, value] : *keywords)
    if (name == keyword) return value;
  return "(none)";
}

}  // namespace

TEST_CASE("a Host block trusts the verified key only, whatever the address") {
  CHECK(*host_block(train()) ==
        "# notebook train\n"
        "Host nbform-train nbform-research-train\n"
        "  HostName 203.0.113.7\n"
        "  User nbform\n"
        "  Port 22\n"
        "  IdentityFile /home/ada/.ssh/id_ed25519\n"
        "  HostKeyAlias gce/acme/42\n"
        "  UserKnownHostsFile /home/ada/stack/.nbform/host_keys\n"
        "  GlobalKnownHostsFile /dev/null\n"
        "  StrictHostKeyChecking yes\n"
        "  CheckHostIP no\n"
        "  UpdateHostKeys no\n"
        "  ProxyCommand /usr/bin/nbform connect --stdio train -C /home/ada/stack\n");
}

TEST_CASE("without an address there is no HostName, and keys that were named are the only ones") {
  SshHost host = train();
  host.address.clear();
  host.only_these_keys = true;
  CHECK(value_of(host, "HostName") == "(none)");
  CHECK(value_of(host, "IdentitiesOnly") == "yes");
  CHECK(value_of(train(), "IdentitiesOnly") == "(none)");
}

TEST_CASE("paths mean themselves: to ssh's tokens, to its quotes and to the shell") {
  SshHost host = train();
  host.known_hosts = R"(/home/a d/100%h "x" \ #$(id))";
  host.stream.back() = R"(/home/o'neil $(id) %h `id`; rm -rf ~ \ "x")";
  CHECK(value_of(host, "UserKnownHostsFile") == R"x("/home/a d/100%%h \"x\" \\ #$(id)")x");
  CHECK(value_of(host, "ProxyCommand") ==
        "/usr/bin/nbform connect --stdio train -C "
        R"x('/home/o'\''neil $(id) %%h `id`; rm -rf ~ \ "x"')x");
}

TEST_CASE("what a line cannot express is refused, not mangled") {
  for (std::string path : {"/a\nProxyCommand evil", "/a\tb", "/a\x7f"}) {
    SshHost host = train();
    host.stream.back() = path;
    CHECK(host_block(host).error().code == Code::usage);
    host = train();
    host.known_hosts = path;
    CHECK(host_block(host).error().code == Code::usage);
    host = train();
    host.key_files = {path};
    CHECK(host_block(host).error().code == Code::usage);
  }
  SshHost host = train();
  host.key_files = {"/home/${USER}/key"};  // ssh would look the variable up
  CHECK(host_block(host).error().code == Code::usage);
}

TEST_CASE("a shell reads a quoted word as it was") {
  for (std::string word : {"plain", "", "a b", "it's", "'", "$HOME", "a\\b", "~", "*", "-x", "ü"})
    CHECK(shell_words(shell_quoted(word)) == std::vector<std::string>{word});
}

TEST_CASE("blocks are found again in the file that they make") {
  SshHost eda = train();
  eda.notebook = "eda";
  eda.names = {"nbform-eda"};
  std::string file = "# About this file.\n\n" + *host_block(train()) + "\n" + *host_block(eda);
  CHECK(blocks_in(file) ==
        std::map<std::string, std::string>{{"train", *host_block(train())}, {"eda", *host_block(eda)}});
  CHECK(hosts_in(file) == std::vector<std::string>{"nbform-train", "nbform-research-train", "nbform-eda"});
  CHECK(blocks_in("").empty());
}
