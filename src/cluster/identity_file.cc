#include "cluster/identity_file.h"

#include <algorithm>

#include "base/codec.h"
#include "base/crc32c.h"

namespace pando::cluster {
namespace {

constexpr ByteView kMagic = "PANDONODE";
constexpr uint16_t kFormat = 1;
constexpr std::size_t kPeersMax = 100'000;
constexpr std::size_t kFileBytesMax = 32_MiB;

Status corrupted(std::string_view why) {
  return Status(sql_state::kDataCorrupted, "the file {} of the data directory is damaged: {}", kIdentityFileName, why);
}

Bytes path_of(const Bytes& directory, std::string_view name) { return directory + "/" + Bytes(name); }

bool read_peers(ByteReader& reader, std::map<NodeId, std::string>& peers) {
  uint64_t count = 0;
  if (!reader.varint(count) || count > kPeersMax) {
    return false;
  }
  for (uint64_t i = 0; i < count; ++i) {
    uint32_t node = 0;
    ByteView address;
    if (!reader.fixed32(node) || !reader.length_prefixed(address)) {
      return false;
    }
    peers[NodeId(node)] = address;
  }
  return true;
}

}  // namespace

Bytes encode(const StoredIdentity& identity) {
  Bytes out(kMagic);
  put_fixed16(out, kFormat);
  out += identity.cluster.bytes();
  put_fixed32(out, identity.node.number());
  put_fixed64(out, identity.incarnation);
  out.push_back(identity.founding ? 1 : 0);
  put_varint(out, identity.peers.size());
  for (const auto& [node, address] : identity.peers) {
    put_fixed32(out, node.number());
    put_length_prefixed(out, address);
  }
  put_fixed32(out, crc32c(out));
  return out;
}

Result<StoredIdentity> decode_identity(ByteView bytes) {
  ByteReader reader(bytes);
  ByteView magic;
  uint16_t format = 0;
  if (!reader.raw(kMagic.size(), magic) || magic != kMagic || !reader.fixed16(format)) {
    return corrupted("it does not begin as one");
  }
  // Before the checksum, whose place a newer format may move.
  if (format > kFormat) {
    return Status(sql_state::kFeatureNotSupported,
                  "the data directory was written by a newer Pando: its file {} has format {}, this program knows {}",
                  kIdentityFileName, format, kFormat);
  }
  if (bytes.size() < sizeof(uint32_t)) {
    return corrupted("it is too short");
  }
  uint32_t checksum = 0;
  ByteReader tail(bytes.substr(bytes.size() - sizeof(uint32_t)));
  tail.fixed32(checksum);
  if (checksum != crc32c(bytes.substr(0, bytes.size() - sizeof(uint32_t)))) {
    return corrupted("its checksum is wrong");
  }
  StoredIdentity identity;
  ByteView cluster;
  uint32_t node = 0;
  uint8_t founding = 0;
  if (!reader.raw(ClusterId::kBytes, cluster) || !reader.fixed32(node) || !reader.fixed64(identity.incarnation) ||
      !reader.fixed8(founding) || founding > 1 || !read_peers(reader, identity.peers) ||
      reader.rest().size() != sizeof(uint32_t)) {
    return corrupted("its fields do not fit");
  }
  identity.cluster = *ClusterId::from_bytes(cluster);
  identity.node = NodeId(node);
  identity.founding = founding == 1;
  if (identity.cluster.none() || identity.node == NodeId()) {
    return corrupted("it names no node");
  }
  return identity;
}

Task<Result<std::optional<StoredIdentity>>> read_identity(runtime::Disk& disk, Bytes directory) {
  PANDO_CO_ASSIGN(const std::vector<Bytes> names, co_await disk.list(directory));
  if (std::find(names.begin(), names.end(), kIdentityFileName) == names.end()) {
    co_return std::optional<StoredIdentity>();
  }
  PANDO_CO_ASSIGN(auto file, co_await disk.open(path_of(directory, kIdentityFileName), runtime::OpenMode::kExisting));
  PANDO_CO_ASSIGN(const uint64_t size, co_await file->size());
  if (size > kFileBytesMax) {
    co_return corrupted("it is too large");
  }
  PANDO_CO_ASSIGN(const Bytes bytes, co_await file->read(0, size));
  PANDO_CO_ASSIGN(StoredIdentity identity, decode_identity(bytes));
  co_return std::optional<StoredIdentity>(std::move(identity));
}

Task<Status> write_identity(runtime::Disk& disk, Bytes directory, StoredIdentity identity) {
  const Bytes path = path_of(directory, kIdentityFileName);
  const Bytes temporary = path + ".new";
  {
    PANDO_CO_ASSIGN(auto file, co_await disk.open(temporary, runtime::OpenMode::kCreateOrOpen));
    PANDO_CO_TRY(co_await file->truncate(0));
    PANDO_CO_TRY(co_await file->write(0, encode(identity)));
    PANDO_CO_TRY(co_await file->sync());
  }
  PANDO_CO_TRY(co_await disk.rename(temporary, path));
  co_return co_await disk.sync_directory(std::move(directory));
}

}  // namespace pando::cluster
