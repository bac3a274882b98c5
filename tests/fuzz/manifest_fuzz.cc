// Any text as a manifest: it loads, or says what is wrong at a place that exists; what loads is shown,
// lowered for its cloud and shown again.
#include "cloud/cloud.h"
#include "fuzz.h"
#include "manifest/emit.h"
#include "manifest/load.h"

using namespace nbform;

namespace {

// Answers whatever is wanted with nothing, as a stack of one file alone in its repository.
Loaded load_alone(std::string_view text) {
  Sources sources;
  sources.directory = sources.repository = "/stack";
  sources.home = "/home/me";
  sources.manifests = {"/stack/a.nb.yaml"};
  sources.files["/stack/a.nb.yaml"] = text;
  Vars vars;
  Loaded loaded = load(sources, vars);
  for (int round = 0; round < 100 && !loaded.wanted.empty(); ++round) {
    for (const Wanted& w : loaded.wanted)
      if (w.kind == Wanted::Kind::environment)
        vars.environment[w.name] = std::nullopt;
      else
        sources.unreadable[w.name] = "does not exist";
    loaded = load(sources, vars);
  }
  fuzz::require(loaded.wanted.empty(), "loading never ends");
  return loaded;
}

int lines_in(std::string_view text) {
  int lines = 1;
  for (char c : text) lines += c == '\n' ? 1 : 0;
  return lines;
}

void lower_all(const Manifest& manifest) {
  for (const Notebook& notebook : manifest.notebooks) {
    const Service* service = find_service(notebook.service);
    if (service == nullptr) continue;
    LowerContext context;
    context.manifest = &manifest;
    context.account = "acme-ml";
    Graph graph;
    Diagnostics problems;
    service->lower(notebook, context, graph, problems);
    for (const Diagnostic& d : problems) fuzz::check_message(d);
  }
}

}  // namespace

NBFORM_FUZZ(text) {
  Loaded loaded = load_alone(text);
  for (const Diagnostic& d : loaded.diagnostics) {
    fuzz::check_message(d);
    fuzz::require(d.mark.line <= lines_in(text) + 1, "a place below the end of the file");
  }
  fuzz::require(loaded.manifest.has_value() || loaded.diagnostics.has_errors(), "refused without a reason");
  if (!loaded.manifest) return;
  std::string shown = expanded(*loaded.manifest);
  fuzz::require(valid_utf8(shown), "the long form is not UTF-8");
  lower_all(*loaded.manifest);
}
