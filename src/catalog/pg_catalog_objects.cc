#include <algorithm>

#include <fmt/format.h>

#include "catalog/relation_forms.h"
#include "catalog/system_rows.h"

namespace pando::catalog {
namespace {

// pg_class.oid of the catalogs that pg_depend and pg_description refer to.
constexpr Oid kPgClass = 1259;
constexpr Oid kPgType = 1247;
constexpr Oid kPgNamespace = 2615;
constexpr Oid kPgConstraint = 2606;
constexpr Oid kPgAttrdef = 2604;
constexpr Oid kPgExtension = 3079;
// Defaults without an OID of their own get one from their table's, as view rules do (kRuleOidBase).
constexpr Oid kDefaultOidBase = 0x80000000;
constexpr Oid kColumnsPerTable = 2048;

int64_t number(Oid oid) { return oid; }
std::string letter(char c) { return std::string(1, c); }

template <typename T, typename Project>
std::string array_text(const std::vector<T>& elements, Project project) {
  std::string text = "{";
  for (const T& element : elements) {
    text += fmt::format("{}{}", text.size() > 1 ? "," : "", project(element));
  }
  return text + "}";
}

template <typename T, typename Project>
std::string vector_text(const std::vector<T>& elements, Project project) {
  std::string text;
  for (const T& element : elements) {
    text += fmt::format("{}{}", text.empty() ? "" : " ", project(element));
  }
  return text;
}

Oid default_oid(const TableDescriptor& table, const ColumnDescriptor& column) {
  return kDefaultOidBase + (table.oid % 0x40000) * kColumnsPerTable + static_cast<Oid>(column.number);
}

// In PostgreSQL's pages of 8 KiB.
int64_t pages_of(uint64_t bytes) { return static_cast<int64_t>((bytes + 8_KiB - 1) / 8_KiB); }

// The sequence whose nextval() a default draws from, as "nextval('schema.name'::regclass)"; 0 for none.
Oid drawn_sequence(const ColumnDescriptor& column, const Snapshot& snapshot) {
  constexpr std::string_view kCall = "nextval('";
  const auto start = column.default_sql.find(kCall);
  const auto end = column.default_sql.find("'::regclass", start == std::string::npos ? 0 : start);
  if (start == std::string::npos || end == std::string::npos) {
    return 0;
  }
  std::string name = column.default_sql.substr(start + kCall.size(), end - start - kCall.size());
  std::erase(name, '"');
  const auto dot = name.find('.');
  const SchemaPtr schema = dot == std::string::npos ? nullptr : snapshot.find_schema(name.substr(0, dot));
  const SequencePtr sequence = schema == nullptr ? nullptr : snapshot.find_sequence(schema->oid, name.substr(dot + 1));
  return sequence == nullptr ? 0 : sequence->oid;
}

char shown_kind(RelationKind kind) { return kind == RelationKind::kVirtual ? 'r' : static_cast<char>(kind); }

int64_t count_of(const TableDescriptor& table, ConstraintKind kind) {
  return std::ranges::count(table.constraints, kind, &ConstraintDescriptor::kind);
}

void write_relation(const TableDescriptor& table, bool is_referenced, Statistics* statistics, SystemRowWriter& writer) {
  const bool has_statistics = statistics != nullptr && table.kind == RelationKind::kTable;
  const TableStatisticsPtr analyzed = has_statistics ? statistics->find(table) : nullptr;
  const bool is_stored = has_rows(table) || table.kind == RelationKind::kVirtual;
  writer.add({
      {"oid", number(table.oid)},
      {"relname", table.name},
      {"relnamespace", number(table.schema)},
      {"reltype", number(row_type_of(table))},
      {"relowner", number(table.owner)},
      {"relam", is_stored ? number(kHeapMethod) : int64_t{0}},
      {"relfilenode", has_rows(table) ? int64_t{table.id.number()} : int64_t{0}},
      {"relpages", analyzed == nullptr ? int64_t{0} : pages_of(statistics->row_bytes(table))},
      {"reltuples", analyzed == nullptr ? -1.0 : analyzed->rows},
      {"relhasindex", !table.indexes.empty()},
      {"relpersistence", letter(table.temporary  ? 't'
                                : table.unlogged ? 'u'
                                                 : 'p')},
      {"relkind", letter(shown_kind(table.kind))},
      {"relnatts", static_cast<int64_t>(table.columns.size())},
      {"relchecks", count_of(table, ConstraintKind::kCheck)},
      {"relhasrules", !table.view_sql.empty()},
      {"relhastriggers", is_referenced || count_of(table, ConstraintKind::kForeign) > 0},
      {"relispopulated", is_populated(table)},
      {"relreplident", letter(has_rows(table) ? 'd' : 'n')},
      {"reloptions", table.check_option == CheckOption::kNone    ? Cell()
                     : table.check_option == CheckOption::kLocal ? Cell(std::string("{check_option=local}"))
                                                                 : Cell(std::string("{check_option=cascaded}"))},
  });
}

void write_index_relation(const TableDescriptor& table, const IndexDescriptor& index, Statistics* statistics,
                          SystemRowWriter& writer) {
  // As PostgreSQL's, an index has a page before it has entries; then about as many as its entries fill.
  constexpr double kEntryBytes = 24;
  const TableStatisticsPtr analyzed = statistics != nullptr && has_rows(table) ? statistics->find(table) : nullptr;
  const double entries = analyzed == nullptr ? 0 : analyzed->rows;
  writer.add({
      {"oid", number(index.oid)},
      {"relname", index.name},
      {"relnamespace", number(table.schema)},
      {"relowner", number(table.owner)},
      {"relam", number(index.method == "hash" ? kHashMethod : kBtreeMethod)},
      {"relfilenode", number(index.oid)},
      {"relpages", 1 + pages_of(static_cast<uint64_t>(entries * kEntryBytes))},
      {"reltuples", entries},
      {"relpersistence", letter(table.temporary  ? 't'
                                : table.unlogged ? 'u'
                                                 : 'p')},
      {"relkind", letter('i')},
      {"relnatts", static_cast<int64_t>(index.columns.size() + index.included.size())},
      {"relispopulated", true},
      {"relreplident", letter('n')},
  });
}

struct AttributeRow {
  Oid relation;
  const ColumnDescriptor& column;
  int64_t number;
  std::string name;
  bool not_null;
};

void write_attribute(const AttributeRow& row, SystemRowWriter& writer) {
  const types::TypeInfo* type = types::find_type(row.column.type.oid);
  const bool is_text = type != nullptr && type->category == 'S';
  const Oid declared = row.column.domain != 0 ? row.column.domain : row.column.type.oid;
  writer.add({
      {"attrelid", number(row.relation)},
      {"attname", row.name},
      {"atttypid", row.column.dropped ? int64_t{0} : number(declared)},
      {"attstattarget", int64_t{-1}},
      {"attlen", int64_t{type != nullptr ? type->length : int16_t{-1}}},
      {"attnum", row.number},
      {"attcacheoff", int64_t{-1}},
      {"atttypmod", int64_t{row.column.domain != 0 ? types::kNoModifier : row.column.type.modifier}},
      {"attndims", int64_t{types::is_array(row.column.type.oid) ? 1 : 0}},
      {"attbyval", type != nullptr && type->by_value},
      {"attalign", letter(type != nullptr ? type->alignment : 'i')},
      {"attstorage",
       letter(type != nullptr && type->length == -1 ? (type->oid == types::oid::kNumeric ? 'm' : 'x') : 'p')},
      {"attnotnull", row.not_null},
      {"atthasdef", !row.column.default_sql.empty()},
      {"attidentity",
       row.column.identity == Identity::kNone ? std::string() : letter(static_cast<char>(row.column.identity))},
      {"attgenerated", row.column.generated ? std::string("s") : std::string()},
      {"attisdropped", row.column.dropped},
      {"attislocal", true},
      {"attcollation", number(row.column.collation != 0 ? row.column.collation
                              : is_text                 ? kDefaultCollation
                                                        : 0)},
  });
}

std::string attribute_name(const ColumnDescriptor& column) {
  return column.dropped ? fmt::format("........pg.dropped.{}........", column.number) : column.name;
}

void write_index_attributes(const TableDescriptor& table, const IndexDescriptor& index, SystemRowWriter& writer) {
  int64_t position = 0;
  const ColumnDescriptor expression_column;
  for (const auto& key : index.columns) {
    ++position;
    const ColumnDescriptor& column = key.attribute != 0 ? table.column(key.attribute) : expression_column;
    ColumnDescriptor shown = column;
    shown.default_sql.clear();
    shown.identity = Identity::kNone;
    shown.generated = false;
    const std::string name = key.attribute != 0 ? column.name
                             : position == 1    ? "expr"
                                                : fmt::format("expr{}", position - 1);
    write_attribute({index.oid, shown, position, name, false}, writer);
  }
}

void write_constraint(const TableDescriptor& table, const ConstraintDescriptor& constraint, SystemRowWriter& writer) {
  const bool is_foreign = constraint.kind == ConstraintKind::kForeign;
  const auto numbers = [](AttributeNumber n) { return n; };
  const auto columns = [&](const std::vector<AttributeNumber>& list) -> Cell {
    return list.empty() ? Cell() : Cell(array_text(list, numbers));
  };
  writer.add({
      {"oid", number(constraint.oid)},
      {"conname", constraint.name},
      {"connamespace", number(table.schema)},
      {"contype", letter(static_cast<char>(constraint.kind))},
      {"condeferrable", constraint.deferrable},
      {"condeferred", constraint.initially_deferred},
      {"convalidated", constraint.validated},
      {"conrelid", number(table.oid)},
      {"conindid", number(constraint.index)},
      {"confrelid", number(constraint.referenced_table)},
      {"confupdtype", is_foreign ? letter(static_cast<char>(constraint.on_update)) : std::string(" ")},
      {"confdeltype", is_foreign ? letter(static_cast<char>(constraint.on_delete)) : std::string(" ")},
      {"confmatchtype", is_foreign ? letter(constraint.match_full ? 'f' : 's') : std::string(" ")},
      {"conislocal", true},
      {"connoinherit", constraint.kind != ConstraintKind::kCheck || constraint.no_inherit},
      {"conkey", columns(constraint.columns)},
      {"confkey", columns(constraint.referenced_columns)},
      {"confdelsetcols", columns(constraint.set_columns)},
      {"conbin", constraint.check_sql.empty() ? Cell() : Cell(constraint.check_sql)},
  });
}

}  // namespace

void write_pg_namespace(const SystemRowContext& context, SystemRowWriter& writer) {
  for (const auto& [oid, schema] : context.snapshot.schemas()) {
    // As initdb leaves it: everyone may use public.
    const Cell privileges = oid == kPublicSchema ? Cell(std::string("{postgres=UC/postgres,=U/postgres}")) : Cell();
    writer.add(
        {{"oid", number(oid)}, {"nspname", schema->name}, {"nspowner", number(schema->owner)}, {"nspacl", privileges}});
  }
}

namespace {

void write_composite_relation(const TypeDescriptor& type, SystemRowWriter& writer) {
  writer.add({
      {"oid", number(relation_of(type))},
      {"relname", type.name},
      {"relnamespace", number(type.schema)},
      {"reltype", number(type.oid)},
      {"relowner", number(type.owner)},
      {"relpersistence", letter('p')},
      {"relkind", letter('c')},
      {"relnatts", static_cast<int64_t>(type.attributes.size())},
      {"relispopulated", true},
      {"relreplident", letter('n')},
  });
}

void write_composite_attributes(const TypeDescriptor& type, SystemRowWriter& writer) {
  int64_t position = 0;
  for (const TypeDescriptor::Attribute& attribute : type.attributes) {
    ColumnDescriptor column;
    column.type = attribute.type;
    column.domain = attribute.domain;
    write_attribute({relation_of(type), column, ++position, attribute.name, false}, writer);
  }
}

}  // namespace

void write_pg_class(const SystemRowContext& context, SystemRowWriter& writer) {
  for (const auto& [oid, table] : context.snapshot.tables()) {
    const bool is_referenced = table->kind == RelationKind::kTable && !context.snapshot.referencing_tables(oid).empty();
    write_relation(*table, is_referenced, context.statistics, writer);
    for (const auto& index : table->indexes) {
      write_index_relation(*table, index, context.statistics, writer);
    }
  }
  for (const auto& [oid, sequence] : context.snapshot.sequences()) {
    writer.add({
        {"oid", number(oid)},
        {"relname", sequence->name},
        {"relnamespace", number(sequence->schema)},
        {"relowner", number(sequence->owner)},
        {"relfilenode", number(oid)},
        {"relpages", int64_t{1}},
        {"reltuples", 1.0},
        {"relpersistence", letter('p')},
        {"relkind", letter('S')},
        {"relnatts", int64_t{3}},
        {"relispopulated", true},
        {"relreplident", letter('n')},
    });
  }
  for (const auto& [oid, type] : context.snapshot.user_defined_types()) {
    if (type->kind == UserTypeKind::kComposite) {
      write_composite_relation(*type, writer);
    }
  }
}

void write_pg_attribute(const SystemRowContext& context, SystemRowWriter& writer) {
  for (const auto& [oid, table] : context.snapshot.tables()) {
    for (const auto& column : table->columns) {
      write_attribute({oid, column, column.number, attribute_name(column), column.not_null}, writer);
    }
    for (const auto& index : table->indexes) {
      write_index_attributes(*table, index, writer);
    }
  }
  for (const auto& [oid, sequence] : context.snapshot.sequences()) {
    int64_t position = 0;
    for (const auto& [name, type] :
         {std::pair{"last_value", types::oid::kInt8}, std::pair{"log_cnt", types::oid::kInt8},
          std::pair{"is_called", types::oid::kBool}}) {
      ColumnDescriptor column;
      column.type = {type};
      write_attribute({oid, column, ++position, name, true}, writer);
    }
  }
  for (const auto& [oid, type] : context.snapshot.user_defined_types()) {
    write_composite_attributes(*type, writer);
  }
}

void write_pg_attrdef(const SystemRowContext& context, SystemRowWriter& writer) {
  for (const auto& [oid, table] : context.snapshot.tables()) {
    for (const auto& column : table->columns) {
      if (!column.default_sql.empty() && !column.dropped) {
        writer.add({
            {"oid", number(default_oid(*table, column))},
            {"adrelid", number(oid)},
            {"adnum", int64_t{column.number}},
            {"adbin", column.default_sql},
        });
      }
    }
  }
}

void write_pg_index(const SystemRowContext& context, SystemRowWriter& writer) {
  for (const auto& [oid, table] : context.snapshot.tables()) {
    for (const auto& index : table->indexes) {
      const auto all = [&](auto project) { return vector_text(index.columns, project); };
      std::string keys = all([](const IndexColumn& c) { return c.attribute; });
      for (const AttributeNumber included : index.included) {
        keys += fmt::format(" {}", included);
      }
      std::vector<std::string> expressions;
      for (const auto& column : index.columns) {
        if (column.attribute == 0) {
          expressions.push_back(column.expression_sql);
        }
      }
      const auto type_of = [&](const IndexColumn& c) {
        return c.attribute != 0 ? table->column(c.attribute).type.oid : types::oid::kText;
      };
      const auto collation_of = [&](const IndexColumn& c) -> Oid {
        const types::TypeInfo* type = types::find_type(type_of(c));
        return type != nullptr && type->category == 'S' ? kDefaultCollation : 0;
      };
      writer.add({
          {"indexrelid", number(index.oid)},
          {"indrelid", number(oid)},
          {"indnatts", static_cast<int64_t>(index.columns.size() + index.included.size())},
          {"indnkeyatts", static_cast<int64_t>(index.columns.size())},
          {"indisunique", index.unique},
          {"indnullsnotdistinct", index.nulls_not_distinct},
          {"indisprimary", index.primary},
          {"indimmediate", true},
          {"indisvalid", index.readable},
          {"indisready", true},
          {"indislive", true},
          {"indkey", keys},
          {"indcollation", all(collation_of)},
          {"indclass", all([&](const IndexColumn& c) { return default_operator_class(type_of(c)); })},
          {"indoption", all([](const IndexColumn& c) { return (c.descending ? 1 : 0) | (c.nulls_first ? 2 : 0); })},
          {"indexprs", expressions.empty() ? Cell() : Cell(fmt::format("{}", fmt::join(expressions, ", ")))},
          {"indpred", index.predicate_sql.empty() ? Cell() : Cell(index.predicate_sql)},
      });
    }
  }
}

void write_pg_enum(const SystemRowContext& context, SystemRowWriter& writer) {
  for (const auto& [oid, type] : context.snapshot.user_defined_types()) {
    double order = 0;
    for (const TypeDescriptor::Label& label : type->labels) {
      order += 1;
      writer.add({{"oid", number(label.oid)},
                  {"enumtypid", number(oid)},
                  {"enumsortorder", order},
                  {"enumlabel", label.text}});
    }
  }
}

void write_pg_constraint(const SystemRowContext& context, SystemRowWriter& writer) {
  for (const auto& [oid, type] : context.snapshot.user_defined_types()) {
    for (const TypeDescriptor::Check& check : type->checks) {
      writer.add({
          {"oid", number(check.oid)},
          {"conname", check.name},
          {"connamespace", number(type->schema)},
          {"contype", letter('c')},
          {"convalidated", check.validated},
          {"contypid", number(oid)},
          {"confupdtype", std::string(" ")},
          {"confdeltype", std::string(" ")},
          {"confmatchtype", std::string(" ")},
          {"conislocal", true},
          {"conbin", check.sql},
      });
    }
  }
  for (const auto& [oid, table] : context.snapshot.tables()) {
    for (const auto& constraint : table->constraints) {
      write_constraint(*table, constraint, writer);
    }
  }
}

void write_pg_sequence(const SystemRowContext& context, SystemRowWriter& writer) {
  for (const auto& [oid, sequence] : context.snapshot.sequences()) {
    writer.add({
        {"seqrelid", number(oid)},
        {"seqtypid", number(sequence->type)},
        {"seqstart", sequence->start},
        {"seqincrement", sequence->increment},
        {"seqmax", sequence->max},
        {"seqmin", sequence->min},
        {"seqcache", sequence->cache},
        {"seqcycle", sequence->cycle},
    });
  }
}

void write_pg_rewrite(const SystemRowContext& context, SystemRowWriter& writer) {
  for (const auto& [oid, table] : context.snapshot.tables()) {
    if (!table->view_sql.empty()) {
      writer.add({
          {"oid", number(kRuleOidBase + oid)},
          {"rulename", std::string("_RETURN")},
          {"ev_class", number(oid)},
          {"ev_type", letter('1')},
          {"ev_enabled", letter('O')},
          {"is_instead", true},
      });
    }
  }
}

void write_pg_description(const SystemRowContext& context, SystemRowWriter& writer) {
  const auto add = [&](Oid object, Oid catalog, int64_t column, const std::string& comment) {
    if (!comment.empty()) {
      writer.add(
          {{"objoid", number(object)}, {"classoid", number(catalog)}, {"objsubid", column}, {"description", comment}});
    }
  };
  for (const auto& [oid, schema] : context.snapshot.schemas()) {
    add(oid, kPgNamespace, 0, schema->comment);
  }
  for (const auto& [oid, table] : context.snapshot.tables()) {
    add(oid, kPgClass, 0, table->comment);
    for (const auto& column : table->columns) {
      add(oid, kPgClass, column.number, column.dropped ? std::string() : column.comment);
    }
    for (const auto& index : table->indexes) {
      add(index.oid, kPgClass, 0, index.comment);
    }
    for (const auto& constraint : table->constraints) {
      add(constraint.oid, kPgConstraint, 0, constraint.comment);
    }
  }
  for (const auto& [oid, sequence] : context.snapshot.sequences()) {
    add(oid, kPgClass, 0, sequence->comment);
  }
  for (const auto& [oid, type] : context.snapshot.user_defined_types()) {
    add(oid, kPgType, 0, type->comment);
  }
}

void write_pg_depend(const SystemRowContext& context, SystemRowWriter& writer) {
  const auto add = [&](Oid catalog, Oid object, Oid on_catalog, Oid on, int64_t on_column, char type) {
    writer.add({{"classid", number(catalog)},
                {"objid", number(object)},
                {"refclassid", number(on_catalog)},
                {"refobjid", number(on)},
                {"refobjsubid", on_column},
                {"deptype", letter(type)}});
  };
  add(kPgNamespace, kPandoSchema, kPgExtension, kPandoExtension, 0, 'e');
  for (const auto& [oid, table] : context.snapshot.tables()) {
    if (table->schema == kPandoSchema) {
      add(kPgClass, oid, kPgExtension, kPandoExtension, 0, 'e');
    }
  }
  for (const auto& [oid, sequence] : context.snapshot.sequences()) {
    if (sequence->owner_table != 0) {
      add(kPgClass, oid, kPgClass, sequence->owner_table, sequence->owner_column, sequence->is_identity ? 'i' : 'a');
    }
  }
  for (const auto& [oid, type] : context.snapshot.user_defined_types()) {
    if (type->kind == UserTypeKind::kComposite) {
      add(kPgClass, relation_of(*type), kPgType, oid, 0, 'i');
    }
    for (const TypeDescriptor::Attribute& attribute : type->attributes) {
      const Oid named = attribute.domain != 0                 ? attribute.domain
                        : types::is_array(attribute.type.oid) ? types::element_of(attribute.type.oid)
                                                              : attribute.type.oid;
      if (named >= types::oid::kFirstUser) {
        add(kPgClass, relation_of(*type), kPgType, named, 0, 'n');
      }
    }
  }
  for (const auto& [oid, table] : context.snapshot.tables()) {
    for (const auto& column : table->columns) {
      if (!column.default_sql.empty() && !column.dropped) {
        add(kPgAttrdef, default_oid(*table, column), kPgClass, oid, column.number, 'a');
      }
      if (const Oid sequence = column.dropped ? 0 : drawn_sequence(column, context.snapshot); sequence != 0) {
        add(kPgAttrdef, default_oid(*table, column), kPgClass, sequence, 0, 'n');
      }
    }
    for (const auto& constraint : table->constraints) {
      if (constraint.index != 0 && constraint.kind != ConstraintKind::kForeign) {
        add(kPgClass, constraint.index, kPgConstraint, constraint.oid, 0, 'i');
      }
    }
  }
}

}  // namespace pando::catalog
