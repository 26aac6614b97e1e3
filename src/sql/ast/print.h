#pragma once

// Syntax trees back to SQL text, for what the catalog keeps as text (views). Every operator application is put in
// parentheses, so that the text parses back to the same tree.
//
//   PrintOptions options{.relation = qualify};
//   std::string text = print_select(select, options);

#include <functional>
#include <string>
#include <string_view>

#include "sql/ast/query.h"

namespace pando::ast {

struct PrintOptions {
  // How a name is written; by default always quoted, which is right for every name.
  std::function<std::string(std::string_view)> identifier;
  // How a relation is written; by default as it was.
  std::function<std::string(const RelationName&)> relation;
  // How a type's name is written; by default as it was.
  std::function<std::string(const TypeName&)> type;
  // What a star of the select list becomes ("a, b"); empty keeps the star. By default stars are kept.
  std::function<std::string(const SelectCore&, const ColumnRef&)> star;
};

std::string print_select(const Select& select, const PrintOptions& options = {});
std::string print_expression(const Expr& expr, const PrintOptions& options = {});
std::string print_type(const TypeName& type);
// A FROM clause's items, without the word FROM.
std::string print_from(const SelectCore& core, const PrintOptions& options = {});

}  // namespace pando::ast
