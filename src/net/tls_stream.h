// A connected socket as a stream that never waits, plain or with TLS over it; tls_stream.cc is the only file
// that knows OpenSSL's TLS. Certificates are verified against the system's authorities or a named file, TLS
// 1.2 or newer. Knows no protocol above and no loop.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/ssh_relay.h"

struct ssl_st;  // OpenSSL's SSL

namespace nbform {

class TlsStream {
 public:
  using State = FarEnd::State;
  using Moved = FarEnd::Moved;

  explicit TlsStream(Descriptor socket);
  ~TlsStream();
  TlsStream(TlsStream&&) noexcept;
  TlsStream& operator=(TlsStream&&) noexcept;

  // From now on with TLS. `host`: whose certificate it must be, a name or an address. `ca_file`: "" = the
  // system's authorities. Errors: io, the file cannot be used.
  Result<> begin_tls(const std::string& host, const std::string& ca_file);
  // ok: both sides agree; broken: problem() says why. Plain: ok at once.
  State handshake();

  Moved read(std::span<char> into);
  Moved write(std::string_view bytes);  // of what was not taken the same comes again
  // What the socket must be ready for, so that a reading or writing that had to wait can go on.
  Readiness wants(bool to_read, bool to_write) const;
  int fd() const { return socket_.get(); }
  // After `broken`.
  const Diagnostic& problem() const { return problem_; }

 private:
  struct Library;
  ssl_st* session();
  Moved moved(int result, bool writing);
  Moved broken(int tls_error);
  Diagnostic failure() const;

  Descriptor socket_;
  std::unique_ptr<Library> tls_;  // none: plain
  bool read_wants_write_ = false, write_wants_read_ = false;
  Diagnostic problem_;
};

}  // namespace nbform
