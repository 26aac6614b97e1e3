#pragma once

// Session: one client of a database, whether it comes over a socket (pgwire) or from the same process (api).
//
//   Session session(environment, executor, {.user = "postgres", .database = "postgres"});
//   Status status = co_await session.run("SELECT 1; SELECT 2", sink);              // simple protocol
//
//   PANDO_CO_TRY(session.prepare("s", "SELECT $1 + 1", {}));               // extended protocol
//   PANDO_CO_TRY(session.bind({.portal = "", .statement = "s", .parameters = {...}}));
//   PANDO_CO_ASSIGN(auto outcome, co_await session.execute("", /*rows_max=*/0, sink));
//   PANDO_CO_TRY(co_await session.sync());
//
// Errors: each method that fails has already ended what the error ends (an implicit transaction is rolled back, a block
// is failed); the caller reports it and, in the extended protocol, skips to the next sync(). Statement text in
// `position` counts characters of the text given.
// Thread-safety: everything from one coroutine at a time on `executor`, except request_cancel(), request_termination()
// and activity(), which any thread may call. Destroy it only after close().

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "catalog/jobs.h"
#include "catalog/system_relations.h"
#include "runtime/cancellation.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "session/copy_options.h"
#include "session/environment.h"
#include "session/portal.h"
#include "session/request.h"
#include "session/result_sink.h"
#include "session/session_settings.h"
#include "session/session_transaction.h"
#include "session/statement.h"
#include "sql/bind/bind.h"
#include "sql/parse/fingerprint.h"

namespace pando::session {

class Services;
class CopyPrinter;
class CopyTarget;
class PlanCache;
class SystemTables;
class TableExpressionCache;

class Session {
 public:
  using PortalMap = std::map<std::string, std::unique_ptr<Portal>, std::less<>>;

  Session(SessionEnvironment& environment, runtime::Executor& executor, SessionIdentity identity);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // --- opening ---
  // A setting of the startup packet (application_name, DateStyle, ...). Before the first statement.
  Status set_startup_option(std::string_view name, std::string_view value);
  SessionSettings& settings() { return settings_; }
  const SessionIdentity& identity() const { return identity_; }
  uint32_t secret() const { return secret_; }

  // --- simple protocol: all statements of a text, in one implicit transaction unless they open a block ---
  Task<Status> run(Bytes sql, ResultSink* sink);
  // The same without a coroutine, for a statement seen before that reads one row by its primary key. False: nothing was
  // done, and run() must be called.
  bool try_run(std::string_view sql, ResultSink* sink, Status& status);

  // --- extended protocol ---
  // An empty name replaces the unnamed statement. `types` may be shorter than the parameters are many; 0 means "infer".
  // prepare() and bind() never wait, so they are no coroutines; after an error of theirs the caller awaits fail().
  Status prepare(std::string name, Bytes sql, std::vector<types::Oid> types);
  Status bind(const BindRequest& request);
  // 26000 and 34000 for unknown names. The pointers live until the statement or portal is closed or replaced.
  Result<const PreparedStatement*> describe_statement(std::string_view name);
  Result<const Portal*> describe_portal(std::string_view name);
  // Runs a portal until its end or until `rows_max` rows (0: no limit) were added to the sink.
  Task<Result<ExecuteOutcome>> execute(std::string_view portal, uint64_t rows_max, ResultSink* sink);
  // execute() and sync() without a coroutine, for a portal that reads or writes one row by its primary key and finds it
  // at hand and unlocked, and for a transaction that has nothing to commit. False: nothing was done that the other will
  // not do again, and the other must be called.
  bool try_execute(std::string_view portal, uint64_t rows_max, ResultSink* sink, Status& status);
  bool try_sync();
  // Unknown names are no error.
  void close_statement(std::string_view name);
  void close_portal(std::string_view name);
  // Ends an implicit transaction: commits what the messages since the last sync() did.
  Task<Status> sync();
  // Ends what an error ends, for errors found outside the session's coroutines.
  Task<void> fail();

  // 'I', 'T' or 'E', for ReadyForQuery.
  char transaction_status() const { return transaction_.status_byte(); }
  // How long the client may stay silent now; zero for ever. `reason` is what it is then told.
  std::chrono::milliseconds idle_limit(Status& reason) const;

  // Runs `work` instead of a statement, with all that one has, in a transaction of its own that it commits.
  using Work = std::function<Task<Status>(catalog::CatalogTransaction* view, sql::exec::ExecutionContext* context)>;
  Task<Status> run_instead(Work work);

  // Rolls back what is open and closes everything. The last call.
  Task<void> close();

  // --- any thread ---
  // Makes the running statement fail with `reason`; nothing when none runs.
  void request_cancel(Status reason);
  // The same, and the connection is to close: asked of the owner through on_terminate.
  void request_termination(Status reason);
  // Neither runs a statement nor is inside a transaction.
  bool is_idle() const { return !running_.load(std::memory_order_acquire) && status_.load() == 'I'; }
  bool termination_requested() const { return terminating_.load(std::memory_order_acquire); }
  // What other sessions, or this one, told the channels it listens to. Its callback comes from any thread.
  Mailbox& mailbox() { return mailbox_; }
  Status termination_reason();
  // Called, once, by the thread that requests termination. Set before the session is used.
  void on_terminate(std::function<void()> callback) { on_terminate_ = std::move(callback); }
  SessionActivity activity() const;

 private:
  // Where a statement's answers go. `describe`: rows are announced first (simple protocol).
  struct Output {
    ResultSink* sink = nullptr;
    bool describe = false;
    // Alone in its message, in no block: VACUUM and the like may run.
    bool alone = false;
    // What the client asked of the rows of a command that returns some; null when it did not.
    RowShapePtr shape = nullptr;
  };
  // --- session.cc ---
  void begin_message(std::string_view text);
  void end_message();
  void start_statement_timer();
  void stop_statement_timer();
  void deliver_messages(const TransactionMessages& messages);
  Status check_not_failed(const ast::Statement& tree) const;
  int64_t now_us();
  // The rows of virtual tables that only the session knows (system_rows.cc).
  void write_other_databases(catalog::SystemRowWriter& writer);
  bool write_system_rows(std::string_view relation, catalog::SystemRowWriter& writer);
  void write_view_dependencies(catalog::SystemRowWriter& writer);
  void close_portals_of_transaction();
  void end_queries();
  void close_portals_deeper_than(std::size_t savepoint_depth);
  Task<Status> commit_transaction();
  // --- planning.cc ---
  sql::BindOptions bind_options(const TextPtr& text, std::span<const types::Oid> types);
  Result<PreparedStatementPtr> analyze(TextPtr text, TreePtr tree, std::vector<types::Oid> types,
                                       PlanPurpose purpose = PlanPurpose::kRun);
  Result<std::vector<types::Type>> parameters_of(const TextPtr& text, const ast::Statement& query,
                                                 std::span<const types::Oid> types);
  Result<StatementPlanPtr> make_plan(const TextPtr& text, const ast::Statement& tree, std::span<const types::Oid> types,
                                     PlanPurpose purpose);
  Result<StatementPlanPtr> make_query_plan(const TextPtr& text, const ast::Statement& tree,
                                           std::span<const types::Oid> types, std::span<const ast::Location> lifted,
                                           PlanPurpose purpose = PlanPurpose::kRun);
  Result<sql::LogicalQuery> bind_for(PlanPurpose purpose, const ast::Statement& tree, const sql::BindOptions& options,
                                     StatementPlan& plan);
  // The statement's plan, made again when it is stale.
  Result<StatementPlanPtr> current_plan(PreparedStatement& statement);
  bool is_current(const StatementPlan& plan);
  static RowShapePtr show_shape(std::string_view name);
  const std::vector<std::string>& search_path();
  catalog::SnapshotPtr snapshot();
  // --- repetition.cc ---
  // Where an implicit transaction began to answer.
  struct Beginning {
    ResultSink* sink = nullptr;
    uint64_t mark = 0;
  };
  Task<bool> may_repeat(Status status, Beginning beginning, int attempt);
  void note_execution(std::string_view portal, uint64_t rows_max, Beginning beginning);
  void set_aside_only_execution();
  void close_only_portal();
  Task<Status> commit_or_repeat();
  Status begin_again(Portal* portal);
  Task<Status> repeat_execution(Portal* portal);
  // --- simple_query.cc ---
  Task<Status> run_text(TextPtr text, ResultSink* sink);
  // Turns codes that only the session understands into what a client may see.
  Status for_client(Status status);
  // --- database_commands.cc ---
  Status check_alone(std::string_view command, const Output& output) const;
  Task<Result<std::string>> run_create_database(const ast::CreateDatabase& command, Output output);
  Task<Result<std::string>> run_drop_database(const ast::DropDatabase& command, Output output);
  Result<std::string> run_reindex(const ast::Reindex& command);
  void refresh_user_types();
  bool find_cached(const TextPtr& text, Portal* portal);
  Result<StatementPlanPtr> plan_lifted(const TextPtr& text);
  Task<Status> run_cached(Portal* portal, ResultSink* sink);
  Task<Result<std::string>> run_statement(TextPtr text, TreePtr tree, Output output);
  // --- extended_query.cc ---
  std::unique_ptr<Portal> take_portal(std::string_view name);
  void keep_portal(std::string_view name, std::unique_ptr<Portal> portal);
  Result<RowShapePtr> shape_with_formats(const Portal& portal, std::span<const ValueFormat> formats);

  // --- point_statements.cc ---
  bool may_read_point(const StatementPlan& plan);
  // False: some must be waited for, or the store cannot tell.
  bool try_lock_tables(const StatementPlan& plan);
  bool writes_only_temporary(const StatementPlan& plan);
  bool execute_read(Portal& portal, ResultSink* sink, Status& status);
  bool execute_write(Portal& portal, ResultSink* sink, Status& status);
  // False: the general way must run.
  void count_point_write(const StatementPlan& plan);
  bool may_write_point(const StatementPlan& plan);
  Task<Result<bool>> write_point(Portal* portal);
  Task<Status> lock_point(sql::exec::PointWrite* point);
  Task<Result<bool>> await_point(Portal* portal, Output output);
  Result<bool> read_point(const StatementPlan& plan, std::span<const types::Value> parameters, const RowShapePtr& shape,
                          Output output, uint64_t& rows);
  bool take_constants(std::string_view text, const StatementPlan& plan, std::vector<types::Value>& values);

  // --- execution.cc ---
  Task<Result<ExecuteOutcome>> run_portal(Portal* portal, uint64_t rows_max, Output output);
  Task<Result<ExecuteOutcome>> run_query(Portal* portal, uint64_t rows_max, Output output);
  Task<Result<bool>> run_from_start(Portal* portal, uint64_t rows_max, Output output);
  Task<Result<bool>> open_and_deliver(Portal* portal, uint64_t rows_max, ResultSink* sink);
  Task<Status> begin_query(Portal* portal);
  Task<Status> open_query(Portal* portal);
  // Whether what a statement reads of the past is defined now as it was then.
  Task<Status> check_past(const StatementPlan& plan);
  Task<Status> check_indexes(const StatementPlan& plan);
  Task<Status> check_indexes_of(types::Oid oid);
  Task<Status> lock_tables(Portal* portal);
  Status renew_plan(Portal* portal);
  Task<Status> buffer_all(Portal* portal);
  Task<Result<bool>> deliver(Portal* portal, uint64_t rows_max, ResultSink* sink);
  Task<Result<bool>> fetch_chunk(Portal* portal);
  void name_objects(const RowShape& shape, types::Chunk& rows);
  // As the settings and the store allow.
  sql::PlanMethods plan_methods() const;
  sql::exec::ExecutionContext execution_context(std::vector<types::Value> parameters);
  std::string query_tag(const Portal& portal) const;
  // --- commands.cc, one function per kind of statement; each returns the command tag ---
  Task<Result<std::string>> run_command(PreparedStatementPtr statement, std::vector<types::Value> parameters,
                                        Output output);
  Task<Result<std::string>> run_transaction_command(const ast::TransactionCommand& command, Output output);
  Task<Result<std::string>> end_block(const ast::TransactionCommand& command, Output output);
  Result<std::string> run_set(const ast::SetVariable& command, Output output);
  Result<std::string> set_value(const ast::SetVariable& command, SettingScope scope);
  static std::string zone_of_interval(const std::string& interval);
  Result<std::string> run_show(const ast::ShowVariable& command, Output output);
  Result<std::string> run_prepare(const ast::Prepare& command, PreparedStatementPtr holder);
  Task<Result<std::string>> run_execute(const ast::Execute& command, TextPtr text, Output output);
  Task<Result<std::vector<types::Value>>> execute_arguments(const ast::Execute& command, TextPtr text,
                                                            PreparedStatementPtr statement);
  Result<std::string> run_deallocate(const ast::Deallocate& command);
  Task<Result<std::string>> run_discard(const ast::Discard& command, Output output);
  Task<Result<std::string>> run_lock(const ast::Lock& command);
  Task<Result<std::string>> run_call(const ast::Call& command);
  Task<Result<Bytes>> boundary_of(const ast::FunctionCall& call);
  Task<Status> split_shard(const Bytes& key);
  Task<Status> run_transfer_lease(const ast::FunctionCall& call);
  Task<Result<std::string>> run_set_constraints(const ast::SetConstraints& command);
  Result<std::string> set_transaction_modes(const ast::OptionList& options, bool session_default, Output output);
  void warn(const Output& output, SqlState code, std::string message);
  Status emit_text_rows(const Output& output, const RowShapePtr& shape,
                        const std::vector<std::vector<std::optional<std::string>>>& rows);
  // --- cursors.cc ---
  Task<Result<std::string>> run_declare(const ast::DeclareCursor& command, PreparedStatementPtr holder,
                                        std::vector<types::Value> parameters);
  Task<Result<std::string>> run_fetch(const ast::Fetch& command, Output output);
  Result<std::string> run_close_cursor(const ast::CloseCursor& command);
  Task<Result<bool>> advance_cursor(Portal* cursor);
  Task<Result<uint64_t>> move_cursor(Portal* cursor, uint64_t target, bool each, ResultSink* sink);
  Task<Result<uint64_t>> fetch_rows(Portal* cursor, ast::Fetch::Direction direction, int64_t count, ResultSink* sink);
  Task<Result<uint64_t>> land_on(Portal* cursor, uint64_t target, ResultSink* sink);
  Status give_cursor_row(Portal* cursor, ResultSink* sink);
  // The key of the table's row that a cursor is on; nullopt when it is on a row without one.
  Result<std::optional<Bytes>> current_row(std::string_view cursor, types::Oid table);
  Task<Status> hold_cursors();
  Task<Status> lock_table(types::Oid table, TableLockMode mode, txn::WaitPolicy wait);
  Task<Status> await_readable(const StatementPlan* plan);
  // --- explain.cc, copy.cc ---
  // A query that has run, for EXPLAIN ANALYZE.
  struct MeasuredRun {
    std::shared_ptr<const sql::PhysicalQuery> plan;
    std::unique_ptr<sql::exec::Query> run;
  };
  Result<TreePtr> explained_query(TreePtr tree);
  Task<Result<std::string>> explain_definition(const ast::Explain* command, TextPtr text, Output output);
  Task<Result<std::string>> run_explain(const ast::Explain& command, PreparedStatementPtr holder,
                                        std::vector<types::Value> parameters, Output output);
  Task<Result<std::string>> run_copy(const ast::Copy& copy, PreparedStatementPtr holder, Output output);
  Task<Result<std::string>> run_copy_in(const ast::Copy& copy, CopyOptions options, PreparedStatementPtr holder,
                                        Output output);
  Task<Result<std::string>> run_copy_out(const ast::Copy& copy, CopyOptions options, PreparedStatementPtr holder,
                                         Output output);
  Task<Result<std::string>> send_copy_rows(Portal* portal, CopyPrinter* printer, CopyTarget* target);
  Result<catalog::TablePtr> copied_table(const ast::Copy& copy);
  Task<Result<StatementPlanPtr>> plan_copy_in(catalog::TablePtr table, std::vector<std::string> columns,
                                              std::vector<types::Oid> types);
  Task<Result<uint64_t>> run_to_end(std::shared_ptr<const sql::PhysicalQuery> plan);
  // --- definitions.cc ---
  class DefinitionQueries;
  // 26000 'prepared statement "p" does not exist'.
  Result<PreparedStatementPtr> find_statement(const std::string& name) const;
  // `measured` gets the last query that the definition ran; null for none.
  Task<Result<std::string>> run_definition(const ast::Statement* statement, TextPtr text, Output output,
                                           MeasuredRun* measured = nullptr);
  // Commits what the statement left to the job, and waits for it.
  Task<Status> run_job(catalog::Job job);
  Task<Status> run_cancel_job(const ast::FunctionCall& call);
  Task<Result<std::vector<std::vector<types::Value>>>> internal_rows(std::string sql);
  Task<Result<uint64_t>> internal_run(sql::LogicalQuery query, std::vector<types::Value> parameters,
                                      MeasuredRun* measured);
  Task<Status> internal_execute(const ast::Statement* statement);
  void notice(const Output& output, const Status& status);
  // --- temporary.cc ---
  void note_on_commit(const ast::Statement& statement);
  Task<Status> run_on_commit();
  Task<Status> drop_temporary_objects();
  // --- maintenance.cc ---
  Task<Result<std::string>> run_maintenance_or_definition(PreparedStatementPtr statement, Output output);
  Task<Result<std::string>> run_vacuum(const ast::Vacuum& command, Output output);
  Result<std::vector<catalog::TablePtr>> maintained_tables(const ast::Vacuum& command, Output output);
  Task<Status> collect_garbage(catalog::TablePtr table);
  Task<Status> collect_statistics(catalog::TablePtr table, std::vector<std::string> columns);
  bool write_statistics_rows(std::string_view relation, catalog::SystemRowWriter& writer);
  Result<std::string> run_listen(const ast::Listen& command);

  SessionEnvironment& environment_;
  runtime::Executor& executor_;
  const SessionIdentity identity_;
  const uint32_t secret_;
  SessionSettings settings_;
  runtime::Cancellation cancellation_;
  SessionTransaction transaction_;
  Mailbox mailbox_;
  // How tables were found to have been defined since a moment.
  struct UnchangedSince {
    catalog::TablePtr table;
    HlcTimestamp moment;
  };
  std::map<types::Oid, UnchangedSince> unchanged_since_;
  // The same of their indexes alone.
  std::map<types::Oid, UnchangedSince> indexed_since_;
  // Temporary tables that are emptied or dropped at each commit.
  std::map<types::Oid, ast::OnCommit> on_commit_;
  std::map<std::string, PreparedStatementPtr, std::less<>> statements_;
  PortalMap portals_;
  // The unnamed portal while there is none, for the next one.
  PortalMap::node_type spare_portal_;
  // What the extended protocol has executed in this implicit transaction: how often, and what first.
  struct Executions {
    std::size_t count = 0;
    std::string portal;
    uint64_t rows_max = 0;
    Beginning beginning;
  };
  Executions executions_;
  // The only portal that was executed, while its transaction commits.
  PortalMap::node_type only_portal_;
  // The message is one statement that may run again as if it had not run before.
  bool repeatable_ = false;
  std::vector<types::Value> constants_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<PlanCache> plan_cache_;
  std::unique_ptr<SystemTables> system_tables_;
  std::unique_ptr<TableExpressionCache> table_expressions_;
  parse::Fingerprint fingerprint_;
  sql::EvaluationContext evaluation_;
  Prng prng_;
  std::optional<runtime::TimerId> statement_timer_;
  // What search_path() gave last, and under which versions.
  std::vector<std::string> search_path_;
  uint64_t search_path_catalog_ = 0;
  uint64_t search_path_binding_ = 0;
  // The settings' version that evaluation_ has.
  uint64_t evaluation_settings_ = 0;
  // The catalog's version whose enums the settings know; 0 for none.
  uint64_t user_types_version_ = 0;

  std::function<void()> on_terminate_;
  std::atomic<bool> terminating_{false};
  // Whether a statement runs: a cancel request that comes between statements is for none.
  std::atomic<bool> running_{false};
  std::atomic<char> status_{'I'};
  mutable Mutex activity_mutex_;
  // The beginning of the statement.
  std::string activity_text_ PANDO_GUARDED_BY(activity_mutex_);
  std::string application_name_ PANDO_GUARDED_BY(activity_mutex_);
  int64_t query_start_us_ PANDO_GUARDED_BY(activity_mutex_) = 0;
  int64_t transaction_start_us_ PANDO_GUARDED_BY(activity_mutex_) = 0;
  int64_t state_change_us_ PANDO_GUARDED_BY(activity_mutex_) = 0;
  const int64_t session_start_us_;
  Status termination_reason_ PANDO_GUARDED_BY(activity_mutex_);
};

}  // namespace pando::session
