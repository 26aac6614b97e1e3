#pragma once

// Result tables as text, aligned as psql prints them. Pure functions.

#include <string>

#include "cli/client.h"

namespace pando::cli {

struct TableStyle {
  // One line per column (\x).
  bool expanded = false;
  // Values alone, separated by bars (-At).
  bool plain = false;
  std::string null_text;
  std::string title;
};

std::string print_table(const ResultTable& table, const TableStyle& style);

}  // namespace pando::cli
