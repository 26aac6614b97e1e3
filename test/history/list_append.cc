#include "test/history/list_append.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "test/history/dependencies.h"

namespace pando::test {

std::string_view to_string(Level level) {
  constexpr std::array<std::string_view, 3> kNames = {"read committed", "repeatable read", "serializable"};
  return kNames.at(static_cast<std::size_t>(level));
}

namespace {

bool is_prefix(const List& shorter, const List& longer) {
  return shorter.size() <= longer.size() && std::equal(shorter.begin(), shorter.end(), longer.begin());
}

// Where an element was appended.
struct Origin {
  std::size_t transaction = 0;
  ListKey key = 0;
  // It is the transaction's last one to this key.
  bool is_last = false;
};

class Checker {
 public:
  explicit Checker(const ListHistory& history) : history_(history), transactions_(history.transactions) {}

  std::vector<Anomaly> run() {
    note_appends();
    check_elements();
    decide_unknown();
    check_reads();
    check_final();
    check_recency();
    add_dependencies();
    for (Anomaly& anomaly : find_cycles(graph_)) {
      found_.push_back(std::move(anomaly));
    }
    return violations_first();
  }

 private:
  std::vector<Anomaly> violations_first() const {
    std::vector<Anomaly> sorted;
    for (const bool violates : {true, false}) {
      std::ranges::copy_if(found_, std::back_inserter(sorted),
                           [&](const Anomaly& anomaly) { return anomaly.violates == violates; });
    }
    return sorted;
  }
  void note(std::string name, std::string description) {
    if (std::ranges::none_of(found_, [&](const Anomaly& anomaly) { return anomaly.name == name; })) {
      found_.push_back({.name = std::move(name), .description = std::move(description)});
    }
  }
  std::string name_of(std::size_t transaction) const {
    const ListTransaction& it = transactions_[transaction];
    return fmt::format("T{} ({})", it.number, to_string(it.level));
  }

  void note_appends() {
    for (std::size_t i = 0; i < transactions_.size(); ++i) {
      std::map<ListKey, int64_t> last;
      for (const ListOperation& operation : transactions_[i].operations) {
        if (!operation.appends) {
          continue;
        }
        if (const auto before = last.find(operation.key); before != last.end()) {
          origins_[before->second].is_last = false;
        }
        origins_[operation.element] = {.transaction = i, .key = operation.key, .is_last = true};
        last[operation.key] = operation.element;
      }
    }
  }

  // All reads; those of transactions that failed too, for they must not show nonsense either.
  template <typename Visit>
  void each_read(Visit&& visit) {
    for (std::size_t i = 0; i < transactions_.size(); ++i) {
      for (const ListOperation& operation : transactions_[i].operations) {
        if (!operation.appends) {
          visit(i, operation);
        }
      }
    }
  }

  void check_elements() {
    each_read([&](std::size_t reader, const ListOperation& read) {
      check_list(fmt::format("{} read", name_of(reader)), read.key, read.list, reader);
    });
    for (const auto& [key, list] : history_.final_lists) {
      check_list("at the end", key, list, std::nullopt);
    }
  }

  void check_list(const std::string& who, ListKey key, const List& list, std::optional<std::size_t> reader) {
    std::set<int64_t> seen;
    for (const int64_t element : list) {
      const auto origin = origins_.find(element);
      if (!seen.insert(element).second) {
        note("duplicate element", fmt::format("{} list {} with {} twice: {}", who, key, element, list));
      } else if (origin == origins_.end() || origin->second.key != key) {
        note("garbage read", fmt::format("{} list {} with {}, which nobody appended: {}", who, key, element, list));
      } else if (transactions_[origin->second.transaction].ending == Ending::kAborted &&
                 origin->second.transaction != reader) {
        note("G1a", fmt::format("{} list {} with {} of {}, which was aborted", who, key, element,
                                name_of(origin->second.transaction)));
      }
    }
  }

  // What others have seen of a transaction was committed.
  void decide_unknown() {
    committed_.resize(transactions_.size());
    for (std::size_t i = 0; i < transactions_.size(); ++i) {
      committed_[i] = transactions_[i].ending == Ending::kCommitted;
    }
    for (const auto& [key, list] : history_.final_lists) {
      note_committed(list, std::nullopt);
    }
    each_read([&](std::size_t reader, const ListOperation& read) { note_committed(read.list, reader); });
  }
  void note_committed(const List& list, std::optional<std::size_t> reader) {
    for (const int64_t element : list) {
      if (const auto origin = origins_.find(element); origin != origins_.end()) {
        const std::size_t writer = origin->second.transaction;
        committed_[writer] =
            committed_[writer] || (writer != reader && transactions_[writer].ending == Ending::kUnknown);
      }
    }
  }

  void check_reads() {
    orders_ = history_.final_lists;
    for (std::size_t i = 0; i < transactions_.size(); ++i) {
      check_internal(i);
    }
    each_read([&](std::size_t reader, const ListOperation& read) {
      const auto& [key, list] = std::tie(read.key, read.list);
      if (!committed_[reader]) {
        return;
      }
      if (!list.empty()) {
        const auto origin = origins_.find(list.back());
        if (origin != origins_.end() && origin->second.transaction != reader && !origin->second.is_last) {
          note("G1b", fmt::format("{} read list {} up to {}, not the last that {} appended", name_of(reader), key,
                                  list.back(), name_of(origin->second.transaction)));
        }
      }
      fit_order(reader, key, list);
    });
  }

  // The longest list that was read of a key shows its order; what a transaction sees of itself included.
  void fit_order(std::size_t reader, ListKey key, const List& list) {
    List& order = orders_[key];
    if (is_prefix(list, order)) {
      return;
    }
    if (is_prefix(order, list) && !history_.final_lists.contains(key)) {
      order = list;
      return;
    }
    note("incompatible order",
         fmt::format("{} read list {} as {}, and others as {}", name_of(reader), key, list, order));
  }
  // A transaction's reads agree with each other and with what it did before.
  void check_internal(std::size_t transaction) {
    struct Known {
      std::optional<List> list;
      List own;
    };
    const ListTransaction& it = transactions_[transaction];
    std::map<ListKey, Known> known;
    for (const ListOperation& operation : it.operations) {
      Known& before = known[operation.key];
      if (operation.appends) {
        before.own.push_back(operation.element);
        if (before.list.has_value()) {
          before.list->push_back(operation.element);
        }
        continue;
      }
      const List& list = operation.list;
      // What is appended is locked; what is not may have grown, where each statement has its own snapshot.
      const bool ends_with_own =
          list.size() >= before.own.size() && std::equal(before.own.rbegin(), before.own.rend(), list.rbegin());
      const bool may_grow = it.level == Level::kReadCommitted;
      const bool continues =
          !before.list.has_value() || (may_grow ? grows(*before.list, before.own, list) : *before.list == list);
      if (!ends_with_own || !continues) {
        note("internal",
             fmt::format("{} read list {} as {}, after it had it as {} with its own {}", name_of(transaction),
                         operation.key, list, before.list.value_or(List()), before.own));
      }
      before.list = list;
    }
  }
  // `before` ends with what the transaction appended since it read it.
  static bool grows(const List& before, const List& own, const List& now) {
    const std::size_t kept = before.size() - std::min(before.size(), own.size());
    return is_prefix(List(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(kept)), now);
  }

  void check_final() {
    for (std::size_t i = 0; i < transactions_.size(); ++i) {
      if (!committed_[i]) {
        continue;
      }
      for (const ListOperation& operation : transactions_[i].operations) {
        const auto found = history_.final_lists.find(operation.key);
        if (!operation.appends || found == history_.final_lists.end() ||
            std::ranges::find(found->second, operation.element) != found->second.end()) {
          continue;
        }
        const bool told = transactions_[i].ending == Ending::kCommitted;
        note(told ? "lost write" : "partial commit",
             fmt::format("{} appended {} to list {} and {}; it is not there: {}", name_of(i), operation.element,
                         operation.key, told ? "was committed" : "others saw what else it wrote", found->second));
      }
    }
  }

  // A read sees what was acknowledged before its transaction began.
  void check_recency() {
    std::map<ListKey, std::vector<std::pair<uint64_t, std::size_t>>> acknowledged;
    for (const auto& [element, origin] : origins_) {
      const ListTransaction& writer = transactions_[origin.transaction];
      if (writer.ending == Ending::kCommitted) {
        acknowledged[origin.key].emplace_back(writer.end_ns, static_cast<std::size_t>(element));
      }
    }
    each_read([&](std::size_t reader, const ListOperation& read) {
      const auto& [key, list] = std::tie(read.key, read.list);
      const ListTransaction& it = transactions_[reader];
      if (!committed_[reader]) {
        // Whoever has lost its locks still sees its own writes, on what they were made of.
        return;
      }
      const uint64_t begin_ns = it.level == Level::kReadCommitted ? std::max(read.begin_ns, it.begin_ns) : it.begin_ns;
      for (const auto& [at_ns, element] : acknowledged[key]) {
        if (at_ns < begin_ns && std::ranges::find(list, static_cast<int64_t>(element)) == list.end()) {
          note("stale read", fmt::format("{} began at {} and read list {} without {}, which {} was told at {}",
                                         name_of(reader), begin_ns, key, element,
                                         name_of(origins_.at(static_cast<int64_t>(element)).transaction), at_ns));
          return;
        }
      }
    });
  }

  void add_dependencies() {
    for (std::size_t i = 0; i < transactions_.size(); ++i) {
      const ListTransaction& it = transactions_[i];
      // Which ends at a snapshot when nothing is validated.
      const bool snapshot_only = it.read_only && it.level == Level::kSerializable;
      graph_.add_transaction(it.number, snapshot_only ? Level::kRepeatableRead : it.level);
    }
    for (const auto& [key, order] : orders_) {
      for (std::size_t i = 0; i + 1 < order.size(); ++i) {
        add_edge(origins_.find(order[i]), origins_.find(order[i + 1]), key);
      }
    }
    each_read([&](std::size_t reader, const ListOperation& read) {
      if (committed_[reader]) {
        add_read(reader, read.key, read.list);
      }
    });
  }
  using OriginPlace = std::map<int64_t, Origin>::const_iterator;
  void add_edge(OriginPlace from, OriginPlace to, ListKey key) {
    if (from != origins_.end() && to != origins_.end() && from->second.transaction != to->second.transaction) {
      graph_.add_edge(from->second.transaction, to->second.transaction, Dependency::kWriteWrite, key);
    }
  }
  void add_read(std::size_t reader, ListKey key, const List& list) {
    if (!list.empty()) {
      const auto writer = origins_.find(list.back());
      if (writer == origins_.end() || writer->second.transaction == reader) {
        // Of what it wrote itself the order says all.
        return;
      }
      graph_.add_edge(writer->second.transaction, reader, Dependency::kWriteRead, key);
    }
    const List& order = orders_[key];
    if (list.size() < order.size() && is_prefix(list, order)) {
      // Of its own appends the first comes right after what it saw.
      if (const auto next = origins_.find(order[list.size()]);
          next != origins_.end() && next->second.transaction != reader) {
        graph_.add_edge(reader, next->second.transaction, Dependency::kReadWrite, key);
      }
    }
  }

  const ListHistory& history_;
  const std::vector<ListTransaction>& transactions_;
  std::map<int64_t, Origin> origins_;
  std::vector<bool> committed_;
  std::map<ListKey, List> orders_;
  DependencyGraph graph_;
  std::vector<Anomaly> found_;
};

}  // namespace

std::vector<Anomaly> find_anomalies(const ListHistory& history) { return Checker(history).run(); }

}  // namespace pando::test
