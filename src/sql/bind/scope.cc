#include "sql/bind/scope.h"

namespace pando::sql {

std::string_view place_name(ExprPlace place) {
  switch (place) {
    case ExprPlace::kNone:
      return "this context";
    case ExprPlace::kJoinCondition:
      return "JOIN conditions";
    case ExprPlace::kFromFunction:
      return "functions in FROM";
    case ExprPlace::kWhere:
      return "WHERE";
    case ExprPlace::kHaving:
      return "HAVING";
    case ExprPlace::kFilter:
      return "FILTER";
    case ExprPlace::kWindowPartition:
      return "window PARTITION BY";
    case ExprPlace::kWindowOrder:
      return "window ORDER BY";
    case ExprPlace::kWindowFrame:
      return "window definitions";
    case ExprPlace::kSelectItem:
      return "SELECT";
    case ExprPlace::kInsertValue:
      return "INSERT";
    case ExprPlace::kUpdateSource:
      return "UPDATE";
    case ExprPlace::kGroupBy:
      return "GROUP BY";
    case ExprPlace::kOrderBy:
      return "ORDER BY";
    case ExprPlace::kDistinctOn:
      return "DISTINCT ON";
    case ExprPlace::kLimit:
      return "LIMIT";
    case ExprPlace::kOffset:
      return "OFFSET";
    case ExprPlace::kReturning:
      return "RETURNING";
    case ExprPlace::kValues:
      return "VALUES";
    case ExprPlace::kCheck:
      return "check constraints";
    case ExprPlace::kDefault:
      return "DEFAULT expressions";
    case ExprPlace::kIndexExpression:
      return "index expressions";
    case ExprPlace::kIndexPredicate:
      return "index predicates";
    case ExprPlace::kExecuteParameter:
      return "EXECUTE parameters";
    case ExprPlace::kCopyWhere:
      return "COPY FROM WHERE conditions";
    case ExprPlace::kGenerated:
      return "column generation expressions";
    case ExprPlace::kCallArgument:
      return "CALL arguments";
  }
  return "this context";
}

}  // namespace pando::sql
