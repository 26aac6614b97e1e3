#pragma once

// EvaluationContext: what a kernel may know beside its arguments: settings, the statement's time, the session, and,
// through SessionServices, the catalog and sequences. Session owns it; one thread at a time.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/prng.h"
#include "base/status.h"
#include "types/text_io.h"
#include "types/type.h"

namespace pando::types {
class RegexCache;  // types/regex.h
}

namespace pando::sql {

// What kernels need from above. The session implements it over its catalog snapshot; tests give a small one.
class SessionServices {
 public:
  virtual ~SessionServices() = default;

  // --- names and objects (regclass, \d's functions) ---
  // nullopt when there is no such object. `name` may be qualified and quoted.
  virtual Result<std::optional<types::Oid>> resolve_name(types::Oid reg_type, std::string_view name) = 0;
  // The name to print for an object of that reg* type: qualified when not visible in the search path; nullopt if
  // absent.
  virtual std::optional<std::string> name_of(types::Oid reg_type, types::Oid object) = 0;
  // pg_get_constraintdef and its family, keyed by function name: NULL when the object does not exist.
  virtual Result<std::optional<std::string>> describe(std::string_view function, types::Oid object, int64_t argument,
                                                      bool pretty) = 0;
  // Whether pg_<kind>_is_visible: kind is "table", "type", "function", ...; nullopt when the object does not exist.
  virtual std::optional<bool> is_visible(std::string_view kind, types::Oid object) = 0;
  // has_<kind>_privilege(user, object, privilege).
  virtual Result<std::optional<bool>> has_privilege(std::string_view kind, std::string_view object,
                                                    std::string_view privilege) = 0;

  // --- sequences ---
  // Appends `count` next values. kWaitNeeded's code means: await wait_for_service() and evaluate the vector again; no
  // value was used up.
  virtual Status nextval(types::Oid sequence, std::size_t count, std::vector<int64_t>& values) = 0;
  virtual Result<int64_t> currval(types::Oid sequence) = 0;
  virtual Result<int64_t> lastval() = 0;
  virtual Status setval(types::Oid sequence, int64_t value, bool is_called) = 0;

  // --- session ---
  virtual Result<std::optional<std::string>> current_setting(std::string_view name, bool missing_ok) = 0;
  virtual Result<std::string> set_config(std::string_view name, std::string_view value, bool is_local) = 0;
  virtual std::vector<std::string> current_schemas(bool include_implicit) = 0;
  // Facts by name: "current_database", "current_user", "session_user", "version", "pg_backend_pid",
  // "txid_current", "inet_client_addr", "pg_postmaster_start_time" (text forms); nullopt is NULL.
  virtual std::optional<std::string> fact(std::string_view name) = 0;
  // Requests that act: "pg_cancel_backend", "pg_terminate_backend", "pg_sleep" (kWaitNeeded), advisory locks.
  virtual Result<std::optional<std::string>> act(std::string_view name, std::span<const types::Value> arguments) = 0;
};

// The internal code by which a kernel says that the executor must await SessionServices' pending work and call again.
// Never reaches a client.
inline constexpr SqlState kWaitNeeded{"WAIT0"};

class EvaluationContext {
 public:
  types::Settings settings;
  // Microseconds since 2000-01-01 UTC.
  int64_t transaction_time_us = 0;
  int64_t statement_time_us = 0;
  // Reads the clock now: clock_timestamp(). Set by the session.
  int64_t (*wall_clock_us)(void* state) = nullptr;
  void* wall_clock_state = nullptr;
  SessionServices* services = nullptr;
  Prng* prng = nullptr;
  // Compiled regular expressions, kept from call to call; made on first use.
  std::shared_ptr<types::RegexCache> regexes;
};

}  // namespace pando::sql
