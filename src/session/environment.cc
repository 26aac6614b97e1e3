#include "session/environment.h"

#include <algorithm>

#include "session/session.h"

namespace pando::session {
namespace {

// Clients take process ids for positive 32-bit integers; the bits above these are the node's.
constexpr uint32_t kProcessIdBits = 21;
constexpr uint32_t kProcessIdMax = (1U << kProcessIdBits) - 1;
constexpr uint32_t kNodesTold = 1U << (31 - kProcessIdBits);

}  // namespace

SessionRegistry::SessionRegistry(std::size_t sessions_max, uint32_t node)
    : sessions_max_(std::min<std::size_t>(sessions_max, kProcessIdMax)),
      process_id_base_(node % kNodesTold << kProcessIdBits) {}

Result<uint32_t> SessionRegistry::reserve() {
  MutexLock lock(mutex_);
  if (sessions_.size() >= sessions_max_) {
    return Status(sql_state::kTooManyConnections, "sorry, too many clients already");
  }
  uint32_t process_id = 0;
  do {
    last_process_id_ = last_process_id_ >= kProcessIdMax ? 1 : last_process_id_ + 1;
    process_id = process_id_base_ | last_process_id_;
  } while (sessions_.contains(process_id));
  sessions_[process_id] = nullptr;
  return process_id;
}

void SessionRegistry::add(uint32_t process_id, Session* session) {
  MutexLock lock(mutex_);
  sessions_[process_id] = session;
}

void SessionRegistry::hide(uint32_t process_id) { add(process_id, nullptr); }

void SessionRegistry::remove(uint32_t process_id) {
  MutexLock lock(mutex_);
  sessions_.erase(process_id);
}

bool SessionRegistry::cancel(uint32_t process_id, Status reason) {
  MutexLock lock(mutex_);
  const auto found = sessions_.find(process_id);
  if (found == sessions_.end() || found->second == nullptr) {
    return false;
  }
  found->second->request_cancel(std::move(reason));
  return true;
}

bool SessionRegistry::cancel_with_secret(uint32_t process_id, uint32_t secret, Status reason) {
  MutexLock lock(mutex_);
  const auto found = sessions_.find(process_id);
  if (found == sessions_.end() || found->second == nullptr || found->second->secret() != secret) {
    return false;
  }
  found->second->request_cancel(std::move(reason));
  return true;
}

bool SessionRegistry::terminate(uint32_t process_id, Status reason) {
  MutexLock lock(mutex_);
  const auto found = sessions_.find(process_id);
  if (found == sessions_.end() || found->second == nullptr) {
    return false;
  }
  found->second->request_termination(std::move(reason));
  return true;
}

void SessionRegistry::terminate_all(const Status& reason) {
  MutexLock lock(mutex_);
  for (const auto& [process_id, session] : sessions_) {
    if (session != nullptr) {
      session->request_termination(reason);
    }
  }
}

void SessionRegistry::terminate_idle(const Status& reason) {
  MutexLock lock(mutex_);
  for (const auto& [process_id, session] : sessions_) {
    if (session != nullptr && session->is_idle()) {
      session->request_termination(reason);
    }
  }
}

void SessionRegistry::terminate_lock_holders() {
  for (const AdvisoryLocks::Row& row : advisory_locks_.rows()) {
    if (row.granted) {
      terminate(static_cast<uint32_t>(row.owner),
                Status(sql_state::kAdminShutdown,
                       "terminating connection because this node could not keep its advisory locks"));
    }
  }
}

std::vector<SessionActivity> SessionRegistry::activities() {
  MutexLock lock(mutex_);
  std::vector<SessionActivity> out;
  for (const auto& [process_id, session] : sessions_) {
    if (session != nullptr) {
      out.push_back(session->activity());
    }
  }
  return out;
}

std::size_t SessionRegistry::count() {
  MutexLock lock(mutex_);
  return sessions_.size();
}

}  // namespace pando::session
