#pragma once

// Fingerprint: a statement's text without its constants, made by the scanner alone in about a microsecond. Equal
// fingerprints mean equal syntax trees up to the values of the lifted constants, so a plan made for one text, with its
// constants as parameters, serves every text of the same fingerprint.
//
//   Fingerprint fingerprint;
//   if (make_fingerprint(text, fingerprint)) {
//     plan = cache.find(fingerprint.key);        // made with BindOptions::lifted = fingerprint.locations
//     for (constant : fingerprint.constants) parameters.push_back(convert(constant_text(text, constant)));
//   }
//
// Whether the constants of a text can all be parameters (ORDER BY 1 cannot) only the binder knows.
// Thread-safety: pure functions. A Fingerprint can be reused to save allocations.

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "sql/ast/expression.h"

namespace pando::parse {

// Longer texts, and those with more constants, are not worth it.
inline constexpr std::size_t kFingerprintTextMax = 16_KiB;
inline constexpr std::size_t kFingerprintConstantsMax = 256;

struct LiftedConstant {
  // As PostgreSQL types literals; a string is of unknown type until its context gives it one.
  enum class Kind : uint8_t { kInt4, kInt8, kNumeric, kString };
  Kind kind = Kind::kInt4;
  // A minus sign directly before the number belongs to it, as in the grammar.
  bool negated = false;
  // The literal's bytes in the text, without the sign.
  uint32_t begin = 0;
  uint32_t end = 0;
};

struct Fingerprint {
  Bytes key;
  std::vector<LiftedConstant> constants;
  // Where the syntax tree has each constant: of its sign when it has one.
  std::vector<ast::Location> locations;
};

// False for texts that are not one SELECT, INSERT, UPDATE, DELETE, VALUES or WITH statement, that have $n, lexical
// errors, or pass the limits.
bool make_fingerprint(std::string_view text, Fingerprint& out);

// What the literal says: digits with their sign, or the string's characters.
Bytes constant_text(std::string_view text, const LiftedConstant& constant);

}  // namespace pando::parse
