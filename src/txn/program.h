#pragma once

// Programs: what is done with the entries of a span where they lie, so that only its results travel. A program is bytes
// whose meaning only the layer above knows; a store that keeps its entries on several nodes brings them to each, and
// calls that layer's ProgramRunner there. A node's part is done in pages: one run for each, over the entries that come
// next, so that neither what a run holds in memory nor its answer grows with the span.
//
//   store.use_programs(&runner);                                    // once, on every node
//   ProgramAccess* const access = ProgramAccess::of(transaction);
//   auto results = access == nullptr ? nullptr : access->run_program(span, program, options);
//   if (results == nullptr) ...                                       // Transaction::scan() instead
//   while (true) {
//     PANDO_CO_ASSIGN(const auto page, co_await results->next());   // what one run appended to its output
//     if (!page.has_value()) break;
//     ...
//   }

#include <memory>
#include <optional>

#include "base/status.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "txn/transaction.h"

namespace pando::txn {

// The entries that a run of a program is over, in the order of their keys.
class ProgramInput : public Cursor {
 public:
  // No more entries come: those that were not read are for the next run.
  virtual void stop() = 0;
};

// What a node says that does not know a program: it runs another version. Never reaches a client.
inline constexpr SqlState kUnknownProgram{"UNKPR"};

// Thread-safe.
class ProgramRunner {
 public:
  virtual ~ProgramRunner() = default;
  // Appends to `output` what the program makes of the entries of `input`. When it is large enough for an answer it
  // stops the input. Yields to `executor` now and then. Errors: kUnknownProgram; whatever the program meets.
  virtual Task<Status> run(ByteView program, ProgramInput& input, runtime::Executor& executor, Bytes& output) = 0;
};

struct ProgramOptions {
  // Pages come in the order of the keys that they are of.
  bool in_order = true;
  // The first pages may do: few are asked for ahead.
  bool limited = false;
};

// The pages of a program's results. Destroy it before the transaction ends.
class ProgramResults {
 public:
  virtual ~ProgramResults() = default;
  // Nothing means the end.
  virtual Task<Result<std::optional<Bytes>>> next() = 0;
};

// What a transaction can do of it. Thread-safety and lifetime: the transaction's.
class ProgramAccess {
 public:
  virtual ~ProgramAccess() = default;
  // Null when its store runs no programs.
  static ProgramAccess* of(Transaction* transaction) { return dynamic_cast<ProgramAccess*>(transaction); }
  // Runs a program over `span` in the snapshot of the statement, where the entries lie. nullptr where
  // Transaction::scan() must be used instead: when it would see writes of this transaction, and when nobody runs
  // programs.
  virtual std::unique_ptr<ProgramResults> run_program(Span span, Bytes program, const ProgramOptions& options) = 0;
};

// A store whose entries may lie on several nodes.
class ProgramStore {
 public:
  virtual ~ProgramStore() = default;
  // Null for any other store.
  static ProgramStore* of(Store* store) { return dynamic_cast<ProgramStore*>(store); }
  // Who runs programs on this node; outlives the store. Null: nobody. Once, before the first transaction.
  virtual void use_programs(ProgramRunner* runner) = 0;
  virtual bool runs_programs() const = 0;
};

}  // namespace pando::txn
