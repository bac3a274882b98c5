#include "net/ssh_session.h"

#include <libssh2.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"

namespace nbform {

namespace {

// What newer versions of the library have is used where it is there.
constexpr const char* kHostKeyTypes =
    "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256";
constexpr const char* kCiphers =
    "aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr";
constexpr const char* kMacs =
    "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512";

constexpr int kKeepAliveSeconds = 2;  // the library's own minimum; who calls keep_alive() decides
constexpr unsigned kWindow = 2u << 20;
constexpr unsigned kPacket = 32'768;

LIBSSH2_SESSION* new_session(void* owner) {
  static const int started = libssh2_init(0);
  LIBSSH2_SESSION* session =
      started == 0 ? libssh2_session_init_ex(nullptr, nullptr, nullptr, owner) : nullptr;
  if (session == nullptr) bug("libssh2 does not start");
  libssh2_session_set_blocking(session, 0);
  libssh2_keepalive_config(session, 1, kKeepAliveSeconds);
  return session;
}

// Those of the wished algorithms that this version has. It would leave out the others by itself, with a
// memcpy over overlapping ranges.
std::string known(LIBSSH2_SESSION* session, int what, const std::string& wished) {
  const char** names = nullptr;
  const int count = libssh2_session_supported_algs(session, what, &names);
  std::vector<std::string> out;
  for (std::string_view wish : split(wished, ','))
    if (count > 0 && std::find(names, names + count, wish) != names + count) out.emplace_back(wish);
  if (count > 0) libssh2_free(session, names);
  return join(out, ",");
}

unsigned length(const std::string& text) {
  return static_cast<unsigned>(text.size());
}

std::string ssh_string(const std::string& text) {
  const unsigned n = length(text);
  std::string out;
  for (int shift : {24, 16, 8, 0}) out += static_cast<char>((n >> shift) & 0xff);
  return out + text;
}

std::string ssh_number(unsigned n) {
  std::string out;
  for (int shift : {24, 16, 8, 0}) out += static_cast<char>((n >> shift) & 0xff);
  return out;
}

SshSession::Trouble kind_of(int code, const std::string& text) {
  switch (code) {
    case LIBSSH2_ERROR_BANNER_RECV:
    case LIBSSH2_ERROR_BANNER_SEND:
      return SshSession::Trouble::banner;
    case LIBSSH2_ERROR_KEX_FAILURE:
    case LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE:
    case LIBSSH2_ERROR_METHOD_NONE:
    case LIBSSH2_ERROR_METHOD_NOT_SUPPORTED:
      return SshSession::Trouble::algorithms;
    case LIBSSH2_ERROR_AUTHENTICATION_FAILED:
    case LIBSSH2_ERROR_AGENT_PROTOCOL:
      return SshSession::Trouble::auth;
    case LIBSSH2_ERROR_FILE:
    case LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED:
      return SshSession::Trouble::key;
    case LIBSSH2_ERROR_CHANNEL_FAILURE:
    case LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED:
    case LIBSSH2_ERROR_TIMEOUT:
      return text.find("prohibited") != std::string::npos ? SshSession::Trouble::channel_forbidden
                                                          : SshSession::Trouble::channel_refused;
    default:
      return SshSession::Trouble::broken;
  }
}

}  // namespace

// The library's objects, freed in the order it wants.
struct SshSession::Library {
  SshWire* wire;
  LIBSSH2_SESSION* session;
  LIBSSH2_AGENT* agent = nullptr;
  std::vector<libssh2_agent_publickey*> identities;
  LIBSSH2_CHANNEL* opened = nullptr;
  LIBSSH2_CHANNEL* pump = nullptr;
  std::vector<LIBSSH2_CHANNEL*> retired;

  std::string last_words;

  explicit Library(SshWire& w) : wire(&w), session(new_session(this)) {
    auto set = [this](int what, auto* fn) {
      libssh2_session_callback_set(session, what, reinterpret_cast<void*>(fn));
    };
    set(LIBSSH2_CALLBACK_SEND, on_send);
    set(LIBSSH2_CALLBACK_RECV, on_receive);
    set(LIBSSH2_CALLBACK_DISCONNECT, on_disconnect);
  }
  ~Library() {
    wire->cut();  // so that nothing below wants to wait
    if (agent != nullptr) {
      libssh2_agent_disconnect(agent);
      libssh2_agent_free(agent);
    }
    for (int i = 0; i < 100 && libssh2_session_free(session) == LIBSSH2_ERROR_EAGAIN; ++i) {
    }
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  // The library talks to the agent through the same callbacks, and may wait there.
  static ssize_t on_send(libssh2_socket_t fd, const void* bytes, size_t size, int flags, void** self) {
    SshWire& wire = *static_cast<Library*>(*self)->wire;
    if (fd == wire.fd()) return wire.put(static_cast<const char*>(bytes), size);
    ssize_t n = ::send(fd, bytes, size, flags | MSG_NOSIGNAL);
    return n < 0 ? -errno : n;
  }
  static ssize_t on_receive(libssh2_socket_t fd, void* into, size_t size, int flags, void** self) {
    SshWire& wire = *static_cast<Library*>(*self)->wire;
    if (fd == wire.fd()) return wire.take(static_cast<char*>(into), size);
    ssize_t n = ::recv(fd, into, size, flags);
    return n < 0 ? -errno : n;
  }
  static void on_disconnect(LIBSSH2_SESSION*, int, const char* text, int size, const char*, int,
                            void** self) {
    if (text != nullptr && size > 0)
      static_cast<Library*>(*self)->last_words.assign(text, static_cast<std::size_t>(size));
  }
};

// ---- channels
// -----------------------------------------------------------------------------------------------

class SshSession::Channel : public FarEnd {
 public:
  Channel(Library& library, LIBSSH2_CHANNEL* channel) : library_(library), channel_(channel) {}
  ~Channel() override { library_.retired.push_back(channel_); }

  Moved read(std::span<char> into) override {
    ssize_t n = libssh2_channel_read(channel_, into.data(), into.size());
    if (n > 0) return {State::ok, static_cast<std::size_t>(n)};
    if (libssh2_channel_eof(channel_) == 1) return {State::ended, 0};
    return {n == 0 || n == LIBSSH2_ERROR_EAGAIN ? State::again : State::broken, 0};
  }

  Moved write(std::string_view bytes) override {
    if (library_.wire->congested()) return {State::again, 0};
    ssize_t n = libssh2_channel_write(channel_, bytes.data(), bytes.size());
    if (n > 0) return {State::ok, static_cast<std::size_t>(n)};
    return {n == 0 || n == LIBSSH2_ERROR_EAGAIN ? State::again : State::broken, 0};
  }

  State finish_writing() override {
    int code = libssh2_channel_send_eof(channel_);
    return code == 0 ? State::ok : code == LIBSSH2_ERROR_EAGAIN ? State::again : State::broken;
  }

 private:
  Library& library_;
  LIBSSH2_CHANNEL* channel_;
};

// ---- the session
// --------------------------------------------------------------------------------------------

SshSession::SshSession(SshWire& wire, const std::vector<std::string>& host_key_types)
    : lib_(std::make_unique<Library>(wire)) {
  auto prefer = [this](int what, const std::string& wished) {
    const std::string names = known(lib_->session, what, wished);
    if (!names.empty() && libssh2_session_method_pref(lib_->session, what, names.c_str()) == 0) return;
    trouble_ = Trouble::algorithms;
    trouble_text_ = "it knows none of " + wished;
  };
  prefer(LIBSSH2_METHOD_HOSTKEY, host_key_types.empty() ? kHostKeyTypes : join(host_key_types, ","));
  for (int what : {LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC}) prefer(what, kCiphers);
  for (int what : {LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC}) prefer(what, kMacs);
}

SshSession::~SshSession() = default;

const std::string& SshSession::last_words() const {
  return lib_->last_words;
}

SshSession::Progress SshSession::progress(int code) {
  if (code == LIBSSH2_ERROR_EAGAIN) return Progress::again;
  if (code == 0) return Progress::done;
  char* text = nullptr;
  libssh2_session_last_error(lib_->session, &text, nullptr, 0);
  trouble_text_ = text == nullptr ? "" : text;
  trouble_ = kind_of(code, trouble_text_);
  return Progress::failed;
}

SshSession::Progress SshSession::handshake() {
  if (trouble_ != Trouble::none) return Progress::failed;
  return progress(libssh2_session_handshake(lib_->session, lib_->wire->fd()));
}

HostKey SshSession::host_key() const {
  std::size_t size = 0;
  int type = 0;
  const char* blob = libssh2_session_hostkey(lib_->session, &size, &type);
  if (blob == nullptr || size < 4) return {};
  const auto* bytes = reinterpret_cast<const unsigned char*>(blob);
  std::size_t n = std::size_t{bytes[2]} << 8 | bytes[3];  // of its first string, the type
  return {std::string(blob + 4, std::min(n, size - 4)), std::string(blob, size)};
}

SshSession::Progress SshSession::ask_methods(const std::string& user) {
  const char* list = libssh2_userauth_list(lib_->session, user.data(), length(user));
  if (list == nullptr)
    return signed_in() ? Progress::done : progress(libssh2_session_last_errno(lib_->session));
  methods_.clear();
  for (std::string_view method : split(list, ',')) methods_.emplace_back(method);
  return Progress::done;
}

bool SshSession::signed_in() const {
  return libssh2_userauth_authenticated(lib_->session) == 1;
}

SshSession::Progress SshSession::sign_in(const std::string& user, const Secret& key,
                                         const Secret& passphrase) {
  Progress out = progress(libssh2_userauth_publickey_frommemory(
      lib_->session, user.data(), user.size(), nullptr, 0, key.reveal().data(), key.reveal().size(),
      passphrase.empty() ? nullptr : passphrase.reveal().c_str()));
  // It has many codes for a key that it cannot read, and those for a connection that broke.
  if (out == Progress::failed && trouble_ != Trouble::auth && !lib_->wire->ended()) trouble_ = Trouble::key;
  return out;
}

std::vector<AgentKey> SshSession::agent_keys(const std::string& socket) {
  std::vector<AgentKey> out;
  if (socket.empty() || lib_->agent != nullptr) return out;
  lib_->agent = libssh2_agent_init(lib_->session);
  if (lib_->agent == nullptr) return out;
  libssh2_agent_set_identity_path(lib_->agent, socket.c_str());
  if (libssh2_agent_connect(lib_->agent) != 0 || libssh2_agent_list_identities(lib_->agent) != 0) return out;
  libssh2_agent_publickey *key = nullptr, *before = nullptr;
  while (libssh2_agent_get_identity(lib_->agent, &key, before) == 0) {
    lib_->identities.push_back(before = key);
    out.push_back({std::string(reinterpret_cast<char*>(key->blob), key->blob_len),
                   key->comment == nullptr ? "" : key->comment});
  }
  return out;
}

SshSession::Progress SshSession::sign_in_with_agent(const std::string& user, std::size_t index) {
  return progress(libssh2_agent_userauth(lib_->agent, user.c_str(), lib_->identities.at(index)));
}

SshSession::Progress SshSession::open_forward(const std::string& host, int port, int origin) {
  const std::string message = ssh_string(host) + ssh_number(static_cast<unsigned>(port)) +
                              ssh_string("127.0.0.1") + ssh_number(static_cast<unsigned>(origin));
  lib_->opened = libssh2_channel_open_ex(lib_->session, "direct-tcpip", sizeof "direct-tcpip" - 1, kWindow,
                                         kPacket, message.data(), length(message));
  return lib_->opened != nullptr ? Progress::done : progress(libssh2_session_last_errno(lib_->session));
}

SshSession::Progress SshSession::open_command(const std::string& command) {
  if (lib_->opened == nullptr) lib_->opened = libssh2_channel_open_session(lib_->session);
  if (lib_->opened == nullptr) return progress(libssh2_session_last_errno(lib_->session));
  Progress started = progress(libssh2_channel_exec(lib_->opened, command.c_str()));
  if (started == Progress::failed) lib_->retired.push_back(std::exchange(lib_->opened, nullptr));
  return started;
}

std::unique_ptr<FarEnd> SshSession::take_channel() {
  return std::make_unique<Channel>(*lib_, std::exchange(lib_->opened, nullptr));
}

SshSession::Progress SshSession::open_pump() {
  lib_->pump = libssh2_channel_open_session(lib_->session);
  return lib_->pump != nullptr ? Progress::done : progress(libssh2_session_last_errno(lib_->session));
}

void SshSession::pump() {
  char nothing[256];
  if (lib_->pump != nullptr && libssh2_channel_read(lib_->pump, nothing, sizeof nothing) < 0) return;
}

void SshSession::keep_alive() {
  int next = 0;
  libssh2_keepalive_send(lib_->session, &next);
}

void SshSession::tidy() {
  std::erase_if(lib_->retired, [](LIBSSH2_CHANNEL* channel) {
    return libssh2_channel_free(channel) != LIBSSH2_ERROR_EAGAIN;
  });
}

void SshSession::say_goodbye() {
  libssh2_session_disconnect(lib_->session, "bye");
}

bool library_signs_with(const std::string& key_type) {
  constexpr int kSignsRsaWithSha2 = 0x010b00;
  return !key_type.starts_with("ssh-rsa") || libssh2_version(kSignsRsaWithSha2) != nullptr;
}

}  // namespace nbform
