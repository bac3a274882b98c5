#include "sim/images.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/crypto.h"
#include "sim/lists.h"
#include "sim/refusal.h"

namespace nbform::sim {

namespace {

std::optional<ImageFacts> newest(const State& state, std::string_view project, std::string_view family) {
  std::optional<ImageFacts> found;
  for (ImageFacts& image : images_of(state, project))
    if (image.family == family && image.state.empty()) found = std::move(image);
  return found;
}

std::optional<ImageFacts> named(const State& state, std::string_view project, std::string_view name) {
  for (ImageFacts& image : images_of(state, project))
    if (image.name == name) return std::move(image);
  return std::nullopt;
}

Key image_key(std::string_view project, std::string_view name) {
  return {std::string(project), "global", std::string(name)};
}

// An id that depends on the name alone, so that it is the same in every world.
std::string image_id(std::string_view name) {
  std::string digest = sha256(name);
  std::uint64_t n = 0;
  for (std::size_t i = 0; i < 7; ++i) n = n << 8 | static_cast<unsigned char>(digest[i]);
  return std::to_string(1'000'000'000'000'000'000u + n);
}

}  // namespace

std::vector<ImageFacts> images_of(const State& state, std::string_view project) {
  std::vector<ImageFacts> out;
  for (const ImageFacts& image : images())
    if (image.project == project) out.push_back(image);
  for (const PublishedImage& p : state.published)
    if (p.project == project)
      out.push_back({p.project, p.family, p.name, 50, format_rfc3339(p.created).substr(0, 10), ""});
  return out;
}

Value image_wire(const ImageFacts& image) {
  Map wire{{"kind", "compute#image"},
           {"id", image_id(image.project + "/" + image.name)},
           {"name", image.name},
           {"creationTimestamp", pacific(*parse_rfc3339(image.created + "T18:00:00Z"))},
           {"status", "READY"},
           {"sourceType", "RAW"},
           {"diskSizeGb", std::to_string(image.gb)},
           {"archiveSizeBytes", std::to_string(std::int64_t{image.gb} * 400'000'000)},
           {"architecture", "X86_64"},
           {"labelFingerprint", fingerprint({})},
           {"guestOsFeatures", List{Map{{"type", "GVNIC"}}, Map{{"type", "UEFI_COMPATIBLE"}},
                                    Map{{"type", "VIRTIO_SCSI_MULTIQUEUE"}}}},
           {"licenses", List{global_link(image.project, "global/licenses/" + image.project)}},
           {"storageLocations", List{"us"}},
           {"selfLink", link(image_key(image.project, image.name), "images")}};
  if (!image.family.empty()) wire.set("family", image.family);
  if (!image.state.empty()) wire.set("deprecated", Map{{"state", image.state}});
  return wire;
}

Result<ImageFacts> read_image(const State& state, const Call& call, std::string_view reference,
                              std::string_view field) {
  bool by_family = reference.find("/images/family/") != std::string_view::npos;
  Target target = NB_TRY(read_reference(call, reference, by_family ? "images/family" : "images", field));
  auto image =
      by_family ? newest(state, target.project, target.name) : named(state, target.project, target.name);
  if (image && image->state != "OBSOLETE") return *image;
  std::string path = fmt::format("projects/{}/global/{}/{}", target.project, target.collection, target.name);
  if (image)
    return refuse("invalid",
                  fmt::format("Invalid value for field '{}': '{}'. The image resource '{}' is obsolete.",
                              field, reference, path));
  return refuse("notFound", fmt::format("The resource '{}' was not found", path));
}

namespace {

Result<Reply> get_image(State& state, const Call& call) {
  auto image = named(state, call.project(), call.arg("image"));
  if (!image) return not_found(image_key(call.project(), call.arg("image")), "images");
  return reply(call, image_wire(*image));
}

Result<Reply> get_from_family(State& state, const Call& call) {
  auto image = newest(state, call.project(), call.arg("family"));
  if (!image) return not_found(image_key(call.project(), call.arg("family")), "images/family");
  return reply(call, image_wire(*image));
}

Result<Reply> get_family_view(State& state, const Call& call) {
  auto image = newest(state, call.project(), call.arg("family"));
  if (!image)
    return refuse("notFound",
                  fmt::format("The resource 'projects/{}/zones/{}/imageFamilyViews/{}' was not found",
                              call.project(), call.arg("zone"), call.arg("family")));
  return reply(call, Map{{"image", image_wire(*image)}});
}

Result<Reply> list_images(State& state, const Call& call) {
  std::map<std::string, ImageFacts> by_name;
  for (ImageFacts& image : images_of(state, call.project())) by_name[image.name] = image;
  std::vector<Row> rows;
  for (const auto& [name, image] : by_name) rows.push_back({"global", name});
  return list_made(
      state, call, rows, [&](const Row& row) { return image_wire(by_name[row.name]); }, "compute#imageList");
}

constexpr Handling kMethods[] = {
    {"images.get", get_image},
    {"images.getFromFamily", get_from_family},
    {"images.list", list_images},
    {"imageFamilyViews.get", get_family_view},
};

}  // namespace

std::span<const Handling> image_methods() {
  return kMethods;
}

}  // namespace nbform::sim
