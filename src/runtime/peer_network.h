#pragma once

// PeerNetwork: a Transport and what membership needs of it: who this node is and where the others are. Administration:
// single calls to a node by its address, also before it belongs to a cluster.
//
// Order of use: serve(), before the network listens; join(), once this node has an identity; receive() and observe();
// start(), once it can take messages. set_peer() for each node that is known, at any time: a peer that connects by
// itself is known from then on, at the address it advertises. Thread-safe after that.

#include <chrono>
#include <functional>
#include <string>

#include "base/cluster_id.h"
#include "base/status.h"
#include "runtime/transport.h"

namespace pando::runtime {

struct NodeIdentity {
  ClusterId cluster;
  NodeId node;
  // Another one for each start of the process.
  uint64_t incarnation = 0;
};

class PeerNetwork : public Transport {
 public:
  // Before it, self() is NodeId(). REQUIRES: once.
  virtual void join(const NodeIdentity& identity) = 0;
  // Begins to connect, and to let peers in. REQUIRES: once, after join().
  virtual void start() = 0;
  // Connects, and stays connected, to `node` at `address` ("HOST:PORT"). A new address replaces the old one.
  virtual void set_peer(NodeId node, const std::string& address) = 0;
  virtual void remove_peer(NodeId node) = 0;
  // Asked for each peer that connects: an error refuses it with that message. Before start().
  using Admission = std::function<Status(NodeId node, const std::string& address)>;
  virtual void set_admission(Admission admission) = 0;
};

class Administration {
 public:
  virtual ~Administration() = default;

  // Called exactly once, on any thread.
  using Reply = std::function<void(Result<Bytes>)>;
  // Called on a thread of the network's: must not block. It may reply later. Set once, before the network listens.
  using Handler = std::function<void(const std::string& method, Bytes request, Reply reply)>;
  virtual void serve(Handler handler) = 0;

  // Calls `method` of the node at `address`. The error is that of the handler there, or 08006 when the node cannot be
  // reached or does not answer in `timeout`: then it is not known whether the call was carried out.
  virtual void call(const std::string& address, const std::string& method, Bytes request,
                    std::chrono::milliseconds timeout, Reply reply) = 0;
};

}  // namespace pando::runtime
