#include "sim/aws/ssh_key.h"

#include <fmt/format.h>

#include <cstdint>

#include "base/crypto.h"
#include "base/text.h"

namespace nbform::sim::aws {

namespace {

// The length-prefixed fields of a key blob (RFC 4253).
class Blob {
 public:
  explicit Blob(std::string_view bytes) : left_(bytes) {}
  std::optional<std::string> next() {
    if (left_.size() < 4) return std::nullopt;
    std::uint32_t size = 0;
    for (int i = 0; i < 4; ++i)
      size = size << 8 | static_cast<unsigned char>(left_[static_cast<std::size_t>(i)]);
    left_.remove_prefix(4);
    if (size > left_.size()) return std::nullopt;
    std::string out(left_.substr(0, size));
    left_.remove_prefix(size);
    return out;
  }
  bool empty() const { return left_.empty(); }

 private:
  std::string_view left_;
};

std::string der(char tag, const std::string& content) {
  std::string length;
  if (content.size() >= 256) {
    length.push_back('\x82');
    length.push_back(static_cast<char>(content.size() >> 8));
  } else if (content.size() >= 128) {
    length.push_back('\x81');
  }
  length.push_back(static_cast<char>(content.size()));
  return tag + length + content;
}

// SubjectPublicKeyInfo of an RSA key; SSH's integers are DER's already.
std::string rsa_der(const std::string& exponent, const std::string& modulus) {
  const std::string algorithm("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00", 15);
  std::string key = der('\x30', der('\x02', modulus) + der('\x02', exponent));
  return der('\x30', algorithm + der('\x03', std::string(1, '\0') + key));
}

std::string with_colons(const std::string& bytes) {
  std::string out;
  for (char c : bytes) out += fmt::format("{}{:02x}", out.empty() ? "" : ":", static_cast<unsigned char>(c));
  return out;
}

}  // namespace

std::optional<SshKey> read_ssh_key(std::string_view line) {
  auto words = split(trim(line), ' ');
  if (words.size() < 2) return std::nullopt;
  auto bytes = base64_decode(words[1]);
  if (!bytes) return std::nullopt;
  Blob blob(*bytes);
  auto type = blob.next();
  if (!type || *type != words[0]) return std::nullopt;
  auto first = blob.next();
  if (*type == "ssh-ed25519" && first && first->size() == 32 && blob.empty())
    return SshKey{"ed25519", base64(sha256(*bytes))};
  auto second = blob.next();
  if (*type == "ssh-rsa" && first && second && blob.empty() && second->size() >= 128)
    return SshKey{"rsa", with_colons(md5(rsa_der(*first, *second)))};
  return std::nullopt;
}

}  // namespace nbform::sim::aws
