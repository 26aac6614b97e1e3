#include "cluster/clock_comparison.h"

namespace pando::cluster {

std::chrono::nanoseconds ClockComparison::sure_offset(const Reading& reading) {
  const auto least = static_cast<int64_t>(reading.theirs_ns - reading.received_ns);
  const auto most = static_cast<int64_t>(reading.theirs_ns - reading.sent_ns);
  return std::chrono::nanoseconds(least > 0 ? least : most < 0 ? most : 0);
}

Status ClockComparison::verdict() const {
  std::size_t differ = 0;
  std::chrono::nanoseconds widest{0};
  for (const auto& [peer, reading] : readings_) {
    const std::chrono::nanoseconds offset = sure_offset(reading);
    if (abs(offset) > tolerated_) {
      ++differ;
      widest = abs(offset) > abs(widest) ? offset : widest;
    }
  }
  const std::size_t agree = readings_.size() - differ + 1;
  if (agree > differ) {
    return {};
  }
  using std::chrono::milliseconds;
  return Status(sql_state::kObjectNotInPrerequisiteState,
                "this node's clock is {} ms {} those of {} of {} other nodes; {} ms are permitted",
                std::chrono::duration_cast<milliseconds>(abs(widest)).count(),
                widest.count() > 0 ? "behind" : "ahead of", differ, readings_.size(),
                std::chrono::duration_cast<milliseconds>(tolerated_).count())
      .with_hint("Synchronize the clocks of all machines, then start this node again.");
}

}  // namespace pando::cluster
