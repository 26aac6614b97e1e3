#pragma once

// RangeNames: what the items of FROM are called in the text, unique also against those of enclosing queries.
//
// Used once per query. Thread-safety: none.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/ast/query.h"
#include "sql/bind/trace.h"
#include "sql/deparse/deparse.h"

namespace pando::sql {

class RangeNames {
 public:
  RangeNames(const QueryTrace& trace, const DeparseOptions& options) : trace_(trace), options_(options) {}

  // A query level. `reserved` are names that its items cannot have.
  void enter(const std::vector<ast::FromItemPtr>& from, const std::vector<std::string>& reserved = {});
  void leave() { levels_.pop_back(); }

  // REQUIRES: the item is of a level that was entered.
  const std::string& name_of(const ast::FromItem& item) const;
  struct Named {
    const ast::FromItem* item = nullptr;
    std::string original;
    std::string name;
  };
  // What the query calls `name`, the innermost that has `column` (empty: any); nullptr when there is none.
  const Named* find(std::string_view name, std::string_view column) const;
  // The text's name for it; `name` itself when there is none.
  std::string find_name(const std::string& name) const;
  // Without an alias: what it is called now.
  std::string current_name(const ast::FromItem& item) const;
  // A column of an item, as the text calls it.
  std::string column_name(const ast::FromItem& item, const std::string& column) const;

 private:
  using Level = std::vector<Named>;

  void add(const ast::FromItem& item, std::map<std::string, int>& taken);

  const QueryTrace& trace_;
  const DeparseOptions& options_;
  std::vector<Level> levels_;
};

// What the query calls the item; empty for a join without alias.
std::string original_name(const ast::FromItem& item);
const std::optional<ast::Alias>& alias_of(const ast::FromItem& item);

}  // namespace pando::sql
