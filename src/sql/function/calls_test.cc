// Calls every function through the registry with the arguments in testdata/calls_*.txt and compares with what a real
// PostgreSQL 15 answered. tools/generate_function_cases.py has the format. Known differences are in
// testdata/known_*.txt, one a line; PANDO_REWRITE=1 writes those files anew, to be reviewed line by line.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "sql/function/evaluation_context.h"
#include "sql/function/function.h"
#include "sql/function/text_form.h"
#include "types/compare.h"
#include "types/text_io.h"
#include "types/time_zone.h"

namespace pando::sql {
namespace {

namespace fs = std::filesystem;
constexpr const char* kTestdata = "src/sql/function/testdata";
constexpr char kRecord = '\x1e';
constexpr char kUnit = '\x1d';

// The system's tz database.
class ZoneFiles final : public types::TimeZoneLoader {
 public:
  Result<Bytes> load(std::string_view name) override {
    std::ifstream file(fs::path("/usr/share/zoneinfo") / name, std::ios::binary);
    if (!file) {
      return Status(sql_state::kUndefinedFile, "no zone {}", name);
    }
    return Bytes(std::istreambuf_iterator<char>(file), {});
  }
  std::vector<std::string> list_names() override { return {"UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata"}; }
};

// A session that knows the names of built-in types and nothing else.
class NamesOfTypes final : public SessionServices {
 public:
  Result<std::optional<types::Oid>> resolve_name(types::Oid, std::string_view) override {
    return std::optional<types::Oid>();
  }
  std::optional<std::string> name_of(types::Oid reg_type, types::Oid object) override {
    return reg_type == types::oid::kRegtype ? std::optional(types::format_type({object})) : std::nullopt;
  }
  Result<std::optional<std::string>> describe(std::string_view, types::Oid, int64_t, bool) override {
    return nothing();
  }
  std::optional<bool> is_visible(std::string_view, types::Oid) override { return std::nullopt; }
  Result<std::optional<bool>> has_privilege(std::string_view, std::string_view, std::string_view) override {
    return nothing();
  }
  Status nextval(types::Oid, std::size_t, std::vector<int64_t>&) override { return nothing(); }
  Result<int64_t> currval(types::Oid) override { return nothing(); }
  Result<int64_t> lastval() override { return nothing(); }
  Status setval(types::Oid, int64_t, bool) override { return nothing(); }
  Result<std::optional<std::string>> current_setting(std::string_view, bool) override { return nothing(); }
  Result<std::string> set_config(std::string_view, std::string_view, bool) override { return nothing(); }
  std::vector<std::string> current_schemas(bool) override { return {}; }
  std::optional<std::string> fact(std::string_view) override { return std::nullopt; }
  Result<std::optional<std::string>> act(std::string_view, std::span<const types::Value>) override { return nothing(); }

 private:
  static Status nothing() { return {sql_state::kFeatureNotSupported, "the test has no session"}; }
};

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> pieces;
  for (std::size_t at = text.find(separator); at != std::string_view::npos; at = text.find(separator)) {
    pieces.emplace_back(text.substr(0, at));
    text.remove_prefix(at + 1);
  }
  pieces.emplace_back(text);
  return pieces;
}
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      out += text[i] == 't' ? '\t' : text[i] == 'n' ? '\n' : text[i];
    } else {
      out += text[i];
    }
  }
  return out;
}
std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c == '\\' ? "\\\\" : c == '\n' ? "\\n" : c == '\t' ? "\\t" : std::string(1, c);
  }
  return out;
}

struct Signature {
  const Function* function = nullptr;
  std::vector<types::Type> arguments;
  types::Type result;
};

class CallsTest : public testing::TestWithParam<std::string> {
 protected:
  CallsTest() {
    context_.prng = &prng_;
    context_.services = &names_;
    context_.settings.time_zones = &zones_;
    context_.settings.time_zone = zones_.find("Europe/Paris");
    PANDO_ASSERT(context_.settings.time_zone != nullptr, "the tz database is installed");
  }

  Result<types::Value> parse(types::Type type, const std::string& text, bool escaped = true) {
    if (text == "\\N") {
      return types::Value::null();
    }
    return parse_value(context_, type, escaped ? unescape(text) : text);
  }
  std::string print(types::Type type, const types::Vector& vector, std::size_t row) {
    if (vector.is_null(row)) {
      return "\\N";
    }
    Bytes out;
    if (type.oid != types::oid::kVoid) {
      print_value(context_, type, vector, row, out);
    }
    return "=" + escape(out);
  }
  static std::string error(const Status& status) {
    return fmt::format("!{} {}", status.code().view(), escape(status.message()));
  }

  std::string call_scalar(const Signature& signature, const std::vector<types::Value>& values, bool constant) {
    std::vector<types::Vector> vectors;
    bool null = false;
    for (std::size_t i = 0; i < values.size(); ++i) {
      types::Vector& vector = vectors.emplace_back(types::physical_of(signature.arguments[i].oid));
      vector.reset_constant(values[i], 1);
      if (!constant) {
        vector.flatten();
      }
      null = null || values[i].is_null();
    }
    std::vector<const types::Vector*> pointers;
    for (const types::Vector& vector : vectors) {
      pointers.push_back(&vector);
    }
    types::Vector out(types::physical_of(signature.result.oid));
    out.reset(1);
    if (null && signature.function->strict) {
      out.set_null(0);
    }
    const CallTypes types{signature.arguments, signature.result};
    const Status status = signature.function->scalar(context_, types, pointers, 1, out);
    return status.ok() ? print(signature.result, out, 0) : error(status);
  }

  std::string call_set(const Signature& signature, const std::vector<types::Value>& values) {
    if (signature.function->strict && std::ranges::any_of(values, &types::Value::is_null)) {
      return "=";
    }
    auto rows = signature.function->set(context_, {signature.arguments, signature.result}, values);
    if (!rows.ok()) {
      return error(std::move(rows).status());
    }
    std::vector<types::Type> column_types;
    for (const OutColumn& column : signature.function->out_columns) {
      column_types.push_back({column.type});
    }
    if (column_types.size() < 2) {
      column_types = {signature.result};
    }
    std::string out = "=";
    for (bool first = true;;) {
      types::Chunk chunk;
      for (const types::Type type : column_types) {
        chunk.columns.emplace_back(types::physical_of(type.oid));
      }
      if (const Status status = (*rows)->next(chunk); !status.ok()) {
        return error(status);
      }
      if (chunk.rows == 0) {
        return out;
      }
      for (std::size_t row = 0; row < chunk.rows; ++row) {
        out += first ? "" : std::string(1, kRecord);
        first = false;
        for (std::size_t i = 0; i < column_types.size(); ++i) {
          const std::string text = print(column_types[i], chunk.columns[i], row);
          out += (i == 0 ? "" : std::string(1, kUnit)) + (text[0] == '='            ? text.substr(1)
                                                          : column_types.size() > 1 ? "\\\\N"
                                                                                    : "");
        }
      }
    }
  }

  // Aggregates twice: with update_one over all rows, and with update over two states that are then combined.
  std::string call_aggregate(const Signature& signature, const std::vector<std::string>& columns, bool in_parts) {
    const AggregateKernels& kernels = *signature.function->aggregate;
    std::vector<types::Vector> vectors;
    std::size_t rows = split(columns[0], kRecord).size();
    for (std::size_t i = 0; i < signature.arguments.size(); ++i) {
      types::Vector& vector = vectors.emplace_back(types::physical_of(signature.arguments[i].oid));
      const auto texts = split(columns[i], kRecord);
      vector.reset(rows);
      for (std::size_t row = 0; row < rows; ++row) {
        const auto value = parse(signature.arguments[i], texts[row], false);
        if (!value.ok()) {
          return "argument: " + error(value.status());
        }
        if (value->is_null()) {
          vector.set_null(row);
        } else {
          vector.set(row, *value);
        }
      }
    }
    return finish_aggregate(signature, kernels, vectors, rows, in_parts);
  }
  std::string finish_aggregate(const Signature& signature, const AggregateKernels& kernels,
                               std::vector<types::Vector>& vectors, std::size_t rows, bool in_parts) {
    if (signature.function->ordered_set) {
      sort_rows(signature, vectors, rows);
    }
    std::vector<const types::Vector*> pointers;
    for (const types::Vector& vector : vectors) {
      pointers.push_back(&vector);
    }
    const CallTypes types{signature.arguments, signature.result};
    std::vector<std::vector<char>> memory(2, std::vector<char>(kernels.state_size + 16));
    void* states[2];
    for (int i = 0; i < 2; ++i) {
      states[i] = reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(memory[i].data()) + 15) & ~uintptr_t{15});
      kernels.create(states[i]);
    }
    Status status;
    if (in_parts) {
      std::vector<void*> targets(rows);
      for (std::size_t row = 0; row < rows; ++row) {
        targets[row] = states[row < rows / 2 ? 0 : 1];
      }
      status = kernels.update(context_, types, targets.data(), pointers, rows);
      if (status.ok()) {
        status = kernels.combine(context_, types, states[0], states[1]);
      }
    } else {
      status = kernels.update_one(context_, types, states[0], pointers, rows);
    }
    types::Vector out(types::physical_of(signature.result.oid));
    out.reset(1);
    if (status.ok()) {
      status = kernels.finalize(context_, types, states, 1, out);
    }
    for (void* state : states) {
      if (kernels.destroy != nullptr) {
        kernels.destroy(state);
      }
    }
    return status.ok() ? print(signature.result, out, 0) : error(status);
  }
  // By the last column, NULLs last, as the executor would for WITHIN GROUP.
  void sort_rows(const Signature& signature, std::vector<types::Vector>& vectors, std::size_t rows) {
    std::vector<types::Value> values;
    for (std::size_t row = 0; row < rows; ++row) {
      values.push_back(vectors.back().get(row));
    }
    const types::Oid type = signature.arguments.back().oid;
    std::ranges::sort(values, [type](const types::Value& a, const types::Value& b) {
      return !a.is_null() && (b.is_null() || types::compare_values(type, a, b) < 0);
    });
    vectors.back().reset(rows);
    for (std::size_t row = 0; row < rows; ++row) {
      if (values[row].is_null()) {
        vectors.back().set_null(row);
      } else {
        vectors.back().set(row, values[row]);
      }
    }
  }

  // Sums of floats depend on their order, in the last digits.
  static bool agree(types::Oid type, const std::string& whole, const std::string& parts) {
    if (whole == parts || type != types::oid::kFloat8 || whole[0] != '=' || parts[0] != '=') {
      return whole == parts;
    }
    const double a = std::strtod(whole.c_str() + 1, nullptr);
    const double b = std::strtod(parts.c_str() + 1, nullptr);
    return std::abs(a - b) <= 1e-13 * std::max(std::abs(a), std::abs(b));
  }

  std::string call(const Signature& signature, const std::vector<std::string>& texts) {
    if (signature.function->kind == FunctionKind::kAggregate) {
      const std::string whole = call_aggregate(signature, texts, false);
      if (signature.function->aggregate->combine == nullptr) {
        return whole;
      }
      const std::string parts = call_aggregate(signature, texts, true);
      return agree(signature.result.oid, whole, parts) ? whole : fmt::format("{} but {} in parts", whole, parts);
    }
    std::vector<types::Value> values;
    for (std::size_t i = 0; i < signature.arguments.size(); ++i) {
      auto value = parse(signature.arguments[i], texts[i]);
      if (!value.ok()) {
        return error(std::move(value).status());
      }
      values.push_back(*std::move(value));
    }
    if (signature.function->kind == FunctionKind::kSet) {
      return call_set(signature, values);
    }
    const std::string flat = call_scalar(signature, values, false);
    const std::string constant = call_scalar(signature, values, true);
    return flat == constant ? flat : fmt::format("{} but {} of constants", flat, constant);
  }

  NamesOfTypes names_;
  Prng prng_{1};
  ZoneFiles files_;
  types::CachingTimeZoneSource zones_{files_};
  EvaluationContext context_;
};

// "f 65 int4eq(23,23)->16"
Signature parse_signature(const std::string& line) {
  Signature signature;
  signature.function = function_by_oid(static_cast<types::Oid>(std::stoul(line.substr(2))));
  const std::size_t open = line.find('(');
  const std::size_t close = line.find(')');
  if (close > open + 1) {
    for (const std::string& oid : split(line.substr(open + 1, close - open - 1), ',')) {
      signature.arguments.push_back({static_cast<types::Oid>(std::stoul(oid))});
    }
  }
  signature.result = {static_cast<types::Oid>(std::stoul(line.substr(close + 3)))};
  return signature;
}

std::set<std::string> read_lines(const fs::path& path) {
  std::set<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    lines.insert(line);
  }
  return lines;
}
bool is_header(const std::string& line) {
  return line.size() > 2 && (line[0] == 'f' || line[0] == 'a' || line[0] == 's') && line[1] == ' ' &&
         line.contains(")->");
}

TEST_P(CallsTest, AnswersAsPostgreSql) {
  const fs::path known_path = fs::path(kTestdata) / ("known_" + GetParam() + ".txt");
  const std::set<std::string> known = read_lines(known_path);
  std::size_t calls = 0;
  std::vector<std::string> differences;
  std::ifstream file(fs::path(kTestdata) / ("calls_" + GetParam() + ".txt"));
  std::string header;
  Signature signature;
  for (std::string line; std::getline(file, line);) {
    if (is_header(line)) {
      header = line;
      signature = parse_signature(line);
      if (signature.function == nullptr) {
        differences.push_back("not offered: " + header);
      }
      continue;
    }
    if (signature.function == nullptr) {
      continue;
    }
    auto fields = split(line, '\t');
    const std::string expected = fields.back();
    fields.pop_back();
    const std::string actual = call(signature, fields);
    ++calls;
    if (actual != expected) {
      differences.push_back(fmt::format("{}\t{}\twas\t{}", header, line, actual));
    }
  }
  EXPECT_GT(calls, 0U);
  if (std::getenv("PANDO_REWRITE") != nullptr) {
    fs::remove(known_path);
    std::ofstream out;
    for (const std::string& difference : differences) {
      if (!out.is_open()) {
        out.open(known_path);
      }
      out << difference << '\n';
    }
    return;
  }
  for (const std::string& difference : differences) {
    EXPECT_TRUE(known.contains(difference)) << difference;
  }
}

std::vector<std::string> call_files() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kTestdata)) {
    const std::string stem = entry.path().stem().string();
    if (stem.starts_with("calls_")) {
      names.push_back(stem.substr(std::string_view("calls_").size()));
    }
  }
  std::ranges::sort(names);
  return names;
}
INSTANTIATE_TEST_SUITE_P(Types, CallsTest, testing::ValuesIn(call_files()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace pando::sql
