#include "bench/consensus/instruction_count.h"

#include <csignal>

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"

namespace pando::bench {

uint64_t count_instructions(const std::function<void()>& work) {
  const pid_t child = fork();
  PANDO_ASSERT(child >= 0, "a process more");
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    raise(SIGSTOP);
    work();
    raise(SIGSTOP);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  uint64_t count = 0;
  for (;; ++count) {
    PANDO_ASSERT(WIFSTOPPED(status), "the child stops after each instruction");
    if (count > 0 && WSTOPSIG(status) == SIGSTOP) {
      break;
    }
    PANDO_ASSERT(ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) == 0, "a child can be stepped");
    waitpid(child, &status, 0);
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return count;
}

}  // namespace pando::bench
