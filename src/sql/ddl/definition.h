#pragma once

// What the statements of sql/ddl share: the working context, finding and naming objects, and one function per
// statement. Internal to sql/ddl.

#include "catalog/keys.h"
#include "catalog/relation_forms.h"
#include "sql/ddl/define.h"
#include "sql/function/function.h"
#include "sql/plan/print_expr.h"

namespace pando::sql::ddl {

using catalog::AttributeNumber;
using catalog::ColumnDescriptor;
using catalog::ConstraintDescriptor;
using catalog::ConstraintKind;
using catalog::has_rows;
using catalog::IndexDescriptor;
using catalog::is_populated;
using catalog::is_temporary;
using catalog::kMaterializedView;
using catalog::kNowhere;
using catalog::Oid;
using catalog::RelationKind;
using catalog::SchemaPtr;
using catalog::SequenceDescriptor;
using catalog::SequencePtr;
using catalog::TableDescriptor;
using catalog::TablePtr;

// PostgreSQL's NAMEDATALEN - 1.
inline constexpr std::size_t kNameBytesMax = 63;
// PostgreSQL's MaxHeapAttributeNumber and INDEX_MAX_KEYS.
inline constexpr std::size_t kColumnsMax = 1600;
inline constexpr std::size_t kIndexColumnsMax = 32;

class Definition {
 public:
  explicit Definition(DefineContext& context) : context_(context) {}

  DefineContext& context() { return context_; }
  catalog::CatalogTransaction& catalog() { return context_.catalog; }
  catalog::SnapshotPtr snapshot() { return context_.catalog.snapshot(); }
  // Bind options over the newest view of the catalog.
  const BindOptions& bind_options();
  void notice(std::string message, SqlState code = sql_state::kSuccess);
  // Where that is in the statement's text, from 1; 0 when it is not in it.
  int position(ast::Location location) const;
  Task<Result<Oid>> allocate_oid() { return context_.catalog.catalog().allocate_oid(context_.executor); }

  // Whom new objects belong to: the current user.
  Oid current_owner();

  // --- names (names.cc) ---
  // Where a new object goes: the named schema, or the first of the search path. 3F000 when there is none.
  Result<SchemaPtr> creation_schema(const std::string& schema);
  // The same for a relation, which may be temporary: then the session's own schema, made when there is none yet.
  Task<Result<SchemaPtr>> schema_for(const ast::RelationName& name);
  // 42P01 'relation "t" does not exist', or 42809 when it is of another kind.
  Result<TablePtr> find_table(const ast::RelationName& name);
  // Of those that have rows: tables and materialized views.
  Result<TablePtr> find_indexable(const ast::RelationName& name);
  Result<TablePtr> find_relation(const ast::RelationName& name);
  Result<SequencePtr> find_sequence(const ast::RelationName& name);
  // {"schema", "name"} or {"name"} as a RelationName.
  static Result<ast::RelationName> relation_name(const ast::QualifiedName& name);
  // table_column_label, made unique in the schema with a number, cut to kNameBytesMax as PostgreSQL cuts.
  std::string choose_relation_name(Oid schema, std::string_view table, std::string_view column, std::string_view label,
                                   const std::vector<std::string>& taken = {});
  static std::string choose_constraint_name(const TableDescriptor& table, std::string_view column,
                                            std::string_view label);
  // 42P07, after waiting for whoever else is making the name.
  Task<Status> claim_relation_name(SchemaPtr schema, std::string name);
  static Result<AttributeNumber> find_attribute(const TableDescriptor& table, const std::string& column);
  std::string qualified_name(const TableDescriptor& table);
  // A user's type with its schema; other types as written.
  std::string qualified_type_name(const ast::QualifiedName& name);
  // 42704 'type "t" does not exist'.
  Result<catalog::TypePtr> find_user_type(const ast::QualifiedName& name);
  // As messages show it.
  std::string shown_name(const catalog::TypeDescriptor& type);
  // The options for printing expressions that the catalog stores.
  PrintOptions stored_print_options();

  // --- locking: takes the lock, then returns the descriptor as it is now ---
  Task<Result<TablePtr>> lock_for_change(Oid table);
  // The same for what `find` finds, which is looked for again when it is locked: whoever had the lock may have dropped
  // it, and made another of its name. Null, or an error, is what `find` says when there is none.
  Task<Result<TablePtr>> lock_found(std::function<Result<TablePtr>()> find);
  // By name. REQUIRES: `name` outlives the call.
  Task<Result<TablePtr>> lock_named(const ast::RelationName& name,
                                    Result<TablePtr> (Definition::*find)(const ast::RelationName&)) {
    return lock_found([this, find, &name] { return (this->*find)(name); });
  }

  // --- storing a changed table ---
  Task<Status> put_table(TableDescriptor table);

  // Copies the rows of `from` into `to`, which lies elsewhere (to.id differs) and may have other columns, keys and
  // indexes. `values[i]` is over from's columns, named by `scan_columns`; see rewrite.cc.
  Task<Status> copy_rows(TablePtr from, TablePtr to, std::vector<std::pair<AttributeNumber, ExprPtr>> replaced);
  // Gives the table a new place, with rows copied when `keep_rows`. Replaced columns take their new expression's value.
  Task<Status> rewrite(TablePtr from, TableDescriptor to, bool keep_rows,
                       std::vector<std::pair<AttributeNumber, ExprPtr>> replaced = {});
  // Whether the rows that the table has are for a job: when there may be one, and they are not just a few.
  Task<Result<bool>> leaves_rows_to_job(TablePtr table);
  // Tells the store that the place of a table's rows is new.
  void claim_rows(const TableDescriptor& table);
  // Frees the space of a table's rows and indexes once the transaction commits.
  void discard_rows(const TableDescriptor& table);

 private:
  DefineContext& context_;
};

// A column of `table` as an expression that copy_rows and bound expressions name it by: ids are attribute numbers.
ColumnId column_id(AttributeNumber attribute);

// Whether the expression always has the same value for the same row: no settings, clocks or tables decide it.
bool is_immutable(const ExprPtr& expr);

// The attributes an expression bound by bind_table_expression names, in order of first mention.
std::vector<AttributeNumber> attributes_of(const ExprPtr& expr);

// --- one per statement ---
Task<Result<std::string>> create_table(const ast::CreateTable* statement, Definition* definition);
Task<Result<std::string>> alter_table(const ast::AlterTable* statement, Definition* definition);
Task<Result<std::string>> create_table_as(const ast::CreateTableAs* statement, Definition* definition);
Task<Result<std::string>> refresh_materialized_view(const ast::RefreshMaterializedView* statement,
                                                    Definition* definition);
Task<Result<std::string>> create_index(const ast::CreateIndex* statement, Definition* definition);
Task<Result<std::string>> create_schema(const ast::CreateSchema* statement, Definition* definition);
Task<Result<std::string>> create_sequence(const ast::CreateSequence* statement, Definition* definition);
Task<Result<std::string>> alter_sequence(const ast::AlterSequence* statement, Definition* definition);
Task<Result<std::string>> create_view(const ast::CreateView* statement, Definition* definition);
Task<Result<std::string>> create_enum(const ast::CreateEnum* statement, Definition* definition);
Task<Result<std::string>> create_composite(const ast::CreateComposite* statement, Definition* definition);
Task<Result<std::string>> alter_enum(const ast::AlterEnum* statement, Definition* definition);
Task<Result<std::string>> create_domain(const ast::CreateDomain* statement, Definition* definition);
Task<Result<std::string>> alter_domain(const ast::AlterDomain* statement, Definition* definition);
Task<Result<std::string>> create_extension(const ast::CreateExtension* statement, Definition* definition);
Task<Result<std::string>> drop_objects(const ast::DropObjects* statement, Definition* definition);
Task<Result<std::string>> rename_object(const ast::Rename* statement, Definition* definition);
Task<Result<std::string>> alter_schema(const ast::AlterSchema* statement, Definition* definition);
Task<Result<std::string>> alter_owner(const ast::AlterOwner* statement, Definition* definition);
Task<Result<std::string>> comment_on(const ast::Comment* statement, Definition* definition);
Task<Result<std::string>> truncate(const ast::Truncate* statement, Definition* definition);
Task<Result<std::string>> create_role(const ast::CreateRole* statement, Definition* definition);
Task<Result<std::string>> alter_role(const ast::AlterRole* statement, Definition* definition);
Task<Result<std::string>> drop_role(const ast::DropRole* statement, Definition* definition);
Task<Result<std::string>> grant(const ast::Grant* statement, Definition* definition);
Task<Result<std::string>> grant_role(const ast::GrantRole* statement, Definition* definition);
// Makes `changed` the role under its new name.
Status rename_role(const ast::Rename& statement, Definition& definition, catalog::RoleDescriptor& changed);

// --- pieces (columns.cc, constraints.cc, indexes.cc, sequences.cc, drop.cc) ---

// Adds the column to `table` (not stored yet), with its sequence when it is SERIAL or IDENTITY; constraints other than
// NOT NULL, DEFAULT and the like are appended to `constraints` for add_constraint.
struct NewColumn {
  TableDescriptor* table;
  const ast::ColumnDefinition* column;
  std::vector<std::pair<const ast::Constraint*, std::string>>* constraints;
};
Task<Status> add_column(NewColumn request, Definition* definition);

// Makes the sequence of a SERIAL column, or of an IDENTITY column with `identity`, and lets the column use it.
Task<Status> add_sequence(TableDescriptor* table, ColumnDescriptor* column, const ast::Constraint* identity,
                          Definition* definition);
Status check_identity_type(const ColumnDescriptor& column);

// Adds a table or column constraint. `column` is the column it was written on, empty for a table constraint. The table
// is not stored yet; the caller checks existing rows.
Task<Status> add_constraint(TableDescriptor* table, const ast::Constraint* constraint, std::string column,
                            Definition* definition);
// 42804 when foreign keys of or to a table compare columns that other types have made incomparable.
Status check_retyped_keys(const TableDescriptor& before, const TableDescriptor& altered, Definition& definition);
// Checks what a new constraint says against the rows there are.
Task<Status> validate_constraint(TablePtr table, std::string constraint, Definition* definition);

// --- user types (types.cc, composite_types.cc) ---
// A type that is not stored yet; 42710 when the name is taken.
Task<Result<catalog::TypeDescriptor>> new_type(const ast::QualifiedName* name, catalog::UserTypeKind kind,
                                               Definition* definition);
// What is declared with a type or with its array: a table's column, a composite type's attribute, or a domain.
struct TypeUse {
  TablePtr table;  // null for an attribute of a type, and for a domain
  catalog::TypePtr type;
  std::string column;  // empty for a domain
  bool is_array = false;
};
// The columns and attributes. `type` is a user's type or a table's row type; `array` its array.
std::vector<TypeUse> uses_of(Oid type, Oid array, Definition& definition);
// As messages call it: "table t", and its "type t".
struct DroppedType {
  std::string object;
  std::string type;
};
// Drops what is declared with the type; with kRestrict, 2BP01 if anything is.
Task<Status> drop_uses(std::vector<TypeUse> uses, DroppedType dropped, ast::DropBehavior behavior,
                       Definition* definition);
// 0A000 'cannot alter type "t" because column "a.b" uses it'. `word` is "type" or "table".
Status check_unused(std::string_view word, std::string_view name, Oid composite, Definition& definition);
// 42P16 when a row of the table that is to be could hold another.
Status check_row_type(const TableDescriptor& table, Definition& definition);
// ALTER TYPE ... ADD, DROP and ALTER ATTRIBUTE; RENAME ATTRIBUTE.
Task<Result<std::string>> alter_composite(const ast::AlterTable* statement, Definition* definition);
Task<Status> rename_attribute(const ast::Rename* statement, Definition* definition);
// Drops a type with what depends on it; with kRestrict, 2BP01 if anything does.
Task<Status> drop_type(catalog::TypePtr type, ast::DropBehavior behavior, Definition* definition);
Task<Status> rename_type(const ast::Rename* statement, Definition* definition);

// The text under which a view's query is kept: relations qualified, stars spelled out.
std::string stored_query(const ast::Select& query, Definition& definition);

// Columns, by table, whose DEFAULT draws from the sequence.
std::vector<std::pair<Oid, AttributeNumber>> sequence_users(Oid sequence, Definition& definition);
Task<Result<Oid>> make_sequence(SequenceDescriptor sequence, Definition* definition);
// ALTER SEQUENCE's options, RESTART too.
Task<Status> change_sequence(SequencePtr old, const ast::OptionList* options, Definition* definition);
Result<SequenceDescriptor> apply_sequence_options(SequenceDescriptor sequence, const ast::OptionList& options,
                                                  bool is_new, Definition& definition);

// "table", "view", "materialized view".
std::string relation_word(const TableDescriptor& table);
// Drops a table or view with what depends on it; with kRestrict, 2BP01 if anything does.
Task<Status> drop_relation(Oid relation, ast::DropBehavior behavior, Definition* definition);
// Views whose queries name the relation.
std::vector<TablePtr> dependent_views(Oid relation, Definition& definition);
// Drops the views that cannot be without a column; with kRestrict, 2BP01 if there are any.
Task<Status> drop_dependent_views(TableDescriptor table, AttributeNumber attribute, ast::DropBehavior behavior,
                                  Definition* definition);
// 0A000 when a view reads the column, whose type is then not to be changed.
Status check_no_view_reads(const TableDescriptor& table, AttributeNumber attribute, Definition& definition);
Task<Status> drop_constraint(TableDescriptor* table, std::string constraint, ast::DropBehavior behavior,
                             Definition* definition);

}  // namespace pando::sql::ddl
