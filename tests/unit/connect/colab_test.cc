#include "connect/colab.h"

#include "support/catch.h"

namespace nbform {

TEST_CASE("Colab needs its own origin, and credentials") {
  constexpr const char* kColab = "https://colab.research.google.com";
  auto refusal = [](const std::string& origin, const std::string& credentials) {
    Response answer;
    answer.status = 200;
    if (!origin.empty()) answer.headers.emplace_back("Access-Control-Allow-Origin", origin);
    if (!credentials.empty()) answer.headers.emplace_back("access-control-allow-credentials", credentials);
    auto why = colab_refusal(answer);
    return why ? why->detail : "";
  };
  CHECK(refusal(kColab, "true") == "");
  CHECK(refusal("", "true") == "Jupyter lets no pages of other origins call it.");
  CHECK(refusal(kColab, "") == "Jupyter lets Colab's pages call it, but without credentials.");
  // A star is no answer to a request with credentials.
  CHECK(refusal("*", "true") == "Jupyter lets pages of * call it.");
  CHECK(refusal("https://colab.research.google.com.example", "true") ==
        "Jupyter lets pages of https://colab.research.google.com.example call it.");
}

}  // namespace nbform
