// What Colab's "connect to a local runtime" needs of a Jupyter server: that pages of Colab's origin may call
// it, with credentials. The same two settings of Jupyter decide about its WebSockets. Source: Colab's page on
// local runtimes; what servers answer was measured with notebook 6.4 and Jupyter Server 1.23 and 2.21.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "base/message.h"

namespace nbform {

inline constexpr std::string_view kColabOrigin = "https://colab.research.google.com";

// Asks, as a browser would before Colab's first call. `url` is the server's, and ends with a slash.
Request colab_preflight(const std::string& url);
// Why Colab could not use a server that answered so; none: it can. The hint is Jupyter's configuration.
std::optional<Diagnostic> colab_refusal(const Response& answer);

}  // namespace nbform
