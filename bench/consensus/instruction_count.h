#pragma once

// Counts the instructions that `work` executes, in user space, by running it in a child process one instruction at a
// time: exact, needs no counter of the processor (virtual machines often hide theirs), and slow, so give it little to
// do. What `work` changes is lost.

#include <cstdint>
#include <functional>

namespace pando::bench {

uint64_t count_instructions(const std::function<void()>& work);

}  // namespace pando::bench
