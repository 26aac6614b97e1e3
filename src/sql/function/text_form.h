#pragma once

// The text forms of values with everything a session knows: types/text_io.h plus the names of reg* values, which need
// the catalog. What casts through text, concat(), format() and to_json() use.

#include "sql/function/evaluation_context.h"
#include "types/type.h"
#include "types/value.h"
#include "types/vector.h"

namespace pando::sql {

// Whether values of the type are oids that print as names.
bool is_reg_type(types::Oid type);

// Appends the text form. REQUIRES: not NULL.
void print_value(EvaluationContext& context, types::Type type, const types::Value& value, Bytes& out);
void print_value(EvaluationContext& context, types::Type type, const types::Vector& vector, std::size_t row,
                 Bytes& out);
Result<types::Value> parse_value(EvaluationContext& context, types::Type type, ByteView text);
// Parses one reg* value: a number, '-', or a name; 42P01, 42704 or 42883 when there is no such object.
Result<uint32_t> parse_reg(EvaluationContext& context, types::Oid type, ByteView text);

// The pieces that string_to_array() makes of a text: between separators; characters for no separator; none for no text.
std::vector<ByteView> split_text(ByteView text, std::optional<ByteView> separator);

}  // namespace pando::sql
