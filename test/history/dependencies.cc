#include "test/history/dependencies.h"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <optional>

#include <fmt/format.h>

namespace pando::test {
namespace {

// A walk along edges is at a transaction, and knows whether a rw edge led there: some cycles have no two rw edges in a
// row. Twice the transaction, plus that.
using Place = std::size_t;

struct Step {
  std::size_t from = 0;
  DependencyGraph::Edge edge;
};
using Cycle = std::vector<Step>;

bool is_rw(const DependencyGraph::Edge& edge) { return edge.kind == Dependency::kReadWrite; }

// Which edges a search may follow.
struct Rules {
  bool write_read = true;
  // From transactions of this level on; nothing: none.
  std::optional<Level> read_write;
  // Whether two rw edges may follow each other: after one of these levels.
  std::optional<Level> adjacent;
};

class Search {
 public:
  // From how many places on cycles the shortest is looked for.
  static constexpr std::size_t kStartsMax = 100;

  Search(const DependencyGraph& graph, const Rules& rules) : graph_(graph), rules_(rules) {}

  // A short cycle; empty when there is none.
  Cycle shortest() {
    find_components();
    Cycle best;
    std::size_t starts = 0;
    for (Place start = 0; start < component_.size() && starts < kStartsMax && best.size() != 2; ++start) {
      if (is_cyclic_[component_[start]]) {
        ++starts;
        Cycle cycle = shortest_from(start);
        if (best.empty() || (!cycle.empty() && cycle.size() < best.size())) {
          best = std::move(cycle);
        }
      }
    }
    return best;
  }

 private:
  template <typename Visit>
  void each_next(Place place, Visit&& visit) const {
    const auto& transaction = graph_.transactions()[place / 2];
    for (const auto& edge : transaction.edges) {
      if (edge.kind == Dependency::kWriteRead && !rules_.write_read) {
        continue;
      }
      if (is_rw(edge)) {
        const auto& needed = place % 2 == 1 ? rules_.adjacent : rules_.read_write;
        if (!needed.has_value() || transaction.level < *needed) {
          continue;
        }
      }
      visit(edge.to * 2 + (is_rw(edge) ? 1 : 0), edge);
    }
  }

  // Tarjan's strongly connected components, without recursion.
  void find_components() {
    const std::size_t count = graph_.transactions().size() * 2;
    constexpr std::size_t kNone = SIZE_MAX;
    std::vector<std::size_t> index(count, kNone);
    std::vector<std::size_t> low(count);
    std::vector<bool> on_stack(count);
    std::vector<Place> stack;
    std::vector<std::vector<Place>> next(count);
    component_.assign(count, 0);
    std::size_t last_index = 0;
    for (Place root = 0; root < count; ++root) {
      if (index[root] != kNone) {
        continue;
      }
      std::vector<std::pair<Place, std::size_t>> calls{{root, 0}};
      while (!calls.empty()) {
        auto& [place, at] = calls.back();
        if (at == 0) {
          index[place] = low[place] = last_index++;
          stack.push_back(place);
          on_stack[place] = true;
          each_next(place, [&](Place to, const auto&) { next[place].push_back(to); });
        }
        if (at < next[place].size()) {
          const Place to = next[place][at++];
          if (index[to] == kNone) {
            calls.emplace_back(to, 0);
          } else if (on_stack[to]) {
            low[place] = std::min(low[place], index[to]);
          }
          continue;
        }
        close_component(place, index[place] == low[place], stack, on_stack);
        const Place done = place;
        calls.pop_back();
        if (!calls.empty()) {
          low[calls.back().first] = std::min(low[calls.back().first], low[done]);
        }
      }
    }
  }
  void close_component(Place place, bool is_root, std::vector<Place>& stack, std::vector<bool>& on_stack) {
    if (!is_root) {
      return;
    }
    std::size_t size = 0;
    Place member = 0;
    do {
      member = stack.back();
      stack.pop_back();
      on_stack[member] = false;
      component_[member] = is_cyclic_.size();
      ++size;
    } while (member != place);
    is_cyclic_.push_back(size > 1);
  }

  Cycle shortest_from(Place start) const {
    std::map<Place, std::pair<Place, DependencyGraph::Edge>> came;
    std::deque<Place> open{start};
    while (!open.empty() && !came.contains(start)) {
      const Place place = open.front();
      open.pop_front();
      each_next(place, [&](Place to, const auto& edge) {
        if (component_[to] == component_[start] && came.try_emplace(to, place, edge).second) {
          open.push_back(to);
        }
      });
    }
    Cycle cycle;
    for (Place place = start; came.contains(start);) {
      const auto& [from, edge] = came.at(place);
      cycle.insert(cycle.begin(), Step{from / 2, edge});
      place = from;
      if (place == start) {
        break;
      }
    }
    return cycle;
  }

  const DependencyGraph& graph_;
  const Rules& rules_;
  std::vector<std::size_t> component_;
  std::vector<bool> is_cyclic_;
};

std::string_view to_string(Dependency kind) {
  constexpr std::array<std::string_view, 3> kNames = {"ww", "wr", "rw"};
  return kNames.at(static_cast<std::size_t>(kind));
}

std::string describe(const DependencyGraph& graph, const Cycle& cycle) {
  std::string text;
  for (const Step& step : cycle) {
    const auto& from = graph.transactions()[step.from];
    text +=
        fmt::format("T{} ({}) -{} {}-> ", from.number, to_string(from.level), to_string(step.edge.kind), step.edge.key);
  }
  return text + fmt::format("T{}", graph.transactions()[cycle.front().from].number);
}

// One of two read a list that both wrote, and the other wrote it between.
bool is_lost_update(const Cycle& cycle) {
  return cycle.size() == 2 && cycle[0].edge.key == cycle[1].edge.key && is_rw(cycle[0].edge) != is_rw(cycle[1].edge) &&
         (cycle[0].edge.kind == Dependency::kWriteWrite || cycle[1].edge.kind == Dependency::kWriteWrite);
}

Anomaly name_cycle(const DependencyGraph& graph, const Cycle& cycle) {
  const auto rw_count = std::ranges::count_if(cycle, [](const Step& step) { return is_rw(step.edge); });
  const bool has_wr =
      std::ranges::any_of(cycle, [](const Step& step) { return step.edge.kind == Dependency::kWriteRead; });
  bool adjacent = false;
  for (std::size_t i = 0; i < cycle.size(); ++i) {
    adjacent = adjacent || (is_rw(cycle[i].edge) && is_rw(cycle[(i + 1) % cycle.size()].edge) && cycle.size() > 1);
  }
  Anomaly anomaly{.description = describe(graph, cycle), .forbidden_from = Level::kReadCommitted};
  if (rw_count == 0) {
    anomaly.name = has_wr ? "G1c" : "G0";
  } else if (rw_count == 1) {
    anomaly.name = is_lost_update(cycle) ? "lost update" : "G-single";
    anomaly.forbidden_from = Level::kRepeatableRead;
  } else if (!adjacent) {
    anomaly.name = "long fork";
    anomaly.forbidden_from = Level::kRepeatableRead;
  } else {
    anomaly.name = "G2-item";
    anomaly.forbidden_from = Level::kSerializable;
  }
  return anomaly;
}

}  // namespace

std::vector<Anomaly> find_cycles(const DependencyGraph& graph) {
  struct Stage {
    Rules rules;
    bool violates = true;
  };
  constexpr Level kAny = Level::kReadCommitted;
  constexpr Level kSnapshot = Level::kRepeatableRead;
  constexpr Level kAll = Level::kSerializable;
  // From the worst on. A rw edge binds its reader: under a snapshot the other committed after the snapshot, under
  // SERIALIZABLE after the reader; so a cycle is impossible when each rw edge leaves a serializable transaction, or one
  // with a snapshot that nobody's rw edge leads to.
  const std::array<Stage, 6> stages{{
      {{.write_read = false}},
      {{}},
      {{.read_write = kSnapshot}},
      {{.read_write = kSnapshot, .adjacent = kAll}},
      {{.read_write = kAny}, false},
      {{.read_write = kAny, .adjacent = kAny}, false},
  }};
  std::vector<Anomaly> found;
  for (const Stage& stage : stages) {
    const Cycle cycle = Search(graph, stage.rules).shortest();
    if (cycle.empty()) {
      continue;
    }
    Anomaly anomaly = name_cycle(graph, cycle);
    anomaly.violates = stage.violates;
    const bool known = std::ranges::any_of(found, [&](const Anomaly& each) { return each.name == anomaly.name; });
    if (!known) {
      found.push_back(std::move(anomaly));
    }
  }
  return found;
}

}  // namespace pando::test
