#pragma once

// Worker: a thread that runs coroutines (an Executor) and watches sockets (a Poller). Its connections, their sockets
// and the coroutines of their statements all live on it, so a statement runs without handing over to another thread.
//
//   WorkerPool workers(WorkerPool::default_size());
//   spawn(workers.worker(0), serve(...));
//   workers.stop();                                         // also done by the destructor
//
// A post from the worker's own thread goes into a local queue, without a lock or a system call; local coroutines and
// sockets take turns. A post from another thread wakes the worker only when it sleeps. Thread-safe: post() and stop();
// the Poller belongs to the worker's own thread.

#include <atomic>
#include <coroutine>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "runtime/executor.h"
#include "runtime/poller.h"

struct epoll_event;

namespace pando::runtime {

class Worker final : public Executor, public Poller {
 public:
  explicit Worker(std::size_t number);
  ~Worker() override;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void post(std::coroutine_handle<> handle) override PANDO_EXCLUDES(remote_mutex_);

  Status watch(int descriptor, Watcher& watcher) override;
  void forget(int descriptor, Watcher& watcher) override;

  // Its place in the pool.
  std::size_t number() const { return number_; }
  bool is_current() const { return current() == this; }
  // The worker whose thread this is; null elsewhere.
  static Worker* current();

  // Asks the thread to end after what it runs now. Coroutines that still wait are abandoned, not destroyed: drain
  // connections first.
  void stop();
  // Waits for the thread. Not from the worker itself.
  void join();

 private:
  // How many sockets are asked about at once.
  static constexpr std::size_t kEventsMax = 128;

  void run();
  void run_local();
  void poll();
  void take_remote() PANDO_EXCLUDES(remote_mutex_);
  void wake();

  const std::size_t number_;
  const int poll_descriptor_;
  const int wake_descriptor_;

  // --- the worker thread's own ---
  std::deque<std::coroutine_handle<>> local_;
  std::unique_ptr<epoll_event[]> events_;
  // The events of the poll under way that are not handled yet.
  std::size_t event_ = 0;
  std::size_t event_count_ = 0;

  Mutex remote_mutex_;
  std::vector<std::coroutine_handle<>> remote_ PANDO_GUARDED_BY(remote_mutex_);
  // Whether remote_ has something; read without the lock.
  std::atomic<bool> has_remote_{false};
  // The thread sleeps or is about to: whoever posts must wake it.
  std::atomic<bool> sleeping_{false};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

class WorkerPool {
 public:
  // REQUIRES: size >= 1.
  explicit WorkerPool(std::size_t size);
  ~WorkerPool() { stop(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // A worker for each core of the machine.
  static std::size_t default_size();

  std::size_t size() const { return workers_.size(); }
  Worker& worker(std::size_t number) { return *workers_[number]; }
  // Takes turns: for new connections.
  Worker& next_worker() { return worker(next_.fetch_add(1, std::memory_order_relaxed) % size()); }
  void stop();

 private:
  std::vector<std::unique_ptr<Worker>> workers_;
  std::atomic<std::size_t> next_{0};
};

}  // namespace pando::runtime
