// Aggregate: hash aggregation. Groups that do not fit in memory are split by hash onto temporary storage and aggregated
// part by part. A parallel plan is aggregated by several threads, whose groups are then combined.

#include <map>

#include "sql/exec/aggregator.h"
#include "sql/exec/operators.h"
#include "sql/exec/parallel.h"

namespace pando::sql::exec {

using types::Chunk;

namespace {

class AggregateOperator final : public Operator {
 public:
  AggregateOperator(const AggregatePlan& plan, OperatorPtr input, std::unique_ptr<Aggregator> aggregator,
                    Runtime& runtime)
      : plan_(plan), input_(std::move(input)), aggregator_(std::move(aggregator)), runtime_(runtime) {}

  Task<Status> open() override {
    aggregator_->clear();
    parts_.clear();
    PANDO_CO_ASSIGN(const bool shared, co_await aggregate_in_parallel());
    if (!shared) {
      PANDO_CO_TRY(co_await input_->open());
      std::unique_ptr<Partitions> overflow;
      PANDO_CO_TRY(co_await add_all(*input_, *aggregator_, runtime_, overflow));
      add_parts(std::move(overflow), 0);
    }
    co_return co_await aggregator_->finish(true);
  }

  Task<Result<bool>> next(Chunk& out) override {
    while (true) {
      PANDO_CO_ASSIGN(const bool more, aggregator_->next(out));
      if (more) {
        co_return true;
      }
      if (parts_.empty()) {
        co_return false;
      }
      PANDO_CO_TRY(co_await aggregate_part());
    }
  }

 private:
  // Groups set aside because memory was full.
  struct Part {
    std::shared_ptr<Partitions> partitions;
    std::size_t index;
    uint32_t level;
  };

  static Task<Status> add_all(Operator& input, Aggregator& aggregator, Runtime& runtime,
                              std::unique_ptr<Partitions>& overflow) {
    Chunk rows;
    while (true) {
      PANDO_CO_ASSIGN(const bool more, co_await input.next(rows));
      if (!more) {
        co_return Status();
      }
      if (runtime.should_yield()) {
        PANDO_CO_TRY(co_await runtime.pause());
      }
      PANDO_CO_TRY(co_await aggregator.add(rows, overflow, 0));
    }
  }

  // The groups of one thread, and the rows of those it had no memory for.
  struct Share {
    std::unique_ptr<Aggregator> aggregator;
    std::unique_ptr<Partitions> overflow;
  };

  // False: it is to be done here.
  Task<Result<bool>> aggregate_in_parallel() {
    if (!plan_.parallel || !aggregator_->is_mergeable()) {
      co_return false;
    }
    PANDO_CO_ASSIGN(const auto team, co_await Team::make(plan_.input, runtime_));
    if (team == nullptr) {
      co_return false;
    }
    std::map<Team::Member*, Share> shares;
    for (const auto& member : team->members()) {
      PANDO_CO_ASSIGN(shares[member.get()].aggregator, Aggregator::make(plan_, member->runtime));
    }
    PANDO_CO_TRY(co_await team->run([&shares](Team::Member& member) -> Task<Status> {
      Share& share = shares.at(&member);
      PANDO_CO_TRY(co_await member.input->open());
      co_return co_await add_all(*member.input, *share.aggregator, member.runtime, share.overflow);
    }));
    for (auto& [member, share] : shares) {
      PANDO_CO_TRY(aggregator_->merge(*share.aggregator));
      share.aggregator->clear();
    }
    std::unique_ptr<Partitions> overflow;
    for (auto& [member, share] : shares) {
      PANDO_CO_TRY(co_await add_overflow(share.overflow.get(), overflow));
    }
    add_parts(std::move(overflow), 0);
    co_return true;
  }

  Task<Status> add_overflow(Partitions* rest, std::unique_ptr<Partitions>& overflow) {
    Chunk rows;
    for (std::size_t i = 0; rest != nullptr && i < Partitions::kCount; ++i) {
      PANDO_CO_TRY(co_await rest->start_reading(i));
      while (true) {
        PANDO_CO_ASSIGN(const bool more, co_await rest->read(rows));
        if (!more) {
          break;
        }
        if (runtime_.should_yield()) {
          PANDO_CO_TRY(co_await runtime_.pause());
        }
        PANDO_CO_TRY(co_await aggregator_->add(rows, overflow, 0));
      }
    }
    co_return Status();
  }

  void add_parts(std::shared_ptr<Partitions> overflow, uint32_t level) {
    for (std::size_t i = 0; overflow != nullptr && i < Partitions::kCount; ++i) {
      parts_.push_back({overflow, i, level});
    }
  }

  Task<Status> aggregate_part() {
    const Part part = std::move(parts_.back());
    parts_.pop_back();
    aggregator_->clear();
    std::unique_ptr<Partitions> overflow;
    PANDO_CO_TRY(co_await part.partitions->start_reading(part.index));
    Chunk rows;
    while (true) {
      PANDO_CO_ASSIGN(const bool more, co_await part.partitions->read(rows));
      if (!more) {
        break;
      }
      if (runtime_.should_yield()) {
        PANDO_CO_TRY(co_await runtime_.pause());
      }
      PANDO_CO_TRY(co_await aggregator_->add(rows, overflow, part.level + 1));
    }
    add_parts(std::move(overflow), part.level + 1);
    co_return co_await aggregator_->finish(false);
  }

  const AggregatePlan& plan_;
  OperatorPtr input_;
  std::unique_ptr<Aggregator> aggregator_;
  Runtime& runtime_;
  std::vector<Part> parts_;
};

}  // namespace

Result<OperatorPtr> make_operator(const PhysicalNode&, const AggregatePlan& plan, Runtime& runtime) {
  PANDO_ASSIGN(OperatorPtr input, build(plan.input, runtime));
  PANDO_ASSIGN(auto aggregator, Aggregator::make(plan, runtime));
  return OperatorPtr(std::make_unique<AggregateOperator>(plan, std::move(input), std::move(aggregator), runtime));
}

}  // namespace pando::sql::exec
