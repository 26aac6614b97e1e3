#pragma once

// ProgramPages: the results of a program over a span of a cluster, page by page from the leaseholders, several of which
// work at the same time.

#include <deque>

#include "kv/cluster/call_ahead.h"
#include "kv/cluster/cluster_transaction.h"
#include "kv/cluster/program_requests.h"
#include "txn/program.h"

namespace pando::kv {

class ProgramPages final : public txn::ProgramResults {
 public:
  ProgramPages(ClusterTransaction& transaction, txn::Span span, Bytes program, const txn::ProgramOptions& options);

  Task<Result<std::optional<Bytes>>> next() override;

 private:
  // A part of the span that was not read yet, in one shard once it is asked for.
  struct Piece {
    txn::Span span;
    std::shared_ptr<CallAhead<EvaluateRequest>> call;
  };

  // Asks for pages until enough are under way.
  Task<Status> ask_more();
  Task<Status> ask(std::size_t index);
  // The piece whose page is taken next.
  std::size_t choose() const;
  Task<Status> receive(Piece piece, AnswerTo<EvaluateRequest> answer, Bytes& output);
  // What is left of a piece takes its place; where the order does not matter it comes after all others.
  void put_back(txn::Span span);

  ClusterTransaction& transaction_;
  const Bytes program_;
  const txn::ProgramOptions options_;
  // Of the statement that made it, once it is chosen.
  ReadPoint point_;
  std::deque<Piece> pieces_;
  uint64_t page_bytes_;
  // That have come.
  std::size_t pages_ = 0;
  int retries_ = 0;
};

}  // namespace pando::kv
