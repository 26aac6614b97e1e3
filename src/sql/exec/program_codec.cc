// The codec of programs. One struct writes and one reads, alternative by alternative, in the same order.

#include <optional>

#include "base/codec.h"
#include "catalog/descriptor_codec.h"
#include "sql/exec/program.h"
#include "sql/exec/spill_file.h"
#include "sql/function/function.h"
#include "sql/function/portable_state.h"
#include "txn/program.h"

namespace pando::sql::exec {
namespace {

// Other nodes refuse other versions.
constexpr uint8_t kProgramVersion = 1;
constexpr int kDepthMax = 1000;

// Never renumber: on the wire.
enum class NodeTag : uint8_t { kScan = 1, kFilter = 2, kProject = 3, kPartialAggregate = 4 };
enum class ExprTag : uint8_t {
  kNone = 0,
  kConstant = 1,
  kColumn = 2,
  kCall = 3,
  kCast = 4,
  kLogic = 5,
  kNullTest = 6,
  kBooleanTest = 7,
  kDistinct = 8,
  kCase = 9,
  kCoalesce = 10,
  kNullIf = 11,
  kMinMax = 12,
  kArrayComparison = 13,
  kAggregate = 14,
};

// --- writing ---

class Writer {
 public:
  explicit Writer(Bytes& out) : out_(out) {}
  // What had no form, if anything.
  const Status& status() const { return status_; }

  void plan(const PhysicalPtr& plan) {
    number(plan->outputs.size());
    for (const OutputColumn& column : plan->outputs) {
      number(column.id.number());
      type(column.type);
    }
    std::visit([this](const auto& node) { this->node(node); }, plan->node);
  }

 private:
  void number(uint64_t value) { put_varint(out_, value); }
  void flag(bool value) { out_.push_back(value ? '\1' : '\0'); }
  template <typename Tag>
  void tag(Tag tag) {
    out_.push_back(static_cast<char>(tag));
  }
  void type(const types::Type& type) {
    number(type.oid);
    put_signed_varint(out_, type.modifier);
  }
  void function(const Function* function) {
    if (function_by_oid(function->oid) != function) {
      refuse("a function without a number of its own");
      return;
    }
    number(function->oid);
  }
  void refuse(std::string_view what) { status_ = Status(sql_state::kFeatureNotSupported, "{} in a program", what); }

  void node(const ScanPlan& scan) {
    tag(NodeTag::kScan);
    put_length_prefixed(out_, catalog::encode(*scan.table));
    number(scan.attributes.size());
    for (const catalog::AttributeNumber attribute : scan.attributes) {
      put_signed_varint(out_, attribute);
    }
    number(scan.index);
    flag(scan.index_only);
    expr(scan.filter);
  }
  void node(const FilterPlan& filter) {
    tag(NodeTag::kFilter);
    expr(filter.predicate);
    plan(filter.input);
  }
  void node(const ProjectPlan& project) {
    tag(NodeTag::kProject);
    for (const ProjectedColumn& column : project.columns) {
      expr(column.expr);
    }
    plan(project.input);
  }
  void node(const AggregatePlan& aggregate) {
    if (!aggregate.partial || !aggregate.states.empty()) {
      refuse("a whole aggregate");
    }
    tag(NodeTag::kPartialAggregate);
    number(aggregate.groups.size());
    for (const auto* columns : {&aggregate.groups, &aggregate.aggregates}) {
      for (const ProjectedColumn& column : *columns) {
        expr(column.expr);
      }
    }
    plan(aggregate.input);
  }
  template <typename Node>
  void node(const Node&) {
    refuse("an unknown plan node");
  }

  void exprs(const std::vector<ExprPtr>& list) {
    number(list.size());
    for (const ExprPtr& each : list) {
      expr(each);
    }
  }
  void expr(const ExprPtr& expr) {
    if (expr == nullptr) {
      tag(ExprTag::kNone);
      return;
    }
    std::visit([this, &expr](const auto& node) { this->node(node, expr->type); }, expr->node);
  }
  void head(ExprTag kind, const types::Type& of) {
    tag(kind);
    type(of);
  }
  void node(const ConstantExpr& constant, const types::Type& of) {
    head(ExprTag::kConstant, of);
    types::Chunk one;
    one.rows = 1;
    one.columns.emplace_back(types::physical_of(of.oid)).reset_constant(constant.value, 1);
    Bytes encoded;
    encode_chunk(one, encoded);
    put_length_prefixed(out_, encoded);
  }
  void node(const ColumnExpr& column, const types::Type& of) {
    head(ExprTag::kColumn, of);
    number(column.column.number());
  }
  void node(const CallExpr& call, const types::Type& of) {
    head(ExprTag::kCall, of);
    function(call.function);
    flag(call.variadic_array);
    exprs(call.arguments);
  }
  void node(const CastExpr& cast, const types::Type& of) {
    if (cast.method != CastExpr::Method::kRelabel && cast.method != CastExpr::Method::kModifier) {
      refuse("a cast by text or by elements");
    }
    head(ExprTag::kCast, of);
    flag(cast.method == CastExpr::Method::kModifier);
    flag(cast.is_explicit);
    expr(cast.argument);
  }
  void node(const LogicExpr& logic, const types::Type& of) {
    head(ExprTag::kLogic, of);
    tag(logic.kind);
    exprs(logic.arguments);
  }
  void node(const NullTestExpr& test, const types::Type& of) {
    head(ExprTag::kNullTest, of);
    flag(test.is_not);
    expr(test.argument);
  }
  void node(const BooleanTestExpr& test, const types::Type& of) {
    head(ExprTag::kBooleanTest, of);
    tag(test.kind);
    flag(test.is_not);
    expr(test.argument);
  }
  void node(const DistinctExpr& distinct, const types::Type& of) {
    head(ExprTag::kDistinct, of);
    function(distinct.equality);
    flag(distinct.is_not);
    expr(distinct.left);
    expr(distinct.right);
  }
  void node(const CaseExpr& choice, const types::Type& of) {
    head(ExprTag::kCase, of);
    expr(choice.operand);
    number(choice.operand_column.number());
    number(choice.branches.size());
    for (const CaseExpr::Branch& branch : choice.branches) {
      expr(branch.condition);
      expr(branch.result);
    }
    expr(choice.otherwise);
  }
  void node(const CoalesceExpr& coalesce, const types::Type& of) {
    head(ExprTag::kCoalesce, of);
    exprs(coalesce.arguments);
  }
  void node(const NullIfExpr& null_if, const types::Type& of) {
    head(ExprTag::kNullIf, of);
    function(null_if.equality);
    expr(null_if.left);
    expr(null_if.right);
  }
  void node(const MinMaxExpr& extreme, const types::Type& of) {
    head(ExprTag::kMinMax, of);
    flag(extreme.greatest);
    exprs(extreme.arguments);
  }
  void node(const ArrayComparisonExpr& comparison, const types::Type& of) {
    head(ExprTag::kArrayComparison, of);
    function(comparison.comparison);
    flag(comparison.all);
    expr(comparison.left);
    expr(comparison.array);
  }
  void node(const AggregateExpr& aggregate, const types::Type& of) {
    if (!aggregate.order.empty()) {
      refuse("an aggregate with an order");
    }
    head(ExprTag::kAggregate, of);
    function(aggregate.function);
    flag(aggregate.star);
    flag(aggregate.distinct);
    exprs(aggregate.arguments);
    expr(aggregate.filter);
  }
  template <typename Node>
  void node(const Node&, const types::Type&) {
    refuse("an unknown expression");
  }

  Bytes& out_;
  Status status_;
};

// --- reading ---

// Every function gives false, or null, for bytes that no Writer wrote.
class Reader {
 public:
  explicit Reader(ByteReader& reader) : reader_(reader) {}

  PhysicalPtr plan() {
    const Nesting nesting(depth_);
    auto plan = std::make_shared<PhysicalNode>();
    std::size_t columns = 0;
    NodeTag tag{};
    if (nesting.too_deep() || !count(columns)) {
      return nullptr;
    }
    for (std::size_t i = 0; i < columns; ++i) {
      OutputColumn& column = plan->outputs.emplace_back();
      if (!id(column.id) || !type(column.type)) {
        return nullptr;
      }
    }
    return enumerated(tag, NodeTag::kPartialAggregate) && node(tag, *plan) ? plan : nullptr;
  }

 private:
  class Nesting {
   public:
    explicit Nesting(int& depth) : depth_(++depth) {}
    ~Nesting() { --depth_; }
    bool too_deep() const { return depth_ > kDepthMax; }

   private:
    int& depth_;
  };

  // Of things that take at least a byte each.
  bool count(std::size_t& size) {
    uint64_t value = 0;
    if (!reader_.varint(value) || value > reader_.rest().size()) {
      return false;
    }
    size = value;
    return true;
  }
  bool number(uint32_t& value) {
    uint64_t wide = 0;
    if (!reader_.varint(wide) || wide > UINT32_MAX) {
      return false;
    }
    value = static_cast<uint32_t>(wide);
    return true;
  }
  bool signed_number(int32_t& value) {
    int64_t wide = 0;
    if (!reader_.signed_varint(wide) || wide < INT32_MIN || wide > INT32_MAX) {
      return false;
    }
    value = static_cast<int32_t>(wide);
    return true;
  }
  bool id(ColumnId& id) {
    uint32_t value = 0;
    const bool read = number(value);
    id = ColumnId(value);
    return read;
  }
  bool flag(bool& value) {
    uint8_t byte = 0;
    const bool read = reader_.fixed8(byte) && byte <= 1;
    value = byte != 0;
    return read;
  }
  template <typename Tag>
  bool enumerated(Tag& tag, Tag last) {
    uint8_t byte = 0;
    const bool read = reader_.fixed8(byte) && byte <= static_cast<uint8_t>(last);
    tag = static_cast<Tag>(byte);
    return read;
  }
  bool type(types::Type& type) { return number(type.oid) && signed_number(type.modifier); }
  bool function(const Function*& function) {
    uint32_t oid = 0;
    function = number(oid) ? function_by_oid(oid) : nullptr;
    return function != nullptr;
  }
  bool scalar(const Function*& function) { return this->function(function) && function->scalar != nullptr; }

  bool node(NodeTag tag, PhysicalNode& plan) {
    switch (tag) {
      case NodeTag::kScan:
        return scan(plan, plan.node.emplace<ScanPlan>());
      case NodeTag::kFilter: {
        auto& filter = plan.node.emplace<FilterPlan>();
        return expr(filter.predicate) && filter.predicate != nullptr && input(filter.input);
      }
      case NodeTag::kProject: {
        auto& project = plan.node.emplace<ProjectPlan>();
        return projected(plan.outputs, project.columns) && input(project.input);
      }
      case NodeTag::kPartialAggregate:
        return aggregate(plan, plan.node.emplace<AggregatePlan>());
    }
    return false;
  }
  bool input(PhysicalPtr& input) {
    input = plan();
    return input != nullptr;
  }
  bool scan(const PhysicalNode& plan, ScanPlan& scan) {
    ByteView table;
    std::size_t attributes = 0;
    if (!reader_.length_prefixed(table) || !count(attributes) || attributes != plan.outputs.size()) {
      return false;
    }
    auto decoded = catalog::decode_table(table);
    if (!decoded.ok()) {
      return false;
    }
    scan.table = std::make_shared<const catalog::TableDescriptor>(*std::move(decoded));
    for (std::size_t i = 0; i < attributes; ++i) {
      int32_t attribute = 0;
      if (!signed_number(attribute) || !has_attribute(*scan.table, attribute)) {
        return false;
      }
      scan.attributes.push_back(static_cast<catalog::AttributeNumber>(attribute));
    }
    return number(scan.index) && flag(scan.index_only) && expr(scan.filter) && scan.index_only == (scan.index != 0) &&
           (scan.index == 0 || scan.table->find_index(scan.index) != nullptr);
  }
  static bool has_attribute(const catalog::TableDescriptor& table, int32_t attribute) {
    if (attribute == kRowKeyAttribute || attribute == kTableOidAttribute) {
      return true;
    }
    return attribute > 0 && attribute <= static_cast<int32_t>(table.columns.size()) &&
           !table.columns[static_cast<std::size_t>(attribute) - 1].dropped;
  }
  bool aggregate(const PhysicalNode& plan, AggregatePlan& aggregate) {
    aggregate.partial = true;
    std::size_t groups = 0;
    if (!count(groups) || groups > plan.outputs.size()) {
      return false;
    }
    const auto states = plan.outputs.begin() + static_cast<std::ptrdiff_t>(groups);
    if (!projected({plan.outputs.begin(), states}, aggregate.groups) ||
        !projected({states, plan.outputs.end()}, aggregate.aggregates)) {
      return false;
    }
    for (ProjectedColumn& column : aggregate.aggregates) {
      const auto* call = as<AggregateExpr>(column.expr);
      if (call == nullptr) {
        return false;
      }
      // Of the result, as the kernels want it; the states are byte strings.
      column.column.type = column.expr->type;
    }
    return input(aggregate.input);
  }
  bool projected(const std::vector<OutputColumn>& outputs, std::vector<ProjectedColumn>& columns) {
    for (const OutputColumn& output : outputs) {
      ProjectedColumn& column = columns.emplace_back();
      column.column = output;
      if (!expr(column.expr) || column.expr == nullptr) {
        return false;
      }
    }
    return true;
  }

  bool exprs(std::vector<ExprPtr>& list) {
    std::size_t size = 0;
    if (!count(size)) {
      return false;
    }
    for (std::size_t i = 0; i < size; ++i) {
      if (!expr(list.emplace_back()) || list.back() == nullptr) {
        return false;
      }
    }
    return true;
  }
  bool one(ExprPtr& expr) { return this->expr(expr) && expr != nullptr; }
  // Sets null for none.
  bool expr(ExprPtr& out) {
    const Nesting nesting(depth_);
    ExprTag tag{};
    if (nesting.too_deep() || !enumerated(tag, ExprTag::kAggregate)) {
      return false;
    }
    out = nullptr;
    if (tag == ExprTag::kNone) {
      return true;
    }
    auto expr = std::make_shared<Expr>();
    if (!type(expr->type) || !node(tag, *expr)) {
      return false;
    }
    out = std::move(expr);
    return true;
  }
  bool node(ExprTag tag, Expr& expr) {
    switch (tag) {
      case ExprTag::kNone:
        return false;
      case ExprTag::kConstant:
        return constant(expr.type, expr.node.emplace<ConstantExpr>());
      case ExprTag::kColumn:
        return id(expr.node.emplace<ColumnExpr>().column);
      case ExprTag::kCall: {
        auto& call = expr.node.emplace<CallExpr>();
        return scalar(call.function) && flag(call.variadic_array) && exprs(call.arguments) &&
               (call.function->variadic || call.arguments.size() == call.function->arguments.size());
      }
      case ExprTag::kCast:
        return cast(expr.node.emplace<CastExpr>());
      case ExprTag::kLogic: {
        auto& logic = expr.node.emplace<LogicExpr>();
        return enumerated(logic.kind, LogicExpr::Kind::kNot) && exprs(logic.arguments) && !logic.arguments.empty();
      }
      case ExprTag::kNullTest: {
        auto& test = expr.node.emplace<NullTestExpr>();
        return flag(test.is_not) && one(test.argument);
      }
      case ExprTag::kBooleanTest: {
        auto& test = expr.node.emplace<BooleanTestExpr>();
        return enumerated(test.kind, BooleanTestExpr::Kind::kUnknown) && flag(test.is_not) && one(test.argument);
      }
      case ExprTag::kDistinct: {
        auto& distinct = expr.node.emplace<DistinctExpr>();
        return scalar(distinct.equality) && flag(distinct.is_not) && one(distinct.left) && one(distinct.right);
      }
      case ExprTag::kCase:
        return choice(expr.node.emplace<CaseExpr>());
      case ExprTag::kCoalesce:
        return exprs(expr.node.emplace<CoalesceExpr>().arguments);
      case ExprTag::kNullIf: {
        auto& null_if = expr.node.emplace<NullIfExpr>();
        return scalar(null_if.equality) && one(null_if.left) && one(null_if.right);
      }
      case ExprTag::kMinMax: {
        auto& extreme = expr.node.emplace<MinMaxExpr>();
        return flag(extreme.greatest) && exprs(extreme.arguments) && !extreme.arguments.empty();
      }
      case ExprTag::kArrayComparison: {
        auto& comparison = expr.node.emplace<ArrayComparisonExpr>();
        return scalar(comparison.comparison) && flag(comparison.all) && one(comparison.left) && one(comparison.array);
      }
      case ExprTag::kAggregate:
        return aggregate(expr.node.emplace<AggregateExpr>());
    }
    return false;
  }
  bool constant(const types::Type& type, ConstantExpr& constant) {
    ByteView encoded;
    types::Chunk one;
    if (!reader_.length_prefixed(encoded) || !decode_chunk(encoded, one).ok() || one.rows != 1 ||
        one.columns.size() != 1 || one.columns[0].physical() != types::physical_of(type.oid)) {
      return false;
    }
    constant.value = one.columns[0].get(0);
    return true;
  }
  bool cast(CastExpr& cast) {
    bool modifies = false;
    if (!flag(modifies) || !flag(cast.is_explicit) || !one(cast.argument)) {
      return false;
    }
    cast.method = modifies ? CastExpr::Method::kModifier : CastExpr::Method::kRelabel;
    return true;
  }
  bool choice(CaseExpr& choice) {
    std::size_t branches = 0;
    if (!expr(choice.operand) || !id(choice.operand_column) || !count(branches)) {
      return false;
    }
    for (std::size_t i = 0; i < branches; ++i) {
      CaseExpr::Branch& branch = choice.branches.emplace_back();
      if (!one(branch.condition) || !one(branch.result)) {
        return false;
      }
    }
    return one(choice.otherwise);
  }
  bool aggregate(AggregateExpr& aggregate) {
    return function(aggregate.function) && portable_state_of(*aggregate.function) != nullptr && flag(aggregate.star) &&
           flag(aggregate.distinct) && exprs(aggregate.arguments) && expr(aggregate.filter);
  }

  ByteReader& reader_;
  int depth_ = 0;
};

}  // namespace

const ScanPlan& scan_of(const PhysicalPtr& plan) {
  return std::visit(
      []<typename Node>(const Node& node) -> const ScanPlan& {
        if constexpr (std::is_same_v<Node, ScanPlan>) {
          return node;
        } else if constexpr (std::is_same_v<Node, FilterPlan> || std::is_same_v<Node, ProjectPlan> ||
                             std::is_same_v<Node, AggregatePlan>) {
          return scan_of(node.input);
        } else {
          PANDO_UNREACHABLE("a node that no program has");
        }
      },
      plan->node);
}

Result<Bytes> encode_program(const Program& program) {
  Bytes bytes;
  bytes.push_back(static_cast<char>(kProgramVersion));
  put_varint(bytes, program.rows_max);
  Writer writer(bytes);
  writer.plan(program.plan);
  PANDO_TRY(writer.status());
  return bytes;
}

Result<Program> decode_program(ByteView bytes) {
  ByteReader reader(bytes);
  uint8_t version = 0;
  Program program;
  const bool known = reader.fixed8(version) && version == kProgramVersion && reader.varint(program.rows_max);
  if (known) {
    program.plan = Reader(reader).plan();
  }
  if (program.plan == nullptr || !reader.empty()) {
    return Status(txn::kUnknownProgram, "a program of another version");
  }
  return program;
}

void append_rows(const types::Chunk& rows, Bytes& output) {
  Bytes encoded;
  encode_chunk(rows, encoded);
  put_length_prefixed(output, encoded);
}

Result<bool> take_rows(ByteView& output, types::Chunk& rows) {
  if (output.empty()) {
    return false;
  }
  ByteReader reader(output);
  ByteView encoded;
  if (!reader.length_prefixed(encoded)) {
    return Status(sql_state::kDataCorrupted, "a program's output ends early");
  }
  PANDO_TRY(decode_chunk(encoded, rows));
  output = reader.rest();
  return true;
}

}  // namespace pando::sql::exec
