// Session: CREATE DATABASE and DROP DATABASE.

#include <algorithm>
#include <array>

#include "session/databases.h"
#include "session/option_values.h"
#include "session/session.h"

namespace pando::session {
namespace {

// The databases that pg_database shows, and that nobody can use.
bool is_template(std::string_view name) { return name == "template0" || name == "template1"; }

// What every database is; others of PostgreSQL's options have no meaning here, or only until there is authentication.
Status check_options(const ast::OptionList& options) {
  constexpr std::array<std::string_view, 12> kNoEffect = {
      "owner",       "lc_collate",        "lc_ctype",         "locale",
      "icu_locale",  "locale_provider",   "tablespace",       "strategy",
      "is_template", "allow_connections", "connection_limit", "collation_version"};
  for (const ast::Option& option : options) {
    const std::string value = option_text(option).value_or("");
    if (option.name == "encoding") {
      std::string letters = value;
      std::erase(letters, '-');
      std::ranges::transform(letters, letters.begin(),
                             [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      if (letters != "utf8" && letters != "unicode" && !letters.empty()) {
        return Status(sql_state::kFeatureNotSupported, "encoding \"{}\" is not supported", value)
            .with_hint("Every database is UTF8.");
      }
    } else if (option.name == "template") {
      if (!is_template(value) && value != "default" && !value.empty()) {
        return {sql_state::kFeatureNotSupported, "copying database \"{}\" is not supported", value};
      }
    } else if (std::ranges::find(kNoEffect, option.name) == kNoEffect.end()) {
      return {sql_state::kSyntaxError, "option \"{}\" not recognized", option.name};
    }
  }
  return {};
}

}  // namespace

Status Session::check_alone(std::string_view command, const Output& output) const {
  if (!output.alone) {
    return {sql_state::kActiveSqlTransaction, "{} cannot run inside a transaction block", command};
  }
  return environment_.databases == nullptr
             ? Status(sql_state::kFeatureNotSupported, "{} is not supported in a cluster", command)
             : Status();
}

Task<Result<std::string>> Session::run_create_database(const ast::CreateDatabase& command, Output output) {
  PANDO_CO_TRY(check_alone("CREATE DATABASE", output));
  PANDO_CO_TRY(check_options(command.options));
  if (is_template(command.name)) {
    co_return Status(sql_state::kDuplicateDatabase, "database \"{}\" already exists", command.name);
  }
  PANDO_CO_TRY(co_await environment_.databases->create(command.name, executor_));
  co_return "CREATE DATABASE";
}

Task<Result<std::string>> Session::run_drop_database(const ast::DropDatabase& command, Output output) {
  PANDO_CO_TRY(check_alone("DROP DATABASE", output));
  if (command.name == identity_.database) {
    co_return Status(sql_state::kObjectInUse, "cannot drop the currently open database");
  }
  if (is_template(command.name)) {
    co_return Status(sql_state::kWrongObjectType, "cannot drop a template database");
  }
  if (command.name == "postgres") {
    co_return Status(sql_state::kFeatureNotSupported, "the database \"postgres\" cannot be dropped");
  }
  Status dropped = co_await environment_.databases->drop(command.name, executor_);
  if (dropped.is(sql_state::kInvalidCatalogName) && command.if_exists) {
    notice(output, Status::from_message(sql_state::kSuccess, std::string(dropped.message()) + ", skipping"));
    dropped = Status();
  }
  PANDO_CO_TRY(std::move(dropped));
  co_return "DROP DATABASE";
}

}  // namespace pando::session
