#pragma once

// aggregate_of<State>(): makes AggregateKernels of a plain state class, with loops that the compiler can see through.
//
//   struct SumInt4 {
//     using Arguments = std::tuple<int32_t>;            // as for lift.h; rows with a NULL argument are skipped, unless
//                                                       // it is a std::optional
//     void add(int32_t value);                          // or Status; may take EvaluationContext& and CallTypes first
//     void add_all(const int32_t* values, size_t n);    // optional: the fast loop of a flat vector without NULLs
//     void combine(const SumInt4& other);               // or Status; optional
//     std::optional<int64_t> result() const;            // whatever lift.h can store; Result<...> too
//     std::size_t memory_bytes() const;                 // optional
//     template <typename Fields>                        // optional: lists all that it holds, to be sent to another
//     node void visit(Fields& fields) { fields(sum, count); }
//   };

#include <memory>
#include <tuple>
#include <utility>

#include "sql/function/lift.h"

namespace pando::sql {
namespace aggregating {

using lifting::Reader;
using types::Vector;

// Calls `call`, which gives void or a Status, as a Status.
template <typename F>
Status run(F&& call) {
  if constexpr (std::is_same_v<decltype(call()), Status>) {
    return call();
  } else {
    call();
    return {};
  }
}

template <typename State, typename... Args>
Status add(EvaluationContext& context, const CallTypes& types, State& state, Args&&... values) {
  if constexpr (requires { state.add(context, types, std::forward<Args>(values)...); }) {
    return run([&] { return state.add(context, types, std::forward<Args>(values)...); });
  } else if constexpr (requires { state.add(types, std::forward<Args>(values)...); }) {
    return run([&] { return state.add(types, std::forward<Args>(values)...); });
  } else {
    return run([&] { return state.add(std::forward<Args>(values)...); });
  }
}

// A NULL skips the row only for arguments that are not optional.
template <typename T>
bool skips(const Vector& vector, std::size_t row) {
  return !lifting::OptionalOf<T>::kIs && vector.is_null(row);
}

template <typename State, typename StateAt, std::size_t... kIndexes>
Status update_rows(EvaluationContext& context, const CallTypes& types, StateAt&& state_at,
                   std::span<const Vector* const> arguments, std::size_t rows, std::index_sequence<kIndexes...>) {
  using Arguments = typename State::Arguments;
  const std::tuple<Reader<std::tuple_element_t<kIndexes, Arguments>>...> readers(*arguments[kIndexes]...);
  const bool may_skip = (... || (!lifting::OptionalOf<std::tuple_element_t<kIndexes, Arguments>>::kIs &&
                                 arguments[kIndexes]->has_nulls()));
  for (std::size_t row = 0; row < rows; ++row) {
    if (may_skip && (... || skips<std::tuple_element_t<kIndexes, Arguments>>(*arguments[kIndexes], row))) {
      continue;
    }
    PANDO_TRY(add(context, types, state_at(row), std::get<kIndexes>(readers)(row)...));
  }
  return {};
}

template <typename State>
inline constexpr auto kIndexesOf = std::make_index_sequence<std::tuple_size_v<typename State::Arguments>>();

template <typename State>
Status update(EvaluationContext& context, const CallTypes& types, void* const* states,
              std::span<const Vector* const> arguments, std::size_t rows) {
  return update_rows<State>(
      context, types, [states](std::size_t row) -> State& { return *static_cast<State*>(states[row]); }, arguments,
      rows, kIndexesOf<State>);
}

template <typename State>
Status update_one(EvaluationContext& context, const CallTypes& types, void* state,
                  std::span<const Vector* const> arguments, std::size_t rows) {
  State& one = *static_cast<State*>(state);
  if constexpr (requires { &State::add_all; }) {
    if (!arguments[0]->is_constant() && !arguments[0]->has_nulls()) {
      using T = std::tuple_element_t<0, typename State::Arguments>;
      return run([&] { return one.add_all(arguments[0]->data<typename lifting::Storage<T>::type>(), rows); });
    }
  }
  if constexpr (std::is_trivially_copyable_v<State>) {
    // A local state stays in registers: stores to the group's memory could alias the arguments.
    State local = one;
    const Status status = update_rows<State>(
        context, types, [&local](std::size_t) -> State& { return local; }, arguments, rows, kIndexesOf<State>);
    one = local;
    return status;
  } else {
    return update_rows<State>(
        context, types, [&one](std::size_t) -> State& { return one; }, arguments, rows, kIndexesOf<State>);
  }
}

template <typename State>
Status combine(EvaluationContext&, const CallTypes& types, void* into, const void* from) {
  State& target = *static_cast<State*>(into);
  const State& source = *static_cast<const State*>(from);
  if constexpr (requires { target.combine(types, source); }) {
    return run([&] { return target.combine(types, source); });
  } else {
    return run([&] { return target.combine(source); });
  }
}

template <typename State>
Status finalize(EvaluationContext& context, const CallTypes& types, void* const* states, std::size_t count,
                Vector& out) {
  for (std::size_t i = 0; i < count; ++i) {
    State& state = *static_cast<State*>(states[i]);
    auto value = [&] {
      if constexpr (requires { state.result(context, types); }) {
        return state.result(context, types);
      } else if constexpr (requires { state.result(types); }) {
        return state.result(types);
      } else {
        return state.result();
      }
    }();
    if constexpr (lifting::ResultOf<decltype(value)>::kIs) {
      if (!value.ok()) {
        return std::move(value).status();
      }
      lifting::store(out, i, *std::move(value));
    } else {
      lifting::store(out, i, std::move(value));
    }
  }
  return {};
}

template <typename State>
constexpr AggregateKernels make_kernels() {
  static_assert(alignof(State) <= 16);
  AggregateKernels kernels;
  kernels.state_size = sizeof(State);
  kernels.create = [](void* state) { std::construct_at(static_cast<State*>(state)); };
  if constexpr (!std::is_trivially_destructible_v<State>) {
    kernels.destroy = [](void* state) { std::destroy_at(static_cast<State*>(state)); };
  }
  kernels.update = update<State>;
  kernels.update_one = update_one<State>;
  if constexpr (requires { &State::combine; }) {
    kernels.combine = combine<State>;
  }
  kernels.finalize = finalize<State>;
  if constexpr (requires { &State::memory_bytes; }) {
    kernels.memory_bytes = [](const void* state) { return static_cast<const State*>(state)->memory_bytes(); };
  }
  return kernels;
}

template <typename State>
inline constexpr AggregateKernels kKernels = make_kernels<State>();

}  // namespace aggregating

template <typename State>
constexpr const AggregateKernels* aggregate_of() {
  return &aggregating::kKernels<State>;
}

}  // namespace pando::sql
