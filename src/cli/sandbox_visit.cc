#include "cli/sandbox_visit.h"

#include <fmt/format.h>

#include "cli/connect_screen.h"
#include "cli/machine.h"
#include "cli/sandbox_jupyter.h"
#include "cli/work_dir.h"

namespace nbform::cli {

namespace {

constexpr Duration kEndingTime = std::chrono::seconds(5);  // for Jupyter to end its kernels

class Visit {
 public:
  Visit(Session& session, OpenJupyter open, const AnnouncementFlags& flags)
      : session_(session),
        open_(std::move(open)),
        flags_(flags),
        screen_(session.shell().screen, session.env()) {}

  Result<int> run(const std::string& home, const TunnelForward& forward, bool for_colab) {
    tell(ConnectEvent::What::machine, true, "simulated, and running");
    jupyter_ =
        NB_TRY(SandboxJupyter::start(session_.env(), home, forward, for_colab,
                                     [this](Result<FoundJupyter> found) { on_found(std::move(found)); }));
    tell(ConnectEvent::What::jupyter, false, jupyter_->program() + " starts");
    while (!failure_ && !jupyter_->ended() && session_.interrupts() == 0) step();
    if (!failure_ && jupyter_->ended()) failure_ = error(Code::unavailable, "Jupyter ended", "By itself.");
    if (failure_) return std::move(*failure_);
    end();
    if (!announcement_) return error(Code::cancelled, "Interrupted", "Jupyter did not answer yet.");
    session_.shell().screen.err("\nJupyter is closed; its files are in " + home + "/files.\n");
    return kFine;
  }

 private:
  void on_found(Result<FoundJupyter> found) {
    if (!found.ok()) {
      failure_ = std::move(found).error();
      return;
    }
    open_.found = std::move(*found);
    open_.ports = {open_.found.server.port};
    tell(ConnectEvent::What::jupyter, true, fmt::format("version {}, of this computer", open_.found.version));
    announcement_.emplace(session_, open_, flags_);
  }

  void tell(ConnectEvent::What what, bool done, std::string text) {
    if (!flags_.json) screen_.show({.what = what, .done = done, .text = std::move(text), .why = {}});
  }

  void step() {
    if (!session_.env().step()) bug("Jupyter runs and nothing can happen");
  }

  void end() {
    jupyter_->stop();
    Time limit = session_.env().now() + kEndingTime;
    int interrupts = session_.interrupts();
    while (!jupyter_->ended() && session_.env().now() < limit && session_.interrupts() == interrupts) step();
  }

  Session& session_;
  OpenJupyter open_;
  AnnouncementFlags flags_;
  ConnectScreen screen_;
  std::unique_ptr<SandboxJupyter> jupyter_;
  std::optional<Announcement> announcement_;
  std::optional<Diagnostic> failure_;
};

}  // namespace

Result<int> visit_sandbox(Session& session, const Notebook& notebook, const Live& machine,
                          const TunnelForward& forward, const AnnouncementFlags& flags) {
  NB_TRY(check_runs(machine, notebook));
  NB_TRY(session.leave_sandbox());
  std::string work =
      NB_TRY(session.env().file_info(NB_TRY(work_dir(session.env(), session.directory())))).resolved;
  bool for_colab = flags.colab || notebook.access.colab.value_or(false);
  return Visit(session, {notebook.key, machine.id, {}, {}}, flags)
      .run(fmt::format("{}/jupyter/{}", work, notebook.key), forward, for_colab);
}

}  // namespace nbform::cli
