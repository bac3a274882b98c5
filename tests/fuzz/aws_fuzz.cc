// Any text as an answer of EC2, as answers_fuzz.cc does with Compute Engine's: "page instances",
// "read volume", "operation 200", "fact offers", "error 500".
#include "base/aws_error.h"
#include "base/aws_query.h"
#include "cloud/ec2/ec2.h"
#include "lives.h"

using namespace nbform;

namespace {

const Scope kScope{"ec2", "aws", "123456789012", "us-west-2"};

const Kind& kind_of(std::string_view what) {
  if (what == "volume") return ec2::volume_kind();
  if (what == "group") return ec2::security_group_kind();
  return what == "key" ? ec2::key_pair_kind() : ec2::instance_kind();
}

void read(std::string_view what, const Response& answer, const Value& body) {
  const Kind& kind = kind_of(what);
  auto found = kind.found(kScope, answer, body);
  if (!found.ok()) return fuzz::check_message(found.error());
  if (!*found) return;
  Live older = **found;
  kind.fold(**found, body);
  kind.carry_over(**found, older);
  fuzz::use(**found);
}

std::string fact_key(std::string_view what) {
  std::string_view region = kScope.region;
  if (what == "offers") return ec2::offers_fact(region, "g4dn.xlarge");
  if (what == "subnets") return ec2::subnets_fact(region);
  if (what == "type") return ec2::type_fact(region, "g4dn.xlarge");
  if (what == "ssm") return ec2::image_fact(region, "ssm /aws/service/x");
  return ec2::image_fact(region, what == "name" ? "name amazon/Deep Learning *" : "ami ami-1");
}

void fact(std::string_view what, const Response& answer) {
  Value known;
  std::string key = fact_key(what);
  auto next = ec2::add_fact(key, answer, known);
  if (!next.ok()) return fuzz::check_message(next.error());
  if (!next->empty()) (void)to_json(ec2::fact_page(key, *next).body);
}

}  // namespace

NBFORM_FUZZ(text) {
  auto [asked, rest] = fuzz::first_line(text);
  auto [verb, what] = fuzz::first_word(asked);
  Response answer{fuzz::status_in(what), {{"Date", "Fri, 02 Jan 2026 00:00:00 GMT"}}, std::string(rest)};
  if (verb == "error" && !answer.ok()) fuzz::check_message(aws_error(answer));
  if (verb == "operation") fuzz::use_settlement(ec2::settle(kScope, answer));
  if (verb == "fact") fact(what, {200, {}, answer.body});
  auto body = read_aws_body(answer.body);
  if (!body.ok()) return fuzz::check_message(body.error());
  if (verb == "page") fuzz::use_page(kScope, *ec2::listing(kScope), what, *body);
  if (verb == "read") read(what, answer, *body);
}
