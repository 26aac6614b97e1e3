#include "session/notifications.h"

#include <utility>

namespace pando::session {

void Mailbox::set_on_mail(std::function<void()> on_mail) {
  MutexLock lock(mutex_);
  on_mail_ = std::move(on_mail);
}

std::vector<Notification> Mailbox::take() {
  MutexLock lock(mutex_);
  has_mail_.store(false, std::memory_order_release);
  return std::exchange(mail_, {});
}

void Mailbox::put(const Notification& notification) {
  MutexLock lock(mutex_);
  mail_.push_back(notification);
  has_mail_.store(true, std::memory_order_release);
  if (on_mail_) {
    on_mail_();
  }
}

void NotificationHub::listen(Mailbox* mailbox, const std::string& channel) {
  MutexLock lock(mutex_);
  listeners_[channel].insert(mailbox);
}

void NotificationHub::unlisten(Mailbox* mailbox, const std::string& channel) {
  MutexLock lock(mutex_);
  if (const auto found = listeners_.find(channel); found != listeners_.end()) {
    found->second.erase(mailbox);
    if (found->second.empty()) {
      listeners_.erase(found);
    }
  }
}

void NotificationHub::unlisten_all(Mailbox* mailbox) {
  MutexLock lock(mutex_);
  for (auto entry = listeners_.begin(); entry != listeners_.end();) {
    entry->second.erase(mailbox);
    entry = entry->second.empty() ? listeners_.erase(entry) : std::next(entry);
  }
}

std::vector<std::string> NotificationHub::channels(Mailbox* mailbox) {
  MutexLock lock(mutex_);
  std::vector<std::string> channels;
  for (const auto& [channel, mailboxes] : listeners_) {
    if (mailboxes.contains(mailbox)) {
      channels.push_back(channel);
    }
  }
  return channels;
}

void NotificationHub::notify(const std::vector<Notification>& notifications) {
  MutexLock lock(mutex_);
  for (const Notification& notification : notifications) {
    if (const auto found = listeners_.find(notification.channel); found != listeners_.end()) {
      for (Mailbox* mailbox : found->second) {
        mailbox->put(notification);
      }
    }
  }
}

}  // namespace pando::session
