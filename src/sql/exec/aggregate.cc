// Aggregate: hash aggregation. Groups that do not fit in memory are split by hash onto temporary storage and aggregated
// part by part.

#include "sql/exec/aggregator.h"
#include "sql/exec/operators.h"

namespace pando::sql::exec {

using types::Chunk;

namespace {

class AggregateOperator final : public Operator {
 public:
  AggregateOperator(OperatorPtr input, std::unique_ptr<Aggregator> aggregator, Runtime& runtime)
      : input_(std::move(input)), aggregator_(std::move(aggregator)), runtime_(runtime) {}

  Task<Status> open() override {
    aggregator_->clear();
    parts_.clear();
    PANDO_CO_TRY(co_await input_->open());
    std::unique_ptr<Partitions> overflow;
    Chunk rows;
    while (true) {
      PANDO_CO_ASSIGN(const bool more, co_await input_->next(rows));
      if (!more) {
        break;
      }
      if (runtime_.should_yield()) {
        PANDO_CO_TRY(co_await runtime_.pause());
      }
      PANDO_CO_TRY(co_await aggregator_->add(rows, overflow, 0));
    }
    add_parts(std::move(overflow), 0);
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

  OperatorPtr input_;
  std::unique_ptr<Aggregator> aggregator_;
  Runtime& runtime_;
  std::vector<Part> parts_;
};

}  // namespace

Result<OperatorPtr> make_operator(const PhysicalNode&, const AggregatePlan& plan, Runtime& runtime) {
  PANDO_ASSIGN(OperatorPtr input, build(plan.input, runtime));
  PANDO_ASSIGN(auto aggregator, Aggregator::make(plan, runtime));
  return OperatorPtr(std::make_unique<AggregateOperator>(std::move(input), std::move(aggregator), runtime));
}

}  // namespace pando::sql::exec
