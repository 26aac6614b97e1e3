#include <algorithm>
#include <array>

#include "catalog/system_rows.h"
#include "catalog/type_procedures.h"

namespace pando::catalog {
namespace {

// The btree operator classes of PostgreSQL 15, with its OIDs.
struct OperatorClass {
  Oid oid;
  std::string_view name;
  Oid family;
  std::string_view family_name;
  Oid type;
  bool is_default;
};

constexpr std::array kOperatorClasses = {
    OperatorClass{1978, "int4_ops", 1976, "integer_ops", types::oid::kInt4, true},
    OperatorClass{1979, "int2_ops", 1976, "integer_ops", types::oid::kInt2, true},
    OperatorClass{1981, "oid_ops", 1989, "oid_ops", types::oid::kOid, true},
    OperatorClass{3122, "date_ops", 434, "datetime_ops", types::oid::kDate, true},
    OperatorClass{3123, "float8_ops", 1970, "float_ops", types::oid::kFloat8, true},
    OperatorClass{3124, "int8_ops", 1976, "integer_ops", types::oid::kInt8, true},
    OperatorClass{3125, "numeric_ops", 1988, "numeric_ops", types::oid::kNumeric, true},
    OperatorClass{3126, "text_ops", 1994, "text_ops", types::oid::kText, true},
    OperatorClass{3127, "timestamptz_ops", 434, "datetime_ops", types::oid::kTimestamptz, true},
    OperatorClass{3128, "timestamp_ops", 434, "datetime_ops", types::oid::kTimestamp, true},
    OperatorClass{10000, "array_ops", 397, "array_ops", types::oid::kAnyArray, true},
    OperatorClass{10003, "bool_ops", 424, "bool_ops", types::oid::kBool, true},
    OperatorClass{10004, "bpchar_ops", 426, "bpchar_ops", types::oid::kBpchar, true},
    OperatorClass{10006, "bytea_ops", 428, "bytea_ops", types::oid::kBytea, true},
    OperatorClass{10007, "char_ops", 429, "char_ops", types::oid::kChar, true},
    OperatorClass{10012, "float4_ops", 1970, "float_ops", types::oid::kFloat4, true},
    OperatorClass{10022, "interval_ops", 1982, "interval_ops", types::oid::kInterval, true},
    OperatorClass{10028, "name_ops", 1994, "text_ops", types::oid::kName, true},
    OperatorClass{10034, "record_ops", 2994, "record_ops", types::oid::kRecord, true},
    OperatorClass{10038, "time_ops", 1996, "time_ops", types::oid::kTime, true},
    OperatorClass{10041, "timetz_ops", 2000, "timetz_ops", types::oid::kTimetz, true},
    OperatorClass{10044, "varchar_ops", 1994, "text_ops", types::oid::kText, false},
    OperatorClass{10065, "uuid_ops", 2968, "uuid_ops", types::oid::kUuid, true},
    OperatorClass{10069, "enum_ops", 3522, "enum_ops", types::oid::kAnyEnum, true},
    OperatorClass{10088, "jsonb_ops", 4033, "jsonb_ops", types::oid::kJsonb, true},
};

struct AccessMethod {
  Oid oid;
  std::string_view name;
  char type;
};
constexpr std::array kAccessMethods = {AccessMethod{kHeapMethod, "heap", 't'}, AccessMethod{kBtreeMethod, "btree", 'i'},
                                       AccessMethod{kHashMethod, "hash", 'i'}};

struct Collation {
  Oid oid;
  std::string_view name;
  char provider;
  std::string_view locale;
};
constexpr std::array kCollations = {Collation{kDefaultCollation, "default", 'd', ""},
                                    Collation{kCCollation, "C", 'c', "C"},
                                    Collation{kPosixCollation, "POSIX", 'c', "POSIX"}};

constexpr int64_t kUtf8Encoding = 6;
constexpr Oid kDefaultTablespace = 1663;
constexpr Oid kGlobalTablespace = 1664;

std::string letter(char c) { return std::string(1, c); }
int64_t number(Oid oid) { return oid; }

void write_type(const types::TypeInfo& type, SystemRowWriter& writer) {
  const bool is_text = type.category == 'S';
  const TypeProcedures* found = find_type_procedures(type.oid);
  const TypeProcedures procedures = found == nullptr ? TypeProcedures() : *found;
  writer.add({
      {"oid", number(type.oid)},
      {"typname", std::string(type.name)},
      {"typnamespace", number(kPgCatalogSchema)},
      {"typowner", number(kSuperuserRole)},
      {"typlen", int64_t{type.length}},
      {"typbyval", type.by_value},
      {"typtype", letter(type.kind)},
      {"typcategory", letter(type.category)},
      {"typispreferred", type.preferred},
      {"typisdefined", true},
      {"typdelim", letter(procedures.delimiter)},
      {"typsubscript", number(procedures.subscript)},
      {"typelem", number(type.element)},
      {"typarray", number(type.array)},
      {"typinput", number(procedures.input)},
      {"typoutput", number(procedures.output)},
      {"typreceive", number(procedures.receive)},
      {"typsend", number(procedures.send)},
      {"typmodin", number(procedures.modifier_in)},
      {"typmodout", number(procedures.modifier_out)},
      {"typalign", letter(type.alignment)},
      {"typstorage", letter(type.length != -1                  ? 'p'
                            : type.oid == types::oid::kNumeric ? 'm'
                                                               : 'x')},
      {"typtypmod", int64_t{-1}},
      {"typcollation", is_text && type.kind == 'b' ? number(kDefaultCollation) : int64_t{0}},
  });
}

struct CompositeRow {
  Oid type;
  const std::string& name;
  Oid schema;
  Oid owner;
  Oid relation;
};

// A composite type, such as a relation's row type, and the array of it.
void write_composite(const CompositeRow& row, SystemRowWriter& writer) {
  const auto add = [&](Oid oid, const std::string& name, bool is_array) {
    const TypeProcedures& procedures = *find_type_procedures(is_array ? types::oid::kTextArray : types::oid::kRecord);
    writer.add({
        {"oid", number(oid)},
        {"typname", name},
        {"typnamespace", number(row.schema)},
        {"typowner", number(row.owner)},
        {"typlen", int64_t{-1}},
        {"typtype", letter(is_array ? 'b' : 'c')},
        {"typcategory", letter(is_array ? 'A' : 'C')},
        {"typisdefined", true},
        {"typdelim", letter(',')},
        {"typrelid", is_array ? int64_t{0} : number(row.relation)},
        {"typelem", is_array ? number(row.type) : int64_t{0}},
        {"typarray", is_array ? int64_t{0} : number(types::array_of(row.type))},
        {"typinput", number(procedures.input)},
        {"typoutput", number(procedures.output)},
        {"typreceive", number(procedures.receive)},
        {"typsend", number(procedures.send)},
        {"typsubscript", number(is_array ? procedures.subscript : 0)},
        {"typalign", letter('d')},
        {"typstorage", letter('x')},
        {"typtypmod", int64_t{-1}},
    });
  };
  add(row.type, row.name, false);
  add(types::array_of(row.type), "_" + row.name, true);
}

// Input and output functions of enums and domains, as in PostgreSQL.
constexpr Oid kEnumIn = 3506;
constexpr Oid kEnumOut = 3507;
constexpr Oid kEnumReceive = 3532;
constexpr Oid kEnumSend = 3533;
constexpr Oid kDomainIn = 2597;
constexpr Oid kDomainReceive = 2598;

void write_user_type(const TypeDescriptor& type, SystemRowWriter& writer) {
  if (type.kind == UserTypeKind::kComposite) {
    write_composite({type.oid, type.name, type.schema, type.owner, relation_of(type)}, writer);
    return;
  }
  const bool is_domain = type.kind == UserTypeKind::kDomain;
  const Oid form = is_domain ? type.base.oid : type.oid;
  const types::TypeInfo* info = types::find_type(form);
  const TypeProcedures* found = find_type_procedures(form);
  const TypeProcedures base = found == nullptr ? TypeProcedures() : *found;
  const bool is_enum_based = types::is_enum(form);
  writer.add({
      {"oid", number(type.oid)},
      {"typname", type.name},
      {"typnamespace", number(type.schema)},
      {"typowner", number(type.owner)},
      {"typlen", int64_t{info->length}},
      {"typbyval", info->by_value},
      {"typtype", letter(static_cast<char>(type.kind))},
      {"typcategory", letter(info->category)},
      {"typisdefined", true},
      {"typdelim", letter(',')},
      {"typarray", number(array_of(type))},
      {"typinput", number(is_domain ? kDomainIn : kEnumIn)},
      {"typoutput", number(is_enum_based ? kEnumOut : base.output)},
      {"typreceive", number(is_domain ? kDomainReceive : kEnumReceive)},
      {"typsend", number(is_enum_based ? kEnumSend : base.send)},
      {"typalign", letter(info->alignment)},
      {"typstorage", letter(info->length == -1 ? (form == types::oid::kNumeric ? 'm' : 'x') : 'p')},
      {"typnotnull", type.not_null},
      {"typbasetype", is_domain ? number(type.domain != 0 ? type.domain : type.base.oid) : int64_t{0}},
      {"typtypmod", int64_t{type.base.modifier}},
      {"typcollation", info->category == 'S' ? number(kDefaultCollation) : int64_t{0}},
      {"typdefaultbin", type.default_sql.empty() ? Cell() : Cell(type.default_sql)},
      {"typdefault", type.default_sql.empty() ? Cell() : Cell(type.default_sql)},
  });
  const TypeProcedures& array = *find_type_procedures(types::oid::kTextArray);
  writer.add({
      {"oid", number(array_of(type))},
      {"typname", "_" + type.name},
      {"typnamespace", number(type.schema)},
      {"typowner", number(type.owner)},
      {"typlen", int64_t{-1}},
      {"typtype", letter('b')},
      {"typcategory", letter('A')},
      {"typisdefined", true},
      {"typdelim", letter(',')},
      {"typsubscript", number(array.subscript)},
      {"typelem", number(type.oid)},
      {"typinput", number(array.input)},
      {"typoutput", number(array.output)},
      {"typreceive", number(array.receive)},
      {"typsend", number(array.send)},
      {"typalign", letter('i')},
      {"typstorage", letter('x')},
      {"typtypmod", int64_t{-1}},
  });
}

}  // namespace

Oid default_operator_class(Oid type) {
  const Oid wanted = type == types::oid::kVarchar ? types::oid::kText
                     : types::is_enum(type)       ? types::oid::kAnyEnum
                     : types::is_record(type)     ? types::oid::kRecord
                     : types::is_array(type)      ? types::oid::kAnyArray
                                                  : type;
  const auto* found =
      std::ranges::find_if(kOperatorClasses, [&](const OperatorClass& c) { return c.type == wanted && c.is_default; });
  return found == kOperatorClasses.end() ? 0 : found->oid;
}

void write_pg_type(const SystemRowContext& context, SystemRowWriter& writer) {
  std::size_t count = 0;
  const types::TypeInfo* all = types::all_types(count);
  for (std::size_t i = 0; i < count; ++i) {
    write_type(all[i], writer);
  }
  for (const auto& [oid, table] : context.snapshot.tables()) {
    if (const Oid row_type = row_type_of(*table); row_type != 0) {
      write_composite({row_type, table->name, table->schema, table->owner, oid}, writer);
    }
  }
  for (const auto& [oid, type] : context.snapshot.user_defined_types()) {
    write_user_type(*type, writer);
  }
}

void write_pg_database(const SystemRowContext& context, SystemRowWriter& writer) {
  write_database(context.database, context.database_name, writer);
  // Nobody can connect to either, so that tools which visit all databases leave them out.
  write_database(kTemplate1Database, "template1", writer);
  write_database(kTemplate0Database, "template0", writer);
}

void write_database(Oid oid, const std::string& name, SystemRowWriter& writer) {
  const bool is_template = oid == kTemplate0Database || oid == kTemplate1Database;
  writer.add({
      {"oid", number(oid)},
      {"datname", name},
      {"datdba", number(kSuperuserRole)},
      {"encoding", kUtf8Encoding},
      {"datlocprovider", letter('c')},
      {"datistemplate", is_template},
      {"datallowconn", !is_template},
      {"datconnlimit", int64_t{-1}},
      {"dattablespace", number(kDefaultTablespace)},
      {"datcollate", std::string("C.UTF-8")},
      {"datctype", std::string("C.UTF-8")},
  });
}

void write_pg_authid(const SystemRowContext& context, SystemRowWriter& writer) {
  for (const auto& [oid, role] : context.snapshot.roles()) {
    writer.add({
        {"oid", number(oid)},
        {"rolname", role->name},
        {"rolsuper", role->superuser},
        {"rolinherit", true},
        {"rolcreaterole", role->superuser},
        {"rolcreatedb", role->superuser},
        {"rolcanlogin", role->can_login},
        {"rolreplication", role->superuser},
        {"rolbypassrls", role->superuser},
        {"rolconnlimit", int64_t{-1}},
    });
  }
}

void write_pg_am(const SystemRowContext&, SystemRowWriter& writer) {
  for (const auto& method : kAccessMethods) {
    writer.add({{"oid", number(method.oid)}, {"amname", std::string(method.name)}, {"amtype", letter(method.type)}});
  }
}

void write_pg_language(const SystemRowContext&, SystemRowWriter& writer) {
  struct Language {
    Oid oid;
    std::string_view name;
    bool trusted;
    Oid handler;
    Oid inline_handler;
    Oid validator;
  };
  constexpr std::array kLanguages = {Language{12, "internal", false, 0, 0, 2246}, Language{13, "c", false, 0, 0, 2247},
                                     Language{14, "sql", true, 0, 0, 2248},
                                     Language{13563, "plpgsql", true, 13560, 13561, 13562}};
  for (const Language& language : kLanguages) {
    writer.add({{"oid", number(language.oid)},
                {"lanname", std::string(language.name)},
                {"lanowner", number(kSuperuserRole)},
                {"lanispl", language.handler != 0},
                {"lanpltrusted", language.trusted},
                {"lanplcallfoid", number(language.handler)},
                {"laninline", number(language.inline_handler)},
                {"lanvalidator", number(language.validator)}});
  }
}

void write_pg_extension(const SystemRowContext&, SystemRowWriter& writer) {
  writer.add({{"oid", number(kPlpgsqlExtension)},
              {"extname", std::string("plpgsql")},
              {"extowner", number(kSuperuserRole)},
              {"extnamespace", number(kPgCatalogSchema)},
              {"extrelocatable", false},
              {"extversion", std::string("1.0")}});
  writer.add({{"oid", number(kPandoExtension)},
              {"extname", std::string("pando")},
              {"extowner", number(kSuperuserRole)},
              {"extnamespace", number(kPandoSchema)},
              {"extrelocatable", false},
              {"extversion", std::string("1.0")}});
}

void write_pg_collation(const SystemRowContext&, SystemRowWriter& writer) {
  for (const auto& collation : kCollations) {
    const Cell locale = collation.locale.empty() ? Cell() : Cell(std::string(collation.locale));
    writer.add({
        {"oid", number(collation.oid)},
        {"collname", std::string(collation.name)},
        {"collnamespace", number(kPgCatalogSchema)},
        {"collowner", number(kSuperuserRole)},
        {"collprovider", letter(collation.provider)},
        {"collisdeterministic", true},
        {"collencoding", int64_t{-1}},
        {"collcollate", locale},
        {"collctype", locale},
    });
  }
}

void write_pg_tablespace(const SystemRowContext&, SystemRowWriter& writer) {
  for (const auto& [oid, name] :
       {std::pair{kDefaultTablespace, "pg_default"}, std::pair{kGlobalTablespace, "pg_global"}}) {
    writer.add({{"oid", number(oid)}, {"spcname", std::string(name)}, {"spcowner", number(kSuperuserRole)}});
  }
}

void write_pg_opclass(const SystemRowContext&, SystemRowWriter& writer) {
  for (const auto& op : kOperatorClasses) {
    writer.add({
        {"oid", number(op.oid)},
        {"opcmethod", number(kBtreeMethod)},
        {"opcname", std::string(op.name)},
        {"opcnamespace", number(kPgCatalogSchema)},
        {"opcowner", number(kSuperuserRole)},
        {"opcfamily", number(op.family)},
        {"opcintype", number(op.type)},
        {"opcdefault", op.is_default},
    });
  }
}

void write_pg_opfamily(const SystemRowContext&, SystemRowWriter& writer) {
  std::vector<Oid> written;
  for (const auto& op : kOperatorClasses) {
    if (std::ranges::find(written, op.family) != written.end()) {
      continue;
    }
    written.push_back(op.family);
    writer.add({
        {"oid", number(op.family)},
        {"opfmethod", number(kBtreeMethod)},
        {"opfname", std::string(op.family_name)},
        {"opfnamespace", number(kPgCatalogSchema)},
        {"opfowner", number(kSuperuserRole)},
    });
  }
}

}  // namespace pando::catalog
