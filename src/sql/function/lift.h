#pragma once

// lift<f>: makes a vector kernel of a plain function of one row.
//
//   int32_t length(ByteView text);                                     lift<length>
//   Result<int32_t> divide(int32_t a, int32_t b);                      an error ends the vector
//   std::optional<Bytes> word(ByteView text, int32_t n);               nullopt is NULL
//   Bytes initcap(EvaluationContext& context, ByteView text);          the context, and the call's types, on demand
//   int64_t count_nulls(std::optional<int32_t> a);                     an optional argument takes NULL (not strict)
//
// Arguments of any type come as types::Value, which may be NULL, and results of any type may be one.
// Otherwise, arguments: bool, int16_t, int32_t, uint32_t, int64_t, float, double, Interval, Uuid, ByteView, or
// std::optional of one of them. Results: the same, Bytes, Borrowed; in std::optional, Result, or Result<std::optional>.
// A function of fixed-size arguments and a plain fixed-size result is total: it runs over every row, NULL or not, in a
// loop without branches that the compiler vectorises. Rows that are NULL hold any bits, so it must not trap.

#include <algorithm>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "base/status.h"
#include "sql/function/evaluation_context.h"
#include "sql/function/function.h"
#include "types/vector.h"

namespace pando::sql {

// A result that lies inside one of the arguments: its bytes are shared, not copied.
struct Borrowed {
  ByteView view;
};

namespace lifting {

using types::StringRef;
using types::Vector;

template <typename T>
struct Storage {
  using type = T;
};
template <>
struct Storage<bool> {
  using type = uint8_t;
};
template <>
struct Storage<ByteView> {
  using type = StringRef;
};

template <typename T>
struct OptionalOf {
  static constexpr bool kIs = false;
  using Plain = T;
};
template <typename T>
struct OptionalOf<std::optional<T>> {
  static constexpr bool kIs = true;
  using Plain = T;
};
template <typename T>
struct ResultOf {
  static constexpr bool kIs = false;
  using Plain = T;
};
template <typename T>
struct ResultOf<Result<T>> {
  static constexpr bool kIs = true;
  using Plain = T;
};

template <typename T>
inline constexpr bool kIsBytes = std::is_same_v<T, ByteView> || std::is_same_v<T, Bytes> ||
                                 std::is_same_v<T, Borrowed> || std::is_same_v<T, types::Value>;

template <typename T>
T load(const typename Storage<T>::type& stored) {
  if constexpr (std::is_same_v<T, bool>) {
    return stored != 0;
  } else if constexpr (std::is_same_v<T, ByteView>) {
    return stored.view();
  } else {
    return stored;
  }
}

// Reads one argument of a row.
template <typename T>
class Reader {
 public:
  using Plain = typename OptionalOf<T>::Plain;
  using Stored = typename Storage<Plain>::type;
  explicit Reader(const Vector& vector)
      : data_(vector.data<Stored>()), nulls_(vector.nulls()), step_(vector.is_constant() ? 0 : 1) {}
  const Stored* data() const { return data_; }
  T operator()(std::size_t row) const {
    if constexpr (OptionalOf<T>::kIs) {
      return nulls_ != nullptr && nulls_[row * step_] != 0 ? T() : T(load<Plain>(data_[row * step_]));
    } else {
      return load<Plain>(data_[row * step_]);
    }
  }

 private:
  const Stored* data_;
  const uint8_t* nulls_;
  std::size_t step_;
};

// An argument of any type.
template <>
class Reader<types::Value> {
 public:
  explicit Reader(const Vector& vector) : vector_(vector) {}
  types::Value operator()(std::size_t row) const { return vector_.get(row); }

 private:
  const Vector& vector_;
};

template <>
class Reader<std::optional<types::Value>> : public Reader<types::Value> {
 public:
  using Reader<types::Value>::Reader;
};

template <typename T>
void store(Vector& out, std::size_t row, T&& value) {
  using Plain = std::remove_cvref_t<T>;
  if constexpr (OptionalOf<Plain>::kIs) {
    if (value.has_value()) {
      store(out, row, *std::forward<T>(value));
    } else {
      out.set_null(row);
    }
  } else if constexpr (std::is_same_v<Plain, types::Value>) {
    if (value.is_null()) {
      out.set_null(row);
    } else {
      out.set(row, value);
    }
  } else if constexpr (std::is_same_v<Plain, Borrowed>) {
    out.data<StringRef>()[row] = StringRef{value.view.data(), static_cast<uint32_t>(value.view.size())};
  } else if constexpr (kIsBytes<Plain>) {
    out.set_bytes(row, value);
  } else {
    out.data<typename Storage<Plain>::type>()[row] = value;
  }
}

template <typename R>
using PlainResult = typename OptionalOf<typename ResultOf<R>::Plain>::Plain;

// The parts of a liftable signature.
template <bool kContext, bool kTypes, typename R, typename... Args>
struct Signature {
  static constexpr bool kTakesContext = kContext;
  static constexpr bool kTakesTypes = kTypes;
  using Return = R;
  using Arguments = std::tuple<std::remove_cvref_t<Args>...>;
  static constexpr bool kTotal =
      !kContext && !kTypes && sizeof...(Args) > 0 && sizeof...(Args) <= 2 && !ResultOf<R>::kIs && !OptionalOf<R>::kIs &&
      !kIsBytes<R> && (!(OptionalOf<std::remove_cvref_t<Args>>::kIs || kIsBytes<std::remove_cvref_t<Args>>) && ...);
};
template <typename F>
struct SignatureOf;
template <typename R, typename... Args>
struct SignatureOf<R (*)(Args...)> : Signature<false, false, R, Args...> {};
template <typename R, typename... Args>
struct SignatureOf<R (*)(EvaluationContext&, Args...)> : Signature<true, false, R, Args...> {};
template <typename R, typename... Args>
struct SignatureOf<R (*)(const CallTypes&, Args...)> : Signature<false, true, R, Args...> {};
template <typename R, typename... Args>
struct SignatureOf<R (*)(EvaluationContext&, const CallTypes&, Args...)> : Signature<true, true, R, Args...> {};

// f(a, b) for every row, with one loop for each way the arguments can be constant.
template <typename A, typename B, typename Out, typename F>
void for_each_pair(const Vector& left, const Vector& right, std::size_t rows, Out* out, F&& f) {
  const auto* a = left.data<typename Storage<A>::type>();
  const auto* b = right.data<typename Storage<B>::type>();
  if (right.is_constant()) {
    const B constant = load<B>(b[0]);
    if (left.is_constant()) {
      std::fill_n(out, rows, f(load<A>(a[0]), constant));
      return;
    }
    for (std::size_t i = 0; i < rows; ++i) {
      out[i] = f(load<A>(a[i]), constant);
    }
  } else if (left.is_constant()) {
    const A constant = load<A>(a[0]);
    for (std::size_t i = 0; i < rows; ++i) {
      out[i] = f(constant, load<B>(b[i]));
    }
  } else {
    for (std::size_t i = 0; i < rows; ++i) {
      out[i] = f(load<A>(a[i]), load<B>(b[i]));
    }
  }
}

template <auto kFunction, typename S>
void run_total(std::span<const Vector* const> arguments, std::size_t rows, Vector& out) {
  auto* results = out.data<typename Storage<typename S::Return>::type>();
  using A = std::tuple_element_t<0, typename S::Arguments>;
  if constexpr (std::tuple_size_v<typename S::Arguments> == 1) {
    const Reader<A> read(*arguments[0]);
    if (arguments[0]->is_constant()) {
      std::fill_n(results, rows, kFunction(read(0)));
      return;
    }
    for (std::size_t i = 0; i < rows; ++i) {
      results[i] = kFunction(load<A>(read.data()[i]));
    }
  } else {
    using B = std::tuple_element_t<1, typename S::Arguments>;
    for_each_pair<A, B>(*arguments[0], *arguments[1], rows, results, [](A a, B b) { return kFunction(a, b); });
  }
}

template <auto kFunction, typename S, std::size_t... kIndexes>
Status run_rows(EvaluationContext& context, const CallTypes& types, std::span<const Vector* const> arguments,
                std::size_t rows, Vector& out, std::index_sequence<kIndexes...>) {
  using R = typename S::Return;
  const std::tuple<Reader<std::tuple_element_t<kIndexes, typename S::Arguments>>...> readers(*arguments[kIndexes]...);
  if constexpr (std::is_same_v<PlainResult<R>, Borrowed>) {
    (out.share_blocks(*arguments[kIndexes]), ...);
  }
  const auto call = [&](std::size_t row) -> R {
    if constexpr (S::kTakesContext && S::kTakesTypes) {
      return kFunction(context, types, std::get<kIndexes>(readers)(row)...);
    } else if constexpr (S::kTakesContext) {
      return kFunction(context, std::get<kIndexes>(readers)(row)...);
    } else if constexpr (S::kTakesTypes) {
      return kFunction(types, std::get<kIndexes>(readers)(row)...);
    } else {
      return kFunction(std::get<kIndexes>(readers)(row)...);
    }
  };
  for (std::size_t row = 0; row < rows; ++row) {
    if (out.is_null(row)) {
      continue;
    }
    if constexpr (ResultOf<R>::kIs) {
      R result = call(row);
      if (!result.ok()) [[unlikely]] {
        return std::move(result).status();
      }
      store(out, row, *std::move(result));
    } else {
      store(out, row, call(row));
    }
  }
  return {};
}

}  // namespace lifting

template <auto kFunction>
Status lift(EvaluationContext& context, const CallTypes& types, std::span<const types::Vector* const> arguments,
            std::size_t rows, types::Vector& out) {
  using S = lifting::SignatureOf<decltype(kFunction)>;
  if constexpr (S::kTotal) {
    lifting::run_total<kFunction, S>(arguments, rows, out);
    return {};
  } else {
    return lifting::run_rows<kFunction, S>(context, types, arguments, rows, out,
                                           std::make_index_sequence<std::tuple_size_v<typename S::Arguments>>());
  }
}

// A total function that may fail, as vectorisable arithmetic: kOperation::apply(a, b, flags) always returns a value and
// ors into `flags`, of kOperation::Flags, what is_failure(flags) tells from success. Only when some row failed are the
// rows looked at one by one, to raise kOperation::error(a, b) for the first that is not NULL.
template <typename kOperation, typename A, typename B = A>
Status lift_checked(EvaluationContext&, const CallTypes&, std::span<const types::Vector* const> arguments,
                    std::size_t rows, types::Vector& out) {
  using Flags = typename kOperation::Flags;
  using R = decltype(kOperation::apply(A(), B(), std::declval<Flags&>()));
  Flags failed = 0;
  lifting::for_each_pair<A, B>(*arguments[0], *arguments[1], rows, out.data<R>(),
                               [&failed](A a, B b) { return kOperation::apply(a, b, failed); });
  if (!kOperation::is_failure(failed)) [[likely]] {
    return {};
  }
  for (std::size_t row = 0; row < rows; ++row) {
    Flags row_failed = 0;
    const A a = arguments[0]->at<A>(row);
    const B b = arguments[1]->at<B>(row);
    kOperation::apply(a, b, row_failed);
    if (kOperation::is_failure(row_failed) && !out.is_null(row)) {
      return kOperation::error(a, b);
    }
  }
  return {};
}

}  // namespace pando::sql
