#pragma once

// Services: what kernels ask of the session (sql::SessionServices): names and definitions from the catalog, sequences,
// settings, facts about the session, and requests that act.
//
// Thread-safety: the session's coroutine only.

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "session/environment.h"
#include "session/session_settings.h"
#include "session/session_transaction.h"
#include "sql/bind/bind.h"
#include "sql/function/evaluation_context.h"
#include "sql/plan/print_expr.h"

namespace pando::session {

struct SessionIdentity;

class Services final : public sql::SessionServices {
 public:
  // REQUIRES: all outlive this object.
  Services(SessionEnvironment& environment, const SessionIdentity& identity, SessionSettings& settings,
           SessionTransaction& transaction, runtime::Executor& executor);

  // Where names are looked for: the schemas of search_path that exist, without the implied pg_catalog, behind the
  // session's temporary schema if there is one.
  std::vector<std::string> existing_search_path();
  // As SET ROLE and SET SESSION AUTHORIZATION have it.
  std::string current_user() const;
  // The OID of a table, view, sequence or index; 0 when there is none.
  types::Oid find_relation(std::string_view schema, std::string_view name) { return resolve_relation(schema, name); }
  // Named by the first temporary object, which also makes it; empty until then.
  std::string& temporary_schema() { return temporary_schema_; }

  // Awaits what made a kernel return kWaitNeeded; with nothing to await, the expression that waited is through. `state`
  // is a Services.
  static Task<Status> wait_for_service(void* state);

  Result<std::optional<types::Oid>> resolve_name(types::Oid reg_type, std::string_view name) override;
  std::optional<std::string> name_of(types::Oid reg_type, types::Oid object) override;
  Result<std::optional<std::string>> describe(std::string_view function, types::Oid object, int64_t argument,
                                              bool pretty) override;
  std::optional<bool> is_visible(std::string_view kind, types::Oid object) override;
  Result<std::optional<bool>> has_privilege(std::string_view kind, std::string_view object,
                                            std::string_view privilege) override;
  Status nextval(types::Oid sequence, std::size_t count, std::vector<int64_t>& values) override;
  Result<int64_t> currval(types::Oid sequence) override;
  Result<int64_t> lastval() override;
  Status setval(types::Oid sequence, int64_t value, bool is_called) override;
  Result<std::optional<std::string>> current_setting(std::string_view name, bool missing_ok) override;
  Result<std::string> set_config(std::string_view name, std::string_view value, bool is_local) override;
  std::vector<std::string> current_schemas(bool include_implicit) override;
  std::optional<std::string> fact(std::string_view name) override;
  Result<std::optional<std::string>> act(std::string_view name, std::span<const types::Value> arguments) override;

  // Errors: what the cancellation gives.
  Task<Status> sleep(uint64_t duration_ns);

  // Before each statement.
  void begin_statement() { answers_.clear(), replayed_ = 0; }
  // Who knows the channels that the session listens to.
  void set_listened_channels(std::function<std::vector<std::string>()> channels) {
    listened_channels_ = std::move(channels);
  }
  // Who knows which row of a table a cursor is on: the row's key.
  using CurrentRow = std::function<Result<std::optional<std::string>>(std::string_view cursor, types::Oid table)>;
  void set_current_row(CurrentRow current_row) { current_row_ = std::move(current_row); }
  // DISCARD SEQUENCES.
  void forget_sequences() { sequence_values_.clear(), last_sequence_ = 0; }

 private:
  // What wait_for_service() is to await.
  struct PendingReserve {
    catalog::SequencePtr sequence;
    std::size_t count = 0;
  };
  struct PendingSet {
    catalog::SequencePtr sequence;
    catalog::SequenceState state;
  };
  struct PendingSleep {
    uint64_t duration_ns = 0;
  };
  struct PendingLock {
    AdvisoryRequest request;
    bool wait = true;
  };
  struct PendingUnlock {
    AdvisoryRequest request;
  };
  struct PendingUnlockAll {};
  struct PendingRead {
    catalog::SequencePtr sequence;
  };
  using Answer = std::optional<std::string>;
  using Pending = std::variant<std::monostate, PendingReserve, PendingSet, PendingRead, PendingSleep, PendingLock,
                               PendingUnlock, PendingUnlockAll>;

  Task<Status> run_pending();
  Task<Result<Answer>> answer_pending(Pending pending);
  Task<Result<Answer>> take_advisory_lock(PendingLock pending);
  // The pending form of a call of the pg_advisory_lock() family.
  Pending advisory_call(std::string_view name, std::span<const types::Value> arguments) const;
  Result<catalog::SequencePtr> find_sequence(types::Oid oid);
  Result<std::optional<std::string>> serial_sequence(std::string_view table_name, std::string_view column_name);
  Result<std::optional<types::Oid>> resolve_signature(std::string_view text);
  types::Oid resolve_relation(std::string_view schema, std::string_view name);
  // The sessions whose locks keep the one of this process id waiting.
  std::vector<uint32_t> blocking_processes(uint32_t process_id);
  // services_comments.cc: pg_description by catalog ("pg_class"; empty for any), and pg_describe_object.
  std::optional<std::string> comment_of(std::string_view catalog, types::Oid object, int64_t part);
  bool is_updatable_view(const catalog::TableDescriptor& table);
  std::optional<std::string> object_description(types::Oid catalog, types::Oid object, int64_t part);
  std::optional<std::string> relation_fact(std::string_view function, types::Oid relation, int64_t argument);
  std::optional<std::string> index_definition(types::Oid oid, int64_t column, bool pretty);
  std::optional<std::string> constraint_definition(types::Oid oid, bool pretty);
  std::string foreign_key_definition(const catalog::TableDescriptor& table,
                                     const catalog::ConstraintDescriptor& constraint);
  // services_views.cc: a view's query, laid out; an expression for people to read.
  std::optional<std::string> view_definition(const catalog::TableDescriptor& view, int64_t wrap_column, bool pretty);
  std::string pretty_expression(const std::string& stored, const catalog::TablePtr& table);
  std::string pretty_check(const catalog::TypeDescriptor& domain, const std::string& stored);
  sql::BindOptions stored_bind_options(sql::EvaluationContext& evaluation);
  sql::PrintOptions shown_print_options(bool pretty);
  // services_sizes.cc
  uint64_t stored_bytes(const catalog::TableDescriptor& table, std::string_view function);
  std::optional<std::string> relation_size(std::string_view function, types::Oid relation);
  Result<std::optional<std::string>> database_size(std::string_view database);
  std::string qualify(types::Oid schema, const std::string& name, bool visible);
  // A stored expression, with relations it names as constants qualified only where the search path asks for it.
  std::string shown_expression(std::string_view stored);
  std::string shown_type_names(std::string text);

  SessionEnvironment& environment_;
  const SessionIdentity& identity_;
  SessionSettings& settings_;
  SessionTransaction& transaction_;
  runtime::Executor& executor_;
  // An expression that waits is evaluated again from its first row. What its calls were answered is kept until it is
  // through, so that each call acts once. nullptr: the call is pending.
  const Answer* answer_of(Pending pending);

  // search_path without what is temporary.
  std::vector<std::string> permanent_search_path();

  std::string temporary_schema_;
  std::function<std::vector<std::string>()> listened_channels_;
  CurrentRow current_row_;
  // By sequence: how many values were taken since values were last waited for.
  std::map<types::Oid, std::size_t> taken_since_wait_;
  Pending pending_;
  std::vector<Answer> answers_;
  std::size_t replayed_ = 0;
  // currval() per sequence, and lastval()'s sequence.
  std::map<types::Oid, int64_t> sequence_values_;
  types::Oid last_sequence_ = 0;
};

}  // namespace pando::session
