// A Notebook of EC2 into resources, with the positions of what is wrong; and what facts decide at create.
#include "cloud/ec2/lower_parts.h"
#include "unit/cloud/ec2_fixtures.h"

namespace nbform::ec2 {
const Service& service();
}

using namespace nbform;
using namespace nbform::ec2_fixtures;

namespace {

constexpr int kLineOf = 10;  // where the key in question stands

struct Declared {
  Manifest manifest;
  Notebook n;
  LowerContext context;
  Graph graph;
  Diagnostics problems;

  Declared() {
    manifest.stack.name = "research";
    n.key = n.name = "dlami";
    n.service = "ec2";
    n.cloud = "aws";
    n.where = {"us-west-2"};
    n.mark = {"a.nb.yaml", 1, 1, 1};
    context.manifest = &manifest;
    context.account = "123456789012";
  }

  void at(const std::string& path, int line) { n.origins.set(path, {"a.nb.yaml", line, 3, 1}, ""); }

  Resource& lower() {
    ec2::lower_notebook(n, context, graph, problems);
    return graph.at("dlami/instance");
  }

  const Diagnostic& only_problem() {
    lower();
    REQUIRE(problems.size() == 1);
    return problems[0];
  }
};

Gpu gpu(const std::string& model) {
  Gpu g;
  g.model = model;
  return g;
}

SshKey key(const std::string& line, bool home = false) {
  return {"keys/me.pub", line, home};
}

Facts facts_of(const Resource& vm) {
  Facts facts;
  facts[ec2::offers_fact("us-west-2", "g4dn.xlarge")] = List{"us-west-2c", "us-west-2a"};
  facts[ec2::type_fact("us-west-2", "g4dn.xlarge")] =
      Map{{"architectures", List{"x86_64"}}, {"markets", List{"on-demand", "spot"}}};
  facts[ec2::subnets_fact("us-west-2")] = Map{
      {"subnet-a",
       Map{{"default", true}, {"free", 9}, {"public", true}, {"vpc", "vpc-d"}, {"zone", "us-west-2a"}}},
      {"subnet-c",
       Map{{"default", true}, {"free", 9}, {"public", true}, {"vpc", "vpc-d"}, {"zone", "us-west-2c"}}},
      {"subnet-x",
       Map{{"default", false}, {"free", 9}, {"public", false}, {"vpc", "vpc-x"}, {"zone", "us-west-2c"}}}};
  facts[std::string(wanted(vm, "image_fact").as_text())] = Map{{"architecture", "x86_64"},
                                                               {"id", "ami-1"},
                                                               {"name", "DLAMI"},
                                                               {"root_device", "/dev/sda1"},
                                                               {"size_gb", 75}};
  return facts;
}

}  // namespace

TEST_CASE("the three-line notebook: a GPU chooses type and image") {
  Declared d;
  d.n.gpu = gpu("t4");
  Resource& vm = d.lower();
  CHECK(d.problems.empty());
  CHECK(wanted(vm, "machine_type") == Value("g4dn.xlarge"));
  CHECK_FALSE(vm.attributes.has("machine_type"));  // a default: not managed later
  CHECK(wanted(vm, "image").as_text().find("oss-nvidia-driver-gpu-pytorch") != std::string_view::npos);
  CHECK(wanted(vm, "root_type") == Value("gp3"));
  CHECK(vm.scope.region == "us-west-2");
  CHECK(d.graph.count("dlami/security-group") == 1);
  ec2::complete(vm, facts_of(vm));
  CHECK(wanted(vm, "root_size_gb") == Value(100));
  auto attempts = ec2::attempts(vm, facts_of(vm), d.problems);
  CHECK(d.problems.empty());
  CHECK(attempts == std::vector<Attempt>{{"us-west-2a", false}, {"us-west-2c", false}});
}

TEST_CASE("GPUs that no type has just so") {
  Declared d;
  d.n.gpu = gpu("a100");
  d.at("gpu", kLineOf);
  const Diagnostic& problem = d.only_problem();
  CHECK(problem.mark.line == kLineOf);
  CHECK(problem.detail == "EC2 has machines with 8 of the GPU a100, not with 1.");
  CHECK(ec2::type_for_gpu("l4", 1) == "g6.xlarge");
  CHECK(ec2::type_for_gpu("a10g", 4) == "g5.12xlarge");
  CHECK(ec2::gpu_model("nvidia-tesla-t4") == "t4");
}

TEST_CASE("beside a machine `gpu` is a check") {
  Declared d;
  d.n.machine.type = std::string("g5.xlarge");
  d.n.gpu = gpu("t4");
  d.at("gpu", kLineOf);
  CHECK(d.only_problem().mark.line == kLineOf);
  Declared same;
  same.n.machine.type = std::string("g4dn.12xlarge");
  same.n.gpu = gpu("T4");
  same.lower();
  CHECK(same.problems.empty());
}

TEST_CASE("a V100 is refused an AMI with the open driver, and gets the proprietary one by itself") {
  Declared d;
  d.n.machine.type = std::string("p3.2xlarge");
  Image image;
  image.ssm = std::string(
      "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id");
  d.n.image = image;
  d.at("image", kLineOf);
  CHECK(d.only_problem().mark.line == kLineOf);
  Declared plain;
  plain.n.gpu = gpu("v100");
  Resource& vm = plain.lower();
  CHECK(plain.problems.empty());
  CHECK(wanted(vm, "machine_type") == Value("p3.2xlarge"));
  CHECK(wanted(vm, "image").as_text().find("Proprietary") != std::string_view::npos);
}

TEST_CASE("an open-driver AMI given by id is refused once its name is known") {
  Declared d;
  d.n.machine.type = std::string("p3.2xlarge");
  Image image;
  image.ami = std::string("ami-1");
  d.n.image = image;
  d.at("image", kLineOf);
  Resource& vm = d.lower();
  REQUIRE(d.problems.empty());
  vm.defaults.set("resolved_image",
                  Map{{"name", "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 22.04) 2026"}});
  ec2::attempts(vm, {}, d.problems);
  CHECK(std::any_of(d.problems.begin(), d.problems.end(), [](const Diagnostic& p) {
    return p.mark.line == kLineOf && p.code == Code::bad_manifest;
  }));
}

TEST_CASE("places lie in one region") {
  const Service& service = ec2::service();
  Declared d;
  d.at("where", kLineOf);
  auto scope_of = [&](std::vector<std::string> where) {
    d.n.where = std::move(where);
    return service.scope(d.n, d.context);
  };
  CHECK(scope_of({"us-west-2b", "us-west-2*"})->region == "us-west-2");
  CHECK(scope_of({"us-gov-west-1a"})->region == "us-gov-west-1");
  CHECK(scope_of({"us-west-2-lax-1a"})->region == "us-west-2");
  const std::vector<std::vector<std::string>> open = {{"us-west-2a", "us-east-1"}, {"us-*"}, {"us-west-?"}};
  for (const auto& where : open) {
    auto scope = scope_of(where);
    REQUIRE_FALSE(scope.ok());
    CHECK(scope.error().mark.line == kLineOf);
  }
  d.context.account.clear();
  CHECK_FALSE(scope_of({"us-west-2"}).ok());
}

TEST_CASE("data disks follow their machine, tagged and attached") {
  Declared d;
  Disk data;
  data.size_gb = 200;
  d.n.disks["data"] = data;
  Disk boot;
  boot.keep = Keep::always;
  d.n.disks["boot"] = boot;
  Resource& vm = d.lower();
  const Resource& disk = d.graph.at("dlami/disk-data");
  CHECK(disk.after == std::vector<std::string>{"dlami/instance"});
  CHECK(disk.attributes.find("attached")->as_bool());
  CHECK((*disk.attributes.find("tags"))["nbform:keep"] == Value("always"));
  CHECK(wanted(vm, "volumes") == Value(List{"disk-data"}));
  CHECK_FALSE(wanted(vm, "root_delete_on_termination").as_bool());
  CHECK(vm.keep == KeepRule::always);
}

TEST_CASE("keys: a declared one is a pair, those of a home directory ride in the boot data") {
  Declared d;
  d.n.access.ssh.keys = std::vector<SshKey>{key("ecdsa-sha2-nistp256 AAAB c"),
                                            key("ssh-ed25519 AAAA me@here"), key("ssh-rsa AAAC ana")};
  Resource& vm = d.lower();
  auto name = wanted(vm, "key_name").as_text();
  REQUIRE_FALSE(name.empty());
  auto pair = std::find_if(d.graph.begin(), d.graph.end(),
                           [](const auto& entry) { return entry.second.kind == &ec2::key_pair_kind(); });
  REQUIRE(pair != d.graph.end());
  CHECK(pair->second.name == name);
  CHECK(*pair->second.attributes.find("public_key") == Value("ssh-ed25519 AAAA"));
  auto boot = wanted(vm, "user_data").as_text();
  CHECK(boot.starts_with("#cloud-boothook\n#!/bin/sh\n"));
  for (const char* line : {"ecdsa-sha2-nistp256 AAAB nbform:research\n", "ssh-ed25519 AAAA nbform:research\n",
                           "ssh-rsa AAAC nbform:research\n"})
    CHECK(boot.find(line) != std::string_view::npos);  // the first too: a later boot may do without it

  Declared home;
  home.context.default_keys = {key("ssh-ed25519 BBBB me", true)};
  Resource& other = home.lower();
  CHECK_FALSE(other.attributes.has("key_name"));
  CHECK_FALSE(other.attributes.has("boot_data"));  // another person's key is no difference
  CHECK(wanted(other, "user_data").as_text().find("ssh-ed25519 BBBB") != std::string_view::npos);
}

TEST_CASE("boot data over the limit is an error that names its size") {
  Declared d;
  FileRef script;
  script.text = std::string(16385, 'x');
  d.n.setup.script = script;
  d.at("setup.script", kLineOf);
  const Diagnostic& problem = d.only_problem();
  CHECK(problem.mark.line == kLineOf);
  std::size_t bytes = ec2::boot_data_of(d.n, d.context).text.size();
  CHECK(bytes > 16385);
  CHECK(problem.detail.find(fmt::format("{} bytes; EC2 takes 16384", bytes)) != std::string::npos);
}

TEST_CASE("only declared ranges come in, and everybody where a port is public") {
  Declared d;
  d.n.access.ssh.allow_from =
      std::vector<std::string>{"203.0.113.7", "198.51.100.0/24", "me", "203.0.113.7/32"};
  d.n.access.public_ports = std::vector<std::int64_t>{443, 443};
  d.lower();
  const Resource& group = d.graph.at("dlami/security-group");
  CHECK(*group.attributes.find("ingress") ==
        Value(List{"tcp 22 198.51.100.0/24", "tcp 22 203.0.113.7/32", "tcp 443 0.0.0.0/0", "tcp 443 ::/0"}));
  CHECK(group.name.starts_with("nbform-"));
  Declared silent;
  silent.lower();
  CHECK_FALSE(silent.graph.at("dlami/security-group").attributes.has("ingress"));  // not managed
}

TEST_CASE("everybody is let in by access.public alone") {
  Declared d;
  d.n.access.ssh.allow_from = std::vector<std::string>{"203.0.113.7/32", "0.0.0.0/0"};
  d.at("access.ssh.allow_from", kLineOf);
  CHECK(d.only_problem().mark.line == kLineOf);
  Declared said;
  said.n.access.ssh.allow_from = std::vector<std::string>{"0.0.0.0/0"};
  said.n.access.public_ports = std::vector<std::int64_t>{22};
  said.lower();
  CHECK(said.problems.empty());
}

TEST_CASE("what EC2 cannot do is said at its place") {
  Declared lock;
  Spot spot;
  spot.market = Market::spot;
  lock.n.spot = spot;
  lock.n.security.deletion_protection = true;
  lock.at("security.deletion_protection", kLineOf);
  CHECK(lock.only_problem().mark.line == kLineOf);

  Declared copy;
  Disk disk;
  disk.source = std::string("disk:other");
  copy.n.disks["data"] = disk;
  copy.at("disks.data.source", kLineOf);
  CHECK(copy.only_problem().mark.line == kLineOf);

  Declared group;
  group.n.network.security_groups = std::vector<std::string>{"lab"};
  group.at("network.security_groups", kLineOf);
  CHECK(group.only_problem().mark.line == kLineOf);
}

TEST_CASE("places and subnets: what facts refuse, with the remedy") {
  auto problem_with = [](auto change_notebook, auto change_facts) {
    Declared d;
    d.n.machine.type = std::string("g4dn.xlarge");
    for (const char* path : {"where", "machine.type", "network.subnet", "disks.boot.size", "image"})
      d.at(path, 7);
    change_notebook(d.n);
    Resource& vm = d.lower();
    Facts facts = facts_of(vm);
    change_facts(facts);
    ec2::complete(vm, facts);
    ec2::attempts(vm, facts, d.problems);
    REQUIRE(d.problems.size() == 1);
    CHECK(d.problems[0].mark.line == 7);
    return d.problems[0];
  };
  auto same = [](auto&) {};
  CHECK(problem_with([](Notebook& n) { n.where = {"us-west-2b"}; }, same).hint ==
        "us-west-2 offers it in us-west-2a, us-west-2c.");
  CHECK(problem_with(same, [](Facts& f) { f[ec2::offers_fact("us-west-2", "g4dn.xlarge")] = List(); }).code ==
        Code::not_found);
  CHECK(problem_with(same, [](Facts& f) {
          f[ec2::subnets_fact("us-west-2")] = Map();
        }).hint.find("create-default-vpc") != std::string::npos);
  CHECK(problem_with([](Notebook& n) { n.network.subnet = std::string("subnet-gone"); }, same).code ==
        Code::not_found);
  CHECK(problem_with(
            [](Notebook& n) {
              Disk boot;
              boot.size_gb = 50;
              n.disks["boot"] = boot;
            },
            same)
            .hint == "Write 75GB or more.");
  CHECK(problem_with(same, [](Facts& f) {
          f[ec2::type_fact("us-west-2", "g4dn.xlarge")] = Map{{"architectures", List{"arm64"}}};
        }).summary == "The image is for another processor");
  CHECK(problem_with(same, [](Facts& f) {
          f[ec2::ways_fact("us-west-2")] = Map{{"vpc-d", false}};
        }).hint.find("create-route") != std::string::npos);
}

TEST_CASE("a public address is asked for only where the internet reaches it") {
  auto zones = [](const Value& ways, bool address = true) {
    Declared d;
    d.n.machine.type = std::string("g4dn.xlarge");
    if (!address) d.n.network.public_ip = false;
    Resource& vm = d.lower();
    Facts facts = facts_of(vm);
    if (!ways.is_null()) facts[ec2::ways_fact("us-west-2")] = ways;
    ec2::complete(vm, facts);
    std::vector<std::string> out;
    for (const Attempt& attempt : ec2::attempts(vm, facts, d.problems)) out.push_back(attempt.zone);
    return out;
  };
  using Zones = std::vector<std::string>;
  CHECK(zones({}) == Zones{"us-west-2a", "us-west-2c"});  // nobody may look: EC2 says so later, or never
  CHECK(zones(Map{{"vpc-d", true}, {"subnet-a", false}}) == Zones{"us-west-2c"});
  CHECK(zones(Map{{"vpc-d", false}, {"subnet-a", true}}) == Zones{"us-west-2a"});
  CHECK(zones(Map{{"vpc-d", false}}, false) == Zones{"us-west-2a", "us-west-2c"});
}

TEST_CASE("route tables: a way is a default route that is up and no NAT") {
  Value fact;
  auto table = [](const std::string& association, const std::string& route) {
    return "<item><vpcId>vpc-d</vpcId><routeSet><item><destinationCidrBlock>172.31.0.0/16</"
           "destinationCidrBlock>"
           "<gatewayId>local</gatewayId><state>active</state></item>" +
           route + "</routeSet><associationSet><item>" + association + "</item></associationSet></item>";
  };
  auto to = [](const std::string& target, const std::string& state = "active") {
    return "<item><destinationCidrBlock>0.0.0.0/0</destinationCidrBlock>" + target + "<state>" + state +
           "</state></item>";
  };
  std::string tables =
      table("<main>true</main>", to("<gatewayId>igw-1</gatewayId>")) +
      table("<main>false</main><subnetId>subnet-nat</subnetId>", to("<natGatewayId>nat-1</natGatewayId>")) +
      table("<main>false</main><subnetId>subnet-hole</subnetId>",
            to("<gatewayId>igw-2</gatewayId>", "blackhole")) +
      table("<main>false</main><subnetId>subnet-none</subnetId>", "");
  auto next =
      ec2::add_fact(ec2::ways_fact("us-west-2"),
                    answer("DescribeRouteTables", "<routeTableSet>" + tables + "</routeTableSet>"), fact);
  REQUIRE(next.ok());
  CHECK(ec2::has_way_out(fact, "subnet-any", "vpc-d"));
  for (const char* closed : {"subnet-nat", "subnet-hole", "subnet-none"})
    CHECK_FALSE(ec2::has_way_out(fact, closed, "vpc-d"));
}

TEST_CASE("each type counts against the quota of its family and market") {
  CHECK(ec2::quota_code("g4dn.xlarge", false) == "L-DB2E81BA");
  CHECK(ec2::quota_code("gr6.4xlarge", true) == "L-3819A6DF");
  CHECK(ec2::quota_code("p3.2xlarge", true) == "L-7212CCBC");
  CHECK(ec2::quota_code("p5en.48xlarge", true) == "L-C4BD4855");
  CHECK(ec2::quota_code("p6-b200.48xlarge", true).empty());  // sources disagree
  CHECK(ec2::quota_code("t3.medium", false) == "L-1216C47A");
  CHECK(ec2::quota_code("hpc7a.96xlarge", false).empty());
  CHECK(ec2::quota_code("nonsense", false).empty());
}

TEST_CASE("a market whose quota cannot hold the machine is left out, and said where there is no other") {
  auto planned = [](Market market, int spot_limit, int demand_limit) {
    Declared d;
    d.n.machine.type = std::string("g4dn.xlarge");
    Spot spot;
    spot.market = market;
    d.n.spot = spot;
    Resource& vm = d.lower();
    Facts facts = facts_of(vm);
    facts[ec2::type_fact("us-west-2", "g4dn.xlarge")].map().set("vcpus", 4);
    facts[ec2::quota_fact("us-west-2", "L-3819A6DF")] = Map{{"limit", spot_limit}, {"name", "Spot G"}};
    facts[ec2::quota_fact("us-west-2", "L-DB2E81BA")] = Map{{"limit", demand_limit}, {"name", "G"}};
    ec2::complete(vm, facts);
    std::string markets;
    for (const Attempt& attempt : ec2::attempts(vm, facts, d.problems)) markets += attempt.spot ? 's' : 'd';
    for (const Diagnostic& problem : d.problems) markets += " " + problem.detail;
    return markets;
  };
  CHECK(planned(Market::automatic, 4, 4) == "ssdd");
  CHECK(planned(Market::automatic, 0, 4) == "dd");
  std::string refused = planned(Market::on_demand, 4, 2);
  CHECK(refused.find("needs 4 vCPUs") != std::string::npos);
  CHECK(refused.find("may have 2") != std::string::npos);
  CHECK(refused.find("L-DB2E81BA") != std::string::npos);
}

TEST_CASE("a declared subnet decides the zone") {
  Declared d;
  d.n.machine.type = std::string("g4dn.xlarge");
  d.n.network.subnet = std::string("subnet-x");
  Spot spot;
  spot.market = Market::automatic;
  d.n.spot = spot;
  Resource& vm = d.lower();
  ec2::complete(vm, facts_of(vm));
  auto attempts = ec2::attempts(vm, facts_of(vm), d.problems);
  CHECK(d.problems.empty());
  CHECK(attempts == std::vector<Attempt>{{"us-west-2c", true}, {"us-west-2c", false}});
  Resource& group = d.graph.at("dlami/security-group");
  ec2::complete(group, facts_of(vm));
  CHECK(wanted(group, "vpc") == Value("vpc-x"));
}
