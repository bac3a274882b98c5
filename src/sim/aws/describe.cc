#include "sim/aws/describe.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crypto.h"
#include "base/text.h"
#include "sim/refusal.h"

namespace nbform::sim::aws {

bool wildcard_match(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    for (std::size_t skip = 0; skip <= text.size(); ++skip)
      if (wildcard_match(pattern.substr(1), text.substr(skip))) return true;
    return false;
  }
  if (text.empty()) return false;
  if (pattern[0] == '\\' && pattern.size() > 1)
    return pattern[1] == text[0] && wildcard_match(pattern.substr(2), text.substr(1));
  return (pattern[0] == '?' || pattern[0] == text[0]) && wildcard_match(pattern.substr(1), text.substr(1));
}

namespace {

std::string filter_text(const Value& v) {
  if (v.is_bool()) return v.as_bool() ? "true" : "false";
  return v.is_int() ? std::to_string(v.as_int()) : std::string(v.as_text());
}

void collect(const Value& at, std::string_view path, std::vector<std::string>& out) {
  if (path.empty()) {
    if (!at.is_null() && !at.is_map() && !at.is_list()) out.push_back(filter_text(at));
    return;
  }
  auto slash = path.find('/');
  std::string_view first = path.substr(0, slash),
                   rest = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  if (first != "*") return collect(at[first], rest, out);
  for (const Value& item : at.as_list()) collect(item, rest, out);
}

void collect_tag(const Value& wire, std::string_view key, std::vector<std::string>& out) {
  for (const Value& tag : wire["tagSet"].as_list())
    if (tag["key"].as_text() == key) out.emplace_back(tag["value"].as_text());
}

Result<std::vector<std::string>> values_of(const Value& wire, std::string_view filter,
                                           std::span<const FilterRule> rules) {
  std::vector<std::string> out;
  if (filter.starts_with("tag:")) {
    collect_tag(wire, filter.substr(4), out);
    return out;
  }
  if (filter == "tag-key") {
    collect(wire, "tagSet/*/key", out);
    return out;
  }
  for (const FilterRule& rule : rules)
    if (rule.name == filter) {
      collect(wire, rule.path, out);
      return out;
    }
  return refuse("InvalidParameterValue", fmt::format("The filter '{}' is invalid", filter));
}

bool admits(const std::vector<std::string>& have, const Value& wanted) {
  for (const Value& pattern : wanted.as_list())
    for (const std::string& text : have)
      if (wildcard_match(pattern.as_text(), text)) return true;
  return false;
}

constexpr std::size_t kFilterValues = 200;

Result<> check_filters(const Value& filters, std::span<const FilterRule> rules) {
  std::size_t values = 0;
  for (const Value& f : filters.as_list()) {
    if (f["Name"].as_text().empty() || f["Value"].as_list().empty())
      return refuse("InvalidParameterValue",
                    fmt::format("The filter '{}' has no name or no value", f["Name"].as_text()));
    NB_TRY(values_of(Map(), f["Name"].as_text(), rules));
    values += f["Value"].as_list().size();
  }
  if (values <= kFilterValues) return Ok{};
  return refuse(
      "FilterLimitExceeded",
      fmt::format("The maximum number of filter values specified on a single call is {}", kFilterValues));
}

}  // namespace

Result<std::vector<Row>> filtered(const Value& in, std::vector<Row> rows, std::span<const FilterRule> rules) {
  const Value& filters = in["Filter"];
  NB_TRY(check_filters(filters, rules));
  auto fits = [&](const Row& row) {
    return std::all_of(filters.as_list().begin(), filters.as_list().end(), [&](const Value& f) {
      return admits(*values_of(*row.wire, f["Name"].as_text(), rules), f["Value"]);
    });
  };
  std::erase_if(rows, [&](const Row& row) { return !fits(row); });
  return rows;
}

namespace {

// A token names the last row of its page and the question it belongs to.
std::string page_token(const Value& in, std::string_view last) {
  return base64(fmt::format("{} {}", digest16(canonical(in["Filter"])), last));
}

Result<std::string> last_of_page(const Value& in) {
  auto text = base64_decode(in["NextToken"].as_text());
  std::string question = digest16(canonical(in["Filter"])) + " ";
  if (!text || !text->starts_with(question))
    return refuse("InvalidNextToken",
                  "The token is not valid: it belongs to another request, or is no token.");
  return text->substr(question.size());
}

Result<std::size_t> page_size(Region& region, const Value& in, PageLimits limits) {
  const Value& asked = in["MaxResults"];
  const FaultAction* fault = region.state.fault;
  if (!asked.is_null() && (asked.as_int() < limits.least || asked.as_int() > limits.most))
    return refuse(
        "InvalidParameterValue",
        fmt::format("Value ( {} ) for parameter maxResults is invalid. Expecting a value between {} and {}.",
                    asked.as_int(), limits.least, limits.most));
  if (fault != nullptr && fault->page) return static_cast<std::size_t>(*fault->page);
  return static_cast<std::size_t>(asked.is_null() ? limits.most : asked.as_int());
}

}  // namespace

Result<Page> paged(Region& region, const Value& in, std::vector<Row> rows, PageLimits limits) {
  std::size_t size = NB_TRY(page_size(region, in, limits));
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.id < b.id; });
  std::string last;
  if (!in["NextToken"].as_text().empty()) {
    last = NB_TRY(last_of_page(in));
    bool again = region.variant("repeated-rows") && size > 1;
    std::erase_if(rows, [&](const Row& row) { return again ? row.id < last : row.id <= last; });
  }
  Page page{std::move(rows), ""};
  if (page.rows.size() > size) {
    page.rows.resize(size);
    page.next = page_token(in, size == 0 ? last : page.rows.back().id);
  }
  return page;
}

Result<std::vector<Row>> rows_of(Region& region, std::string_view kind, const Value& ids) {
  std::vector<Row> rows;
  if (ids.as_list().empty()) {
    for (const auto& [key, r] : region.all(kind)) {
      if (region.visible(r)) rows.push_back({key.name, &r.wire()});
    }
    return rows;
  }
  std::vector<std::string> missing;
  for (const std::string& id : texts(ids)) {
    auto found = region.need(kind, id);
    if (!found && found.error().provider_code != id_kind_of(kind).not_found) return found.error();
    if (found)
      rows.push_back({id, &(*found)->wire()});
    else
      missing.push_back(id);
  }
  if (!missing.empty()) return no_such(id_kind_of(kind), missing);
  return rows;
}

Result<Value> describe_rows(Region& region, const Value& in, std::vector<Row> rows, const Listing& listing) {
  rows = NB_TRY(filtered(in, std::move(rows), listing.rules));
  Page page = NB_TRY(paged(region, in, std::move(rows), listing.limits));
  List shown;
  for (const Row& row : page.rows)
    shown.push_back(listing.show == nullptr ? *row.wire : listing.show(region, *row.wire));
  Map out{{std::string(listing.set), std::move(shown)}};
  if (!page.next.empty()) out.set("nextToken", page.next);
  return Value(std::move(out));
}

Result<Value> describe(Region& region, const Value& in, const Listing& listing) {
  auto rows = NB_TRY(rows_of(region, listing.kind, in[listing.id_param]));
  return describe_rows(region, in, std::move(rows), listing);
}

}  // namespace nbform::sim::aws
