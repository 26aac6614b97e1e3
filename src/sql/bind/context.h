#pragma once

// BindContext: what one call of the binder shares between its parts: the options, fresh ids, the types of parameters.
// Internal to sql/bind. Thread-safety: none.

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "sql/bind/bind.h"
#include "sql/expr/expr.h"

namespace pando::sql {

// The parameters of one statement and what is known of their types.
class Parameters {
 public:
  explicit Parameters(const BindOptions& options);

  // A reference to $number. Its type is unknown until coerce() meets it, unless it was given or is already inferred.
  Result<ExprPtr> reference(int32_t number, int position);
  // A reference to a lifted constant: of the constant's own type, or unknown for a string.
  ExprPtr lifted(std::size_t index, types::Oid type, int position);
  // The reference as of type `target`; 42P08 when it was inferred as another before.
  Result<ExprPtr> coerce(const ExprPtr& reference, types::Type target);
  // 42P18 when the type of one is unknown.
  Status finish(std::vector<types::Type>& types) const;

 private:
  struct Parameter {
    types::Oid type = 0;
    // References whose type nothing has determined yet.
    int unresolved = 0;
    bool used = false;
  };
  Parameter& at(uint32_t index);

  // Indexes count through both: the client's $n first.
  std::vector<Parameter> client_;
  std::vector<Parameter> lifted_;
  // No more $n than were given.
  bool fixed_;
};

struct BindContext {
  explicit BindContext(const BindOptions& options) : options(options), parameters(options), text(options.text) {}

  ColumnId new_column() { return ColumnId(next_column++); }
  CteId new_cte() { return CteId(next_cte++); }
  // The error position of a location in the text that is being bound.
  int position(ast::Location location) const;
  // nullptr for other types.
  const types::CompositeType* composite(types::Oid type) const;

  const BindOptions& options;
  Parameters parameters;
  // Empty while the text of a view or a default is bound: errors in it have no position.
  std::string_view text;
  // How many characters come before every kPositionStep bytes of the statement's text, as far as was asked.
  mutable std::vector<int> characters_before{0};
  uint32_t next_column = 1;
  uint32_t next_cte = 0;
};

// The internal code by which a first try says that it met a system column.
inline constexpr SqlState kNeedSystemColumns{"SYSC0"};
// Views may use views, to this depth.
inline constexpr int kViewDepthMax = 100;
// PostgreSQL's limit of $n.
inline constexpr int32_t kParameterMax = 65535;

}  // namespace pando::sql
