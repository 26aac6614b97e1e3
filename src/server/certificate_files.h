#pragma once

// The files of a certificates directory, as `pando cert` makes them:
//
//   ca.crt, ca.key                 the authority; ca.key belongs on no server
//   node.crt, node.key             this node's
//   client.USER.crt, client.USER.key
//
// Keys are readable by their owner only (0600), or they are refused. Errors: 58P01 a file is missing, F0000 one cannot
// be used. Blocks; any thread.

#include <string>

#include "base/status.h"
#include "crypto/certificate.h"
#include "runtime/os/grpc_transport.h"

namespace pando::server {

inline constexpr std::string_view kAuthorityName = "ca";
inline constexpr std::string_view kNodeName = "node";
inline constexpr std::string_view kRootUser = "root";
std::string client_name(std::string_view user);

// Reads DIRECTORY/NAME.crt and .key.
Result<crypto::KeyAndCertificate> read_certificate(const std::string& directory, std::string_view name);
// Writes them; never over a file that is there. Error 42710 then.
Status write_certificate(const std::string& directory, std::string_view name,
                         const crypto::KeyAndCertificate& certificate);

// What `name` presents to others, checked against the authority and the time.
Result<runtime::TlsIdentity> load_tls_identity(const std::string& directory, std::string_view name);
int64_t now_seconds();

}  // namespace pando::server
