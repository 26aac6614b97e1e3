#include "sql/exec/runtime.h"

namespace pando::sql::exec {

Task<Status> Runtime::settle(Status status) {
  if (!status.is(kWaitNeeded)) {
    co_return status;
  }
  if (pending != nullptr) {
    PendingWork* work = std::exchange(pending, nullptr);
    co_return co_await work->run();
  }
  if (context.wait_for_service == nullptr) {
    co_return Status(sql_state::kInternalError, "a kernel waits for services that the session did not give");
  }
  co_return co_await context.wait_for_service(context.wait_state);
}

Status Runtime::check_unspillable(std::size_t bytes, std::string_view what) const {
  if (bytes <= context.unspillable_bytes_max) {
    return {};
  }
  return Status(sql_state::kOutOfMemory, "out of memory")
      .with_detail(fmt::format("A {} holds more than {} bytes.", what, context.unspillable_bytes_max));
}

Task<Status> Runtime::pause() {
  PANDO_CO_TRY(check_cancelled());
  co_await runtime::yield_to(context.executor);
  co_return Status();
}

}  // namespace pando::sql::exec
