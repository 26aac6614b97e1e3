#include <fmt/format.h>

#include "api/state.h"

namespace pando {
namespace {

// COPY's text form: tab-separated, backslash escapes, \N for NULL.
void append_copy_field(const Parameter& value, Bytes& out) {
  if (std::holds_alternative<std::nullptr_t>(value)) {
    out += "\\N";
    return;
  }
  if (const auto* flag = std::get_if<bool>(&value)) {
    out += *flag ? "t" : "f";
    return;
  }
  if (const auto* number = std::get_if<int64_t>(&value)) {
    fmt::format_to(std::back_inserter(out), "{}", *number);
    return;
  }
  if (const auto* number = std::get_if<double>(&value)) {
    fmt::format_to(std::back_inserter(out), "{}", *number);
    return;
  }
  for (const char c : std::get<std::string>(value)) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += c;
    }
  }
}

}  // namespace

Statement::Statement(std::unique_ptr<State> state) : state_(std::move(state)) {}
Statement::Statement(Statement&&) noexcept = default;

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

Statement::~Statement() {
  if (state_) {
    state_->connection->session.close_statement(state_->name);
  }
}

std::size_t Statement::parameter_count() const { return state_->parameters.size(); }

Error Statement::bind(std::size_t index, Parameter value) {
  if (index == 0 || index > state_->parameters.size()) {
    return to_error(Status(sql_state::kUndefinedParameter, "there is no parameter ${}", index));
  }
  state_->parameters[index - 1] = std::move(value);
  return {};
}

Expected<Rows> Statement::query() {
  if (Status status = state_->connection->bind(state_->name, state_->parameters); !status.ok()) {
    return to_unexpected(status);
  }
  auto rows = std::make_unique<Rows::State>();
  rows->connection = state_->connection;
  rows->fetch();
  if (!rows->error.ok()) {
    return std::unexpected(rows->error);
  }
  return Rows(std::move(rows));
}

Expected<uint64_t> Statement::execute() {
  auto rows = query();
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

Appender::Appender(std::unique_ptr<State> state) : state_(std::move(state)) {}
Appender::Appender(Appender&&) noexcept = default;
Appender& Appender::operator=(Appender&&) noexcept = default;
Appender::~Appender() = default;

Error Appender::append(std::initializer_list<Parameter> row) {
  return append(std::span<const Parameter>(row.begin(), row.size()));
}

Error Appender::append(std::span<const Parameter> row) {
  if (state_->columns == 0) {
    state_->columns = row.size();
  }
  if (row.size() != state_->columns) {
    return to_error(
        Status(sql_state::kBadCopyFileFormat, "expected {} values in a row, found {}", state_->columns, row.size()));
  }
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) {
      state_->data += '\t';
    }
    append_copy_field(row[i], state_->data);
  }
  state_->data += '\n';
  return {};
}

Expected<uint64_t> Appender::finish() {
  CollectingSink sink;
  sink.set_copy_data(std::exchange(state_->data, Bytes()));
  if (Status status = state_->connection->run(state_->copy_sql, sink); !status.ok()) {
    return to_unexpected(status);
  }
  return row_count(sink.tag());
}

}  // namespace pando
