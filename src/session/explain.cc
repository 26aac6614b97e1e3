// Session: EXPLAIN.

#include "session/session.h"

namespace pando::session {

Task<Result<std::string>> Session::run_explain(const ast::Explain& command, PreparedStatementPtr holder,
                                               std::vector<types::Value> parameters, Output output) {
  co_return Status(sql_state::kFeatureNotSupported, "EXPLAIN is not supported");
}

}  // namespace pando::session
