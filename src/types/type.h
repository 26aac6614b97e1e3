#pragma once

// SQL types, named by PostgreSQL's own OIDs (drivers hard-code them), and their physical form in a Vector.
//
// A Type is an OID and a modifier: numeric(10,2) is {kNumeric, ((10 << 16) | 2) + 4}, as PostgreSQL encodes it.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace pando::types {

using Oid = uint32_t;

namespace oid {
inline constexpr Oid kInvalid = 0;
inline constexpr Oid kBool = 16;
inline constexpr Oid kBytea = 17;
inline constexpr Oid kChar = 18;  // "char", one byte
inline constexpr Oid kName = 19;
inline constexpr Oid kInt8 = 20;
inline constexpr Oid kInt2 = 21;
inline constexpr Oid kInt2Vector = 22;
inline constexpr Oid kInt4 = 23;
inline constexpr Oid kRegproc = 24;
inline constexpr Oid kText = 25;
inline constexpr Oid kOid = 26;
inline constexpr Oid kTid = 27;
inline constexpr Oid kXid = 28;
inline constexpr Oid kCid = 29;
inline constexpr Oid kOidVector = 30;
inline constexpr Oid kJson = 114;
inline constexpr Oid kPgNodeTree = 194;
inline constexpr Oid kFloat4 = 700;
inline constexpr Oid kFloat8 = 701;
inline constexpr Oid kUnknown = 705;
inline constexpr Oid kAclItem = 1033;
inline constexpr Oid kBpchar = 1042;
inline constexpr Oid kVarchar = 1043;
inline constexpr Oid kDate = 1082;
inline constexpr Oid kTime = 1083;
inline constexpr Oid kTimestamp = 1114;
inline constexpr Oid kTimestamptz = 1184;
inline constexpr Oid kInterval = 1186;
inline constexpr Oid kTimetz = 1266;
inline constexpr Oid kNumeric = 1700;
inline constexpr Oid kRefcursor = 1790;
inline constexpr Oid kRegprocedure = 2202;
inline constexpr Oid kRegoper = 2203;
inline constexpr Oid kRegoperator = 2204;
inline constexpr Oid kRegclass = 2205;
inline constexpr Oid kRegtype = 2206;
inline constexpr Oid kRecord = 2249;
inline constexpr Oid kCstring = 2275;
inline constexpr Oid kAny = 2276;
inline constexpr Oid kAnyArray = 2277;
inline constexpr Oid kVoid = 2278;
inline constexpr Oid kTrigger = 2279;
inline constexpr Oid kInternal = 2281;
inline constexpr Oid kAnyElement = 2283;
inline constexpr Oid kAnyNonArray = 2776;
inline constexpr Oid kAnyEnum = 3500;
inline constexpr Oid kUuid = 2950;
inline constexpr Oid kXid8 = 5069;
inline constexpr Oid kJsonb = 3802;
inline constexpr Oid kRegcollation = 4191;
inline constexpr Oid kRegconfig = 3734;
inline constexpr Oid kRegdictionary = 3769;
inline constexpr Oid kJsonpath = 4072;
inline constexpr Oid kRegnamespace = 4089;
inline constexpr Oid kRegrole = 4096;
inline constexpr Oid kAnyCompatible = 5077;
inline constexpr Oid kAnyCompatibleArray = 5078;
inline constexpr Oid kAnyCompatibleNonArray = 5079;
// Array types: PostgreSQL's own OIDs.
inline constexpr Oid kBoolArray = 1000;
inline constexpr Oid kByteaArray = 1001;
inline constexpr Oid kCharArray = 1002;
inline constexpr Oid kNameArray = 1003;
inline constexpr Oid kInt2Array = 1005;
inline constexpr Oid kInt4Array = 1007;
inline constexpr Oid kTextArray = 1009;
inline constexpr Oid kBpcharArray = 1014;
inline constexpr Oid kVarcharArray = 1015;
inline constexpr Oid kInt8Array = 1016;
inline constexpr Oid kFloat4Array = 1021;
inline constexpr Oid kFloat8Array = 1022;
inline constexpr Oid kOidArray = 1028;
inline constexpr Oid kAclItemArray = 1034;
inline constexpr Oid kTimestampArray = 1115;
inline constexpr Oid kDateArray = 1182;
inline constexpr Oid kTimeArray = 1183;
inline constexpr Oid kTimestamptzArray = 1185;
inline constexpr Oid kIntervalArray = 1187;
inline constexpr Oid kNumericArray = 1231;
inline constexpr Oid kTimetzArray = 1270;
inline constexpr Oid kJsonArray = 199;
inline constexpr Oid kRegclassArray = 2210;
inline constexpr Oid kRegtypeArray = 2211;
inline constexpr Oid kUuidArray = 2951;
inline constexpr Oid kJsonbArray = 3807;
inline constexpr Oid kJsonpathArray = 4073;
inline constexpr Oid kInt2VectorArray = 1006;
inline constexpr Oid kOidVectorArray = 1013;
inline constexpr Oid kCstringArray = 1263;
inline constexpr Oid kRecordArray = 2287;
// The first OID given to objects that users make, as in PostgreSQL.
inline constexpr Oid kFirstUser = 16384;
// Enums that users make, and arrays of them, have OIDs of ranges of their own: what form a type's values have follows
// from its OID alone. An enum's array is kUserEnumArray - kUserEnum further.
inline constexpr Oid kUserEnum = 0x40000000;
inline constexpr Oid kUserEnumArray = 0x50000000;
inline constexpr Oid kUserEnumEnd = 0x60000000;
// So have composite types, the row types of tables among them.
inline constexpr Oid kUserComposite = 0x60000000;
inline constexpr Oid kUserCompositeArray = 0x70000000;
inline constexpr Oid kUserCompositeEnd = 0x80000000;
}  // namespace oid

inline constexpr bool is_enum(Oid oid) { return oid >= oid::kUserEnum && oid < oid::kUserEnumArray; }
inline constexpr bool is_enum_array(Oid oid) { return oid >= oid::kUserEnumArray && oid < oid::kUserEnumEnd; }
inline constexpr bool is_composite(Oid oid) { return oid >= oid::kUserComposite && oid < oid::kUserCompositeArray; }
inline constexpr bool is_composite_array(Oid oid) {
  return oid >= oid::kUserCompositeArray && oid < oid::kUserCompositeEnd;
}
// Whether values of the type are packed records (types/record.h).
inline constexpr bool is_record(Oid oid) { return oid == oid::kRecord || is_composite(oid); }

// How one value of a type lies in memory.
enum class Physical : uint8_t {
  kBool,      // uint8_t 0 or 1
  kInt16,     // int16_t
  kInt32,     // int32_t: int4; date as days since 2000-01-01
  kUint32,    // uint32_t: oid and the reg* types
  kInt64,     // int64_t: int8; time, timestamp, timestamptz as microseconds since midnight / 2000-01-01; enums as the
              // place of their label in the order of labels
  kFloat32,   // float
  kFloat64,   // double
  kInterval,  // Interval
  kUuid,      // Uuid
  kBytes,     // byte string: text kinds as UTF-8; numeric, json, jsonb, arrays, records, timetz in the forms of their
              // headers
};

struct Interval {
  int64_t microseconds = 0;
  int32_t days = 0;
  int32_t months = 0;
  // Representation equality. SQL equality (30 days = 1 month) is in types/interval.h.
  friend bool operator==(const Interval&, const Interval&) = default;
};

struct Uuid {
  uint8_t bytes[16] = {};
  friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

inline constexpr int32_t kNoModifier = -1;

struct Type {
  Oid oid = oid::kInvalid;
  int32_t modifier = kNoModifier;
  friend bool operator==(const Type&, const Type&) = default;
};

// PostgreSQL's pg_type rows for built-in types, as far as the engine needs them.
struct TypeInfo {
  Oid oid;
  std::string_view name;      // pg_type.typname: "int4"
  std::string_view sql_name;  // format_type without modifier: "integer"
  Physical physical;
  char category;   // pg_type.typcategory: 'N', 'S', ...
  bool preferred;  // pg_type.typispreferred
  int16_t length;  // pg_type.typlen
  Oid element;     // of an array, else 0
  Oid array;       // the array type of this type, else 0
  char kind;       // pg_type.typtype: 'b' base, 'p' pseudo
  bool by_value;
  char alignment;
  char delimiter;  // between elements in an array's text form
  // Whether the engine has values of it. The other rows exist so that names and OIDs resolve to a clear 0A000.
  bool supported;
};

// nullptr for an OID that is neither a built-in type nor one of a user's ranges. All enums share one row, and all their
// arrays; so do composite types.
const TypeInfo* find_type(Oid oid);
// By pg_type.typname, or else by the SQL spelling ("double precision").
const TypeInfo* find_type(std::string_view name);
// All built-in types, by OID.
const TypeInfo* all_types(std::size_t& count);

// REQUIRES: find_type(oid). User types map to kBytes.
Physical physical_of(Oid oid);
inline bool is_array(Oid oid) {
  const TypeInfo* info = find_type(oid);
  return info != nullptr && info->element != oid::kInvalid && info->category == 'A';
}
// kInvalid when there is none.
Oid element_of(Oid array);
Oid array_of(Oid element);
// As format_type(): "numeric(10,2)", "character varying(20)", "integer[]". Without a modifier character is
// "character", as in messages; the SQL function format_type(1042, -1) says "bpchar". An unknown OID is "???". An enum's
// name is not known here: a mark that name_user_types() replaces stands for it.
std::string format_type(Type type);
// Replaces the marks of user types in a text, by what `name` says of their OIDs.
std::string name_user_types(std::string_view text, const std::function<std::string(Oid)>& name);

// The modifier of `numeric(10,2)` and its kind from the numbers in parentheses, with PostgreSQL's errors (22023, 42601
// for a type that takes none). For interval the numbers are the grammar's: fields mask, then precision. `warning` gets
// the text of a warning to raise ("TIME(7) precision reduced to maximum allowed, 6"), or stays as it is.
Result<int32_t> make_modifier(Oid oid, std::span<const int32_t> numbers, std::string* warning = nullptr);

// What modifiers mean.
struct NumericModifier {
  int32_t precision;
  int32_t scale;
};
// REQUIRES: a numeric modifier, not kNoModifier.
NumericModifier numeric_modifier(int32_t modifier);
inline constexpr int32_t kModifierHeader = 4;  // varchar(n) and char(n) are n + 4; numeric adds it too
inline constexpr int32_t kIntervalFullRange = 0x7fff;
inline constexpr int32_t kIntervalFullPrecision = 0xffff;
// Bits of an interval modifier's upper half.
namespace interval_mask {
inline constexpr int32_t kMonth = 1 << 1;
inline constexpr int32_t kYear = 1 << 2;
inline constexpr int32_t kDay = 1 << 3;
inline constexpr int32_t kHour = 1 << 10;
inline constexpr int32_t kMinute = 1 << 11;
inline constexpr int32_t kSecond = 1 << 12;
}  // namespace interval_mask

}  // namespace pando::types
