#include "catalog/system_relations.h"

#include <algorithm>
#include <charconv>

#include "catalog/system_views.h"
#include "types/text_io.h"

namespace pando::catalog {
namespace {

constexpr std::string_view kPgCatalogRelations =
#include "catalog/pg_catalog_relations.inc"
    ;

// Virtual tables of the schema pando, in the same form; the types are int8 20, int4 23, text 25, bool 16, float8 701,
// timestamptz 1184 and int4[] 1007.
constexpr std::string_view kPandoRelations =
    "nodes|13080|r|0|node_id:23:1,sql_address:25:1,peer_address:25:1,locality:25:1,state:25:1,is_live:16:1,"
    "started_at:1184:0,version:25:1\n"
    "shards|13081|r|0|shard_id:20:1,generation:20:1,start_key:25:1,end_key:25:0,leaseholder:23:0,replicas:1007:1\n"
    "jobs|13083|r|0|job_id:20:1,kind:25:1,statement:25:1,state:25:1,progress:701:1,rows_done:20:1,rows_total:20:0,"
    "error:25:0,node_id:23:0,term:20:1,created_at:1184:1,started_at:1184:0,finished_at:1184:0\n";

// OIDs of our own views and virtual tables, below those PostgreSQL's initdb gives.
constexpr Oid kFirstOwnRelation = 13100;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

Oid to_oid(std::string_view digits) {
  Oid number = 0;
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  PANDO_ASSERT(end == digits.data() + digits.size(), "a malformed line of pg_catalog_relations.inc");
  return number;
}

// Types the engine has no values of (inet, pg_lsn, statistics, arrays of just any type) are shown as text.
types::Type shown_type(Oid oid) {
  const bool has_values = types::find_type(oid) != nullptr && oid != types::oid::kAnyArray;
  return {has_values ? oid : types::oid::kText};
}

void add_column(TableDescriptor& table, std::string_view name, Oid type, bool not_null) {
  ColumnDescriptor column;
  column.number = static_cast<AttributeNumber>(table.columns.size() + 1);
  column.name = name;
  column.type = shown_type(type);
  column.not_null = not_null;
  table.columns.push_back(std::move(column));
}

// "name|oid|relkind|row type|column:type:not null,..."
std::shared_ptr<TableDescriptor> parse_relation(std::string_view line) {
  const auto parts = split(line, '|');
  PANDO_ASSERT(parts.size() == 5, "a malformed line of pg_catalog_relations.inc");
  auto table = std::make_shared<TableDescriptor>();
  table->name = parts[0];
  table->oid = to_oid(parts[1]);
  table->schema = kPgCatalogSchema;
  table->kind = RelationKind::kVirtual;
  table->row_type = to_oid(parts[3]);
  for (const auto column : split(parts[4], ',')) {
    const auto fields = split(column, ':');
    add_column(*table, fields[0], to_oid(fields[1]), fields[2] == "1");
  }
  return table;
}

std::shared_ptr<TableDescriptor> make_view(const SystemView& view, Oid oid) {
  auto table = std::make_shared<TableDescriptor>();
  table->oid = oid;
  table->schema = view.schema;
  table->name = view.name;
  table->kind = RelationKind::kView;
  table->view_sql = view.sql;
  for (const auto column : split(view.columns, ',')) {
    const auto colon = column.find(':');
    add_column(*table, column.substr(0, colon), to_oid(column.substr(colon + 1)), false);
  }
  return table;
}

}  // namespace

std::vector<TablePtr> system_relations() {
  std::vector<TablePtr> relations;
  std::vector<SystemView> views(system_views().begin(), system_views().end());
  // Their OIDs follow from their places: what is new comes last.
  views.insert(views.end(), information_schema_views().begin(), information_schema_views().end());
  for (const auto line : split(kPgCatalogRelations, '\n')) {
    if (line.empty()) {
      continue;
    }
    auto table = parse_relation(line);
    const auto view = std::ranges::find_if(
        views, [&](const SystemView& v) { return v.schema == kPgCatalogSchema && v.name == table->name; });
    if (view != views.end()) {
      table->kind = RelationKind::kView;
      table->view_sql = view->sql;
      views.erase(view);
    }
    relations.push_back(std::move(table));
  }
  for (const auto line : split(kPandoRelations, '\n')) {
    if (!line.empty()) {
      auto table = parse_relation(line);
      table->schema = kPandoSchema;
      relations.push_back(std::move(table));
    }
  }
  Oid next_oid = kFirstOwnRelation;
  for (const auto& view : views) {
    relations.push_back(make_view(view, next_oid++));
  }
  return relations;
}

void SystemRowWriter::add(std::initializer_list<NamedCell> cells) {
  std::vector<Cell> row(table_.columns.size());
  for (const auto& [name, cell] : cells) {
    const ColumnDescriptor* column = table_.find_column(name);
    PANDO_ASSERT(column != nullptr, "a cell of a column that the relation does not have");
    row[static_cast<std::size_t>(column->number) - 1] = cell;
  }
  rows_.push_back(std::move(row));
}

Result<std::vector<types::Chunk>> SystemRowWriter::take() && {
  std::vector<types::Chunk> chunks;
  for (std::size_t start = 0; start < rows_.size(); start += types::kVectorRows) {
    types::Chunk chunk;
    chunk.rows = std::min(types::kVectorRows, rows_.size() - start);
    for (std::size_t i = 0; i < table_.columns.size(); ++i) {
      types::Vector column(types::physical_of(table_.columns[i].type.oid));
      column.reset(chunk.rows);
      for (std::size_t row = 0; row < chunk.rows; ++row) {
        PANDO_ASSIGN(const types::Value value, convert(table_.columns[i], rows_[start + row][i]));
        column.set(row, value);
      }
      chunk.columns.push_back(std::move(column));
    }
    chunks.push_back(std::move(chunk));
  }
  return chunks;
}

namespace {

Cell default_cell(const ColumnDescriptor& column) {
  if (!column.not_null) {
    return std::monostate();
  }
  const types::TypeInfo* info = types::find_type(column.type.oid);
  switch (info->physical) {
    case types::Physical::kBool:
      return false;
    case types::Physical::kBytes:
      return info->element != 0 && info->category == 'A' ? std::string("{}") : std::string();
    default:
      return int64_t{0};
  }
}

std::string text_of(const Cell& cell) {
  if (const auto* number = std::get_if<int64_t>(&cell)) {
    return fmt::format("{}", *number);
  }
  if (const auto* number = std::get_if<double>(&cell)) {
    return fmt::format("{}", *number);
  }
  if (const auto* flag = std::get_if<bool>(&cell)) {
    return *flag ? "t" : "f";
  }
  return std::get<std::string>(cell);
}

}  // namespace

Result<types::Value> SystemRowWriter::convert(const ColumnDescriptor& column, const Cell& given) const {
  const Cell cell = std::holds_alternative<std::monostate>(given) ? default_cell(column) : given;
  if (std::holds_alternative<std::monostate>(cell)) {
    return types::Value::null();
  }
  const types::Physical physical = types::physical_of(column.type.oid);
  if (const auto* number = std::get_if<int64_t>(&cell)) {
    switch (physical) {
      case types::Physical::kInt16:
        return types::Value::of_int16(static_cast<int16_t>(*number));
      case types::Physical::kInt32:
        return types::Value::of_int32(static_cast<int32_t>(*number));
      case types::Physical::kUint32:
        return types::Value::of_uint32(static_cast<uint32_t>(*number));
      case types::Physical::kInt64:
        return types::Value::of_int64(*number);
      default:
        break;
    }
  }
  const std::string text = text_of(cell);
  const bool is_plain_text = column.type.oid == types::oid::kText || column.type.oid == types::oid::kName ||
                             column.type.oid == types::oid::kPgNodeTree;
  if (is_plain_text) {
    return types::Value::of_bytes(text);
  }
  return types::parse_text(column.type, text, types::Settings());
}

}  // namespace pando::catalog
