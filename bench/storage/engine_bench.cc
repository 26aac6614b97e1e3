// What reads and scans of short rows cost in the RocksDB engine.
//
//   engine_bench DIRECTORY [ROWS]      (an empty directory; 5,000,000 rows)

#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include <fmt/core.h>
#include <time.h>

#include "base/codec.h"
#include "base/prng.h"
#include "runtime/os/system_clock.h"
#include "storage/mvcc.h"
#include "storage/rocksdb/rocksdb_engine.h"

namespace pando {
namespace {

using storage::Engine;

constexpr std::size_t kValueBytes = 24;
constexpr std::size_t kRowsPerBatch = 1000;
constexpr std::size_t kVectorRows = 2048;
constexpr HlcTimestamp kWritten{1000, 0};
constexpr HlcTimestamp kNow{2000, 0};

Bytes row_key(uint64_t row) {
  Bytes key;
  append_ordered_uint32(key, 100);
  append_ordered_uint32(key, 1);
  append_ordered_int64(key, static_cast<int64_t>(row));
  return key;
}

// Time that passed, and time that this thread computed: on a busy machine only the second can be compared.
class Stopwatch {
 public:
  std::string per(uint64_t count) {
    return fmt::format("{:8.1f} ns ({:.1f} ns of processor)",
                       static_cast<double>(clock_.monotonic_ns() - begin_) / static_cast<double>(count),
                       static_cast<double>(processor_ns() - processor_begin_) / static_cast<double>(count));
  }

 private:
  static int64_t processor_ns() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * int64_t{1000000000} + time.tv_nsec;
  }

  runtime::SystemClock clock_;
  uint64_t begin_ = clock_.monotonic_ns();
  int64_t processor_begin_ = processor_ns();
};

void check(const Status& status) {
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.to_string().c_str());
    std::exit(1);
  }
}

void load(Engine& engine, uint64_t rows) {
  Stopwatch stopwatch;
  storage::WriteBatch batch;
  Bytes value(kValueBytes, 'v');
  for (uint64_t row = 0; row < rows;) {
    batch.clear();
    for (std::size_t i = 0; i < kRowsPerBatch && row < rows; ++i, ++row) {
      std::memcpy(value.data(), &row, sizeof(row));
      batch.put_version(row_key(row), kWritten, value);
    }
    check(engine.write(batch));
  }
  fmt::print("load, a row:          {}\n", stopwatch.per(rows));
}

uint64_t scan(const Engine& engine, uint64_t first, uint64_t last) {
  const auto rows = engine.scan_versions({.span = {row_key(first), row_key(last)}, .at = kNow});
  KeyValueBatch batch;
  uint64_t count = 0;
  for (;;) {
    check(rows->next(batch, kVectorRows));
    if (batch.size() == 0) {
      return count;
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
      count += batch.value(i).size() == kValueBytes ? 1 : 0;
    }
  }
}

void measure_scans(const Engine& engine, uint64_t rows, const char* when) {
  for (const char* pass : {"first", "again"}) {
    Stopwatch stopwatch;
    const uint64_t count = scan(engine, 0, rows);
    fmt::print("scan, {}, {}: {} a row, {} rows\n", when, pass, stopwatch.per(rows), count);
  }
  Stopwatch stopwatch;
  std::thread half([&] { scan(engine, 0, rows / 2); });
  scan(engine, rows / 2, rows);
  half.join();
  fmt::print("scan, {}, 2 threads: {} a row\n", when, stopwatch.per(rows));
}

void measure_points(const Engine& engine, uint64_t rows) {
  constexpr uint64_t kReads = 300000;
  Prng prng(1);
  storage::Version version;
  Stopwatch stopwatch;
  for (uint64_t i = 0; i < kReads; ++i) {
    auto found = engine.get_version(row_key(prng.below(rows)), kNow, version);
    check(found.status());
  }
  fmt::print("point read:           {}\n", stopwatch.per(kReads));
  Stopwatch absent;
  for (uint64_t i = 0; i < kReads; ++i) {
    check(engine.get_version(row_key(rows + prng.below(rows)), kNow, version).status());
  }
  fmt::print("point read of none:   {}\n", absent.per(kReads));
  Stopwatch ranges;
  KeyValueBatch batch;
  for (uint64_t i = 0; i < kReads / 3; ++i) {
    const uint64_t row = prng.below(rows);
    check(engine.scan_versions({.span = {row_key(row), row_key(row + 10)}, .at = kNow})->next(batch, kVectorRows));
  }
  fmt::print("range of 10 rows:     {}\n", ranges.per(kReads / 3));
}

}  // namespace
}  // namespace pando

int main(int argc, char** argv) {
  using namespace pando;
  if (argc < 2) {
    std::fprintf(stderr, "usage: engine_bench DIRECTORY [ROWS]\n");
    return 2;
  }
  const uint64_t rows = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 5000000;
  auto engine = storage::open_rocksdb_engine({.directory = argv[1]});
  check(engine.status());
  load(**engine, rows);
  measure_scans(**engine, rows, "partly in memtables");
  check((*engine)->flush());
  measure_scans(**engine, rows, "flushed            ");
  // The caches begin empty.
  engine->reset();
  engine = storage::open_rocksdb_engine({.directory = argv[1]});
  check(engine.status());
  measure_scans(**engine, rows, "reopened           ");
  measure_points(**engine, rows);
  const auto statistics = (*engine)->statistics();
  fmt::print("files: {} MiB, cache: {} MiB\n", statistics.stored_bytes >> 20, statistics.block_cache_bytes >> 20);
  return 0;
}
