#pragma once

// Status and Result<T>: expected failures as values. No exception crosses a function of ours.
//
//   Result<Row> load(Key key) {
//     PANDO_TRY(check(key));                     // returns the Status if it is an error
//     PANDO_ASSIGN(auto bytes, read(key));       // unwraps a Result, or returns its Status
//     if (bytes.empty()) return Status(sql_state::kNoData, "no row with key {}", key);
//     return decode(bytes);
//   }
//
// In a coroutine that returns Task<Status> or Task<Result<T>> use PANDO_CO_TRY and PANDO_CO_ASSIGN.
// An OK Status is one null pointer. Thread-safety: as a value type.

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/sql_state.h"

namespace pando {

// What a client is told of an error: the fields of PostgreSQL's ErrorResponse (protocol documentation, 55.8).
struct ErrorFields {
  SqlState code = sql_state::kInternalError;
  std::string message;
  std::string detail;
  std::string hint;
  // 1-based position in the statement, counted in characters; 0 when there is none.
  int position = 0;
  std::string internal_query;
  std::string where;
  std::string schema_name;
  std::string table_name;
  std::string column_name;
  std::string data_type_name;
  std::string constraint_name;
};

class [[nodiscard]] Status {
 public:
  // OK.
  Status() = default;

  template <typename... Args>
  Status(SqlState code, fmt::format_string<Args...> format, Args&&... args)
      : Status(from_message(code, fmt::format(format, std::forward<Args>(args)...))) {}
  static Status from_message(SqlState code, std::string message) {
    Status status;
    status.fields_ = std::make_unique<ErrorFields>();
    status.fields_->code = code;
    status.fields_->message = std::move(message);
    return status;
  }
  static Status from_fields(ErrorFields fields) {
    Status status;
    status.fields_ = std::make_unique<ErrorFields>(std::move(fields));
    return status;
  }

  Status(const Status& other) : fields_(other.fields_ ? std::make_unique<ErrorFields>(*other.fields_) : nullptr) {}
  Status& operator=(const Status& other) {
    fields_ = other.fields_ ? std::make_unique<ErrorFields>(*other.fields_) : nullptr;
    return *this;
  }
  Status(Status&&) noexcept = default;
  Status& operator=(Status&&) noexcept = default;
  ~Status() = default;

  bool ok() const { return fields_ == nullptr; }
  SqlState code() const { return fields_ ? fields_->code : sql_state::kSuccess; }
  bool is(SqlState code) const { return this->code() == code; }
  std::string_view message() const { return fields_ ? std::string_view(fields_->message) : "OK"; }

  // REQUIRES: !ok().
  const ErrorFields& fields() const {
    PANDO_ASSERT(fields_ != nullptr, "an OK status has no fields");
    return *fields_;
  }
  ErrorFields& fields() {
    PANDO_ASSERT(fields_ != nullptr, "an OK status has no fields");
    return *fields_;
  }

  // Add to an error, for chaining where it is made: `return Status(...).with_hint("...")`.
  Status&& with_detail(std::string detail) && { return fields().detail = std::move(detail), std::move(*this); }
  Status&& with_hint(std::string hint) && { return fields().hint = std::move(hint), std::move(*this); }
  Status&& with_position(int position) && { return fields().position = position, std::move(*this); }
  Status&& with_constraint(std::string schema, std::string table, std::string constraint) && {
    fields().schema_name = std::move(schema);
    fields().table_name = std::move(table);
    fields().constraint_name = std::move(constraint);
    return std::move(*this);
  }

  // Spells out that an error does not matter here.
  void ignore(const char* why) const { static_cast<void>(why); }

  // "SQLSTATE: message", or "OK".
  std::string to_string() const { return ok() ? "OK" : fmt::format("{}: {}", code().view(), message()); }

 private:
  std::unique_ptr<ErrorFields> fields_;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  // NOLINTBEGIN(google-explicit-constructor): a function that returns Result<T> returns a T or a Status.
  Result(T value) : state_(std::move(value)) {}
  Result(Status status) : state_(std::unexpected(std::move(status))) {
    PANDO_ASSERT(!state_.error().ok(), "a Result made from a Status must be an error");
  }
  template <typename U>
    requires std::is_convertible_v<U&&, T> && (!std::is_same_v<std::remove_cvref_t<U>, Result>) &&
             (!std::is_same_v<std::remove_cvref_t<U>, Status>) && (!std::is_same_v<std::remove_cvref_t<U>, T>)
  Result(U&& value) : state_(std::forward<U>(value)) {}
  // NOLINTEND(google-explicit-constructor)

  bool ok() const { return state_.has_value(); }
  // OK when there is a value.
  Status status() const& { return ok() ? Status() : state_.error(); }
  Status status() && { return ok() ? Status() : std::move(state_.error()); }

  // REQUIRES: ok().
  T& value() & { return check(), *state_; }
  const T& value() const& { return check(), *state_; }
  T&& value() && { return check(), std::move(*state_); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T value_or(T fallback) && { return ok() ? std::move(*state_) : std::move(fallback); }

 private:
  void check() const { PANDO_ASSERT(state_.has_value(), "the value of a failed Result"); }
  std::expected<T, Status> state_;
};

}  // namespace pando

#define PANDO_CONCAT_INNER(a, b) a##b
#define PANDO_CONCAT(a, b) PANDO_CONCAT_INNER(a, b)

#define PANDO_TRY_WITH(return_keyword, expression)                         \
  do {                                                                     \
    if (::pando::Status pando_status = (expression); !pando_status.ok()) { \
      return_keyword pando_status;                                         \
    }                                                                      \
  } while (false)
#define PANDO_ASSIGN_WITH(return_keyword, result, declaration, expression) \
  auto result = (expression);                                              \
  if (!result.ok()) [[unlikely]] {                                         \
    return_keyword std::move(result).status();                             \
  }                                                                        \
  declaration = *std::move(result)

// Returns the Status of `expression` from this function unless it is OK.
#define PANDO_TRY(...) PANDO_TRY_WITH(return, (__VA_ARGS__))
#define PANDO_CO_TRY(...) PANDO_TRY_WITH(co_return, (__VA_ARGS__))
// Declares (or assigns) from the value of a Result, or returns its Status from this function.
#define PANDO_ASSIGN(declaration, ...) \
  PANDO_ASSIGN_WITH(return, PANDO_CONCAT(pando_result_, __COUNTER__), declaration, (__VA_ARGS__))
#define PANDO_CO_ASSIGN(declaration, ...) \
  PANDO_ASSIGN_WITH(co_return, PANDO_CONCAT(pando_result_, __COUNTER__), declaration, (__VA_ARGS__))
