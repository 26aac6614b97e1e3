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
// 21000: MERGE would change a row twice.
Status merged_twice();
std::string schema_name(const catalog::TableDescriptor& table, Runtime& runtime);

}  // namespace pando::sql::exec
