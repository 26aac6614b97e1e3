// Trigonometric and hyperbolic functions, in radians and in degrees.

#include <cmath>
#include <numbers>

#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"

namespace pando::sql {
namespace {

using Function1 = double (*)(double);

constexpr double kRadiansPerDegree = 0.0174532925199432957692;

// A function with no value at infinity.
template <Function1 kFunction>
Result<double> of_finite(double a) {
  if (std::isinf(a)) {
    return input_out_of_range();
  }
  return kFunction(a);
}
// A function of [-1, 1].
template <Function1 kFunction>
Result<double> of_unit(double a) {
  if (a < -1 || a > 1) {
    return input_out_of_range();
  }
  return kFunction(a);
}
double sine(double a) { return std::sin(a); }
double cosine(double a) { return std::cos(a); }
double tangent(double a) { return std::tan(a); }
double cotangent(double a) { return 1.0 / std::tan(a); }
double arc_sine(double a) { return std::asin(a); }
double arc_cosine(double a) { return std::acos(a); }
double arc_tangent(double a) { return std::atan(a); }
double arc_tangent2(double a, double b) { return std::atan2(a, b); }
double hyperbolic_sine(double a) { return std::sinh(a); }
double hyperbolic_cosine(double a) { return std::cosh(a); }
double hyperbolic_tangent(double a) { return std::tanh(a); }
double arc_hyperbolic_sine(double a) { return std::asinh(a); }
Result<double> arc_hyperbolic_cosine(double a) {
  if (a < 1) {
    return input_out_of_range();
  }
  return std::acosh(a);
}
double arc_hyperbolic_tangent(double a) { return std::atanh(a); }

Result<double> degrees(double a) {
  const double result = a / kRadiansPerDegree;
  if (std::isinf(result) && !std::isinf(a)) {
    return float_overflow();
  }
  return result;
}
Result<double> radians(double a) {
  const double result = a * kRadiansPerDegree;
  if (result == 0 && a != 0) {
    return float_underflow();
  }
  return result;
}
double pi(EvaluationContext&) { return std::numbers::pi; }

// In degrees the values at multiples of 30 and 45 are exact: each quadrant is folded onto [0, 90], and there the
// library's value is scaled by its own value at 30 or 60 degrees, so that its rounding error cancels. The anchors are
// computed at run time (the arguments are volatile) by the same library as the values.
struct Anchors {
  volatile double thirty = 30.0;
  volatile double sixty = 60.0;
  volatile double half = 0.5;
  volatile double one = 1.0;
  double sine_30() const { return std::sin(thirty * kRadiansPerDegree); }
  double versine_60() const { return 1.0 - std::cos(sixty * kRadiansPerDegree); }
  double arc_sine_half() const { return std::asin(half); }
  double arc_cosine_half() const { return std::acos(half); }
  double arc_tangent_one() const { return std::atan(one); }
};

double sine_to_30(double x) { return std::sin(x * kRadiansPerDegree) / Anchors().sine_30() / 2.0; }
double cosine_to_60(double x) { return 1.0 - (1.0 - std::cos(x * kRadiansPerDegree)) / Anchors().versine_60() / 2.0; }
// On [0, 90].
double sine_quadrant(double x) { return x <= 30.0 ? sine_to_30(x) : cosine_to_60(90.0 - x); }
double cosine_quadrant(double x) { return x <= 60.0 ? cosine_to_60(x) : sine_to_30(90.0 - x); }

double sine_degrees(double a) {
  double x = std::fmod(a, 360.0);
  double sign = 1;
  if (x < 0) {
    x = -x;
    sign = -sign;
  }
  if (x > 180) {
    x = 360 - x;
    sign = -sign;
  }
  if (x > 90) {
    x = 180 - x;
  }
  return sign * sine_quadrant(x);
}
double cosine_degrees(double a) {
  double x = std::fabs(std::fmod(a, 360.0));
  double sign = 1;
  if (x > 180) {
    x = 360 - x;
  }
  if (x > 90) {
    x = 180 - x;
    sign = -sign;
  }
  return sign * cosine_quadrant(x);
}
// Folds onto [0, 90] with the sign of a tangent.
double fold_tangent(double a, double& sign) {
  double x = std::fmod(a, 360.0);
  sign = 1;
  if (x < 0) {
    x = -x;
    sign = -sign;
  }
  if (x > 180) {
    x = 360 - x;
    sign = -sign;
  }
  if (x > 90) {
    x = 180 - x;
    sign = -sign;
  }
  return x;
}
double tangent_degrees(double a) {
  double sign = 1;
  const double x = fold_tangent(a, sign);
  const double at_45 = sine_quadrant(45.0) / cosine_quadrant(45.0);
  const double result = sign * (sine_quadrant(x) / cosine_quadrant(x) / at_45);
  // Zero has no sign here.
  return result == 0 ? 0.0 : result;
}
double cotangent_degrees(double a) {
  double sign = 1;
  const double x = fold_tangent(a, sign);
  const double at_45 = cosine_quadrant(45.0) / sine_quadrant(45.0);
  const double result = sign * (cosine_quadrant(x) / sine_quadrant(x) / at_45);
  return result == 0 ? 0.0 : result;
}

// On [0, 1].
double arc_sine_quadrant(double x) {
  if (x <= 0.5) {
    return std::asin(x) / Anchors().arc_sine_half() * 30.0;
  }
  return 90.0 - std::acos(x) / Anchors().arc_cosine_half() * 60.0;
}
double arc_cosine_quadrant(double x) {
  if (x <= 0.5) {
    return 90.0 - std::asin(x) / Anchors().arc_sine_half() * 30.0;
  }
  return std::acos(x) / Anchors().arc_cosine_half() * 60.0;
}
double arc_sine_degrees(double a) { return a >= 0 ? arc_sine_quadrant(a) : -arc_sine_quadrant(-a); }
double arc_cosine_degrees(double a) { return a >= 0 ? arc_cosine_quadrant(a) : 90.0 + arc_sine_quadrant(-a); }
double arc_tangent_degrees(double a) { return std::atan(a) / Anchors().arc_tangent_one() * 45.0; }
double arc_tangent2_degrees(double a, double b) { return std::atan2(a, b) / Anchors().arc_tangent_one() * 45.0; }

}  // namespace

KernelTable trigonometry_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"dsin", lift<of_finite<sine>>},
      {"dcos", lift<of_finite<cosine>>},
      {"dtan", lift<of_finite<tangent>>},
      {"dcot", lift<of_finite<cotangent>>},
      {"dasin", lift<of_unit<arc_sine>>},
      {"dacos", lift<of_unit<arc_cosine>>},
      {"datan", lift<arc_tangent>},
      {"datan2", lift<arc_tangent2>},
      {"dsinh", lift<hyperbolic_sine>},
      {"dcosh", lift<hyperbolic_cosine>},
      {"dtanh", lift<hyperbolic_tangent>},
      {"dasinh", lift<arc_hyperbolic_sine>},
      {"dacosh", lift<arc_hyperbolic_cosine>},
      {"datanh", lift<of_unit<arc_hyperbolic_tangent>>},
      {"degrees", lift<degrees>},
      {"radians", lift<radians>},
      {"dpi", lift<pi>},
      {"dsind", lift<of_finite<sine_degrees>>},
      {"dcosd", lift<of_finite<cosine_degrees>>},
      {"dtand", lift<of_finite<tangent_degrees>>},
      {"dcotd", lift<of_finite<cotangent_degrees>>},
      {"dasind", lift<of_unit<arc_sine_degrees>>},
      {"dacosd", lift<of_unit<arc_cosine_degrees>>},
      {"datand", lift<arc_tangent_degrees>},
      {"datan2d", lift<arc_tangent2_degrees>},
  };
  return kTable;
}

}  // namespace pando::sql
