#pragma once

// Views and defaults, which the catalog keeps as text, as they are understood before something that they name is called
// otherwise; and their text after that.
//
//   StoredText stored = read_stored(*definition);
//   ... rename ...
//   PANDO_CO_TRY(co_await renew_stored(std::move(stored), definition));

#include <vector>

#include "sql/ast/statement.h"
#include "sql/bind/trace.h"
#include "sql/ddl/definition.h"

namespace pando::sql::ddl {

struct StoredText {
  struct View {
    TablePtr view;
    ast::StatementPtr tree;
    QueryTrace trace;
  };
  struct Default {
    Oid table = 0;
    AttributeNumber attribute = 0;
    ExprPtr value;
  };
  catalog::SnapshotPtr before;
  std::vector<View> views;
  std::vector<Default> defaults;
};

StoredText read_stored(Definition& definition);
// 0A000 for a view whose query cannot be written with the new names: one that merges a renamed column by USING.
Task<Status> renew_stored(StoredText stored, Definition* definition);

}  // namespace pando::sql::ddl
