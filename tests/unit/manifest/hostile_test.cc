// Hostile text is refused, quickly and in little memory (docs: 50 ms, 32 MiB for up to 1 MiB of input). Each
// is read in a process of its own, whose CPU time and memory the system tells. Milliseconds are printed, not
// judged, as a busy machine must not fail a test: judged is that no hostile text costs much more than the
// largest honest stack.
#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>

#include "base/diagnostic_text.h"
#include "base/text.h"
#include "manifest/load.h"
#include "manifest/yaml.h"
#include "support/catch.h"
#include "support/figures.h"

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

struct Cost {
  double cpu_ms = 0;
  long kib = 0;  // most memory beyond what the process began with
};

double milliseconds(const timeval& t) {
  return 1e3 * static_cast<double>(t.tv_sec) + 1e-3 * static_cast<double>(t.tv_usec);
}

long resident_kib() {
  long pages = 0, all = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%ld %ld", &all, &pages) != 2) pages = 0;
    std::fclose(file);
  }
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

Cost reading_here(const std::string& text) {
  long before = resident_kib();
  (void)load_text(text);
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  return {milliseconds(use.ru_utime) + milliseconds(use.ru_stime), std::max(0L, use.ru_maxrss - before)};
}

Cost cost_of_reading(const std::string& text) {
  malloc_trim(0);  // what is free already would hide what is taken
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  pid_t child = fork();
  if (child == 0) {
    Cost cost = reading_here(text);
    _exit(write(ends[1], &cost, sizeof cost) == sizeof cost ? 0 : 1);
  }
  Cost cost;
  close(ends[1]);
  CHECK(read(ends[0], &cost, sizeof cost) == sizeof cost);
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  return cost;
}

// As many notebooks as the limits of a file allow.
std::string largest_stack() {
  std::string out = kHead + "notebooks:\n";
  for (int i = 0; i < 1'380; ++i) {
    out += "  n" + std::to_string(i) + ":\n    service: gce\n    where: us-central1-b\n    metadata:\n";
    for (int k = 0; k < 14; ++k) out += "      key-" + std::to_string(k) + ": some value or other\n";
  }
  return out;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

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
  for (const Hostile& h : corpus()) {
    INFO(h.name);
    Loaded loaded = load_text(h.text);
    CHECK_FALSE(loaded.manifest.has_value());
    REQUIRE(loaded.diagnostics.has_errors());
    for (const Diagnostic& d : loaded.diagnostics) {
      std::string shown = render(d);
      CHECK(shown.size() < 4'000);
      CHECK(std::none_of(shown.begin(), shown.end(),
                         [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; }));
    }
    CHECK(loaded.diagnostics[0].mark.known());
  }
}

TEST_CASE("hostile manifests cost no more than honest ones") {
  std::string largest = largest_stack();
  REQUIRE(load_text(largest).manifest.has_value());
  Cost honest = cost_of_reading(largest), worst;
  std::printf("manifest  %-28s %8zu bytes  %6.1f ms CPU  %6ld KiB\n", "the largest stack", largest.size(),
              honest.cpu_ms, honest.kib);
  std::string slowest, biggest;
  for (const Hostile& h : corpus()) {
    INFO(h.name);
    Cost cost = cost_of_reading(h.text);
    std::printf("manifest  %-28s %8zu bytes  %6.1f ms CPU  %6ld KiB\n", h.name.c_str(), h.text.size(),
                cost.cpu_ms, cost.kib);
    CHECK(cost.cpu_ms < 2 * honest.cpu_ms + 20);  // the clock is a coarse one
    if (!kSanitized) CHECK(cost.kib <= 32 * 1024);
    if (cost.cpu_ms > worst.cpu_ms) worst.cpu_ms = cost.cpu_ms, slowest = h.name;
    if (cost.kib > worst.kib) worst.kib = cost.kib, biggest = h.name;
  }
  report_figures("manifest-limits", {13},
                 {{"largest honest stack: CPU ms", honest.cpu_ms},
                  {"largest honest stack: KiB", honest.kib},
                  {"slowest hostile text", slowest},
                  {"slowest hostile text: CPU ms", worst.cpu_ms},
                  {"hostile text of the most memory", biggest},
                  {"hostile text of the most memory: KiB", worst.kib}},
                 "each hostile manifest of at most 2 MiB, read in a process of its own",
                 "build/bin/unit_manifest 'hostile manifests cost*'");
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
