#include "sql/exec/parallel.h"

#include <algorithm>

#include "runtime/event.h"
#include "sql/exec/hash_join_build.h"
#include "sql/exec/key_ranges.h"
#include "sql/exec/table_layout.h"

namespace pando::sql::exec {
namespace {

// Parts for each member: enough that nobody waits long for the last one.
constexpr std::size_t kPartsPerMember = 4;

// The scan at the end of a chain of projections, filters and the probe sides of hash joins.
const ScanPlan* driving_scan(const PhysicalPtr& plan) {
  return std::visit(
      []<typename Node>(const Node& node) -> const ScanPlan* {
        if constexpr (std::is_same_v<Node, ScanPlan>) {
          return &node;
        } else if constexpr (std::is_same_v<Node, ProjectPlan> || std::is_same_v<Node, FilterPlan>) {
          return driving_scan(node.input);
        } else if constexpr (std::is_same_v<Node, HashJoinPlan>) {
          return driving_scan(node.left);
        } else {
          return nullptr;
        }
      },
      plan->node);
}

ExecutionContext context_of(const ExecutionContext& of, EvaluationContext& evaluation, runtime::Executor& executor,
                            std::size_t members) {
  return {.transaction = of.transaction,
          .evaluation = evaluation,
          .executor = executor,
          .state = of.state,
          .cancellation = of.cancellation,
          .catalog = of.catalog,
          .parameters = of.parameters,
          .memory_bytes_max = of.memory_bytes_max / members,
          .hash_bytes_max = of.hash_bytes_max / members,
          .unspillable_bytes_max = of.unspillable_bytes_max / members,
          .temporary = of.temporary,
          .statistics = of.statistics,
          .instrument = of.instrument,
          .clock_ns = of.clock_ns,
          .clock_state = of.clock_state};
}

// Wakes the statement when all members have arrived.
struct Arrivals {
  Arrivals(std::size_t count, runtime::Executor& executor) : missing(count), all(executor) {}
  std::atomic<std::size_t> missing;
  runtime::Event all;
  void arrive() {
    if (missing.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      all.set();
    }
  }
};

Task<void> run_member(const std::function<Task<Status>(Team::Member&)>* work, Team::Member* member, ScanParts* parts,
                      Arrivals* arrivals) {
  member->status = co_await (*work)(*member);
  if (!member->status.ok()) {
    parts->stop();
  }
  arrivals->arrive();
}

}  // namespace

Team::Member::Member(const Runtime& of, runtime::Executor& executor, std::size_t members)
    : evaluation(of.context.evaluation),
      context(context_of(of.context, evaluation, executor, members)),
      runtime(context) {
  // Compiled expressions are cached for one thread.
  evaluation.regexes = nullptr;
  runtime.slots = of.slots;
}

Team::~Team() = default;

Task<Result<std::unique_ptr<Team>>> Team::make(PhysicalPtr input, Runtime& runtime) {
  const std::size_t count = runtime.context.helpers.size();
  const ScanPlan* scan = driving_scan(input);
  if (count < 2 || scan == nullptr) {
    co_return std::unique_ptr<Team>();
  }
  std::unique_ptr<Team> team(new Team(runtime));
  PANDO_CO_ASSIGN(const bool opened, co_await team->open_scan(scan));
  if (!opened) {
    co_return std::unique_ptr<Team>();
  }
  PANDO_CO_ASSIGN(const bool built, co_await team->build_joins(input));
  if (!built) {
    co_return std::unique_ptr<Team>();
  }
  for (runtime::Executor* executor : runtime.context.helpers) {
    Member& member = *team->members_.emplace_back(std::make_unique<Member>(runtime, *executor, count));
    member.runtime.scan_parts = team->parts_.get();
    member.runtime.shared_joins = &team->joins_;
    member.runtime.snapshot = runtime.context.transaction.snapshot_for(team->first_part_);
    PANDO_CO_ASSIGN(member.input, build(input, member.runtime));
  }
  co_return std::move(team);
}

// False when the scan is too small to share, or would see the transaction's own writes.
Task<Result<bool>> Team::open_scan(const ScanPlan* scan) {
  const TableLayout layout(scan->table);
  const IndexLayout* index = scan->index == 0 ? nullptr : layout.find_secondary(scan->index);
  PANDO_CO_ASSIGN(const auto spans,
                  co_await key_ranges(scan->conditions, index == nullptr ? layout.row_prefix() : index->prefix,
                                      index == nullptr ? layout.primary_key() : index->columns, runtime_));
  const std::size_t pieces = runtime_.context.helpers.size() * kPartsPerMember;
  std::vector<txn::Span> parts;
  for (const txn::Span& span : spans) {
    const auto snapshot = runtime_.context.transaction.snapshot_for(span);
    if (snapshot == nullptr) {
      co_return false;
    }
    std::ranges::move(snapshot->split(span, pieces), std::back_inserter(parts));
  }
  if (parts.size() < runtime_.context.helpers.size()) {
    co_return false;
  }
  first_part_ = parts.front();
  parts_ = std::make_unique<ScanParts>(*scan, std::move(parts));
  co_return true;
}

Task<Result<bool>> Team::build_joins(PhysicalPtr input) {
  if (const auto* project = std::get_if<ProjectPlan>(&input->node)) {
    co_return co_await build_joins(project->input);
  }
  if (const auto* filter = std::get_if<FilterPlan>(&input->node)) {
    co_return co_await build_joins(filter->input);
  }
  const auto* join = std::get_if<HashJoinPlan>(&input->node);
  if (join == nullptr) {
    co_return true;
  }
  PANDO_CO_ASSIGN(auto side, HashJoinBuild::make(*join, runtime_));
  PANDO_CO_TRY(co_await side->run());
  if (side->spilled()) {
    co_return false;
  }
  joins_.emplace(join, std::move(side));
  co_return co_await build_joins(join->left);
}

Task<Status> Team::run(std::function<Task<Status>(Member&)> work) {
  Arrivals arrivals(members_.size(), runtime_.context.executor);
  for (const auto& member : members_) {
    runtime::spawn(member->context.executor, run_member(&work, member.get(), parts_.get(), &arrivals));
  }
  co_await arrivals.all.wait();
  add_actuals();
  for (const auto& member : members_) {
    PANDO_CO_TRY(member->status);
  }
  co_return Status();
}

// EXPLAIN ANALYZE shows the members' rows together, as of one loop that took as long as the slowest.
void Team::add_actuals() {
  for (const auto& member : members_) {
    member->runtime.actuals.for_each([this](const PhysicalNode& node, const NodeActuals& actuals) {
      NodeActuals& total = runtime_.actuals.of(node);
      total.rows += actuals.rows;
      total.loops = std::max(total.loops, actuals.loops);
      total.elapsed_ns = std::max(total.elapsed_ns, actuals.elapsed_ns);
    });
  }
}

}  // namespace pando::sql::exec
