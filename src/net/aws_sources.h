// Which source of AWS credentials counts here: the chain of AWS's own tools (SDKs and Tools Reference), as
// data. Pure: the files are read already, nothing is sent.
#pragma once

#include <string>
#include <vector>

#include "net/aws_credentials.h"
#include "net/aws_home.h"

namespace nbform {

struct AwsSource {
  enum class Kind { keys, web_identity, sso, process, container, instance };

  Kind kind = Kind::instance;
  std::string from;                  // the variable, profile or service, for people
  AwsCredentials keys;               // keys
  std::string token_file;            // web_identity
  AwsRole web_role;                  // likewise
  AwsSso sso;                        // sso
  std::vector<std::string> program;  // process
  std::vector<AwsRole> roles;        // to act as on top, in this order
  std::vector<std::string> tried;    // what was passed over and why, for people

  // "role arn:... through profile dev", without secrets.
  std::string description() const;
};

// First hit: keys of the environment (not where the manifest chooses the profile), the profile's role, web
// identity, SSO, keys of the credentials file, credential_process, keys of the config file, container,
// instance. `assume_role`: clouds.aws.assume_role, on top; "" for none. Errors: unauthenticated, at the
// setting that is wrong. The last of the chain is an answer too: only asking it tells whether it is there.
Result<AwsSource> find_aws_source(const AwsHome& home, const std::string& assume_role, Time now);

// Nobody is logged in.
Diagnostic no_aws_credentials(const std::vector<std::string>& tried);

}  // namespace nbform
