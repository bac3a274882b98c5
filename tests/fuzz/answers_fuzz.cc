// Any text as an answer of Compute Engine, through the decoders that the engine uses: a message that is
// fit to be shown, or Lives from which every request can be built. The first line says what was asked:
// "page instances", "read disk", "operation 200", "fact zones", "error 503", "token".
#include <charconv>

#include "base/google_error.h"
#include "base/json.h"
#include "cloud/cloud.h"
#include "cloud/gce/gce.h"
#include "core/diff.h"
#include "fuzz.h"

using namespace nbform;

namespace {

const Scope kScope{"gce", "gcp", "acme-ml", ""};
constexpr std::size_t kMostValues = 250'000;

int number_in(std::string_view word, int fallback) {
  int n = fallback;
  std::from_chars(word.data(), word.data() + word.size(), n);
  return n;
}

void build_requests(const std::vector<Step>& steps, const StepContext& context) {
  for (const Step& step : steps) {
    if (auto call = step.call(context)) {
      fuzz::require(call->path.find_first_of("\r\n ") == std::string::npos, "a path with blanks in it");
      (void)to_json(call->body);
    }
    if (step.forbid)
      if (auto why = step.forbid(context)) fuzz::check_message(*why);
  }
}

// What the engine and the screens do with whatever is live.
void use(const Live& live) {
  fuzz::require(!live.name.empty() && !live.zone.empty(), "a live thing without name or zone");
  StepContext context;
  context.live = &live;
  context.request_id = "id";
  build_requests(live.kind->destroy(live), context);
  build_requests(live.kind->forget(), context);
  for (auto step : {live.kind->stop(), live.kind->start(), live.kind->mark_resume(true)})
    if (step) build_requests({*step}, context);
  for (const Call& part : live.kind->parts(live)) (void)part;
  (void)live.kind->data_name(live);
  (void)live.kind->gpu(live);
  (void)live.kind->companions(live);
  (void)live.kind->locate(live.id);
}

void plan_destroy(std::vector<Live> all) {
  Snapshot snapshot;
  snapshot.live = std::move(all);
  snapshot.scopes.push_back({kScope, true, {}, std::nullopt});
  Graph empty;
  DiffOptions options;
  options.stack = options.bare_stack = "research";
  options.destroy = true;
  Plan plan = diff(empty, snapshot, options);
  for (const Diagnostic& d : plan.diagnostics) fuzz::check_message(d);
}

void page(std::string_view list, const Value& json) {
  auto listing = find_service("gce")->listing(kScope);
  auto next = listing->add_page(list, json);
  if (!next.ok()) return fuzz::check_message(next.error());
  std::vector<Live> live = listing->fold().live;
  for (const Live& one : live) use(one);
  plan_destroy(std::move(live));
}

void read(std::string_view what, const Value& json) {
  const Kind& kind = what == "disk" ? gce::disk_kind() : gce::instance_kind();
  auto live = kind.decode(kScope, json);
  if (!live.ok()) return fuzz::check_message(live.error());
  Live older = *live;
  kind.fold(*live, json);
  kind.carry_over(*live, older);
  use(*live);
}

void operation(const Response& answer) {
  Settlement settlement = gce::settle_operation(kScope, answer);
  if (settlement.state == Settlement::State::failed) fuzz::check_message(settlement.failure);
  fuzz::require(settlement.state != Settlement::State::pending || settlement.poll, "nothing to ask next");
}

void fact(std::string_view what, const Response& answer) {
  std::string key = what == "zones"  ? gce::zones_fact(kScope)
                    : what == "word" ? gce::image_fact("word", "acme-ml", "pytorch")
                                     : gce::image_fact("family", "acme-ml", "pytorch-2-9-cu129");
  Value known;
  auto next = gce::add_fact(key, answer, known);
  if (!next.ok()) fuzz::check_message(next.error());
}

}  // namespace

NBFORM_FUZZ(text) {
  auto [asked, body] = fuzz::first_line(text);
  auto blank = asked.find(' ');
  std::string_view verb = asked.substr(0, blank);
  std::string_view what = blank == std::string_view::npos ? "" : asked.substr(blank + 1);
  Response answer{number_in(what, 200), {{"Content-Type", "application/json"}}, std::string(body)};
  auto json = parse_json(body, kMostValues);
  if (json.ok()) {
    auto again = parse_json(to_json(*json));
    fuzz::require(again.ok() && to_json(*again) == to_json(*json), "JSON that does not survive a round trip");
  }
  if (verb == "error" && !answer.ok()) fuzz::check_message(google_error(answer));
  if (verb == "operation") operation(answer);
  if (verb == "fact") fact(what, {200, {}, std::string(body)});
  if (!json.ok() || !json->is_map()) return;
  if (verb == "page") page(what, *json);
  if (verb == "read") read(what, *json);
}
