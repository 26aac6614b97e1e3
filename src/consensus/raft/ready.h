#pragma once

// Ready: what a replica wants done, as data. Durable-before-send is in its shape: a message that promises something
// durable is inside the Persist whose completion allows it to be sent, so a driver that sends it early had to reach for
// it there.
//
// A driver, for each Ready taken, in the order in which they were taken:
//   send_now      send at once, in parallel with writing;
//   persist       if needed, write to the journal after all earlier ones; once durable (by then also install its
//   snapshot into the
//                 state machine) call Raft::persisted(sequence) and send `then_send`;
//   apply         apply to the state machine in order, on any thread; then Raft::applied(index);
//   reads         serve once the state machine has applied `index`.

#include <cstdint>
#include <optional>
#include <vector>

#include "consensus/raft/message.h"

namespace pando::raft {

// One write to the journal. Empty of content when only `then_send` waits for earlier writes.
struct Persist {
  // Rising by one. The completion of a write implies that of all before it. 0: there is nothing to write.
  uint64_t sequence = 0;
  std::optional<HardState> hard_state;
  // Replaces state machine and log.
  std::optional<Snapshot> snapshot;
  // Replace whatever the log holds from the first one's index on.
  Entries entries;
  std::vector<Message> then_send;

  bool needed() const { return sequence != 0; }
  bool empty() const { return !hard_state.has_value() && !snapshot.has_value() && entries.empty(); }
};

struct ReadState {
  // As given to Raft::read_index.
  uint64_t context = 0;
  // The read is linearizable on a state machine that has applied at least this.
  LogIndex index = 0;
  friend bool operator==(const ReadState&, const ReadState&) = default;
};

struct Ready {
  std::vector<Message> send_now;
  Persist persist;
  Entries apply;
  std::vector<ReadState> reads;
};

}  // namespace pando::raft
