// Joins PostgreSQL's signatures (pg_proc.inc and its siblings) with our kernels, once, into immutable indexes.

#include "sql/function/registry.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/assert.h"
#include "sql/function/function.h"
#include "sql/function/kernel_table.h"

namespace pando::sql {
namespace {

using types::Oid;

// What PostgreSQL's initdb adds to information_schema has no OID of its own there; here they start at this one.
constexpr Oid kFirstInformationSchemaFunction = 13100;

constexpr ProcRow kProcRows[] = {
#include "sql/function/pg_proc.inc"
    {kFirstInformationSchemaFunction, "_pg_expandarray", "_pg_expandarray", "2277", 2249, false, true, 'i', 's', 0, "",
     "", "x 2283,n 23", ""},
};
constexpr OperatorRow kOperatorRows[] = {
#include "sql/function/pg_operator.inc"
};
constexpr CastRow kCastRows[] = {
#include "sql/function/pg_cast.inc"
};

// The pieces of `list` between separators that stand outside quotes and parentheses.
std::vector<std::string_view> split(std::string_view list, char separator) {
  std::vector<std::string_view> pieces;
  int depth = 0;
  bool quoted = false;
  std::size_t start = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const char c = list[i];
    if (c == '\'') {
      quoted = !quoted;
    } else if (!quoted && (c == '(' || c == ')')) {
      depth += c == '(' ? 1 : -1;
    } else if (c == separator && !quoted && depth == 0) {
      pieces.push_back(list.substr(start, i - start));
      start = i + 1;
    }
  }
  if (start < list.size()) {
    pieces.push_back(list.substr(start));
  }
  for (std::string_view& piece : pieces) {
    piece.remove_prefix(std::min(piece.find_first_not_of(' '), piece.size()));
  }
  return pieces;
}

Oid parse_oid(std::string_view digits) {
  Oid oid = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), oid);
  return oid;
}

class Registry {
 public:
  Registry() {
    index_kernels();
    add_functions();
    add_operators();
    add_casts();
  }

  std::vector<const Function*> functions;
  std::unordered_map<Oid, const Function*> functions_by_oid;
  std::unordered_map<std::string_view, std::vector<const Function*>> functions_by_name;
  std::vector<const Operator*> operators;
  std::unordered_map<Oid, const Operator*> operators_by_oid;
  std::unordered_map<std::string_view, std::vector<const Operator*>> operators_by_name;
  std::vector<CastEntry> casts;
  std::unordered_map<uint64_t, const CastEntry*> casts_by_types;

  static uint64_t cast_key(Oid source, Oid target) { return (static_cast<uint64_t>(source) << 32) | target; }

 private:
  void index_kernels() {
    for (const KernelTable table : kernel_tables()) {
      for (const KernelEntry& entry : table) {
        const bool added = kernels_.emplace(entry.symbol, &entry).second;
        PANDO_ASSERT(added, "two kernels for one symbol");
      }
    }
  }

  template <typename T>
  std::span<const T> keep(std::deque<std::vector<T>>& pool, std::vector<T> items) {
    return items.empty() ? std::span<const T>() : std::span<const T>(pool.emplace_back(std::move(items)));
  }

  void add_functions() {
    for (const ProcRow& row : kProcRows) {
      const auto kernel = kernels_.find(row.symbol);
      if (kernel == kernels_.end()) {
        continue;
      }
      const Function& function = owned_functions_.emplace_back(make_function(row, *kernel->second));
      functions.push_back(&function);
      functions_by_oid.emplace(function.oid, &function);
      functions_by_name[function.name].push_back(&function);
    }
  }

  Function make_function(const ProcRow& row, const KernelEntry& kernel) {
    Function function;
    function.oid = row.oid;
    function.name = row.name;
    std::vector<Oid> arguments;
    for (const std::string_view piece : split(row.arguments, ' ')) {
      arguments.push_back(parse_oid(piece));
    }
    function.arguments = keep(oid_pool_, std::move(arguments));
    function.variadic = row.variadic;
    function.defaults = row.defaults;
    function.default_arguments = keep(text_pool_, split(row.default_arguments, ','));
    function.argument_names = keep(text_pool_, split(row.argument_names, ','));
    function.result = row.result;
    function.strict = row.strict;
    function.volatility = static_cast<Volatility>(row.volatility);
    function.kind = static_cast<FunctionKind>(row.kind);
    std::vector<OutColumn> columns;
    for (const std::string_view piece : split(row.out_columns, ',')) {
      const std::size_t space = piece.rfind(' ');
      columns.push_back({piece.substr(0, space), parse_oid(piece.substr(space + 1))});
    }
    function.out_columns = keep(column_pool_, std::move(columns));
    function.scalar = kernel.scalar;
    function.set = kernel.set;
    function.window = kernel.window;
    function.aggregate = kernel.aggregate;
    function.ordered_set = !row.aggregate_kind.empty();
    static constexpr std::string_view kInsensitive[] = {"min",   "max",     "bool_and", "bool_or",
                                                        "every", "bit_and", "bit_or"};
    function.distinct_insensitive =
        function.aggregate != nullptr && std::ranges::find(kInsensitive, row.name) != std::end(kInsensitive);
    function.symbol = row.symbol;
    function.schema = row.oid < kFirstInformationSchemaFunction ? "pg_catalog" : "information_schema";
    return function;
  }

  void add_operators() {
    for (const OperatorRow& row : kOperatorRows) {
      const auto function = functions_by_oid.find(row.function);
      if (function == functions_by_oid.end()) {
        continue;
      }
      const Operator& entry = owned_operators_.emplace_back(
          Operator{row.oid, row.name, row.left, row.right, row.result, function->second, row.commutator, row.negator});
      operators.push_back(&entry);
      operators_by_oid.emplace(entry.oid, &entry);
      operators_by_name[entry.name].push_back(&entry);
    }
  }

  void add_casts() {
    for (const CastRow& row : kCastRows) {
      const auto method = static_cast<CastMethod>(row.method);
      const Function* function = nullptr;
      if (method == CastMethod::kFunction) {
        const auto found = functions_by_oid.find(row.function);
        if (found == functions_by_oid.end()) {
          continue;
        }
        function = found->second;
      }
      casts.push_back({row.source, row.target, static_cast<CastContext>(row.context), method, function});
    }
    for (const CastEntry& cast : casts) {
      casts_by_types.emplace(cast_key(cast.source, cast.target), &cast);
    }
  }

  std::unordered_map<std::string_view, const KernelEntry*> kernels_;
  std::deque<Function> owned_functions_;
  std::deque<Operator> owned_operators_;
  std::deque<std::vector<Oid>> oid_pool_;
  std::deque<std::vector<std::string_view>> text_pool_;
  std::deque<std::vector<OutColumn>> column_pool_;
};

const Registry& registry() {
  static const Registry instance;
  return instance;
}

template <typename T>
std::span<const T* const> find_named(const std::unordered_map<std::string_view, std::vector<const T*>>& index,
                                     std::string_view name) {
  const auto found = index.find(name);
  return found == index.end() ? std::span<const T* const>() : std::span<const T* const>(found->second);
}
template <typename K, typename T>
const T* find_or_null(const std::unordered_map<K, const T*>& index, K key) {
  const auto found = index.find(key);
  return found == index.end() ? nullptr : found->second;
}

}  // namespace

std::span<const Function* const> functions_named(std::string_view name) {
  return find_named(registry().functions_by_name, name);
}
std::span<const Operator* const> operators_named(std::string_view name) {
  return find_named(registry().operators_by_name, name);
}
const Function* function_by_oid(Oid oid) { return find_or_null(registry().functions_by_oid, oid); }
const Operator* operator_by_oid(Oid oid) { return find_or_null(registry().operators_by_oid, oid); }
const CastEntry* find_cast(Oid source, Oid target) {
  return find_or_null(registry().casts_by_types, Registry::cast_key(source, target));
}
std::span<const Function* const> all_functions() { return registry().functions; }
std::span<const Operator* const> all_operators() { return registry().operators; }
std::span<const CastEntry> all_casts() { return registry().casts; }
std::span<const ProcRow> signature_rows() { return kProcRows; }

}  // namespace pando::sql
