#include "types/time_zone.h"

#include <algorithm>
#include <charconv>

#include "types/calendar.h"
#include "types/time_zone_abbreviations.h"

namespace pando::types {
namespace {

constexpr int32_t kOffsetHoursMax = 24 * 7;  // POSIX TZ strings of tzcode go to 167 hours
constexpr std::string_view kDefaultRule = ",M3.2.0,M11.1.0";

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return out;
}

// Big-endian numbers of TZif.
class TzifReader {
 public:
  explicit TzifReader(ByteView bytes) : rest_(bytes) {}
  bool skip(std::size_t size) {
    if (size > rest_.size()) {
      return false;
    }
    rest_.remove_prefix(size);
    return true;
  }
  template <typename T>
  bool number(T& value) {
    if (rest_.size() < sizeof(T)) {
      return false;
    }
    uint64_t read = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      read = (read << 8) | static_cast<uint8_t>(rest_[i]);
    }
    value = static_cast<T>(read);
    rest_.remove_prefix(sizeof(T));
    return true;
  }
  bool bytes(std::size_t size, ByteView& out) {
    out = rest_.substr(0, size);
    return skip(size);
  }
  ByteView rest() const { return rest_; }

 private:
  ByteView rest_;
};

struct TzifHeader {
  uint8_t version = 0;
  uint32_t utc_count = 0;
  uint32_t standard_count = 0;
  uint32_t leap_count = 0;
  uint32_t time_count = 0;
  uint32_t type_count = 0;
  uint32_t character_count = 0;

  std::size_t body_size(std::size_t time_size) const {
    return std::size_t{time_count} * time_size + time_count + std::size_t{type_count} * 6 + character_count +
           std::size_t{leap_count} * (time_size + 4) + standard_count + utc_count;
  }
};

bool read_header(TzifReader& reader, TzifHeader& header) {
  ByteView magic;
  constexpr std::size_t kReserved = 15;
  return reader.bytes(4, magic) && magic == "TZif" && reader.number(header.version) && reader.skip(kReserved) &&
         reader.number(header.utc_count) && reader.number(header.standard_count) && reader.number(header.leap_count) &&
         reader.number(header.time_count) && reader.number(header.type_count) && reader.number(header.character_count);
}

// Pieces of POSIX TZ strings. Each consumes what it read, or returns false.
bool take_name(std::string_view& text, std::string_view& name) {
  if (!text.empty() && text[0] == '<') {
    const auto end = text.find('>');
    if (end == std::string_view::npos) {
      return false;
    }
    name = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    return true;
  }
  const auto end =
      std::ranges::find_if(text, [](char c) { return (c >= '0' && c <= '9') || c == ',' || c == '-' || c == '+'; });
  name = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(name.size());
  return true;
}

bool take_number(std::string_view& text, int32_t min, int32_t max, int32_t& value) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text[0] == '-' || parsed.ec != std::errc() || value < min || value > max) {
    return false;
  }
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return true;
}

bool take_character(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

// [+-]hh[:mm[:ss]]
bool take_seconds(std::string_view& text, int32_t& seconds) {
  const bool negative = take_character(text, '-');
  if (!negative) {
    take_character(text, '+');
  }
  int32_t hours = 0;
  int32_t minutes = 0;
  int32_t rest = 0;
  if (!take_number(text, 0, kOffsetHoursMax - 1, hours)) {
    return false;
  }
  if (take_character(text, ':')) {
    if (!take_number(text, 0, 59, minutes)) {
      return false;
    }
    if (take_character(text, ':') && !take_number(text, 0, 60, rest)) {
      return false;
    }
  }
  seconds = hours * kSecondsPerHour + minutes * 60 + rest;
  seconds = negative ? -seconds : seconds;
  return true;
}

}  // namespace

std::shared_ptr<const TimeZone> TimeZone::utc() { return fixed(0, "UTC", "UTC"); }

std::shared_ptr<const TimeZone> TimeZone::fixed(int32_t seconds_east, std::string name, std::string abbreviation) {
  auto zone = std::make_shared<TimeZone>();
  zone->name_ = std::move(name);
  zone->types_.push_back({seconds_east, false, zone->intern(abbreviation)});
  return zone;
}

uint8_t TimeZone::intern(std::string_view abbreviation) {
  const auto found = std::ranges::find(abbreviations_, abbreviation);
  const auto position = found - abbreviations_.begin();
  if (found == abbreviations_.end()) {
    abbreviations_.emplace_back(abbreviation);
  }
  return static_cast<uint8_t>(position);
}

Result<std::shared_ptr<const TimeZone>> TimeZone::parse_tzif(std::string name, ByteView file) {
  auto zone = std::make_shared<TimeZone>();
  zone->name_ = std::move(name);
  PANDO_TRY(zone->parse_body(file));
  return std::shared_ptr<const TimeZone>(std::move(zone));
}

Status TimeZone::parse_body(ByteView file) {
  const auto malformed = [this] {
    return Status(sql_state::kDataCorrupted, "the time zone file of \"{}\" is malformed", name_);
  };
  TzifReader reader(file);
  TzifHeader header;
  if (!read_header(reader, header)) {
    return malformed();
  }
  std::size_t time_size = 4;
  if (header.version >= '2') {
    time_size = 8;
    if (!reader.skip(header.body_size(4)) || !read_header(reader, header)) {
      return malformed();
    }
  }
  ByteView body;
  if (header.type_count == 0 || !reader.bytes(header.body_size(time_size), body)) {
    return malformed();
  }
  TzifReader parts(body);
  for (uint32_t i = 0; i < header.time_count; ++i) {
    int64_t at = 0;
    int32_t short_at = 0;
    if (time_size == 8 ? !parts.number(at) : !parts.number(short_at)) {
      return malformed();
    }
    transitions_.push_back(time_size == 8 ? at : short_at);
  }
  for (uint32_t i = 0; i < header.time_count; ++i) {
    uint8_t type = 0;
    if (!parts.number(type) || type >= header.type_count) {
      return malformed();
    }
    transition_types_.push_back(type);
  }
  std::vector<uint8_t> name_offsets;
  for (uint32_t i = 0; i < header.type_count; ++i) {
    uint32_t seconds = 0;
    uint8_t daylight = 0;
    uint8_t offset = 0;
    if (!parts.number(seconds) || !parts.number(daylight) || !parts.number(offset) ||
        offset >= header.character_count) {
      return malformed();
    }
    types_.push_back({static_cast<int32_t>(seconds), daylight != 0, 0});
    name_offsets.push_back(offset);
  }
  ByteView names;
  if (!parts.bytes(header.character_count, names)) {
    return malformed();
  }
  for (std::size_t i = 0; i < types_.size(); ++i) {
    const ByteView name = names.substr(name_offsets[i]);
    types_[i].abbreviation = intern(name.substr(0, name.find('\0')));
  }
  ByteView footer = reader.rest();
  if (footer.size() > 2 && footer[0] == '\n') {
    footer = footer.substr(1, footer.find('\n', 1) - 1);
    parse_posix_rule(footer);
  }
  return {};
}

bool TimeZone::parse_posix_rule(std::string_view text) {
  const auto take_rule = [](std::string_view& rest, YearRule& rule) {
    if (take_character(rest, 'M')) {
      rule.kind = YearRule::Kind::kMonthWeekDay;
      if (!take_number(rest, 1, 12, rule.month) || !take_character(rest, '.') || !take_number(rest, 1, 5, rule.week) ||
          !take_character(rest, '.') || !take_number(rest, 0, 6, rule.day)) {
        return false;
      }
    } else if (take_character(rest, 'J')) {
      rule.kind = YearRule::Kind::kJulian;
      if (!take_number(rest, 1, 365, rule.day)) {
        return false;
      }
    } else {
      rule.kind = YearRule::Kind::kDayOfYear;
      if (!take_number(rest, 0, 365, rule.day)) {
        return false;
      }
    }
    return !take_character(rest, '/') || take_seconds(rest, rule.seconds);
  };
  PosixRule rule;
  std::string_view name;
  int32_t west = 0;
  if (!take_name(text, name) || !take_seconds(text, west)) {
    return false;
  }
  rule.standard = {-west, false, intern(name)};
  if (text.empty()) {
    rule_ = rule;
    return true;
  }
  if (!take_name(text, name) || name.empty()) {
    return false;
  }
  int32_t daylight_west = west - kSecondsPerHour;
  if (!text.empty() && text[0] != ',' && !take_seconds(text, daylight_west)) {
    return false;
  }
  rule.daylight = LocalType{-daylight_west, true, intern(name)};
  if (text.empty()) {
    text = kDefaultRule;
  }
  if (!take_character(text, ',') || !take_rule(text, rule.start) || !take_character(text, ',') ||
      !take_rule(text, rule.end) || !text.empty()) {
    return false;
  }
  rule_ = rule;
  return true;
}

std::shared_ptr<const TimeZone> TimeZone::parse_posix(std::string_view text) {
  auto zone = std::make_shared<TimeZone>();
  zone->name_ = std::string(text);
  if (!zone->parse_posix_rule(text)) {
    return nullptr;
  }
  zone->types_.push_back(zone->rule_->standard);
  return zone;
}

TimeZone::Offset TimeZone::offset_from(const LocalType& type) const {
  return {type.seconds_east, type.daylight, abbreviations_[type.abbreviation]};
}

int64_t TimeZone::rule_instant(const YearRule& rule, int64_t year, int32_t seconds_east) {
  const auto civil_year = static_cast<int32_t>(year);
  int32_t julian = 0;
  switch (rule.kind) {
    case YearRule::Kind::kJulian: {
      // Day 60 is 1 March in every year.
      const bool after_leap_day = is_leap_year(year) && rule.day >= 60;
      julian = julian_of(civil_year, 1, rule.day) + (after_leap_day ? 1 : 0);
      break;
    }
    case YearRule::Kind::kDayOfYear:
      julian = julian_of(civil_year, 1, 1) + rule.day;
      break;
    case YearRule::Kind::kMonthWeekDay: {
      const int32_t first = julian_of(civil_year, rule.month, 1);
      int32_t day = (rule.day - day_of_week(first) + 7) % 7 + (rule.week - 1) * 7;
      while (day >= days_in_month(civil_year, rule.month)) {
        day -= 7;
      }
      julian = first + day;
      break;
    }
  }
  return int64_t{julian - kUnixEpochJulian} * kSecondsPerDay + rule.seconds - seconds_east;
}

TimeZone::LocalType TimeZone::posix_type_at(int64_t unix_seconds) const {
  if (!rule_->daylight) {
    return rule_->standard;
  }
  const int64_t local = unix_seconds + rule_->standard.seconds_east;
  const int64_t days = local >= 0 ? local / kSecondsPerDay : -((-local + kSecondsPerDay - 1) / kSecondsPerDay);
  const int64_t julian = std::clamp<int64_t>(days + kUnixEpochJulian, INT32_MIN / 2, INT32_MAX - 400);
  int32_t year = 0;
  int32_t month = 0;
  int32_t day = 0;
  civil_of_julian(static_cast<int32_t>(julian), year, month, day);
  const int64_t start = rule_instant(rule_->start, year, rule_->standard.seconds_east);
  const int64_t end = rule_instant(rule_->end, year, rule_->daylight->seconds_east);
  const bool daylight =
      start < end ? unix_seconds >= start && unix_seconds < end : unix_seconds >= start || unix_seconds < end;
  return daylight ? *rule_->daylight : rule_->standard;
}

const TimeZone::LocalType& TimeZone::first_type() const {
  const auto standard = std::ranges::find_if(types_, [](const LocalType& type) { return !type.daylight; });
  return types_[0].daylight && standard != types_.end() ? *standard : types_[0];
}

TimeZone::LocalType TimeZone::type_at(int64_t unix_seconds) const {
  if (rule_ && (transitions_.empty() || unix_seconds >= transitions_.back())) {
    return posix_type_at(unix_seconds);
  }
  const auto after = std::ranges::upper_bound(transitions_, unix_seconds);
  if (after == transitions_.begin()) {
    return first_type();
  }
  return types_[transition_types_[static_cast<std::size_t>(after - transitions_.begin()) - 1]];
}

TimeZone::Offset TimeZone::offset_at(int64_t unix_seconds) const { return offset_from(type_at(unix_seconds)); }

bool TimeZone::next_transition(int64_t after, int64_t& boundary, LocalType& before_type, LocalType& after_type) const {
  before_type = type_at(after);
  const auto next = std::ranges::upper_bound(transitions_, after);
  if (next != transitions_.end()) {
    boundary = *next;
    after_type = types_[transition_types_[static_cast<std::size_t>(next - transitions_.begin())]];
    return true;
  }
  if (!rule_ || !rule_->daylight) {
    return false;
  }
  const int64_t year_guess = 1970 + after / 31556952;
  boundary = INT64_MAX;
  for (int64_t year = year_guess - 1; year <= year_guess + 2; ++year) {
    for (const int64_t at : {rule_instant(rule_->start, year, rule_->standard.seconds_east),
                             rule_instant(rule_->end, year, rule_->daylight->seconds_east)}) {
      if (at > after && at < boundary) {
        boundary = at;
      }
    }
  }
  after_type = posix_type_at(boundary);
  return boundary != INT64_MAX;
}

TimeZone::Offset TimeZone::offset_of_local(int64_t local_seconds) const {
  int64_t boundary = 0;
  LocalType before_type;
  LocalType after_type;
  // No zone is a day away from UTC, so the change that matters, if any, is the next one from a day before.
  if (!next_transition(local_seconds - kSecondsPerDay, boundary, before_type, after_type)) {
    return offset_from(before_type);
  }
  const int64_t by_before = local_seconds - before_type.seconds_east;
  const int64_t by_after = local_seconds - after_type.seconds_east;
  if (by_before < boundary && by_after < boundary) {
    return offset_from(before_type);
  }
  if (by_before > boundary && by_after >= boundary) {
    return offset_from(after_type);
  }
  return offset_from(by_before > by_after ? before_type : after_type);
}

std::optional<TimeZone::Offset> TimeZone::offset_of_abbreviation(std::string_view abbreviation,
                                                                 int64_t unix_seconds) const {
  const std::string wanted = upper(abbreviation);
  const auto matches = [&](const LocalType& type) { return abbreviations_[type.abbreviation] == wanted; };
  const LocalType* first_after = nullptr;
  const LocalType* last_before = nullptr;
  if (matches(first_type())) {
    last_before = &first_type();
  }
  for (std::size_t i = 0; i < transitions_.size(); ++i) {
    const LocalType& type = types_[transition_types_[i]];
    if (!matches(type)) {
      continue;
    }
    if (transitions_[i] <= unix_seconds) {
      last_before = &type;
    } else if (first_after == nullptr) {
      first_after = &type;
    }
  }
  const LocalType* found = last_before != nullptr ? last_before : first_after;
  if (found == nullptr) {
    return std::nullopt;
  }
  return offset_from(*found);
}

std::shared_ptr<const TimeZone> CachingTimeZoneSource::find(std::string_view name) {
  const std::string key = lower(name);
  {
    MutexLock lock(mutex_);
    if (const auto cached = zones_.find(key); cached != zones_.end()) {
      return cached->second;
    }
    if (spellings_.empty()) {
      for (std::string& spelling : loader_.list_names()) {
        std::string folded = lower(spelling);
        spellings_.emplace(std::move(folded), std::move(spelling));
      }
    }
    if (const auto spelling = spellings_.find(key); spelling != spellings_.end()) {
      const auto file = loader_.load(spelling->second);
      if (file.ok()) {
        if (auto zone = TimeZone::parse_tzif(spelling->second, *file); zone.ok()) {
          zones_.emplace(key, *zone);
          return *zone;
        }
      }
    }
  }
  return TimeZone::parse_posix(upper(name));
}

std::vector<std::string> CachingTimeZoneSource::names() {
  std::vector<std::string> names = loader_.list_names();
  std::ranges::sort(names);
  return names;
}

const Abbreviation* find_abbreviation(std::string_view name) {
  const auto* found = std::ranges::lower_bound(kAbbreviations, name, {}, &Abbreviation::name);
  return found != std::end(kAbbreviations) && found->name == name ? found : nullptr;
}

std::span<const Abbreviation> abbreviations() { return kAbbreviations; }

Result<std::shared_ptr<const TimeZone>> resolve_time_zone(TimeZoneSource* source, std::string_view name) {
  const std::string key = lower(name);
  if (const Abbreviation* abbreviation = find_abbreviation(key);
      abbreviation != nullptr && abbreviation->zone.empty()) {
    return TimeZone::fixed(abbreviation->seconds_east, std::string(name), upper(name));
  }
  std::shared_ptr<const TimeZone> zone;
  if (source != nullptr) {
    zone = source->find(name);
  } else if (key == "utc" || key == "gmt") {
    zone = TimeZone::utc();
  } else {
    zone = TimeZone::parse_posix(upper(name));
  }
  if (zone == nullptr) {
    return Status(sql_state::kInvalidParameterValue, "time zone \"{}\" not recognized", name);
  }
  return zone;
}

}  // namespace pando::types
