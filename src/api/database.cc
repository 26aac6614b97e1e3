#include "pando/database.h"

#include "api/state.h"

namespace pando {
namespace {

// How a directory's memory is shared between the cache of pages and that of rows.
constexpr std::size_t kPageShare = 2;
constexpr std::size_t kRowShare = 4;

}  // namespace

Error to_error(const Status& status) {
  if (status.ok()) {
    return {};
  }
  const ErrorFields& fields = status.fields();
  return {.sqlstate = std::string(fields.code.view()),
          .message = fields.message,
          .detail = fields.detail,
          .hint = fields.hint,
          .position = fields.position};
}

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}
Database::Database(Database&&) noexcept = default;

Database& Database::operator=(Database&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

Database::~Database() {
  if (state_) {
    state_->node->close().ignore("every commit is durable already");
  }
}

Expected<Database> Database::open(std::string_view directory, OpenOptions options) {
  node::NodeOptions node_options;
  node_options.directory = directory;
  node_options.block_cache_bytes = options.cache_bytes / kPageShare;
  node_options.record_cache_bytes = options.cache_bytes / kRowShare;
  auto node = node::Node::open(std::move(node_options));
  if (!node.ok()) {
    return to_unexpected(node.status());
  }
  return Database(std::make_unique<State>(State{*std::move(node)}));
}

Expected<Connection> Database::connect() {
  auto state = std::make_unique<Connection::State>(state_->node->environment(), session::SessionIdentity{});
  return Connection(std::move(state));
}

}  // namespace pando
