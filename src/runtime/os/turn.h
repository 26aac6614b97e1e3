#pragma once

// Turn: what a thread does between two times that it would sleep. What it has gathered for others goes out at the end.
//
//   Turn turn;                                             on the stack of a thread that runs a loop
//   while (...) { ...work...; turn.end(); ...sleep... }
//
//   if (!Turn::at_end(lane)) { lane->flush(); }            anywhere below: false on threads without turns
//
// So that many messages that one thread sends to one peer in a row leave together, and with one system call.
// Thread-safety: a Turn belongs to its thread.

#include <memory>
#include <vector>

namespace pando::runtime {

class EndOfTurn {
 public:
  virtual ~EndOfTurn() = default;
  virtual void on_end_of_turn() = 0;
};

class Turn {
 public:
  Turn();
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  // Has `callee` called once at the end of the calling thread's turn.
  static bool at_end(const std::shared_ptr<EndOfTurn>& callee);
  void end() {
    if (!callees_.empty()) {
      run();
    }
  }

 private:
  void run();
  std::vector<std::shared_ptr<EndOfTurn>> callees_;
  std::vector<std::shared_ptr<EndOfTurn>> running_;
};

}  // namespace pando::runtime
