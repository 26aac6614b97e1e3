#pragma once

// Literals as the scanner typed them. Plain data; see sql/ast/expression.h for the conventions.

#include <cstdint>
#include <string>
#include <variant>

namespace pando::ast {

// int4 literals are Integer; everything numeric that does not fit or has a point or an exponent is Decimal.
struct NullLiteral {};
struct IntegerLiteral {
  int32_t value = 0;
};
struct DecimalLiteral {
  std::string digits;
};
struct StringLiteral {
  std::string value;
};
struct BooleanLiteral {
  bool value = false;
};
// b'101' or x'1f', with the leading letter kept.
struct BitStringLiteral {
  std::string value;
};
struct Constant {
  std::variant<NullLiteral, IntegerLiteral, DecimalLiteral, StringLiteral, BooleanLiteral, BitStringLiteral> value;
};

}  // namespace pando::ast
