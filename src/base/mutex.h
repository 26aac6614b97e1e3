#pragma once

// Mutex and MutexLock: std::mutex with the annotations that let clang check at compile time which lock guards what.
//
//   Mutex mutex_;
//   std::map<Key, Entry> entries_ PANDO_GUARDED_BY(mutex_);
//
// Never hold one across co_await.

#include <condition_variable>
#include <mutex>
#include <shared_mutex>

#define PANDO_CAPABILITY(name) __attribute__((capability(name)))
#define PANDO_SCOPED_CAPABILITY __attribute__((scoped_lockable))
#define PANDO_GUARDED_BY(lock) __attribute__((guarded_by(lock)))
#define PANDO_REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
#define PANDO_EXCLUDES(...) __attribute__((locks_excluded(__VA_ARGS__)))
#define PANDO_ACQUIRE(...) __attribute__((acquire_capability(__VA_ARGS__)))
#define PANDO_TRY_ACQUIRE(...) __attribute__((try_acquire_capability(__VA_ARGS__)))
#define PANDO_RELEASE(...) __attribute__((release_capability(__VA_ARGS__)))
#define PANDO_ACQUIRE_SHARED(...) __attribute__((acquire_shared_capability(__VA_ARGS__)))
#define PANDO_RELEASE_SHARED(...) __attribute__((release_shared_capability(__VA_ARGS__)))
#define PANDO_RELEASE_GENERIC(...) __attribute__((release_generic_capability(__VA_ARGS__)))
#define PANDO_ACQUIRED_BEFORE(...) __attribute__((acquired_before(__VA_ARGS__)))
// For what the analysis cannot follow, such as taking an array of locks.
#define PANDO_NO_THREAD_SAFETY_ANALYSIS __attribute__((no_thread_safety_analysis))

namespace pando {

class PANDO_CAPABILITY("mutex") Mutex {
 public:
  void lock() PANDO_ACQUIRE() { mutex_.lock(); }
  void unlock() PANDO_RELEASE() { mutex_.unlock(); }
  bool try_lock() PANDO_TRY_ACQUIRE(true) { return mutex_.try_lock(); }

 private:
  friend class Condition;
  std::mutex mutex_;
};

class PANDO_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) PANDO_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() PANDO_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// A condition variable for a thread of our own (the journal's writer, a compactor); coroutines wait with
// runtime/event.h.
class Condition {
 public:
  void wait(Mutex& mutex) PANDO_REQUIRES(mutex) {
    std::unique_lock<std::mutex> adopted(mutex.mutex_, std::adopt_lock);
    condition_.wait(adopted);
    adopted.release();
  }
  template <typename Duration>
  bool wait_for(Mutex& mutex, Duration duration) PANDO_REQUIRES(mutex) {
    std::unique_lock<std::mutex> adopted(mutex.mutex_, std::adopt_lock);
    const bool notified = condition_.wait_for(adopted, duration) == std::cv_status::no_timeout;
    adopted.release();
    return notified;
  }
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

class PANDO_CAPABILITY("shared mutex") SharedMutex {
 public:
  void lock() PANDO_ACQUIRE() { mutex_.lock(); }
  void unlock() PANDO_RELEASE() { mutex_.unlock(); }
  void lock_shared() PANDO_ACQUIRE_SHARED() { mutex_.lock_shared(); }
  void unlock_shared() PANDO_RELEASE_SHARED() { mutex_.unlock_shared(); }

 private:
  std::shared_mutex mutex_;
};

class PANDO_SCOPED_CAPABILITY SharedLock {
 public:
  explicit SharedLock(SharedMutex& mutex) PANDO_ACQUIRE_SHARED(mutex) : mutex_(mutex) { mutex_.lock_shared(); }
  ~SharedLock() PANDO_RELEASE_GENERIC() { mutex_.unlock_shared(); }
  SharedLock(const SharedLock&) = delete;
  SharedLock& operator=(const SharedLock&) = delete;

 private:
  SharedMutex& mutex_;
};

class PANDO_SCOPED_CAPABILITY ExclusiveLock {
 public:
  explicit ExclusiveLock(SharedMutex& mutex) PANDO_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~ExclusiveLock() PANDO_RELEASE() { mutex_.unlock(); }
  ExclusiveLock(const ExclusiveLock&) = delete;
  ExclusiveLock& operator=(const ExclusiveLock&) = delete;

 private:
  SharedMutex& mutex_;
};

}  // namespace pando
