#pragma once

// StatementSplitter: finds where statements end in text that comes line by line: at a semicolon outside of quotes,
// comments, dollar quotes and parentheses. Pure.
//
//   splitter.feed(line + "\n");
//   while (auto statement = splitter.take()) run(*statement);
//   prompt(splitter.state());
//
// Thread-safety: none.

#include <optional>
#include <string>

namespace pando::cli {

class StatementSplitter {
 public:
  void feed(std::string_view text) { text_ += text; }
  // The next complete statement with its semicolon, without leading white space.
  std::optional<std::string> take();
  // What is left without a semicolon; empties the splitter.
  std::string take_rest();
  void clear();
  // Nothing but white space is waiting.
  bool empty() const;
  // For the prompt, as psql shows it: '=' ready, '-' in a statement, '\'' '"' '$' in quotes, '*' in a comment, '(' in
  // parentheses.
  char state() const;

 private:
  bool skip_quoted(char quote);
  bool skip_dollar_quote();
  bool skip_block_comment();
  bool skip_line_comment();

  std::string text_;
  // Scanned up to here, with nothing open but `depth_` parentheses.
  std::size_t at_ = 0;
  int depth_ = 0;
  // What stopped the scan: 0, or the quote or comment that is still open.
  char open_ = 0;
};

}  // namespace pando::cli
