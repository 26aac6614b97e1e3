#include "runtime/os/turn.h"

#include <algorithm>

#include "base/assert.h"

namespace pando::runtime {
namespace {

thread_local Turn* current_turn = nullptr;

}  // namespace

Turn::Turn() {
  PANDO_ASSERT(current_turn == nullptr, "a thread has one loop");
  current_turn = this;
}

Turn::~Turn() { current_turn = nullptr; }

bool Turn::at_end(const std::shared_ptr<EndOfTurn>& callee) {
  if (current_turn == nullptr) {
    return false;
  }
  auto& callees = current_turn->callees_;
  // As many as there are peers: few.
  if (std::ranges::find(callees, callee) == callees.end()) {
    callees.push_back(callee);
  }
  return true;
}

void Turn::run() {
  running_.swap(callees_);
  for (const std::shared_ptr<EndOfTurn>& callee : running_) {
    callee->on_end_of_turn();
  }
  running_.clear();
}

}  // namespace pando::runtime
