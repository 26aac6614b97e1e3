#pragma once

// What a function, operator, cast or aggregate is: the entries of the signature tables, as pg_proc, pg_operator,
// pg_cast and pg_aggregate hold them, with the kernels that compute them. Tables are static and immutable; bind
// resolves names against them, exec calls their kernels, the catalog shows them.
//
// Kernels compute a vector at a time. For a strict function the caller has already marked `out` NULL wherever an
// argument is NULL; the kernel skips those rows (out.is_null(row)), so that it raises no error for them.
// Thread-safety: immutable; kernels are pure apart from what they reach through EvaluationContext.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "types/type.h"
#include "types/vector.h"

namespace pando::sql {

class EvaluationContext;  // sql/function/evaluation_context.h
struct Function;

enum class Volatility : char { kImmutable = 'i', kStable = 's', kVolatile = 'v' };
// pg_proc.prokind, with set-returning functions apart.
enum class FunctionKind : char { kScalar = 'f', kAggregate = 'a', kWindow = 'w', kSet = 's', kProcedure = 'p' };

// The actual types of one call: polymorphic signatures are resolved by the binder.
struct CallTypes {
  std::span<const types::Type> arguments;
  types::Type result;
  // CallExpr::variadic_array: the last argument is the array of a VARIADIC parameter, not a value of its own.
  bool variadic_array = false;
  // For calls with a record argument: its field names ("f1", "f2", ... when empty), as row_to_json() writes them.
  std::span<const std::string> field_names = {};
};

// REQUIRES: out.reset(rows) was called. Constant arguments are not expanded: index with arguments[i]->slot(row) or
// at().
using ScalarKernel = Status (*)(EvaluationContext& context, const CallTypes& types,
                                std::span<const types::Vector* const> arguments, std::size_t rows, types::Vector& out);

// The rows of one call of a set-returning function.
class SetRows {
 public:
  virtual ~SetRows() = default;
  // Fills `out` (columns already of the result's physical forms) with up to kVectorRows next rows; none means the end.
  virtual Status next(types::Chunk& out) = 0;
};
using SetKernel = Result<std::unique_ptr<SetRows>> (*)(EvaluationContext& context, const CallTypes& types,
                                                       std::span<const types::Value> arguments);

// An aggregate keeps a state of `state_size` bytes per group, aligned to 16, in memory the executor owns.
struct AggregateKernels {
  std::size_t state_size = 0;
  void (*create)(void* state) = nullptr;
  // nullptr when the state owns nothing.
  void (*destroy)(void* state) = nullptr;
  // Adds row i to states[i], for each row. The executor has applied FILTER, DISTINCT and ORDER BY; rows with NULL
  // arguments are included and skipped by aggregates that ignore NULL.
  Status (*update)(EvaluationContext& context, const CallTypes& types, void* const* states,
                   std::span<const types::Vector* const> arguments, std::size_t rows) = nullptr;
  // The same for rows that all belong to one group; nullptr when there is nothing to gain.
  Status (*update_one)(EvaluationContext& context, const CallTypes& types, void* state,
                       std::span<const types::Vector* const> arguments, std::size_t rows) = nullptr;
  // Adds `from` to `into`; nullptr when partial states cannot be merged.
  Status (*combine)(EvaluationContext& context, const CallTypes& types, void* into, const void* from) = nullptr;
  // Writes the result of states[i] to row i of out.
  Status (*finalize)(EvaluationContext& context, const CallTypes& types, void* const* states, std::size_t count,
                     types::Vector& out) = nullptr;
  // Bytes held outside the state itself, for the memory budget; nullptr for none.
  std::size_t (*memory_bytes)(const void* state) = nullptr;
};

// What a window function sees of its partition, whose rows are in window order and numbered from 0. The executor
// implements it and may keep the partition on disk; a kernel asks for rows in rising order where it can.
class WindowPartition {
 public:
  virtual ~WindowPartition() = default;
  virtual std::size_t rows() const = 0;
  // The value of argument `index` at `row`.
  virtual Result<types::Value> argument(std::size_t index, std::size_t row) = 0;
  // The first row of `row`'s peer group, and the row after its last.
  virtual std::size_t peers_begin(std::size_t row) = 0;
  virtual std::size_t peers_end(std::size_t row) = 0;
  // The rows of `row`'s frame, half open, before exclusion; begin == end for an empty frame.
  virtual Result<std::pair<std::size_t, std::size_t>> frame(std::size_t row) = 0;
  // Whether the frame of `row` leaves out `other`, a row inside frame(row) (EXCLUDE ...).
  virtual bool excludes(std::size_t row, std::size_t other) = 0;
};
// Computes rows [first, first + count) of the partition into `out`, of the result's physical form, reset to count.
// Called with rising ranges that cover the partition.
using WindowKernel = Status (*)(EvaluationContext& context, const CallTypes& types, WindowPartition& partition,
                                std::size_t first, std::size_t count, types::Vector& out);

struct OutColumn {
  std::string_view name;
  types::Oid type;
};

struct Function {
  types::Oid oid = 0;  // pg_proc.oid: PostgreSQL's own where it has one
  std::string_view name;
  std::span<const types::Oid> arguments;
  // The last argument is VARIADIC: its type is an array (or "any").
  bool variadic = false;
  // How many trailing arguments may be left out; the binder fills them from default_arguments (text forms, SQL).
  uint8_t defaults = 0;
  std::span<const std::string_view> default_arguments;
  std::span<const std::string_view> argument_names;
  types::Oid result = 0;
  bool strict = true;
  Volatility volatility = Volatility::kImmutable;
  FunctionKind kind = FunctionKind::kScalar;
  ScalarKernel scalar = nullptr;
  SetKernel set = nullptr;
  // For kSet functions that return records: the columns.
  std::span<const OutColumn> out_columns;
  const AggregateKernels* aggregate = nullptr;
  WindowKernel window = nullptr;
  // kAggregate that takes WITHIN GROUP (ordered-set): update() gets the direct arguments, then the sorted ones.
  bool ordered_set = false;
  // Aggregates whose result for DISTINCT input is the same (min, max, bool_and): DISTINCT may be dropped.
  bool distinct_insensitive = false;
  // Schema: "pg_catalog" or "pando" or "information_schema".
  std::string_view schema = "pg_catalog";
  // pg_proc.prosrc, by which the kernel tables name it; "name(types)" for aggregates and SQL-language functions.
  std::string_view symbol;
};

struct Operator {
  types::Oid oid = 0;
  std::string_view name;
  types::Oid left = 0;  // 0 for a prefix operator
  types::Oid right = 0;
  types::Oid result = 0;
  const Function* function = nullptr;
  std::string_view commutator;  // the operator's name, "" for none
  std::string_view negator;
};

enum class CastContext : char { kImplicit = 'i', kAssignment = 'a', kExplicit = 'e' };
enum class CastMethod : char { kFunction = 'f', kBinary = 'b', kText = 'i' };

struct CastEntry {
  types::Oid source = 0;
  types::Oid target = 0;
  CastContext context = CastContext::kExplicit;
  CastMethod method = CastMethod::kFunction;
  const Function* function = nullptr;  // for kFunction
};

// All entries with that name, in table order; empty when there is none.
std::span<const Function* const> functions_named(std::string_view name);
std::span<const Operator* const> operators_named(std::string_view name);
const Function* function_by_oid(types::Oid oid);
const Operator* operator_by_oid(types::Oid oid);
// nullptr when pg_cast has no such row.
const CastEntry* find_cast(types::Oid source, types::Oid target);
std::span<const Function* const> all_functions();
std::span<const Operator* const> all_operators();
std::span<const CastEntry> all_casts();

}  // namespace pando::sql
