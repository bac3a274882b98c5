// Any text as an answer of Compute Engine, through the decoders that the engine uses: a message that is
// fit to be shown, or Lives from which every request can be built. The first line says what was asked:
// "page instances", "read disk", "operation 200", "fact zones", "error 503".
#include "base/google_error.h"
#include "cloud/gce/gce.h"
#include "lives.h"

using namespace nbform;

namespace {

const Scope kScope{"gce", "gcp", "acme-ml", ""};

void read(std::string_view what, const Value& json) {
  const Kind& kind = what == "disk" ? gce::disk_kind() : gce::instance_kind();
  auto live = kind.decode(kScope, json);
  if (!live.ok()) return fuzz::check_message(live.error());
  Live older = *live;
  kind.fold(*live, json);
  kind.carry_over(*live, older);
  fuzz::use(*live);
}

void operation(const Response& answer) {
  Settlement settlement = gce::settle_operation(kScope, answer);
  fuzz::use_settlement(settlement);
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

void check_round_trip(const Value& json) {
  auto again = parse_json(to_json(json));
  fuzz::require(again.ok() && to_json(*again) == to_json(json), "JSON that does not survive a round trip");
}

}  // namespace

NBFORM_FUZZ(text) {
  auto [asked, body] = fuzz::first_line(text);
  auto [verb, what] = fuzz::first_word(asked);
  Response answer{fuzz::status_in(what), {{"Content-Type", "application/json"}}, std::string(body)};
  auto json = parse_json(body, fuzz::kMostValues);
  if (json.ok()) check_round_trip(*json);
  if (verb == "error" && !answer.ok()) fuzz::check_message(google_error(answer));
  if (verb == "operation") operation(answer);
  if (verb == "fact") fact(what, {200, {}, std::string(body)});
  if (!json.ok() || !json->is_map()) return;
  if (verb == "page") fuzz::use_page(kScope, *find_service("gce")->listing(kScope), what, *json);
  if (verb == "read") read(what, *json);
}
