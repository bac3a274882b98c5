#include "base/crypto.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include <array>
#include <memory>

namespace nbform {

namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using Pkey = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using MdCtx = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;

const unsigned char* bytes(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}
unsigned char* bytes(std::string& s) {
  return reinterpret_cast<unsigned char*>(s.data());
}

Bio memory_bio(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Refuses to ask a passphrase on the terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

std::string bio_text(BIO* bio) {
  char* data = nullptr;
  long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode64(std::string_view in, std::string_view alphabet, bool pad) {
  std::string out;
  out.reserve((in.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < in.size(); i += 3) {
    std::size_t n = std::min<std::size_t>(3, in.size() - i);
    unsigned group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < n ? static_cast<unsigned char>(in[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) {
      if (k <= n)
        out.push_back(alphabet[group >> (18 - 6 * k) & 63]);
      else if (pad)
        out.push_back('=');
    }
  }
  return out;
}

std::optional<std::string> decode64(std::string_view in, std::string_view alphabet, bool padded) {
  if (padded) {
    if (in.size() % 4 != 0) return std::nullopt;
    for (int k = 0; k < 2 && !in.empty() && in.back() == '='; ++k) in.remove_suffix(1);
  }
  if (in.size() % 4 == 1) return std::nullopt;
  std::string out;
  unsigned group = 0;
  int bits = 0;
  for (char c : in) {
    auto digit = alphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    group = group << 6 | static_cast<unsigned>(digit);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<char>(group >> bits & 0xff));
    }
  }
  if ((group & ((1u << bits) - 1)) != 0) return std::nullopt;  // no second spelling of the same bytes
  return out;
}

}  // namespace

void Secret::wipe() {
  if (!bytes_.empty()) OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

// SHA256() would look its algorithm up by name every time.
std::string sha256(std::string_view in) {
  static const EVP_MD* const kAlgorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  EVP_Digest(in.data(), in.size(), bytes(out), nullptr, kAlgorithm, nullptr);
  return out;
}

std::string sha1(std::string_view in) {
  std::string out(SHA_DIGEST_LENGTH, '\0');
  SHA1(bytes(in), in.size(), bytes(out));
  return out;
}

std::string md5(std::string_view in) {
  std::string out(16, '\0');
  EVP_Digest(in.data(), in.size(), bytes(out), nullptr, EVP_md5(), nullptr);
  return out;
}

std::string hmac_sha256(std::string_view key, std::string_view in) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes(in), in.size(), bytes(out), &size);
  return out;
}

std::string hex(std::string_view in) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(in.size() * 2);
  for (char c : in) {
    auto byte = static_cast<unsigned char>(c);
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

std::string digest16(std::string_view text) {
  return hex(std::string_view(sha256(text)).substr(0, 8));
}

std::string base64(std::string_view in) {
  return encode64(in, kBase64, true);
}
std::optional<std::string> base64_decode(std::string_view in) {
  return decode64(in, kBase64, true);
}
std::string base64url(std::string_view in) {
  return encode64(in, kBase64Url, false);
}
std::optional<std::string> base64url_decode(std::string_view in) {
  return decode64(in, kBase64Url, false);
}

Result<std::string> sign_rs256(const Secret& pem, std::string_view message) {
  Bio bio = memory_bio(pem.reveal());
  Pkey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (!key || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA)
    return error(Code::unauthenticated, "The private key cannot be read",
                 "An unencrypted RSA key in PEM form is needed, as Google issues it.");
  MdCtx ctx(EVP_MD_CTX_new());
  std::size_t size = 0;
  bool signed_ok = EVP_DigestSignInit(ctx.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
                   EVP_DigestSign(ctx.get(), nullptr, &size, bytes(message), message.size()) == 1;
  std::string signature(size, '\0');
  signed_ok =
      signed_ok && EVP_DigestSign(ctx.get(), bytes(signature), &size, bytes(message), message.size()) == 1;
  if (!signed_ok)
    return error(Code::internal, "The private key cannot sign", "OpenSSL refused the RSA signature.");
  signature.resize(size);
  return signature;
}

bool verify_rs256(std::string_view public_pem, std::string_view message, std::string_view signature) {
  Bio bio = memory_bio(public_pem);
  Pkey key(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr));
  MdCtx ctx(EVP_MD_CTX_new());
  bool good =
      key && EVP_PKEY_base_id(key.get()) == EVP_PKEY_RSA &&
      EVP_DigestVerifyInit(ctx.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
      EVP_DigestVerify(ctx.get(), bytes(signature), signature.size(), bytes(message), message.size()) == 1;
  ERR_clear_error();
  return good;
}

RsaKeyPair generate_rsa_key(int bits) {
  Pkey key(EVP_RSA_gen(static_cast<unsigned>(bits)));
  if (!key) bug("OpenSSL could not make an RSA key");
  Bio priv(BIO_new(BIO_s_mem())), pub(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(priv.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  PEM_write_bio_PUBKEY(pub.get(), key.get());
  return {Secret(bio_text(priv.get())), bio_text(pub.get())};
}

Ed25519KeyPair generate_ed25519_key() {
  Pkey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  std::string seed(32, '\0'), open(32, '\0');
  std::size_t seed_size = seed.size(), open_size = open.size();
  if (!key || EVP_PKEY_get_raw_private_key(key.get(), bytes(seed), &seed_size) != 1 ||
      EVP_PKEY_get_raw_public_key(key.get(), bytes(open), &open_size) != 1)
    bug("OpenSSL could not make an Ed25519 key");
  return {Secret(std::move(seed)), std::move(open)};
}

std::string uuid_from(std::string_view name) {
  std::string h = sha256(name).substr(0, 16);
  h[6] = static_cast<char>((h[6] & 0x0f) | 0x80);
  h[8] = static_cast<char>((h[8] & 0x3f) | 0x80);
  std::string x = hex(h);
  return x.substr(0, 8) + "-" + x.substr(8, 4) + "-" + x.substr(12, 4) + "-" + x.substr(16, 4) + "-" +
         x.substr(20);
}

}  // namespace nbform
