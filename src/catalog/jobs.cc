#include "catalog/jobs.h"

#include "catalog/descriptor_codec.h"
#include "catalog/keys.h"
#include "txn/read_rows.h"

namespace pando::catalog {
namespace {

Status no_such_job(uint32_t id) { return Status(sql_state::kUndefinedObject, "job {} does not exist", id); }

}  // namespace

Status Job::error() const {
  if (error_code.empty()) {
    return {};
  }
  return Status::from_fields({.code = SqlState(error_code),
                              .message = error_message,
                              .detail = error_detail,
                              .hint = error_hint,
                              .schema_name = error_schema,
                              .table_name = error_table,
                              .column_name = error_column,
                              .constraint_name = error_constraint});
}

void Job::set_error(const Status& status) {
  const ErrorFields& fields = status.fields();
  error_code = fields.code.view();
  error_message = fields.message;
  error_detail = fields.detail;
  error_hint = fields.hint;
  error_schema = fields.schema_name;
  error_table = fields.table_name;
  error_column = fields.column_name;
  error_constraint = fields.constraint_name;
}

Bytes Jobs::prefix() const {
  Bytes key = index_prefix(kJobTable, kRowIndexId);
  append_ordered_uint32(key, database_);
  return key;
}

Bytes Jobs::key(uint32_t id) const {
  Bytes key = prefix();
  append_ordered_uint32(key, id);
  return key;
}

Task<Status> Jobs::put(txn::Transaction& transaction, Job job) {
  const Bytes place = key(job.id);
  PANDO_CO_TRY((co_await transaction.lock(place, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
  co_return transaction.put(place, encode(job));
}

Task<Status> Jobs::erase(txn::Transaction& transaction, uint32_t id) {
  const Bytes place = key(id);
  PANDO_CO_TRY((co_await transaction.lock(place, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
  co_return transaction.erase(place);
}

Task<Result<Job>> Jobs::lock(txn::Transaction& transaction, uint32_t id) {
  const Bytes place = key(id);
  PANDO_CO_TRY((co_await transaction.lock(place, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
  PANDO_CO_ASSIGN(const std::optional<Bytes> stored, co_await transaction.get_latest(place));
  if (!stored.has_value()) {
    co_return no_such_job(id);
  }
  co_return decode_job(*stored);
}

Task<Result<Job>> Jobs::hold(txn::Transaction& transaction, const Job& claimed) {
  const uint64_t term = claimed.term;
  PANDO_CO_ASSIGN(Job held, co_await lock(transaction, claimed.id));
  if (held.term != term || held.is_finished()) {
    co_return Status(sql_state::kObjectNotInPrerequisiteState, "job {} is done by another node", held.id);
  }
  co_return held;
}

Task<Result<std::vector<Job>>> Jobs::all(runtime::Executor& executor, runtime::Cancellation* cancellation) {
  auto transaction = store_.begin({.read_only = true, .executor = &executor, .cancellation = cancellation});
  transaction->begin_statement();
  std::vector<Job> jobs;
  const Bytes start = prefix();
  PANDO_CO_TRY(co_await txn::read_rows(*transaction, {start, prefix_end(start)}, [&](ByteView, ByteView row) -> Status {
    PANDO_ASSIGN(Job job, decode_job(row));
    jobs.push_back(std::move(job));
    return {};
  }));
  co_await transaction->rollback();
  co_return jobs;
}

Task<Result<std::optional<Job>>> Jobs::find(uint32_t id, runtime::Executor& executor) {
  auto transaction = store_.begin({.read_only = true, .executor = &executor});
  transaction->begin_statement();
  PANDO_CO_ASSIGN(const std::optional<Bytes> stored, co_await transaction->get(key(id)));
  co_await transaction->rollback();
  if (!stored.has_value()) {
    co_return std::optional<Job>();
  }
  PANDO_CO_ASSIGN(Job job, decode_job(*stored));
  co_return std::optional<Job>(std::move(job));
}

}  // namespace pando::catalog
