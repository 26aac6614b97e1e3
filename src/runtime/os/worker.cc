#include "runtime/os/worker.h"

#include <cerrno>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/assert.h"
#include "runtime/os/posix_disk.h"
#include "runtime/os/thread.h"
#include "runtime/os/turn.h"

namespace pando::runtime {
namespace {

// How many coroutines run before the sockets get a turn.
constexpr int kTurnsMax = 64;
constexpr int kForEver = -1;
constexpr int kNoWait = 0;

thread_local Worker* current_worker = nullptr;

}  // namespace

Worker* Worker::current() { return current_worker; }

Worker::Worker(std::size_t number)
    : number_(number),
      poll_descriptor_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      events_(std::make_unique<epoll_event[]>(kEventsMax)) {
  PANDO_ASSERT(poll_descriptor_ >= 0 && wake_descriptor_ >= 0, "a worker needs two file descriptors");
  // An edge for each write: the counter is never read.
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
  const int added = ::epoll_ctl(poll_descriptor_, EPOLL_CTL_ADD, wake_descriptor_, &event);
  PANDO_ASSERT(added == 0, "a fresh epoll takes an eventfd");
  thread_ = std::thread([this] { run(); });
}

Worker::~Worker() {
  stop();
  join();
  ::close(wake_descriptor_);
  ::close(poll_descriptor_);
}

void Worker::post(std::coroutine_handle<> handle) {
  if (is_current()) {
    local_.push_back(handle);
    return;
  }
  {
    MutexLock lock(remote_mutex_);
    remote_.push_back(handle);
  }
  has_remote_.store(true, std::memory_order_seq_cst);
  wake();
}

void Worker::wake() {
  // Only one of those who find it sleeping wakes it.
  if (sleeping_.load(std::memory_order_seq_cst) && sleeping_.exchange(false, std::memory_order_seq_cst)) {
    ::eventfd_write(wake_descriptor_, 1);
  }
}

Status Worker::watch(int descriptor, Watcher& watcher) {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = &watcher}};
  if (::epoll_ctl(poll_descriptor_, EPOLL_CTL_ADD, descriptor, &event) != 0) {
    return Status(sql_state::kTooManyConnections, "could not watch a socket: error {}", errno);
  }
  return {};
}

void Worker::forget(int descriptor, Watcher& watcher) {
  ::epoll_ctl(poll_descriptor_, EPOLL_CTL_DEL, descriptor, nullptr);
  for (std::size_t i = event_; i < event_count_; ++i) {
    if (events_[i].data.ptr == &watcher) {
      events_[i].data.ptr = nullptr;
    }
  }
}

void Worker::take_remote() {
  if (!has_remote_.load(std::memory_order_acquire)) {
    return;
  }
  MutexLock lock(remote_mutex_);
  has_remote_.store(false, std::memory_order_relaxed);
  local_.insert(local_.end(), remote_.begin(), remote_.end());
  remote_.clear();
}

void Worker::run_local() {
  for (int turns = 0; turns < kTurnsMax && !local_.empty(); ++turns) {
    const auto handle = local_.front();
    local_.pop_front();
    handle.resume();
  }
}

void Worker::poll() {
  int timeout = kNoWait;
  if (local_.empty()) {
    // Whoever posts after this sees that the thread sleeps; what was posted before it is seen here.
    sleeping_.store(true, std::memory_order_seq_cst);
    const bool idle = !has_remote_.load(std::memory_order_seq_cst) && !stopping_.load(std::memory_order_seq_cst);
    timeout = idle ? kForEver : kNoWait;
  }
  const int count = ::epoll_wait(poll_descriptor_, events_.get(), kEventsMax, timeout);
  sleeping_.store(false, std::memory_order_relaxed);
  event_count_ = count > 0 ? static_cast<std::size_t>(count) : 0;
  for (event_ = 0; event_ < event_count_;) {
    const epoll_event& event = events_[event_++];
    // Null: another thread woke this one, or the watcher was forgotten meanwhile.
    if (auto* const watcher = static_cast<Watcher*>(event.data.ptr)) {
      const bool ended = (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
      watcher->on_ready({.readable = ended || (event.events & EPOLLIN) != 0,
                         .writable = ended || (event.events & EPOLLOUT) != 0,
                         .ended = ended});
    }
  }
}

void Worker::run() {
  name_this_thread("worker-" + std::to_string(number_));
  current_worker = this;
  Turn turn;
  while (!stopping_.load(std::memory_order_acquire)) {
    take_remote();
    run_local();
    turn.end();
    poll();
  }
  turn.end();
}

void Worker::stop() {
  stopping_.store(true, std::memory_order_seq_cst);
  wake();
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
