// Programs as bytes, and the states of partial aggregates.

#include "sql/exec/program.h"

#include <gtest/gtest.h>

#include "base/prng.h"
#include "sql/exec/spill_file.h"
#include "sql/function/evaluation_context.h"
#include "sql/function/function.h"
#include "sql/function/portable_state.h"
#include "txn/program.h"
#include "types/text_io.h"

namespace pando::sql::exec {
namespace {

constexpr types::Oid kInt4LessThan = 66;
constexpr types::Oid kSumOfInt4 = 2108;
constexpr types::Oid kCountAll = 2803;

ExprPtr column(uint32_t id, types::Oid type) { return make_expr({type}, ColumnExpr{ColumnId(id), ""}); }
ExprPtr number(int32_t value) { return make_constant({types::oid::kInt4}, types::Value::of_int32(value)); }

// SELECT a, sum(CASE WHEN b < 5 THEN b ELSE 0 END) FILTER (WHERE b IS NOT NULL), count(*) FROM t WHERE a < 7 GROUP BY a
PhysicalPtr example_plan() {
  auto table = std::make_shared<catalog::TableDescriptor>();
  table->oid = 16400;
  table->id = catalog::TableId(16400);
  table->name = "t";
  for (const auto& [name, type] : {std::pair("a", types::oid::kInt4), {"b", types::oid::kInt4}}) {
    catalog::ColumnDescriptor column;
    column.number = static_cast<catalog::AttributeNumber>(table->columns.size() + 1);
    column.name = name;
    column.type = {type};
    table->columns.push_back(column);
  }
  ScanPlan scan;
  scan.table = table;
  scan.attributes = {1, 2};
  scan.filter = make_expr({types::oid::kBool},
                          CallExpr{function_by_oid(kInt4LessThan), {column(1, types::oid::kInt4), number(7)}, "<"});
  const PhysicalPtr below = make_physical(
      {{ColumnId(1), "a", {types::oid::kInt4}}, {ColumnId(2), "b", {types::oid::kInt4}}}, std::move(scan));
  const ExprPtr b = column(2, types::oid::kInt4);
  const ExprPtr is_low = make_expr({types::oid::kBool}, CallExpr{function_by_oid(kInt4LessThan), {b, number(5)}, "<"});
  CaseExpr choice;
  choice.branches = {{is_low, b}};
  choice.otherwise = number(0);
  AggregateExpr sum{.function = function_by_oid(kSumOfInt4)};
  sum.arguments = {make_expr({types::oid::kInt4}, std::move(choice))};
  sum.filter = make_expr({types::oid::kBool}, NullTestExpr{b, true});
  AggregatePlan aggregate{.input = below, .partial = true};
  aggregate.groups = {{{ColumnId(1), "a", {types::oid::kInt4}}, column(1, types::oid::kInt4)}};
  aggregate.aggregates = {
      {{ColumnId(3), "sum", {types::oid::kInt8}}, make_expr({types::oid::kInt8}, std::move(sum))},
      {{ColumnId(4), "count", {types::oid::kInt8}},
       make_expr({types::oid::kInt8}, AggregateExpr{.function = function_by_oid(kCountAll), .star = true})}};
  return make_physical({{ColumnId(1), "a", {types::oid::kInt4}},
                        {ColumnId(3), "sum", {types::oid::kBytea}},
                        {ColumnId(4), "count", {types::oid::kBytea}}},
                       std::move(aggregate));
}

TEST(Program, WhatIsWrittenIsRead) {
  const auto bytes = encode_program({.plan = example_plan(), .rows_max = 11});
  ASSERT_TRUE(bytes.ok());
  const auto program = decode_program(*bytes);
  ASSERT_TRUE(program.ok());
  EXPECT_EQ(program->rows_max, 11U);
  EXPECT_EQ(*encode_program(*program), *bytes);
  const auto& aggregate = std::get<AggregatePlan>(program->plan->node);
  EXPECT_EQ(aggregate.aggregates[0].column.type.oid, types::oid::kInt8);
  EXPECT_EQ(std::get<ScanPlan>(aggregate.input->node).table->name, "t");
}

TEST(Program, EveryCutAndEveryOtherVersionIsRefused) {
  Bytes bytes = *encode_program({.plan = example_plan()});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(decode_program(ByteView(bytes).substr(0, size)).status().code().view(), "UNKPR") << size;
  }
  EXPECT_FALSE(decode_program(bytes + "x").ok());
  bytes[0] = 2;
  EXPECT_EQ(decode_program(bytes).status().code().view(), "UNKPR");
}

TEST(Program, FlippedBytesAreRefusedOrRead) {
  const Bytes bytes = *encode_program({.plan = example_plan()});
  Prng prng(1);
  for (int round = 0; round < 20'000; ++round) {
    Bytes damaged = bytes;
    for (uint64_t flips = 1 + prng.below(3); flips > 0; --flips) {
      damaged[prng.below(damaged.size())] = static_cast<char>(prng.below(256));
    }
    if (const auto program = decode_program(damaged); program.ok()) {
      EXPECT_TRUE(encode_program(*program).ok());
    }
  }
}

TEST(Program, WhatHasNoFormIsNotSent) {
  const PhysicalPtr plan = example_plan();
  auto whole = std::get<AggregatePlan>(plan->node);
  whole.partial = false;
  EXPECT_EQ(encode_program({.plan = make_physical(plan->outputs, whole)}).status().code().view(), "0A000");
  auto scan = std::get<ScanPlan>(whole.input->node);
  scan.filter = make_expr({types::oid::kBool}, SessionValueExpr{});
  EXPECT_FALSE(encode_program({.plan = make_physical(whole.input->outputs, scan)}).ok());
}

TEST(Program, RowsComeBackInTheirOrder) {
  Bytes output;
  for (int32_t i = 0; i < 3; ++i) {
    types::Chunk rows;
    rows.rows = 2;
    rows.columns.emplace_back(types::Physical::kInt32).reset_constant(types::Value::of_int32(i), 2);
    append_rows(rows, output);
  }
  ByteView rest = output;
  types::Chunk rows;
  for (int32_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(*take_rows(rest, rows));
    EXPECT_EQ(rows.columns[0].at<int32_t>(1), i);
  }
  EXPECT_FALSE(*take_rows(rest, rows));
  rest = ByteView(output).substr(0, output.size() - 1);
  while (true) {
    const auto more = take_rows(rest, rows);
    if (!more.ok()) {
      break;
    }
    ASSERT_TRUE(*more) << "the cut was not noticed";
  }
}

// --- states ---

class State {
 public:
  explicit State(const AggregateKernels& kernels) : kernels_(kernels) {
    PANDO_ASSERT(kernels.state_size <= sizeof(bytes_), "room for any portable state");
    kernels.create(bytes_);
  }
  ~State() {
    if (kernels_.destroy != nullptr) {
      kernels_.destroy(bytes_);
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  void* get() { return bytes_; }

 private:
  const AggregateKernels& kernels_;
  alignas(16) char bytes_[256];
};

// The result of an aggregate over `values`, of which each was added at another node.
std::string aggregate_apart(std::string_view name, types::Oid type, const std::vector<std::string_view>& values,
                            bool apart) {
  const Function* function = nullptr;
  for (const Function* candidate : functions_named(name)) {
    const bool fits = candidate->arguments.size() == 1 && candidate->arguments[0] == type;
    function = fits ? candidate : function;
  }
  PANDO_ASSERT(function != nullptr, "an aggregate of that name");
  const AggregateKernels& kernels = *function->aggregate;
  const PortableState* const portable = portable_state_of(*function);
  PANDO_ASSERT(portable != nullptr, "an aggregate whose states can be sent");
  EvaluationContext context;
  const types::Type argument{type};
  const CallTypes call{.arguments = {&argument, 1}, .result = {function->result}};
  const auto make = [&kernels] { return std::make_unique<State>(kernels); };
  const auto total = make();
  for (const std::string_view value : values) {
    const auto part = make();
    types::Vector vector(types::physical_of(type));
    const auto parsed = types::parse_text(argument, value, context.settings);
    vector.reset_constant(parsed.ok() ? *parsed : types::Value::null(), 1);
    const types::Vector* const arguments[] = {&vector};
    void* const states[] = {apart ? part->get() : total->get()};
    EXPECT_TRUE(kernels.update(context, call, states, arguments, 1).ok());
    if (apart) {
      Bytes saved;
      portable->save(part->get(), saved);
      const auto loaded = make();
      EXPECT_TRUE(portable->load(loaded->get(), saved));
      Bytes again;
      portable->save(loaded->get(), again);
      EXPECT_EQ(again, saved);
      for (std::size_t size = 0; size < saved.size(); ++size) {
        const auto cut = make();
        EXPECT_FALSE(portable->load(cut->get(), ByteView(saved).substr(0, size)));
      }
      EXPECT_TRUE(kernels.combine(context, call, total->get(), loaded->get()).ok());
    }
  }
  types::Vector result(types::physical_of(function->result));
  result.reset(1);
  void* const states[] = {total->get()};
  EXPECT_TRUE(kernels.finalize(context, call, states, 1, result).ok());
  std::string text;
  if (!result.is_null(0)) {
    types::print_text({function->result}, result, 0, context.settings, text);
  }
  return text;
}

TEST(Program, StatesAreTheSameAfterTheirWay) {
  const struct {
    std::string_view name;
    types::Oid type;
    std::vector<std::string_view> values;
  } cases[] = {
      {"sum", types::oid::kNumeric, {"1.5", "-2.25", "", "1e40", "-1e40", "0.00000000001"}},
      {"sum", types::oid::kNumeric, {"123456789012345678901234567890123456789.5", "-0.5"}},
      {"avg", types::oid::kNumeric, {"Infinity", "1"}},
      {"sum", types::oid::kNumeric, {"Infinity", "-Infinity"}},
      {"avg", types::oid::kNumeric, {"NaN", "1"}},
      {"sum", types::oid::kInt8, {"9223372036854775807", "9223372036854775807", ""}},
      {"avg", types::oid::kInt8, {"9223372036854775807", "-1"}},
      {"sum", types::oid::kInt4, {"7", "", "-9"}},
      {"avg", types::oid::kInt2, {"7", "8"}},
      {"sum", types::oid::kFloat8, {"0.1", "0.2", ""}},
      {"max", types::oid::kText, {"b", "", "a", "c"}},
      {"min", types::oid::kNumeric, {"1.50", "1.5", "NaN"}},
      {"min", types::oid::kFloat8, {"NaN", "3"}},
      {"max", types::oid::kDate, {"2020-01-01", "2021-01-01"}},
      {"sum", types::oid::kInterval, {"1 mon", "2 days", "-3 hours"}},
      {"avg", types::oid::kInterval, {"1 day", "2 days"}},
      {"max", types::oid::kInterval, {"1 day", "25 hours"}},
      {"bool_and", types::oid::kBool, {"t", "f", ""}},
      {"bit_or", types::oid::kInt4, {"5", "8"}},
      {"sum", types::oid::kInt4, {}},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(aggregate_apart(each.name, each.type, each.values, true),
              aggregate_apart(each.name, each.type, each.values, false))
        << each.name << " of " << each.type;
  }
}

}  // namespace
}  // namespace pando::sql::exec
