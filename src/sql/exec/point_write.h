#pragma once

// PointWrite: an UPDATE of the one row with a given primary key, or an INSERT of one row of values (which may replace
// the whole row that is there), without operators or coroutines. For tables and columns without anything else to keep:
// no index, check or foreign key takes part.
//
//   std::unique_ptr<PointWrite> point = PointWrite::make(plan);          // null for any other plan
//   PANDO_ASSIGN(const auto outcome, point->run(access, context));
//   kDone       rows_affected() rows are in the transaction's write buffer
//   kMustLock   await transaction.lock(point->key(), point->strength(), kBlock), begin the statement anew where the
//               isolation takes a snapshot per statement, and run again; the second time for one key, treat it as
//               kGeneral
//   kGeneral    the plan's operators must run: nothing was written, though a lock may be held. They also word the
//   errors
//
// What it leaves is what the operators would leave. An UPDATE locks before it looks at the newest version, so that in
// READ COMMITTED a row that others keep changing is waited for once and never read in vain.
// Thread-safety: one thread at a time; it keeps its buffers.

#include <memory>

#include "sql/exec/context.h"
#include "sql/exec/evaluator.h"
#include "sql/exec/runtime.h"
#include "txn/point_access.h"

namespace pando::sql::exec {

class PointWrite {
 public:
  enum class Outcome : uint8_t { kDone, kMustLock, kGeneral };

  static std::unique_ptr<PointWrite> make(const PhysicalQuery& query);
  virtual ~PointWrite() = default;

  // REQUIRES: the transaction's statement has begun, and the table is locked against DDL.
  Result<Outcome> run(txn::PointAccess& access, ExecutionContext context);
  uint64_t rows_affected() const { return rows_affected_; }
  // It may only be run when the transaction commits next, see PointAccess::try_replace.
  virtual bool replaces() const { return false; }
  // After kMustLock.
  const Bytes& key() const { return key_; }
  txn::LockStrength strength() const { return strength_; }

 protected:
  explicit PointWrite(uint32_t parameter_slots) : parameter_slots_(parameter_slots) {}
  // Compiles the expressions, once.
  virtual Status prepare() = 0;
  virtual Result<Outcome> write() = 0;
  Runtime& runtime() { return *runtime_; }
  txn::Transaction& transaction() { return context_->transaction; }
  txn::PointAccess& access() { return *access_; }
  // Replaces out's columns with the values for the one row of `input`; false when they cannot be had without waiting or
  // at all.
  static bool evaluate(const std::vector<EvaluatorPtr>& expressions, const types::Chunk& input, types::Chunk& out);

  Bytes key_;
  txn::LockStrength strength_ = txn::LockStrength::kUpdate;
  uint64_t rows_affected_ = 0;

 private:
  const uint32_t parameter_slots_;
  std::optional<ExecutionContext> context_;
  std::unique_ptr<Runtime> runtime_;
  txn::PointAccess* access_ = nullptr;
};

// The two kinds; null for what they cannot do.
std::unique_ptr<PointWrite> make_point_update(const UpdatePlan& plan, const PhysicalQuery& query);
std::unique_ptr<PointWrite> make_point_insert(const InsertPlan& plan, const PhysicalQuery& query);

}  // namespace pando::sql::exec
