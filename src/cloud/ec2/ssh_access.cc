// How instances of EC2 are reached by SSH (GetConsoleOutput; EC2 User Guide: default users of the images).
#include "cloud/ssh_access.h"
#include "base/crypto.h"
#include "base/text.h"
#include "cloud/ec2/ec2.h"

namespace nbform::ec2 {

namespace {

struct ImageUser {
  std::string_view word;  // in the name or SSM path of an image
  std::string_view user;
};
constexpr ImageUser kImageUsers[] = {
    {"ubuntu", "ubuntu"},   {"canonical", "ubuntu"},      {"amazon-linux", "ec2-user"}, {"amzn", "ec2-user"},
    {"al2023", "ec2-user"}, {"amazon linux", "ec2-user"}, {"debian", "admin"}};

class Ec2SshAccess final : public SshAccess {
 public:
  std::string machine_id(const Live& machine) const override { return "ec2/" + machine.name; }

  std::string login(const Live& machine) const override {
    const Value* image = machine.attributes.find("image");
    std::string about = image != nullptr ? to_lower(image->as_text()) : std::string();
    for (const ImageUser& known : kImageUsers)
      if (about.find(known.word) != std::string::npos) return std::string(known.user);
    return "";
  }
  int jupyter_port(const Live&) const override { return 8888; }

  // `Latest` is fresh at any time, and refused for types before Nitro.
  std::vector<MachineCall> host_key_sources(const Live& machine) const override {
    Map about{{"InstanceId", machine.name}};
    Call posted = call("GetConsoleOutput", about);
    about.set("Latest", true);
    return {{"console output", "ec2:GetConsoleOutput", call("GetConsoleOutput", std::move(about))},
            {"console output", "ec2:GetConsoleOutput", std::move(posted)}};
  }
  std::vector<std::string> host_keys(const Value& answer) const override {
    return host_keys_in_console(console_text(answer).text);
  }

  std::vector<MachineCall> console(const Live& machine, std::int64_t) const override {
    return host_key_sources(machine);
  }
  ConsoleText console_text(const Value& answer) const override {
    return {base64_decode(answer["output"].as_text()).value_or(""), 0, std::nullopt};
  }
  Duration console_pace() const override { return std::chrono::seconds(15); }
  const Openings& openings() const override { return ec2::openings(); }
};

}  // namespace

const SshAccess& ssh_access() {
  static const Ec2SshAccess access;
  return access;
}

}  // namespace nbform::ec2
