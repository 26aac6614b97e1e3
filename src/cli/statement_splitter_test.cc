#include "cli/statement_splitter.h"

#include <gtest/gtest.h>

namespace pando::cli {
namespace {

std::vector<std::string> split(const std::string& text) {
  // Fed byte by byte: where a piece ends must not matter.
  StatementSplitter splitter;
  std::vector<std::string> statements;
  for (const char c : text) {
    splitter.feed(std::string_view(&c, 1));
    while (auto statement = splitter.take()) {
      statements.push_back(*statement);
    }
  }
  if (!splitter.empty()) {
    statements.push_back("rest:" + splitter.take_rest());
  }
  return statements;
}

using Statements = std::vector<std::string>;

TEST(StatementSplitter, SemicolonsEndStatements) {
  EXPECT_EQ(split("a; b;\n"), (Statements{"a;", "b;"}));
  EXPECT_EQ(split(" a"), (Statements{"rest:a"}));
  EXPECT_EQ(split("\n \n"), Statements());
}

TEST(StatementSplitter, NotInsideQuotes) {
  EXPECT_EQ(split("SELECT ';'; x;"), (Statements{"SELECT ';';", "x;"}));
  EXPECT_EQ(split("SELECT 'it''s;' ;"), (Statements{"SELECT 'it''s;' ;"}));
  EXPECT_EQ(split("SELECT \"a;b\";"), (Statements{"SELECT \"a;b\";"}));
  EXPECT_EQ(split("SELECT E'\\';';"), (Statements{"SELECT E'\\';';"}));
  EXPECT_EQ(split("SELECT '\\';"), (Statements{"SELECT '\\';"}));
  EXPECT_EQ(split("DO $$ a; b; $$;"), (Statements{"DO $$ a; b; $$;"}));
  EXPECT_EQ(split("DO $x$ $$; $x$; y;"), (Statements{"DO $x$ $$; $x$;", "y;"}));
  EXPECT_EQ(split("SELECT $1; x;"), (Statements{"SELECT $1;", "x;"}));
}

TEST(StatementSplitter, NotInsideCommentsOrParentheses) {
  EXPECT_EQ(split("a -- ; \n;"), (Statements{"a -- ; \n;"}));
  EXPECT_EQ(split("a /* ; /* ; */ ; */;"), (Statements{"a /* ; /* ; */ ; */;"}));
  EXPECT_EQ(split("CREATE RULE (a; b);"), (Statements{"CREATE RULE (a; b);"}));
}

TEST(StatementSplitter, StateIsForThePrompt) {
  const auto state_after = [](const std::string& text) {
    StatementSplitter splitter;
    splitter.feed(text);
    while (splitter.take()) {
    }
    return splitter.state();
  };
  EXPECT_EQ(state_after(""), '=');
  EXPECT_EQ(state_after("a;"), '=');
  EXPECT_EQ(state_after("a"), '-');
  EXPECT_EQ(state_after("('"), '\'');
  EXPECT_EQ(state_after("\""), '"');
  EXPECT_EQ(state_after("("), '(');
  EXPECT_EQ(state_after("/* "), '*');
  EXPECT_EQ(state_after("$a$ "), '$');
}

}  // namespace
}  // namespace pando::cli
