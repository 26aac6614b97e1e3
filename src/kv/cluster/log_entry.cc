#include "kv/cluster/log_entry.h"

#include "kv/commit_record.h"
#include "kv/descriptor/keys.h"

namespace pando::kv {
namespace {

// On disk: never renumber.
constexpr char kFormatVersion = 1;
constexpr ByteView kPreparedSuffix{"p"};
// Follows a key of rows, and sorts before all keys that continue it.
constexpr ByteView kOutcomeSuffix{"\0\0o", 3};
constexpr std::size_t kHeaderBytes = 2;
// Of a node of its own.
constexpr uint8_t kBulkCommit = 5;

Status damaged(const char* what) { return {sql_state::kDataCorrupted, "damaged entry in a shard's log: {}", what}; }

Bytes start(PayloadKind kind) { return {kFormatVersion, static_cast<char>(kind)}; }

}  // namespace

Result<PayloadKind> payload_kind(ByteView payload) {
  if (payload.size() < kHeaderBytes || payload[0] != kFormatVersion) {
    return damaged("unknown version");
  }
  const auto kind = static_cast<uint8_t>(payload[1]);
  const bool known = kind >= static_cast<uint8_t>(PayloadKind::kCommit) &&
                     kind <= static_cast<uint8_t>(PayloadKind::kForget) && kind != kBulkCommit;
  return known ? Result<PayloadKind>(static_cast<PayloadKind>(kind)) : damaged("unknown kind");
}

Result<std::vector<Bytes>> keys_of_commit(ByteView payload) {
  std::vector<Bytes> keys;
  if (payload.empty()) {
    return keys;
  }
  PANDO_ASSIGN(CommitRecord record, CommitRecord::decode(payload));
  for (CommitRecord::Change change; record.next(change);) {
    keys.emplace_back(change.key);
  }
  return keys;
}

Bytes encode_entry(const PrepareEntry& entry) {
  Bytes payload = start(PayloadKind::kPrepare);
  WireWriter writer(payload);
  writer(entry.transaction, entry.key, entry.at, entry.participants, entry.commit, entry.reads, entry.is_long);
  return payload;
}

Result<PrepareEntry> decode_prepare(ByteView payload) {
  PrepareEntry entry;
  WireReader reader(payload.substr(kHeaderBytes));
  reader(entry.transaction, entry.key, entry.at, entry.participants, entry.commit);
  if (!reader.complete()) {
    // Entries of old do not have it.
    reader(entry.reads);
  }
  if (!reader.complete()) {
    reader(entry.is_long);
  }
  if (!reader.complete()) {
    return damaged("unfinished prepare");
  }
  return entry;
}

Bytes encode_entry(const ResolveEntry& entry) {
  Bytes payload = start(PayloadKind::kResolve);
  WireWriter writer(payload);
  writer(entry.transaction, entry.key, entry.committed, entry.at, entry.participants);
  return payload;
}

Result<ResolveEntry> decode_resolve(ByteView payload) {
  ResolveEntry entry;
  WireReader reader(payload.substr(kHeaderBytes));
  reader(entry.transaction, entry.key, entry.committed, entry.at);
  if (!reader.complete()) {
    // Entries of old end here.
    reader(entry.participants);
  }
  if (!reader.complete()) {
    return damaged("unfinished resolve");
  }
  return entry;
}

Bytes encode_entry(const ForgetEntry& entry) {
  Bytes payload = start(PayloadKind::kForget);
  WireWriter writer(payload);
  writer(entry.transaction, entry.key);
  return payload;
}

Result<ForgetEntry> decode_forget(ByteView payload) {
  ForgetEntry entry;
  WireReader reader(payload.substr(kHeaderBytes));
  reader(entry.transaction, entry.key);
  if (!reader.complete()) {
    return damaged("unfinished forget");
  }
  return entry;
}

Bytes encode_discard(const txn::Span& span) {
  Bytes payload = start(PayloadKind::kDiscard);
  WireWriter writer(payload);
  writer(span);
  return payload;
}

Result<txn::Span> decode_discard(ByteView payload) {
  txn::Span span;
  WireReader reader(payload.substr(kHeaderBytes));
  reader(span);
  if (!reader.complete()) {
    return damaged("unfinished discard");
  }
  return span;
}

Bytes prepared_prefix(ShardId shard) { return shard_local_key(shard, kPreparedSuffix); }

Bytes prepared_key(ShardId shard, TransactionId transaction, ByteView participant) {
  Bytes key = prepared_prefix(shard);
  append_ordered_uint64(key, transaction.number());
  key.append(participant);
  return key;
}

Bytes outcome_key(ByteView participant, TransactionId transaction) {
  Bytes key = keyed_key(participant);
  key.append(kOutcomeSuffix);
  append_ordered_uint64(key, transaction.number());
  return key;
}

std::optional<OutcomeName> outcome_name(ByteView key) {
  constexpr std::size_t kTail = kOutcomeSuffix.size() + sizeof(uint64_t);
  if (!key.starts_with(kKeyedPrefix) || key.size() < kKeyedPrefix.size() + kTail ||
      key.substr(key.size() - kTail, kOutcomeSuffix.size()) != kOutcomeSuffix) {
    return std::nullopt;
  }
  uint64_t transaction = 0;
  OrderedReader reader(key.substr(key.size() - sizeof(uint64_t)));
  if (!reader.ordered_uint64(transaction)) {
    return std::nullopt;
  }
  return OutcomeName{.participant = Bytes(key.substr(kKeyedPrefix.size(), key.size() - kTail - kKeyedPrefix.size())),
                     .transaction = TransactionId(transaction)};
}

Bytes encode_outcome(const OutcomeRecord& outcome) {
  Bytes bytes;
  WireWriter writer(bytes);
  writer(outcome.committed, outcome.at, outcome.participants);
  return bytes;
}

Result<OutcomeRecord> decode_outcome(ByteView bytes) {
  OutcomeRecord outcome;
  WireReader reader(bytes);
  reader(outcome.committed, outcome.at);
  if (!reader.complete()) {
    reader(outcome.participants);
  }
  if (!reader.complete()) {
    return Status(sql_state::kDataCorrupted, "a damaged record of a transaction's outcome");
  }
  return outcome;
}

}  // namespace pando::kv
