#pragma once

// jsonpath: PostgreSQL's SQL/JSON path language (manual section 9.16.2). A value of type jsonpath is kept in its
// canonical text form, so parsing twice gives the same bytes; JsonPath::parse compiles it for evaluation.
//
//   PANDO_ASSIGN(auto path, JsonPath::parse("$.track[*] ? (@.hr > $min)"));
//   PANDO_ASSIGN(auto items, path.query(document, variables, {.silent = false}));
//
// Thread-safety: JsonPath is immutable.

#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "types/jsonb.h"
#include "types/settings.h"

namespace pando::types {

struct JsonPathNode;
class RegexCache;

class JsonPath {
 public:
  struct Options {
    // Structural and numeric errors of the evaluation become "no result" instead of errors.
    bool silent = false;
    // The _tz functions: comparing dates with and without zones is allowed, in the session's zone.
    bool use_time_zone = false;
    // Never null.
    const Settings* settings = nullptr;
    RegexCache* regexes = nullptr;
  };

  // 42601 'syntax error at or near "x" of jsonpath input' and its kin.
  static Result<JsonPath> parse(ByteView text);
  // The canonical text form.
  void print(Bytes& out) const;

  // jsonb_path_query(). `variables` is an object, or nullopt. Items are packed jsonb.
  Result<std::vector<Bytes>> query(JsonbView document, std::optional<JsonbView> variables, Options options) const;
  // jsonb_path_exists(), @?: nullopt is SQL NULL (a suppressed error).
  Result<std::optional<bool>> exists(JsonbView document, std::optional<JsonbView> variables, Options options) const;
  // jsonb_path_match(), @@. 22038 'single boolean result is expected' unless silent.
  Result<std::optional<bool>> match(JsonbView document, std::optional<JsonbView> variables, Options options) const;

 private:
  std::shared_ptr<const JsonPathNode> root_;
  bool strict_ = false;
};

}  // namespace pando::types
