#pragma once

// The errors of violated constraints, in PostgreSQL's words.

#include "sql/exec/runtime.h"
#include "sql/exec/table_layout.h"

namespace pando::sql::exec {

// 23502. `row` has one column per live attribute.
Status not_null_violation(const TableLayout& layout, Runtime& runtime, const types::Chunk& row_chunk, std::size_t row,
                          const catalog::ColumnDescriptor& column);
// 23514, or what the kind of check calls for.
Status check_violation(const TableLayout& layout, Runtime& runtime, const types::Chunk& row_chunk, std::size_t row,
                       const BoundCheck& check);
// "(a, b)=(1, null)": how details name a key.
std::string describe_key(const std::vector<std::string>& columns, const std::vector<types::Type>& types,
                         const std::vector<types::Value>& values, Runtime& runtime);
// The names of an index's columns, as details show them.
std::vector<std::string> index_column_names(const catalog::TableDescriptor& table,
                                            const catalog::IndexDescriptor& index);
// 23505.
Status unique_violation(const catalog::TableDescriptor& table, const catalog::IndexDescriptor& index, Runtime& runtime,
                        const std::vector<types::Type>& types, const std::vector<types::Value>& values);
// 23503: a row of `table` names a key that no row of `referenced` has.
Status lacks_referenced_row(const catalog::TableDescriptor& table, const catalog::TableDescriptor& referenced,
                            const catalog::ConstraintDescriptor& constraint, const std::vector<types::Value>& key,
                            Runtime& runtime);
// 23503: some columns of a MATCH FULL key are NULL, and others are not.
Status mixes_nulls(const catalog::TableDescriptor& table, const catalog::ConstraintDescriptor& constraint,
                   Runtime& runtime);
// 23514, of a row from before the constraint.
Status violated_by_some_row(const catalog::TableDescriptor& table, const catalog::ConstraintDescriptor& constraint,
                            Runtime& runtime);
// 21000: MERGE would change a row twice.
Status merged_twice();
std::string schema_name(const catalog::TableDescriptor& table, Runtime& runtime);

}  // namespace pando::sql::exec
