#include "runtime/os/worker.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "base/assert.h"
#include "runtime/os/dedicated_executor.h"

namespace pando::runtime {
namespace {

// How many coroutines run before the sockets get a turn.
constexpr int kTurnsMax = 64;

thread_local Worker* current_worker = nullptr;

}  // namespace

Worker* Worker::current() { return current_worker; }

Worker::Worker(std::size_t number)
    : number_(number), io_context_(std::make_unique<boost::asio::io_context>(1)), thread_([this] { run(); }) {}

Worker::~Worker() {
  stop();
  join();
}

void Worker::post(std::coroutine_handle<> handle) {
  if (is_current()) {
    local_.push_back(handle);
    return;
  }
  bool wake = false;
  {
    MutexLock lock(remote_mutex_);
    wake = remote_.empty();
    remote_.push_back(handle);
  }
  if (wake) {
    boost::asio::post(*io_context_, [this] { take_remote(); });
  }
}

void Worker::take_remote() {
  MutexLock lock(remote_mutex_);
  local_.insert(local_.end(), remote_.begin(), remote_.end());
  remote_.clear();
}

void Worker::run() {
  name_this_thread("worker-" + std::to_string(number_));
  current_worker = this;
  const auto keep_running = boost::asio::make_work_guard(*io_context_);
  while (!stopping_.load(std::memory_order_acquire)) {
    for (int turns = 0; turns < kTurnsMax && !local_.empty(); ++turns) {
      const auto handle = local_.front();
      local_.pop_front();
      handle.resume();
    }
    if (local_.empty()) {
      io_context_->run_one();
    } else {
      io_context_->poll();
    }
  }
}

void Worker::stop() {
  if (!stopping_.exchange(true, std::memory_order_acq_rel)) {
    io_context_->stop();
  }
}

void Worker::join() {
  PANDO_ASSERT(!is_current(), "a worker cannot wait for itself");
  if (thread_.joinable()) {
    thread_.join();
  }
}

WorkerPool::WorkerPool(std::size_t size) {
  PANDO_ASSERT(size >= 1, "a pool without workers runs nothing");
  for (std::size_t i = 0; i < size; ++i) {
    workers_.push_back(std::make_unique<Worker>(i));
  }
}

std::size_t WorkerPool::default_size() { return std::max(1U, std::thread::hardware_concurrency()); }

void WorkerPool::stop() {
  for (const auto& worker : workers_) {
    worker->stop();
  }
  for (const auto& worker : workers_) {
    worker->join();
  }
}

}  // namespace pando::runtime
