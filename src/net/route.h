// Where a request may go and by which way: allowed schemes and hosts, the proxy, the CA file. Pure; the
// environment comes in as a function. Knows no transport.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/message.h"
#include "base/result.h"

namespace nbform {

// Reads one variable of the environment; set but empty counts as absent.
using Lookup = std::function<std::optional<std::string>(const std::string& name)>;

// https anywhere; http to loopback hosts and to a machine's own metadata server (link-local 169.254.0.0/16,
// fd00:ec2::254, fd00:ec2::23, metadata.google.internal) only. Errors: usage, for anything else.
Result<Url> allowed_url(std::string_view url);

// The proxy for `url`, "" for none. https: HTTPS_PROXY, https_proxy, ALL_PROXY, all_proxy; plain http is
// never proxied, nor are loopback and metadata hosts. NO_PROXY / no_proxy: comma separated names (a name
// covers its subdomains, a leading dot is ignored), addresses, IPv4 CIDR blocks, "host:port", or "*". A proxy
// without a scheme is http://.
std::string proxy_for(const Url& url, const Lookup& env);

// The bundle that replaces the system's for `url`, "" for none: SSL_CERT_FILE, else the variable of its
// cloud, else the other's. AWS_CA_BUNDLE is of hosts of AWS, CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE of all
// others.
std::string ca_file(const Url& url, const Lookup& env);

}  // namespace nbform
