#pragma once

// CopySource and CopyTarget: where COPY's data comes from and goes to, the client or a file of the server.
// Thread-safety: the session's coroutine only.

#include <memory>
#include <string>

#include "runtime/disk.h"
#include "session/result_sink.h"

namespace pando::session {

class CopySource {
 public:
  virtual ~CopySource() = default;
  // Replaces `data` with the next piece; false at its end.
  virtual Task<Result<bool>> read(Bytes& data) = 0;
};

class CopyTarget {
 public:
  virtual ~CopyTarget() = default;
  virtual void add(ByteView data) = 0;
  // Passes on what was added, when it is much.
  virtual Task<Status> drain() = 0;
  virtual Task<Status> end() = 0;
};

// REQUIRES: `sink` outlives it.
Result<std::unique_ptr<CopySource>> client_source(ResultSink& sink, ValueFormat format, std::size_t columns);
Result<std::unique_ptr<CopyTarget>> client_target(ResultSink& sink, ValueFormat format, std::size_t columns);

// 58P01 when there is no such file. REQUIRES: `files` outlives it.
Task<Result<std::unique_ptr<CopySource>>> file_source(runtime::Disk& files, std::string path);
// Replaces the file's contents. 42602 for a path that is not absolute.
Task<Result<std::unique_ptr<CopyTarget>>> file_target(runtime::Disk& files, std::string path);

}  // namespace pando::session
