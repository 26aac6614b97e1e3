#include "sql/ddl/definition.h"

namespace pando::sql::ddl {
namespace {

struct Limits {
  int64_t min;
  int64_t max;
};

Limits limits_of(Oid type) {
  switch (type) {
    case types::oid::kInt2:
      return {INT16_MIN, INT16_MAX};
    case types::oid::kInt4:
      return {INT32_MIN, INT32_MAX};
    default:
      return {INT64_MIN, INT64_MAX};
  }
}

Result<int64_t> number_of(const ast::Option& option) {
  if (const auto* number = std::get_if<int64_t>(&option.value)) {
    return *number;
  }
  if (const auto* text = std::get_if<std::string>(&option.value)) {
    char* end = nullptr;
    errno = 0;
    const long long number = std::strtoll(text->c_str(), &end, 10);
    if (errno == 0 && *end == '\0' && !text->empty()) {
      return static_cast<int64_t>(number);
    }
  }
  return Status(sql_state::kInvalidTextRepresentation, "invalid value for sequence option \"{}\"", option.name);
}

struct Explicit {
  bool min = false;
  bool max = false;
  bool no_min = false;
  bool no_max = false;
  bool start = false;
};

Status apply_number(SequenceDescriptor& sequence, const ast::Option& option, Explicit& given) {
  const bool is_reset = std::holds_alternative<std::monostate>(option.value);
  if (option.name == "minvalue" || option.name == "maxvalue") {
    const bool is_min = option.name == "minvalue";
    (is_min ? given.min : given.max) = !is_reset;
    (is_min ? given.no_min : given.no_max) = is_reset;
    if (!is_reset) {
      PANDO_ASSIGN((is_min ? sequence.min : sequence.max), number_of(option));
    }
    return {};
  }
  PANDO_ASSIGN(const int64_t number, number_of(option));
  if (option.name == "increment") {
    if (number == 0) {
      return Status(sql_state::kInvalidParameterValue, "INCREMENT must not be zero");
    }
    sequence.increment = number;
  } else if (option.name == "start") {
    sequence.start = number;
    given.start = true;
  } else if (option.name == "cache") {
    if (number <= 0) {
      return Status(sql_state::kInvalidParameterValue, "CACHE ({}) must be greater than zero", number);
    }
    sequence.cache = number;
  }
  return {};
}

Status apply_type(SequenceDescriptor& sequence, const ast::Option& option, Definition& definition) {
  const auto* name = std::get_if<ast::TypeName>(&option.value);
  if (name == nullptr) {
    return Status(sql_state::kSyntaxError, "a sequence type must be a type name");
  }
  PANDO_ASSIGN(const types::Type type, bind_type(*name, definition.bind_options()));
  if (type.oid != types::oid::kInt2 && type.oid != types::oid::kInt4 && type.oid != types::oid::kInt8) {
    return Status(sql_state::kInvalidParameterValue, "sequence type must be smallint, integer, or bigint");
  }
  sequence.type = type.oid;
  return {};
}

Status apply_owner(SequenceDescriptor& sequence, const ast::Option& option, Definition& definition) {
  const auto* names = std::get_if<std::vector<std::string>>(&option.value);
  if (names == nullptr || names->empty() || (names->size() == 1 && names->front() == "none")) {
    sequence.owner_table = 0;
    sequence.owner_column = 0;
    return {};
  }
  if (names->size() < 2) {
    return Status(sql_state::kSyntaxError, "invalid OWNED BY option")
        .with_hint("Specify OWNED BY table.column or OWNED BY NONE.");
  }
  PANDO_ASSIGN(const auto relation, Definition::relation_name({names->begin(), names->end() - 1}));
  PANDO_ASSIGN(const TablePtr table, definition.find_table(relation));
  PANDO_ASSIGN(sequence.owner_column, Definition::find_attribute(*table, names->back()));
  sequence.owner_table = table->oid;
  return {};
}

Status check_bounds(const SequenceDescriptor& sequence) {
  const Limits limits = limits_of(sequence.type);
  if (sequence.max > limits.max || sequence.max < limits.min) {
    return Status(sql_state::kInvalidParameterValue, "MAXVALUE ({}) is out of range for sequence data type {}",
                  sequence.max, types::format_type({sequence.type}));
  }
  if (sequence.min > limits.max || sequence.min < limits.min) {
    return Status(sql_state::kInvalidParameterValue, "MINVALUE ({}) is out of range for sequence data type {}",
                  sequence.min, types::format_type({sequence.type}));
  }
  if (sequence.min >= sequence.max) {
    return Status(sql_state::kInvalidParameterValue, "MINVALUE ({}) must be less than MAXVALUE ({})", sequence.min,
                  sequence.max);
  }
  if (sequence.start < sequence.min) {
    return Status(sql_state::kInvalidParameterValue, "START value ({}) cannot be less than MINVALUE ({})",
                  sequence.start, sequence.min);
  }
  if (sequence.start > sequence.max) {
    return Status(sql_state::kInvalidParameterValue, "START value ({}) cannot be greater than MAXVALUE ({})",
                  sequence.start, sequence.max);
  }
  return {};
}

}  // namespace

Result<SequenceDescriptor> apply_sequence_options(SequenceDescriptor sequence, const ast::OptionList& options,
                                                  bool is_new, Definition& definition) {
  Explicit given;
  const SequenceDescriptor old = sequence;
  for (const auto& option : options) {
    if (option.name == "as") {
      PANDO_TRY(apply_type(sequence, option, definition));
    } else if (option.name == "cycle") {
      const auto* on = std::get_if<bool>(&option.value);
      sequence.cycle = on == nullptr || *on;
    } else if (option.name == "owned_by") {
      PANDO_TRY(apply_owner(sequence, option, definition));
    } else if (option.name != "restart" && option.name != "sequence_name") {
      PANDO_TRY(apply_number(sequence, option, given));
    }
  }
  const Limits limits = limits_of(sequence.type);
  const bool ascending = sequence.increment > 0;
  // A bound that was the old type's becomes the new one's.
  const bool retyped = !is_new && sequence.type != old.type;
  const bool follows_max = retyped && old.max == limits_of(old.type).max;
  const bool follows_min = retyped && old.min == limits_of(old.type).min;
  if (!given.max && (is_new || given.no_max || follows_max)) {
    sequence.max = ascending || follows_max ? limits.max : -1;
  }
  if (!given.min && (is_new || given.no_min || follows_min)) {
    sequence.min = ascending && !follows_min ? 1 : limits.min;
  }
  if (is_new && !given.start) {
    sequence.start = ascending ? sequence.min : sequence.max;
  }
  PANDO_TRY(check_bounds(sequence));
  return sequence;
}

Task<Result<Oid>> make_sequence(SequenceDescriptor sequence, Definition* definition) {
  const SchemaPtr schema = definition->snapshot()->find_schema(sequence.schema);
  PANDO_CO_TRY(co_await definition->claim_relation_name(schema, sequence.name));
  sequence.owner = definition->current_owner();
  PANDO_CO_ASSIGN(sequence.oid, co_await definition->allocate_oid());
  const Oid oid = sequence.oid;
  PANDO_CO_TRY(co_await definition->catalog().put(std::make_shared<const SequenceDescriptor>(std::move(sequence))));
  co_return oid;
}

namespace {

// The column that owns a sequence knows it, as after SERIAL; the column that owned it before does not any more.
Task<Status> note_owner(SequenceDescriptor sequence, Definition* definition) {
  const auto tables = definition->snapshot()->tables();
  for (const auto& [oid, table] : tables) {
    TableDescriptor changed = *table;
    bool differs = false;
    for (ColumnDescriptor& column : changed.columns) {
      const bool owns = oid == sequence.owner_table && column.number == sequence.owner_column;
      if (owns != (column.owned_sequence == sequence.oid)) {
        column.owned_sequence = owns ? sequence.oid : 0;
        differs = true;
      }
    }
    if (differs) {
      PANDO_CO_TRY((co_await definition->lock_for_change(oid)).status());
      PANDO_CO_TRY(co_await definition->put_table(std::move(changed)));
    }
  }
  co_return Status();
}

}  // namespace

Task<Result<std::string>> create_sequence(const ast::CreateSequence* statement, Definition* definition) {
  PANDO_CO_ASSIGN(const SchemaPtr schema, co_await definition->schema_for(statement->name));
  if (statement->if_not_exists && definition->snapshot()->relation_name_taken(schema->oid, statement->name.name)) {
    definition->notice(fmt::format("relation \"{}\" already exists, skipping", statement->name.name),
                       sql_state::kDuplicateTable);
    co_return std::string("CREATE SEQUENCE");
  }
  SequenceDescriptor sequence;
  sequence.schema = schema->oid;
  sequence.name = statement->name.name;
  PANDO_CO_ASSIGN(sequence, apply_sequence_options(std::move(sequence), statement->options, true, *definition));
  PANDO_CO_ASSIGN(sequence.oid, co_await make_sequence(sequence, definition));
  PANDO_CO_TRY(co_await note_owner(std::move(sequence), definition));
  co_return std::string("CREATE SEQUENCE");
}

Task<Result<std::string>> alter_sequence(const ast::AlterSequence* statement, Definition* definition) {
  auto found = definition->find_sequence(statement->name);
  if (!found.ok() && statement->if_exists && found.status().is(sql_state::kUndefinedTable)) {
    definition->notice(fmt::format("relation \"{}\" does not exist, skipping", statement->name.name));
    co_return std::string("ALTER SEQUENCE");
  }
  PANDO_CO_ASSIGN(const SequencePtr old, std::move(found));
  PANDO_CO_TRY(co_await change_sequence(old, &statement->options, definition));
  co_return std::string("ALTER SEQUENCE");
}

Task<Status> change_sequence(SequencePtr old, const ast::OptionList* options, Definition* definition) {
  PANDO_CO_ASSIGN(SequenceDescriptor changed, apply_sequence_options(*old, *options, false, *definition));
  if (changed.owner_table != old->owner_table || changed.owner_column != old->owner_column) {
    PANDO_CO_TRY(co_await note_owner(changed, definition));
  }
  const auto stored = std::make_shared<const SequenceDescriptor>(std::move(changed));
  PANDO_CO_TRY(co_await definition->catalog().put(stored));
  for (const auto& option : *options) {
    if (option.name == "restart") {
      int64_t value = stored->start;
      if (!std::holds_alternative<std::monostate>(option.value)) {
        PANDO_CO_ASSIGN(value, number_of(option));
      }
      if (value < stored->min || value > stored->max) {
        co_return Status(sql_state::kInvalidParameterValue, "RESTART value ({}) cannot be {} {} ({})", value,
                         value < stored->min ? "less than" : "greater than",
                         value < stored->min ? "MINVALUE" : "MAXVALUE",
                         value < stored->min ? stored->min : stored->max);
      }
      PANDO_CO_TRY(
          co_await definition->context().sequences.set(stored, {value, false}, definition->context().executor));
    }
  }
  co_return Status();
}

}  // namespace pando::sql::ddl
