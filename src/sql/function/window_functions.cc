// The window functions proper; aggregates over windows are the executor's work.

#include <algorithm>

#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"

namespace pando::sql {
namespace {

using types::Value;

void store(types::Vector& out, std::size_t i, const Value& value) {
  if (value.is_null()) {
    out.set_null(i);
  } else {
    out.set(i, value);
  }
}

Status row_number(EvaluationContext&, const CallTypes&, WindowPartition&, std::size_t first, std::size_t count,
                  types::Vector& out) {
  for (std::size_t i = 0; i < count; ++i) {
    out.data<int64_t>()[i] = static_cast<int64_t>(first + i) + 1;
  }
  return {};
}
Status rank(EvaluationContext&, const CallTypes&, WindowPartition& partition, std::size_t first, std::size_t count,
            types::Vector& out) {
  for (std::size_t i = 0; i < count; ++i) {
    out.data<int64_t>()[i] = static_cast<int64_t>(partition.peers_begin(first + i)) + 1;
  }
  return {};
}
Status dense_rank(EvaluationContext&, const CallTypes&, WindowPartition& partition, std::size_t first,
                  std::size_t count, types::Vector& out) {
  if (count == 0) {
    return {};
  }
  // Peer groups before the range, then one more whenever a group begins in it.
  int64_t groups = 1;
  for (std::size_t group = 0; group < partition.peers_begin(first); group = partition.peers_end(group)) {
    ++groups;
  }
  for (std::size_t i = 0; i < count; ++i) {
    groups += static_cast<int64_t>(i > 0 && partition.peers_begin(first + i) == first + i);
    out.data<int64_t>()[i] = groups;
  }
  return {};
}
Status percent_rank(EvaluationContext&, const CallTypes&, WindowPartition& partition, std::size_t first,
                    std::size_t count, types::Vector& out) {
  const auto others = static_cast<double>(partition.rows() - 1);
  for (std::size_t i = 0; i < count; ++i) {
    out.data<double>()[i] = others == 0 ? 0 : static_cast<double>(partition.peers_begin(first + i)) / others;
  }
  return {};
}
Status cume_dist(EvaluationContext&, const CallTypes&, WindowPartition& partition, std::size_t first, std::size_t count,
                 types::Vector& out) {
  const auto rows = static_cast<double>(partition.rows());
  for (std::size_t i = 0; i < count; ++i) {
    out.data<double>()[i] = static_cast<double>(partition.peers_end(first + i)) / rows;
  }
  return {};
}

// The number of buckets is the argument's value at the partition's first row.
Status ntile(EvaluationContext&, const CallTypes&, WindowPartition& partition, std::size_t first, std::size_t count,
             types::Vector& out) {
  PANDO_ASSIGN(const Value argument, partition.argument(0, 0));
  for (std::size_t i = 0; i < count; ++i) {
    if (argument.is_null()) {
      out.set_null(i);
      continue;
    }
    if (argument.as<int32_t>() <= 0) {
      return {SqlState("22014"), "argument of ntile must be greater than zero"};
    }
    const auto buckets = static_cast<std::size_t>(argument.as<int32_t>());
    // The first `larger` buckets have one row more than the others.
    const std::size_t size = partition.rows() / buckets;
    const std::size_t larger = partition.rows() % buckets;
    const std::size_t row = first + i;
    const std::size_t in_larger = larger * (size + 1);
    const std::size_t bucket =
        row < in_larger ? row / (size + 1) : larger + (row - in_larger) / std::max<std::size_t>(size, 1);
    out.data<int32_t>()[i] = static_cast<int32_t>(bucket) + 1;
  }
  return {};
}

// lag and lead: the row `direction * offset` away, whatever the frame.
template <int kDirection, bool kOffset, bool kDefault>
Status shifted(EvaluationContext&, const CallTypes&, WindowPartition& partition, std::size_t first, std::size_t count,
               types::Vector& out) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t row = first + i;
    int64_t offset = 1;
    if constexpr (kOffset) {
      PANDO_ASSIGN(const Value argument, partition.argument(1, row));
      if (argument.is_null()) {
        out.set_null(i);
        continue;
      }
      offset = argument.as<int32_t>();
    }
    const int64_t target = static_cast<int64_t>(row) + kDirection * offset;
    if (target >= 0 && target < static_cast<int64_t>(partition.rows())) {
      PANDO_ASSIGN(const Value value, partition.argument(0, static_cast<std::size_t>(target)));
      store(out, i, value);
    } else if constexpr (kDefault) {
      PANDO_ASSIGN(const Value value, partition.argument(2, row));
      store(out, i, value);
    } else {
      out.set_null(i);
    }
  }
  return {};
}

// The row at `position` (0-based) among those of the frame that are not excluded, from its start or its end.
Result<std::optional<std::size_t>> frame_row(WindowPartition& partition, std::size_t row, std::size_t position,
                                             bool from_end) {
  PANDO_ASSIGN(const auto frame, partition.frame(row));
  for (std::size_t i = frame.first; i < frame.second; ++i) {
    const std::size_t candidate = from_end ? frame.second - 1 - (i - frame.first) : i;
    if (partition.excludes(row, candidate)) {
      continue;
    }
    if (position-- == 0) {
      return std::optional(candidate);
    }
  }
  return std::optional<std::size_t>();
}
Status value_at(WindowPartition& partition, std::size_t row, std::size_t position, bool from_end, types::Vector& out,
                std::size_t i) {
  PANDO_ASSIGN(const auto found, frame_row(partition, row, position, from_end));
  if (!found) {
    out.set_null(i);
    return {};
  }
  PANDO_ASSIGN(const Value value, partition.argument(0, *found));
  store(out, i, value);
  return {};
}
template <bool kLast>
Status end_value(EvaluationContext&, const CallTypes&, WindowPartition& partition, std::size_t first, std::size_t count,
                 types::Vector& out) {
  for (std::size_t i = 0; i < count; ++i) {
    PANDO_TRY(value_at(partition, first + i, 0, kLast, out, i));
  }
  return {};
}
Status nth_value(EvaluationContext&, const CallTypes&, WindowPartition& partition, std::size_t first, std::size_t count,
                 types::Vector& out) {
  for (std::size_t i = 0; i < count; ++i) {
    PANDO_ASSIGN(const Value n, partition.argument(1, first + i));
    if (n.is_null()) {
      out.set_null(i);
      continue;
    }
    if (n.as<int32_t>() <= 0) {
      return {SqlState("22016"), "argument of nth_value must be greater than zero"};
    }
    PANDO_TRY(value_at(partition, first + i, static_cast<std::size_t>(n.as<int32_t>()) - 1, false, out, i));
  }
  return {};
}

}  // namespace

KernelTable window_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"window_row_number", row_number},
      {"window_rank", rank},
      {"window_dense_rank", dense_rank},
      {"window_percent_rank", percent_rank},
      {"window_cume_dist", cume_dist},
      {"window_ntile", ntile},
      {"window_lag", shifted<-1, false, false>},
      {"window_lag_with_offset", shifted<-1, true, false>},
      {"window_lag_with_offset_and_default", shifted<-1, true, true>},
      {"window_lead", shifted<1, false, false>},
      {"window_lead_with_offset", shifted<1, true, false>},
      {"window_lead_with_offset_and_default", shifted<1, true, true>},
      {"window_first_value", end_value<false>},
      {"window_last_value", end_value<true>},
      {"window_nth_value", nth_value},
  };
  return kTable;
}

}  // namespace pando::sql
