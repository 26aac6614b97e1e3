#include "test/txn/store_script.h"

#include <algorithm>
#include <sstream>

#include "txn/conflict_errors.h"

namespace pando::test {
namespace {

using txn::Isolation;
using txn::LockStrength;
using txn::WaitPolicy;

std::vector<std::string> split(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) {
    words.push_back(word);
  }
  return words;
}

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::ranges::find(words, word) != words.end();
}

// The word that follows `key`, or "".
std::string after(const std::vector<std::string>& words, const std::string& key) {
  const auto place = std::ranges::find(words, key);
  return place == words.end() || place + 1 == words.end() ? "" : *(place + 1);
}

Isolation parse_isolation(const std::vector<std::string>& words, Isolation otherwise) {
  if (has(words, "read-committed")) {
    return Isolation::kReadCommitted;
  }
  if (has(words, "repeatable-read")) {
    return Isolation::kRepeatableRead;
  }
  return has(words, "serializable") ? Isolation::kSerializable : otherwise;
}

LockStrength parse_strength(const std::string& word) {
  if (word == "key-share") {
    return LockStrength::kKeyShare;
  }
  if (word == "share") {
    return LockStrength::kShare;
  }
  return word == "no-key-update" ? LockStrength::kNoKeyUpdate : LockStrength::kUpdate;
}

std::string rows(std::size_t count) { return std::to_string(count) + (count == 1 ? " row" : " rows"); }

}  // namespace

struct StoreScript::Session {
  std::string name;
  std::unique_ptr<txn::Transaction> transaction;
  std::unique_ptr<runtime::Cancellation> cancellation = std::make_unique<runtime::Cancellation>();
  std::map<std::string, txn::SavepointId> savepoints;
  // What it is doing, or empty.
  std::string running;
  bool waits_shown = false;
  // A statement failed: only rollback may follow, as in SQL.
  bool failed = false;
};

namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

Task<Result<Rows>> read_rows(txn::Transaction* transaction, txn::Span span, bool reverse) {
  Rows found;
  auto cursor = transaction->scan(std::move(span), {.reverse = reverse});
  KeyValueBatch batch;
  // Small steps, so that cursors are resumed often.
  constexpr std::size_t kStep = 2;
  do {
    PANDO_CO_TRY(co_await cursor->next(batch, kStep));
    for (std::size_t i = 0; i < batch.size(); ++i) {
      found.emplace_back(batch.key(i), batch.value(i));
    }
  } while (batch.size() > 0);
  co_return found;
}

std::string print(const Rows& rows) {
  std::string line;
  for (const auto& [key, value] : rows) {
    line += (line.empty() ? "" : " ") + key + "=" + value;
  }
  return line.empty() ? "(none)" : line;
}

// One attempt of a statement that changes the rows `change` picks; nothing when it must start over.
template <typename Change>
Task<Result<std::optional<std::size_t>>> change_rows_once(txn::Transaction* transaction, txn::Span span,
                                                          Change change) {
  PANDO_CO_ASSIGN(const Rows found, co_await read_rows(transaction, std::move(span), false));
  std::size_t changed = 0;
  for (const auto& [key, value] : found) {
    std::optional<std::string> next = value;
    if (!change(next)) {
      continue;
    }
    const auto strength = next.has_value() ? LockStrength::kNoKeyUpdate : LockStrength::kUpdate;
    PANDO_CO_ASSIGN(const auto outcome, co_await transaction->lock(key, strength, WaitPolicy::kBlock));
    if (outcome.changed_since_snapshot) {
      if (transaction->isolation() == Isolation::kReadCommitted) {
        co_return std::optional<std::size_t>();
      }
      PANDO_CO_ASSIGN(const auto newest, co_await transaction->get_latest(key));
      co_return newest.has_value() ? txn::concurrent_update() : txn::concurrent_delete();
    }
    PANDO_CO_TRY(next.has_value() ? transaction->put(key, *next) : transaction->erase(key));
    ++changed;
  }
  co_return std::optional<std::size_t>(changed);
}

template <typename Change>
Task<Result<std::string>> change_rows(txn::Transaction* transaction, txn::Span span, Change change) {
  const auto savepoint = transaction->savepoint();
  for (;;) {
    PANDO_CO_ASSIGN(const auto changed, co_await change_rows_once(transaction, span, change));
    if (changed.has_value()) {
      transaction->release(savepoint);
      co_return rows(*changed);
    }
    transaction->undo_writes_to(savepoint);
    transaction->begin_statement();
  }
}

txn::Span only(const std::string& key) { return {key, key + '\0'}; }

Task<Result<std::string>> insert(txn::Transaction* transaction, std::string key, std::string value) {
  PANDO_CO_TRY((co_await transaction->lock(key, LockStrength::kUpdate, WaitPolicy::kBlock)).status());
  PANDO_CO_ASSIGN(const auto existing, co_await transaction->get_latest(key));
  if (existing.has_value()) {
    co_return Status(sql_state::kUniqueViolation, "duplicate key value violates unique constraint");
  }
  PANDO_CO_TRY(transaction->put(key, value));
  co_return std::string("ok");
}

Task<Result<std::string>> lock(txn::Transaction* transaction, std::vector<std::string> words) {
  const auto policy = has(words, "nowait")        ? WaitPolicy::kNoWait
                      : has(words, "skip-locked") ? WaitPolicy::kSkipLocked
                                                  : WaitPolicy::kBlock;
  PANDO_CO_ASSIGN(const auto outcome, co_await transaction->lock(words[1], parse_strength(words[2]), policy));
  if (!outcome.granted) {
    co_return std::string("skipped");
  }
  co_return std::string(outcome.changed_since_snapshot ? "granted, changed since the snapshot" : "granted");
}

Task<Result<std::string>> read(txn::Transaction* transaction, std::vector<std::string> words) {
  if (words[0] == "get" || words[0] == "latest") {
    PANDO_CO_ASSIGN(const auto value, words[0] == "get" ? co_await transaction->get(words[1])
                                                        : co_await transaction->get_latest(words[1]));
    co_return value.value_or("(none)");
  }
  const txn::Span span{after(words, "from"), after(words, "to")};
  PANDO_CO_ASSIGN(Rows found, co_await read_rows(transaction, span, has(words, "reverse")));
  if (words[0] == "where") {
    std::erase_if(found, [&](const auto& row) { return row.second != words[1]; });
  }
  co_return print(found);
}

Task<Result<std::string>> write(txn::Transaction* transaction, std::vector<std::string> words) {
  using Value = std::optional<std::string>;
  if (words[0] == "insert") {
    co_return co_await insert(transaction, words[1], words[2]);
  }
  if (words[0] == "set") {
    const auto set = [value = words[2]](Value& row) { return row = value, true; };
    co_return co_await change_rows(transaction, only(words[1]), set);
  }
  if (words[0] == "delete") {
    const auto erase = [](Value& row) { return row.reset(), true; };
    co_return co_await change_rows(transaction, only(words[1]), erase);
  }
  if (words[0] == "delete-all") {
    const auto erase = [](Value& row) { return row.reset(), true; };
    co_return co_await change_rows(transaction, txn::Span{}, erase);
  }
  if (words[0] == "delete-where") {
    const auto erase = [value = words[1]](Value& row) { return *row == value ? (row.reset(), true) : false; };
    co_return co_await change_rows(transaction, txn::Span{}, erase);
  }
  const auto add = [by = std::stoi(words[1])](Value& row) { return row = std::to_string(std::stoi(*row) + by), true; };
  co_return co_await change_rows(transaction, txn::Span{}, add);
}

Task<Result<std::string>> perform(txn::Transaction* transaction, std::vector<std::string> words) {
  if (words[0] == "commit") {
    PANDO_CO_TRY(co_await transaction->commit());
    co_return std::string("committed");
  }
  if (words[0] == "rollback") {
    co_await transaction->rollback();
    co_return std::string("rolled back");
  }
  transaction->begin_statement();
  if (words[0] == "lock") {
    co_return co_await lock(transaction, words);
  }
  const bool reads = words[0] == "get" || words[0] == "latest" || words[0] == "all" || words[0] == "where";
  if (reads) {
    co_return co_await read(transaction, words);
  }
  co_return co_await write(transaction, words);
}

Task<void> perform_and_tell(txn::Transaction* transaction, std::vector<std::string> words,
                            std::function<void(Result<std::string>)> done) {
  done(co_await perform(transaction, std::move(words)));
}

}  // namespace

StoreScript::StoreScript(txn::Store& store, txn::LockTable& locks, ManualTimer& timer)
    : store_(store), locks_(locks), timer_(timer) {}

StoreScript::~StoreScript() { reset(); }

// Puts the names of sessions for the ids of their transactions, which depend on what ran before.
std::string StoreScript::name_owners(std::string line) const {
  for (const auto& [name, session] : sessions_) {
    if (session->transaction != nullptr) {
      const std::string id = " " + std::to_string(session->transaction->id().number()) + "=";
      for (auto at = line.find(id); at != std::string::npos; at = line.find(id)) {
        line.replace(at, id.size(), " " + name + ":");
      }
    }
  }
  return line;
}

StoreScript::Session& StoreScript::session(const std::string& name) {
  auto& session = sessions_[name];
  if (session == nullptr) {
    session = std::make_unique<Session>();
    session->name = name;
  }
  return *session;
}

void StoreScript::begin(Session& session, const Words& words) {
  txn::TransactionOptions options{.isolation = parse_isolation(words, isolation_),
                                  .read_only = has(words, "read-only"),
                                  .executor = &executor_,
                                  .cancellation = session.cancellation.get()};
  for (const auto& word : words) {
    if (word.starts_with("lock-timeout=")) {
      options.lock_timeout = std::chrono::milliseconds(std::stoi(word.substr(word.find('=') + 1)));
    }
  }
  session.cancellation->reset();
  session.transaction = store_.begin(options);
  session.failed = false;
  session.savepoints.clear();
}

void StoreScript::start(Session& session, Words words) {
  session.running = words[0];
  session.waits_shown = false;
  const bool ends = words[0] == "commit" || words[0] == "rollback";
  runtime::spawn(
      executor_, perform_and_tell(session.transaction.get(), words, [this, &session, ends](Result<std::string> result) {
        output_ +=
            session.name + " " + session.running + ": " + (result.ok() ? *result : result.status().to_string()) + "\n";
        session.running.clear();
        session.failed = !result.ok();
        if (ends) {
          session.transaction.reset();
        }
      }));
}

std::string StoreScript::run_line(const std::string& line) {
  Words words = split(line);
  if (words.empty()) {
    return "";
  }
  if (words[0] == "advance") {
    timer_.advance(std::chrono::milliseconds(std::stoi(words[1])));
  } else if (words[0] == "locks") {
    for (const auto& described : locks_.describe()) {
      output_ += name_owners(described) + "\n";
    }
  } else {
    Session& session = this->session(words[0].substr(0, words[0].find(':')));
    words.erase(words.begin());
    if (words[0] == "begin") {
      begin(session, words);
    } else if (words[0] == "cancel") {
      session.cancellation->request(Status(sql_state::kQueryCanceled, "canceling statement due to user request"));
    } else if (session.transaction == nullptr) {
      output_ += session.name + " " + words[0] + ": has ended\n";
    } else if (session.failed && words[0] == "commit") {
      // As in SQL.
      start(session, {"rollback"});
    } else if (session.failed && words[0] != "rollback" && words[0] != "rollback-to") {
      output_ += session.name + " " + words[0] + ": 25P02\n";
    } else if (words[0] == "savepoint") {
      session.savepoints[words[1]] = session.transaction->savepoint();
    } else if (words[0] == "rollback-to") {
      session.transaction->rollback_to(session.savepoints.at(words[1]));
      session.failed = false;
    } else if (words[0] == "release") {
      session.transaction->release(session.savepoints.at(words[1]));
    } else {
      start(session, words);
    }
  }
  settle();
  return take_output();
}

void StoreScript::settle() {
  const auto running = [this] {
    return static_cast<std::size_t>(
        std::ranges::count_if(sessions_, [](const auto& entry) { return !entry.second->running.empty(); }));
  };
  constexpr std::chrono::milliseconds kPatience{10};
  executor_.run_ready();
  // Whoever neither runs nor waits for a lock waits for the disk.
  while (running() != locks_.counts().waiters || !executor_.idle()) {
    executor_.wait_for_post(kPatience);
    executor_.run_ready();
  }
  for (const auto& [name, session] : sessions_) {
    if (!session->running.empty() && !session->waits_shown) {
      output_ += name + " " + session->running + ": waits\n";
      session->waits_shown = true;
    }
  }
}

std::string StoreScript::take_output() { return std::exchange(output_, ""); }

std::string StoreScript::dump() {
  Session& reader = session("dump");
  begin(reader, {"read-only"});
  start(reader, {"all"});
  settle();
  reader.transaction.reset();
  return take_output().substr(std::string("dump all: ").size());
}

void StoreScript::reset() {
  for (const auto& [name, session] : sessions_) {
    session->cancellation->request(Status(sql_state::kAdminShutdown, "the script has ended"));
    settle();
  }
  sessions_.clear();
  for (const char* line : {"cleaner: begin read-committed", "cleaner: delete-all", "cleaner: commit"}) {
    run_line(line);
  }
  sessions_.clear();
  take_output();
}

std::string StoreScript::handle(const Command& command) {
  if (command.name == "isolation") {
    isolation_ = parse_isolation({command.arguments.at(0).key}, isolation_);
    return "";
  }
  if (command.name == "dump") {
    return dump();
  }
  if (command.name == "reset") {
    reset();
    return "";
  }
  std::string all;
  std::istringstream lines(command.input);
  for (std::string line; std::getline(lines, line);) {
    all += run_line(line);
  }
  return all;
}

}  // namespace pando::test
