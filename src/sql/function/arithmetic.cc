// Integer arithmetic: + - * / % and bits of smallint, integer and bigint in every mixture.

#include <limits>
#include <numeric>

#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"

namespace pando::sql {
namespace {

// The operations compute in the result type R = the wider of the two. Sums and differences that leave it show in the
// sign bit of `failed`, products in any bit.
template <typename R, typename A, typename B>
struct Add {
  using Flags = std::make_unsigned_t<R>;
  static R apply(A a, B b, Flags& failed) {
    const auto x = static_cast<Flags>(static_cast<R>(a));
    const auto y = static_cast<Flags>(static_cast<R>(b));
    const auto sum = static_cast<Flags>(x + y);
    failed |= static_cast<Flags>((x ^ sum) & (y ^ sum));
    return static_cast<R>(sum);
  }
  static bool is_failure(Flags failed) { return static_cast<R>(failed) < 0; }
  static Status error(A, B) { return out_of_range<R>(); }
};
template <typename R, typename A, typename B>
struct Subtract {
  using Flags = std::make_unsigned_t<R>;
  static R apply(A a, B b, Flags& failed) {
    const auto x = static_cast<Flags>(static_cast<R>(a));
    const auto y = static_cast<Flags>(static_cast<R>(b));
    const auto difference = static_cast<Flags>(x - y);
    failed |= static_cast<Flags>((x ^ y) & (x ^ difference));
    return static_cast<R>(difference);
  }
  static bool is_failure(Flags failed) { return static_cast<R>(failed) < 0; }
  static Status error(A, B) { return out_of_range<R>(); }
};
template <typename R, typename A, typename B>
struct Multiply {
  using Flags = uint64_t;
  static R apply(A a, B b, Flags& failed) {
    if constexpr (sizeof(R) < sizeof(int64_t)) {
      const int64_t product = static_cast<int64_t>(a) * b;
      failed |= static_cast<Flags>(product ^ static_cast<R>(product));
      return static_cast<R>(product);
    } else {
      R product = 0;
      failed |= static_cast<Flags>(__builtin_mul_overflow(static_cast<R>(a), static_cast<R>(b), &product));
      return product;
    }
  }
  static bool is_failure(Flags failed) { return failed != 0; }
  static Status error(A, B) { return out_of_range<R>(); }
};

template <typename R, typename A, typename B>
Result<R> divide(A a, B b) {
  if (b == 0) {
    return division_by_zero();
  }
  const auto wide = static_cast<R>(a);
  if (b == -1) {
    if (wide == std::numeric_limits<R>::min()) {
      return out_of_range<R>();
    }
    return static_cast<R>(-wide);
  }
  return static_cast<R>(wide / b);
}

template <typename T>
Result<T> modulo(T a, T b) {
  if (b == 0) {
    return division_by_zero();
  }
  return b == -1 ? T{0} : static_cast<T>(a % b);
}
template <typename T>
Result<T> negate(T a) {
  if (a == std::numeric_limits<T>::min()) {
    return out_of_range<T>();
  }
  return static_cast<T>(-a);
}
template <typename T>
T plus(T a) {
  return a;
}
template <typename T>
Result<T> absolute(T a) {
  return a < 0 ? negate(a) : Result<T>(a);
}
template <typename T>
T bit_and(T a, T b) {
  return static_cast<T>(a & b);
}
template <typename T>
T bit_or(T a, T b) {
  return static_cast<T>(a | b);
}
template <typename T>
T bit_xor(T a, T b) {
  return static_cast<T>(a ^ b);
}
template <typename T>
T bit_not(T a) {
  return static_cast<T>(~a);
}
// Shifts count modulo the width of the machine's operand, as PostgreSQL's do on this hardware.
template <typename T>
inline constexpr int32_t kShiftMask = sizeof(T) == 8 ? 63 : 31;
template <typename T>
T shift_left(T a, int32_t by) {
  return static_cast<T>(static_cast<uint64_t>(static_cast<int64_t>(a)) << (by & kShiftMask<T>));
}
template <typename T>
T shift_right(T a, int32_t by) {
  return static_cast<T>(a >> (by & kShiftMask<T>));
}

template <typename T>
Result<T> greatest_divisor(T a, T b) {
  using Unsigned = std::make_unsigned_t<T>;
  auto x = a < 0 ? Unsigned{0} - static_cast<Unsigned>(a) : static_cast<Unsigned>(a);
  auto y = b < 0 ? Unsigned{0} - static_cast<Unsigned>(b) : static_cast<Unsigned>(b);
  while (y != 0) {
    x = std::exchange(y, x % y);
  }
  if (x > static_cast<Unsigned>(std::numeric_limits<T>::max())) {
    return out_of_range<T>();
  }
  return static_cast<T>(x);
}
template <typename T>
Result<T> least_multiple(T a, T b) {
  if (a == 0 || b == 0) {
    return T{0};
  }
  PANDO_ASSIGN(const T divisor, greatest_divisor(a, b));
  T product = 0;
  if (__builtin_mul_overflow(static_cast<T>(a / divisor), b, &product) || product == std::numeric_limits<T>::min()) {
    return out_of_range<T>();
  }
  return static_cast<T>(product < 0 ? -product : product);
}

template <template <typename, typename, typename> typename Operation, typename A, typename B>
constexpr ScalarKernel checked() {
  using R = std::conditional_t<(sizeof(A) > sizeof(B)), A, B>;
  return lift_checked<Operation<R, A, B>, A, B>;
}
template <typename A, typename B>
constexpr ScalarKernel divided() {
  using R = std::conditional_t<(sizeof(A) > sizeof(B)), A, B>;
  return lift<divide<R, A, B>>;
}

}  // namespace

KernelTable arithmetic_kernels() {
  using Int2 = int16_t;
  using Int4 = int32_t;
  using Int8 = int64_t;
  static constexpr KernelEntry kTable[] = {
      {"int2pl", checked<Add, Int2, Int2>()},
      {"int4pl", checked<Add, Int4, Int4>()},
      {"int8pl", checked<Add, Int8, Int8>()},
      {"int24pl", checked<Add, Int2, Int4>()},
      {"int42pl", checked<Add, Int4, Int2>()},
      {"int28pl", checked<Add, Int2, Int8>()},
      {"int82pl", checked<Add, Int8, Int2>()},
      {"int48pl", checked<Add, Int4, Int8>()},
      {"int84pl", checked<Add, Int8, Int4>()},
      {"int2mi", checked<Subtract, Int2, Int2>()},
      {"int4mi", checked<Subtract, Int4, Int4>()},
      {"int8mi", checked<Subtract, Int8, Int8>()},
      {"int24mi", checked<Subtract, Int2, Int4>()},
      {"int42mi", checked<Subtract, Int4, Int2>()},
      {"int28mi", checked<Subtract, Int2, Int8>()},
      {"int82mi", checked<Subtract, Int8, Int2>()},
      {"int48mi", checked<Subtract, Int4, Int8>()},
      {"int84mi", checked<Subtract, Int8, Int4>()},
      {"int2mul", checked<Multiply, Int2, Int2>()},
      {"int4mul", checked<Multiply, Int4, Int4>()},
      {"int8mul", checked<Multiply, Int8, Int8>()},
      {"int24mul", checked<Multiply, Int2, Int4>()},
      {"int42mul", checked<Multiply, Int4, Int2>()},
      {"int28mul", checked<Multiply, Int2, Int8>()},
      {"int82mul", checked<Multiply, Int8, Int2>()},
      {"int48mul", checked<Multiply, Int4, Int8>()},
      {"int84mul", checked<Multiply, Int8, Int4>()},
      {"int2div", divided<Int2, Int2>()},
      {"int4div", divided<Int4, Int4>()},
      {"int8div", divided<Int8, Int8>()},
      {"int24div", divided<Int2, Int4>()},
      {"int42div", divided<Int4, Int2>()},
      {"int28div", divided<Int2, Int8>()},
      {"int82div", divided<Int8, Int2>()},
      {"int48div", divided<Int4, Int8>()},
      {"int84div", divided<Int8, Int4>()},
      {"int2mod", lift<modulo<Int2>>},
      {"int4mod", lift<modulo<Int4>>},
      {"int8mod", lift<modulo<Int8>>},
      {"int2um", lift<negate<Int2>>},
      {"int4um", lift<negate<Int4>>},
      {"int8um", lift<negate<Int8>>},
      {"int2up", lift<plus<Int2>>},
      {"int4up", lift<plus<Int4>>},
      {"int8up", lift<plus<Int8>>},
      {"int2abs", lift<absolute<Int2>>},
      {"int4abs", lift<absolute<Int4>>},
      {"int8abs", lift<absolute<Int8>>},
      {"int2and", lift<bit_and<Int2>>},
      {"int4and", lift<bit_and<Int4>>},
      {"int8and", lift<bit_and<Int8>>},
      {"int2or", lift<bit_or<Int2>>},
      {"int4or", lift<bit_or<Int4>>},
      {"int8or", lift<bit_or<Int8>>},
      {"int2xor", lift<bit_xor<Int2>>},
      {"int4xor", lift<bit_xor<Int4>>},
      {"int8xor", lift<bit_xor<Int8>>},
      {"int2not", lift<bit_not<Int2>>},
      {"int4not", lift<bit_not<Int4>>},
      {"int8not", lift<bit_not<Int8>>},
      {"int2shl", lift<shift_left<Int2>>},
      {"int4shl", lift<shift_left<Int4>>},
      {"int8shl", lift<shift_left<Int8>>},
      {"int2shr", lift<shift_right<Int2>>},
      {"int4shr", lift<shift_right<Int4>>},
      {"int8shr", lift<shift_right<Int8>>},
      {"int4gcd", lift<greatest_divisor<Int4>>},
      {"int8gcd", lift<greatest_divisor<Int8>>},
      {"int4lcm", lift<least_multiple<Int4>>},
      {"int8lcm", lift<least_multiple<Int8>>},
  };
  return kTable;
}

}  // namespace pando::sql
