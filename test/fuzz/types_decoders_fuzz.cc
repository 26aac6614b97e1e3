// Foreign bytes into the decoders of types: text, wire, rows, packed arrays and jsonb, json, jsonpath, templates. The
// first byte chooses the decoder, the second the type. Nothing may crash; what parses must print, and what printed must
// parse to the same text.

#include <cstdlib>
#include <memory>
#include <vector>

#include "types/array.h"
#include "types/binary_io.h"
#include "types/formatting.h"
#include "types/json.h"
#include "types/jsonb.h"
#include "types/jsonpath.h"
#include "types/record.h"
#include "types/row_codec.h"
#include "types/text_io.h"
#include "types/utf8.h"

namespace pando::types {
namespace {

constexpr Oid kInner = oid::kUserComposite + 1;
constexpr Oid kOuter = oid::kUserComposite + 2;
constexpr Oid kFuzzedTypes[] = {oid::kBool,
                                oid::kInt4,
                                oid::kInt8,
                                oid::kFloat4,
                                oid::kFloat8,
                                oid::kNumeric,
                                oid::kText,
                                oid::kBytea,
                                oid::kDate,
                                oid::kTime,
                                oid::kTimetz,
                                oid::kTimestamp,
                                oid::kUuid,
                                oid::kInterval,
                                oid::kJson,
                                oid::kJsonb,
                                oid::kInt4Array,
                                oid::kTid,
                                oid::kTextArray,
                                oid::kJsonpath,
                                oid::kTimestamptz,
                                oid::kInt2Vector,
                                oid::kNumericArray,
                                kInner,
                                kOuter,
                                kInner + (oid::kUserCompositeArray - oid::kUserComposite)};

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

const Settings& settings_with_composites() {
  static const Settings settings = [] {
    auto types = std::make_shared<UserTypes>();
    const auto put = [&](Oid type, std::vector<CompositeType::Attribute> attributes) {
      types->put(type, std::make_shared<const CompositeType>(CompositeType{std::move(attributes)}));
    };
    put(kInner, {{"a", {oid::kInt4}}, {"b", {oid::kText}}});
    put(kOuter, {{"i", {kInner}}, {"is", {array_of(kInner)}}, {"n", {oid::kNumeric}}});
    Settings known;
    known.user_types = std::move(types);
    return known;
  }();
  return settings;
}

void fuzz_text(Type type, ByteView text) {
  const Settings& settings = settings_with_composites();
  if (!validate_utf8(text).ok()) {
    return;
  }
  const auto value = parse_text(type, text, settings);
  if (!value.ok()) {
    return;
  }
  Bytes printed;
  print_text(type, *value, settings, printed);
  const auto again = parse_text(type, printed, settings);
  require(again.ok());
  Bytes second;
  print_text(type, *again, settings, second);
  require(printed == second);
}

void fuzz_binary(Type type, ByteView bytes) {
  const Settings& settings = settings_with_composites();
  const auto value = parse_binary(type, bytes, settings);
  if (!value.ok()) {
    return;
  }
  Bytes wire;
  require(print_binary(type, *value, settings, wire).ok());
  require(parse_binary(type, wire, settings).ok());
}

void fuzz_row(Type type, ByteView bytes) {
  const RowDecoder decoder({{1, type, {}}, {2, {oid::kText}, {}}, {5, {oid::kInt8}, Value::of_int64(1)}});
  std::vector<Value> values;
  Vector columns[3];
  Vector* outs[3] = {&columns[0], &columns[1], &columns[2]};
  const bool one = decoder.decode_row(bytes, values).ok();
  const bool many = decoder.decode({&bytes, 1}, outs).ok();
  require(one == many);
  Value value;
  ByteView key = bytes;
  take_key(key, type.oid, {}, value).ignore("only that it returns");
  key = bytes;
  skip_key(key, type.oid, {.descending = true}).ignore("only that it returns");
}

void fuzz_packed(ByteView bytes) {
  if (ArrayView::check(bytes)) {
    const ArrayView array(bytes);
    for (std::size_t i = 0; i < array.size(); ++i) {
      array.get(i);
    }
  }
  if (JsonbView::check(bytes)) {
    Bytes out;
    print_jsonb_pretty(JsonbView(bytes), out);
  }
  std::vector<RecordField> fields;
  if (unpack_record(bytes, fields)) {
    require(pack_record(fields) == bytes);
  }
}

void fuzz_template(ByteView bytes) {
  const auto split = std::min(bytes.find('\n'), bytes.size());
  const ByteView text = bytes.substr(std::min(split + 1, bytes.size()));
  const Settings settings;
  if (const auto format = DateTimeFormat::compile(bytes.substr(0, split)); format.ok()) {
    format->print_timestamp(0).status().ignore("only that it returns");
    format->parse_timestamptz(text, settings).status().ignore("only that it returns");
  }
  if (const auto format = NumberFormat::compile(bytes.substr(0, split)); format.ok()) {
    format->print_float64(-1234.5).status().ignore("only that it returns");
    format->parse(text).status().ignore("only that it returns");
  }
}

}  // namespace
}  // namespace pando::types

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pando::types;
  if (size < 2) {
    return 0;
  }
  const pando::ByteView bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Type type{kFuzzedTypes[data[1] % std::size(kFuzzedTypes)]};
  switch (data[0] % 5) {
    case 0:
      fuzz_text(type, bytes);
      break;
    case 1:
      fuzz_binary(type, bytes);
      break;
    case 2:
      fuzz_row(type, bytes);
      break;
    case 3:
      fuzz_packed(bytes);
      break;
    default:
      fuzz_template(bytes);
  }
  return 0;
}
