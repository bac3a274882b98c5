// nbform connect in the sandbox: the machine is simulated, so a real Jupyter of this computer stands for the
// one that would run there. Knows no tunnel.
#pragma once

#include "cli/announcement.h"
#include "cli/session.h"
#include "net/tunnel.h"

namespace nbform::cli {

// Until Ctrl-C; gives the exit code. The sandbox is free for other commands meanwhile, and nothing more can
// be asked of it in this session. `forward`: which local port. Errors: unavailable (the machine does not run,
// or Jupyter ended), those of SandboxJupyter::start.
Result<int> visit_sandbox(Session& session, const Notebook& notebook, const Live& machine,
                          const TunnelForward& forward, const AnnouncementFlags& flags);

}  // namespace nbform::cli
