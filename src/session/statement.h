#pragma once

// What a session keeps of a statement: its text and tree (PreparedStatement), and how it runs (StatementPlan). A plan
// is immutable and shared by every portal that uses it; it is made again when the catalog or a setting it depends on
// changed.
//
// Thread-safety: the session's coroutine only; plans are immutable.

#include <memory>
#include <string>
#include <vector>

#include "session/result_sink.h"
#include "sql/ast/statement.h"
#include "sql/bind/cursor.h"
#include "sql/exec/point_read.h"
#include "sql/exec/point_write.h"
#include "sql/plan/physical.h"
#include "types/type.h"

namespace pando::session {

struct StatementPlan {
  // Null for a command that is run from its tree.
  std::shared_ptr<const sql::PhysicalQuery> query;
  // How it runs when it reads one row by its primary key; else null.
  std::unique_ptr<sql::exec::PointRead> point_read;
  // How it runs when it writes one row by its primary key; else null.
  std::unique_ptr<sql::exec::PointWrite> point_write;
  // The command tag's words: "SELECT", "INSERT 0", "UPDATE", ...; rows are counted behind them.
  std::string tag;
  // Null when it returns no rows.
  RowShapePtr shape;
  // Tables it writes or locks rows of: no DDL may change them meanwhile. Not empty: it may have to run again.
  std::vector<types::Oid> locked_tables;
  // Tables it reads.
  std::vector<types::Oid> read_tables;
  std::vector<types::Type> parameter_types;
  // Of a cursor: the tables of its rows, whose keys come behind the shape's columns, and whether FOR UPDATE or its kin
  // chose them.
  std::vector<sql::CursorTable> cursor_tables;
  bool cursor_locks = false;
  // What it was bound under. A catalog version of 0 (the transaction's own uncommitted DDL) is never current.
  uint64_t catalog_version = 0;
  uint64_t binding_version = 0;

  bool modifies() const { return query != nullptr && query->modifies; }
};
using StatementPlanPtr = std::shared_ptr<const StatementPlan>;

using TextPtr = std::shared_ptr<const std::string>;
using TreePtr = std::shared_ptr<const ast::Statement>;

// What a statement is planned for.
enum class PlanPurpose : uint8_t {
  kRun,
  // DECLARE: its rows' keys are kept.
  kCursor,
  // PREPARE and Parse: what goes wrong while planning, as in computing 1/0, is told when it is to run.
  kLater,
};

struct PreparedStatement {
  std::string name;
  // The text the tree was parsed from: error positions are counted in it.
  TextPtr text;
  // Null for an empty statement.
  TreePtr tree;
  // As the client declared them; 0 to infer.
  std::vector<types::Oid> declared_types;
  std::vector<types::Type> parameter_types;
  StatementPlanPtr plan;
  PlanPurpose purpose = PlanPurpose::kRun;
  // PREPARE, not the protocol.
  bool from_sql = false;
  int64_t prepare_time_us = 0;
};
using PreparedStatementPtr = std::shared_ptr<PreparedStatement>;

}  // namespace pando::session
