// Checks that the tables of signatures and of kernels agree with each other, and publishes the coverage.

#include "sql/function/registry.h"

#include <iostream>
#include <map>
#include <set>

#include <gtest/gtest.h>

namespace pando::sql {
namespace {

TEST(Registry, EveryKernelHasASignature) {
  std::set<std::string_view> symbols;
  for (const ProcRow& row : signature_rows()) {
    symbols.insert(row.symbol);
  }
  for (const KernelTable table : kernel_tables()) {
    for (const KernelEntry& entry : table) {
      EXPECT_TRUE(symbols.contains(entry.symbol)) << entry.symbol;
    }
  }
}

TEST(Registry, EveryFunctionHasTheKernelOfItsKind) {
  for (const Function* function : all_functions()) {
    SCOPED_TRACE(function->symbol);
    switch (function->kind) {
      case FunctionKind::kScalar:
        EXPECT_NE(function->scalar, nullptr);
        break;
      case FunctionKind::kSet:
        EXPECT_NE(function->set, nullptr);
        break;
      case FunctionKind::kAggregate:
        ASSERT_NE(function->aggregate, nullptr);
        EXPECT_GT(function->aggregate->state_size, 0U);
        break;
      case FunctionKind::kWindow:
        EXPECT_NE(function->window, nullptr);
        break;
      case FunctionKind::kProcedure:
        break;
    }
    EXPECT_LE(function->defaults, function->arguments.size());
    EXPECT_EQ(function->defaults, function->default_arguments.size());
    EXPECT_EQ(function_by_oid(function->oid), function);
    for (const types::Oid argument : function->arguments) {
      EXPECT_NE(types::find_type(argument), nullptr) << argument;
    }
    EXPECT_NE(types::find_type(function->result), nullptr) << function->result;
  }
}

TEST(Registry, OperatorsComeWithTheirCommutatorsAndNegators) {
  for (const Operator* entry : all_operators()) {
    SCOPED_TRACE(std::string(entry->name) + " " + std::to_string(entry->oid));
    const std::size_t expected = entry->left == 0 ? 1 : 2;
    EXPECT_EQ(entry->function->arguments.size(), expected);
    EXPECT_EQ(entry->function->result, entry->result);
    if (!entry->negator.empty()) {
      bool found = false;
      for (const Operator* other : operators_named(entry->negator)) {
        found = found || (other->left == entry->left && other->right == entry->right);
      }
      EXPECT_TRUE(found) << "no negator " << entry->negator;
    }
  }
}

TEST(Registry, LooksUpByNameAndTypes) {
  EXPECT_EQ(functions_named("no_such_function").size(), 0U);
  EXPECT_GT(functions_named("substring").size(), 4U);
  const CastEntry* cast = find_cast(types::oid::kInt4, types::oid::kInt8);
  ASSERT_NE(cast, nullptr);
  EXPECT_EQ(cast->context, CastContext::kImplicit);
  EXPECT_EQ(find_cast(types::oid::kBool, types::oid::kUuid), nullptr);
}

TEST(Registry, Coverage) {
  std::map<FunctionKind, std::size_t> offered;
  for (const Function* function : all_functions()) {
    ++offered[function->kind];
  }
  std::cout << all_functions().size() << " of the " << signature_rows().size()
            << " pg_proc rows over these types: " << offered[FunctionKind::kScalar] << " scalar, "
            << offered[FunctionKind::kSet] << " set-returning, " << offered[FunctionKind::kAggregate] << " aggregate, "
            << offered[FunctionKind::kWindow] << " window; " << all_operators().size() << " operators, "
            << all_casts().size() << " casts\n";
  EXPECT_GE(all_functions().size(), 1380U);
}

}  // namespace
}  // namespace pando::sql
