// Committed entries per second of processor time and instructions per entry of three cores with an in-memory transport,
// beside the same load on Debian's libraft. Neither side writes to a disk; both copy every payload on its way from one
// replica to another, as receiving it would.
//
//   raft_bench [entries] [payload bytes]
//   raft_bench [entries] [payload bytes] pando|libraft [load]   // one side, one load (0..2): for callgrind
//
// Loads: one entry at a time, to its commit; 64 clients that each propose an entry by a call of its own, before the
// replicas run; 64 entries proposed by one call. Both sides run with their defaults (pre-vote and check-quorum here,
// libraft has neither on) and take a snapshot, or compact, every 8192 entries, keeping 1024.

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "base/prng.h"
#include "bench/consensus/instruction_count.h"
#include "bench/consensus/libraft_cluster.h"
#include "consensus/raft/raft.h"

namespace pando::bench {
namespace {

constexpr std::size_t kBatch = 64;
constexpr std::size_t kClients = 64;
constexpr int kRounds = 9;
constexpr std::size_t kEntriesStepped = 64;
// Both sides drop what is older, every now and then.
constexpr raft::LogIndex kLogMax = kSnapshotThreshold + kSnapshotTrailing;
constexpr raft::LogIndex kLogKept = kSnapshotTrailing;

class PandoCluster {
 public:
  PandoCluster() : prng_(1) {
    for (uint64_t id = 1; id <= 3; ++id) {
      replicas_[id - 1] = std::make_unique<raft::Raft>(
          raft::Options{.self = ReplicaId(id)}, raft::RestartState{.config = raft::Config::of({1, 2, 3})}, prng_);
    }
    replicas_[0]->campaign();
    touched_ = 1;
    run();
    PANDO_ASSERT(replicas_[0]->role() == raft::Role::kLeader, "the only candidate wins");
  }

  // As in LibraftCluster.
  void commit(std::size_t calls, std::size_t entries_per_call, std::size_t bytes) {
    text_.resize(bytes, 'x');
    raft::LogIndex last = 0;
    for (std::size_t call = 0; call < calls; ++call) {
      const auto index =
          entries_per_call == 1 ? replicas_[0]->propose(text_) : replicas_[0]->propose(payloads(entries_per_call));
      PANDO_ASSERT(index.has_value(), "the leader accepts a proposal");
      last = *index;
    }
    touched_ = 1;
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
  static raft::Entries copy_of(const raft::Entries& entries) {
    raft::EntryBlock block(entries.size(), raft::payload_bytes(entries));
    for (const raft::Entry& entry : entries) {
      if (entry.payload == nullptr) {
        block.add(entry);
      } else {
        block.add(entry.term, entry.index, entry.type, *entry.payload);
      }
    }
    return std::move(block).take();
  }

  void send(raft::Message&& message) {
    if (!message.entries.empty()) {
      message.entries = copy_of(message.entries);
    }
    // A core calls nobody, so what is sent can be delivered at once.
    const std::size_t to = message.to.number() - 1;
    replicas_[to]->step(std::move(message));
    touched_ |= 1U << to;
  }

  void drive(std::size_t i) {
    raft::Raft& replica = *replicas_[i];
    raft::Ready& ready = readies_[i];
    // Whoever was touched is nearly always ready.
    do {
      replica.take_ready(ready);
      for (raft::Message& message : ready.send_now) {
        send(std::move(message));
      }
      if (ready.persist.needed()) {
        replica.persisted(ready.persist.sequence);
        for (raft::Message& message : ready.persist.then_send) {
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
    } while (replica.has_ready());
  }

  // Like a driver of many groups, looks only at who was given something to do.
  void run() {
    while (touched_ != 0) {
      const unsigned last = std::bit_floor(touched_);
      touched_ ^= last;
      drive(static_cast<std::size_t>(std::countr_zero(last)));
    }
  }

  Prng prng_;
  // Of each replica; its memory is used again.
  std::array<raft::Ready, 3> readies_;
  Bytes text_;
  // Bit by bit.
  unsigned touched_ = 0;
  std::array<std::unique_ptr<raft::Raft>, 3> replicas_;
};

// How entries are proposed: so many calls before the replicas run, and so many entries by each.
struct Load {
  const char* name;
  std::size_t calls;
  std::size_t entries_per_call;

  std::size_t entries() const { return calls * entries_per_call; }
};
constexpr std::array kLoads = {
    Load{"one at a time", 1, 1},
    Load{"unbatched, 64 clients", kClients, 1},
    Load{"batched by 64", 1, kBatch},
};

// Of this thread's own time on the processor: the machine may be busy.
double seconds_used() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

template <typename Cluster>
void warm_up(Cluster& cluster, const Load& load, std::size_t bytes) {
  for (std::size_t i = 0; i < 100; ++i) {
    cluster.commit(load.calls, load.entries_per_call, bytes);
  }
}

template <typename Cluster>
double entries_per_second(std::size_t entries, const Load& load, std::size_t bytes) {
  Cluster cluster;
  warm_up(cluster, load, bytes);
  const double start = seconds_used();
  for (std::size_t done = 0; done < entries; done += load.entries()) {
    cluster.commit(load.calls, load.entries_per_call, bytes);
  }
  return static_cast<double>(entries) / (seconds_used() - start);
}

template <typename Cluster>
double instructions_per_entry(const Load& load, std::size_t bytes) {
  Cluster cluster;
  warm_up(cluster, load, bytes);
  const uint64_t instructions = count_instructions([&] {
    for (std::size_t done = 0; done < kEntriesStepped; done += load.entries()) {
      cluster.commit(load.calls, load.entries_per_call, bytes);
    }
  });
  return static_cast<double>(instructions) / kEntriesStepped;
}

void compare(const Load& load, std::size_t entries, std::size_t bytes) {
  double ours = 0;
  double theirs = 0;
  // Turn by turn, the best of each: what else the machine does hits both.
  for (int round = 0; round < kRounds; ++round) {
    ours = std::max(ours, entries_per_second<PandoCluster>(entries, load, bytes));
    theirs = std::max(theirs, entries_per_second<LibraftCluster>(entries, load, bytes));
  }
  const double our_instructions = instructions_per_entry<PandoCluster>(load, bytes);
  const double their_instructions = instructions_per_entry<LibraftCluster>(load, bytes);
  fmt::print(
      "{:<22} pando {:>9.0f} entries/s, {:>5.0f} instructions/entry | libraft {:>9.0f} entries/s, {:>5.0f} "
      "instructions/entry | ratio {:.2f}, of instructions {:.2f}\n",
      load.name, ours, our_instructions, theirs, their_instructions, ours / theirs,
      their_instructions / our_instructions);
}

void run_alone(std::string_view side, std::size_t entries, const Load& load, std::size_t bytes) {
  const double rate = side == "libraft" ? entries_per_second<LibraftCluster>(entries, load, bytes)
                                        : entries_per_second<PandoCluster>(entries, load, bytes);
  fmt::print("{}, {}: {:.0f} entries/s\n", side, load.name, rate);
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
