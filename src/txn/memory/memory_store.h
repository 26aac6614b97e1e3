#pragma once

// MemoryStore: the reference implementation of txn::Store. An ordered map of versions under one mutex, so simple that
// its behaviour is evident: tests of SQL run on it, and kv's store must behave as it does.
//
//   MemoryStore store(timer);
//   auto transaction = store.begin({.executor = &executor});
//
// Nothing survives the process. Versions that no snapshot can see are dropped when their key is written again.
// Thread-safe. Transactions must be destroyed before the store.

#include <map>
#include <set>
#include <vector>

#include "base/mutex.h"
#include "txn/lock_table.h"
#include "txn/program.h"
#include "txn/read_set.h"
#include "txn/transaction.h"
#include "txn/write_buffer.h"

namespace pando::txn {

struct MemoryStoreOptions {
  std::size_t transaction_bytes_max = 1_GiB;
  std::size_t recent_writes_bytes_max = 64_MiB;
  // What one run of a program is over.
  std::size_t program_entries_max = 1000;
};

class MemoryStore final : public Store, public ProgramStore {
 public:
  explicit MemoryStore(runtime::Timer* timer, MemoryStoreOptions options = {});

  std::unique_ptr<Transaction> begin(TransactionOptions options) override;
  void discard(Span span) override;
  Status collect_garbage(Span span) override;
  uint64_t approximate_bytes(Span span) override;
  void use_programs(ProgramRunner* runner) override { programs_ = runner; }
  bool runs_programs() const override { return programs_ != nullptr; }
  ProgramRunner* programs() const { return programs_; }

  LockTable& locks() { return locks_; }
  const MemoryStoreOptions& options() const { return options_; }
  // How many versions are kept, of all keys.
  std::size_t versions();

  // --- for its transactions and cursors ---

  struct Version {
    HlcTimestamp committed;
    // Nothing: the key was erased.
    std::optional<Bytes> value;
  };

  // Takes a snapshot of everything committed; it keeps its versions alive until release_snapshot.
  HlcTimestamp take_snapshot();
  // The same for a serializable transaction, whose reads can then be validated.
  HlcTimestamp take_validated_snapshot();
  void release_snapshot(HlcTimestamp snapshot, bool validated);

  // The version of `key` that `snapshot` sees, or nothing.
  std::optional<Version> read(ByteView key, HlcTimestamp snapshot);
  // Appends up to `entries_max` entries of the snapshot in [start, end), in key order or its reverse.
  void read_span(ByteView start, ByteView end, bool reverse, HlcTimestamp snapshot, std::size_t entries_max,
                 KeyValueBatch& batch);
  // Rising keys inside the span that cut it into up to `pieces` parts with as many keys in each.
  std::vector<Bytes> split_keys(ByteView start, ByteView end, std::size_t pieces);
  // Whether `isolation` lets a transaction with this snapshot replace the newest version of `key`.
  Status check_write(ByteView key, bool erases, Isolation isolation, HlcTimestamp snapshot);
  // Whether nothing in `reads` was committed after `snapshot`.
  bool unchanged_since(const ReadSet& reads, HlcTimestamp snapshot);
  Status commit(const WriteBuffer& writes, const ReadSet& reads, Isolation isolation, HlcTimestamp snapshot);

 private:
  using Versions = std::vector<Version>;

  static const Version* visible(const Versions& versions, HlcTimestamp snapshot);
  Status check_write_locked(ByteView key, bool erases, Isolation isolation, HlcTimestamp snapshot)
      PANDO_REQUIRES(mutex_);
  void drop_invisible(Versions& versions) PANDO_REQUIRES(mutex_);

  const MemoryStoreOptions options_;
  ProgramRunner* programs_ = nullptr;
  LockTable locks_;
  Mutex mutex_;
  std::map<Bytes, Versions, std::less<>> keys_ PANDO_GUARDED_BY(mutex_);
  RecentWrites recent_ PANDO_GUARDED_BY(mutex_);
  std::multiset<HlcTimestamp> snapshots_ PANDO_GUARDED_BY(mutex_);
  HlcTimestamp newest_commit_ PANDO_GUARDED_BY(mutex_);
  uint64_t newest_transaction_ PANDO_GUARDED_BY(mutex_) = 0;
};

}  // namespace pando::txn
