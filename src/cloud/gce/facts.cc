// What GCE knows besides resources: the zones of a project and what an image reference means today.
// Keys: "gce|zones|PROJECT", "gce|image|family|PROJECT|F", "gce|image|name|PROJECT|N",
// "gce|image|word|PROJECT|base".
#include <fmt/format.h>

#include <charconv>

#include "base/google_error.h"
#include "base/json.h"
#include "base/text.h"
#include "cloud/gce/gce.h"

namespace nbform::gce {

namespace {

struct Key {
  std::string_view what, kind, project, reference;
};

Key parse_key(std::string_view key) {
  std::vector<std::string_view> parts = split(key, '|');
  if (parts.size() == 3) return {parts[1], {}, parts[2], {}};
  if (parts.size() == 5) return {parts[1], parts[2], parts[3], parts[4]};
  bug("a fact key of GCE is malformed");
}

// Families that the words of design stand for, without their versions.
std::string_view family_prefix(std::string_view word) {
  return word == "pytorch" ? "pytorch-" : "common-cu";
}

// "pytorch-2-9-cu129-ubuntu-2404-nvidia-580" -> 2 9 129 2404 580: the higher, the newer.
std::vector<int> versions_of(std::string_view family) {
  std::vector<int> out;
  for (std::size_t i = 0; i < family.size();) {
    if (family[i] < '0' || family[i] > '9') {
      ++i;
      continue;
    }
    int n = 0;
    auto [end, ec] = std::from_chars(family.data() + i, family.data() + family.size(), n);
    if (ec == std::errc()) out.push_back(n);
    i = static_cast<std::size_t>(end - family.data());
  }
  return out;
}

Value image_value(const Value& image) {
  return Map{{"family", image["family"]},
             {"name", image["name"]},
             {"path", resource_path(image["selfLink"].as_text())},
             {"size_gb", image["diskSizeGb"].as_int()}};
}

// Of the current families with a driver of their own the newest, and of that the newest image.
void add_word_page(std::string_view word, const Value& page, Value& fact) {
  for (const Value& image : page["items"].as_list()) {
    std::string_view family = image["family"].as_text();
    bool fits =
        family.starts_with(family_prefix(word)) && family.find("-nvidia-") != std::string_view::npos &&
        image["deprecated"]["state"].as_text().empty() &&
        image["architecture"].as_text("X86_64") == "X86_64" && image["status"].as_text("READY") == "READY";
    if (!fits) continue;
    auto rank = [](const Value& candidate) {
      return std::pair(versions_of(candidate["family"].as_text()), candidate["name"].as_text());
    };
    if (fact.is_null() || rank(fact) < rank(image)) fact = image_value(image);
  }
}

void add_zone_page(const Value& page, Value& fact) {
  for (const Value& zone : page["items"].as_list())
    fact.map().set(zone["name"].as_text(), Map{{"region", last_segment(zone["region"].as_text())},
                                               {"up", zone["status"].as_text() == "UP"}});
}

}  // namespace

std::string zones_fact(const Scope& scope) {
  return fmt::format("gce|zones|{}", scope.account);
}

std::string image_fact(std::string_view kind, std::string_view project, std::string_view reference) {
  return fmt::format("gce|image|{}|{}|{}", kind, project, reference);
}

Call fact_call(std::string_view text) {
  Key key = parse_key(text);
  std::string base = fmt::format("projects/{}/", key.project);
  if (key.what == "zones")
    return {"compute",
            "GET",
            base + "zones",
            {{"maxResults", "500"}, {"fields", "items(name,region,status),nextPageToken"}},
            {}};
  if (key.kind == "word")
    return {
        "compute",
        "GET",
        base + "global/images",
        {{"filter", fmt::format("family:{}*", family_prefix(key.reference))},
         {"maxResults", "500"},
         {"fields", "items(name,family,selfLink,diskSizeGb,deprecated,status,architecture),nextPageToken"}},
        {}};
  std::string where = key.kind == "family" ? "global/images/family/" : "global/images/";
  return {"compute",
          "GET",
          base + where + percent_encode(key.reference),
          {{"fields", "name,family,selfLink,diskSizeGb,deprecated,status"}},
          {}};
}

Result<std::string> add_fact(std::string_view text, const Response& answer, Value& fact) {
  Key key = parse_key(text);
  if (answer.status == 404 && key.what == "image")
    return error(Code::not_found, "The image is not there",
                 fmt::format("Project {} has no image {} {}.", key.project, key.kind, key.reference));
  if (!answer.ok()) return google_error(answer);
  Value page = NB_TRY(parse_json(answer.body));
  if (key.what == "zones") {
    add_zone_page(page, fact);
  } else if (key.kind == "word") {
    add_word_page(key.reference, page, fact);
  } else {
    fact = image_value(page);
    return std::string();
  }
  std::string next(page["nextPageToken"].as_text());
  if (next.empty() && fact.is_null())
    return error(
        Code::not_found, "No current image fits",
        fmt::format("Project {} offers nothing current for `{}`. Name an image family in the manifest.",
                    key.project, key.reference));
  return next;
}

}  // namespace nbform::gce
