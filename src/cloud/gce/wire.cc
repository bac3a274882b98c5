#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/google_error.h"
#include "base/json.h"
#include "base/text.h"
#include "cloud/gce/gce.h"

namespace nbform::gce {

std::string_view resource_path(std::string_view link) {
  auto at = link.find("projects/");
  return at == std::string_view::npos ? link : link.substr(at);
}

namespace {
bool is_label(std::string_view text) {
  auto odd = [](char c) { return !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'); };
  return !text.empty() && text.size() <= 63 && std::none_of(text.begin(), text.end(), odd);
}
}  // namespace

bool has_place(const Value& body) {
  const List& disks = body["disks"].as_list();
  return is_label(body["name"].as_text()) && is_label(last_segment(body["zone"].as_text())) &&
         std::all_of(disks.begin(), disks.end(), [](const Value& disk) {
           std::string_view source = disk["source"].as_text();  // a local SSD has none
           return source.empty() || is_label(last_segment(source));
         });
}

std::optional<std::pair<std::string, std::string>> zone_and_name(std::string_view id) {
  std::vector<std::string_view> parts = split(id, '/');
  if (parts.size() != 6) return std::nullopt;
  return std::pair(std::string(parts[3]), std::string(parts[5]));
}

Call zonal(std::string_view method, const Scope& scope, std::string_view zone, std::string_view rest,
           std::string_view request_id, Value body) {
  Call call{"compute",
            std::string(method),
            fmt::format("projects/{}/zones/{}/{}", scope.account, zone, rest),
            {},
            {}};
  if (!request_id.empty()) call.query.emplace_back("requestId", request_id);
  call.body = std::move(body);
  return call;
}

bool is_metadata_true(std::string_view text) {
  return iequals(text, "true") || iequals(text, "y") || iequals(text, "yes") || text == "1";
}

namespace {

// Zonal, regional or global: the operation itself says where it is polled.
Call wait_call(const Value& operation) {
  std::string path(resource_path(operation["selfLink"].as_text()));
  return {"compute", "POST", path + "/wait", {}, {}};
}

std::vector<std::string> zone_hints(const GoogleProblem& problem) {
  std::vector<std::string> zones;
  if (problem.zones_available.empty()) return zones;
  for (std::string_view zone : split(problem.zones_available, ',')) zones.emplace_back(trim(zone));
  return zones;
}

Settlement failed_operation(const Value& operation) {
  GoogleProblem problem = parse_google_operation_error(
      operation.at_path("error/errors/0"), static_cast<int>(operation["httpErrorStatusCode"].as_int()));
  Settlement out;
  out.state = Settlement::State::failed;
  out.operation = operation["name"].as_text();
  out.failure = google_error(problem);
  out.failure.request_id = out.operation;
  out.zone_hints = zone_hints(problem);
  return out;
}

Settlement settle_body(const Value& operation) {
  Settlement out;
  out.operation = operation["name"].as_text();
  if (operation["status"].as_text() != "DONE") {
    out.state = Settlement::State::pending;
    out.poll = wait_call(operation);
    return out;
  }
  return operation["error"].is_null() ? out : failed_operation(operation);
}

}  // namespace

Settlement settle_operation(const Scope& scope, const Response& answer) {
  (void)scope;
  Settlement out;
  if (!answer.ok()) {
    out.state = Settlement::State::failed;
    out.failure = google_error(answer);
    return out;
  }
  auto body = parse_json(answer.body);
  if (!body.ok() || body.value()["status"].as_text().empty()) {
    out.state = Settlement::State::unknown;
    return out;
  }
  return settle_body(*body);
}

Result<std::optional<Live>> found_resource(const Kind& kind, const Scope& scope, const Response& answer,
                                           const Value& body) {
  if (answer.status == 404) return std::optional<Live>();
  if (!answer.ok()) return google_error(answer);
  return std::optional<Live>(NB_TRY(kind.decode(scope, body)));
}

namespace {

struct Accelerator {
  std::string_view model, type;
};
// Names of gcp accelerator types; short names as people say them.
constexpr std::array<Accelerator, 15> kAccelerators = {{{"t4", "nvidia-tesla-t4"},
                                                        {"p4", "nvidia-tesla-p4"},
                                                        {"p100", "nvidia-tesla-p100"},
                                                        {"v100", "nvidia-tesla-v100"},
                                                        {"k80", "nvidia-tesla-k80"},
                                                        {"a100", "nvidia-tesla-a100"},
                                                        {"a100-40gb", "nvidia-tesla-a100"},
                                                        {"a100-80gb", "nvidia-a100-80gb"},
                                                        {"l4", "nvidia-l4"},
                                                        {"h100", "nvidia-h100-80gb"},
                                                        {"h100-80gb", "nvidia-h100-80gb"},
                                                        {"h100-mega", "nvidia-h100-mega-80gb"},
                                                        {"h200", "nvidia-h200-141gb"},
                                                        {"b200", "nvidia-b200"},
                                                        {"rtx-pro-6000", "nvidia-rtx-pro-6000"}}};

struct Family {
  std::string_view prefix, type;
};
constexpr std::array<Family, 8> kFamilies = {{{"a2-highgpu-", "nvidia-tesla-a100"},
                                              {"a2-megagpu-", "nvidia-tesla-a100"},
                                              {"a2-ultragpu-", "nvidia-a100-80gb"},
                                              {"a3-highgpu-", "nvidia-h100-80gb"},
                                              {"a3-edgegpu-", "nvidia-h100-80gb"},
                                              {"a3-megagpu-", "nvidia-h100-mega-80gb"},
                                              {"a3-ultragpu-", "nvidia-h200-141gb"},
                                              {"a4-highgpu-", "nvidia-b200"}}};

int number(std::string_view digits) {
  int n = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), n);
  return n;
}

int l4_count(int vcpus) {
  return vcpus <= 16 || vcpus == 32 ? 1 : vcpus == 24 ? 2 : vcpus == 48 ? 4 : 8;
}

}  // namespace

std::optional<BuiltInGpu> built_in_gpu(std::string_view machine) {
  if (machine.starts_with("g2-standard-"))
    return BuiltInGpu{"nvidia-l4", l4_count(number(machine.substr(12)))};
  for (const Family& family : kFamilies)
    if (machine.starts_with(family.prefix))
      return BuiltInGpu{std::string(family.type), number(machine.substr(family.prefix.size()))};
  return std::nullopt;
}

std::string accelerator_type(std::string_view model) {
  std::string lower = to_lower(model);
  for (const Accelerator& row : kAccelerators)
    if (lower == row.model) return std::string(row.type);
  return lower;
}

std::string machine_for_gpu(std::string_view accelerator, int count) {
  auto of = [&](std::string_view prefix) { return fmt::format("{}{}g", prefix, count); };
  if (accelerator == "nvidia-l4") {
    static constexpr std::array<std::pair<int, std::string_view>, 4> kL4 = {
        {{1, "g2-standard-4"}, {2, "g2-standard-24"}, {4, "g2-standard-48"}, {8, "g2-standard-96"}}};
    for (const auto& [n, machine] : kL4)
      if (n == count) return std::string(machine);
    return {};
  }
  for (const Family& family : kFamilies)
    if (family.type == accelerator) return of(family.prefix);
  if (accelerator.starts_with("nvidia-tesla-"))
    return count <= 1 ? "n1-standard-4" : fmt::format("n1-standard-{}", 4 * count);
  return {};
}

}  // namespace nbform::gce
