#pragma once

// What stands behind the public classes of include/pando. Internal to api/.

#include <memory>
#include <string>
#include <vector>

#include "node/node.h"
#include "pando/database.h"
#include "runtime/block_on.h"
#include "session/result_sink.h"
#include "session/session.h"

namespace pando {

Error to_error(const Status& status);
inline std::unexpected<Error> to_unexpected(const Status& status) { return std::unexpected(to_error(status)); }

struct Database::State {
  std::unique_ptr<node::Node> node;
};

// Keeps the rows of an execution for the caller to walk through, and feeds COPY with what an Appender has gathered.
class CollectingSink final : public session::ResultSink {
 public:
  void begin_rows(const session::RowShapePtr& shape, const types::Settings& settings, bool) override {
    shape_ = shape;
    settings_ = settings;
  }
  Status add_rows(const types::Chunk& chunk, std::size_t first, std::size_t count) override;
  void complete(std::string_view tag) override { tag_ = tag; }
  void empty_query() override { tag_.clear(); }
  void notice(session::NoticeSeverity, const ErrorFields&) override {}
  bool wants_drain() const override { return false; }
  Task<Status> drain() override { co_return Status(); }
  uint64_t mark() const override { return chunks_.size(); }
  bool rewind(uint64_t mark) override {
    chunks_.resize(mark);
    return true;
  }
  void begin_copy_out(session::ValueFormat, std::size_t) override {}
  void add_copy_data(ByteView) override {}
  void end_copy_out() override {}
  void begin_copy_in(session::ValueFormat, std::size_t) override {}
  Task<Result<bool>> read_copy_data(Bytes& data) override;

  // Forgets rows, keeps the shape.
  void clear_rows() { chunks_.clear(); }
  void set_copy_data(Bytes data) { copy_data_ = std::move(data); }
  const std::vector<types::Chunk>& chunks() const { return chunks_; }
  const session::RowShapePtr& shape() const { return shape_; }
  const types::Settings& settings() const { return settings_; }
  const std::string& tag() const { return tag_; }

 private:
  session::RowShapePtr shape_;
  types::Settings settings_;
  std::vector<types::Chunk> chunks_;
  std::string tag_;
  Bytes copy_data_;
};

struct Connection::State {
  State(session::SessionEnvironment& environment, session::SessionIdentity identity)
      : session(environment, executor, std::move(identity)) {}

  // Runs on the caller's thread: nothing is handed to another unless it has to wait.
  runtime::InlineExecutor executor;
  session::Session session;
  uint64_t next_statement = 0;
  // Of bind(), kept for their memory.
  std::vector<types::Value> values;
  std::vector<Bytes> texts;
  std::vector<session::BoundParameter> bound;

  Status run(std::string_view sql, CollectingSink& sink);
  // Binds the parameters to the unnamed portal of a prepared statement. An error has ended what it ends.
  Status bind(const std::string& statement, std::span<const Parameter> parameters);
  Result<session::ExecuteOutcome> fetch(uint64_t rows_max, CollectingSink& sink);
  Status sync();
  Status prepare(const std::string& name, std::string_view sql);
};

struct Rows::State {
  Connection::State* connection = nullptr;
  CollectingSink sink;
  session::RowShapePtr shape;
  std::size_t chunk = 0;
  std::size_t row = 0;
  bool on_row = false;
  bool ended = false;
  Error error;
  mutable Bytes text;
  mutable std::string tag;

  // Gets the next rows, or ends.
  void fetch();
  void end(Status status);
};

struct Statement::State {
  Connection::State* connection = nullptr;
  std::string name;
  std::vector<Parameter> parameters;
};

struct Appender::State {
  Connection::State* connection = nullptr;
  std::string copy_sql;
  Bytes data;
  std::size_t columns = 0;
};

// The number at the end of a command tag: "INSERT 0 3" is 3.
uint64_t row_count(std::string_view tag);

}  // namespace pando
