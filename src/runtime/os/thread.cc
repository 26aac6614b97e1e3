#include "runtime/os/thread.h"

#include <cstdint>

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace pando::runtime {
namespace {

// The shortest slice that Linux grants.
constexpr uint64_t kPromptSliceNs = 100'000;
// Of nice(2): a third of the weight of others.
constexpr int kLeisurelyNice = 5;

// The kernel's sched_attr, whose header cannot be included beside the C library's.
struct SchedulingAttributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t slice_ns;
  uint64_t deadline_ns;
  uint64_t period_ns;
  uint32_t utilization_min;
  uint32_t utilization_max;
};

void request_slice(uint64_t slice_ns) {
  SchedulingAttributes attributes{};
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) == 0) {
    attributes.slice_ns = slice_ns;
    ::syscall(SYS_sched_setattr, 0, &attributes, 0);
  }
}

}  // namespace

void name_this_thread(const std::string& name) {
  constexpr std::size_t kNameBytesMax = 15;
  ::pthread_setname_np(::pthread_self(), name.substr(0, kNameBytesMax).c_str());
}

void set_urgency(Urgency urgency) {
  switch (urgency) {
    case Urgency::kUsual:
      return;
    case Urgency::kPrompt:
      request_slice(kPromptSliceNs);
      return;
    case Urgency::kLeisurely:
      // Of this thread alone, on Linux.
      ::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + kLeisurelyNice);
      return;
  }
}

}  // namespace pando::runtime
