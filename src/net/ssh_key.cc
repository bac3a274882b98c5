#include "net/ssh_key.h"

#include <fmt/format.h>

#include "base/text.h"

namespace nbform {

namespace {

constexpr std::string_view kMagic("openssh-key-v1\0", 15);  // PROTOCOL.key

// Reads SSH's length-prefixed strings (RFC 4251 section 5).
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::optional<std::uint32_t> number() {
    if (rest_.size() < 4) return std::nullopt;
    std::uint32_t n = 0;
    for (int i = 0; i < 4; ++i) n = n << 8 | static_cast<unsigned char>(rest_[static_cast<std::size_t>(i)]);
    rest_.remove_prefix(4);
    return n;
  }
  std::optional<std::string_view> string() {
    auto n = number();
    if (!n || *n > rest_.size()) return std::nullopt;
    std::string_view out = rest_.substr(0, *n);
    rest_.remove_prefix(*n);
    return out;
  }

 private:
  std::string_view rest_;
};

std::string number(std::uint32_t n) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(n >> shift & 0xff);
  return out;
}
std::string string(std::string_view bytes) {
  return number(static_cast<std::uint32_t>(bytes.size())) + std::string(bytes);
}

std::optional<PrivateKey> read_openssh(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) return std::nullopt;
  Reader reader(bytes.substr(kMagic.size()));
  auto cipher = reader.string(), kdf = reader.string(), options = reader.string();
  auto count = reader.number();
  auto blob = reader.string();
  if (!cipher || !kdf || !options || count != 1u || !blob || key_type_of(*blob).empty()) return std::nullopt;
  return PrivateKey{key_type_of(*blob), std::string(*blob), *cipher != "none"};
}

std::string type_in_pkcs8(std::string_view der) {
  constexpr std::string_view kRsa("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9);
  constexpr std::string_view kEc("\x2a\x86\x48\xce\x3d\x02\x01", 7);
  constexpr std::string_view kEd25519("\x06\x03\x2b\x65\x70", 5);
  std::string_view head = der.substr(0, 64);
  if (head.find(kRsa) != std::string_view::npos) return "ssh-rsa";
  if (head.find(kEc) != std::string_view::npos) return "ecdsa";
  return head.find(kEd25519) != std::string_view::npos ? "ssh-ed25519" : "";
}

// The base64 lines between a PEM header and its end, without "Proc-Type:" and the like.
std::optional<std::string> pem_body(std::string_view text) {
  std::string out;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line);
    if (line.starts_with("-----END")) return base64_decode(out);
    if (line.find(':') == std::string_view::npos) out += line;
  }
  return std::nullopt;
}

bool proc_type_encrypted(std::string_view text) {
  return text.find("Proc-Type: 4,ENCRYPTED") != std::string_view::npos;
}

}  // namespace

std::string key_type_of(std::string_view blob) {
  auto type = Reader(blob).string();
  if (!type || type->empty() || type->size() > 100) return "";
  for (char c : *type)
    if (c <= ' ' || c > '~') return "";
  return std::string(*type);
}

std::optional<PrivateKey> read_private_key(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  auto begin = text.find(kBegin);
  if (begin == std::string_view::npos) return std::nullopt;
  text.remove_prefix(begin + kBegin.size());
  auto end = text.find("-----");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view kind = text.substr(0, end);
  text.remove_prefix(end + 5);
  auto body = pem_body(text);
  if (kind == "OPENSSH PRIVATE KEY") return body ? read_openssh(*body) : std::nullopt;
  if (kind == "RSA PRIVATE KEY") return PrivateKey{"ssh-rsa", "", proc_type_encrypted(text)};
  if (kind == "EC PRIVATE KEY") return PrivateKey{"ecdsa", "", proc_type_encrypted(text)};
  if (kind == "ENCRYPTED PRIVATE KEY") return PrivateKey{"", "", true};
  if (kind == "PRIVATE KEY" && body) return PrivateKey{type_in_pkcs8(*body), "", false};
  return std::nullopt;
}

Secret write_private_key(const Ed25519KeyPair& pair, std::string_view comment, std::uint32_t check) {
  constexpr std::string_view kType = "ssh-ed25519";
  constexpr std::size_t kBlock = 8, kWidth = 70;
  std::string secret = number(check) + number(check) + string(kType) + string(pair.public_key) +
                       string(pair.seed.reveal() + pair.public_key) + string(comment);
  for (char pad = 1; secret.size() % kBlock != 0; ++pad) secret += pad;
  std::string body = base64(std::string(kMagic) + string("none") + string("none") + string("") + number(1) +
                            string(string(kType) + string(pair.public_key)) + string(secret));
  std::string out = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
  for (std::size_t at = 0; at < body.size(); at += kWidth) out += body.substr(at, kWidth) + "\n";
  return Secret(out + "-----END OPENSSH PRIVATE KEY-----\n");
}

KeyOffers order_keys(const std::vector<KeyFile>& files,
                     const std::vector<std::pair<std::string, std::string>>& agent,
                     const std::function<bool(const std::string& type)>& can_sign) {
  KeyOffers out;
  std::vector<bool> used(agent.size(), false);
  auto add = [&](KeyOffer offer, const std::string& type) {
    if (can_sign(type))
      out.offers.push_back(std::move(offer));
    else
      out.unable.push_back(std::move(offer.name));
  };
  for (std::size_t i = 0; i < files.size(); ++i) {
    KeyOffer offer{files[i].path, -1, static_cast<int>(i)};
    for (std::size_t a = 0; a < agent.size(); ++a)
      if (!files[i].key.blob.empty() && agent[a].first == files[i].key.blob && !used[a]) {
        used[a] = true;
        offer.agent = static_cast<int>(a);
      }
    add(std::move(offer), files[i].key.type);
  }
  for (std::size_t a = 0; a < agent.size(); ++a)
    if (!used[a])
      add({fmt::format("{} (agent)", agent[a].second), static_cast<int>(a), -1}, key_type_of(agent[a].first));
  return out;
}

}  // namespace nbform
