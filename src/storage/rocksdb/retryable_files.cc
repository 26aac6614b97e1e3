#include "storage/rocksdb/retryable_files.h"

namespace pando::storage {
namespace {

rocksdb::IOStatus retryable(rocksdb::IOStatus status) {
  if (status.IsNoSpace()) {
    status = rocksdb::IOStatus::IOError(kNoSpaceMessage, status.getState() == nullptr ? "" : status.getState());
  }
  if (status.IsIOError()) {
    status.SetRetryable(true);
  }
  return status;
}

// For RocksDB's own log. It takes a failed append for a mistake of its caller's, and ends the process at the next one:
// lines that find no room are lost instead.
rocksdb::IOStatus forgiven(rocksdb::IOStatus status) {
  status.PermitUncheckedError();
  return rocksdb::IOStatus::OK();
}

// A file of which what every write says passes through `judge`.
class JudgedFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  using Judge = rocksdb::IOStatus (*)(rocksdb::IOStatus status);
  JudgedFile(std::unique_ptr<rocksdb::FSWritableFile> file, Judge judge)
      : FSWritableFileOwnerWrapper(std::move(file)), judge_(judge) {}

  using Options = rocksdb::IOOptions;
  using Debug = rocksdb::IODebugContext;

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const Options& options, Debug* debug) override {
    return judge_(FSWritableFileOwnerWrapper::Append(data, options, debug));
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const Options& options,
                           const rocksdb::DataVerificationInfo& verification, Debug* debug) override {
    return judge_(FSWritableFileOwnerWrapper::Append(data, options, verification, debug));
  }
  rocksdb::IOStatus PositionedAppend(const rocksdb::Slice& data, uint64_t offset, const Options& options,
                                     Debug* debug) override {
    return judge_(FSWritableFileOwnerWrapper::PositionedAppend(data, offset, options, debug));
  }
  rocksdb::IOStatus PositionedAppend(const rocksdb::Slice& data, uint64_t offset, const Options& options,
                                     const rocksdb::DataVerificationInfo& verification, Debug* debug) override {
    return judge_(FSWritableFileOwnerWrapper::PositionedAppend(data, offset, options, verification, debug));
  }
  rocksdb::IOStatus Truncate(uint64_t size, const Options& options, Debug* debug) override {
    return judge_(FSWritableFileOwnerWrapper::Truncate(size, options, debug));
  }
  rocksdb::IOStatus Close(const Options& options, Debug* debug) override {
    return judge_(FSWritableFileOwnerWrapper::Close(options, debug));
  }
  rocksdb::IOStatus Flush(const Options& options, Debug* debug) override {
    return judge_(FSWritableFileOwnerWrapper::Flush(options, debug));
  }
  rocksdb::IOStatus Sync(const Options& options, Debug* debug) override {
    return judge_(FSWritableFileOwnerWrapper::Sync(options, debug));
  }
  rocksdb::IOStatus Fsync(const Options& options, Debug* debug) override {
    return judge_(FSWritableFileOwnerWrapper::Fsync(options, debug));
  }
  rocksdb::IOStatus RangeSync(uint64_t offset, uint64_t size, const Options& options, Debug* debug) override {
    return judge_(FSWritableFileOwnerWrapper::RangeSync(offset, size, options, debug));
  }
  rocksdb::IOStatus Allocate(uint64_t offset, uint64_t size, const Options& options, Debug* debug) override {
    return judge_(FSWritableFileOwnerWrapper::Allocate(offset, size, options, debug));
  }

 private:
  const Judge judge_;
};

bool is_log(const std::string& path) { return path.ends_with("/LOG"); }

class RetryableFiles final : public rocksdb::FileSystemWrapper {
 public:
  explicit RetryableFiles(std::shared_ptr<rocksdb::FileSystem> files) : FileSystemWrapper(std::move(files)) {}
  const char* Name() const override { return "pando.RetryableFiles"; }

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSWritableFile> opened;
    rocksdb::IOStatus status = FileSystemWrapper::NewWritableFile(path, options, &opened, debug);
    if (status.ok()) {
      *file = std::make_unique<JudgedFile>(std::move(opened), is_log(path) ? forgiven : retryable);
    }
    return retryable(std::move(status));
  }
  // The wrapped file system would make the log's file without asking here.
  rocksdb::IOStatus NewLogger(const std::string& path, const rocksdb::IOOptions& options,
                              std::shared_ptr<rocksdb::Logger>* log, rocksdb::IODebugContext* debug) override {
    return rocksdb::FileSystem::NewLogger(path, options, log, debug);
  }
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override {
    return retryable(FileSystemWrapper::RenameFile(from, to, options, debug));
  }
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> make_retryable_files(std::shared_ptr<rocksdb::FileSystem> files) {
  return std::make_shared<RetryableFiles>(std::move(files));
}

}  // namespace pando::storage
