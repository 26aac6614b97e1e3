#pragma once

// GrpcTransport: the network between nodes, on gRPC: runtime::PeerNetwork and runtime::Administration.
//
//   PANDO_ASSIGN(auto transport, GrpcTransport::open({.listen = "127.0.0.1:6433", .tls = ...}));
//   transport->serve(handler);
//   PANDO_TRY(transport->listen());                 // from here on administration is answered
//   transport->join({cluster, node, incarnation});
//   transport->receive(Channel::kConsensus, ...);
//   transport->start();                             // from here on it takes part
//   transport->set_peer(NodeId(2), "127.0.0.1:6434");
//   ...
//   transport->stop();                              // after everything that sends has ended
//
// One thread serves all sockets and calls all receivers, observers and handlers, so none of them may block. With TLS,
// both ends prove with a certificate of the same authority that they are nodes (common name "node"); administration is
// also open to the client "root". Without it, only loopback addresses are served unless `insecure` says otherwise.
// Thread-safety: see runtime/transport.h and runtime/peer_network.h.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/peer_network.h"

namespace pando::runtime {

// In PEM.
struct TlsIdentity {
  std::string authority;
  std::string certificate;
  std::string private_key;
};

struct GrpcTransportOptions {
  // "HOST:PORT"; port 0 takes a free one. Empty: only calls others.
  std::string listen;
  // What other nodes are told to connect to; empty: where it listens.
  std::string advertise;
  std::optional<TlsIdentity> tls;
  // Without TLS, on any address.
  bool insecure = false;
  std::function<void(const std::string& line)> log = [](const std::string&) {};

  // Per peer and channel: what may wait to be sent.
  std::size_t queue_bytes_max = 128_MiB;
  std::size_t frame_bytes_max = 1_MiB;
  std::chrono::milliseconds backoff_min{10};
  std::chrono::milliseconds backoff_max{500};
  std::chrono::milliseconds greeting_timeout{2000};
  // A peer that is silent this long is asked; one that does not answer in the second is lost.
  std::chrono::milliseconds keepalive_interval{300};
  std::chrono::milliseconds keepalive_timeout{1000};
};

struct TransportCounters {
  uint64_t messages_sent = 0;
  uint64_t messages_received = 0;
  uint64_t messages_dropped = 0;
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
  uint64_t connections_refused = 0;
  uint64_t peers_known = 0;
  uint64_t peers_connected = 0;
};

class GrpcTransport final : public PeerNetwork, public Administration {
 public:
  // Errors: 22023 a bad address, F0000 plaintext beyond loopback or a bad certificate.
  static Result<std::unique_ptr<GrpcTransport>> open(GrpcTransportOptions options);
  ~GrpcTransport() override;

  // Error 08006: the address is in use or not of this machine.
  Status listen();
  void stop();
  // Where it listens, with the port it got; and what it tells others.
  std::string listen_address() const;
  std::string advertised_address() const;
  TransportCounters counters() const;

  NodeId self() const override;
  void send(NodeId to, Channel channel, Bytes message) override;
  void receive(Channel channel, Receiver receiver) override;
  void observe(PeerObserver observer) override;
  bool connected(NodeId peer) const override;

  void join(const NodeIdentity& identity) override;
  void start() override;
  void set_peer(NodeId node, const std::string& address) override;
  void remove_peer(NodeId node) override;
  void set_admission(Admission admission) override;

  void serve(Handler handler) override;
  void call(const std::string& address, const std::string& method, Bytes request, std::chrono::milliseconds timeout,
            Reply reply) override;

 private:
  struct Parts;
  explicit GrpcTransport(std::shared_ptr<Parts> parts);
  std::shared_ptr<Parts> parts_;
};

// Whether `address` ("HOST:PORT", "[HOST]:PORT", or without a port) names this machine's loopback.
bool is_loopback(const std::string& address);

}  // namespace pando::runtime
