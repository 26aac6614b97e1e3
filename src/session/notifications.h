#pragma once

// Notifications: LISTEN and NOTIFY between the sessions of one node; those of others come by way of ClusterControl.
//
//   hub.listen(&mailbox, "channel");
//   hub.notify({{.process_id = 7, .channel = "channel", .payload = "text"}});     // at commit
//   for (Notification& n : mailbox.take()) ...
//
// A notification reaches every mailbox that listens to its channel when it is sent, the sender's own too. Mailboxes are
// not durable: what is not taken when a session ends is gone, as in PostgreSQL.
// Thread-safe.

#include <atomic>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"

namespace pando::session {

struct Notification {
  uint32_t process_id = 0;
  std::string channel;
  std::string payload;
  bool operator==(const Notification&) const = default;
};

class NotificationHub;

// One session's. REQUIRES: unlisten_all() before it is destroyed.
class Mailbox {
 public:
  // `on_mail` is called from any thread when something arrives; it must not call back into the hub.
  void set_on_mail(std::function<void()> on_mail) PANDO_EXCLUDES(mutex_);
  bool has_mail() const { return has_mail_.load(std::memory_order_acquire); }
  std::vector<Notification> take() PANDO_EXCLUDES(mutex_);

 private:
  friend class NotificationHub;
  void put(const Notification& notification) PANDO_EXCLUDES(mutex_);

  std::atomic<bool> has_mail_{false};
  Mutex mutex_;
  std::vector<Notification> mail_ PANDO_GUARDED_BY(mutex_);
  std::function<void()> on_mail_ PANDO_GUARDED_BY(mutex_);
};

class NotificationHub {
 public:
  void listen(Mailbox* mailbox, const std::string& channel) PANDO_EXCLUDES(mutex_);
  void unlisten(Mailbox* mailbox, const std::string& channel) PANDO_EXCLUDES(mutex_);
  void unlisten_all(Mailbox* mailbox) PANDO_EXCLUDES(mutex_);
  std::vector<std::string> channels(Mailbox* mailbox) PANDO_EXCLUDES(mutex_);
  void notify(const std::vector<Notification>& notifications) PANDO_EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  std::map<std::string, std::set<Mailbox*>, std::less<>> listeners_ PANDO_GUARDED_BY(mutex_);
};

// What a transaction does to its session's listening and says to others, when it commits.
struct TransactionMessages {
  struct Listening {
    enum class Kind : uint8_t { kListen, kUnlisten, kUnlistenAll };
    Kind kind = Kind::kListen;
    std::string channel;
  };
  std::vector<Listening> listening;
  std::vector<Notification> notifications;

  bool empty() const { return listening.empty() && notifications.empty(); }
};

}  // namespace pando::session
