#include "types/format_template.h"

#include <algorithm>
#include <span>

#include "types/format_keywords.h"
#include "types/utf8.h"

namespace pando::types {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool is_separator(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return c > 0x20 && c < 0x7f && !letter && !(c >= '0' && c <= '9');
}

bool take(ByteView& text, std::string_view word) {
  if (!text.starts_with(word)) {
    return false;
  }
  text.remove_prefix(word.size());
  return true;
}

class TemplateParser {
 public:
  TemplateParser(ByteView text, std::span<const FormatKeyword> keywords, bool dates)
      : rest_(text), keywords_(keywords), dates_(dates) {}

  std::vector<FormatNode> run() {
    while (!rest_.empty()) {
      FormatNode node;
      if (dates_) {
        node.fill = take(rest_, "FM") || take(rest_, "fm");
        node.translate = !node.fill && (take(rest_, "TM") || take(rest_, "tm"));
      }
      if (take_keyword(node)) {
        continue;
      }
      if (!rest_.empty()) {
        take_text();
      }
    }
    return std::move(nodes_);
  }

 private:
  bool take_keyword(FormatNode& node) {
    const auto found = std::ranges::find_if(
        keywords_, [this](const FormatKeyword& keyword) { return rest_.starts_with(keyword.text); });
    if (found == keywords_.end()) {
      return false;
    }
    node.kind = FormatNode::Kind::kField;
    node.keyword = &*found;
    rest_.remove_prefix(found->text.size());
    if (dates_) {
      if (take(rest_, "TH")) {
        node.ordinal = true;
      } else if (take(rest_, "th")) {
        node.ordinal = node.ordinal_lower = true;
      } else {
        take(rest_, "SP");
      }
    }
    nodes_.push_back(std::move(node));
    return true;
  }

  void take_text() {
    if (rest_[0] == '"') {
      rest_.remove_prefix(1);
      while (!rest_.empty()) {
        if (take(rest_, "\"")) {
          break;
        }
        if (rest_[0] == '\\' && rest_.size() > 1) {
          rest_.remove_prefix(1);
        }
        take_character(FormatNode::Kind::kText);
        nodes_.back().quoted = true;
      }
      return;
    }
    if (rest_[0] == '\\' && rest_.size() > 1 && rest_[1] == '"') {
      rest_.remove_prefix(1);
    }
    const char c = rest_[0];
    take_character(dates_ && is_separator(c) ? FormatNode::Kind::kSeparator
                   : is_space(c)             ? FormatNode::Kind::kSpace
                                             : FormatNode::Kind::kText);
  }

  void take_character(FormatNode::Kind kind) {
    const std::size_t width = std::min(utf8_width(rest_[0]), rest_.size());
    FormatNode node;
    node.kind = kind;
    node.text = Bytes(rest_.substr(0, width));
    nodes_.push_back(std::move(node));
    rest_.remove_prefix(width);
  }

  ByteView rest_;
  std::span<const FormatKeyword> keywords_;
  bool dates_;
  std::vector<FormatNode> nodes_;
};

}  // namespace

std::vector<FormatNode> parse_date_template(ByteView text) { return TemplateParser(text, kDateKeywords, true).run(); }
std::vector<FormatNode> parse_number_template(ByteView text) {
  return TemplateParser(text, kNumberKeywords, false).run();
}

std::string_view ordinal_suffix(ByteView number, bool lower) {
  const bool teen = number.size() > 1 && number[number.size() - 2] == '1';
  switch (teen || number.empty() ? '0' : number.back()) {
    case '1':
      return lower ? "st" : "ST";
    case '2':
      return lower ? "nd" : "ND";
    case '3':
      return lower ? "rd" : "RD";
    default:
      return lower ? "th" : "TH";
  }
}

}  // namespace pando::types
