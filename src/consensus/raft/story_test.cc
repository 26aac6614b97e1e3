// Runs the stories in testdata/: small clusters of cores, driven by commands, printed as what they did.
//
// Replicas are numbers. Every command prints what came of it.
//   options [pre-vote=no] [check-quorum=no] [eager=yes] [support=yes] [election=n] [heartbeat=n] [append-bytes=n]
//           [in-flight=n] [in-flight-bytes=n] [uncommitted-bytes=n] [apply-bytes=n]       for replicas added later
//   add 1 2 3 voters=(1,2,3) [learners=(4)] [index=10] [term=1] [log=(1,1,2)] [vote=n] [committed=n]
//       replicas of a group whose state machine has applied `index` (of term `term`), with entries of these terms after
//       it
//   campaign n | tick n count | elapse n   (a whole election timeout and one more) | beat n   (a heartbeat interval)
//   propose n text... | propose-bytes n size [count] | change n v4 l5 r6 [implicit|explicit] | leave n
//   read n context | transfer n to=m | forget n | compact n index | unreachable n of=m | snapshot-report n of=m
//   [failed] ready n | persist n | apply n      one step of the driver: take a Ready, finish its write, finish its
//   applying deliver n [type=X] [from=m] [drop] [keep]   the messages to n, in order; keep leaves them in the network
//   too stabilize [n...] [quiet]           all of that until nothing more happens (among these replicas) crash n (loses
//   what was not persisted) | wipe n | messages (in the network) support n for=m epoch=e | withdraw n for=m status n |
//   log n | state | lease n | idle n | uncommitted n

#include <algorithm>
#include <deque>
#include <map>
#include <memory>

#include <gtest/gtest.h>

#include "consensus/raft/raft.h"
#include "test/support/datadriven.h"

namespace pando::raft {
namespace {

using test::Command;

class FakeSupport final : public SupportView {
 public:
  uint64_t epoch_for(ReplicaId replica) const override {
    const auto found = given.find(replica.number());
    return found == given.end() ? 0 : found->second;
  }
  bool supports(ReplicaId replica, uint64_t epoch) const override { return epoch != 0 && epoch_for(replica) == epoch; }
  Support from(ReplicaId replica) const override {
    const auto found = received.find(replica.number());
    return found == received.end() ? Support{} : Support{found->second, 1000};
  }
  std::map<uint64_t, uint64_t> given;
  std::map<uint64_t, uint64_t> received;
};

struct Replica {
  Options options;
  std::unique_ptr<Prng> prng;
  FakeSupport support;
  bool with_support = false;
  // What a crash leaves.
  RestartState disk;
  std::unique_ptr<Raft> raft;
  std::deque<Persist> writes;
  std::deque<Entries> applies;
};

std::string text_of(const Entry& entry) {
  std::string text = fmt::format("{}/{}", entry.term, entry.index);
  if (entry.type == EntryType::kConfigChange) {
    ConfigChange change;
    decode(*entry.payload, change);
    text += change.leaves_joint() ? " leave" : " change";
    for (const auto& step : change.steps) {
      text += fmt::format(" {}{}", "vlr"[static_cast<int>(step.kind)], step.id.number());
    }
    return text;
  }
  if (entry.payload == nullptr) {
    return text;
  }
  return text + (entry.payload.size() > 20 ? fmt::format(" {} bytes", entry.payload.size())
                                           : fmt::format(" {}", *entry.payload));
}

std::string text_of(const Entries& entries) {
  std::string text;
  for (const Entry& entry : entries) {
    text += (text.empty() ? "" : ", ") + text_of(entry);
  }
  return text;
}

std::string text_of(const Message& m) {
  std::string text = fmt::format("{}->{} {} term={}", m.from.number(), m.to.number(), to_string(m.type), m.term);
  if (m.position != LogPosition{}) {
    text += m.position.term == 0 ? fmt::format(" index={}", m.position.index)
                                 : fmt::format(" after={}/{}", m.position.term, m.position.index);
  }
  const std::pair<const char*, uint64_t> numbers[] = {
      {"commit", m.commit}, {"context", m.context}, {"fortified", m.fortified_epoch}};
  for (const auto& [name, number] : numbers) {
    text += number == 0 ? "" : fmt::format(" {}={}", name, number);
  }
  text += m.transfer ? " transfer" : "";
  text += m.reject ? " REJECTED" : "";
  if (m.hint != LogPosition{}) {
    text += fmt::format(" hint={}/{}", m.hint.term, m.hint.index);
  }
  if (!m.entries.empty()) {
    text += fmt::format(" entries=[{}]", text_of(m.entries));
  }
  if (m.snapshot != nullptr) {
    text += fmt::format(" snapshot={}/{} {}", m.snapshot->position.term, m.snapshot->position.index,
                        m.snapshot->config.to_string());
  }
  return text;
}

std::string text_of(const HardState& state) {
  std::string text = fmt::format("term={} vote={} commit={}", state.term, state.vote.number(), state.commit);
  const Fortification& f = state.fortification;
  return f.leader == kNobody ? text
                             : text + fmt::format(" fortified={} term={} epoch={}", f.leader.number(), f.term, f.epoch);
}

class Story {
 public:
  std::string run(const Command& command) {
    out_.clear();
    command_ = &command;
    const std::string& name = command.name;
    if (name == "options") {
      set_options();
    } else if (name == "add") {
      add();
    } else if (name == "messages") {
      for (const Message& message : network_) {
        line(text_of(message));
      }
    } else if (name == "stabilize") {
      stabilize();
    } else if (name == "state") {
      for (const auto& [id, replica] : replicas_) {
        show_state(id);
      }
    } else if (!run_driver(name) && !run_input(name) && !run_query(name)) {
      ADD_FAILURE() << command.file << ":" << command.line << ": no command " << name;
    }
    return out_.empty() ? "ok\n" : out_;
  }

 private:
  void line(const std::string& text) { out_ += indent_ + text + "\n"; }
  uint64_t number(const std::string& key, uint64_t fallback) const {
    return command_->has(key) ? std::stoull(command_->value(key)) : fallback;
  }
  bool flag(const std::string& key) const {
    return std::any_of(command_->arguments.begin(), command_->arguments.end(),
                       [&](const auto& argument) { return argument.key == key && argument.values.empty(); });
  }
  std::vector<std::string> words() const {
    std::vector<std::string> words;
    for (const auto& argument : command_->arguments) {
      if (argument.values.empty()) {
        words.push_back(argument.key);
      }
    }
    return words;
  }
  uint64_t word(std::size_t i) const { return std::stoull(words().at(i)); }
  Replica& replica(uint64_t id) { return *replicas_.at(id); }
  Raft& raft() { return *replica(word(0)).raft; }
  std::vector<uint64_t> ids_of(const std::string& key) const {
    std::vector<uint64_t> ids;
    for (const std::string& value : command_->values(key)) {
      ids.push_back(std::stoull(value));
    }
    return ids;
  }

  void set_options() {
    const auto on = [&](const char* key, bool fallback) {
      return command_->has(key) ? command_->value(key) == "yes" : fallback;
    };
    options_.pre_vote = on("pre-vote", options_.pre_vote);
    options_.check_quorum = on("check-quorum", options_.check_quorum);
    options_.eager_commit = on("eager", options_.eager_commit);
    with_support_ = on("support", with_support_);
    options_.election_ticks = static_cast<uint32_t>(number("election", options_.election_ticks));
    options_.heartbeat_ticks = static_cast<uint32_t>(number("heartbeat", options_.heartbeat_ticks));
    options_.append_bytes_max = number("append-bytes", options_.append_bytes_max);
    options_.in_flight_max = number("in-flight", options_.in_flight_max);
    options_.in_flight_bytes_max = number("in-flight-bytes", options_.in_flight_bytes_max);
    options_.uncommitted_bytes_max = number("uncommitted-bytes", options_.uncommitted_bytes_max);
    options_.apply_bytes_max = number("apply-bytes", options_.apply_bytes_max);
  }

  void add() {
    RestartState state;
    for (const uint64_t id : ids_of("voters")) {
      state.config.voters.incoming.insert(ReplicaId(id));
    }
    for (const uint64_t id : ids_of("learners")) {
      state.config.learners.insert(ReplicaId(id));
    }
    state.applied = number("index", 0);
    state.compacted = {state.applied, number("term", state.applied == 0 ? 0 : 1)};
    state.hard_state.term = state.compacted.term;
    for (const uint64_t term : ids_of("log")) {
      state.entries.push_back({term, state.applied + state.entries.size() + 1, EntryType::kNormal, nullptr});
      state.hard_state.term = term;
    }
    state.hard_state.term = std::max(state.hard_state.term, number("at-term", 0));
    state.hard_state.vote = ReplicaId(number("vote", 0));
    state.hard_state.commit = number("committed", state.applied);
    for (const std::string& name : words()) {
      const uint64_t id = std::stoull(name);
      auto& added = replicas_[id] = std::make_unique<Replica>();
      added->options = options_;
      added->options.self = ReplicaId(id);
      added->with_support = with_support_;
      added->disk = state;
      start(*added, id);
    }
  }
  void start(Replica& replica, uint64_t id) {
    ASSERT_TRUE(check(replica.disk).ok());
    replica.prng = std::make_unique<Prng>(id + 100 * ++starts_);
    replica.raft = std::make_unique<Raft>(replica.options, replica.disk, *replica.prng,
                                          replica.with_support ? &replica.support : nullptr);
    replica.writes.clear();
    replica.applies.clear();
  }

  bool run_input(const std::string& name) {
    if (name == "campaign") {
      raft().campaign();
    } else if (name == "tick") {
      for (uint64_t i = 0; i < word(1); ++i) {
        raft().tick();
      }
    } else if (name == "elapse") {
      for (uint32_t i = 0; i < 2 * replica(word(0)).options.election_ticks; ++i) {
        if (i < replica(word(0)).options.election_ticks || raft().role() == Role::kFollower) {
          raft().tick();
        }
      }
    } else if (name == "beat") {
      for (uint32_t i = 0; i < replica(word(0)).options.heartbeat_ticks; ++i) {
        raft().tick();
      }
    } else if (name == "forget") {
      raft().forget_leader();
    } else if (name == "compact") {
      raft().compact(word(1));
      compact_disk(replica(word(0)), word(1));
    } else if (name == "unreachable") {
      raft().report_unreachable(ReplicaId(number("of", 0)));
    } else if (name == "snapshot-report") {
      raft().report_snapshot(ReplicaId(number("of", 0)), !flag("failed"));
    } else if (name == "support") {
      replica(word(0)).support.given[number("for", 0)] = number("epoch", 1);
      replica(number("for", 0)).support.received[word(0)] = number("epoch", 1);
    } else if (name == "release") {
      raft().step({.type = MessageType::kRelease,
                   .from = ReplicaId(number("from", 0)),
                   .to = ReplicaId(word(0)),
                   .term = number("term", 0),
                   .reject = flag("gone")});
    } else if (name == "withdraw") {
      replica(word(0)).support.given.erase(number("for", 0));
      replica(number("for", 0)).support.received.erase(word(0));
    } else {
      return run_proposal(name);
    }
    return true;
  }

  bool run_proposal(const std::string& name) {
    const auto show = [&](const auto& accepted) {
      if (!accepted.has_value()) {
        line(fmt::format("refused: {}", to_string(accepted.error())));
      }
    };
    if (name == "propose") {
      const std::vector<std::string> texts = words();
      std::vector<Payload> payloads;
      for (std::size_t i = 1; i < texts.size(); ++i) {
        payloads.push_back(Payload::copy_of(texts[i]));
      }
      show(raft().propose(std::move(payloads)));
    } else if (name == "propose-bytes") {
      for (uint64_t i = 0; i < (words().size() > 2 ? word(2) : 1); ++i) {
        show(raft().propose(Bytes(word(1), 'x')));
      }
    } else if (name == "change" || name == "leave") {
      show(raft().propose_change(parse_change()));
    } else if (name == "read") {
      show(raft().read_index(word(1)));
    } else if (name == "transfer") {
      show(raft().transfer(ReplicaId(number("to", 0))));
    } else {
      return false;
    }
    return true;
  }

  ConfigChange parse_change() const {
    ConfigChange change;
    const std::vector<std::string> texts = words();
    for (std::size_t i = 1; i < texts.size(); ++i) {
      if (texts[i] == "implicit") {
        change.transition = ConfigChange::Transition::kJointImplicit;
      } else if (texts[i] == "explicit") {
        change.transition = ConfigChange::Transition::kJointExplicit;
      } else {
        const auto kind = static_cast<ConfigChange::Kind>(std::string("vlr").find(texts[i][0]));
        change.steps.push_back({kind, ReplicaId(std::stoull(texts[i].substr(1)))});
      }
    }
    return change;
  }

  bool run_driver(const std::string& name) {
    if (name == "ready") {
      take_ready(word(0));
    } else if (name == "persist") {
      finish_write(word(0));
    } else if (name == "apply") {
      finish_apply(word(0));
    } else if (name == "deliver") {
      deliver(word(0));
    } else if (name == "crash") {
      start(replica(word(0)), word(0));
    } else if (name == "wipe") {
      replica(word(0)).disk = RestartState{.config = replica(word(0)).disk.config};
      start(replica(word(0)), word(0));
    } else {
      return false;
    }
    return true;
  }

  bool take_ready(uint64_t id) {
    Replica& r = replica(id);
    if (!r.raft->has_ready()) {
      return false;
    }
    const std::string before = described_[id];
    Ready ready = r.raft->take_ready();
    line(fmt::format("{} ready", id));
    if (described_[id] = describe(*r.raft); described_[id] != before) {
      line("  now " + described_[id]);
    }
    for (const ReadState& read : ready.reads) {
      line(fmt::format("  read {} at {}", read.context, read.index));
    }
    for (Message& message : ready.send_now) {
      line("  send " + text_of(message));
      network_.push_back(std::move(message));
    }
    if (ready.persist.needed()) {
      const Persist& p = ready.persist;
      line(fmt::format(
          "  persist #{}{}{}{}", p.sequence, p.hard_state.has_value() ? " " + text_of(*p.hard_state) : std::string(),
          p.snapshot.has_value() ? fmt::format(" snapshot={}/{}", p.snapshot->position.term, p.snapshot->position.index)
                                 : std::string(),
          p.entries.empty() ? std::string() : fmt::format(" entries=[{}]", text_of(p.entries))));
      for (const Message& message : p.then_send) {
        line("    then " + text_of(message));
      }
      r.writes.push_back(std::move(ready.persist));
    }
    if (!ready.apply.empty()) {
      line(fmt::format("  apply [{}]", text_of(ready.apply)));
      r.applies.push_back(std::move(ready.apply));
    }
    return true;
  }

  static std::string describe(const Raft& raft) {
    return fmt::format("{} term={} leader={}", to_string(raft.role()), raft.term(), raft.leader().number());
  }

  bool finish_write(uint64_t id) {
    Replica& r = replica(id);
    if (r.writes.empty()) {
      return false;
    }
    Persist write = std::move(r.writes.front());
    r.writes.pop_front();
    write_disk(r, write);
    line(fmt::format("{} persisted #{}", id, write.sequence));
    r.raft->persisted(write.sequence);
    for (Message& message : write.then_send) {
      line("  send " + text_of(message));
      network_.push_back(std::move(message));
    }
    return true;
  }

  static void write_disk(Replica& r, const Persist& write) {
    if (write.hard_state.has_value()) {
      r.disk.hard_state = *write.hard_state;
    }
    if (write.snapshot.has_value()) {
      r.disk.compacted = write.snapshot->position;
      r.disk.applied = write.snapshot->position.index;
      r.disk.config = write.snapshot->config;
      r.disk.entries.clear();
    }
    if (!write.entries.empty()) {
      const LogIndex first = write.entries.front().index;
      r.disk.entries.resize(first - r.disk.compacted.index - 1);
      r.disk.entries.insert(r.disk.entries.end(), write.entries.begin(), write.entries.end());
    }
  }

  static void compact_disk(Replica& r, LogIndex index) {
    while (r.disk.compacted.index < index) {
      r.disk.compacted = {r.disk.entries.front().index, r.disk.entries.front().term};
      r.disk.entries.erase(r.disk.entries.begin());
    }
  }

  bool finish_apply(uint64_t id) {
    Replica& r = replica(id);
    if (r.applies.empty()) {
      return false;
    }
    const Entries entries = std::move(r.applies.front());
    r.applies.pop_front();
    for (const Entry& entry : entries) {
      r.disk.applied = entry.index;
      ConfigChange change;
      if (entry.type == EntryType::kConfigChange && decode(*entry.payload, change)) {
        if (auto next = changed(r.disk.config, change); next.ok()) {
          r.disk.config = *std::move(next);
        }
      }
    }
    const Config before = r.raft->config();
    r.raft->applied(entries.back().index);
    line(fmt::format("{} applied {}", id, entries.back().index));
    if (!(r.raft->config() == before)) {
      line("  now " + r.raft->config().to_string());
    }
    // What the state machine derived is what the core derived (distsql (b) 3, bug 16).
    EXPECT_EQ(r.raft->config(), r.disk.config) << command_->file << ":" << command_->line;
    return true;
  }

  bool deliver(uint64_t to) {
    std::deque<Message> rest;
    std::vector<Message> due;
    for (Message& message : network_) {
      const bool chosen = message.to.number() == to &&
                          (!command_->has("type") || command_->value("type") == to_string(message.type)) &&
                          (!command_->has("from") || number("from", 0) == message.from.number());
      if (!chosen || flag("keep")) {
        rest.push_back(message);
      }
      if (chosen) {
        due.push_back(std::move(message));
      }
    }
    network_ = std::move(rest);
    for (Message& message : due) {
      line((flag("drop") ? "lost " : "got ") + text_of(message));
      if (!flag("drop")) {
        replica(to).raft->step(std::move(message));
      }
    }
    return !due.empty();
  }

  void stabilize() {
    std::vector<uint64_t> ids;
    for (const std::string& text : words()) {
      if (text != "quiet") {
        ids.push_back(std::stoull(text));
      }
    }
    if (ids.empty()) {
      for (const auto& [id, replica] : replicas_) {
        ids.push_back(id);
      }
    }
    bool again = true;
    for (int round = 0; again; ++round) {
      ASSERT_LT(round, 1000) << command_->file << ":" << command_->line << ": does not come to rest";
      again = false;
      for (const uint64_t id : ids) {
        while (take_ready(id) || finish_write(id) || finish_apply(id)) {
          again = true;
        }
      }
      for (const uint64_t id : ids) {
        again = deliver_quietly(id) || again;
      }
    }
    if (flag("quiet")) {
      out_.clear();
    }
  }
  bool deliver_quietly(uint64_t to) {
    std::deque<Message> rest;
    bool any = false;
    for (Message& message : std::exchange(network_, {})) {
      if (message.to.number() != to) {
        rest.push_back(std::move(message));
        continue;
      }
      any = true;
      replica(to).raft->step(std::move(message));
    }
    for (Message& message : network_) {
      rest.push_back(std::move(message));
    }
    network_ = std::move(rest);
    return any;
  }

  void show_state(uint64_t id) {
    const Raft& r = *replica(id).raft;
    const Log& log = r.log();
    line(fmt::format("{}: {} term={} vote={} leader={} last={}/{} committed={} applied={}", id, to_string(r.role()),
                     r.term(), r.vote().number(), r.leader().number(), log.last_term(), log.last_index(),
                     log.committed(), log.applied()));
  }

  bool run_query(const std::string& name) {
    if (name == "status") {
      for (const Progress& p : raft().progress()) {
        line(fmt::format("{}: {} match={} next={}{}{}{}", p.id.number(), to_string(p.state), p.match, p.next,
                         p.is_paused() ? " paused" : "", p.recently_active ? " active" : "",
                         p.in_flight.count() == 0
                             ? std::string()
                             : fmt::format(" in-flight={} ({} bytes)", p.in_flight.count(), p.in_flight.bytes())));
      }
      line(raft().config().to_string());
    } else if (name == "log") {
      const Log& log = raft().log();
      line(fmt::format("compacted={}/{} committed={} durable={}", log.compacted().term, log.compacted().index,
                       log.committed(), log.durable()));
      for (LogIndex i = log.compacted().index + 1; i <= log.last_index(); ++i) {
        line(text_of(log.at(i)));
      }
    } else if (name == "lease") {
      line(raft().lease_until_ns() == 0 ? "no lease" : "lease");
    } else if (name == "idle") {
      line(raft().idle() ? "idle" : "busy");
    } else if (name == "uncommitted") {
      line(fmt::format("{} bytes", raft().uncommitted_bytes()));
    } else {
      return false;
    }
    return true;
  }

  const Command* command_ = nullptr;
  std::string out_;
  std::string indent_;
  Options options_{.election_ticks = 3, .heartbeat_ticks = 1};
  bool with_support_ = false;
  uint64_t starts_ = 0;
  std::map<uint64_t, std::unique_ptr<Replica>> replicas_;
  std::map<uint64_t, std::string> described_;
  std::deque<Message> network_;
};

class StoryTest : public testing::TestWithParam<std::string> {};

TEST_P(StoryTest, Runs) {
  Story story;
  test::run_datadriven(GetParam(), [&](const Command& command) { return story.run(command); });
}

std::string story_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param.substr(info.param.rfind('/') + 1);
  name.resize(name.rfind('.'));
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Stories, StoryTest, testing::ValuesIn(test::testdata_files("src/consensus/raft/testdata")),
                         story_name);

}  // namespace
}  // namespace pando::raft
