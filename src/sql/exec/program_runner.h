#pragma once

// ProgramRunner: runs programs (program.h) over the entries of a shard, for a gateway here or on another node: the
// operators of the plan over one scan, without a transaction or a session.
//
//   exec::ProgramRunner runner;
//   store.use_programs(&runner);
//
// Thread-safe.

#include "txn/program.h"

namespace pando::sql::exec {

class ProgramRunner final : public txn::ProgramRunner {
 public:
  Task<Status> run(ByteView program, txn::ProgramInput& input, runtime::Executor& executor, Bytes& output) override;
};

}  // namespace pando::sql::exec
