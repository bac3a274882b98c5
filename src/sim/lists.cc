#include "sim/lists.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/catalogue.h"
#include "sim/filter.h"
#include "sim/refusal.h"

namespace nbform::sim {

namespace {

// Everything a list was asked for, read and checked.
struct Wanted {
  Filter filter;
  std::size_t page = 500;
  bool newest_first = false;
  bool partial = false;
  bool all_scopes = false;
  std::string params;        // digest of what must stay the same from page to page
  std::optional<Row> after;  // the row before the first
  std::size_t skip = 0;      // with newest_first: rows already shown
};

// The message of one item: what the list's "items" hold.
std::string_view item_message(const Call& call, bool aggregated) {
  std::string_view type = message(call.method->response)->at("items");
  if (!aggregated) return element_type(type);
  for (const auto& [name, inner] : *message(element_type(type)))
    if (name != "warning") return element_type(inner);
  bug("an aggregated list without a list");
}

Result<> read_token(const Call& call, Wanted& wanted) {
  std::string_view token = call.param("pageToken");
  if (token.empty()) return Ok{};
  auto bad = [&] {
    return refuse("invalid",
                  fmt::format("Invalid value for field 'pageToken': '{}'. Invalid page token.", token));
  };
  auto text = base64url_decode(token);
  if (!text) return bad();
  auto parts = split(*text, '\n');
  if (parts.size() != 4 || parts[0] != wanted.params) return bad();
  if (wanted.newest_first)
    wanted.skip = static_cast<std::size_t>(std::max<std::int64_t>(0, Value(parts[1]).as_int()));
  else
    wanted.after = Row{std::string(parts[2]), std::string(parts[3])};
  return Ok{};
}

Result<> read_order(const Call& call, Wanted& wanted) {
  std::string_view order = call.param("orderBy");
  if (order.empty() || order == "name") return Ok{};
  if (order != "creationTimestamp desc")
    return refuse("invalid", fmt::format("Invalid value for field 'orderBy': '{}'.", order));
  wanted.newest_first = true;
  return Ok{};
}

Result<> read_page_size(const State& state, const Call& call, Wanted& wanted) {
  if (call.has("maxResults")) {
    std::int64_t n = Value(call.param("maxResults")).as_int(-1);
    if (n < 0 || n > 500)
      return refuse("invalid", fmt::format("Invalid value for field 'maxResults': '{}'. Must be 0 to 500.",
                                           call.param("maxResults")));
    if (n > 0) wanted.page = static_cast<std::size_t>(n);
  }
  if (state.fault != nullptr && state.fault->page)
    wanted.page = static_cast<std::size_t>(std::max(0, *state.fault->page));
  return Ok{};
}

Result<Wanted> read_wanted(const State& state, const Call& call, bool aggregated) {
  Wanted wanted;
  wanted.filter = NB_TRY(Filter::parse(call.param("filter"), item_message(call, aggregated)));
  NB_TRY(read_order(call, wanted));
  NB_TRY(read_page_size(state, call, wanted));
  wanted.params =
      digest16(fmt::format("{}\n{}\n{}", call.method->name, call.param("filter"), call.param("orderBy")));
  NB_TRY(read_token(call, wanted));
  bool dated = call.dated || state.variant("dated-interface");
  if (dated && call.has("returnPartialSuccess"))
    return refuse(
        "badRequest",
        "Invalid JSON payload received. Unknown name \"returnPartialSuccess\": Cannot bind query parameter.");
  wanted.partial = NB_TRY(call.flag("returnPartialSuccess", false)) || (aggregated && dated);
  wanted.all_scopes = NB_TRY(call.flag("includeAllScopes", false));
  return wanted;
}

std::set<std::string> unreachable_zones(const State& state) {
  std::set<std::string> zones = state.unreachable;
  if (state.fault != nullptr) zones.insert(state.fault->unreachable.begin(), state.fault->unreachable.end());
  return zones;
}

// The rows of one page, as JSON, by scope.
struct Page {
  std::map<std::string, std::string> items;  // scope -> "a,b,c"
  std::size_t size = 0;
  std::string next_token;
  std::set<std::string> unreachable;  // zones

  void add(const std::string& scope, const std::string& json) {
    std::string& list = items[scope];
    if (!list.empty()) list.push_back(',');
    list += json;
    ++size;
  }
};

std::string token(const Wanted& wanted, std::size_t shown, const Row& last) {
  return base64url(fmt::format("{}\n{}\n{}\n{}", wanted.params, shown, last.scope, last.name));
}

using See = std::function<bool(const Row&, const Resource&)>;  // false: enough
using Feed = std::function<void(const Row& after, const See& see)>;

bool is_unreachable(const Page& page, const std::string& scope) {
  return scope.starts_with("zones/") && page.unreachable.contains(scope.substr(6));
}

void fill_newest_first(Page& page, const Wanted& wanted, const Mask& mask, const std::string& mask_text,
                       const Feed& feed) {
  struct Found {
    std::string stamp, json;
    Row row;
  };
  std::vector<Found> all;
  feed({}, [&](const Row& row, const Resource& r) {
    if (is_unreachable(page, row.scope) || !wanted.filter.admits(r.wire())) return true;
    const Value& stamp = r["creationTimestamp"].is_null() ? r["insertTime"] : r["creationTimestamp"];
    all.push_back({std::string(stamp.as_text()), r.text(mask, mask_text), row});
    return true;
  });
  std::stable_sort(all.begin(), all.end(), [](const Found& a, const Found& b) {
    return parse_rfc3339(a.stamp).value_or(Time{}) > parse_rfc3339(b.stamp).value_or(Time{});
  });
  std::size_t end = std::min(all.size(), wanted.skip + wanted.page);
  for (std::size_t i = wanted.skip; i < end; ++i) page.add(all[i].row.scope, all[i].json);
  if (end < all.size()) page.next_token = token(wanted, end, {});
}

void fill_in_order(Page& page, const Wanted& wanted, const Mask& mask, const std::string& mask_text,
                   const Feed& feed) {
  Row last = wanted.after.value_or(Row{});
  feed(last, [&](const Row& row, const Resource& r) {
    if (is_unreachable(page, row.scope) || !wanted.filter.admits(r.wire())) return true;
    if (page.size == wanted.page) {
      page.next_token = token(wanted, 0, last);
      return false;
    }
    page.add(row.scope, r.text(mask, mask_text));
    last = row;
    return true;
  });
}

// Nothing may be missing silently: without returnPartialSuccess an unreachable zone fails the list.
Result<Page> make_page(const State& state, const Wanted& wanted, const std::string& scope, const Mask& mask,
                       const std::string& mask_text, const Feed& feed) {
  Page page;
  for (const std::string& zone : unreachable_zones(state))
    if (scope.empty() || scope == "zones/" + zone) page.unreachable.insert(zone);
  if (!page.unreachable.empty() && !wanted.partial)
    return refuse("backendError", fmt::format("The zone '{}' is currently unavailable. Try again later.",
                                              *page.unreachable.begin()));
  if (wanted.newest_first)
    fill_newest_first(page, wanted, mask, mask_text, feed);
  else
    fill_in_order(page, wanted, mask, mask_text, feed);
  return page;
}

Feed feed_of(const State& state, const std::string& project, std::string_view kind,
             const std::string& scope) {
  return [&state, project, kind, scope](const Row& after, const See& see) {
    const Shelf& shelf = state.shelf(kind);
    Key from{project, after.scope.empty() ? scope : after.scope, after.name};
    auto it = after.scope.empty() ? shelf.lower_bound(from) : shelf.upper_bound(from);
    for (; it != shelf.end() && it->first.project == project && (scope.empty() || it->first.scope == scope);
         ++it)
      if (state.visible(it->second) && !see({it->first.scope, it->first.name}, it->second)) return;
  };
}

Feed feed_of(const std::vector<Row>& rows, const Make& make) {
  return [&rows, &make](const Row& after, const See& see) {
    auto less = [](const Row& a, const Row& b) {
      return std::tie(a.scope, a.name) < std::tie(b.scope, b.name);
    };
    auto it = after.name.empty() ? rows.begin() : std::upper_bound(rows.begin(), rows.end(), after, less);
    for (; it != rows.end(); ++it)
      if (!see(*it, Resource(make(*it)))) return;
  };
}

// The answer's members, each as JSON already, reduced by the mask.
class Body {
 public:
  explicit Body(const Call& call) : call_(call) {}
  void add_json(std::string_view name, std::string_view json) {
    if (!call_.mask.whole() && call_.mask.below(name) == nullptr) return;
    if (!text_.empty()) text_.push_back(',');
    fmt::format_to(std::back_inserter(text_), "\"{}\":", name);
    text_ += json;
  }
  void add(std::string_view name, const Value& value) {
    add_json(name, to_json(call_.mask.below_or_whole(name).apply(value)));
  }
  Reply reply() && { return {"{" + text_ + "}"}; }

 private:
  const Call& call_;
  std::string text_;
};

std::string list_path(const Call& call) {
  std::vector<std::string> parts;
  for (std::string_view part : call.method->path)
    parts.push_back(part.starts_with('{') ? call.arg(part.substr(1, part.size() - 2)) : std::string(part));
  return join(parts, "/");
}

void add_head(Body& body, const Call& call, std::string_view wire_kind) {
  std::string path = list_path(call);
  body.add("id", Value(path));
  body.add("kind", Value(wire_kind));
  body.add("selfLink", Value(std::string(kCompute) + path));
}

Value warning(std::string_view code, std::string message, const std::string& scope) {
  return Map{{"code", code},
             {"message", std::move(message)},
             {"data", List{Map{{"key", "scope"}, {"value", scope}}}}};
}

Value unreachable_warning(const std::string& scope) {
  return warning("UNREACHABLE", fmt::format("The scope '{}' is currently unreachable.", scope), scope);
}

Reply plain_answer(const Call& call, const Page& page, std::string_view wire_kind, const std::string& scope) {
  Body body(call);
  add_head(body, call, wire_kind);
  std::string items;
  for (const auto& [unused, json] : page.items) items += (items.empty() ? "" : ",") + json;
  if (!items.empty()) body.add_json("items", "[" + items + "]");
  if (!page.next_token.empty()) body.add("nextPageToken", Value(page.next_token));
  if (!page.unreachable.empty()) body.add("warning", unreachable_warning(scope));
  return std::move(body).reply();
}

// Every scope that could hold something is named, with a warning where this page has nothing of it.
std::string scoped_json(const Call& call, const Page& page, const std::string& scope,
                        std::string_view collection) {
  const Mask& mask = call.mask.below_or_whole("items").below_or_whole(scope);
  auto wanted = [&](std::string_view name) { return mask.whole() || mask.below(name) != nullptr; };
  auto found = page.items.find(scope);
  if (found != page.items.end())
    return wanted(collection) ? fmt::format("\"{}\":{{\"{}\":[{}]}}", scope, collection, found->second)
                              : fmt::format("\"{}\":{{}}", scope);
  if (!wanted("warning")) return fmt::format("\"{}\":{{}}", scope);
  Value w = is_unreachable(page, scope)
                ? unreachable_warning(scope)
                : warning("NO_RESULTS_ON_PAGE",
                          fmt::format("There are no results for scope '{}' on this page.", scope), scope);
  return fmt::format("\"{}\":{{\"warning\":{}}}", scope, to_json(mask.below_or_whole("warning").apply(w)));
}

std::set<std::string> scopes(const State& state, const Page& page, bool all) {
  std::set<std::string> out;
  for (const ZoneFacts& z : zones())
    if (state.lists_region(z.region)) out.insert("zones/" + z.name);
  for (const auto& [scope, unused] : page.items) out.insert(scope);
  if (all) {
    out.insert("global");
    for (const std::string& r : region_names())
      if (state.lists_region(r)) out.insert("regions/" + r);
  }
  return out;
}

Reply aggregated_answer(const State& state, const Call& call, const Wanted& wanted, const Page& page,
                        std::string_view wire_kind, std::string_view collection) {
  Body body(call);
  add_head(body, call, wire_kind);
  std::string items;
  for (const std::string& scope : scopes(state, page, wanted.all_scopes))
    items += (items.empty() ? "" : ",") + scoped_json(call, page, scope, collection);
  body.add_json("items", "{" + items + "}");
  if (!page.next_token.empty()) body.add("nextPageToken", Value(page.next_token));
  List gone;
  for (const std::string& zone : page.unreachable)
    gone.push_back(global_link(call.project(), "zones/" + zone));
  if (!gone.empty()) body.add("unreachables", Value(gone));
  return std::move(body).reply();
}

const Mask& item_mask(const Call& call) {
  return call.mask.below_or_whole("items");
}

// The mask of one item below items/*/collection; one that names a scope instead of '*' gives whole items.
const Mask& aggregated_mask(const Call& call, std::string_view collection) {
  return item_mask(call).below_or_whole("*").below_or_whole(collection);
}

}  // namespace

Result<Reply> list_shelf(State& state, const Call& call, std::string_view kind, std::string_view wire_kind) {
  Wanted wanted = NB_TRY(read_wanted(state, call, false));
  Feed feed = feed_of(state, call.project(), kind, call.scope());
  Page page = NB_TRY(make_page(state, wanted, call.scope(), item_mask(call), call.mask_text, feed));
  return plain_answer(call, page, wire_kind, call.scope());
}

Result<Reply> list_aggregated(State& state, const Call& call, std::string_view kind,
                              std::string_view wire_kind) {
  Wanted wanted = NB_TRY(read_wanted(state, call, true));
  Feed feed = feed_of(state, call.project(), kind, "");
  Page page = NB_TRY(make_page(state, wanted, "", aggregated_mask(call, kind), call.mask_text, feed));
  return aggregated_answer(state, call, wanted, page, wire_kind, kind);
}

Result<Reply> list_made(State& state, const Call& call, const std::vector<Row>& names, const Make& make,
                        std::string_view wire_kind) {
  Wanted wanted = NB_TRY(read_wanted(state, call, false));
  Page page =
      NB_TRY(make_page(state, wanted, call.scope(), item_mask(call), call.mask_text, feed_of(names, make)));
  return plain_answer(call, page, wire_kind, call.scope());
}

Result<Reply> list_made_aggregated(State& state, const Call& call, const std::vector<Row>& names,
                                   const Make& make, std::string_view wire_kind,
                                   std::string_view collection) {
  Wanted wanted = NB_TRY(read_wanted(state, call, true));
  Page page = NB_TRY(
      make_page(state, wanted, "", aggregated_mask(call, collection), call.mask_text, feed_of(names, make)));
  return aggregated_answer(state, call, wanted, page, wire_kind, collection);
}

}  // namespace nbform::sim
