#include "sql/parse/fingerprint.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "sql/ast/print.h"
#include "sql/parse/parse.h"

namespace pando::parse {
namespace {

Fingerprint fingerprint_of(std::string_view text) {
  Fingerprint fingerprint;
  EXPECT_TRUE(make_fingerprint(text, fingerprint)) << text;
  return fingerprint;
}

TEST(FingerprintTest, ConstantsSpaceCaseAndCommentsDoNotCount) {
  const Bytes key = fingerprint_of("SELECT a, 'x' FROM t WHERE b = 1 AND c < 2.5").key;
  EXPECT_EQ(key, fingerprint_of("select  A,'it''s' from T where b=42 and c<-- less\n 0.1;").key);
  EXPECT_EQ(key, fingerprint_of("/* hi */ select a , '' from t where b = 2147483647 and c < 1e9 ; ").key);
}

TEST(FingerprintTest, WhatChangesTheTreeChangesTheKey) {
  const Bytes key = fingerprint_of("SELECT a FROM t WHERE b = 1").key;
  for (const char* other :
       {"SELECT a FROM t WHERE b = 3000000000", "SELECT a FROM t WHERE b = 1.0", "SELECT a FROM t WHERE b = '1'",
        "SELECT a FROM t WHERE b = -1", "SELECT a FROM t WHERE b = - - 1", "SELECT a FROM t WHERE \"B\" = 1",
        "SELECT a FROM t WHERE b = E'1'", "SELECT a FROM t WHERE b = ANY ('{1}')",
        "SELECT a FROM t WHERE b = 1 OR c"}) {
    EXPECT_NE(key, fingerprint_of(other).key) << other;
  }
  EXPECT_NE(fingerprint_of("SELECT a FROM t ORDER BY 1").key, fingerprint_of("SELECT a FROM t ORDER BY 2").key);
  EXPECT_NE(fingerprint_of("SELECT a FROM t GROUP BY b, 1").key, fingerprint_of("SELECT a FROM t GROUP BY b, 2").key);
  EXPECT_EQ(fingerprint_of("SELECT a FROM t ORDER BY b LIMIT 1").key,
            fingerprint_of("SELECT a FROM t ORDER BY b LIMIT 2").key);
}

TEST(FingerprintTest, WhatIsNotOneQueryIsRefused) {
  Fingerprint fingerprint;
  for (const char* text : {"", " ", ";", "SET a = 1", "SELECT 1; SELECT 2", "SELECT $1", "SELECT 'a", "SELECT 1a",
                           "BEGIN", "SELECT \"a", "SELECT $x$a", "SELECT /* a"}) {
    EXPECT_FALSE(make_fingerprint(text, fingerprint)) << text;
  }
  EXPECT_FALSE(make_fingerprint("SELECT " + std::string(kFingerprintTextMax, ' '), fingerprint));
  std::string many = "SELECT a IN (0";
  for (std::size_t i = 0; i < kFingerprintConstantsMax; ++i) {
    many += ",1";
  }
  EXPECT_FALSE(make_fingerprint(many + ")", fingerprint));
}

TEST(FingerprintTest, ConstantsKeepTheirText) {
  const std::string text = "SELECT -5, 'it''s' -- more\n  ' here', 1.50, a - 7, 'x' 'y'";
  Fingerprint fingerprint;
  ASSERT_TRUE(make_fingerprint(text, fingerprint));
  std::vector<Bytes> texts;
  for (const LiftedConstant& constant : fingerprint.constants) {
    texts.push_back(constant_text(text, constant));
  }
  EXPECT_EQ(texts, (std::vector<Bytes>{"-5", "it's here", "1.50", "7", "x", "y"}));
  EXPECT_EQ(fingerprint.locations[0], 7);
  EXPECT_EQ(fingerprint.constants[0].begin, 8u);
}

// Pieces of statements put together at random, each twice with different constants, space and case: texts of one
// fingerprint must parse to trees that print alike once their constants are blanked.
class Generator {
 public:
  explicit Generator(uint64_t seed) : prng_(seed) {}

  std::string statement() {
    std::string text = pick({"SELECT ", "SELECT DISTINCT "}) + expr(3) + pick({"", " AS x"}) + pick({" FROM t", ""});
    text += pick({"", " WHERE " + expr(3)});
    text += pick({"", " GROUP BY 1", " GROUP BY a, " + expr(1)});
    text += pick({"", " ORDER BY 1 DESC, " + expr(1), " ORDER BY a - 1 NULLS FIRST, 2"});
    return text + pick({"", " LIMIT 3", " LIMIT -3", " OFFSET '1'"});
  }

  // The same tokens with other constants, space and case.
  std::string vary(const std::string& text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == ' ') {
        result += pick({" ", "  ", "\n", " /* c */ ", " -- c\n"});
      } else if (text[i] == '4') {
        result += pick({"4", "7", "04"});
      } else {
        result += text[i];
      }
    }
    return result;
  }

 private:
  std::string pick(std::vector<std::string> choices) { return choices[prng_.below(choices.size())]; }

  std::string expr(int depth) {
    if (depth == 0) {
      return pick({"a", "t.b", "4", "4.4", "-4", "'4'", "'a''4'", "44444444444", "NULL", "1", "-1", "E'4'", "$$4$$"});
    }
    const std::string left = expr(depth - 1);
    const std::string right = expr(depth - 1);
    return pick({left, left + pick({" + ", " - ", "-", " * ", " <-", " @ ", " ->> ", " = "}) + right,
                 "(" + left + ", " + right + ")", "f(" + left + "-" + right + ")", "- " + left, left + "::int",
                 "CASE WHEN " + left + " THEN " + right + " END", "a IN (4, " + left + ")",
                 left + " BETWEEN 4 AND " + right, "interval '4' day", "date '4'", "ARRAY[" + left + "]",
                 "a[" + right + "]", "numeric '4'::numeric(4,4)"});
  }

  Prng prng_;
};

// The statement with every lifted constant as a parameter of its own: what its tree is up to constants.
std::string blanked(const std::string& text, const Fingerprint& fingerprint) {
  std::string result;
  std::size_t at = 0;
  for (std::size_t i = 0; i < fingerprint.constants.size(); ++i) {
    result += text.substr(at, static_cast<std::size_t>(fingerprint.locations[i]) - at);
    result += fmt::format("'constant {} {}'", i, static_cast<int>(fingerprint.constants[i].kind));
    at = fingerprint.constants[i].end;
  }
  return result + text.substr(at);
}

TEST(FingerprintTest, EqualFingerprintsMeanEqualTrees) {
  Generator generator(7);
  int compared = 0;
  for (int round = 0; round < 3'000; ++round) {
    const std::string text = generator.statement();
    const std::string other = generator.vary(text);
    Fingerprint a;
    Fingerprint b;
    if (!make_fingerprint(text, a) || !make_fingerprint(other, b) || a.key != b.key) {
      continue;
    }
    auto first = parse_statement(blanked(text, a));
    auto second = parse_statement(blanked(other, b));
    ASSERT_EQ(first.ok(), second.ok()) << text << "\n"
                                       << other << "\n"
                                       << second.status().to_string() << "\n"
                                       << blanked(other, b);
    if (first.ok()) {
      ++compared;
      const ast::PrintOptions options{.identifier = [](std::string_view name) { return std::string(name); }};
      EXPECT_EQ(ast::print_select(std::get<ast::Select>((*first)->node), options),
                ast::print_select(std::get<ast::Select>((*second)->node), options))
          << text << "\n"
          << other;
    }
  }
  EXPECT_GT(compared, 1'000);
}

}  // namespace
}  // namespace pando::parse
