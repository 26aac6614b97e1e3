// Committed entries per second and instructions per entry of three cores with an in-memory transport, beside the same
// load on Debian's libraft. Neither side writes to a disk; both copy every payload on its way from one replica to
// another.
//
//   raft_bench [entries] [payload bytes]

#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/prng.h"
#include "bench/consensus/libraft_cluster.h"
#include "consensus/raft/raft.h"

namespace pando::bench {
namespace {

constexpr std::size_t kBatch = 64;
constexpr int kRounds = 5;
// Both sides drop what is older, every now and then.
constexpr raft::LogIndex kLogMax = kSnapshotThreshold + kSnapshotTrailing;
constexpr raft::LogIndex kLogKept = kSnapshotTrailing;

// The processor's count of instructions, where the machine lets us have it.
class InstructionCounter {
 public:
  InstructionCounter() {
    perf_event_attr attributes{};
    attributes.type = PERF_TYPE_HARDWARE;
    attributes.size = sizeof(attributes);
    attributes.config = PERF_COUNT_HW_INSTRUCTIONS;
    attributes.exclude_kernel = 1;
    attributes.exclude_hv = 1;
    file_ = static_cast<int>(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
  }
  ~InstructionCounter() {
    if (file_ >= 0) {
      close(file_);
    }
  }
  InstructionCounter(const InstructionCounter&) = delete;
  InstructionCounter& operator=(const InstructionCounter&) = delete;

  std::optional<uint64_t> count() const {
    uint64_t value = 0;
    if (file_ < 0 || read(file_, &value, sizeof(value)) != sizeof(value)) {
      return std::nullopt;
    }
    return value;
  }

 private:
  int file_;
};

class PandoCluster {
 public:
  PandoCluster() : prng_(1) {
    for (uint64_t id = 1; id <= 3; ++id) {
      replicas_[id - 1] = std::make_unique<raft::Raft>(
          raft::Options{.self = ReplicaId(id)}, raft::RestartState{.config = raft::Config::of({1, 2, 3})}, prng_);
    }
    replicas_[0]->campaign();
    run();
    PANDO_ASSERT(replicas_[0]->role() == raft::Role::kLeader, "the only candidate wins");
  }

  // As LibraftCluster::commit.
  void commit(std::size_t count, std::size_t bytes) {
    const Bytes text(bytes, 'x');
    std::vector<raft::Payload> payloads(count);
    for (raft::Payload& payload : payloads) {
      payload = raft::Payload::copy_of(text);
    }
    const auto last = replicas_[0]->propose(std::move(payloads));
    PANDO_ASSERT(last.has_value(), "the leader accepts a proposal");
    run();
    PANDO_ASSERT(replicas_[0]->log().applied() == *last, "what was proposed is applied");
  }

 private:
  void send(raft::Message message) {
    std::size_t bytes = 0;
    for (const raft::Entry& entry : message.entries) {
      bytes += entry.payload_bytes();
    }
    if (bytes > 0) {
      raft::PayloadBlock block(bytes);
      for (raft::Entry& entry : message.entries) {
        entry.payload = entry.payload == nullptr ? raft::Payload() : block.add(*entry.payload);
      }
    }
    inboxes_[message.to.number() - 1].push_back(std::move(message));
  }

  bool step(std::size_t i) {
    raft::Raft& replica = *replicas_[i];
    bool any = false;
    std::vector<raft::Message> inbox;
    inbox.swap(inboxes_[i]);
    for (raft::Message& message : inbox) {
      any = true;
      replica.step(std::move(message));
    }
    while (replica.has_ready()) {
      any = true;
      replica.take_ready(ready_);
      raft::Ready& ready = ready_;
      for (raft::Message& message : ready.send_now) {
        send(std::move(message));
      }
      if (ready.persist.has_value()) {
        replica.persisted(ready.persist->sequence);
        for (raft::Message& message : ready.persist->then_send) {
          send(std::move(message));
        }
      }
      if (!ready.apply.empty()) {
        const raft::LogIndex applied = ready.apply.back().index;
        replica.applied(applied);
        if (applied >= replica.log().compacted().index + kLogMax) {
          replica.compact(applied - kLogKept);
        }
      }
    }
    return any;
  }

  void run() {
    for (bool again = true; again;) {
      again = false;
      for (std::size_t i = 0; i < replicas_.size(); ++i) {
        again = step(i) || again;
      }
    }
  }

  Prng prng_;
  raft::Ready ready_;
  std::array<std::unique_ptr<raft::Raft>, 3> replicas_;
  std::array<std::vector<raft::Message>, 3> inboxes_;
};

struct Measured {
  double entries_per_second = 0;
  std::optional<double> instructions_per_entry;
};

template <typename Cluster>
Measured measure(std::size_t entries, std::size_t batch, std::size_t bytes, const InstructionCounter& counter) {
  Cluster cluster;
  for (std::size_t i = 0; i < 100; ++i) {
    cluster.commit(batch, bytes);
  }
  const auto instructions = counter.count();
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t done = 0; done < entries; done += batch) {
    cluster.commit(batch, bytes);
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  Measured measured{.entries_per_second = static_cast<double>(entries) / seconds.count()};
  if (const auto end = counter.count(); instructions.has_value() && end.has_value()) {
    measured.instructions_per_entry = static_cast<double>(*end - *instructions) / static_cast<double>(entries);
  }
  return measured;
}

Measured better(const Measured& a, const Measured& b) { return a.entries_per_second > b.entries_per_second ? a : b; }

std::string instructions_of(const Measured& measured) {
  return measured.instructions_per_entry.has_value() ? fmt::format("{:.0f}", *measured.instructions_per_entry) : "n/a";
}

void compare(const char* name, std::size_t entries, std::size_t batch, std::size_t bytes) {
  const InstructionCounter counter;
  Measured ours;
  Measured theirs;
  // Turn by turn, the best of each: what else the machine does hits both.
  for (int round = 0; round < kRounds; ++round) {
    ours = better(ours, measure<PandoCluster>(entries, batch, bytes, counter));
    theirs = better(theirs, measure<LibraftCluster>(entries, batch, bytes, counter));
  }
  fmt::print(
      "{:<10} pando {:>10.0f} entries/s, {:>6} instructions/entry | libraft {:>10.0f} entries/s, {:>6} "
      "instructions/entry | ratio {:.2f}\n",
      name, ours.entries_per_second, instructions_of(ours), theirs.entries_per_second, instructions_of(theirs),
      ours.entries_per_second / theirs.entries_per_second);
}

}  // namespace
}  // namespace pando::bench

int main(int argc, char** argv) {
  const std::size_t entries = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 100'000;
  const std::size_t bytes = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 128;
  fmt::print("three replicas in memory, payloads of {} bytes, {} entries\n", bytes, entries);
  pando::bench::compare("unbatched", entries, 1, bytes);
  pando::bench::compare("batched", entries, pando::bench::kBatch, bytes);
  return 0;
}
