#include "cluster/node_record.h"

#include "base/codec.h"

namespace pando::cluster {
namespace {

constexpr uint8_t kFormat = 1;
constexpr std::size_t kTiersMax = 16;

Status corrupted() { return Status(sql_state::kDataCorrupted, "a node's record is damaged"); }

bool is_tier_text(std::string_view text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
                              std::string_view::npos;
}

bool read_text(ByteReader& reader, std::string& text) {
  ByteView view;
  if (!reader.length_prefixed(view)) {
    return false;
  }
  text = view;
  return true;
}

bool read_locality(ByteReader& reader, Locality& locality) {
  uint64_t tiers = 0;
  if (!reader.varint(tiers) || tiers > kTiersMax) {
    return false;
  }
  locality.resize(tiers);
  for (auto& [key, value] : locality) {
    if (!read_text(reader, key) || !read_text(reader, value)) {
      return false;
    }
  }
  return true;
}

bool read_state(ByteReader& reader, NodeState& state) {
  uint8_t number = 0;
  if (!reader.fixed8(number) || number < static_cast<uint8_t>(NodeState::kActive) ||
      number > static_cast<uint8_t>(NodeState::kDecommissioned)) {
    return false;
  }
  state = static_cast<NodeState>(number);
  return true;
}

}  // namespace

std::string_view to_string(NodeState state) {
  switch (state) {
    case NodeState::kActive:
      return "active";
    case NodeState::kDraining:
      return "draining";
    case NodeState::kDecommissioning:
      return "decommissioning";
    case NodeState::kDecommissioned:
      return "decommissioned";
  }
  return "unknown";
}

Result<Locality> parse_locality(std::string_view text) {
  Locality locality;
  while (!text.empty()) {
    const std::string_view tier = text.substr(0, text.find(','));
    const std::size_t equals = tier.find('=');
    if (equals == std::string_view::npos || !is_tier_text(tier.substr(0, equals)) ||
        !is_tier_text(tier.substr(equals + 1))) {
      return Status(sql_state::kInvalidParameterValue, "\"{}\" in the locality is not KEY=VALUE", tier);
    }
    for (const auto& [key, value] : locality) {
      if (key == tier.substr(0, equals)) {
        return Status(sql_state::kInvalidParameterValue, "the locality names \"{}\" twice", key);
      }
    }
    locality.emplace_back(tier.substr(0, equals), tier.substr(equals + 1));
    text.remove_prefix(std::min(tier.size() + 1, text.size()));
  }
  if (locality.size() > kTiersMax) {
    return Status(sql_state::kInvalidParameterValue, "a locality has at most {} tiers", kTiersMax);
  }
  return locality;
}

std::string to_string(const Locality& locality) {
  std::string text;
  for (const auto& [key, value] : locality) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", key, value);
  }
  return text;
}

Bytes encode(const NodeRecord& record) {
  Bytes out;
  out.push_back(static_cast<char>(kFormat));
  put_fixed32(out, record.id.number());
  put_length_prefixed(out, record.peer_address);
  put_length_prefixed(out, record.sql_address);
  put_varint(out, record.locality.size());
  for (const auto& [key, value] : record.locality) {
    put_length_prefixed(out, key);
    put_length_prefixed(out, value);
  }
  put_fixed64(out, record.started_ns);
  out.push_back(static_cast<char>(record.state));
  put_length_prefixed(out, record.version);
  return out;
}

Result<NodeRecord> decode_node_record(ByteView bytes) {
  ByteReader reader(bytes);
  uint8_t format = 0;
  if (!reader.fixed8(format) || format == 0) {
    return corrupted();
  }
  if (format > kFormat) {
    return Status(sql_state::kFeatureNotSupported, "a node's record has format {}, this program knows {}", format,
                  kFormat);
  }
  NodeRecord record;
  uint32_t id = 0;
  if (!reader.fixed32(id) || !read_text(reader, record.peer_address) || !read_text(reader, record.sql_address) ||
      !read_locality(reader, record.locality) || !reader.fixed64(record.started_ns) ||
      !read_state(reader, record.state) || !read_text(reader, record.version) || !reader.empty()) {
    return corrupted();
  }
  record.id = NodeId(id);
  return record;
}

}  // namespace pando::cluster
