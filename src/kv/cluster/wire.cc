#include "kv/cluster/wire.h"

namespace pando::kv {

void WireWriter::write(const KeyValueBatch& batch) {
  put_varint(out_, batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    put_length_prefixed(out_, batch.key(i));
    put_length_prefixed(out_, batch.value(i));
  }
}

void WireWriter::write(const Status& status) {
  write(status.ok());
  if (status.ok()) {
    return;
  }
  const ErrorFields& fields = status.fields();
  write(fields.code.view());
  write(fields.message);
  write(fields.detail);
  write(fields.hint);
}

uint64_t WireReader::number(uint64_t max) {
  uint64_t value = 0;
  if (!ok_ || !reader_.varint(value) || value > max) {
    ok_ = false;
    return 0;
  }
  return value;
}

void WireReader::read(Bytes& bytes) {
  ByteView view;
  if (!ok_ || !reader_.length_prefixed(view)) {
    ok_ = false;
    return;
  }
  bytes = view;
}

void WireReader::read(HlcTimestamp& time) {
  if (!ok_ || !reader_.fixed64(time.wall_ns)) {
    ok_ = false;
    return;
  }
  read(time.logical);
}

void WireReader::read(KeyValueBatch& batch) {
  batch.clear();
  const std::size_t size = count();
  for (std::size_t i = 0; i < size; ++i) {
    ByteView key;
    ByteView value;
    if (!reader_.length_prefixed(key) || !reader_.length_prefixed(value)) {
      ok_ = false;
      return;
    }
    batch.append(key, value);
  }
}

void WireReader::read(Status& status) {
  status = Status();
  if (number(1) != 0) {
    return;
  }
  Bytes code;
  ErrorFields fields;
  read(code);
  read(fields.message);
  read(fields.detail);
  read(fields.hint);
  if (!ok_ || code.size() != SqlState().view().size()) {
    ok_ = false;
    return;
  }
  fields.code = SqlState(ByteView(code));
  status = Status::from_fields(std::move(fields));
}

}  // namespace pando::kv
