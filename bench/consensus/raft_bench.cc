// Committed entries per second and instructions per entry of three cores with an in-memory transport, beside the same
// load on Debian's libraft. Neither side writes to a disk; both copy every payload on its way from one replica to
// another, as receiving it would.
//
//   raft_bench [entries] [payload bytes]
//   raft_bench [entries] [payload bytes] pando|libraft [load]   // one side, one load (0..2): for callgrind
//
// Loads: one entry at a time, to its commit; 64 clients that each propose an entry by a call of its own, before the
// replicas run; 64 entries proposed by one call. Both sides run with their defaults (pre-vote and check-quorum here,
// libraft has neither on) and take a snapshot, or compact, every 8192 entries, keeping 1024.

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
constexpr std::size_t kClients = 64;
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
    touched_[0] = true;
    run();
    PANDO_ASSERT(replicas_[0]->role() == raft::Role::kLeader, "the only candidate wins");
  }

  // As in LibraftCluster.
  void commit(std::size_t calls, std::size_t entries_per_call, std::size_t bytes) {
    text_.resize(bytes, 'x');
    raft::LogIndex last = 0;
    for (std::size_t call = 0; call < calls; ++call) {
      const auto index = entries_per_call == 1 ? replicas_[0]->propose(raft::Payload::copy_of(text_))
                                               : replicas_[0]->propose(payloads(entries_per_call));
      PANDO_ASSERT(index.has_value(), "the leader accepts a proposal");
      last = *index;
    }
    touched_[0] = true;
    run();
    PANDO_ASSERT(replicas_[0]->log().applied() == last, "what was proposed is applied");
  }

 private:
  std::vector<raft::Payload> payloads(std::size_t count) {
    std::vector<raft::Payload> payloads(count);
    for (raft::Payload& payload : payloads) {
      payload = raft::Payload::copy_of(text_);
    }
    return payloads;
  }

  // The receiver owns what it gets: one block for entries and payloads, as decoding a message makes it.
  void send(raft::Message&& message) {
    if (!message.entries.empty()) {
      raft::EntryBlock block(message.entries.size(), raft::payload_bytes(message.entries));
      for (const raft::Entry& entry : message.entries) {
        if (entry.payload == nullptr) {
          block.add(entry);
        } else {
          block.add({.term = entry.term, .index = entry.index, .type = entry.type}, *entry.payload);
        }
      }
      message.entries = std::move(block).take();
    }
    inboxes_[message.to.number() - 1].push_back(std::move(message));
  }

  // Like a driver of many groups, looks only at who was given something to do.
  bool step(std::size_t i) {
    if (inboxes_[i].empty() && !touched_[i]) {
      return false;
    }
    touched_[i] = false;
    raft::Raft& replica = *replicas_[i];
    bool any = false;
    received_.swap(inboxes_[i]);
    for (raft::Message& message : received_) {
      any = true;
      replica.step(std::move(message));
    }
    received_.clear();
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
  Bytes text_;
  std::vector<raft::Message> received_;
  std::array<bool, 3> touched_{};
  std::array<std::unique_ptr<raft::Raft>, 3> replicas_;
  std::array<std::vector<raft::Message>, 3> inboxes_;
};

struct Measured {
  double entries_per_second = 0;
  std::optional<double> instructions_per_entry;
};

// How entries are proposed: so many calls before the replicas run, and so many entries by each.
struct Load {
  const char* name;
  std::size_t calls;
  std::size_t entries_per_call;
};
constexpr std::array kLoads = {
    Load{"one at a time", 1, 1},
    Load{"unbatched, 64 clients", kClients, 1},
    Load{"batched by 64", 1, kBatch},
};

template <typename Cluster>
Measured measure(std::size_t entries, const Load& load, std::size_t bytes, const InstructionCounter& counter) {
  Cluster cluster;
  for (std::size_t i = 0; i < 100; ++i) {
    cluster.commit(load.calls, load.entries_per_call, bytes);
  }
  const auto instructions = counter.count();
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t done = 0; done < entries; done += load.calls * load.entries_per_call) {
    cluster.commit(load.calls, load.entries_per_call, bytes);
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

void compare(const Load& load, std::size_t entries, std::size_t bytes) {
  const InstructionCounter counter;
  Measured ours;
  Measured theirs;
  // Turn by turn, the best of each: what else the machine does hits both.
  for (int round = 0; round < kRounds; ++round) {
    ours = better(ours, measure<PandoCluster>(entries, load, bytes, counter));
    theirs = better(theirs, measure<LibraftCluster>(entries, load, bytes, counter));
  }
  fmt::print(
      "{:<22} pando {:>10.0f} entries/s, {:>6} instructions/entry | libraft {:>10.0f} entries/s, {:>6} "
      "instructions/entry | ratio {:.2f}\n",
      load.name, ours.entries_per_second, instructions_of(ours), theirs.entries_per_second, instructions_of(theirs),
      ours.entries_per_second / theirs.entries_per_second);
}

void run_alone(std::string_view side, std::size_t entries, const Load& load, std::size_t bytes) {
  const InstructionCounter counter;
  const Measured measured = side == "libraft" ? measure<LibraftCluster>(entries, load, bytes, counter)
                                              : measure<PandoCluster>(entries, load, bytes, counter);
  fmt::print("{}, {}: {:.0f} entries/s\n", side, load.name, measured.entries_per_second);
}

}  // namespace
}  // namespace pando::bench

int main(int argc, char** argv) {
  const std::size_t entries = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 100'000;
  const std::size_t bytes = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 128;
  if (argc > 3) {
    const std::size_t load = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 0;
    pando::bench::run_alone(argv[3], entries, pando::bench::kLoads.at(load), bytes);
    return 0;
  }
  fmt::print("three replicas in memory, payloads of {} bytes, {} entries\n", bytes, entries);
  for (const pando::bench::Load& load : pando::bench::kLoads) {
    pando::bench::compare(load, entries, bytes);
  }
  return 0;
}
