#include "sql/exec/program_runner.h"

#include "sql/exec/operator.h"
#include "sql/exec/parallel.h"
#include "sql/exec/program.h"

namespace pando::sql::exec {
namespace {

// Of an answer. A run that has made as much reads no further.
constexpr std::size_t kOutputBytesMax = 1_MiB;

Status no_transaction() { return {sql_state::kInternalError, "a program does what needs a transaction"}; }

// Stands where operators want a transaction that a program's never use: they read from a snapshot, as those of parallel
// plans do.
class NoTransaction final : public txn::Transaction {
 public:
  explicit NoTransaction(runtime::Executor& executor) : executor_(executor) {}

  TransactionId id() const override { return {}; }
  txn::Isolation isolation() const override { return txn::Isolation::kRepeatableRead; }
  HlcTimestamp read_timestamp() const override { return {}; }
  runtime::Executor& executor() const override { return executor_; }
  bool has_writes() const override { return false; }
  void begin_statement() override {}
  Task<Result<std::optional<Bytes>>> get(Bytes) override { co_return no_transaction(); }
  Task<Result<std::optional<Bytes>>> get_latest(Bytes) override { co_return no_transaction(); }
  std::unique_ptr<txn::Cursor> scan(txn::Span, txn::ScanOptions) override {
    PANDO_UNREACHABLE("a program that scans by a transaction");
  }
  std::unique_ptr<txn::Snapshot> snapshot_for(txn::Span) override { return nullptr; }
  Task<Result<txn::LockOutcome>> lock(Bytes, txn::LockStrength, txn::WaitPolicy) override {
    co_return no_transaction();
  }
  Status put(Bytes, Bytes) override { return no_transaction(); }
  Status erase(Bytes) override { return no_transaction(); }
  void on_commit(std::function<void()>) override {}
  void set_lock_timeout(std::chrono::milliseconds) override {}
  txn::SavepointId savepoint() override { return {}; }
  void rollback_to(txn::SavepointId) override {}
  void undo_writes_to(txn::SavepointId) override {}
  void release(txn::SavepointId) override {}
  Task<Status> commit() override { co_return no_transaction(); }
  Task<void> rollback() override { co_return; }

 private:
  runtime::Executor& executor_;
};

// The input of the run as the snapshot that its scan reads.
class InputSnapshot final : public txn::Snapshot {
 public:
  explicit InputSnapshot(txn::ProgramInput& input) : input_(input) {}
  HlcTimestamp timestamp() const override { return {}; }
  std::unique_ptr<txn::Cursor> scan(txn::Span, txn::ScanOptions) override { return std::make_unique<Part>(input_); }
  std::vector<txn::Span> split(txn::Span span, std::size_t) override { return {std::move(span)}; }

 private:
  class Part final : public txn::Cursor {
   public:
    explicit Part(txn::ProgramInput& input) : input_(input) {}
    Task<Status> next(KeyValueBatch& batch, std::size_t entries_max) override {
      return input_.next(batch, entries_max);
    }

   private:
    txn::ProgramInput& input_;
  };
  txn::ProgramInput& input_;
};

}  // namespace

Task<Status> ProgramRunner::run(ByteView program, txn::ProgramInput& input, runtime::Executor& executor,
                                Bytes& output) {
  PANDO_CO_ASSIGN(const Program decoded, decode_program(program));
  NoTransaction transaction(executor);
  EvaluationContext evaluation;
  TransactionState state;
  ExecutionContext context{.transaction = transaction, .evaluation = evaluation, .executor = executor, .state = state};
  Runtime runtime(context);
  ScanParts parts(scan_of(decoded.plan), {txn::Span()});
  runtime.scan_parts = &parts;
  runtime.snapshot = std::make_unique<InputSnapshot>(input);
  PANDO_CO_ASSIGN(const OperatorPtr root, build(decoded.plan, runtime));
  PANDO_CO_TRY(co_await root->open());
  types::Chunk rows;
  uint64_t row_count = 0;
  while (true) {
    PANDO_CO_ASSIGN(const bool more, co_await root->next(rows));
    if (!more) {
      co_return Status();
    }
    append_rows(rows, output);
    row_count += rows.rows;
    if (output.size() >= kOutputBytesMax || row_count >= decoded.rows_max) {
      input.stop();
    }
  }
}

}  // namespace pando::sql::exec
