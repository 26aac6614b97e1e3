#include "session/system_tables.h"

#include "session/job_runner.h"
#include "types/text_io.h"

namespace pando::session {
namespace {

using catalog::Job;
using catalog::JobKind;
using catalog::JobState;

std::string kind_name(JobKind kind) {
  switch (kind) {
    case JobKind::kBuildIndex:
      return "build index";
    case JobKind::kValidateConstraint:
      return "validate constraint";
  }
  return "unknown";
}

std::string state_name(JobState state) {
  switch (state) {
    case JobState::kRunning:
      return "running";
    case JobState::kReverting:
      return "reverting";
    case JobState::kSucceeded:
      return "succeeded";
    case JobState::kFailed:
      return "failed";
    case JobState::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

// From 0 to 1, which only a job that has succeeded reaches.
double progress_of(const Job& job) {
  constexpr double kNearlyDone = 0.99;
  if (job.state == JobState::kSucceeded) {
    return 1;
  }
  return job.rows_total == 0
             ? 0
             : std::min(kNearlyDone, static_cast<double>(job.rows_done) / static_cast<double>(job.rows_total));
}

catalog::Cell time_cell(int64_t microseconds) {
  if (microseconds == 0) {
    return {};
  }
  Bytes text;
  types::print_text({types::oid::kTimestamptz}, types::Value::of_int64(microseconds), types::Settings(), text);
  return text;
}

void write_job(const Job& job, catalog::SystemRowWriter& writer) {
  writer.add({{"job_id", static_cast<int64_t>(job.id)},
              {"kind", kind_name(job.kind)},
              {"statement", job.statement},
              {"state", state_name(job.state)},
              {"progress", progress_of(job)},
              {"rows_done", static_cast<int64_t>(job.rows_done)},
              {"rows_total", job.rows_total == 0 ? catalog::Cell() : static_cast<int64_t>(job.rows_total)},
              {"error", job.error_message.empty() ? catalog::Cell() : catalog::Cell(job.error_message)},
              {"node_id", job.node == 0 ? catalog::Cell() : static_cast<int64_t>(job.node)},
              {"term", static_cast<int64_t>(job.term)},
              {"created_at", time_cell(job.created_us)},
              {"started_at", time_cell(job.started_us)},
              {"finished_at", time_cell(job.finished_us)}});
}

}  // namespace

Task<Result<std::vector<types::Chunk>>> SystemTables::rows(catalog::TablePtr table,
                                                           std::vector<catalog::AttributeNumber> attributes) {
  if (table == copy_source_) {
    co_return std::move(copy_rows_);
  }
  const auto snapshot = snapshot_();
  std::vector<types::Chunk> whole;
  if (const auto sequence = snapshot->find_sequence(table->oid)) {
    PANDO_CO_ASSIGN(whole, co_await sequence_rows(table, sequence));
  } else if (table->schema == catalog::kPandoSchema && table->name == "jobs") {
    PANDO_CO_ASSIGN(whole, co_await job_rows(table));
  } else {
    const auto& options = environment_.catalog.options();
    PANDO_CO_ASSIGN(whole, catalog::system_rows(*table, {.snapshot = *snapshot,
                                                         .database = options.database,
                                                         .database_name = options.database_name,
                                                         .source = source_,
                                                         .statistics = environment_.statistics}));
  }
  std::vector<types::Chunk> chunks;
  for (types::Chunk& all : whole) {
    types::Chunk chunk;
    chunk.rows = all.rows;
    for (const catalog::AttributeNumber attribute : attributes) {
      if (attribute > 0) {
        chunk.columns.push_back(all.columns[static_cast<std::size_t>(attribute) - 1]);
        continue;
      }
      types::Vector constant(types::Physical::kUint32);
      constant.reset_constant(types::Value::of_uint32(attribute == sql::kTableOidAttribute ? table->oid : 0), all.rows);
      chunk.columns.push_back(std::move(constant));
    }
    chunks.push_back(std::move(chunk));
  }
  co_return chunks;
}

Task<Result<std::vector<types::Chunk>>> SystemTables::sequence_rows(catalog::TablePtr table,
                                                                    catalog::SequencePtr sequence) {
  PANDO_CO_ASSIGN(const catalog::SequenceState state, co_await environment_.sequences.read(sequence, executor_));
  catalog::SystemRowWriter writer(*table);
  writer.add({{"last_value", state.last_value}, {"log_cnt", int64_t{0}}, {"is_called", state.is_called}});
  co_return std::move(writer).take();
}

Task<Result<std::vector<types::Chunk>>> SystemTables::job_rows(catalog::TablePtr table) {
  catalog::SystemRowWriter writer(*table);
  if (environment_.jobs != nullptr) {
    PANDO_CO_ASSIGN(const std::vector<Job> jobs, co_await environment_.jobs->jobs().all(executor_, nullptr));
    for (const Job& job : jobs) {
      write_job(job, writer);
    }
  }
  co_return std::move(writer).take();
}

Result<sql::TableExpressionsPtr> TableExpressionCache::expressions(catalog::TablePtr table) {
  if (const auto found = entries_.find(table->oid); found != entries_.end() && found->second.table == table) {
    return found->second.expressions;
  }
  PANDO_ASSIGN(sql::TableExpressionsPtr expressions, bind_(table));
  if (entries_.size() >= kTablesMax) {
    entries_.clear();
  }
  const types::Oid oid = table->oid;
  entries_[oid] = {std::move(table), expressions};
  return expressions;
}

}  // namespace pando::session
