#include "test/history/register.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace pando::test {
namespace {

constexpr uint64_t kNever = UINT64_MAX;

class Search {
 public:
  Search(int64_t initial, std::vector<RegisterOperation> operations) : operations_(std::move(operations)) {
    // What nobody knows the end of and has no effect says nothing.
    std::erase_if(operations_, [](const RegisterOperation& operation) {
      return !operation.end_ns.has_value() && operation.kind == RegisterOperation::Kind::kRead;
    });
    std::ranges::sort(operations_, {}, &RegisterOperation::begin_ns);
    placed_.assign(operations_.size(), false);
    value_ = initial;
  }

  std::string run() {
    if (place_rest()) {
      return {};
    }
    return fmt::format("no order of {} operations fits; after {} of them none can follow: {}", operations_.size(),
                       longest_, stuck_);
  }

 private:
  uint64_t end_of(std::size_t i) const { return operations_[i].end_ns.value_or(kNever); }

  // Depth first, each (set of placed operations, value) once.
  bool place_rest() {
    if (count_ == operations_.size()) {
      return true;
    }
    if (!seen_.emplace(placed_, value_).second) {
      return false;
    }
    const uint64_t first_end = earliest_end();
    if (first_end == kNever) {
      // What is left may never have happened.
      return true;
    }
    for (std::size_t i = 0; i < operations_.size() && operations_[i].begin_ns <= first_end; ++i) {
      if (!placed_[i] && may_follow(operations_[i]) && place(i)) {
        return true;
      }
    }
    note_stuck();
    return false;
  }

  uint64_t earliest_end() const {
    uint64_t earliest = kNever;
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      earliest = placed_[i] ? earliest : std::min(earliest, end_of(i));
    }
    return earliest;
  }

  bool may_follow(const RegisterOperation& operation) const {
    switch (operation.kind) {
      case RegisterOperation::Kind::kRead:
        return value_ == operation.value;
      case RegisterOperation::Kind::kWrite:
        return true;
      case RegisterOperation::Kind::kCompareAndSwap:
        return !operation.end_ns.has_value() || (value_ == operation.expected) == operation.swapped;
    }
    return false;
  }

  bool place(std::size_t i) {
    const RegisterOperation& operation = operations_[i];
    const int64_t before = value_;
    const bool writes = operation.kind == RegisterOperation::Kind::kWrite ||
                        (operation.kind == RegisterOperation::Kind::kCompareAndSwap && value_ == operation.expected);
    value_ = writes ? operation.value : value_;
    placed_[i] = true;
    ++count_;
    const bool fits = place_rest();
    placed_[i] = false;
    --count_;
    value_ = before;
    return fits;
  }

  void note_stuck() {
    if (count_ < longest_ || (count_ == longest_ && !stuck_.empty())) {
      return;
    }
    longest_ = count_;
    stuck_ = fmt::format("the register holds {}", value_);
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      if (!placed_[i] && operations_[i].begin_ns <= earliest_end()) {
        const RegisterOperation& operation = operations_[i];
        stuck_ += fmt::format("; {} {} from {} to {}",
                              operation.kind == RegisterOperation::Kind::kRead ? "read of" : "write of",
                              operation.value, operation.begin_ns, end_of(i));
      }
    }
  }

  std::vector<RegisterOperation> operations_;
  std::vector<bool> placed_;
  // How many are placed.
  std::size_t count_ = 0;
  int64_t value_ = 0;
  std::set<std::pair<std::vector<bool>, int64_t>> seen_;
  std::size_t longest_ = 0;
  std::string stuck_;
};

}  // namespace

std::string check_register(int64_t initial, std::vector<RegisterOperation> operations) {
  return Search(initial, std::move(operations)).run();
}

}  // namespace pando::test
