#pragma once

// PlanCache: plans of statements sent as text, by what is left of the text when its constants are taken out. A repeated
// statement of the simple protocol skips the parser, the binder and the optimizer.
//
// Thread-safety: the session's coroutine only.

#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "session/statement.h"

namespace pando::session {

class PlanCache {
 public:
  // Statements kept; the least recently used one makes room.
  static constexpr std::size_t kPlansMax = 64;
  // Longer statements are not worth keeping.
  static constexpr std::size_t kKeyBytesMax = 4096;

  // nullptr when there is none.
  StatementPlanPtr find(std::string_view key);
  void put(std::string_view key, StatementPlanPtr plan);
  // Statements that cannot be run with their constants lifted out are remembered, so that it is tried once.
  bool is_refused(std::string_view key) const { return refused_.contains(std::string(key)); }
  void refuse(std::string_view key);
  void clear();

 private:
  struct Entry {
    std::string key;
    StatementPlanPtr plan;
  };
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;
  std::unordered_map<std::string, bool> refused_;
};

}  // namespace pando::session
