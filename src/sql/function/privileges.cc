// has_table_privilege() and its kin, pg_has_role(), acldefault().
//
// The user argument of the longer forms is accepted and the answer is that for the session's user: SessionServices
// knows no other.

#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "types/array.h"

namespace pando::sql {
namespace {

using Answer = Result<std::optional<bool>>;

Answer ask(EvaluationContext& context, std::string_view kind, ByteView object, ByteView privilege) {
  if (context.services == nullptr) {
    return Status(sql_state::kFeatureNotSupported, "there is no session to ask here");
  }
  return context.services->has_privilege(kind, object, privilege);
}
Bytes as_text(ByteView name) { return Bytes(name); }
Bytes as_text(uint32_t object) { return fmt::format("{}", object); }
Bytes as_text(int16_t column) { return fmt::format("{}", column); }

// What a call names the object's kind: the string before "_privilege".
enum class Kind : uint8_t {
  kTable,
  kSequence,
  kDatabase,
  kFunction,
  kLanguage,
  kSchema,
  kTablespace,
  kType,
  kColumn,
  kAnyColumn,
  kForeignDataWrapper,
  kServer,
  kParameter,
  kRole,
};
constexpr std::string_view name_of(Kind kind) {
  constexpr std::string_view kNames[] = {"table",
                                         "sequence",
                                         "database",
                                         "function",
                                         "language",
                                         "schema",
                                         "tablespace",
                                         "type",
                                         "column",
                                         "any_column",
                                         "foreign_data_wrapper",
                                         "server",
                                         "parameter",
                                         "role"};
  return kNames[static_cast<std::size_t>(kind)];
}

template <Kind kKind, typename Object>
Answer of_current(EvaluationContext& context, Object object, ByteView privilege) {
  return ask(context, name_of(kKind), as_text(object), privilege);
}
template <Kind kKind, typename User, typename Object>
Answer of_user(EvaluationContext& context, User, Object object, ByteView privilege) {
  return ask(context, name_of(kKind), as_text(object), privilege);
}
// A column is "table.column", each a name or a number.
template <typename Table, typename Column>
Answer column_of_current(EvaluationContext& context, Table table, Column column, ByteView privilege) {
  return ask(context, "column", as_text(table) + "." + as_text(column), privilege);
}
template <typename User, typename Table, typename Column>
Answer column_of_user(EvaluationContext& context, User, Table table, Column column, ByteView privilege) {
  return column_of_current(context, table, column, privilege);
}

// --- acldefault(): the privileges a new object has before any GRANT ---
struct DefaultPrivileges {
  char kind;
  std::string_view everyone;  // granted to PUBLIC
  std::string_view owner;
};
constexpr DefaultPrivileges kDefaultPrivileges[] = {
    {'c', "", ""},   {'r', "", "arwdDxt"}, {'s', "", "rwU"}, {'d', "Tc", "CTc"}, {'f', "X", "X"},
    {'l', "U", "U"}, {'L', "", "rw"},      {'n', "", "UC"},  {'p', "", "sA"},    {'t', "", "C"},
    {'F', "", "U"},  {'S', "", "U"},       {'T', "U", "U"},
};
Result<Bytes> default_privileges(EvaluationContext& context, ByteView kind, uint32_t owner) {
  const auto* found =
      std::ranges::find(kDefaultPrivileges, kind.empty() ? '\0' : kind.front(), &DefaultPrivileges::kind);
  if (found == std::end(kDefaultPrivileges)) {
    return Status(sql_state::kInternalError, "unrecognized objtype abbreviation: {}", kind);
  }
  const auto name = context.services == nullptr ? std::nullopt : context.services->name_of(types::oid::kRegrole, owner);
  const std::string owner_name = name.value_or(fmt::format("{}", owner));
  types::ArrayBuilder builder(types::oid::kAclItem);
  if (!found->everyone.empty()) {
    builder.add_bytes(fmt::format("={}/{}", found->everyone, owner_name));
  }
  if (!found->owner.empty()) {
    builder.add_bytes(fmt::format("{}={}/{}", owner_name, found->owner, owner_name));
  }
  return builder.finish();
}

}  // namespace

#define PANDO_PRIVILEGE(prefix, Kind)                                                                                 \
  {prefix "_name_name", lift<of_user<Kind, ByteView, ByteView>>},                                                     \
      {prefix "_name_id", lift<of_user<Kind, ByteView, uint32_t>>},                                                   \
      {prefix "_id_name", lift<of_user<Kind, uint32_t, ByteView>>},                                                   \
      {prefix "_id_id", lift<of_user<Kind, uint32_t, uint32_t>>}, {prefix "_name", lift<of_current<Kind, ByteView>>}, \
  {                                                                                                                   \
    prefix "_id", lift<of_current<Kind, uint32_t>>                                                                    \
  }

KernelTable privilege_kernels() {
  static constexpr KernelEntry kTable[] = {
      PANDO_PRIVILEGE("has_table_privilege", Kind::kTable),
      PANDO_PRIVILEGE("has_sequence_privilege", Kind::kSequence),
      PANDO_PRIVILEGE("has_database_privilege", Kind::kDatabase),
      PANDO_PRIVILEGE("has_function_privilege", Kind::kFunction),
      PANDO_PRIVILEGE("has_language_privilege", Kind::kLanguage),
      PANDO_PRIVILEGE("has_schema_privilege", Kind::kSchema),
      PANDO_PRIVILEGE("has_tablespace_privilege", Kind::kTablespace),
      PANDO_PRIVILEGE("has_type_privilege", Kind::kType),
      PANDO_PRIVILEGE("has_any_column_privilege", Kind::kAnyColumn),
      PANDO_PRIVILEGE("has_foreign_data_wrapper_privilege", Kind::kForeignDataWrapper),
      PANDO_PRIVILEGE("has_server_privilege", Kind::kServer),
      PANDO_PRIVILEGE("pg_has_role", Kind::kRole),
      {"has_parameter_privilege_name_name", lift<of_user<Kind::kParameter, ByteView, ByteView>>},
      {"has_parameter_privilege_id_name", lift<of_user<Kind::kParameter, uint32_t, ByteView>>},
      {"has_parameter_privilege_name", lift<of_current<Kind::kParameter, ByteView>>},
      {"has_column_privilege_name_name", lift<column_of_current<ByteView, ByteView>>},
      {"has_column_privilege_name_attnum", lift<column_of_current<ByteView, int16_t>>},
      {"has_column_privilege_id_name", lift<column_of_current<uint32_t, ByteView>>},
      {"has_column_privilege_id_attnum", lift<column_of_current<uint32_t, int16_t>>},
      {"has_column_privilege_name_name_name", lift<column_of_user<ByteView, ByteView, ByteView>>},
      {"has_column_privilege_name_name_attnum", lift<column_of_user<ByteView, ByteView, int16_t>>},
      {"has_column_privilege_name_id_name", lift<column_of_user<ByteView, uint32_t, ByteView>>},
      {"has_column_privilege_name_id_attnum", lift<column_of_user<ByteView, uint32_t, int16_t>>},
      {"has_column_privilege_id_name_name", lift<column_of_user<uint32_t, ByteView, ByteView>>},
      {"has_column_privilege_id_name_attnum", lift<column_of_user<uint32_t, ByteView, int16_t>>},
      {"has_column_privilege_id_id_name", lift<column_of_user<uint32_t, uint32_t, ByteView>>},
      {"has_column_privilege_id_id_attnum", lift<column_of_user<uint32_t, uint32_t, int16_t>>},
      {"acldefault_sql", lift<default_privileges>},
  };
  return kTable;
}

#undef PANDO_PRIVILEGE

}  // namespace pando::sql
