#include "net/tls_stream.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace nbform {

// One connection, with a context of its own: there are few, and each may trust another file.
struct TlsStream::Library {
  SSL_CTX* context = nullptr;
  SSL* session = nullptr;

  Library() : context(SSL_CTX_new(TLS_client_method())) {
    if (context == nullptr) bug("OpenSSL does not start");
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
  }
  ~Library() {
    SSL_free(session);
    SSL_CTX_free(context);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  bool trusts(const std::string& ca_file) {
    const int fine = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context)
                                     : SSL_CTX_load_verify_file(context, ca_file.c_str());
    ERR_clear_error();
    return fine == 1;
  }
  void begin(int fd, const std::string& host) {
    session = SSL_new(context);
    if (session == nullptr || SSL_set_fd(session, fd) != 1) bug("OpenSSL gives no session");
    X509_VERIFY_PARAM* asked = SSL_get0_param(session);
    if (X509_VERIFY_PARAM_set1_ip_asc(asked, host.c_str()) != 1) {
      ERR_clear_error();
      SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      if (SSL_set1_host(session, host.c_str()) != 1) bug("OpenSSL takes no host name");
      SSL_set_tlsext_host_name(session, host.c_str());
    }
    SSL_set_connect_state(session);
  }
};

TlsStream::TlsStream(Descriptor socket) : socket_(std::move(socket)) {}
TlsStream::~TlsStream() = default;
TlsStream::TlsStream(TlsStream&&) noexcept = default;
TlsStream& TlsStream::operator=(TlsStream&&) noexcept = default;

Result<> TlsStream::begin_tls(const std::string& host, const std::string& ca_file) {
  auto library = std::make_unique<Library>();
  if (!library->trusts(ca_file))
    return error(Code::io, "A certificate file cannot be used",
                 fmt::format("{} holds no certificates.", ca_file));
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes with write()
  library->begin(fd(), host);
  tls_ = std::move(library);
  return Ok{};
}

// What others left in OpenSSL's queue of errors would pass for ours.
SSL* TlsStream::session() {
  ERR_clear_error();
  errno = 0;
  return tls_->session;
}

TlsStream::State TlsStream::handshake() {
  return tls_ ? moved(SSL_do_handshake(session()), true).state : State::ok;
}

TlsStream::Moved TlsStream::read(std::span<char> into) {
  if (tls_) return moved(SSL_read(session(), into.data(), static_cast<int>(into.size())), false);
  const ssize_t n = ::recv(fd(), into.data(), into.size(), MSG_DONTWAIT);
  if (n > 0) return {State::ok, static_cast<std::size_t>(n)};
  if (n == 0) return {State::ended, 0};
  return errno == EAGAIN || errno == EINTR ? Moved{State::again, 0} : broken(SSL_ERROR_SYSCALL);
}

TlsStream::Moved TlsStream::write(std::string_view bytes) {
  if (bytes.empty()) return {State::ok, 0};
  if (tls_) return moved(SSL_write(session(), bytes.data(), static_cast<int>(bytes.size())), true);
  const ssize_t n = ::send(fd(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n >= 0) return {State::ok, static_cast<std::size_t>(n)};
  return errno == EAGAIN || errno == EINTR ? Moved{State::again, 0} : broken(SSL_ERROR_SYSCALL);
}

TlsStream::Moved TlsStream::moved(int result, bool writing) {
  (writing ? write_wants_read_ : read_wants_write_) = false;
  if (result > 0) return {State::ok, static_cast<std::size_t>(result)};
  switch (const int code = SSL_get_error(tls_->session, result)) {
    case SSL_ERROR_WANT_READ:
      if (writing) write_wants_read_ = true;
      return {State::again, 0};
    case SSL_ERROR_WANT_WRITE:
      if (!writing) read_wants_write_ = true;
      return {State::again, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {State::ended, 0};
    default:
      return broken(code);
  }
}

TlsStream::Moved TlsStream::broken(int tls_error) {
  if (tls_error == SSL_ERROR_SYSCALL) {
    const std::string why = errno == 0 ? "It was closed without a word" : std::strerror(errno);
    problem_ = error(Code::unavailable, "The connection broke", why + ".");
  } else {
    problem_ = failure();
  }
  return {State::broken, 0};
}

Diagnostic TlsStream::failure() const {
  if (const long verdict = SSL_get_verify_result(tls_->session); verdict != X509_V_OK)
    return error(Code::io, "The server's certificate is not trusted",
                 fmt::format("OpenSSL says: {}.", X509_verify_cert_error_string(verdict)))
        .with_hint(
            "Where your network has a certificate authority of its own, name its file in SSL_CERT_FILE");
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  return error(Code::unavailable, "The connection failed",
               fmt::format("TLS: {}.", reason != nullptr ? reason : "the other side gave up"));
}

Readiness TlsStream::wants(bool to_read, bool to_write) const {
  return {.read = (to_read && !read_wants_write_) || (to_write && write_wants_read_),
          .write = (to_write && !write_wants_read_) || (to_read && read_wants_write_)};
}

}  // namespace nbform
