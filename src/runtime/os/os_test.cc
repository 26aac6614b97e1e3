#include <set>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/block_on.h"
#include "runtime/event.h"
#include "runtime/os/dedicated_executor.h"
#include "runtime/os/directory_lock.h"
#include "runtime/os/posix_disk.h"
#include "runtime/os/system_clock.h"
#include "runtime/os/system_timer.h"
#include "runtime/os/worker.h"
#include "test/support/temporary_directory.h"

namespace pando::runtime {
namespace {

using test::TemporaryDirectory;

Task<Result<Bytes>> write_and_read(Disk* disk, Bytes directory) {
  PANDO_CO_TRY(co_await disk->create_directory(directory + "/d"));
  PANDO_CO_TRY(co_await disk->create_directory(directory + "/d"));
  PANDO_CO_ASSIGN(auto file, co_await disk->open(directory + "/d/f", OpenMode::kCreate));
  PANDO_CO_TRY(co_await file->allocate(8192));
  PANDO_CO_TRY(co_await file->write(4096, "hello"));
  PANDO_CO_TRY(co_await file->sync());
  PANDO_CO_TRY(co_await disk->rename(directory + "/d/f", directory + "/d/g"));
  PANDO_CO_TRY(co_await disk->sync_directory(directory + "/d"));
  PANDO_CO_ASSIGN(const auto names, co_await disk->list(directory + "/d"));
  PANDO_CO_ASSIGN(const uint64_t size, co_await file->size());
  PANDO_CO_ASSIGN(const Bytes text, co_await file->read(4094, 7));
  PANDO_CO_TRY(co_await file->truncate(4097));
  PANDO_CO_ASSIGN(const Bytes end, co_await file->read(4096, 100));
  PANDO_CO_TRY(co_await disk->remove(directory + "/d/g"));
  co_return fmt::format("{} {} {} {}", names.front(), size, text.substr(2), end);
}

TEST(PosixDisk, WritesAndReads) {
  TemporaryDirectory directory;
  InlineExecutor executor;
  PosixDisk disk;
  auto outcome = block_on(executor, write_and_read(&disk, directory.path()));
  ASSERT_TRUE(outcome.ok()) << outcome.status().to_string();
  EXPECT_EQ(*outcome, "g 8192 hello h");
}

TEST(PosixDisk, WordsErrorsAsPostgres) {
  InlineExecutor executor;
  PosixDisk disk;
  EXPECT_EQ(block_on(executor, disk.open("/nowhere/f", OpenMode::kExisting)).status().to_string(),
            "58P01: could not open file \"/nowhere/f\": No such file or directory");
  EXPECT_EQ(status_of_errno(ENOSPC, "could not write to file \"x\"").to_string(),
            "53100: could not write to file \"x\": No space left on device");
  EXPECT_EQ(status_of_errno(EIO, "could not fsync file \"x\"").to_string(),
            "58030: could not fsync file \"x\": Input/output error");
  // The real thing: a device that is always full.
  auto full = block_on(executor, disk.open("/dev/full", OpenMode::kExisting));
  ASSERT_TRUE(full.ok());
  EXPECT_EQ(block_on(executor, (*full)->write(0, "x")).to_string(),
            "53100: could not write to file \"/dev/full\": No space left on device");
}

TEST(PosixDisk, ReadsWhatMayNotBeWritten) {
  InlineExecutor executor;
  PosixDisk disk;
  // The program that runs is one, also for root.
  EXPECT_EQ(block_on(executor, disk.open("/proc/self/exe", OpenMode::kExisting)).status().to_string(),
            "58030: could not open file \"/proc/self/exe\": Text file busy");
  auto file = block_on(executor, disk.open("/proc/self/exe", OpenMode::kReadOnly));
  ASSERT_TRUE(file.ok()) << file.status().to_string();
  EXPECT_EQ(*block_on(executor, (*file)->read(1, 3)), "ELF");
  EXPECT_EQ(block_on(executor, disk.open("/nowhere/f", OpenMode::kReadOnly)).status().to_string(),
            "58P01: could not open file \"/nowhere/f\": No such file or directory");
}

TEST(DirectoryLock, AdmitsOneAtATime) {
  TemporaryDirectory directory;
  {
    auto first = DirectoryLock::acquire(directory.path());
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(
        DirectoryLock::acquire(directory.path()).status().to_string(),
        fmt::format("F0001: database directory \"{}\" is already in use by process {}", directory.path(), ::getpid()));
  }
  EXPECT_TRUE(DirectoryLock::acquire(directory.path()).ok());
  EXPECT_EQ(DirectoryLock::acquire("/nowhere").status().code(), sql_state::kUndefinedFile);
}

TEST(SystemClock, Advances) {
  SystemClock clock;
  const uint64_t before = clock.monotonic_ns();
  EXPECT_GE(clock.monotonic_ns(), before);
  EXPECT_GT(clock.wall_ns(), 1700000000ULL * 1000000000ULL);
}

TEST(SystemTimer, FiresInOrderOfDeadline) {
  SystemTimer timer;
  InlineExecutor executor;
  Event last(executor);
  Mutex mutex;
  std::vector<int> order;
  const auto note = [&](int n) {
    MutexLock lock(mutex);
    order.push_back(n);
    if (order.size() == 3) {
      last.set();
    }
  };
  timer.schedule(std::chrono::milliseconds(30), [&] { note(3); });
  timer.schedule(std::chrono::milliseconds(1), [&] { note(1); });
  timer.schedule(std::chrono::milliseconds(15), [&] { note(2); });
  const TimerId cancelled = timer.schedule(std::chrono::milliseconds(5), [&] { note(99); });
  timer.cancel(cancelled);
  timer.cancel(cancelled);
  block_on(executor, [](Event* event) -> Task<void> { co_await event->wait(); }(&last));
  MutexLock lock(mutex);
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(SystemTimer, CancelWaitsForARunningCallback) {
  SystemTimer timer;
  std::atomic<bool> started{false};
  std::atomic<bool> finished{false};
  const TimerId id = timer.schedule(std::chrono::nanoseconds(0), [&] {
    started = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    finished = true;
  });
  while (!started) {
    std::this_thread::yield();
  }
  timer.cancel(id);
  EXPECT_TRUE(finished);
}

Task<void> hop(Executor* to, std::set<std::thread::id>* seen, int times, Event* done) {
  for (int i = 0; i < times; ++i) {
    co_await yield_to(*to);
    seen->insert(std::this_thread::get_id());
  }
  done->set();
}

Task<void> wait_for(Event* event) { co_await event->wait(); }

// Reads what comes through a pipe until it ends.
class PipeReader final : public Poller::Watcher {
 public:
  PipeReader(Worker& worker, int descriptor, Event& ended) : worker_(worker), descriptor_(descriptor), ended_(ended) {}

  Task<void> start() {
    EXPECT_TRUE(worker_.watch(descriptor_, *this).ok());
    co_return;
  }
  void on_ready(Readiness readiness) override {
    EXPECT_TRUE(worker_.is_current());
    char bytes[16];
    ssize_t size = 0;
    while ((size = ::read(descriptor_, bytes, sizeof(bytes))) > 0) {
      received.append(bytes, static_cast<std::size_t>(size));
    }
    if (size == 0) {
      worker_.forget(descriptor_, *this);
      ended_.set();
    }
  }
  std::string received;

 private:
  Worker& worker_;
  const int descriptor_;
  Event& ended_;
};

TEST(Worker, RunsCoroutinesOnItsOwnThreadBesideItsSockets) {
  WorkerPool pool(2);
  InlineExecutor executor;
  Event done(executor);
  Event ended(executor);
  std::set<std::thread::id> seen;
  int pipe_ends[2];
  ASSERT_EQ(::pipe2(pipe_ends, O_NONBLOCK | O_CLOEXEC), 0);
  PipeReader reader(pool.worker(1), pipe_ends[0], ended);
  spawn(pool.worker(1), reader.start());
  spawn(pool.worker(1), hop(&pool.worker(1), &seen, 1000, &done));
  std::string sent;
  for (int i = 0; i < 100; ++i) {
    const std::string bytes(static_cast<std::size_t>(i), static_cast<char>('a' + i % 26));
    ASSERT_EQ(::write(pipe_ends[1], bytes.data(), bytes.size()), i);
    sent += bytes;
  }
  ::close(pipe_ends[1]);
  block_on(executor, wait_for(&done));
  EXPECT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen.count(std::this_thread::get_id()), 0U);
  block_on(executor, wait_for(&ended));
  EXPECT_EQ(reader.received, sent);
  EXPECT_EQ(Worker::current(), nullptr);
  ::close(pipe_ends[0]);
}

TEST(Worker, WakesFromSleepForEveryPost) {
  WorkerPool pool(1);
  InlineExecutor executor;
  for (int i = 0; i < 2000; ++i) {
    Event done(executor);
    std::set<std::thread::id> seen;
    spawn(pool.worker(0), hop(&executor, &seen, 1, &done));
    block_on(executor, wait_for(&done));
  }
}

Task<void> ask_nice(Executor* there, int* nice, Event* done) {
  co_await yield_to(*there);
  *nice = ::getpriority(PRIO_PROCESS, 0);
  done->set();
}

int nice_of(Executor& there) {
  InlineExecutor executor;
  Event done(executor);
  int nice = -100;
  spawn(executor, ask_nice(&there, &nice, &done));
  block_on(executor, wait_for(&done));
  return nice;
}

TEST(DedicatedExecutor, OnlyTheLeisurelyStandBack) {
  const int own = ::getpriority(PRIO_PROCESS, 0);
  DedicatedExecutor usual("usual");
  DedicatedExecutor prompt("prompt", Urgency::kPrompt);
  DedicatedExecutor leisurely("leisurely", Urgency::kLeisurely);
  EXPECT_EQ(nice_of(usual), own);
  EXPECT_EQ(nice_of(prompt), own);
  EXPECT_GT(nice_of(leisurely), own);
  EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), own);
}

TEST(Worker, CoroutinesMoveBetweenExecutors) {
  WorkerPool pool(1);
  DedicatedExecutor dedicated("test");
  InlineExecutor executor;
  for (int i = 0; i < 200; ++i) {
    Event done(executor);
    std::set<std::thread::id> seen;
    spawn(pool.worker(0), hop(&dedicated, &seen, 3, &done));
    block_on(executor, wait_for(&done));
    EXPECT_EQ(seen.size(), 1U);
  }
}

}  // namespace
}  // namespace pando::runtime
