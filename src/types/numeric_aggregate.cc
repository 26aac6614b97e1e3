// Sum and Moments: a 128-bit accumulator at the largest scale seen, and GMP once it could overflow.

#include <algorithm>

#include "types/decimal.h"
#include "types/numeric.h"

namespace pando::types::numeric {
namespace {

// Below this a value of at most 2^126 may be added without overflow.
constexpr Int128 kSmallMax = Int128{1} << 126;

bool in_range(Int128 value) { return value < kSmallMax && value > -kSmallMax; }

}  // namespace

struct Sum::Big {
  mpz_class total;  // at Sum::scale_
};

Sum::Sum(const Sum& other)
    : count_(other.count_),
      nan_count_(other.nan_count_),
      positive_infinities_(other.positive_infinities_),
      negative_infinities_(other.negative_infinities_),
      scale_(other.scale_),
      small_(other.small_),
      big_(other.big_ != nullptr ? new Big(*other.big_) : nullptr) {}

Sum& Sum::operator=(const Sum& other) {
  if (this != &other) {
    *this = Sum(other);
  }
  return *this;
}

Sum::Sum(Sum&& other) noexcept
    : count_(other.count_),
      nan_count_(other.nan_count_),
      positive_infinities_(other.positive_infinities_),
      negative_infinities_(other.negative_infinities_),
      scale_(other.scale_),
      small_(other.small_),
      big_(std::exchange(other.big_, nullptr)) {}

Sum& Sum::operator=(Sum&& other) noexcept {
  count_ = other.count_;
  nan_count_ = other.nan_count_;
  positive_infinities_ = other.positive_infinities_;
  negative_infinities_ = other.negative_infinities_;
  scale_ = other.scale_;
  small_ = other.small_;
  std::swap(big_, other.big_);
  return *this;
}

Sum::~Sum() { delete big_; }

void Sum::spill() {
  if (big_ == nullptr) {
    big_ = new Big();
  }
  big_->total += to_mpz(small_);
  small_ = 0;
}

void Sum::add_int64(int64_t value) {
  ++count_;
  if (scale_ == 0) [[likely]] {
    small_ += value;
    if (!in_range(small_)) {
      spill();
    }
    return;
  }
  --count_;
  add_packed(from_int64(value), false);
}

void Sum::add(ByteView value) { add_packed(value, false); }

void Sum::remove(ByteView value) { add_packed(value, true); }

void Sum::add_packed(ByteView value, bool negative) {
  const int64_t step = negative ? -1 : 1;
  count_ += step;
  Small small;
  if (load_small(value, small)) [[likely]] {
    if (small.scale > scale_) {
      if (!shift_left(small_, small.scale - scale_) || !in_range(small_)) {
        spill();
        small_ = 0;
      }
      if (big_ != nullptr) {
        big_->total *= power_of_ten(static_cast<uint32_t>(small.scale - scale_));
      }
      scale_ = small.scale;
    }
    if (shift_left(small.coefficient, scale_ - small.scale) && in_range(small.coefficient)) [[likely]] {
      small_ += negative ? -small.coefficient : small.coefficient;
      if (!in_range(small_)) {
        spill();
      }
      return;
    }
  }
  Decimal decimal = load(value);
  switch (decimal.kind) {
    case Kind::kNan:
      nan_count_ += step;
      return;
    case Kind::kInfinity:
      positive_infinities_ += step;
      return;
    case Kind::kMinusInfinity:
      negative_infinities_ += step;
      return;
    case Kind::kFinite:
      break;
  }
  spill();
  if (decimal.scale > scale_) {
    big_->total *= power_of_ten(static_cast<uint32_t>(decimal.scale - scale_));
    scale_ = decimal.scale;
  }
  rescale(decimal, scale_);
  if (negative) {
    big_->total -= decimal.coefficient;
  } else {
    big_->total += decimal.coefficient;
  }
}

void Sum::combine(const Sum& other) {
  count_ += other.count_;
  nan_count_ += other.nan_count_;
  positive_infinities_ += other.positive_infinities_;
  negative_infinities_ += other.negative_infinities_;
  if (big_ == nullptr && other.big_ == nullptr && scale_ == other.scale_) {
    small_ += other.small_;
    if (!in_range(small_)) {
      spill();
    }
    return;
  }
  spill();
  Decimal addend;
  addend.coefficient = to_mpz(other.small_);
  if (other.big_ != nullptr) {
    addend.coefficient += other.big_->total;
  }
  addend.scale = other.scale_;
  if (addend.scale > scale_) {
    big_->total *= power_of_ten(static_cast<uint32_t>(addend.scale - scale_));
    scale_ = addend.scale;
  }
  rescale(addend, scale_);
  big_->total += addend.coefficient;
}

Status Sum::sum(Bytes& out) const {
  if (nan_count_ > 0 || (positive_infinities_ > 0 && negative_infinities_ > 0)) {
    store_kind(Kind::kNan, out);
    return {};
  }
  if (positive_infinities_ > 0 || negative_infinities_ > 0) {
    store_kind(positive_infinities_ > 0 ? Kind::kInfinity : Kind::kMinusInfinity, out);
    return {};
  }
  if (big_ == nullptr) {
    store_small(small_, scale_, out);
    return {};
  }
  Decimal total;
  total.coefficient = big_->total + to_mpz(small_);
  total.scale = scale_;
  return store(total, out);
}

Status Sum::average(Bytes& out) const {
  Bytes total;
  PANDO_TRY(sum(total));
  return divide(total, from_int64(count_), out);
}

std::size_t Sum::memory_bytes() const {
  return big_ == nullptr ? 0 : sizeof(Big) + mpz_size(big_->total.get_mpz_t()) * sizeof(mp_limb_t);
}

void Sum::save(Bytes& out) const {
  for (const int64_t number : {count_, nan_count_, positive_infinities_, negative_infinities_, int64_t{scale_}}) {
    put_signed_varint(out, number);
  }
  mpz_class total = to_mpz(small_);
  if (big_ != nullptr) {
    total += big_->total;
  }
  Bytes magnitude((mpz_sizeinbase(total.get_mpz_t(), 2) + 7) / 8, '\0');
  std::size_t size = 0;
  mpz_export(magnitude.data(), &size, 1, 1, 1, 0, total.get_mpz_t());
  magnitude.resize(size);
  out.push_back(sgn(total) < 0 ? '\1' : '\0');
  put_length_prefixed(out, magnitude);
}

bool Sum::restore(ByteReader& reader) {
  int64_t scale = 0;
  uint8_t negative = 0;
  ByteView magnitude;
  if (!reader.signed_varint(count_) || !reader.signed_varint(nan_count_) ||
      !reader.signed_varint(positive_infinities_) || !reader.signed_varint(negative_infinities_) ||
      !reader.signed_varint(scale) || !reader.fixed8(negative) || !reader.length_prefixed(magnitude) || scale < 0 ||
      scale > kDisplayScaleMax) {
    return false;
  }
  scale_ = static_cast<int32_t>(scale);
  small_ = 0;
  delete std::exchange(big_, nullptr);
  if (magnitude.size() < sizeof(small_)) {
    for (const char byte : magnitude) {
      small_ = small_ * 256 + static_cast<uint8_t>(byte);
    }
    small_ = negative != 0 ? -small_ : small_;
    if (!in_range(small_)) {
      spill();
    }
    return true;
  }
  mpz_class total;
  mpz_import(total.get_mpz_t(), magnitude.size(), 1, 1, 1, 0, magnitude.data());
  big_ = new Big{negative != 0 ? mpz_class(-total) : std::move(total)};
  return true;
}

void Moments::add(ByteView value) {
  sum_.add(value);
  Bytes square;
  if (multiply(value, value, square).ok()) {
    squares_.add(square);
    return;
  }
  // A square beyond numeric's range makes the variance overflow, as it would in PostgreSQL.
  store_kind(Kind::kInfinity, square);
  squares_.add(square);
}

void Moments::combine(const Moments& other) {
  sum_.combine(other.sum_);
  squares_.combine(other.squares_);
}

Result<std::optional<Bytes>> Moments::variance(bool sample) const { return compute(sample, false); }
Result<std::optional<Bytes>> Moments::deviation(bool sample) const { return compute(sample, true); }

Result<std::optional<Bytes>> Moments::compute(bool sample, bool root) const {
  const int64_t n = count();
  if (n <= (sample ? 1 : 0)) {
    return std::optional<Bytes>();
  }
  Bytes total;
  Bytes total_of_squares;
  PANDO_TRY(sum_.sum(total));
  PANDO_TRY(squares_.sum(total_of_squares));
  if (is_special(total)) {
    Bytes nan;
    store_kind(Kind::kNan, nan);
    return std::optional(std::move(nan));
  }
  if (is_special(total_of_squares)) {
    return overflow();
  }
  const Decimal sum = load(total);
  const Decimal squares = load(total_of_squares);
  // N * sum(X^2) - sum(X)^2, both at twice the scale.
  Decimal numerator;
  numerator.scale = 2 * sum.scale;
  Decimal scaled = squares;
  rescale(scaled, numerator.scale);
  numerator.coefficient = scaled.coefficient * n - sum.coefficient * sum.coefficient;
  Bytes out;
  if (numerator.sign() <= 0) {
    store_small(0, 0, out);
    return std::optional(std::move(out));
  }
  Decimal denominator;
  denominator.coefficient = mpz_class(n) * mpz_class(sample ? n - 1 : n);
  const int32_t scale = select_divide_scale(leading_of(numerator.coefficient, numerator.scale), numerator.scale,
                                            leading_of(denominator.coefficient, 0), 0);
  Decimal result = divide_to_scale(numerator, denominator, scale);
  if (root) {
    result = sqrt_to_scale(result, scale);
  }
  PANDO_TRY(store(result, out));
  return std::optional(std::move(out));
}

}  // namespace pando::types::numeric
