// What the catalog keeps as text names relations and columns: it is written again when one of them is called otherwise.

#include "sql/ddl/stored_text.h"

#include <algorithm>

#include "sql/bind/trace.h"
#include "sql/ddl/definition.h"
#include "sql/deparse/deparse.h"

namespace pando::sql::ddl {
namespace {

std::string qualified(const catalog::Snapshot& names, Oid schema, const std::string& name) {
  const SchemaPtr found = names.find_schema(schema);
  return quote_identifier(found == nullptr ? "public" : found->name) + "." + quote_identifier(name);
}

PrintOptions print_options(const catalog::SnapshotPtr& names, Definition& definition) {
  PrintOptions options = definition.stored_print_options();
  options.object_name = [names, other = options.object_name](types::Oid type, types::Oid object) {
    const TablePtr table = type == types::oid::kRegclass ? names->find_table(object) : nullptr;
    const SequencePtr sequence = type == types::oid::kRegclass ? names->find_sequence(object) : nullptr;
    return table      ? qualified(*names, table->schema, table->name)
           : sequence ? qualified(*names, sequence->schema, sequence->name)
                      : other(type, object);
  };
  return options;
}

// The view's query with the names that relations and columns have in `names`. Nullopt when that cannot be written.
std::optional<std::string> view_text(const StoredText::View& view, const catalog::SnapshotPtr& names,
                                     Definition& definition) {
  const auto now = [&](const TableDescriptor& table) {
    const TablePtr found = names->find_table(table.oid);
    return found == nullptr ? std::make_shared<const TableDescriptor>(table) : found;
  };
  DeparseOptions options;
  options.stored = true;
  options.print = print_options(names, definition);
  options.type = [&](const ast::TypeName& name) { return definition.qualified_type_name(name.names); };
  options.relation = [&](const TableDescriptor& table) {
    return qualified(*names, now(table)->schema, now(table)->name);
  };
  options.relation_name = [&](const TableDescriptor& table) { return now(table)->name; };
  options.column_name = [&](const TableDescriptor& table, const std::string& name) {
    const ColumnDescriptor* column = table.find_column(name);
    return column == nullptr ? name : now(table)->column(column->number).name;
  };
  for (const ColumnDescriptor& column : now(*view.view)->columns) {
    if (!column.dropped) {
      options.view_columns.push_back(column.name);
    }
  }
  auto text = deparse_query(std::get<ast::Select>(view.tree->node), view.trace, options);
  return text ? std::optional(text->substr(text->find_first_not_of(' '))) : std::nullopt;
}

Task<Status> renew_views(const StoredText* stored, Definition* definition) {
  const catalog::SnapshotPtr after = definition->snapshot();
  for (const StoredText::View& view : stored->views) {
    const auto before_text = view_text(view, stored->before, *definition);
    const auto text = view_text(view, after, *definition);
    if (text == before_text && text.has_value()) {
      continue;
    }
    if (!text) {
      // Of use as it is, or not at all.
      BindOptions bind = definition->bind_options();
      bind.text = view.view->view_sql;
      if (bind_query(*view.tree, bind).ok()) {
        continue;
      }
      co_return Status(sql_state::kFeatureNotSupported, "renaming what view \"{}\" uses in this way is not supported",
                       view.view->name)
          .with_hint("Drop the view, rename, and create it again.");
    }
    TableDescriptor changed = *after->find_table(view.view->oid);
    changed.view_sql = *text;
    PANDO_CO_TRY(co_await definition->put_table(std::move(changed)));
  }
  co_return Status();
}

// DEFAULT nextval('s.q'::regclass).
Task<Status> renew_defaults(const StoredText* stored, Definition* definition) {
  for (const StoredText::Default& value : stored->defaults) {
    const TablePtr table = definition->snapshot()->find_table(value.table);
    const std::string text = print_expr(value.value, print_options(definition->snapshot(), *definition));
    if (table != nullptr && table->column(value.attribute).default_sql != text) {
      TableDescriptor changed = *table;
      changed.columns[static_cast<std::size_t>(value.attribute) - 1].default_sql = text;
      PANDO_CO_TRY(co_await definition->put_table(std::move(changed)));
    }
  }
  co_return Status();
}

}  // namespace

StoredText read_stored(Definition& definition) {
  StoredText stored;
  stored.before = definition.snapshot();
  for (const auto& [oid, table] : stored.before->tables()) {
    if (!table->view_sql.empty() && oid >= types::oid::kFirstUser) {
      StoredText::View view;
      view.view = table;
      BindOptions bind = definition.bind_options();
      bind.text = table->view_sql;
      bind.trace = &view.trace;
      auto parsed = bind.parse_statement(table->view_sql);
      if (parsed.ok() && std::holds_alternative<ast::Select>((*parsed)->node) && bind_query(**parsed, bind).ok()) {
        view.tree = *std::move(parsed);
        stored.views.push_back(std::move(view));
      }
    }
    for (const ColumnDescriptor& column : table->columns) {
      const bool names_relation = column.default_sql.find("::regclass") != std::string::npos;
      if (names_relation && !column.dropped && !column.generated) {
        auto value = bind_stored_default(table, column.number, definition.bind_options());
        if (value.ok()) {
          stored.defaults.push_back({oid, column.number, *std::move(value)});
        }
      }
    }
  }
  return stored;
}

Task<Status> renew_stored(StoredText stored, Definition* definition) {
  PANDO_CO_TRY(co_await renew_defaults(&stored, definition));
  co_return co_await renew_views(&stored, definition);
}

}  // namespace pando::sql::ddl
