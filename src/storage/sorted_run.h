#pragma once

// SortedRun: many writes of one transaction, in key order, in a file of their own beside an engine's state. A
// transaction that outgrows memory leaves its writes in runs; when it commits, its log entry names them, and the engine
// takes them in (Engine::ingest).
//
//   PANDO_ASSIGN(auto writer, engine.runs()->create(RunId(7)));
//   PANDO_TRY(writer->add("k", 2, std::nullopt));       // keys rise; of one key the latest write first
//   PANDO_TRY(writer->add("k", 1, "v"));
//   PANDO_ASSIGN(auto run, writer->finish());           // durable from here on
//   run->get("k", 1, write);                            // what was written up to write 1: "v"
//
// Writes are numbered by the transaction. A run is read like an engine whose timestamps are these numbers.
// Thread-safety: a RunStore is thread-safe; a writer, a run and an iterator belong to one thread at a time each.
// Lifetime: destroy writers, runs and iterators before the engine. Iterators go on when their run is removed.
// Errors: 53100, 58030, 58P01 for a run that is not there, XX001.

#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/hlc.h"
#include "base/status.h"
#include "base/strong_id.h"

namespace pando::storage {

struct RunIdTag;
using RunId = StrongId<RunIdTag, uint64_t>;

// One write, borrowed from what it was read from.
struct RunWrite {
  uint64_t number = 0;
  // Nothing: the key was erased.
  std::optional<ByteView> value;
};

// Walks writes: keys ascending, and of one key the latest write first.
class RunIterator {
 public:
  virtual ~RunIterator() = default;
  // Moves to the first key >= `key`.
  virtual void seek(ByteView key) = 0;
  // Moves to the latest write of the last key < `key`; an empty key means the end.
  virtual void seek_before(ByteView key) = 0;
  // REQUIRES: valid(), for all below.
  virtual void next() = 0;
  virtual bool valid() const = 0;
  // Both valid until the iterator moves.
  virtual ByteView key() const = 0;
  virtual RunWrite write() const = 0;
  virtual Status status() const = 0;
};

class SortedRun {
 public:
  virtual ~SortedRun() = default;
  virtual RunId id() const = 0;
  // Whether `key` has a write numbered at most `number_max`; `value` is the latest such, nothing when it erases.
  virtual Result<bool> get(ByteView key, uint64_t number_max, std::optional<Bytes>& value) = 0;
  // From the first key on.
  virtual std::unique_ptr<RunIterator> iterate() = 0;
  // Of its file.
  virtual uint64_t bytes() const = 0;
  // Rising keys that cut it into up to `pieces` parts of about the same size; none when it does not know.
  virtual std::vector<Bytes> split_keys(std::size_t pieces) const = 0;
};

class SortedRunWriter {
 public:
  // Removes what was written unless finish() returned a run.
  virtual ~SortedRunWriter() = default;
  // REQUIRES: comes after what was added before.
  virtual Status add(ByteView key, uint64_t number, std::optional<ByteView> value) = 0;
  // Makes the run durable. REQUIRES: something was added.
  virtual Result<std::unique_ptr<SortedRun>> finish() = 0;
};

// The runs of one engine.
class RunStore {
 public:
  virtual ~RunStore() = default;
  virtual Result<std::unique_ptr<SortedRunWriter>> create(RunId id) = 0;
  virtual Result<std::unique_ptr<SortedRun>> open(RunId id) = 0;
  // No error when it is not there.
  virtual Status remove(RunId id) = 0;
  virtual Result<std::vector<RunId>> list() = 0;
};

// What Engine::ingest takes in: keys ascending, each once. One thread at a time.
class IngestSource {
 public:
  virtual ~IngestSource() = default;
  virtual bool valid() const = 0;
  // REQUIRES: valid(), for all below.
  virtual ByteView key() const = 0;
  virtual std::optional<ByteView> value() const = 0;
  virtual Status next() = 0;
};

}  // namespace pando::storage
