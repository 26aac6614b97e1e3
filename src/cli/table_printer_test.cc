// What psql 15 prints for the same rows.

#include "cli/table_printer.h"

#include <gtest/gtest.h>

namespace pando::cli {
namespace {

constexpr uint32_t kInt4 = 23;
constexpr uint32_t kText = 25;

const ResultTable kTable{{{"id", kInt4}, {"name", kText}}, {{"1", "one"}, {"22", std::nullopt}, {"3", "two\nlines"}}};

TEST(TablePrinter, Aligned) {
  EXPECT_EQ(print_table(kTable, {}),
            " id | name  \n"
            "----+-------\n"
            "  1 | one\n"
            " 22 | \n"
            "  3 | two  +\n"
            "    | lines\n"
            "(3 rows)\n"
            "\n");
}

TEST(TablePrinter, NoRows) {
  EXPECT_EQ(print_table({{{"?column?", kInt4}}, {}}, {}),
            " ?column? \n"
            "----------\n"
            "(0 rows)\n"
            "\n");
}

TEST(TablePrinter, Titled) {
  EXPECT_EQ(print_table({{{"Name", kText}, {"Owner", kText}}, {{"public", "pg_database_owner"}}},
                        {.title = "List of schemas"}),
            "      List of schemas\n"
            "  Name  |       Owner       \n"
            "--------+-------------------\n"
            " public | pg_database_owner\n"
            "(1 row)\n"
            "\n");
}

TEST(TablePrinter, Expanded) {
  EXPECT_EQ(print_table(kTable, {.expanded = true}),
            "-[ RECORD 1 ]\n"
            "id   | 1\n"
            "name | one\n"
            "-[ RECORD 2 ]\n"
            "id   | 22\n"
            "name | \n"
            "-[ RECORD 3 ]\n"
            "id   | 3\n"
            "name | two  +\n"
            "     | lines\n"
            "\n");
}

TEST(TablePrinter, Plain) {
  EXPECT_EQ(print_table({{{"a", kInt4}, {"b", kText}}, {{"1", std::nullopt}}}, {.plain = true, .null_text = "-"}),
            "1|-\n");
}

TEST(TablePrinter, WidthsCountCharacters) {
  EXPECT_EQ(print_table({{{"a", kText}, {"b", kText}}, {{"\u00e9t\u00e9", "x"}}}, {}),
            "  a  | b \n"
            "-----+---\n"
            " \u00e9t\u00e9 | x\n"
            "(1 row)\n"
            "\n");
}

}  // namespace
}  // namespace pando::cli
