#pragma once

// SQL values as JSON: what to_json(), the builders and the JSON aggregates make of a value of each type.

#include "sql/function/evaluation_context.h"
#include "sql/function/function.h"
#include "types/jsonb.h"
#include "types/type.h"
#include "types/value.h"

namespace pando::sql {

// How values of a type turn into JSON.
enum class JsonCategory : uint8_t {
  kBool,
  kNumber,  // unquoted where JSON can say it
  kDate,    // a string in ISO 8601
  kJson,    // as it is
  kJsonb,   // printed, or copied
  kArray,
  kRecord,
  kOther,  // the text form as a string
};
JsonCategory json_category(types::Oid type);

// Whether an aggregate starts a new line for such values.
inline bool is_structured(JsonCategory category) {
  return category == JsonCategory::kArray || category == JsonCategory::kRecord;
}

// Appends `value` of `type` as JSON text. `field_names` are those of the outermost record; `pretty` puts line feeds
// between elements or fields of the outermost level.
void append_json(EvaluationContext& context, types::Type type, const types::Value& value,
                 std::span<const std::string> field_names, bool pretty, Bytes& out);
// The same into a jsonb under construction. Errors: invalid json text.
Status build_jsonb(EvaluationContext& context, types::Type type, const types::Value& value,
                   std::span<const std::string> field_names, types::JsonbBuilder& builder);

// The text of an object key. 22023 for arrays, records and json.
Result<Bytes> json_key(EvaluationContext& context, types::Type type, const types::Value& value);

}  // namespace pando::sql
