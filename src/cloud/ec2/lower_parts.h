// Pieces of lowering that are texts: what a boot reads, and what the security group lets in. Pure; used by
// lower.cc alone.
#pragma once

#include <string>

#include "cloud/ec2/ec2.h"

namespace nbform::ec2 {

// What each boot gets: cloud-init runs the script and gives the keys to the login of the AMI.
struct BootData {
  std::string text;         // user data, before base64; "" = none
  std::string digest;       // of what the manifest declares; keys of a home directory are left out
  std::string pair_key;     // the key that goes as a key pair: the first that EC2 takes; "" = none
  std::string default_key;  // the file whose key is taken as none is declared
};
BootData boot_data_of(const Notebook& notebook, const LowerContext& context);

// "tcp 22 203.0.113.7/32" for each range of access.ssh.allow_from, "tcp 443 0.0.0.0/0" (and ::/0) for each
// port of access.public, sorted.
List ingress_rules(const Access& access);

}  // namespace nbform::ec2
