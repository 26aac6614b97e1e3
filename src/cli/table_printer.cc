#include "cli/table_printer.h"

#include <algorithm>

#include <fmt/format.h>

namespace pando::cli {
namespace {

// Type OIDs that psql aligns to the right: numbers, oid, xid, cid, money.
bool is_right_aligned(uint32_t type) {
  constexpr uint32_t kNumbers[] = {20, 21, 23, 26, 28, 29, 700, 701, 790, 1700, 5069};
  return std::ranges::find(kNumbers, type) != std::end(kNumbers);
}

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (true) {
    const auto end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return lines;
    }
    text.remove_prefix(end + 1);
  }
}

std::string row_count(std::size_t rows) { return fmt::format("({} row{})\n\n", rows, rows == 1 ? "" : "s"); }

std::string cell_text(const std::optional<std::string>& value, const TableStyle& style) {
  return value ? *value : style.null_text;
}

std::string pad(std::size_t width) { return std::string(width, ' '); }

std::string print_plain(const ResultTable& table, const TableStyle& style) {
  std::string out;
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += (i > 0 ? "|" : "") + cell_text(row[i], style);
    }
    out += "\n";
  }
  return out;
}

std::string print_expanded(const ResultTable& table, const TableStyle& style) {
  std::size_t name_width = 0;
  std::size_t value_width = 0;
  for (const auto& column : table.columns) {
    name_width = std::max(name_width, display_width(column.name));
  }
  for (const auto& row : table.rows) {
    for (const auto& value : row) {
      for (const std::string& line : split_lines(cell_text(value, style))) {
        value_width = std::max(value_width, display_width(line));
      }
    }
  }
  std::string out;
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    const std::string mark = fmt::format("-[ RECORD {} ]", r + 1);
    const std::size_t width = name_width + value_width + 3;
    std::string rule = mark + std::string(mark.size() < width ? width - mark.size() : 0, '-');
    if (name_width + 1 >= mark.size() && name_width + 1 < rule.size()) {
      rule[name_width + 1] = '+';
    }
    out += rule + "\n";
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      std::string name = table.columns[i].name;
      const auto lines = split_lines(cell_text(table.rows[r][i], style));
      for (std::size_t line = 0; line < lines.size(); ++line) {
        const bool more = line + 1 < lines.size();
        out += name + pad(name_width - display_width(name)) + " | " + lines[line];
        out += more ? pad(value_width - display_width(lines[line])) + "+\n" : "\n";
        name.clear();
      }
    }
  }
  return table.rows.empty() ? "(0 rows)\n\n" : out + "\n";
}

// One row, which takes as many lines as its tallest cell.
void print_aligned_row(const ResultTable& table, const std::vector<std::vector<std::string>>& cells,
                       const std::vector<std::size_t>& widths, std::string& out) {
  std::size_t height = 1;
  for (const auto& lines : cells) {
    height = std::max(height, lines.size());
  }
  for (std::size_t line = 0; line < height; ++line) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string text = line < cells[i].size() ? cells[i][line] : "";
      const std::string fill = pad(widths[i] - display_width(text));
      const bool more = line + 1 < cells[i].size();
      const bool last = i + 1 == cells.size();
      out += " " + (is_right_aligned(table.columns[i].type) ? fill + text : text + (last && !more ? "" : fill));
      out += more ? "+" : last ? "" : " ";
      out += last ? "" : "|";
    }
    out += "\n";
  }
}

std::string print_aligned(const ResultTable& table, const TableStyle& style) {
  std::vector<std::size_t> widths;
  for (const auto& column : table.columns) {
    widths.push_back(display_width(column.name));
  }
  std::vector<std::vector<std::vector<std::string>>> rows;
  for (const auto& row : table.rows) {
    auto& cells = rows.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) {
      cells.push_back(split_lines(cell_text(row[i], style)));
      for (const std::string& line : cells.back()) {
        widths[i] = std::max(widths[i], display_width(line));
      }
    }
  }
  std::string out;
  std::string rule;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const std::string& name = table.columns[i].name;
    const std::size_t space = widths[i] - display_width(name);
    out += " " + pad(space / 2) + name + pad(space - space / 2) + (i + 1 < widths.size() ? " |" : " ");
    rule += std::string(widths[i] + 2, '-') + (i + 1 < widths.size() ? "+" : "");
  }
  if (!style.title.empty()) {
    const std::size_t width = display_width(rule);
    const std::size_t title = display_width(style.title);
    out = pad(width > title ? (width - title) / 2 : 0) + style.title + "\n" + out;
  }
  out += "\n" + rule + "\n";
  for (const auto& cells : rows) {
    print_aligned_row(table, cells, widths, out);
  }
  return out + row_count(table.rows.size());
}

}  // namespace

std::string print_table(const ResultTable& table, const TableStyle& style) {
  if (style.plain) {
    return print_plain(table, style);
  }
  return style.expanded ? print_expanded(table, style) : print_aligned(table, style);
}

}  // namespace pando::cli
