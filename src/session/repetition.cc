// Session: an implicit transaction of one statement that lost against others runs again, as long as the client has seen
// nothing of it. In a block the client has seen what its earlier statements gave, and only it knows what to do.

#include "session/services.h"
#include "session/session.h"

namespace pando::session {
namespace {

constexpr int kRepetitionsMax = 10;
// Doubles with each repetition.
constexpr uint64_t kFirstPauseNs = 500'000;

}  // namespace

// Undoes everything of the attempt that failed with `status`; false when it is the last.
Task<bool> Session::may_repeat(Status status, Beginning beginning, int attempt) {
  if (!for_client(std::move(status)).is(sql_state::kSerializationFailure) || attempt == kRepetitionsMax ||
      transaction_.in_block() || cancellation_.requested() || !beginning.sink->rewind(beginning.mark)) {
    co_return false;
  }
  if (transaction_.state() == BlockState::kImplicit) {
    end_queries();
    co_await transaction_.fail();
  }
  co_return (co_await services_->sleep(kFirstPauseNs << attempt)).ok();
}

void Session::note_execution(std::string_view portal, uint64_t rows_max, Beginning beginning) {
  if (!transaction_.in_block() && ++executions_.count == 1) {
    executions_.portal = portal;
    executions_.rows_max = rows_max;
    executions_.beginning = beginning;
  }
}

// What runs again must outlive the transaction, whose end closes its portals.
void Session::set_aside_only_execution() {
  if (executions_.count != 1 || only_portal_) {
    return;
  }
  const auto found = portals_.find(executions_.portal);
  if (found == portals_.end() || !found->second->ended || found->second->is_cursor || found->second->plan == nullptr ||
      found->second->plan->query == nullptr) {
    return;
  }
  found->second->query.reset();
  only_portal_ = portals_.extract(found);
}

void Session::close_only_portal() {
  if (!only_portal_) {
    return;
  }
  only_portal_.mapped()->clear();
  if (only_portal_.key().empty()) {
    spare_portal_ = std::move(only_portal_);
  }
  only_portal_ = {};
}

Task<Status> Session::commit_or_repeat() {
  Status status = co_await commit_transaction();
  for (int attempt = 0; !status.ok() && only_portal_ && co_await may_repeat(status, executions_.beginning, attempt);
       ++attempt) {
    status = co_await repeat_execution(only_portal_.mapped().get());
  }
  if (!status.ok() && transaction_.state() == BlockState::kImplicit) {
    co_await transaction_.fail();
  }
  close_only_portal();
  co_return status;
}

// In a new transaction, as if the portal had not run. Errors: those of a plan that has to be made anew.
Status Session::begin_again(Portal* portal) {
  portal->restart();
  transaction_.begin_implicit();
  services_->begin_statement();
  PANDO_ASSIGN(portal->plan, current_plan(*portal->statement));
  return {};
}

Task<Status> Session::repeat_execution(Portal* portal) {
  PANDO_CO_TRY(begin_again(portal));
  ResultSink* const sink = executions_.beginning.sink;
  PANDO_CO_TRY((co_await run_portal(portal, executions_.rows_max, {.sink = sink, .alone = true})).status());
  sink->complete(portal->tag);
  co_return co_await commit_transaction();
}

}  // namespace pando::session
