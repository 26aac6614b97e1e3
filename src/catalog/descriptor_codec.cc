#include "catalog/descriptor_codec.h"

#include <algorithm>
#include <bit>
#include <type_traits>

#include "base/codec.h"

namespace pando::catalog {
namespace {

// The newest version of the field lists below. A reader refuses newer ones; fields are only ever added, under a new
// version.
constexpr uint8_t kFormatVersion = 3;
// Without what version 3 added, so that nodes of an earlier release can read what does not need it.
constexpr uint8_t kOrdinaryVersion = 2;
constexpr uint64_t kElementsMax = 1 << 20;

// Each descriptor's fields are listed once, in fields(archive, descriptor); Writer and Reader walk the same list.

class Writer {
 public:
  Writer(Bytes& out, uint8_t version) : out_(out), version_(version) {}
  // Fields of this version are written, or were written to what is read.
  bool has(uint8_t version) const { return version <= version_; }

  void visit(const std::string& text) { put_length_prefixed(out_, text); }
  void visit(double number) { put_fixed64(out_, std::bit_cast<uint64_t>(number)); }
  template <typename T>
    requires std::is_integral_v<T> || std::is_enum_v<T>
  void visit(T number) {
    put_signed_varint(out_, static_cast<int64_t>(number));
  }
  template <typename Tag, typename T>
  void visit(StrongId<Tag, T> id) {
    put_varint(out_, id.number());
  }
  void visit(const types::Value& value);
  template <typename T>
  void visit(const std::vector<T>& elements) {
    put_varint(out_, elements.size());
    for (const T& element : elements) {
      visit(element);
    }
  }
  template <typename T>
    requires std::is_class_v<T>
  void visit(const T& object) {
    fields(*this, const_cast<T&>(object));
  }
  template <typename... Fields>
  void operator()(const Fields&... all) {
    (visit(all), ...);
  }

 private:
  Bytes& out_;
  const uint8_t version_;
};

class Reader {
 public:
  Reader(ByteView bytes, uint8_t version) : reader_(bytes), version_(version) {}
  bool has(uint8_t version) const { return version <= version_; }
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && reader_.empty(); }

  void visit(std::string& text) {
    ByteView bytes;
    if (require(reader_.length_prefixed(bytes))) {
      text.assign(bytes);
    }
  }
  void visit(double& number) {
    uint64_t bits = 0;
    if (require(reader_.fixed64(bits))) {
      number = std::bit_cast<double>(bits);
    }
  }
  template <typename T>
    requires std::is_integral_v<T> || std::is_enum_v<T>
  void visit(T& number) {
    int64_t wide = 0;
    if (require(reader_.signed_varint(wide))) {
      number = static_cast<T>(wide);
      require(static_cast<int64_t>(number) == wide);
    }
  }
  template <typename Tag, typename T>
  void visit(StrongId<Tag, T>& id) {
    uint64_t wide = 0;
    if (require(reader_.varint(wide))) {
      id = StrongId<Tag, T>(static_cast<T>(wide));
      require(id.number() == wide);
    }
  }
  void visit(types::Value& value);
  template <typename T>
  void visit(std::vector<T>& elements) {
    uint64_t count = 0;
    if (!require(reader_.varint(count) && count <= kElementsMax)) {
      return;
    }
    for (uint64_t i = 0; i < count && ok_; ++i) {
      visit(elements.emplace_back());
    }
  }
  template <typename T>
    requires std::is_class_v<T>
  void visit(T& object) {
    fields(*this, object);
  }
  template <typename... Fields>
  void operator()(Fields&... all) {
    (visit(all), ...);
  }

 private:
  bool require(bool condition) { return ok_ = ok_ && condition; }
  ByteReader reader_;
  const uint8_t version_;
  bool ok_ = true;
};

template <typename Archive>
void fields(Archive& archive, types::Type& type) {
  archive(type.oid, type.modifier);
}
template <typename Archive>
void fields(Archive& archive, types::Interval& interval) {
  archive(interval.microseconds, interval.days, interval.months);
}
template <typename Archive>
void fields(Archive& archive, ColumnDescriptor& c) {
  archive(c.number, c.name, c.type, c.not_null, c.dropped, c.default_sql, c.identity, c.generated, c.owned_sequence,
          c.missing_value, c.collation, c.comment);
  if (archive.has(2)) {
    archive(c.domain);
  }
}
template <typename Archive>
void fields(Archive& archive, IndexColumn& c) {
  archive(c.attribute, c.expression_sql, c.descending, c.nulls_first);
}
template <typename Archive>
void fields(Archive& archive, IndexDescriptor& i) {
  archive(i.oid, i.id, i.name, i.unique, i.primary, i.nulls_not_distinct, i.columns, i.included, i.predicate_sql,
          i.method, i.readable, i.comment);
}
template <typename Archive>
void fields(Archive& archive, ConstraintDescriptor& c) {
  archive(c.oid, c.name, c.kind, c.columns, c.check_sql, c.no_inherit, c.validated, c.index, c.referenced_table,
          c.referenced_columns, c.on_update, c.on_delete, c.set_columns, c.match_full, c.deferrable,
          c.initially_deferred, c.comment);
}
template <typename Archive>
void fields(Archive& archive, TableDescriptor& t) {
  archive(t.oid, t.schema, t.name, t.kind, t.owner, t.id, t.version, t.columns, t.indexes, t.constraints,
          t.next_index_id, t.view_sql, t.unlogged, t.temporary, t.comment, t.row_type, t.row_array_type);
  if (archive.has(2)) {
    archive(t.check_option);
  }
}
template <typename Archive>
void fields(Archive& archive, TypeDescriptor::Label& l) {
  archive(l.oid, l.place, l.text);
}
template <typename Archive>
void fields(Archive& archive, TypeDescriptor::Check& c) {
  archive(c.oid, c.name, c.sql, c.validated);
}
template <typename Archive>
void fields(Archive& archive, TypeDescriptor::Attribute& a) {
  archive(a.name, a.type, a.domain, a.comment);
}
template <typename Archive>
void fields(Archive& archive, TypeDescriptor& t) {
  archive(t.oid, t.schema, t.name, t.kind, t.owner, t.comment, t.labels, t.array_oid, t.base, t.domain, t.not_null,
          t.default_sql, t.checks);
  if (archive.has(3)) {
    archive(t.attributes);
  }
}
template <typename Archive>
void fields(Archive& archive, SequenceDescriptor& s) {
  archive(s.oid, s.schema, s.name, s.type, s.start, s.increment, s.min, s.max, s.cache, s.cycle, s.owner_table,
          s.owner_column, s.is_identity, s.owner, s.comment);
}
template <typename Archive>
void fields(Archive& archive, SchemaDescriptor& s) {
  archive(s.oid, s.name, s.owner, s.comment);
}
template <typename Archive>
void fields(Archive& archive, RoleDescriptor& r) {
  archive(r.oid, r.name, r.superuser, r.can_login);
}

template <typename Archive>
void fields(Archive& archive, ColumnStatistics& c) {
  archive(c.attribute, c.null_fraction, c.distinct, c.average_width, c.most_common, c.most_common_frequencies,
          c.histogram, c.has_correlation, c.correlation);
}
template <typename Archive>
void fields(Archive& archive, TableStatistics& t) {
  archive(t.id, t.rows, t.columns);
}

template <typename Archive>
void fields(Archive& archive, Job& j) {
  archive(j.id, j.kind, j.state, j.statement, j.table, j.place, j.index, j.constraint, j.keeps_constraint, j.not_null,
          j.checkpoint, j.rows_done, j.rows_total, j.node, j.term, j.claimed_until_ns, j.cancel_requested, j.error_code,
          j.error_message, j.error_detail, j.error_hint, j.error_schema, j.error_table, j.error_column,
          j.error_constraint, j.created_us, j.started_us, j.finished_us);
}

// A value is its alternative's number and its bytes. Never renumber.
enum class ValueForm : uint8_t {
  kNull = 0,
  kBool = 1,
  kInt16 = 2,
  kInt32 = 3,
  kUint32 = 4,
  kInt64 = 5,
  kFloat32 = 6,
  kFloat64 = 7,
  kInterval = 8,
  kUuid = 9,
  kBytes = 10,
};

void Writer::visit(const types::Value& value) {
  const auto put = [this](ValueForm form, const auto& content) { (*this)(form, content); };
  if (value.is_null()) {
    visit(ValueForm::kNull);
  } else if (value.holds<bool>()) {
    put(ValueForm::kBool, value.as<bool>());
  } else if (value.holds<int16_t>()) {
    put(ValueForm::kInt16, value.as<int16_t>());
  } else if (value.holds<int32_t>()) {
    put(ValueForm::kInt32, value.as<int32_t>());
  } else if (value.holds<uint32_t>()) {
    put(ValueForm::kUint32, value.as<uint32_t>());
  } else if (value.holds<int64_t>()) {
    put(ValueForm::kInt64, value.as<int64_t>());
  } else if (value.holds<float>()) {
    put(ValueForm::kFloat32, static_cast<double>(value.as<float>()));
  } else if (value.holds<double>()) {
    put(ValueForm::kFloat64, value.as<double>());
  } else if (value.holds<types::Interval>()) {
    put(ValueForm::kInterval, value.as<types::Interval>());
  } else if (value.holds<types::Uuid>()) {
    const auto& uuid = value.as<types::Uuid>();
    put(ValueForm::kUuid, std::string(reinterpret_cast<const char*>(uuid.bytes), sizeof(uuid.bytes)));
  } else {
    put(ValueForm::kBytes, value.as<Bytes>());
  }
}

void Reader::visit(types::Value& value) {
  const auto take = [this]<typename T>(T content) {
    visit(content);
    return content;
  };
  switch (const auto form = take(ValueForm::kNull)) {
    case ValueForm::kNull:
      value = types::Value::null();
      return;
    case ValueForm::kBool:
      value = types::Value::of_bool(take(false));
      return;
    case ValueForm::kInt16:
      value = types::Value::of_int16(take(int16_t{}));
      return;
    case ValueForm::kInt32:
      value = types::Value::of_int32(take(int32_t{}));
      return;
    case ValueForm::kUint32:
      value = types::Value::of_uint32(take(uint32_t{}));
      return;
    case ValueForm::kInt64:
      value = types::Value::of_int64(take(int64_t{}));
      return;
    case ValueForm::kFloat32:
      value = types::Value::of_float32(static_cast<float>(take(double{})));
      return;
    case ValueForm::kFloat64:
      value = types::Value::of_float64(take(double{}));
      return;
    case ValueForm::kInterval:
      value = types::Value::of_interval(take(types::Interval{}));
      return;
    case ValueForm::kUuid: {
      const auto bytes = take(std::string());
      types::Uuid uuid;
      if (require(bytes.size() == sizeof(uuid.bytes))) {
        std::memcpy(uuid.bytes, bytes.data(), sizeof(uuid.bytes));
      }
      value = types::Value::of_uuid(uuid);
      return;
    }
    case ValueForm::kBytes:
      value = types::Value::of_bytes(take(std::string()));
      return;
    default:
      static_cast<void>(form);
      require(false);
  }
}

template <typename Descriptor>
Bytes encode_descriptor(const Descriptor& descriptor, uint8_t version = kOrdinaryVersion) {
  Bytes out;
  out.push_back(static_cast<char>(version));
  Writer(out, version).visit(descriptor);
  return out;
}

template <typename Descriptor>
Result<Descriptor> decode_descriptor(ByteView bytes, std::string_view what) {
  if (bytes.empty()) {
    return Status(sql_state::kDataCorrupted, "the descriptor of a {} is empty", what);
  }
  const auto version = static_cast<uint8_t>(bytes.front());
  if (version > kFormatVersion) {
    return Status(sql_state::kFeatureNotSupported, "the descriptor of a {} has format version {}, newer than {}", what,
                  version, kFormatVersion);
  }
  Reader reader(bytes.substr(1), version);
  Descriptor descriptor;
  reader.visit(descriptor);
  if (!reader.at_end()) {
    return Status(sql_state::kDataCorrupted, "the descriptor of a {} is malformed", what);
  }
  return descriptor;
}

}  // namespace

Bytes encode(const SchemaDescriptor& schema) { return encode_descriptor(schema); }
Bytes encode(const TableDescriptor& table) { return encode_descriptor(table); }
Bytes encode(const SequenceDescriptor& sequence) { return encode_descriptor(sequence); }
Bytes encode(const TypeDescriptor& type) {
  return encode_descriptor(type, type.attributes.empty() ? kOrdinaryVersion : kFormatVersion);
}
Bytes encode(const RoleDescriptor& role) { return encode_descriptor(role); }
Bytes encode(const TableStatistics& statistics) { return encode_descriptor(statistics); }
Bytes encode(const Job& job) { return encode_descriptor(job); }

Result<SchemaDescriptor> decode_schema(ByteView bytes) { return decode_descriptor<SchemaDescriptor>(bytes, "schema"); }
Result<TableDescriptor> decode_table(ByteView bytes) {
  PANDO_ASSIGN(auto table, decode_descriptor<TableDescriptor>(bytes, "table"));
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].number != static_cast<AttributeNumber>(i + 1)) {
      return Status(sql_state::kDataCorrupted, "the descriptor of table \"{}\" misnumbers its columns", table.name);
    }
  }
  return table;
}
Result<SequenceDescriptor> decode_sequence(ByteView bytes) {
  return decode_descriptor<SequenceDescriptor>(bytes, "sequence");
}
Result<TableStatistics> decode_statistics(ByteView bytes) {
  return decode_descriptor<TableStatistics>(bytes, "table's statistics");
}
Result<Job> decode_job(ByteView bytes) {
  PANDO_ASSIGN(auto job, decode_descriptor<Job>(bytes, "job"));
  const bool has_kind = job.kind >= JobKind::kBuildIndex && job.kind <= JobKind::kValidateConstraint;
  const bool has_state = job.state >= JobState::kRunning && job.state <= JobState::kCancelled;
  constexpr std::size_t kCodeSize = 5;
  const bool has_code =
      job.error_code.empty() || (job.error_code.size() == kCodeSize && std::ranges::all_of(job.error_code, [](char c) {
                                   return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
                                 }));
  if (!has_kind || !has_state || !has_code) {
    return Status(sql_state::kDataCorrupted, "the descriptor of job {} is malformed", job.id);
  }
  return job;
}
Result<TypeDescriptor> decode_type(ByteView bytes) { return decode_descriptor<TypeDescriptor>(bytes, "type"); }
Result<RoleDescriptor> decode_role(ByteView bytes) { return decode_descriptor<RoleDescriptor>(bytes, "role"); }

}  // namespace pando::catalog
