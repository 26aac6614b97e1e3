#include "api/state.h"
#include "types/text_io.h"

namespace pando {
namespace {

// Rows fetched at a time: a few chunks, so that a large result needs little memory.
constexpr uint64_t kFetchRows = 4 * types::kVectorRows;

}  // namespace

void Rows::State::end(Status status) {
  ended = true;
  on_row = false;
  tag = sink.tag();
  const Status synced = connection->sync();
  error = to_error(status.ok() ? synced : status);
}

void Rows::State::fetch() {
  sink.clear_rows();
  chunk = 0;
  row = 0;
  auto outcome = connection->fetch(kFetchRows, sink);
  if (sink.shape()) {
    shape = sink.shape();
  }
  if (!outcome.ok()) {
    end(std::move(outcome).status());
  } else if (*outcome != session::ExecuteOutcome::kSuspended) {
    end(Status());
  }
}

Rows::Rows(std::unique_ptr<State> state) : state_(std::move(state)) {}
Rows::Rows(Rows&&) noexcept = default;

Rows& Rows::operator=(Rows&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

Rows::~Rows() {
  if (state_ && !state_->ended) {
    state_->end(Status());
  }
}

bool Rows::next() {
  State& state = *state_;
  if (state.on_row) {
    ++state.row;
  }
  while (true) {
    const auto& chunks = state.sink.chunks();
    while (state.chunk < chunks.size() && state.row >= chunks[state.chunk].rows) {
      ++state.chunk;
      state.row = 0;
    }
    if (state.chunk < chunks.size()) {
      state.on_row = true;
      return true;
    }
    state.on_row = false;
    if (state.ended) {
      return false;
    }
    state.fetch();
  }
}

const Error& Rows::error() const { return state_->error; }
std::size_t Rows::column_count() const { return state_->shape ? state_->shape->size() : 0; }
std::string_view Rows::column_name(std::size_t column) const { return (*state_->shape)[column].name; }
uint32_t Rows::column_type_oid(std::size_t column) const { return (*state_->shape)[column].type.oid; }
std::string_view Rows::command_tag() const { return state_->tag; }

ColumnType Rows::column_type(std::size_t column) const {
  using namespace types::oid;
  switch (column_type_oid(column)) {
    case kBool:
      return ColumnType::kBool;
    case kInt2:
    case kInt4:
    case kInt8:
    case kOid:
      return ColumnType::kInteger;
    case kFloat4:
    case kFloat8:
      return ColumnType::kFloat;
    case kText:
    case kVarchar:
    case kBpchar:
    case kName:
      return ColumnType::kText;
    case kBytea:
      return ColumnType::kBytes;
    default:
      return ColumnType::kOther;
  }
}

bool Rows::is_null(std::size_t column) const {
  return state_->sink.chunks()[state_->chunk].columns[column].is_null(state_->row);
}

std::string_view Rows::text(std::size_t column) const {
  state_->text.clear();
  if (!is_null(column)) {
    const types::Vector& values = state_->sink.chunks()[state_->chunk].columns[column];
    // Objects come by name already.
    if ((*state_->shape)[column].named) {
      state_->text = values.bytes_at(state_->row);
    } else {
      types::print_text((*state_->shape)[column].type, values, state_->row, state_->sink.settings(), state_->text);
    }
  }
  return state_->text;
}

template <>
std::optional<bool> Rows::get<bool>(std::size_t column) const {
  if (is_null(column) || column_type(column) != ColumnType::kBool) {
    return std::nullopt;
  }
  return state_->sink.chunks()[state_->chunk].columns[column].at<uint8_t>(state_->row) != 0;
}

template <>
std::optional<int64_t> Rows::get<int64_t>(std::size_t column) const {
  if (is_null(column) || column_type(column) != ColumnType::kInteger) {
    return std::nullopt;
  }
  const types::Vector& values = state_->sink.chunks()[state_->chunk].columns[column];
  switch (values.physical()) {
    case types::Physical::kInt16:
      return values.at<int16_t>(state_->row);
    case types::Physical::kInt32:
      return values.at<int32_t>(state_->row);
    case types::Physical::kUint32:
      return values.at<uint32_t>(state_->row);
    default:
      return values.at<int64_t>(state_->row);
  }
}

template <>
std::optional<double> Rows::get<double>(std::size_t column) const {
  if (is_null(column)) {
    return std::nullopt;
  }
  const types::Vector& values = state_->sink.chunks()[state_->chunk].columns[column];
  if (values.physical() == types::Physical::kFloat64) {
    return values.at<double>(state_->row);
  }
  if (values.physical() == types::Physical::kFloat32) {
    return values.at<float>(state_->row);
  }
  if (const auto number = get<int64_t>(column)) {
    return static_cast<double>(*number);
  }
  return std::nullopt;
}

template <>
std::optional<std::string> Rows::get<std::string>(std::size_t column) const {
  if (is_null(column)) {
    return std::nullopt;
  }
  return std::string(text(column));
}

}  // namespace pando
