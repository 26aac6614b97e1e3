#pragma once

// Data definition: runs CREATE, ALTER, DROP, TRUNCATE, COMMENT and their kin on the catalog, inside a transaction.
//
//   DefineContext context{.catalog = view, .executor = executor, .bind = options, .queries = queries, .notice =
//   notice}; PANDO_CO_ASSIGN(std::string tag, co_await define(*statement, context));     // "CREATE TABLE"
//
// Everything is transactional: descriptors change in the transaction's CatalogTransaction and appear to others when it
// commits. Changes that only touch descriptors take milliseconds whatever the table's size; the rest (a new index, a
// changed type, a new primary key) copies the table's rows to a new place, which becomes the table's own at commit.
//
// Locks: the table under change is locked with kUpdate, names that are taken with lock_name. Errors carry PostgreSQL's
// SQLSTATE and wording. Thread-safety: one coroutine at a time.

#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "catalog/catalog.h"
#include "catalog/jobs.h"
#include "catalog/sequences.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "sql/ast/statement.h"
#include "sql/bind/bind.h"
#include "sql/plan/logical.h"

namespace pando::sql {

// Runs queries inside the statement's transaction, with its catalog view. The session implements it over the pipeline.
class InternalQueries {
 public:
  virtual ~InternalQueries() = default;
  // The rows of a query, for small results (a count, a first violation).
  virtual Task<Result<std::vector<std::vector<types::Value>>>> rows(std::string sql) = 0;
  // The query of a prepared statement; run() gives it the arguments.
  virtual Task<Result<LogicalQuery>> prepared(const ast::Execute* execute) = 0;
  // Runs a bound statement to its end; returns how many rows it changed.
  virtual Task<Result<uint64_t>> run(LogicalQuery query) = 0;
  // Runs a parsed statement to its end: CREATE SCHEMA's elements.
  virtual Task<Status> execute(const ast::Statement* statement) = 0;
};

struct DefineContext {
  catalog::CatalogTransaction& catalog;
  catalog::Sequences& sequences;
  runtime::Executor& executor;
  // bind.catalog is renewed from `catalog` whenever it changed.
  BindOptions bind;
  InternalQueries& queries;
  // Receives NOTICEs ('relation "t" already exists, skipping').
  std::function<void(Status)> notice;
  // The schema of the session's temporary objects; empty until the first of them makes it. Null: there can be none.
  std::string* temporary_schema = nullptr;
  // Where a statement may leave the rows that a table has to a job: it then says what the job is to do, and changes
  // descriptors only. Null: it goes through them itself, and keeps writers away meanwhile.
  catalog::Job* job = nullptr;
  catalog::JobSizes job_sizes = {};
};

// Whether define() runs this statement.
bool is_definition(const ast::Statement& statement);

// What the statement does, as its command tag says it: "CREATE TABLE".
std::string definition_name(const ast::Statement& statement);

// Returns the command tag. REQUIRES: is_definition(*statement), and the statement outlives the task.
Task<Result<std::string>> define(const ast::Statement* statement, DefineContext* context);

}  // namespace pando::sql
