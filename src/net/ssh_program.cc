#include <fmt/format.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <list>
#include <map>

#include "base/text.h"
#include "net/program.h"
#include "net/ssh_command.h"
#include "net/ssh_socket.h"
#include "net/ssh_stream.h"
#include "net/ssh_transport.h"
#include "net/ssh_words.h"

namespace nbform {

namespace {

constexpr int kNoSuchProgram = 127;                         // as env and shells say it
constexpr Duration kAgain = std::chrono::milliseconds(10);  // its sockets are full, or it is about to end

Descriptor unix_connection(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  Descriptor out(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (::connect(out.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return out;
}

// One line from a pipe that scripts write a line at a time to; "" when there is none.
std::string line_from(int pipe) {
  char bytes[16 << 10];
  ssize_t n = ::read(pipe, bytes, sizeof bytes);
  return n > 0 ? std::string(trim({bytes, static_cast<std::size_t>(n)})) : "";
}

void write_line(int pipe, const std::string& text) {
  const std::string line = text + "\n";
  [[maybe_unused]] ssize_t n = ::write(pipe, line.data(), line.size());  // a pipe's buffer takes it
}

// `ssh -N` over a stream of ours, which it reaches through a port that takes one connection: so any stream
// will do, and ssh ends when we do, however that happens. It shows us the host key and asks for passphrases
// through scripts. Each target is a socket in a private directory.
class SshProgram : public SshTransport {
 public:
  SshProgram(Env& env, Descriptor socket, SshSettings settings, SshCalls calls)
      : env_(env),
        machine_(std::move(socket)),
        settings_(std::move(settings)),
        calls_(std::move(calls)),
        desk_(env),
        bridge_watch_(env),
        shown_watch_(env),
        asked_watch_(env),
        out_watch_(env),
        err_watch_(env),
        soon_(env),
        limit_(env),
        verdict_(env),
        reap_(env) {
    soon_.set(Duration(0), [this] { start(); });
  }

  void carry(Descriptor near, const std::string& host, int port) override {
    auto at = std::find(settings_.targets.begin(), settings_.targets.end(), std::pair(host, port));
    if (at == settings_.targets.end()) bug("a target that ssh was not told of");
    waiting_.push_back({std::move(near), static_cast<std::size_t>(at - settings_.targets.begin())});
    soon_.set(Duration(0), [this] { join_waiting(); });
  }
  std::size_t carried() const override { return joints_.size() + waiting_.size(); }
  void run(const std::string& command, std::function<void(std::string)> done) override {
    env_.spawn(ssh_again(desk_, command), settings_.handshake_limit,
               lifeline_.guard([done = std::move(done)](Result<ProgramResult> result) {
                 done(result.ok() ? std::move(result->out) : "");
               }));
  }

 private:
  struct Waiting {
    Descriptor near;
    std::size_t target;
  };

  void start();
  Result<> prepare();
  void watch_program();
  void on_bridge();
  void on_host_key();
  void on_question();
  void on_output();
  void take_remark(const SshRemark& remark);
  void on_program_end();
  void join_waiting();
  void limit_answer();
  SshFailure last_words() const;
  void end(SshFailure failure);

  Env& env_;
  Descriptor machine_;
  SshSettings settings_;
  SshCalls calls_;
  Desk desk_;
  Listener bridge_;
  Descriptor shown_, key_verdict_, asked_, answer_;
  std::unique_ptr<Program> program_;
  std::size_t understood_ = 0;  // bytes of its error output
  std::optional<SshRemark> remark_;
  std::optional<SshFailure> refusal_;  // of the host key
  std::map<std::string, int> attempts_;
  bool connected_ = false, over_ = false;
  std::deque<Waiting> waiting_;
  std::array<char, Relay::kChunk> scratch_;
  std::list<std::unique_ptr<Joint>> joints_;
  std::unique_ptr<Joint> bridged_;
  Watch bridge_watch_, shown_watch_, asked_watch_, out_watch_, err_watch_;
  Alarm soon_, limit_, verdict_, reap_;
  Lifeline lifeline_;
};

// ---- starting
// -----------------------------------------------------------------------------------------------

void SshProgram::start() {
  if (auto ready = prepare(); !ready.ok()) return end({SshProblem::needs_system_ssh, ready.error()});
  auto program = Program::start(ssh_command(desk_, settings_, bridge_.port));
  if (!program.ok()) return end({SshProblem::needs_system_ssh, program.error()});
  program_ = std::move(program).value();
  limit_answer();
  watch_program();
}

Result<> SshProgram::prepare() {
  bridge_ = NB_TRY(listen_on_loopback(0));
  shown_ = desk_.pipe(kKeyShown);
  key_verdict_ = desk_.pipe(kKeyVerdict);
  asked_ = desk_.pipe(kAsked);
  answer_ = desk_.pipe(kAnswer);
  if (!desk_.usable() || !shown_ || !key_verdict_ || !asked_ || !answer_ ||
      !desk_.write_script(kHostKeyScript, host_key_script(desk_)) ||
      !desk_.write_script(kAskScript, ask_script(desk_)))
    return error(Code::io, "The system's ssh cannot be started",
                 "There is no place for a private directory: set XDG_RUNTIME_DIR.");
  return Ok();
}

void SshProgram::watch_program() {
  bridge_watch_.begin(bridge_.sockets[0].get(), {.read = true}, [this](Readiness) { on_bridge(); });
  shown_watch_.begin(shown_.get(), {.read = true}, [this](Readiness) { on_host_key(); });
  asked_watch_.begin(asked_.get(), {.read = true}, [this](Readiness) { on_question(); });
  auto open = program_->descriptors();
  if (open.size() != 2) bug("a program that starts without output");
  out_watch_.begin(open[0], {.read = true}, [this](Readiness) { on_output(); });
  err_watch_.begin(open[1], {.read = true}, [this](Readiness) { on_output(); });
}

void SshProgram::on_bridge() {
  bool ignored = false;
  Descriptor near = accept_one(bridge_.sockets[0].get(), ignored);
  if (!near) return;
  bridge_watch_.end();
  bridge_.sockets.clear();
  bridged_ = std::make_unique<Joint>(env_, std::move(near), std::move(machine_), scratch_, [] {});
}

// What a person answers takes its time; what a machine does not.
void SshProgram::limit_answer() {
  limit_.set(settings_.handshake_limit, [this] {
    end({SshProblem::timed_out,
         error(Code::timeout, "The SSH server does not answer",
               fmt::format("ssh was given {}.", format_span(settings_.handshake_limit)))});
  });
}

// ---- what it asks
// -------------------------------------------------------------------------------------------

void SshProgram::on_host_key() {
  auto key = parse_host_key(line_from(shown_.get()));
  if (!key) return write_line(key_verdict_.get(), "");
  limit_.cancel();
  calls_.verify(*key, lifeline_.guard([this, key = *key](Result<> verdict) {
    if (over_) return;
    limit_answer();
    if (!verdict.ok()) refusal_ = {SshProblem::host_key_refused, std::move(verdict).error(), {}, {}, key};
    write_line(key_verdict_.get(), refusal_ ? "" : fmt::format("{} {}", kSshAlias, key.text()));
  }));
}

void SshProgram::on_question() {
  const std::string file = key_file_in(line_from(asked_.get()));
  if (file.empty()) return write_line(answer_.get(), "");
  limit_.cancel();
  calls_.passphrase(file, ++attempts_[file], lifeline_.guard([this](Result<Secret> passphrase) {
    if (over_) return;
    limit_answer();
    write_line(answer_.get(), passphrase.ok() ? passphrase->reveal() : "");
  }));
}

// ---- what it says
// -------------------------------------------------------------------------------------------

void SshProgram::on_output() {
  const bool ended = program_->pump();
  const std::string& err = program_->so_far().err;
  for (std::size_t at = 0; (at = err.find('\n', understood_)) != std::string::npos; understood_ = at + 1)
    if (auto remark = read_ssh_words(std::string_view(err).substr(understood_, at - understood_)))
      take_remark(*remark);
  if (!connected_ && program_->so_far().out.find(kSshReady) != std::string::npos) {
    connected_ = true;
    limit_.cancel();
    calls_.connected();
  }
  if (ended) return on_program_end();
  if (program_->descriptors().size() == 2) return;
  out_watch_.end();  // one is closed, and the other about to be
  err_watch_.end();
  reap_.set(kAgain, [this] { on_output(); });
}

void SshProgram::take_remark(const SshRemark& remark) {
  const bool forbidden = remark.problem == SshProblem::forwarding_forbidden;
  if (!forbidden && remark.problem != SshProblem::target_refused) {
    if (!remark_ || explains_more(remark, *remark_)) remark_ = remark;
    return;
  }
  const auto& [host, port] = settings_.targets.front();  // ssh does not say which one
  calls_.turned_away(connection_refused(remark.problem, remark.text), fmt::format("{}:{}", host, port));
}

SshFailure SshProgram::last_words() const {
  if (refusal_) return *refusal_;
  if (!connected_ && program_->so_far().exit_code == kNoSuchProgram)
    return {SshProblem::needs_system_ssh,
            error(Code::not_found, "There is no ssh on this computer",
                  "The SSH library cannot do it, and the program ssh is missing.")
                .with_hint("On Debian: apt install openssh-client")};
  const std::string says = remark_ ? fmt::format("ssh says: {}", remark_->text) : "ssh ended without a word.";
  if (connected_ || !remark_)
    return {SshProblem::lost, error(Code::unavailable, "The connection was lost", says)};
  switch (remark_->problem) {
    case SshProblem::auth_refused:
      return {remark_->problem,
              error(Code::unauthenticated, "The server takes none of the keys",
                    fmt::format("User {}, offered: {}. {}.", settings_.user, join(settings_.key_files, ", "),
                                says)),
              remark_->methods, settings_.key_files};
    case SshProblem::key_unusable:
      return {remark_->problem, error(Code::unauthenticated, "There is no key to sign in with", says)};
    case SshProblem::no_common_algorithm:
      return {remark_->problem, error(Code::unsupported, "ssh and the server share no algorithm", says)};
    case SshProblem::needs_system_ssh:
      return {remark_->problem, error(Code::unsupported, "The system's ssh is too old", says)
                                    .with_hint("OpenSSH 8.5 or newer is needed")};
    default:
      return {SshProblem::lost, error(Code::unavailable, "The connection was lost", says)};
  }
}

void SshProgram::on_program_end() {
  end(last_words());
}

// ---- connections
// --------------------------------------------------------------------------------------------

void SshProgram::join_waiting() {
  while (!waiting_.empty()) {
    Descriptor far = unix_connection(desk_.path(target_name(waiting_.front().target)));
    if (!far) return soon_.set(kAgain, [this] { join_waiting(); });
    auto place = joints_.emplace(joints_.end());
    *place = std::make_unique<Joint>(env_, std::move(waiting_.front().near), std::move(far), scratch_,
                                     [this, place] { joints_.erase(place); });
    waiting_.pop_front();
  }
}

void SshProgram::end(SshFailure failure) {
  if (std::exchange(over_, true)) return;
  for (Watch* watch : {&bridge_watch_, &shown_watch_, &asked_watch_, &out_watch_, &err_watch_}) watch->end();
  for (Alarm* alarm : {&soon_, &limit_, &reap_}) alarm->cancel();
  joints_.clear();
  waiting_.clear();
  verdict_.set(Duration(0), [ended = calls_.ended, failure = std::move(failure)] { ended(failure); });
}

}  // namespace

std::unique_ptr<SshTransport> start_ssh_program(Env& env, Descriptor socket, SshSettings settings,
                                                SshCalls calls) {
  return std::make_unique<SshProgram>(env, std::move(socket), std::move(settings), std::move(calls));
}

}  // namespace nbform
