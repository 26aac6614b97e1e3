#pragma once

// Worker: a thread that runs an Asio io_context and is an Executor. Its connections, their sockets and the coroutines
// of their statements all live on it, so a statement runs without handing over to another thread.
//
//   WorkerPool workers(WorkerPool::default_size());
//   spawn(workers.worker(0), serve(...));
//   tcp::socket socket(workers.worker(0).io_context());     // pgwire, http, server: include <boost/asio.hpp> there
//   workers.stop();                                         // also done by the destructor
//
// A post from the worker's own thread goes into a local queue, without a lock or a system call; local coroutines and
// sockets take turns. Thread-safe: post() and stop(). io_context() is the worker's own thread's business, except for
// what Asio declares thread-safe.

#include <atomic>
#include <coroutine>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "runtime/executor.h"

namespace boost::asio {
class io_context;
}  // namespace boost::asio

namespace pando::runtime {

class Worker final : public Executor {
 public:
  explicit Worker(std::size_t number);
  ~Worker() override;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void post(std::coroutine_handle<> handle) override PANDO_EXCLUDES(remote_mutex_);

  boost::asio::io_context& io_context() { return *io_context_; }
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
  void run();
  void take_remote() PANDO_EXCLUDES(remote_mutex_);

  const std::size_t number_;
  std::unique_ptr<boost::asio::io_context> io_context_;
  // The worker thread's own.
  std::deque<std::coroutine_handle<>> local_;
  Mutex remote_mutex_;
  std::vector<std::coroutine_handle<>> remote_ PANDO_GUARDED_BY(remote_mutex_);
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
