#pragma once

// The file NODE in a data directory: which node of which cluster the directory is, and where its peers were last seen.
// docs/formats/cluster.md has the encoding. A directory without it belongs to no cluster.
// Thread-safety: one coroutine at a time per directory.

#include <map>
#include <optional>

#include "base/cluster_id.h"
#include "base/ids.h"
#include "runtime/disk.h"

namespace pando::cluster {

inline constexpr std::string_view kIdentityFileName = "NODE";

struct StoredIdentity {
  ClusterId cluster;
  NodeId node;
  // Rises with every start.
  uint64_t incarnation = 0;
  // It made the cluster, and is not known to have made the cluster's store yet.
  bool founding = false;
  // "HOST:PORT" of other nodes.
  std::map<NodeId, std::string> peers;
  friend bool operator==(const StoredIdentity&, const StoredIdentity&) = default;
};

Bytes encode(const StoredIdentity& identity);
// Errors: XX001 for what is damaged or no such file, 0A000 for a newer format.
Result<StoredIdentity> decode_identity(ByteView bytes);

// Nothing when there is no such file.
Task<Result<std::optional<StoredIdentity>>> read_identity(runtime::Disk& disk, Bytes directory);
// Replaces the file in one step; durable when it returns.
Task<Status> write_identity(runtime::Disk& disk, Bytes directory, StoredIdentity identity);

}  // namespace pando::cluster
