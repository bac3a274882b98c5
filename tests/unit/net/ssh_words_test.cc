#include "net/ssh_words.h"

#include "net/ssh_command.h"
#include "support/catch.h"
#include "support/fake_env.h"

using namespace nbform;

TEST_CASE("what ssh says is understood, whatever it puts around it") {
  const std::pair<const char*, SshProblem> lines[] = {
      {"me@127.0.0.1: Permission denied (publickey,gssapi-with-mic).\r", SshProblem::auth_refused},
      {"Received disconnect from 127.0.0.1 port 2222:2: Too many authentication failures",
       SshProblem::auth_refused},
      {"Host key verification failed.\r", SshProblem::host_key_refused},
      {"Unable to negotiate with 127.0.0.1 port 22: no matching cipher found. Their offer: x",
       SshProblem::no_common_algorithm},
      {"channel 2: open failed: administratively prohibited: open failed", SshProblem::forwarding_forbidden},
      {"channel 4: open failed: connect failed: Connection refused", SshProblem::target_refused},
      {"Load key \"/home/me/id\": incorrect passphrase supplied to decrypt private key",
       SshProblem::key_unusable},
      {"Permissions 0644 for '/home/me/id' are too open.", SshProblem::key_unusable},
      {"command-line: line 0: Bad configuration option: knownhostscommand", SshProblem::needs_system_ssh},
      {"Timeout, server 127.0.0.1 not responding.\r", SshProblem::lost},
      {"Connection to 127.0.0.1 closed by remote host.\r", SshProblem::lost},
      {"kex_exchange_identification: Connection closed by remote host", SshProblem::lost},
      {"client_loop: send disconnect: Broken pipe", SshProblem::lost},
  };
  for (const auto& [line, problem] : lines) {
    INFO(line);
    auto remark = read_ssh_words(line);
    REQUIRE(remark);
    CHECK(remark->problem == problem);
    CHECK(remark->text.back() != '\r');
  }
  CHECK(read_ssh_words(lines[0].first)->methods == std::vector<std::string>{"publickey", "gssapi-with-mic"});
  for (const char* line : {"", "Warning: Permanently added 'x' to the list of known hosts.",
                           "** WARNING: connection is not using a post-quantum key exchange algorithm."})
    CHECK_FALSE(read_ssh_words(line));
}

TEST_CASE(
    "a key that cannot be used explains more than the refusal it led to, and anything more than a lost "
    "line") {
  auto key = *read_ssh_words("Load key \"x\": invalid format");
  auto refused = *read_ssh_words("me@h: Permission denied (publickey).");
  auto lost = *read_ssh_words("Connection closed by 127.0.0.1 port 22");
  CHECK(explains_more(key, refused));
  CHECK_FALSE(explains_more(refused, key));
  CHECK_FALSE(explains_more(lost, refused));
  CHECK(explains_more(refused, refused));
}

TEST_CASE("a question for a passphrase names its file; other questions none") {
  CHECK(key_file_in("Enter passphrase for key '/home/me/my key': ") == "/home/me/my key");
  CHECK(key_file_in("Enter passphrase for key '/a':b': ") == "/a':b");
  CHECK(key_file_in("me@host's password: ").empty());
  CHECK(key_file_in("").empty());
}

TEST_CASE("the system's ssh trusts what we answer and nothing else, and gets no secret in its words") {
  FakeEnv env;
  Desk desk(env);
  REQUIRE(desk.usable());
  SshSettings settings{.user = "me", .key_files = {"/k/100%"}, .host_key_types = {"ssh-rsa"}};
  settings.targets = {{"127.0.0.1", 8888}, {"fe80::1", 1}};
  auto words = ssh_command(desk, settings, 4000);
  auto has = [&](const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  for (const char* word :
       {"StrictHostKeyChecking=yes", "UserKnownHostsFile=/dev/null", "IdentityAgent=none",
        "GlobalKnownHostsFile=/dev/null", "HostKeyAlgorithms=rsa-sha2-512,rsa-sha2-256", "/k/100%%"})
    CHECK(has(word));
  CHECK(has(desk.path("target0") + ":[127.0.0.1]:8888"));
  CHECK(has(desk.path("target1") + ":[fe80::1]:1"));
  auto none = std::find(words.begin(), words.end(), "-F");
  REQUIRE(none != words.end());
  CHECK(*(none + 1) == "none");  // the user's configuration could trust more
  CHECK(words.back() == "127.0.0.1");
}
