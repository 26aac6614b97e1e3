#pragma once

// One statement of any kind. Plain data; see sql/ast/expression.h for the conventions.

#include <memory>
#include <variant>

#include "sql/ast/alteration.h"
#include "sql/ast/command.h"
#include "sql/ast/definition.h"
#include "sql/ast/expression.h"
#include "sql/ast/query.h"

namespace pando::ast {

struct Statement {
  using Node =
      std::variant<Select, Insert, Update, Delete, Merge,
                   // definition
                   CreateTable, CreateTableAs, RefreshMaterializedView, CreateView, CreateIndex, CreateSchema,
                   CreateSequence, AlterSequence, DropObjects, AlterTable, Rename, AlterSchema, AlterOwner, Comment,
                   CreateDatabase, DropDatabase, CreateEnum, CreateComposite, AlterEnum, CreateDomain, AlterDomain,
                   CreateExtension,
                   // commands
                   TransactionCommand, SetVariable, ShowVariable, Truncate, Copy, Explain, Prepare, Execute, Deallocate,
                   DeclareCursor, Fetch, CloseCursor, Vacuum, Lock, SetConstraints, Discard, Call, Do, Reindex,
                   Checkpoint, CreateRole, AlterRole, DropRole, Grant, GrantRole, Listen, UnsupportedStatement>;
  Node node;

  Statement();
  explicit Statement(Node node);
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) noexcept;
  ~Statement();
};
using StatementPtr = std::unique_ptr<Statement>;

}  // namespace pando::ast
