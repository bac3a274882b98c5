// How VMs of Compute Engine are reached by SSH (guest agent; instances.getGuestAttributes,
// getSerialPortOutput).
#include <fmt/format.h>

#include "cloud/gce/firewall.h"
#include "cloud/gce/gce.h"
#include "cloud/ssh_access.h"

namespace nbform::gce {

namespace {

class GceSshAccess final : public SshAccess {
 public:
  std::string machine_id(const Live& machine) const override {
    return fmt::format("gce/{}/{}", machine.scope.account, machine.numeric_id);
  }
  // The guest agent makes the user that stands before the key in the metadata.
  std::string login(const Live&) const override { return std::string(kLogin); }
  int jupyter_port(const Live& machine) const override {
    const Value* image = machine.attributes.find("image");  // "family PROJECT/NAME"; unknown: of ours
    bool other = image != nullptr && image->as_text().find(kImageProject) == std::string_view::npos;
    return other ? 8888 : 8080;
  }
  std::optional<RelayTarget> relay(const Live& machine) const override {
    return RelayTarget{machine.scope.account, machine.zone, machine.name, "nic0"};
  }
  Call relay_rules(const Live& machine) const override {
    Call out = firewall_call("GET", machine.scope);
    out.query = {{"maxResults", "500"}};
    return out;
  }
  std::optional<Diagnostic> relay_shut_out(const Live& machine, const std::vector<Value>& pages,
                                           int port) const override {
    Value rules;
    add_to_fact(rules, {});
    for (const Value& page : pages)
      for (const Value& rule : page["items"].as_list()) add_to_fact(rules, rule);
    std::string why = shut_out(machine, rules, kIapRange, port);
    if (why.empty()) return std::nullopt;
    return error(Code::denied, "The firewall keeps IAP out", std::move(why))
        .with_hint(fmt::format("Let it in, and it alone:\n    access: {{ssh: {{allow_from: [{}]}}}}\n"
                               "    nbform apply",
                               kIapRange));
  }
  const KeyWay* key_way(const Live& machine) const override { return &gce::key_way(machine); }
  std::vector<MachineCall> host_key_sources(const Live& machine) const override {
    return {{"guest attributes", "compute.instances.getGuestAttributes",
             call(machine, "getGuestAttributes", {{"queryPath", "hostkeys/"}})},
            serial_port(machine, {{"port", "1"}})};
  }
  std::vector<std::string> host_keys(const Value& answer) const override {
    if (!answer["contents"].is_null()) return host_keys_in_console(answer["contents"].as_text());
    std::vector<std::string> out;
    for (const Value& item : answer.at_path("queryValue/items").as_list())
      out.push_back(fmt::format("{} {}", item["key"].as_text(), item["value"].as_text()));
    return out;
  }

  std::vector<MachineCall> console(const Live& machine, std::int64_t from) const override {
    return {serial_port(machine, {{"port", "1"}, {"start", std::to_string(from)}})};
  }
  ConsoleText console_text(const Value& answer) const override {
    return {std::string(answer["contents"].as_text()), answer["start"].as_int(), answer["next"].as_int()};
  }
  Duration console_pace() const override { return std::chrono::seconds(2); }
  const Openings& openings() const override { return gce::openings(); }

 private:
  static Call call(const Live& machine, std::string_view what, Query query) {
    Call out = zonal("GET", machine.scope, machine.zone, fmt::format("instances/{}/{}", machine.name, what));
    out.query = std::move(query);
    return out;
  }
  static MachineCall serial_port(const Live& machine, Query query) {
    return {"serial port output", "compute.instances.getSerialPortOutput",
            call(machine, "serialPort", std::move(query))};
  }
};

}  // namespace

const SshAccess& ssh_access() {
  static const GceSshAccess access;
  return access;
}

}  // namespace nbform::gce
