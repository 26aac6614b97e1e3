#include "sql/function/table_sample.h"

#include <bit>

#include "sql/function/lift.h"
#include "types/compare.h"

namespace pando::sql {
namespace {

Result<bool> is_chosen(ByteView key, std::optional<float> percent, uint64_t seed) {
  constexpr double kPercentMax = 100;
  constexpr double kHashes = 18446744073709551616.0;  // 2^64
  if (!percent.has_value()) {
    return Status(kInvalidTablesampleArgument, "TABLESAMPLE parameter cannot be null");
  }
  if (!(*percent >= 0 && *percent <= kPercentMax)) {
    return Status(kInvalidTablesampleArgument, "sample percentage must be between 0 and 100");
  }
  const uint64_t hash = types::mix_hash(types::hash_of_bytes(key) ^ types::mix_hash(seed));
  return static_cast<double>(hash) < kHashes * static_cast<double>(*percent) / kPercentMax || *percent == kPercentMax;
}

Result<bool> sampled(EvaluationContext& context, ByteView key, std::optional<float> percent, int32_t number) {
  const auto time = static_cast<uint64_t>(context.statement_time_us);
  return is_chosen(key, percent, types::mix_hash(time) + static_cast<uint32_t>(number));
}

Result<bool> sampled_repeatably(ByteView key, std::optional<float> percent, std::optional<double> seed) {
  if (!seed.has_value()) {
    return Status(kInvalidTablesampleRepeat, "TABLESAMPLE REPEATABLE parameter cannot be null");
  }
  return is_chosen(key, percent, std::bit_cast<uint64_t>(*seed));
}

}  // namespace

const Function& is_sampled() {
  static const Function function{
      .name = "is_sampled", .strict = false, .volatility = Volatility::kStable, .scalar = lift<sampled>};
  return function;
}

const Function& is_sampled_repeatably() {
  static const Function function{.name = "is_sampled_repeatably", .strict = false, .scalar = lift<sampled_repeatably>};
  return function;
}

}  // namespace pando::sql
