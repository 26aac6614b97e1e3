#pragma once

// to_char, to_date, to_timestamp and to_number (manual section 9.8). A template is compiled once and used for many
// rows. Thread-safety: compiled templates are immutable.

#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "types/calendar.h"
#include "types/format_template.h"
#include "types/settings.h"
#include "types/type.h"

namespace pando::types {

// A template of dates and times: 'YYYY-MM-DD HH24:MI:SS'.
class DateTimeFormat {
 public:
  static Result<DateTimeFormat> compile(ByteView text);
  // A template of the SQL standard, for parse_standard(): between fields only -./,':; and blanks, or quoted text.
  static Result<DateTimeFormat> compile_standard(ByteView text);
  ~DateTimeFormat();
  DateTimeFormat(const DateTimeFormat&);
  DateTimeFormat& operator=(const DateTimeFormat&);
  DateTimeFormat(DateTimeFormat&&) noexcept;
  DateTimeFormat& operator=(DateTimeFormat&&) noexcept;

  // to_char(). nullopt is SQL NULL: an infinite timestamp.
  Result<std::optional<Bytes>> print_timestamp(int64_t timestamp) const;
  Result<std::optional<Bytes>> print_timestamptz(int64_t timestamp, const TimeZone& zone) const;
  Result<Bytes> print_interval(const Interval& interval) const;
  // to_date(), to_timestamp().
  Result<int32_t> parse_date(ByteView text, const Settings& settings) const;
  Result<int64_t> parse_timestamptz(ByteView text, const Settings& settings) const;
  // Of the type that the fields say; the text must match the template to its end. 22007 otherwise.
  struct Parsed {
    Oid type = oid::kInvalid;
    int64_t value = 0;
    int32_t seconds_west = 0;
  };
  Result<Parsed> parse_standard(ByteView text) const;

 private:
  DateTimeFormat() = default;
  std::vector<FormatNode> nodes_;
};

// A template of numbers: '999D99S', 'FM0000', 'RN'.
class NumberFormat {
 public:
  static Result<NumberFormat> compile(ByteView text);
  ~NumberFormat();
  NumberFormat(const NumberFormat&);
  NumberFormat& operator=(const NumberFormat&);
  NumberFormat(NumberFormat&&) noexcept;
  NumberFormat& operator=(NumberFormat&&) noexcept;

  Result<Bytes> print_numeric(ByteView packed) const;
  Result<Bytes> print_int64(int64_t value) const;
  Result<Bytes> print_int32(int32_t value) const;
  Result<Bytes> print_float64(double value) const;
  Result<Bytes> print_float32(float value) const;
  // to_number(): a packed numeric.
  Result<Bytes> parse(ByteView text) const;

 private:
  struct Description;
  NumberFormat();
  std::unique_ptr<Description> description_;
};

}  // namespace pando::types
