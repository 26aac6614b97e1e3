#include "sql/parse/parse.h"

#include <string>

#include <gtest/gtest.h>

namespace pando::parse {
namespace {

std::string repeat(const std::string& part, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) {
    all += part;
  }
  return all;
}

TEST(ParseTest, StatementsCarryTheirRange) {
  auto statements = parse_statements("SELECT 1;;\n  DELETE FROM t ; ");
  ASSERT_TRUE(statements.ok());
  ASSERT_EQ(statements->size(), 2u);
  EXPECT_EQ((*statements)[0].offset, 0);
  EXPECT_EQ((*statements)[0].length, 8);
  EXPECT_EQ((*statements)[1].offset, 13);
  EXPECT_EQ((*statements)[1].length, 14);
}

TEST(ParseTest, EmptyTextHasNoStatements) {
  for (const char* text : {"", " ", ";", " ; ;", "-- comment", "/* a /* b */ */"}) {
    auto statements = parse_statements(text);
    ASSERT_TRUE(statements.ok()) << text;
    EXPECT_TRUE(statements->empty()) << text;
  }
}

TEST(ParseTest, InvalidUtf8IsRefused) {
  const struct {
    std::string text;
    const char* bytes;
  } cases[] = {{"SELECT '\xff'", "0xff"},
               {"SELECT '\xc3'", "0xc3 0x27"},
               {"SELECT '\xed\xa0\x80'", "0xed 0xa0 0x80"},
               {std::string("SELECT \0", 8), "0x00"}};
  for (const auto& c : cases) {
    const Status status = parse_statements(c.text).status();
    EXPECT_EQ(status.code(), sql_state::kCharacterNotInRepertoire);
    EXPECT_EQ(status.message(), fmt::format("invalid byte sequence for encoding \"UTF8\": {}", c.bytes));
  }
}

// The limit is tested on every way to nest that the grammar has, far over, over and under.
TEST(ParseTest, NestingIsLimited) {
  const struct {
    const char* before;
    const char* open;
    const char* middle;
    const char* close;
  } cases[] = {{"SELECT 1", "+1", "", ""},        {"SELECT ", "f(", "1", ")"},
               {"SELECT ", "(SELECT ", "1", ")"}, {"SELECT ", "CASE WHEN true THEN ", "1", " END"},
               {"SELECT ", "NOT ", "true", ""},   {"SELECT 1", " UNION SELECT 1", "", ""},
               {"SELECT 1", "::int", "", ""},     {"SELECT * FROM a", " JOIN b ON true", "", ""},
               {"SELECT ", "ARRAY[", "1", "]"},   {"SELECT ", "- ", "a", ""}};
  for (const auto& c : cases) {
    const auto nested = [&](int depth) { return c.before + repeat(c.open, depth) + c.middle + repeat(c.close, depth); };
    EXPECT_TRUE(parse_statements(nested(kNestingMax / 3)).ok()) << c.open;
    for (const int depth : {kNestingMax + 1, 100'000}) {
      const Status status = parse_statements(nested(depth)).status();
      EXPECT_EQ(status.code(), sql_state::kStatementTooComplex) << c.open << " " << depth << " " << status.to_string();
    }
  }
}

TEST(ParseTest, LongFlatStatementsAreNotNested) {
  const std::string list = "SELECT a FROM t WHERE b IN (1" + repeat(", 2", 20'000) + ")";
  EXPECT_TRUE(parse_statements(list).ok());
  const std::string conjunction = "SELECT a FROM t WHERE b = 1" + repeat(" AND b = 2", 20'000);
  EXPECT_TRUE(parse_statements(conjunction).ok());
  const std::string rows = "INSERT INTO t VALUES (1, 'x')" + repeat(", (2, 'y')", 20'000);
  EXPECT_TRUE(parse_statements(rows).ok());
}

TEST(ParseTest, TextLengthIsLimited) {
  const Status status = parse_statements(std::string(kTextBytesMax + 1, ' ')).status();
  EXPECT_EQ(status.code(), sql_state::kProgramLimitExceeded);
}

TEST(ParseTest, ExpressionsAndTypesAlone) {
  EXPECT_TRUE(parse_expression("a + 1").ok());
  EXPECT_EQ(parse_expression("1), (2").status().code(), sql_state::kSyntaxError);
  EXPECT_EQ(parse_expression("1) FROM t WHERE (true").status().code(), sql_state::kSyntaxError);
  auto type = parse_type_name("numeric(10,2)[]");
  ASSERT_TRUE(type.ok());
  EXPECT_EQ(type->names, (ast::QualifiedName{"pg_catalog", "numeric"}));
  EXPECT_EQ(type->modifiers.size(), 2u);
  EXPECT_EQ(type->array_bounds, std::vector<int32_t>{-1});
  EXPECT_FALSE(parse_type_name("int + 1").ok());
}

TEST(ParseTest, CommentsAreSpace) {
  EXPECT_TRUE(parse_statements("SELECT a FROM t ORDER BY a NULLS /* c */ FIRST").ok());
  EXPECT_TRUE(parse_statements("SELECT a NOT -- c\n IN (1), '--', $$/*$$, \"/*\" /* a /* b */ */").ok());
  EXPECT_EQ(parse_statements("SELECT /* \u00e9\u00e9 */ + FROM").status().fields().position, 19);
  EXPECT_EQ(parse_statements("SELECT 1 /* open").status().message(), "unterminated /* comment at or near \"/* open\"");
}

TEST(ParseTest, PositionsCountCharacters) {
  EXPECT_EQ(position_of("SELECT 'é', x", 13), 13);
  EXPECT_EQ(position_of("x", 0), 1);
  EXPECT_EQ(position_of("x", ast::kNoLocation), 0);
}

}  // namespace
}  // namespace pando::parse
