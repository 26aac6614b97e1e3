#include "sql/bind/resolve.h"

#include <algorithm>
#include <utility>

namespace pando::sql {

namespace oid = types::oid;
using types::Oid;

std::string name_text(const ast::QualifiedName& name) {
  std::string text;
  for (const std::string& part : name) {
    text += text.empty() ? part : "." + part;
  }
  return text;
}

std::string signature_text(const ast::QualifiedName& name, std::span<const Oid> types,
                           std::span<const std::string> names) {
  std::string text = name_text(name) + "(";
  for (std::size_t i = 0; i < types.size(); ++i) {
    text += i == 0 ? "" : ", ";
    if (i < names.size() && !names[i].empty()) {
      text += names[i] + " => ";
    }
    text += type_name(types[i]);
  }
  return text + ")";
}

namespace {

// A function or operator that could take the arguments, by the types it declares for them.
struct Candidate {
  std::vector<Oid> types;
  const Function* function = nullptr;
  const Operator* op = nullptr;
  bool expanded = false;
  std::size_t defaults = 0;
  std::vector<int> order;
};
using Candidates = std::vector<const Candidate*>;

// Keeps the candidates with the highest score.
template <typename Score>
void keep_best(Candidates& candidates, Score score) {
  int best = 0;
  Candidates kept;
  for (const Candidate* candidate : candidates) {
    const int value = score(*candidate);
    if (kept.empty() || value > best) {
      kept = {candidate};
      best = value;
    } else if (value == best) {
      kept.push_back(candidate);
    }
  }
  candidates = std::move(kept);
}

// What the candidates say the unknown argument at `slot` is: nullopt when they disagree.
struct SlotCategory {
  char category = 0;
  bool has_preferred = false;
};
std::optional<SlotCategory> slot_category(const Candidates& candidates, std::size_t slot) {
  SlotCategory result;
  bool conflict = false;
  for (const Candidate* candidate : candidates) {
    const char category = category_of(candidate->types[slot]);
    const bool preferred = is_preferred(candidate->types[slot]);
    if (result.category == 0) {
      result = {category, preferred};
    } else if (category == result.category) {
      result.has_preferred = result.has_preferred || preferred;
    } else if (category == 'S') {
      result = {category, preferred};
    } else {
      conflict = true;
    }
  }
  if (conflict && result.category != 'S') {
    return std::nullopt;
  }
  return result;
}

// Step 4.d of the rule: prefer the category (strings, or the one all agree on) of each unknown argument.
void narrow_by_category(Candidates& candidates, std::span<const Oid> inputs) {
  std::vector<std::pair<std::size_t, SlotCategory>> slots;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] == oid::kUnknown) {
      const std::optional<SlotCategory> slot = slot_category(candidates, i);
      if (!slot.has_value()) {
        return;
      }
      slots.emplace_back(i, *slot);
    }
  }
  Candidates kept;
  for (const Candidate* candidate : candidates) {
    const bool fits = std::all_of(slots.begin(), slots.end(), [&](const auto& slot) {
      const Oid type = candidate->types[slot.first];
      return category_of(type) == slot.second.category && (!slot.second.has_preferred || is_preferred(type));
    });
    if (fits) {
      kept.push_back(candidate);
    }
  }
  if (!kept.empty()) {
    candidates = std::move(kept);
  }
}

// Step 4.f: unknown arguments are taken to be of the type that all known ones have.
const Candidate* choose_by_known_type(const Candidates& candidates, std::span<const Oid> inputs) {
  Oid known = oid::kUnknown;
  for (const Oid input : inputs) {
    if (input == oid::kUnknown) {
      continue;
    }
    if (known != oid::kUnknown && known != input) {
      return nullptr;
    }
    known = input;
  }
  if (known == oid::kUnknown) {
    return nullptr;
  }
  const std::vector<Oid> assumed(inputs.size(), known);
  const Candidate* chosen = nullptr;
  for (const Candidate* candidate : candidates) {
    if (can_coerce(assumed, candidate->types, CastContext::kImplicit)) {
      if (chosen != nullptr) {
        return nullptr;
      }
      chosen = candidate;
    }
  }
  return chosen;
}

// PostgreSQL's func_select_candidate: nullptr when no candidate is best.
const Candidate* choose_candidate(Candidates candidates, std::span<const Oid> inputs) {
  const auto exact_matches = [&](const Candidate& candidate) {
    int matches = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      matches += inputs[i] != oid::kUnknown && candidate.types[i] == inputs[i] ? 1 : 0;
    }
    return matches;
  };
  keep_best(candidates, exact_matches);
  if (candidates.size() == 1) {
    return candidates[0];
  }
  const auto preferred_matches = [&](const Candidate& candidate) {
    int matches = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i] != oid::kUnknown) {
        const Oid type = candidate.types[i];
        const bool preferred = category_of(type) == category_of(inputs[i]) && is_preferred(type);
        matches += type == inputs[i] || preferred ? 1 : 0;
      }
    }
    return matches;
  };
  keep_best(candidates, preferred_matches);
  if (candidates.size() == 1) {
    return candidates[0];
  }
  if (std::find(inputs.begin(), inputs.end(), oid::kUnknown) == inputs.end()) {
    return nullptr;
  }
  narrow_by_category(candidates, inputs);
  if (candidates.size() == 1) {
    return candidates[0];
  }
  return choose_by_known_type(candidates, inputs);
}

struct Choice {
  const Candidate* candidate = nullptr;
  bool ambiguous = false;
};

Choice choose(const std::vector<Candidate>& all, std::span<const Oid> inputs) {
  Candidates fitting;
  for (const Candidate& candidate : all) {
    if (std::equal(inputs.begin(), inputs.end(), candidate.types.begin(), candidate.types.end())) {
      return {&candidate};
    }
    if (can_coerce(inputs, candidate.types, CastContext::kImplicit)) {
      fitting.push_back(&candidate);
    }
  }
  if (fitting.empty()) {
    return {};
  }
  if (fitting.size() == 1) {
    return {fitting[0]};
  }
  const Candidate* chosen = choose_candidate(std::move(fitting), inputs);
  return {chosen, chosen == nullptr};
}

Status operator_error(const ast::QualifiedName& name, Oid left, Oid right, bool ambiguous, int position) {
  const std::string text = left == 0 ? fmt::format("{} {}", name_text(name), type_name(right))
                                     : fmt::format("{} {} {}", type_name(left), name_text(name), type_name(right));
  if (ambiguous) {
    return Status(sql_state::kAmbiguousFunction, "operator is not unique: {}", text)
        .with_hint("Could not choose a best candidate operator. You might need to add explicit type casts.")
        .with_position(position);
  }
  return Status(sql_state::kUndefinedFunction, "operator does not exist: {}", text)
      .with_hint(left == 0 ? "No operator matches the given name and argument type. You might need to add an explicit "
                             "type cast."
                           : "No operator matches the given name and argument types. You might need to add explicit "
                             "type casts.")
      .with_position(position);
}

const Operator* exact_operator(std::string_view name, Oid left, Oid right) {
  for (const Operator* op : operators_named(name)) {
    if (op->left == left && op->right == right) {
      return op;
    }
  }
  return nullptr;
}

Result<OperatorChoice> settle_operator(const Operator* op, Oid left, Oid right) {
  OperatorChoice choice{op, op->left, op->right, op->result};
  const std::vector<Oid> actual = left == 0 ? std::vector<Oid>{right} : std::vector<Oid>{left, right};
  std::vector<Oid> declared = left == 0 ? std::vector<Oid>{op->right} : std::vector<Oid>{op->left, op->right};
  Result<Oid> result = resolve_polymorphic(actual, declared, op->result);
  PANDO_TRY(result.status());
  choice.left = left == 0 ? 0 : declared[0];
  choice.right = declared.back();
  choice.result = *result;
  return choice;
}

}  // namespace

Result<OperatorChoice> choose_operator(const ast::QualifiedName& name, Oid left, Oid right, int position) {
  const bool qualified_elsewhere = name.size() > 1 && name[name.size() - 2] != "pg_catalog";
  if (name.empty() || qualified_elsewhere) {
    return operator_error(name, left, right, false, position);
  }
  const std::string& symbol = name.back();
  // An unknown literal is first taken to be of the other operand's type.
  const Oid exact_left = left == oid::kUnknown ? right : left;
  const Oid exact_right = right == oid::kUnknown && left != 0 ? left : right;
  if (exact_right != oid::kUnknown) {
    if (const Operator* op = exact_operator(symbol, exact_left, exact_right)) {
      return settle_operator(op, exact_left, exact_right);
    }
  }
  std::vector<Candidate> candidates;
  std::vector<Oid> inputs;
  if (left != 0) {
    inputs.push_back(left);
  }
  inputs.push_back(right);
  for (const Operator* op : operators_named(symbol)) {
    if ((op->left == 0) == (left == 0)) {
      Candidate candidate;
      candidate.op = op;
      candidate.types = left == 0 ? std::vector<Oid>{op->right} : std::vector<Oid>{op->left, op->right};
      candidates.push_back(std::move(candidate));
    }
  }
  const Choice choice = choose(candidates, inputs);
  if (choice.candidate == nullptr) {
    return operator_error(name, left, right, choice.ambiguous, position);
  }
  return settle_operator(choice.candidate->op, left, right);
}

namespace {

Status unsupported_operator(const OperatorChoice& choice, int position) {
  return Status(sql_state::kFeatureNotSupported, "operator {} on {} is not supported", choice.op->name,
                type_name(choice.right))
      .with_position(position);
}

}  // namespace

Result<ExprPtr> apply_operator(BindContext& context, const ast::QualifiedName& name, ExprPtr left, ExprPtr right,
                               int position) {
  PANDO_ASSIGN(const OperatorChoice choice,
               choose_operator(name, left == nullptr ? 0 : left->type.oid, right->type.oid, position));
  if (choice.op->function == nullptr) {
    return unsupported_operator(choice, position);
  }
  CallExpr call;
  call.function = choice.op->function;
  call.spelling = choice.op->name;
  if (left != nullptr) {
    PANDO_ASSIGN(ExprPtr argument, coerce_argument(context, std::move(left), choice.left));
    call.arguments.push_back(std::move(argument));
  }
  PANDO_ASSIGN(ExprPtr argument, coerce_argument(context, std::move(right), choice.right));
  call.arguments.push_back(std::move(argument));
  return make_expr({choice.result}, std::move(call), position);
}

Result<const Function*> coerce_operands(BindContext& context, const ast::QualifiedName& name, ExprPtr& left,
                                        ExprPtr& right, int position) {
  PANDO_ASSIGN(const OperatorChoice choice, choose_operator(name, left->type.oid, right->type.oid, position));
  if (choice.op->function == nullptr) {
    return unsupported_operator(choice, position);
  }
  if (choice.result != oid::kBool) {
    return Status(sql_state::kDatatypeMismatch, "operator {} must return type boolean, not type {}", choice.op->name,
                  type_name(choice.result))
        .with_position(position);
  }
  PANDO_ASSIGN(left, coerce_argument(context, std::move(left), choice.left));
  PANDO_ASSIGN(right, coerce_argument(context, std::move(right), choice.right));
  return choice.op->function;
}

namespace {

Status function_error(const CallShape& call, bool ambiguous) {
  const std::string text = signature_text(call.name, call.types, call.names);
  if (ambiguous) {
    return Status(sql_state::kAmbiguousFunction, "function {} is not unique", text)
        .with_hint("Could not choose a best candidate function. You might need to add explicit type casts.")
        .with_position(call.position);
  }
  return Status(sql_state::kUndefinedFunction, "function {} does not exist", text)
      .with_hint("No function matches the given name and argument types. You might need to add explicit type casts.")
      .with_position(call.position);
}

// Parameter i takes argument order[i], or its default when that is -1. False when the names do not fit.
bool place_arguments(const Function& function, const CallShape& call, std::vector<int>& order) {
  order.assign(function.arguments.size(), -1);
  for (std::size_t i = 0; i < call.types.size(); ++i) {
    std::size_t parameter = i;
    if (i < call.names.size() && !call.names[i].empty()) {
      const auto* found = std::find(function.argument_names.data(),
                                    function.argument_names.data() + function.argument_names.size(), call.names[i]);
      parameter = static_cast<std::size_t>(found - function.argument_names.data());
    }
    if (parameter >= order.size() || order[parameter] != -1) {
      return false;
    }
    order[parameter] = static_cast<int>(i);
  }
  const std::size_t first_default = function.arguments.size() - function.defaults;
  return std::find(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(first_default), -1) ==
         order.begin() + static_cast<std::ptrdiff_t>(first_default);
}

// The candidate as a plain call, or nothing when the number of arguments does not fit.
std::optional<Candidate> plain_candidate(const Function& function, const CallShape& call) {
  Candidate candidate;
  candidate.function = &function;
  if (call.types.size() > function.arguments.size() ||
      call.types.size() + function.defaults < function.arguments.size() ||
      !place_arguments(function, call, candidate.order)) {
    return std::nullopt;
  }
  candidate.types.resize(call.types.size());
  for (std::size_t parameter = 0; parameter < candidate.order.size(); ++parameter) {
    if (candidate.order[parameter] >= 0) {
      candidate.types[static_cast<std::size_t>(candidate.order[parameter])] = function.arguments[parameter];
    }
  }
  candidate.defaults = function.arguments.size() - call.types.size();
  return candidate;
}

// The candidate with its VARIADIC parameter repeated for the arguments that are left.
std::optional<Candidate> variadic_candidate(const Function& function, const CallShape& call) {
  if (!function.variadic || call.variadic || !call.names.empty() || call.types.size() < function.arguments.size()) {
    return std::nullopt;
  }
  Candidate candidate;
  candidate.function = &function;
  const Oid last = function.arguments.back();
  const Oid element = last == oid::kAny                  ? oid::kAny
                      : last == oid::kAnyArray           ? oid::kAnyElement
                      : last == oid::kAnyCompatibleArray ? oid::kAnyCompatible
                                                         : types::element_of(last);
  candidate.types.assign(function.arguments.begin(), function.arguments.end() - 1);
  candidate.types.resize(call.types.size(), element);
  candidate.expanded = last != oid::kAny;
  for (std::size_t i = 0; i < call.types.size(); ++i) {
    candidate.order.push_back(static_cast<int>(i));
  }
  return candidate;
}

bool is_visible(const BindContext& context, const Function& function, const ast::QualifiedName& name) {
  if (name.size() > 1) {
    return function.schema == name[name.size() - 2];
  }
  const auto& path = context.options.search_path;
  return function.schema == "pg_catalog" || std::find(path.begin(), path.end(), function.schema) != path.end();
}

void add_candidate(std::vector<Candidate>& candidates, Candidate candidate) {
  // Of two that take the same types, a plain one and then the one with fewer defaults hides the other.
  for (Candidate& other : candidates) {
    if (other.types == candidate.types) {
      if ((other.expanded && !candidate.expanded) || candidate.defaults < other.defaults) {
        other = std::move(candidate);
      }
      return;
    }
  }
  candidates.push_back(std::move(candidate));
}

std::vector<Candidate> function_candidates(const BindContext& context, const CallShape& call) {
  std::vector<Candidate> candidates;
  for (const Function* function : functions_named(call.name.back())) {
    if (!is_visible(context, *function, call.name)) {
      continue;
    }
    // A VARIADIC "any" parameter takes any number of arguments as they are.
    const bool any_number =
        function->variadic && !function->arguments.empty() && function->arguments.back() == oid::kAny && !call.variadic;
    if (!any_number && (function->variadic || !call.variadic)) {
      if (std::optional<Candidate> plain = plain_candidate(*function, call)) {
        add_candidate(candidates, *std::move(plain));
      }
    }
    if (any_number || !call.variadic) {
      if (std::optional<Candidate> variadic = variadic_candidate(*function, call)) {
        add_candidate(candidates, *std::move(variadic));
      }
    }
    if (function->variadic && call.variadic && function->arguments.back() == oid::kAny) {
      if (std::optional<Candidate> plain = plain_candidate(*function, call)) {
        add_candidate(candidates, *std::move(plain));
      }
    }
  }
  return candidates;
}

// int4(x): the type's name called as a function is a cast when the cast needs no function.
Oid cast_by_name(const CallShape& call) {
  const bool qualified_elsewhere = call.name.size() > 1 && call.name[call.name.size() - 2] != "pg_catalog";
  if (!call.may_be_cast || call.types.size() != 1 || call.variadic || qualified_elsewhere || !call.names.empty()) {
    return 0;
  }
  const types::TypeInfo* info = types::find_type(call.name.back());
  if (info == nullptr || info->name != call.name.back() || info->kind == 'p') {
    return 0;
  }
  if (call.types[0] == oid::kUnknown) {
    return info->oid;
  }
  const CoercionPath path = find_coercion(call.types[0], info->oid, CastContext::kExplicit);
  const bool fits = path.kind == CoercionPath::Kind::kRelabel || path.kind == CoercionPath::Kind::kText;
  return fits ? info->oid : 0;
}

Result<FunctionChoice> settle_function(const Candidate& candidate, const CallShape& call) {
  FunctionChoice choice;
  choice.function = candidate.function;
  choice.argument_types = candidate.types;
  choice.argument_order = candidate.order;
  Result<Oid> result = resolve_polymorphic(call.types, choice.argument_types, candidate.function->result);
  PANDO_TRY(result.status());
  choice.result = *result;
  if (candidate.expanded) {
    choice.variadic_from = candidate.function->arguments.size() - 1;
  }
  return choice;
}

}  // namespace

Result<FunctionChoice> choose_function(const BindContext& context, const CallShape& call) {
  if (call.name.size() > 1) {
    const std::string& schema = call.name[call.name.size() - 2];
    const bool known = schema == "pg_catalog" || context.options.catalog->find_schema(schema) != nullptr;
    if (!known) {
      return Status(sql_state::kInvalidSchemaName, "schema \"{}\" does not exist", schema).with_position(call.position);
    }
  }
  const std::vector<Candidate> candidates = function_candidates(context, call);
  for (const Candidate& candidate : candidates) {
    if (std::equal(call.types.begin(), call.types.end(), candidate.types.begin(), candidate.types.end())) {
      return settle_function(candidate, call);
    }
  }
  if (const Oid target = cast_by_name(call); target != 0) {
    FunctionChoice choice;
    choice.cast_target = target;
    choice.result = target;
    return choice;
  }
  const Choice choice = choose(candidates, call.types);
  if (choice.candidate == nullptr) {
    return function_error(call, choice.ambiguous);
  }
  return settle_function(*choice.candidate, call);
}

}  // namespace pando::sql
