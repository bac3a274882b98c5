// Hashes, signatures and encodings, over OpenSSL, which only crypto.cc knows. Keys never leave Secret.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nbform {

// A text that must not be shown. There is no formatter, no stream operator and no comparison by accident:
// whoever needs the bytes writes reveal(), and reviewers can list every such place. Wiped when it goes.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}
  ~Secret() { wipe(); }
  Secret(const Secret&) = default;
  Secret(Secret&&) = default;
  Secret& operator=(const Secret&) = default;
  Secret& operator=(Secret&&) = default;

  const std::string& reveal() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }

 private:
  void wipe();
  std::string bytes_;
};

std::string sha256(std::string_view bytes);  // 32 raw bytes
std::string sha1(std::string_view bytes);    // 20 raw bytes
std::string md5(std::string_view bytes);     // 16 raw bytes: fingerprints of keys, nothing that must hold
std::string hmac_sha256(std::string_view key, std::string_view bytes);
std::string hex(std::string_view bytes);      // lower case
std::string digest16(std::string_view text);  // first 16 hex digits of SHA-256: what labels carry
std::string base64(std::string_view bytes);   // RFC 4648, padded
std::optional<std::string> base64_decode(std::string_view text);
std::string base64url(std::string_view bytes);  // RFC 4648 section 5, unpadded
std::optional<std::string> base64url_decode(std::string_view text);

// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 RS256). `pem`: PKCS#8 or PKCS#1 private key.
Result<std::string> sign_rs256(const Secret& pem, std::string_view message);
// `pem`: SubjectPublicKeyInfo. False for any key or signature that does not fit.
bool verify_rs256(std::string_view public_pem, std::string_view message, std::string_view signature);
// A fresh key pair for tests and the simulator's throw-away service account.
struct RsaKeyPair {
  Secret private_pem;  // PKCS#8
  std::string public_pem;
};
RsaKeyPair generate_rsa_key(int bits = 2048);

// RFC 8032. Of a key to sign in with.
struct Ed25519KeyPair {
  Secret seed;             // 32 raw bytes
  std::string public_key;  // 32 raw bytes
};
Ed25519KeyPair generate_ed25519_key();

// RFC 9562 version 8 from the hash of `name`: the same name, the same id. Never all zero.
std::string uuid_from(std::string_view name);

}  // namespace nbform
