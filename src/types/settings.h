#pragma once

// Settings: what a session's parameters say about the text forms of values. A plain value; copy it freely.

#include <cstdint>
#include <memory>

#include "types/time_zone.h"
#include "types/user_types.h"

namespace pando::types {

enum class DateStyle : uint8_t { kIso, kSql, kPostgres, kGerman };
enum class DateOrder : uint8_t { kMdy, kDmy, kYmd };
enum class IntervalStyle : uint8_t { kPostgres, kPostgresVerbose, kSqlStandard, kIso8601 };
enum class ByteaOutput : uint8_t { kHex, kEscape };

struct Settings {
  DateStyle date_style = DateStyle::kIso;
  DateOrder date_order = DateOrder::kMdy;
  IntervalStyle interval_style = IntervalStyle::kPostgres;
  ByteaOutput bytea_output = ByteaOutput::kHex;
  int32_t extra_float_digits = 1;
  // TimeZone. Never null: UTC until the session sets it.
  std::shared_ptr<const TimeZone> time_zone = TimeZone::utc();
  // Where names in values ('... Europe/Paris') are looked up; nullptr knows only UTC and fixed offsets. Borrowed from
  // the node, which outlives every session.
  TimeZoneSource* time_zones = nullptr;
  // The enums there are. May be null: then values of enums are neither read nor written.
  std::shared_ptr<const UserTypes> user_types;
  // The transaction's start, microseconds since 2000-01-01 UTC: what 'now' and 'today' mean.
  int64_t now_us = 0;
};

}  // namespace pando::types
