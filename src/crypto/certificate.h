#pragma once

// Certificates for TLS: a cluster's own authority, and what it signs (X.509 v3, ECDSA on P-256, PEM).
//
//   PANDO_ASSIGN(auto authority, create_authority(now_s, kAuthorityDays));
//   PANDO_ASSIGN(auto node, create_node_certificate(authority, {"db1.example.com", "10.0.0.1"}, now_s, kNodeDays));
//   PANDO_TRY(check_certificate(authority.certificate, node, now_s));
//
// A node's certificate has the common name "node" and serves both ends of a connection; a client's is named after its
// user. Times are Unix seconds, given by the caller. Any thread. Errors: F0000 for what cannot be used, 22023 for bad
// names, XX000 when OpenSSL fails.

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"

namespace pando::crypto {

inline constexpr std::string_view kNodeCommonName = "node";
inline constexpr int kAuthorityDays = 3650;
inline constexpr int kNodeDays = 1825;
inline constexpr int kClientDays = 1825;

// In PEM.
struct KeyAndCertificate {
  std::string private_key;
  std::string certificate;
};

Result<KeyAndCertificate> create_authority(int64_t now_s, int days);
// `hosts`: the names and addresses that others connect to. REQUIRES: at least one.
Result<KeyAndCertificate> create_node_certificate(const KeyAndCertificate& authority,
                                                  const std::vector<std::string>& hosts, int64_t now_s, int days);
Result<KeyAndCertificate> create_client_certificate(const KeyAndCertificate& authority, const std::string& user,
                                                    int64_t now_s, int days);

// Whether `checked` is signed by `authority`, fits its key, and is valid now; the error says which is not so.
Status check_certificate(const std::string& authority, const KeyAndCertificate& checked, int64_t now_s);

}  // namespace pando::crypto
