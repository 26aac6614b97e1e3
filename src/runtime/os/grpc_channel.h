#pragma once

// How gRPC's channels and servers are set up. Included by runtime/os/grpc_*.cc only.

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include "runtime/os/grpc_transport.h"

namespace pando::runtime {

inline constexpr const char* kStreamMethod = "/pando.Transport/Stream";
inline constexpr const char* kCallMethod = "/pando.Administration/Call";

// The common names of certificates that `pando cert` makes.
inline constexpr std::string_view kNodeCertificateName = "node";
inline constexpr std::string_view kRootCertificateName = "root";

std::shared_ptr<grpc::ChannelCredentials> channel_credentials(const GrpcTransportOptions& options);
std::shared_ptr<grpc::ServerCredentials> server_credentials(const GrpcTransportOptions& options);

// Its own connection, which is given up rather than repaired: whoever uses it makes another.
std::shared_ptr<grpc::Channel> make_channel(const std::string& address,
                                            const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                                            const GrpcTransportOptions& options);
void set_server_arguments(grpc::ServerBuilder& builder, const GrpcTransportOptions& options);

// The common name in the certificate of whoever called; empty without TLS.
std::string certificate_name(const grpc::ServerContextBase& context);

}  // namespace pando::runtime
