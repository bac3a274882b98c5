#include "net/ssh_key.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "net/ssh.h"
#include "support/catch.h"
#include "support/scratch.h"

using namespace nbform;

namespace {

std::string slurp(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

// A key of the field's own tools.
struct MadeKey {
  MadeKey(const std::string& flags) {
    const std::string path = dir.path("key");
    REQUIRE(std::system(("ssh-keygen -q -C me -f " + path + " " + flags).c_str()) == 0);
    text = slurp(path);
    public_half = slurp(path + ".pub");
  }
  Scratch dir;
  std::string text, public_half;
};

std::string openssl(const std::string& command, const std::string& words) {
  Scratch dir;
  const std::string line = "openssl " + command + " -out " + dir.path("key") + " " + words;
  REQUIRE(std::system((line + " 2>" + dir.path("log")).c_str()) == 0);
  return slurp(dir.path("key"));
}

std::string blob(const std::string& type, const std::string& rest) {
  return std::string(3, '\0') + static_cast<char>(type.size()) + type + rest;
}

bool no_rsa(const std::string& type) {
  return type != "ssh-rsa";
}

}  // namespace

TEST_CASE("OpenSSH's own key files show type and public half, encrypted or not") {
  for (const auto& [flags, type] : {std::pair("-t ed25519 -N ''", "ssh-ed25519"),
                                    {"-t ed25519 -N secret", "ssh-ed25519"},
                                    {"-t ecdsa -N ''", "ecdsa-sha2-nistp256"},
                                    {"-t rsa -b 2048 -N secret", "ssh-rsa"}}) {
    INFO(flags);
    MadeKey made(flags);
    auto key = read_private_key(made.text);
    REQUIRE(key);
    CHECK(key->type == type);
    CHECK(key->encrypted == (std::string(flags).find("secret") != std::string::npos));
    CHECK(HostKey{key->type, key->blob} == parse_host_key(made.public_half));
  }
}

TEST_CASE("PEM files tell what they can") {
  auto rsa = read_private_key(openssl("genrsa", "-traditional 2048"));
  REQUIRE(rsa);
  CHECK(rsa->type == "ssh-rsa");
  CHECK_FALSE(rsa->encrypted);
  CHECK(read_private_key(openssl("genrsa", "-traditional -aes128 -passout pass:secret 2048"))->encrypted);
  CHECK(read_private_key(openssl("genpkey", "-algorithm rsa"))->type == "ssh-rsa");
  CHECK(read_private_key(openssl("genpkey", "-algorithm ed25519"))->type == "ssh-ed25519");
  CHECK(read_private_key(openssl("genpkey", "-algorithm ec -pkeyopt ec_paramgen_curve:P-256"))->type ==
        "ecdsa");
  auto hidden = read_private_key(openssl("genpkey", "-algorithm rsa -aes128 -pass pass:secret"));
  REQUIRE(hidden);
  CHECK(hidden->type.empty());
  CHECK(hidden->encrypted);
}

TEST_CASE("what is no private key is none") {
  MadeKey made("-t ed25519 -N ''");
  std::string cut = made.text.substr(0, 120) + "\n-----END OPENSSH PRIVATE KEY-----\n";
  for (const std::string& text :
       {std::string(), made.public_half, cut, std::string("-----BEGIN "),
        std::string("-----BEGIN OPENSSH PRIVATE KEY-----\n"),
        std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")})
    CHECK_FALSE(read_private_key(text));
}

TEST_CASE("a host key is read as ssh-keygen writes it, and its fingerprint is ssh-keygen's") {
  MadeKey made("-t ecdsa -N ''");
  auto key = parse_host_key(made.public_half);
  REQUIRE(key);
  CHECK(made.public_half.starts_with(key->text()));
  REQUIRE(std::system(("ssh-keygen -lf " + made.dir.path("key.pub") + " > " + made.dir.path("lf")).c_str()) ==
          0);
  CHECK(slurp(made.dir.path("lf")).find(" " + key->fingerprint() + " ") != std::string::npos);
  CHECK_FALSE(parse_host_key("ssh-ed25519"));
  CHECK_FALSE(parse_host_key("ssh-ed25519 ???"));
  CHECK_FALSE(parse_host_key("ssh-ed25519 " + made.public_half.substr(made.public_half.find(' ') + 1)));
}

TEST_CASE("files are offered first, from the agent where it has them; then what else the agent has") {
  const std::string one = blob("ssh-ed25519", "1"), two = blob("ssh-ed25519", "2"),
                    rsa = blob("ssh-rsa", "3");
  std::vector<KeyFile> files = {{"a", Secret("x"), {"ssh-ed25519", two, true}},
                                {"b", Secret("x"), {"ssh-rsa", rsa, false}},
                                {"c", Secret("x"), {"ecdsa", "", false}}};
  KeyOffers offers = order_keys(files, {{one, "laptop"}, {two, "work"}, {rsa, "old"}}, no_rsa);
  REQUIRE(offers.offers.size() == 3);
  CHECK(offers.offers[0].name == "a");
  CHECK(offers.offers[0].agent == 1);
  CHECK(offers.offers[1].name == "c");
  CHECK(offers.offers[1].agent == -1);
  CHECK(offers.offers[1].file == 2);
  CHECK(offers.offers[2].name == "laptop (agent)");
  CHECK(offers.unable == std::vector<std::string>{"b"});
  CHECK(order_keys({}, {}, no_rsa).offers.empty());
}
