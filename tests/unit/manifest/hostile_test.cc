// Hostile text is refused, quickly and in little memory (docs: 50 ms, 32 MiB for up to 1 MiB of input). The
// figures are printed, not judged: a busy machine must not fail a test. What is judged: it is refused, with a
// position, and ends.
#include <sys/resource.h>

#include <cstdio>
#include <ctime>
#include <functional>

#include "base/diagnostic_text.h"
#include "base/text.h"
#include "manifest/load.h"
#include "manifest/yaml.h"
#include "support/catch.h"

using namespace nbform;

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
const std::string kHead = "nbform: 1\nstack: demo\n";
const std::string kNotebook = kHead + "notebooks:\n  nb:\n    service: gce\n    where: us-central1\n";

std::string times(std::string_view text, std::size_t bytes = kMiB) {
  std::string out;
  while (out.size() + text.size() <= bytes) out += text;
  return out;
}

std::string numbered(std::string head, const std::function<std::string(int)>& line) {
  for (int i = 0; head.size() < kMiB - 100; ++i) head += line(i);
  return head;
}

Loaded load_text(const std::string& text) {
  Sources sources;
  sources.directory = sources.repository = "/stack";
  sources.manifests = {"/stack/a.nb.yaml"};
  sources.files["/stack/a.nb.yaml"] = text;
  Vars vars;
  vars.environment["CI"] = std::nullopt;
  Loaded loaded = load(sources, vars);
  for (const Wanted& w : loaded.wanted) vars.environment[w.name] = std::nullopt;
  return loaded.wanted.empty() ? std::move(loaded) : load(sources, vars);
}

double cpu_ms() {
  return 1e3 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}
long peak_kib() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  return use.ru_maxrss;
}

struct Hostile {
  std::string name, text;
};

std::vector<Hostile> corpus() {
  std::string aliases = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 9; ++i)
    aliases += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" +
               times("*a" + std::to_string(i - 1) + ",", 36) + "x]\n";
  auto n = [](int i) { return std::to_string(i); };
  return {
      {"alias bomb", aliases},
      {"alias to itself", "a: &a [*a]\n"},
      {"2 MiB", times("# a comment\n", 2 * kMiB)},
      {"only comments", times("# a comment\n")},
      {"only blank lines", times("\n")},
      {"NUL", kHead + std::string("a: \0b\n", 6)},
      {"escape", kHead + "a: \x1b[31m\n"},
      {"C1 control", kHead + "a: \xc2\x9b\n"},
      {"lone CR", kHead + "a: b\rc: d\n"},
      {"bad UTF-8", kHead + "a: \xff\xfe\n"},
      {"overlong UTF-8", kHead + "a: \xc0\xaf\n"},
      {"surrogate", kHead + "a: \xed\xa0\x80\n"},
      {"brackets on a line", times("[")},
      {"brackets on lines", times("[\n")},
      {"braces on lines", times("{\n")},
      {"dashes", times("- ")},
      {"dashes on lines", times("-\n")},
      {"question marks", times("? ")},
      {"colons", times(":")},
      {"500 levels", times("a:\n ", 3) +
                         [] {
                           std::string s;
                           for (int i = 0; i < 500; ++i)
                             s += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
                           return s;
                         }()},
      {"a scalar of 1 MiB", "a: " + times("x", kMiB - 10)},
      {"a folded scalar of 1 MiB", "a:\n" + times("  xxxxx yyyyy\n", kMiB - 10)},
      {"a quoted scalar of 1 MiB", "a: \"" + times("x\n", kMiB - 10)},
      {"a literal of 1 MiB", "a: |\n" + times("  xxxxx\n", kMiB - 10)},
      {"anchors", times("&a ")},
      {"tags", times("!!a ")},
      {"documents", times("--- a\n")},
      {"directives", times("%A b\n")},
      {"flow list", "- [" + times("x,", kMiB - 10)},
      {"flow lists", times("- [" + times("x,", 60'000) + "x]\n")},
      {"flow keys", "[" + times("a: ", kMiB - 10)},
      {"100,000 keys", numbered("", [&](int i) { return "k" + n(i) + ": v\n"; })},
      {"one key again and again", times("a: 1\n")},
      {"unknown keys", numbered(kNotebook, [&](int i) { return "    key" + n(i) + ": 1\n"; })},
      {"bad names",
       numbered(kHead + "notebooks:\n", [&](int i) { return "  Nb" + n(i) + ": {service: gce}\n"; })},
      {"each times defaults",
       numbered(
           kHead + "defaults: {metadata: {" +
               [&] {
                 std::string s;
                 for (int i = 0; i < 250; ++i) s += "k" + n(i) + ": v, ";
                 return s;
               }() +
               "z: z}}\nnotebooks:\n  c:\n    service: gce\n    where: us-central1\n    each:\n",
           [&](int i) { return "      e" + n(i) + ": {}\n"; })},
      {"variables of 60 KiB",
       kHead + "variables: {x: " + times("y", 60'000) +
           "}\nnotebooks:\n  c:\n    service: gce\n    where: us-central1\n    metadata: {" +
           [&] {
             std::string s;
             for (int i = 0; i < 200; ++i) s += "k" + n(i) + ": \"${var.x}\", ";
             return s;
           }() +
           "z: \"${var.x}${var.x}\"}\n    each: {" +
           [&] {
             std::string s;
             for (int i = 0; i < 900; ++i) s += "e" + n(i) + ": {}, ";
             return s;
           }() +
           "z: {}}\n"},
      {"an include of everything", kHead + "include: [../../../../etc/passwd, /etc/shadow, ~/.ssh/id_rsa]\n"},
  };
}

}  // namespace

TEST_CASE("hostile manifests are refused") {
  double worst = 0;
  for (const Hostile& h : corpus()) {
    INFO(h.name);
    double before = cpu_ms();
    Loaded loaded = load_text(h.text);
    double took = cpu_ms() - before;
    worst = std::max(worst, took);
    CHECK_FALSE(loaded.manifest.has_value());
    REQUIRE(loaded.diagnostics.has_errors());
    for (const Diagnostic& d : loaded.diagnostics) {
      std::string shown = render(d);
      CHECK(shown.size() < 4'000);
      CHECK(std::none_of(shown.begin(), shown.end(),
                         [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; }));
    }
    CHECK(loaded.diagnostics[0].mark.known());
    std::printf("hostile  %-28s %8zu bytes  %6.1f ms CPU  %s\n", h.name.c_str(), h.text.size(), took,
                loaded.diagnostics[0].summary.c_str());
  }
  std::printf("hostile  worst %.1f ms CPU, peak %ld KiB of the whole test program\n", worst, peak_kib());
}

TEST_CASE("CRLF, a byte order mark and text beyond ASCII are fine") {
  Loaded loaded = load_text(
      "\xef\xbb\xbfnbform: 1\r\nstack: demo\r\nnotebooks:\r\n  nb: {service: gce, where: us-central1, "
      "metadata: {title: \"na\xc3\xafve \xe2\x9c\x93\"}}\r\n");
  REQUIRE(loaded.manifest.has_value());
  CHECK(*loaded.manifest->notebooks[0].metadata.at("title") == "na\xc3\xafve \xe2\x9c\x93");
}

TEST_CASE("shell metacharacters stay what they are") {
  Loaded loaded = load_text(
      kNotebook + "    metadata: {a: \"$(rm -rf /)\", b: '`id`; \"x\" && ''y'' | z > w', c: \"$$ $HOME\"}\n");
  REQUIRE(loaded.manifest.has_value());
  const auto& metadata = loaded.manifest->notebooks[0].metadata;
  CHECK(*metadata.at("a") == "$(rm -rf /)");
  CHECK(*metadata.at("b") == "`id`; \"x\" && 'y' | z > w");
  CHECK(*metadata.at("c") == "$$ $HOME");
}
