#pragma once

// Checks a history of transactions that append unique numbers to lists and read lists, after Elle (Kingsbury and
// Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations", VLDB 2020). A list shows the order of
// all writes before it, so the dependencies between transactions can be read off:
//
//   ww  the second appended right after the first            wr  the second read what the first appended last
//   rw  the first read a list to which the second then appended: it did not see the second
//
// A cycle of dependencies is an anomaly, named by its edges (Adya, 1999; Cerone and Gotsman, 2016, for snapshots).
// Which are violations depends on the isolation levels of those in the cycle:
//
//   G0               ww only                                 never permitted
//   G1a G1b G1c      read of aborted or intermediate writes, ww and wr only    never permitted
//   G-single         one rw                                  permitted where a statement has a snapshot, not a
//                                                            transaction: READ COMMITTED
//   lost update      G-single, both wrote the list that one of them read       the same
//   long fork        several rw, none after another          the same
//   G2-item          several rw, some after another          permitted under snapshots: REPEATABLE READ
//
// Besides: internal (a transaction contradicts itself), incompatible order (two reads of a list of which neither
// continues the other), duplicate element, garbage read, lost write (acknowledged and not in the final lists), partial
// commit (some writes of a transaction are there, others not), stale read (misses what was acknowledged before it
// began, the transaction under a snapshot, the statement otherwise; of what was committed). None of these is ever
// permitted.
//
// Pure; values.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pando::test {

enum class Level : uint8_t { kReadCommitted, kRepeatableRead, kSerializable };
std::string_view to_string(Level level);

enum class Ending : uint8_t {
  kCommitted,
  // It is certain that it was not.
  kAborted,
  kUnknown,
};

using ListKey = uint64_t;
using List = std::vector<int64_t>;

struct ListOperation {
  ListKey key = 0;
  bool appends = false;
  // When it appends.
  int64_t element = 0;
  // When it reads: what it saw.
  List list;
  // When its statement began; 0: not known.
  uint64_t begin_ns = 0;
};

struct ListTransaction {
  // For reports.
  uint64_t number = 0;
  Level level = Level::kReadCommitted;
  Ending ending = Ending::kCommitted;
  // Declared read only: its whole serialization is one snapshot, also under SERIALIZABLE.
  bool read_only = false;
  // On one true clock: when its first statement began, and when its end was known.
  uint64_t begin_ns = 0;
  uint64_t end_ns = 0;
  std::vector<ListOperation> operations;
};

struct ListHistory {
  std::vector<ListTransaction> transactions;
  // The lists when all was over. Keys that nobody could read then are missing.
  std::map<ListKey, List> final_lists;
};

struct Anomaly {
  std::string name;
  // Those involved, in order, with what ties them together.
  std::string description;
  // Whether the levels of those involved forbid it.
  bool violates = true;
  // The weakest level that forbids it.
  Level forbidden_from = Level::kReadCommitted;
};

// At most one anomaly of each name. Violations come first.
std::vector<Anomaly> find_anomalies(const ListHistory& history);

}  // namespace pando::test
