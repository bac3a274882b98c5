// Every message of the front end, as complete text: the files under cases/ hold manifests and what nbform
// says about them. NBFORM_ACCEPT=1 rewrites what it says; the difference is then to be read like code.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/diagnostic_text.h"
#include "base/text.h"
#include "manifest/emit.h"
#include "manifest/load.h"
#include "support/catch.h"

using namespace nbform;
namespace fs = std::filesystem;

namespace {

struct Case {
  std::string name;
  std::vector<std::pair<std::string, std::string>> sections;  // name and text, in order
};

std::string read(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

// "==== name" starts a case, "-- section --" a section of it.
std::vector<Case> parse_cases(const std::string& text) {
  std::vector<Case> cases;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("==== "))
      cases.push_back({line.substr(5), {}});
    else if (line.starts_with("-- ") && line.ends_with(" --"))
      cases.back().sections.emplace_back(line.substr(3, line.size() - 6), "");
    else if (!cases.empty() && !cases.back().sections.empty())
      cases.back().sections.back().second += line + "\n";
  }
  return cases;
}

// "nb": the keys of one notebook; the rest of its manifest is always the same.
std::string wrapped(const std::string& keys) {
  std::string out = "nbform: 1\nstack: demo\nnotebooks:\n  nb:\n";
  std::istringstream in(keys);
  for (std::string line; std::getline(in, line);) out += "    " + line + "\n";
  return out;
}

struct Bench {
  Sources sources;
  Vars vars;

  explicit Bench(const Case& c) {
    sources.directory = "/repo/stack";
    sources.repository = "/repo";
    sources.home = "/home/me";
    for (const auto& [name, text] : c.sections) add(name, text);
  }

  void add(const std::string& name, const std::string& text) {
    if (name == "expected") return;
    if (name == "vars") return add_vars(text);
    if (name.starts_with("unreadable ")) {
      auto words = split(name, ' ');
      sources.unreadable[path_of(std::string(words[1]))] = std::string(trim(text));
      return;
    }
    std::string path = path_of(name == "nb" ? "a.nb.yaml" : name);
    sources.files[path] = name == "nb" ? wrapped(text) : text;
    if (path.ends_with(".nb.yaml") && fs::path(path).parent_path() == sources.directory)
      sources.manifests.push_back(path);
    if (name.ends_with(".vars")) vars.files.push_back(path);
  }

  void add_vars(const std::string& text) {
    for (std::string_view line : split(trim(text), '\n')) {
      auto equals = line.find('=');
      std::string name(line.substr(0, equals)), value(line.substr(equals + 1));
      if (name.starts_with("NBFORM_VAR_") || name == "CI")
        vars.environment[name] = value;
      else
        vars.given.emplace_back(name, value);
    }
  }

  std::string path_of(const std::string& name) const {
    if (name.starts_with("~/")) return sources.home + name.substr(1);
    return (fs::path(sources.directory) / name).lexically_normal().string();
  }

  Loaded run() {
    while (true) {
      Loaded loaded = load(sources, vars);
      if (loaded.wanted.empty()) return loaded;
      for (const Wanted& w : loaded.wanted) {
        if (w.kind == Wanted::Kind::environment)
          vars.environment.emplace(w.name, std::nullopt);
        else if (sources.files.count(w.name) == 0)
          sources.unreadable[w.name] = "does not exist";
      }
    }
  }
};

std::string said(const Case& c) {
  Loaded loaded = Bench(c).run();
  REQUIRE(loaded.manifest.has_value() != loaded.diagnostics.has_errors());
  std::string out;
  for (const Diagnostic& d : loaded.diagnostics) out += (out.empty() ? "" : "\n") + render(d);
  if (loaded.manifest) out += (out.empty() ? "" : "\n") + expanded(*loaded.manifest);
  return out;
}

std::string written(const Case& c, const std::string& expected) {
  std::string out = "==== " + c.name + "\n";
  for (const auto& [name, text] : c.sections)
    if (name != "expected") out += "-- " + name + " --\n" + text;
  return out + "-- expected --\n" + expected;
}

}  // namespace

TEST_CASE("what nbform says about manifests") {
  bool accept = std::getenv("NBFORM_ACCEPT") != nullptr;
  for (const auto& entry :
       fs::directory_iterator(fs::path(NBFORM_SOURCE_DIR) / "tests/unit/manifest/cases")) {
    std::string rewritten;
    for (const Case& c : parse_cases(read(entry.path()))) {
      INFO(entry.path().filename().string() + ": " + c.name);
      std::string actual = said(c), expected;
      for (const auto& [name, text] : c.sections)
        if (name == "expected") expected = text;
      rewritten += written(c, actual + "\n");
      if (!accept) CHECK(trim(actual) == trim(expected));
    }
    if (accept) std::ofstream(entry.path()) << rewritten;
  }
}
