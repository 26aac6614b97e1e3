// Session: rows of the system tables of functions, operators and casts, from the signature tables.

#include "session/system_functions.h"

#include <algorithm>

#include <fmt/format.h>

#include "catalog/system_rows.h"
#include "catalog/type_procedures.h"
#include "sql/function/function.h"

namespace pando::session {
namespace {

using types::Oid;

constexpr int64_t kInternalLanguage = 12;

template <typename Items, typename Project>
std::string joined(const Items& items, Project project, std::string_view separator) {
  std::string out;
  for (const auto& item : items) {
    out += fmt::format("{}{}", out.empty() ? "" : separator, project(item));
  }
  return out;
}

Oid schema_of(const sql::Function& function) {
  return function.schema == "information_schema" ? catalog::kInformationSchema
         : function.schema == "pando"            ? catalog::kPandoSchema
                                                 : catalog::kPgCatalogSchema;
}

char kind_letter(sql::FunctionKind kind) {
  const char letter = static_cast<char>(kind);
  return letter == 's' ? 'f' : letter;
}

// {in,in,out,out} and its kin, for functions whose columns have names.
struct OutArguments {
  std::string types;
  std::string modes;
  std::string names;
};
OutArguments out_arguments(const sql::Function& function) {
  OutArguments out;
  const auto add = [&out](Oid type, char mode, std::string_view name) {
    const std::string_view separator = out.types.empty() ? "" : ",";
    out.types += fmt::format("{}{}", separator, type);
    out.modes += fmt::format("{}{}", separator, mode);
    out.names += fmt::format("{}\"{}\"", separator, name);
  };
  for (std::size_t i = 0; i < function.arguments.size(); ++i) {
    const bool is_last = i + 1 == function.arguments.size();
    add(function.arguments[i], function.variadic && is_last ? 'v' : 'i',
        i < function.argument_names.size() ? function.argument_names[i] : std::string_view());
  }
  for (const sql::OutColumn& column : function.out_columns) {
    add(column.type, 'o', column.name);
  }
  return out;
}

void write_function(const sql::Function& function, catalog::SystemRowWriter& writer) {
  const auto same = [](const auto& item) { return item; };
  const OutArguments out = out_arguments(function);
  const bool has_modes = function.variadic || !function.out_columns.empty();
  const bool has_names = has_modes || !function.argument_names.empty();
  writer.add({
      {"oid", int64_t{function.oid}},
      {"proname", std::string(function.name)},
      {"pronamespace", int64_t{schema_of(function)}},
      {"proowner", int64_t{catalog::kSuperuserRole}},
      {"prolang", kInternalLanguage},
      {"procost", 1.0},
      {"prorows", function.kind == sql::FunctionKind::kSet ? 1000.0 : 0.0},
      {"provariadic", int64_t{function.variadic ? types::element_of(function.arguments.back()) : 0}},
      {"prokind", std::string(1, kind_letter(function.kind))},
      {"prosecdef", false},
      {"proleakproof", false},
      {"proisstrict", function.strict},
      {"proretset", function.kind == sql::FunctionKind::kSet},
      {"provolatile", std::string(1, static_cast<char>(function.volatility))},
      {"proparallel", std::string("s")},
      {"pronargs", static_cast<int64_t>(function.arguments.size())},
      {"pronargdefaults", int64_t{function.defaults}},
      {"prorettype", int64_t{function.result}},
      {"proargtypes", joined(function.arguments, same, " ")},
      {"proallargtypes", has_modes ? catalog::Cell("{" + out.types + "}") : catalog::Cell()},
      {"proargmodes", has_modes ? catalog::Cell("{" + out.modes + "}") : catalog::Cell()},
      {"proargnames", has_names ? catalog::Cell("{" + out.names + "}") : catalog::Cell()},
      {"prosrc", std::string(function.symbol.substr(0, function.symbol.find('(')))},
  });
}

void write_type_procedure(const catalog::TypeProcedureName& procedure, catalog::SystemRowWriter& writer) {
  const std::string arguments(procedure.arguments);
  const auto count = arguments.empty() ? 0 : std::ranges::count(arguments, ' ') + 1;
  writer.add({
      {"oid", int64_t{procedure.oid}},
      {"proname", std::string(procedure.name)},
      {"pronamespace", int64_t{catalog::kPgCatalogSchema}},
      {"proowner", int64_t{catalog::kSuperuserRole}},
      {"prolang", kInternalLanguage},
      {"procost", 1.0},
      {"prokind", std::string("f")},
      {"proisstrict", true},
      {"provolatile", std::string("s")},
      {"proparallel", std::string("s")},
      {"pronargs", static_cast<int64_t>(count)},
      {"prorettype", int64_t{procedure.result}},
      {"proargtypes", arguments},
      {"prosrc", std::string(procedure.name)},
  });
}

void write_functions(catalog::SystemRowWriter& writer) {
  for (const sql::Function* function : sql::all_functions()) {
    write_function(*function, writer);
  }
  for (const auto& procedure : catalog::type_procedure_names()) {
    if (sql::function_by_oid(procedure.oid) == nullptr) {
      write_type_procedure(procedure, writer);
    }
  }
}

Oid operator_named(std::string_view name, Oid left, Oid right) {
  for (const sql::Operator* op : sql::operators_named(name)) {
    if (op->left == left && op->right == right) {
      return op->oid;
    }
  }
  return 0;
}

void write_operators(catalog::SystemRowWriter& writer) {
  for (const sql::Operator* op : sql::all_operators()) {
    writer.add({
        {"oid", int64_t{op->oid}},
        {"oprname", std::string(op->name)},
        {"oprnamespace", int64_t{catalog::kPgCatalogSchema}},
        {"oprowner", int64_t{catalog::kSuperuserRole}},
        {"oprkind", std::string(op->left == 0 ? "l" : "b")},
        {"oprleft", int64_t{op->left}},
        {"oprright", int64_t{op->right}},
        {"oprresult", int64_t{op->result}},
        {"oprcom", int64_t{operator_named(op->commutator, op->right, op->left)}},
        {"oprnegate", int64_t{operator_named(op->negator, op->left, op->right)}},
        {"oprcode", int64_t{op->function == nullptr ? 0 : op->function->oid}},
        {"oprcanmerge", op->name == "="},
        {"oprcanhash", op->name == "="},
    });
  }
}

void write_casts(catalog::SystemRowWriter& writer) {
  // Casts have no name and no OID of their own here: they are numbered in the order of the table.
  constexpr int64_t kFirstCast = 10035;
  int64_t oid = kFirstCast;
  for (const sql::CastEntry& cast : sql::all_casts()) {
    writer.add({
        {"oid", oid++},
        {"castsource", int64_t{cast.source}},
        {"casttarget", int64_t{cast.target}},
        {"castfunc", int64_t{cast.function == nullptr ? 0 : cast.function->oid}},
        {"castcontext", std::string(1, static_cast<char>(cast.context))},
        {"castmethod", std::string(1, static_cast<char>(cast.method))},
    });
  }
}

void write_aggregates(catalog::SystemRowWriter& writer) {
  for (const sql::Function* function : sql::all_functions()) {
    if (function->kind == sql::FunctionKind::kAggregate) {
      writer.add({{"aggfnoid", int64_t{function->oid}}, {"aggkind", std::string(function->ordered_set ? "o" : "n")}});
    }
  }
}

}  // namespace

bool write_function_rows(std::string_view relation, catalog::SystemRowWriter& writer) {
  if (relation == "pg_proc") {
    write_functions(writer);
  } else if (relation == "pg_operator") {
    write_operators(writer);
  } else if (relation == "pg_cast") {
    write_casts(writer);
  } else if (relation == "pg_aggregate") {
    write_aggregates(writer);
  } else {
    return false;
  }
  return true;
}

}  // namespace pando::session
