#pragma once

// SessionSettings: the settings of one session, with the scopes of PostgreSQL's SET.
//
//   settings.begin_transaction();
//   PANDO_TRY(settings.set("work_mem", "8MB", SettingScope::kSession));
//   auto mark = settings.savepoint();
//   PANDO_TRY(settings.set("work_mem", "1MB", SettingScope::kTransaction));   // SET LOCAL
//   settings.rollback_to(mark);
//   settings.end_transaction(/*committed=*/true);
//   settings.values().work_mem_bytes;                                         // parsed, for the engine
//
// Only what differs from the defaults is stored. Thread-safety: the session's coroutine only.

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "session/setting_definition.h"
#include "sql/optimize/optimize.h"
#include "txn/transaction.h"
#include "types/settings.h"

namespace pando::session {

// As SQL names the levels; READ UNCOMMITTED is READ COMMITTED in all but its name.
enum class IsolationLevel : uint8_t { kReadUncommitted, kReadCommitted, kRepeatableRead, kSerializable };
std::string_view isolation_name(IsolationLevel level);
// REQUIRES: one of the names.
IsolationLevel parse_isolation(std::string_view name);
txn::Isolation isolation_of(IsolationLevel level);

// What pando.as_of says: nothing, a moment, or how long ago.
struct ReadMoment {
  enum class Kind : uint8_t { kPresent, kMoment, kAgo } kind = Kind::kPresent;
  // kMoment: since 2000-01-01 UTC; kAgo: before the transaction begins.
  int64_t us = 0;
};

// What the engine reads, parsed once when a setting changes.
struct SettingValues {
  types::Settings types;
  std::chrono::milliseconds statement_timeout{0};
  std::chrono::milliseconds lock_timeout{0};
  std::chrono::milliseconds idle_in_transaction_session_timeout{0};
  std::chrono::milliseconds idle_session_timeout{0};
  IsolationLevel default_isolation = IsolationLevel::kReadCommitted;
  bool default_read_only = false;
  bool default_deferrable = false;
  // As written, "$user" included.
  std::vector<std::string> search_path;
  std::size_t work_mem_bytes = 0;
  double hash_mem_multiplier = 1;
  std::size_t default_statistics_target = 0;
  sql::PlanMethods plan_methods;
  ReadMoment as_of;
  std::chrono::milliseconds read_staleness{0};
  // Rank of client_min_messages: notices below it are not sent (0 debug5 ... 4 debug1, 5 log, 6 notice, 7 warning,
  // 8 error).
  int client_min_rank = 0;
};

enum class SettingScope : uint8_t { kSession, kTransaction };
// Who asks: a statement, the packet that opened the connection, or the server itself.
enum class SettingSource : uint8_t { kStatement, kConnection, kServer };

struct ShownSetting {
  const SettingDefinition* definition = nullptr;  // nullptr for a custom one
  std::string name;
  // As pg_settings shows it, and as SHOW does.
  std::string setting;
  std::string shown;
  std::string boot_value;
  std::string reset_value;
  std::string_view source;  // "default", "client", "session"
};

class SessionSettings {
 public:
  // `time_zones` may be nullptr (only UTC and fixed offsets then); else it outlives the session.
  explicit SessionSettings(types::TimeZoneSource* time_zones);

  const SettingValues& values() const { return values_; }

  // SET, SET LOCAL, set_config(). Errors: 42704 for an unknown name, 42602 for a malformed one, 55P02 for one that
  // cannot be changed, 22023 for a bad value. Names with a dot that nobody defined are kept as they are.
  Status set(std::string_view name, std::string_view value, SettingScope scope,
             SettingSource source = SettingSource::kStatement);
  // RESET, SET ... TO DEFAULT.
  Status reset(std::string_view name, SettingScope scope);
  void reset_all();
  // Joins the elements of SET x TO a, b as their setting wants them.
  static Result<std::string> join_values(std::string_view name, const std::vector<std::string>& values);

  // The enums there are, for the text forms of values.
  void know_user_types(std::shared_ptr<const types::UserTypes> user_types) {
    if (values_.types.user_types != user_types) {
      values_.types.user_types = std::move(user_types);
      ++version_;
    }
  }

  // As SHOW prints it; nullopt when there is none.
  std::optional<std::string> show(std::string_view name) const;
  // For SHOW ALL and pg_settings, in order of name.
  std::vector<ShownSetting> show_all() const;

  // --- transactions: outside one, changes stay; a rollback undoes what was set since ---
  void begin_transaction();
  std::size_t savepoint() const { return undo_.size(); }
  void rollback_to(std::size_t savepoint);
  void end_transaction(bool committed);

  // Reported settings whose value changed since the last call: for ParameterStatus. The first call gives all.
  std::vector<std::pair<std::string, std::string>> take_reports();
  bool has_reports() const { return reports_pending_; }
  // Rises with every change that can alter what a name or literal in a statement means (search_path, the text forms of
  // dates): plans bound under another value are bound again.
  uint64_t binding_version() const { return binding_version_; }
  // Rises with every change of any setting.
  uint64_t version() const { return version_; }

 private:
  struct Entry {
    std::optional<std::string> reset;  // set when the connection opened
    std::optional<std::string> session;
    std::optional<std::string> local;
  };
  struct Undo {
    std::string name;
    std::optional<std::string> session;
    std::optional<std::string> local;
  };

  Result<std::string> check(const SettingDefinition& definition, std::string_view value) const;
  Status check_allowed(const SettingDefinition& definition, SettingSource source) const;
  void store(const std::string& key, std::optional<std::string> value, SettingScope scope, SettingSource source);
  void changed(const std::string& key);
  void apply(const SettingDefinition& definition, const std::string& value);
  std::string stored(const SettingDefinition& definition) const;
  static std::string key_of(std::string_view name);

  types::TimeZoneSource* time_zones_;
  SettingValues values_;
  // By lower-case name.
  std::map<std::string, Entry, std::less<>> entries_;
  std::vector<Undo> undo_;
  bool in_transaction_ = false;
  // The value of each reported setting that the client knows.
  std::map<std::string_view, std::string> reported_;
  bool reports_pending_ = true;
  uint64_t binding_version_ = 0;
  uint64_t version_ = 1;
};

// "a, "B c"" to its names: folded to lower case unless quoted. 22023-free: false when the list is malformed.
bool split_identifier_list(std::string_view text, std::vector<std::string>& names);

}  // namespace pando::session
