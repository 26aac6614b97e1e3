#include "api/state.h"

namespace pando {
namespace {

// Text of a parameter, for types whose values are easiest given as text.
Bytes text_of(const Parameter& parameter) {
  if (const auto* flag = std::get_if<bool>(&parameter)) {
    return *flag ? "true" : "false";
  }
  if (const auto* number = std::get_if<int64_t>(&parameter)) {
    return fmt::format("{}", *number);
  }
  if (const auto* number = std::get_if<double>(&parameter)) {
    return fmt::format("{}", *number);
  }
  return std::get<std::string>(parameter);
}

// The parameter as a value of its type, when that needs no parsing.
std::optional<types::Value> direct_value(const Parameter& parameter, types::Type type) {
  using types::Physical;
  const types::TypeInfo* info = types::find_type(type.oid);
  if (info == nullptr) {
    return std::nullopt;
  }
  if (const auto* number = std::get_if<int64_t>(&parameter)) {
    switch (info->physical) {
      case Physical::kInt64:
        return type.oid == types::oid::kInt8 ? std::optional(types::Value::of_int64(*number)) : std::nullopt;
      case Physical::kInt32:
        return type.oid == types::oid::kInt4 && *number == static_cast<int32_t>(*number)
                   ? std::optional(types::Value::of_int32(static_cast<int32_t>(*number)))
                   : std::nullopt;
      case Physical::kFloat64:
        return types::Value::of_float64(static_cast<double>(*number));
      default:
        return std::nullopt;
    }
  }
  if (const auto* number = std::get_if<double>(&parameter); number != nullptr && info->physical == Physical::kFloat64) {
    return types::Value::of_float64(*number);
  }
  if (const auto* flag = std::get_if<bool>(&parameter); flag != nullptr && info->physical == Physical::kBool) {
    return types::Value::of_bool(*flag);
  }
  return std::nullopt;
}

}  // namespace

Status CollectingSink::add_rows(const types::Chunk& chunk, std::size_t first, std::size_t count) {
  if (first == 0 && count == chunk.rows) {
    chunks_.push_back(chunk);
    return {};
  }
  std::vector<uint32_t> rows(count);
  for (std::size_t i = 0; i < count; ++i) {
    rows[i] = static_cast<uint32_t>(first + i);
  }
  types::Chunk part;
  part.rows = count;
  for (const types::Vector& column : chunk.columns) {
    part.columns.emplace_back(column.physical()).gather(column, rows.data(), count);
  }
  chunks_.push_back(std::move(part));
  return {};
}

Task<Result<bool>> CollectingSink::read_copy_data(Bytes& data) {
  data = std::exchange(copy_data_, Bytes());
  co_return !data.empty();
}

Status Connection::State::run(std::string_view sql, CollectingSink& sink) {
  return runtime::block_on(executor, session.run(Bytes(sql), &sink));
}

Status Connection::State::prepare(const std::string& name, std::string_view sql) {
  const Status status = session.prepare(name, Bytes(sql), {});
  if (!status.ok()) {
    runtime::block_on(executor, session.fail());
    sync().ignore("the first error tells more");
  }
  return status;
}

Status Connection::State::bind(const std::string& statement, std::span<const Parameter> parameters) {
  auto prepared = session.describe_statement(statement);
  if (!prepared.ok()) {
    return prepared.status();
  }
  const auto& types = (*prepared)->parameter_types;
  values.resize(parameters.size());
  texts.resize(parameters.size());
  bound.assign(parameters.size(), {});
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (std::holds_alternative<std::nullptr_t>(parameters[i])) {
      bound[i].is_null = true;
    } else if (auto value = i < types.size() ? direct_value(parameters[i], types[i]) : std::nullopt) {
      values[i] = *std::move(value);
      bound[i].value = &values[i];
    } else {
      texts[i] = text_of(parameters[i]);
      bound[i].bytes = texts[i];
    }
  }
  const Status status = session.bind({.portal = "", .statement = statement, .parameters = bound, .result_formats = {}});
  if (!status.ok()) {
    runtime::block_on(executor, session.fail());
    sync().ignore("the first error tells more");
  }
  return status;
}

Result<session::ExecuteOutcome> Connection::State::fetch(uint64_t rows_max, CollectingSink& sink) {
  Status status;
  if (session.try_execute("", rows_max, &sink, status)) {
    return status.ok() ? Result(session::ExecuteOutcome::kCompleted) : Result<session::ExecuteOutcome>(status);
  }
  return runtime::block_on(executor, session.execute("", rows_max, &sink));
}

Status Connection::State::sync() {
  if (session.try_sync()) {
    return {};
  }
  return runtime::block_on(executor, session.sync());
}

uint64_t row_count(std::string_view tag) {
  const auto space = tag.rfind(' ');
  uint64_t count = 0;
  for (const char c : space == std::string_view::npos ? std::string_view() : tag.substr(space + 1)) {
    if (c < '0' || c > '9') {
      return 0;
    }
    count = count * 10 + static_cast<uint64_t>(c - '0');
  }
  return count;
}

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Connection::Connection(Connection&&) noexcept = default;

Connection& Connection::operator=(Connection&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

Connection::~Connection() {
  if (state_) {
    runtime::block_on(state_->executor, state_->session.close());
  }
}

Error Connection::execute(std::string_view sql) {
  CollectingSink sink;
  return to_error(state_->run(sql, sink));
}

Expected<uint64_t> Connection::execute(std::string_view sql, std::initializer_list<Parameter> parameters) {
  auto rows = query(sql, parameters);
  if (!rows) {
    return std::unexpected(rows.error());
  }
  while (rows->next()) {
  }
  if (!rows->error().ok()) {
    return std::unexpected(rows->error());
  }
  return row_count(rows->command_tag());
}

Expected<Rows> Connection::query(std::string_view sql, std::initializer_list<Parameter> parameters) {
  if (Status status = state_->prepare("", sql); !status.ok()) {
    return to_unexpected(status);
  }
  if (Status status = state_->bind("", {parameters.begin(), parameters.size()}); !status.ok()) {
    return to_unexpected(status);
  }
  auto state = std::make_unique<Rows::State>();
  state->connection = state_.get();
  state->fetch();
  if (!state->error.ok()) {
    return std::unexpected(state->error);
  }
  return Rows(std::move(state));
}

Expected<Statement> Connection::prepare(std::string_view sql) {
  auto state = std::make_unique<Statement::State>();
  state->connection = state_.get();
  state->name = fmt::format("pando_{}", state_->next_statement++);
  if (Status status = state_->prepare(state->name, sql); !status.ok()) {
    return to_unexpected(status);
  }
  const auto prepared = state_->session.describe_statement(state->name);
  if (!prepared.ok()) {
    return to_unexpected(prepared.status());
  }
  state->parameters.resize((*prepared)->parameter_types.size());
  return Statement(std::move(state));
}

Expected<Appender> Connection::appender(std::string_view table, std::vector<std::string> columns) {
  const auto quoted = [](std::string_view name) {
    std::string text = "\"";
    for (const char c : name) {
      text += c == '"' ? "\"\"" : std::string(1, c);
    }
    return text + "\"";
  };
  auto state = std::make_unique<Appender::State>();
  state->connection = state_.get();
  state->columns = columns.size();
  state->copy_sql = fmt::format("COPY {}", quoted(table));
  for (std::size_t i = 0; i < columns.size(); ++i) {
    state->copy_sql += (i == 0 ? " (" : ", ") + quoted(columns[i]);
  }
  state->copy_sql += columns.empty() ? " FROM STDIN" : ") FROM STDIN";
  return Appender(std::move(state));
}

Error Connection::begin() { return execute("BEGIN"); }
Error Connection::commit() { return execute("COMMIT"); }
Error Connection::rollback() { return execute("ROLLBACK"); }
bool Connection::in_transaction() const { return state_->session.transaction_status() != 'I'; }
void Connection::cancel() {
  state_->session.request_cancel(Status(sql_state::kQueryCanceled, "canceling statement due to user request"));
}

}  // namespace pando
