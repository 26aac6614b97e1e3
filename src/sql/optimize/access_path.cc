#include "sql/optimize/access_path.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "sql/function/function.h"
#include "sql/optimize/conjuncts.h"
#include "types/array.h"
#include "types/row_codec.h"

namespace pando::sql {
namespace {

// An IN list longer than this is a filter.
constexpr std::size_t kListRangesMax = 4096;
// A whole index is read instead of the rows only if there are at least so many.
constexpr double kWholeIndexRowsMin = 10000;

struct IndexShape {
  types::Oid oid = 0;
  bool unique = false;
  std::vector<catalog::IndexColumn> columns;
};

// An index column's constraints found among the conjuncts.
struct ColumnMatch {
  std::vector<ExprPtr> equal;  // one, or the values of an IN list; a null one means IS NULL
  std::vector<std::size_t> equal_conjuncts;
  std::optional<KeyCondition::Bound> lower;
  std::optional<KeyCondition::Bound> upper;
  std::vector<std::size_t> bound_conjuncts;
  // Restricted by the bounds, and still to be checked.
  std::vector<std::size_t> pattern_conjuncts;
  bool not_null = false;
  // Of one OR: what each of its parts selects.
  std::vector<KeyCondition> alternatives;
  std::size_t alternatives_conjunct = 0;
  // Nothing else is to be checked of it.
  bool alternatives_exact = true;
};

bool is_text_like(types::Oid type) { return type == types::oid::kText || type == types::oid::kVarchar; }

bool is_integer(types::Oid type) {
  return type == types::oid::kInt2 || type == types::oid::kInt4 || type == types::oid::kInt8;
}

bool widens(types::Oid from, types::Oid to) {
  return is_integer(from) && is_integer(to) && (from == types::oid::kInt2 || to == types::oid::kInt8);
}

// What a cast that changes neither values nor their order is of; null when it is not such a cast.
ExprPtr under_cast(const ExprPtr& expr) {
  if (const auto* cast = as<CastExpr>(expr)) {
    const types::Oid from = cast->argument->type.oid;
    const bool keeps = cast->method == CastExpr::Method::kRelabel ? is_text_like(expr->type.oid) && is_text_like(from)
                                                                  : widens(from, expr->type.oid);
    return keeps ? cast->argument : nullptr;
  }
  const auto* call = as<CallExpr>(expr);
  if (call == nullptr || call->arguments.size() != 1 || !widens(call->arguments[0]->type.oid, expr->type.oid)) {
    return nullptr;
  }
  const CastEntry* cast = find_cast(call->arguments[0]->type.oid, expr->type.oid);
  return cast != nullptr && cast->function == call->function ? call->arguments[0] : nullptr;
}

// The column under casts that do not change how it compares.
const ColumnExpr* plain_column(const ExprPtr& expr) {
  if (const auto* column = as<ColumnExpr>(expr)) {
    return column;
  }
  const ExprPtr argument = under_cast(expr);
  return argument == nullptr ? nullptr : plain_column(argument);
}

// What every text that matches a LIKE pattern begins with; `whole` when all that begin so match.
std::string pattern_prefix(ByteView pattern, bool& whole) {
  std::string prefix;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '%' || pattern[i] == '_') {
      whole = pattern.substr(i) == "%";
      return prefix;
    }
    if (pattern[i] == '\\') {
      ++i;
    }
    if (i == pattern.size()) {
      return {};
    }
    prefix.push_back(pattern[i]);
  }
  whole = false;
  return prefix;
}

// Whether take_key gives the value back.
bool is_readable_key(types::Oid type) {
  const types::TypeInfo* info = types::find_type(type);
  return info != nullptr && info->category != 'A' && info->category != 'P' && type != types::oid::kJsonb;
}

std::optional<int64_t> integer_of(const types::Value& value) {
  if (value.holds<int16_t>()) {
    return value.as<int16_t>();
  }
  if (value.holds<int32_t>()) {
    return value.as<int32_t>();
  }
  return value.holds<int64_t>() ? std::optional(value.as<int64_t>()) : std::nullopt;
}

// `value` as a value of the column's type; nullptr when that is not possible without changing the comparison.
ExprPtr key_value(const ExprPtr& value, types::Type column) {
  if (value->type.oid == column.oid || (is_text_like(value->type.oid) && is_text_like(column.oid))) {
    return value;
  }
  if (!is_integer(value->type.oid) || !is_integer(column.oid)) {
    return nullptr;
  }
  const auto* constant = as<ConstantExpr>(value);
  if (constant == nullptr) {
    ExprPtr a = value;
    ExprPtr b = make_expr(column, ColumnExpr{});
    return unify_types(a, b) && a->type.oid == column.oid ? a : value;
  }
  const auto number = integer_of(constant->value);
  if (!number) {
    return nullptr;
  }
  if (column.oid == types::oid::kInt2) {
    return *number == static_cast<int16_t>(*number)
               ? make_constant(column, types::Value::of_int16(static_cast<int16_t>(*number)))
               : nullptr;
  }
  if (column.oid == types::oid::kInt4) {
    return *number == static_cast<int32_t>(*number)
               ? make_constant(column, types::Value::of_int32(static_cast<int32_t>(*number)))
               : nullptr;
  }
  return make_constant(column, types::Value::of_int64(*number));
}

class Matcher {
 public:
  Matcher(const ScanRequest& request, Cardinality& cardinality) : request_(request), cardinality_(cardinality) {}

  AccessPath match(const IndexShape& index) {
    AccessPath path;
    path.index = index.oid;
    std::vector<bool> used(request_.conjuncts.size());
    std::vector<KeyCondition> conditions(1);
    bool restricted = false;
    double share = 1;
    for (const catalog::IndexColumn& column : index.columns) {
      const auto id = output_of(column.attribute);
      if (!id) {
        break;
      }
      ColumnMatch found = find(*id, request_.scan->table->column(column.attribute).type);
      if (!found.equal.empty() && conditions.size() * found.equal.size() <= kListRangesMax) {
        conditions = with_equal(conditions, found.equal);
        share *= use(found.equal_conjuncts, used);
        ++path.equal_columns;
        restricted = true;
        continue;
      }
      if (found.lower || found.upper || found.not_null) {
        for (KeyCondition& condition : conditions) {
          condition.lower = found.lower;
          condition.upper = found.upper;
          condition.not_null = true;
        }
        share *= use(found.bound_conjuncts, used);
        for (const std::size_t i : found.pattern_conjuncts) {
          share *= cardinality_.selectivity(request_.conjuncts[i]);
        }
        restricted = true;
      } else if (!found.alternatives.empty() && conditions.size() * found.alternatives.size() <= kListRangesMax) {
        conditions = with_alternatives(conditions, found.alternatives);
        share *= cardinality_.selectivity(request_.conjuncts[found.alternatives_conjunct]);
        used[found.alternatives_conjunct] = found.alternatives_exact;
        restricted = true;
      }
      break;
    }
    if (restricted) {
      path.conditions = std::move(conditions);
    }
    for (std::size_t i = 0; i < used.size(); ++i) {
      if (!used[i]) {
        path.rest.push_back(request_.conjuncts[i]);
      }
    }
    path.index_only = index.oid != 0 && request_.methods.index_only_scan && has_attributes(index);
    match_order(index, path);
    set_cost(index, share, path);
    return path;
  }

 private:
  std::optional<ColumnId> output_of(catalog::AttributeNumber attribute) const {
    const auto& attributes = request_.scan->attributes;
    const auto found = std::ranges::find(attributes, attribute);
    if (attribute == 0 || found == attributes.end()) {
      return std::nullopt;
    }
    return request_.plan->outputs[static_cast<std::size_t>(found - attributes.begin())].id;
  }

  // Whether the entries of a secondary index have all attributes of the scan, in their own columns or in those of the
  // row's key.
  bool has_attributes(const IndexShape& index) const {
    const catalog::TableDescriptor& table = *request_.scan->table;
    const catalog::IndexDescriptor* primary = table.primary_index();
    const auto in = [&](const std::vector<catalog::IndexColumn>& columns, catalog::AttributeNumber attribute) {
      return std::ranges::any_of(columns, [&](const catalog::IndexColumn& column) {
        return column.attribute == attribute && types::is_key_exact(table.column(attribute).type.oid);
      });
    };
    return std::ranges::all_of(request_.scan->attributes, [&](catalog::AttributeNumber attribute) {
      return attribute == kTableOidAttribute ||
             (attribute > 0 && is_readable_key(table.column(attribute).type.oid) &&
              (in(index.columns, attribute) || (primary != nullptr && in(primary->columns, attribute))));
    });
  }

  static bool names(const ExprPtr& expr, ColumnId id) {
    const ColumnExpr* column = plain_column(expr);
    return column != nullptr && column->column == id;
  }
  static bool is_known(const ExprPtr& expr) {
    return columns_of(expr).empty() && !has_subquery(expr) && !is_volatile(expr);
  }

  ColumnMatch find(ColumnId id, types::Type type) const {
    ColumnMatch match;
    for (std::size_t i = 0; i < request_.conjuncts.size(); ++i) {
      const ExprPtr& conjunct = request_.conjuncts[i];
      if (auto comparison = as_comparison(conjunct)) {
        add_comparison(*comparison, id, type, i, match);
      } else if (const auto* test = as<NullTestExpr>(conjunct); test != nullptr && names(test->argument, id)) {
        add_null_test(*test, i, match);
      } else if (const auto* list = as<ArrayComparisonExpr>(conjunct);
                 list != nullptr && !list->all && list->spelling == "=" && names(list->left, id)) {
        add_list(*list, type, i, match);
      } else if (const auto* call = as<CallExpr>(conjunct); call != nullptr && call->spelling == "~~") {
        add_pattern(*call, id, type, i, match);
      } else if (const auto* logic = as<LogicExpr>(conjunct);
                 logic != nullptr && logic->kind == LogicExpr::Kind::kOr && match.alternatives.empty()) {
        add_alternatives(*logic, id, type, i, match);
      }
    }
    return match;
  }

  // x BETWEEN 1 AND 3 OR x = 7 OR x > 10 AND ...
  static void add_alternatives(const LogicExpr& logic, ColumnId id, types::Type type, std::size_t i,
                               ColumnMatch& match) {
    std::vector<KeyCondition> alternatives;
    bool exact = true;
    for (const ExprPtr& part : logic.arguments) {
      const std::vector<ExprPtr> conjuncts = conjuncts_of(part);
      ColumnMatch found;
      for (std::size_t k = 0; k < conjuncts.size(); ++k) {
        if (auto comparison = as_comparison(conjuncts[k])) {
          add_comparison(*comparison, id, type, k, found);
        }
      }
      if (found.equal.empty() && !found.lower && !found.upper) {
        return;
      }
      if (found.equal.empty()) {
        alternatives.push_back({{}, found.lower, found.upper, true});
        exact = exact && found.bound_conjuncts.size() == conjuncts.size();
      } else {
        alternatives.push_back({.equal = found.equal});
        exact = exact && conjuncts.size() == 1;
      }
    }
    match.alternatives = std::move(alternatives);
    match.alternatives_conjunct = i;
    match.alternatives_exact = exact;
  }

  // x LIKE 'abc%' lies between 'abc' and what follows every text that begins so; text is ordered by its bytes.
  static void add_pattern(const CallExpr& call, ColumnId id, types::Type type, std::size_t i, ColumnMatch& match) {
    const auto* pattern = call.arguments.size() == 2 ? as<ConstantExpr>(call.arguments[1]) : nullptr;
    if (pattern == nullptr || pattern->value.is_null() || !is_text_like(type.oid) || !names(call.arguments[0], id) ||
        match.lower || match.upper) {
      return;
    }
    bool whole = false;
    const std::string prefix = pattern_prefix(pattern->value.bytes(), whole);
    const Bytes end = prefix_end(prefix);
    if (prefix.empty() || end.empty()) {
      return;
    }
    const auto bound = [&](const Bytes& text) { return make_constant(type, types::Value::of_bytes(text)); };
    match.lower = KeyCondition::Bound{bound(prefix), true};
    match.upper = KeyCondition::Bound{bound(end), false};
    if (whole) {
      match.bound_conjuncts.push_back(i);
    } else {
      match.pattern_conjuncts.push_back(i);
    }
  }

  static void add_comparison(Comparison comparison, ColumnId id, types::Type type, std::size_t i, ColumnMatch& match) {
    if (!names(comparison.left, id)) {
      std::swap(comparison.left, comparison.right);
      comparison.op = flipped(comparison.op);
    }
    if (!names(comparison.left, id) || !is_known(comparison.right)) {
      return;
    }
    const ExprPtr value = key_value(comparison.right, type);
    if (value == nullptr || comparison.op == "<>") {
      return;
    }
    if (comparison.op == "=") {
      if (match.equal.size() != 1 || match.equal[0] == nullptr) {
        match.equal = {value};
        match.equal_conjuncts = {i};
      }
      return;
    }
    const bool inclusive = comparison.op.size() == 2;
    auto& bound = comparison.op[0] == '<' ? match.upper : match.lower;
    if (!bound) {
      bound = KeyCondition::Bound{value, inclusive};
      match.bound_conjuncts.push_back(i);
    }
  }

  static void add_null_test(const NullTestExpr& test, std::size_t i, ColumnMatch& match) {
    if (test.is_not) {
      match.not_null = true;
      match.bound_conjuncts.push_back(i);
    } else if (match.equal.empty()) {
      match.equal = {nullptr};
      match.equal_conjuncts = {i};
    }
  }

  static void add_list(const ArrayComparisonExpr& list, types::Type type, std::size_t i, ColumnMatch& match) {
    if (!match.equal.empty()) {
      return;
    }
    std::vector<ExprPtr> values;
    for (const ExprPtr& element : list_elements(list.array)) {
      if (!is_known(element)) {
        return;
      }
      const auto* constant = as<ConstantExpr>(element);
      if (constant != nullptr && constant->value.is_null()) {
        continue;
      }
      ExprPtr value = key_value(element, type);
      if (value == nullptr) {
        return;
      }
      values.push_back(std::move(value));
    }
    if (!values.empty()) {
      match.equal = std::move(values);
      match.equal_conjuncts = {i};
    }
  }

  // The elements of an ARRAY constructor or of a constant array.
  static std::vector<ExprPtr> list_elements(const ExprPtr& array) {
    if (const auto* list = as<ArrayExpr>(array)) {
      return list->nested ? std::vector<ExprPtr>{} : list->elements;
    }
    std::vector<ExprPtr> elements;
    const auto* constant = as<ConstantExpr>(array);
    if (constant != nullptr && !constant->value.is_null()) {
      const types::ArrayView view(constant->value.bytes());
      for (std::size_t i = 0; i < view.size(); ++i) {
        elements.push_back(
            make_constant({types::element_of(array->type.oid)}, view.is_null(i) ? types::Value::null() : view.get(i)));
      }
    }
    return elements;
  }

  static std::vector<KeyCondition> with_alternatives(const std::vector<KeyCondition>& conditions,
                                                     const std::vector<KeyCondition>& alternatives) {
    std::vector<KeyCondition> product;
    for (const KeyCondition& condition : conditions) {
      for (KeyCondition each : alternatives) {
        each.equal.insert(each.equal.begin(), condition.equal.begin(), condition.equal.end());
        product.push_back(std::move(each));
      }
    }
    return product;
  }

  static std::vector<KeyCondition> with_equal(const std::vector<KeyCondition>& conditions,
                                              const std::vector<ExprPtr>& values) {
    std::vector<KeyCondition> product;
    for (const KeyCondition& condition : conditions) {
      for (const ExprPtr& value : values) {
        product.push_back(condition);
        product.back().equal.push_back(value);
      }
    }
    return product;
  }

  double use(const std::vector<std::size_t>& conjuncts, std::vector<bool>& used) {
    double share = 1;
    for (const std::size_t i : conjuncts) {
      used[i] = true;
      share *= cardinality_.selectivity(request_.conjuncts[i]);
    }
    return share;
  }

  // Whether walking the index, forwards or backwards, gives the wanted order. Columns that an equality fixes may be
  // left out of the order.
  void match_order(const IndexShape& index, AccessPath& path) const {
    if (request_.order.empty() || (path.equal_columns > 0 && path.conditions.size() > 1)) {
      return;
    }
    std::optional<bool> reverse;
    std::size_t column = 0;
    for (const SortKey& key : request_.order) {
      const auto* named = as<ColumnExpr>(key.expr);
      while (column < path.equal_columns && !is_column(index, column, named)) {
        ++column;
      }
      if (named == nullptr || column >= index.columns.size() || !is_column(index, column, named)) {
        return;
      }
      const catalog::IndexColumn& indexed = index.columns[column];
      if (column >= path.equal_columns) {
        const bool backwards = indexed.descending != key.descending;
        if (key.nulls_first != (indexed.nulls_first != backwards) && !is_not_null(indexed.attribute)) {
          return;
        }
        if (reverse.value_or(backwards) != backwards) {
          return;
        }
        reverse = backwards;
      }
      ++column;
    }
    path.ordered = true;
    path.reverse = reverse.value_or(false);
  }
  bool is_column(const IndexShape& index, std::size_t column, const ColumnExpr* named) const {
    const auto id = output_of(index.columns[column].attribute);
    return named != nullptr && id && *id == named->column;
  }
  bool is_not_null(catalog::AttributeNumber attribute) const {
    return request_.scan->table->column(attribute).not_null;
  }

  void set_cost(const IndexShape& index, double share, AccessPath& path) const {
    const double total = cardinality_.table_rows(*request_.scan->table);
    path.rows = std::max(1.0, total * share);
    if (index.unique && path.equal_columns == index.columns.size()) {
      path.rows = static_cast<double>(path.conditions.size());
    }
    const double seeks = std::max<double>(1, static_cast<double>(path.conditions.size()));
    double read = path.rows;
    const double rest_share = std::max(1e-6, rest_selectivity(path));
    if (path.ordered && request_.limit > 0) {
      read = std::min(read, request_.limit / rest_share);
    }
    path.cost = seeks * kSeekCost + read * (index.oid == 0 ? 1 : path.index_only ? kEntryCost : 1 + kFetchCost);
    const bool whole = path.conditions.empty() && !path.ordered;
    if (whole ? !request_.methods.sequential_scan : !request_.methods.index_scan) {
      path.cost += kDisabledCost;
    }
    if (!request_.order.empty() && !path.ordered) {
      const double sorted = std::max(2.0, path.rows * rest_share);
      path.cost += sorted * 0.2 * std::log2(sorted);
    }
  }
  double rest_selectivity(const AccessPath& path) const {
    double share = 1;
    for (const ExprPtr& conjunct : path.rest) {
      share *= cardinality_.selectivity(conjunct);
    }
    return share;
  }

  const ScanRequest& request_;
  Cardinality& cardinality_;
};

}  // namespace

AccessPath choose_access_path(const ScanRequest& request, Cardinality& cardinality) {
  Matcher matcher(request, cardinality);
  const catalog::TableDescriptor& table = *request.scan->table;
  IndexShape rows;
  if (const catalog::IndexDescriptor* primary = table.primary_index()) {
    rows.unique = true;
    rows.columns = primary->columns;
  }
  AccessPath best = matcher.match(rows);
  if (!request.methods.index_scan && !best.conditions.empty()) {
    // Rows are read by their key only when that is allowed: otherwise all of them, and filtered.
    AccessPath all;
    all.rest = request.conjuncts;
    all.rows = cardinality.table_rows(table);
    all.cost = kSeekCost + all.rows;
    best = std::move(all);
  }
  for (const catalog::IndexDescriptor& index : table.indexes) {
    if (index.primary || !index.readable || !index.predicate_sql.empty()) {
      continue;
    }
    AccessPath path = matcher.match({index.oid, index.unique, index.columns});
    const bool useful = !path.conditions.empty() || path.ordered ||
                        (path.index_only && path.rows >= kWholeIndexRowsMin && request.methods.index_scan);
    if (useful && path.cost < best.cost) {
      best = std::move(path);
    }
  }
  return best;
}

}  // namespace pando::sql
