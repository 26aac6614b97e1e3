// Services: definitions of objects as SQL, for pg_get_*def and its kin.

#include "session/services.h"

namespace pando::session {

Result<std::optional<std::string>> Services::describe(std::string_view function, types::Oid object, int64_t argument,
                                                      bool pretty) {
  return Status(sql_state::kFeatureNotSupported, "function {}() is not supported", function);
}

}  // namespace pando::session
