// The special members of the recursive nodes, defined where every alternative is complete.

#include <utility>

#include "sql/ast/statement.h"

namespace pando::ast {

Expr::Expr() = default;
Expr::Expr(Node node, Location location) : node(std::move(node)), location(location) {}
Expr::Expr(Expr&&) noexcept = default;
Expr& Expr::operator=(Expr&&) noexcept = default;
Expr::~Expr() = default;

Statement::Statement() = default;
Statement::Statement(Node node) : node(std::move(node)) {}
Statement::Statement(Statement&&) noexcept = default;
Statement& Statement::operator=(Statement&&) noexcept = default;
Statement::~Statement() = default;

}  // namespace pando::ast
