#pragma once

// Time zones from the system's tz database, by name, by abbreviation or as a fixed offset.
//
//   CachingTimeZoneSource zones(loader);              // one per node
//   auto paris = zones.find("Europe/Paris");          // nullptr when there is no such zone
//   TimeZone::Offset at = paris->offset_at(unix_seconds);
//
// types/ reads no files: the node hands in a TimeZoneLoader that does. Thread-safety: TimeZone is immutable;
// CachingTimeZoneSource may be used by any thread.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/mutex.h"
#include "base/status.h"

namespace pando::types {

class TimeZone {
 public:
  struct Offset {
    int32_t seconds_east = 0;
    bool daylight = false;
    std::string_view abbreviation;  // lives as long as the zone
  };

  static std::shared_ptr<const TimeZone> utc();
  // A zone of one offset; `name` is how SHOW timezone prints it ("<+05>-05").
  static std::shared_ptr<const TimeZone> fixed(int32_t seconds_east, std::string name, std::string abbreviation);
  // From the bytes of a TZif file (RFC 8536), versions 1 to 4.
  static Result<std::shared_ptr<const TimeZone>> parse_tzif(std::string name, ByteView file);
  // From a POSIX TZ string: "EST5EDT", "<+03>-3", "CET-1CEST,M3.5.0,M10.5.0/3". nullptr when malformed.
  static std::shared_ptr<const TimeZone> parse_posix(std::string_view text);

  const std::string& name() const { return name_; }
  // What holds at an instant.
  Offset offset_at(int64_t unix_seconds) const;
  // What PostgreSQL takes a local time to be: in a gap by the offset before it, in an overlap by the offset after it.
  // `local_seconds` is the local clock read as if it were UTC.
  Offset offset_of_local(int64_t local_seconds) const;
  // What an abbreviation of this zone means at an instant: its most recent meaning at or before then, else its first.
  std::optional<Offset> offset_of_abbreviation(std::string_view abbreviation, int64_t unix_seconds) const;

 private:
  struct LocalType {
    int32_t seconds_east = 0;
    bool daylight = false;
    uint8_t abbreviation = 0;  // index into abbreviations_
  };
  // One side of a POSIX rule: when daylight time starts or ends each year.
  struct YearRule {
    enum class Kind : uint8_t { kJulian, kDayOfYear, kMonthWeekDay } kind = Kind::kMonthWeekDay;
    int32_t month = 0;
    int32_t week = 0;
    int32_t day = 0;
    int32_t seconds = 7200;
  };
  struct PosixRule {
    LocalType standard;
    std::optional<LocalType> daylight;
    YearRule start;
    YearRule end;
  };

  Status parse_body(ByteView file);
  bool parse_posix_rule(std::string_view text);
  uint8_t intern(std::string_view abbreviation);
  Offset offset_from(const LocalType& type) const;
  LocalType posix_type_at(int64_t unix_seconds) const;
  LocalType type_at(int64_t unix_seconds) const;
  const LocalType& first_type() const;
  // The first change of local time after an instant: false when there is none.
  bool next_transition(int64_t after, int64_t& boundary, LocalType& before_type, LocalType& after_type) const;
  static int64_t rule_instant(const YearRule& rule, int64_t year, int32_t seconds_east);

  std::string name_;
  std::vector<int64_t> transitions_;
  std::vector<uint8_t> transition_types_;
  std::vector<LocalType> types_;
  std::vector<std::string> abbreviations_;
  std::optional<PosixRule> rule_;
};

// Where zone names are looked up.
class TimeZoneSource {
 public:
  virtual ~TimeZoneSource() = default;
  // Names match without regard to case. Accepts tz database names and POSIX strings; nullptr for others.
  virtual std::shared_ptr<const TimeZone> find(std::string_view name) = 0;
  // All names of the tz database, in order.
  virtual std::vector<std::string> names() = 0;
};

// Reads the tz database for a CachingTimeZoneSource; implemented where files may be read.
class TimeZoneLoader {
 public:
  virtual ~TimeZoneLoader() = default;
  // The bytes of the TZif file of a zone, or an error when there is none. Gets names exactly as list_names() spells
  // them.
  virtual Result<Bytes> load(std::string_view name) = 0;
  // Every zone name, e.g. "Europe/Paris".
  virtual std::vector<std::string> list_names() = 0;
};

class CachingTimeZoneSource final : public TimeZoneSource {
 public:
  explicit CachingTimeZoneSource(TimeZoneLoader& loader) : loader_(loader) {}
  std::shared_ptr<const TimeZone> find(std::string_view name) override PANDO_EXCLUDES(mutex_);
  std::vector<std::string> names() override;

 private:
  TimeZoneLoader& loader_;
  Mutex mutex_;
  // Lower-case name to the tz database's spelling.
  std::map<std::string, std::string, std::less<>> spellings_ PANDO_GUARDED_BY(mutex_);
  std::map<std::string, std::shared_ptr<const TimeZone>, std::less<>> zones_ PANDO_GUARDED_BY(mutex_);
};

// A zone abbreviation of PostgreSQL's Default set: "EST" is a fixed offset; "MSK" follows a zone's history.
struct Abbreviation {
  std::string_view name;  // lower case
  int32_t seconds_east;
  bool daylight;
  std::string_view zone;  // not empty: the meaning at an instant is this zone's
};
// nullptr when it is not an abbreviation. `name` in lower case.
const Abbreviation* find_abbreviation(std::string_view name);
// All, by name.
std::span<const Abbreviation> abbreviations();

// The zone of SET TimeZone and AT TIME ZONE: a name, an abbreviation, a POSIX string, or "+HH:MM" east of Greenwich as
// POSIX counts (so '+3' is three hours west). Error 22023 'time zone "x" not recognized'.
Result<std::shared_ptr<const TimeZone>> resolve_time_zone(TimeZoneSource* source, std::string_view name);

}  // namespace pando::types
