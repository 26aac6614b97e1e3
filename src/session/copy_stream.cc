#include "session/copy_stream.h"

#include <utility>

namespace pando::session {
namespace {

// How much of a file is read or written at a time.
constexpr std::size_t kFilePieceBytes = 256_KiB;

class ClientSource final : public CopySource {
 public:
  explicit ClientSource(ResultSink& sink) : sink_(sink) {}
  Task<Result<bool>> read(Bytes& data) override { return sink_.read_copy_data(data); }

 private:
  ResultSink& sink_;
};

class ClientTarget final : public CopyTarget {
 public:
  explicit ClientTarget(ResultSink& sink) : sink_(sink) {}
  void add(ByteView data) override { sink_.add_copy_data(data); }
  Task<Status> drain() override { co_return sink_.wants_drain() ? co_await sink_.drain() : Status(); }
  Task<Status> end() override {
    sink_.end_copy_out();
    co_return Status();
  }

 private:
  ResultSink& sink_;
};

class FileSource final : public CopySource {
 public:
  explicit FileSource(std::unique_ptr<runtime::File> file) : file_(std::move(file)) {}
  Task<Result<bool>> read(Bytes& data) override {
    PANDO_CO_ASSIGN(data, co_await file_->read(offset_, kFilePieceBytes));
    offset_ += data.size();
    co_return !data.empty();
  }

 private:
  std::unique_ptr<runtime::File> file_;
  uint64_t offset_ = 0;
};

class FileTarget final : public CopyTarget {
 public:
  explicit FileTarget(std::unique_ptr<runtime::File> file) : file_(std::move(file)) {}
  void add(ByteView data) override { waiting_ += data; }
  Task<Status> drain() override { co_return waiting_.size() < kFilePieceBytes ? Status() : co_await write_waiting(); }
  Task<Status> end() override { return write_waiting(); }

 private:
  Task<Status> write_waiting() {
    const std::size_t size = waiting_.size();
    PANDO_CO_TRY(co_await file_->write(offset_, std::exchange(waiting_, {})));
    offset_ += size;
    co_return Status();
  }

  std::unique_ptr<runtime::File> file_;
  Bytes waiting_;
  uint64_t offset_ = 0;
};

// As PostgreSQL words a file that is not there.
Status cannot_open(Status status, std::string_view path, std::string_view purpose, std::string_view advice) {
  if (!status.is(sql_state::kUndefinedFile)) {
    return status;
  }
  return Status(sql_state::kUndefinedFile, "could not open file \"{}\" for {}: No such file or directory", path,
                purpose)
      .with_hint(fmt::format("{} a file. You may want a client-side facility such as psql's \\copy.", advice));
}

}  // namespace

Result<std::unique_ptr<CopySource>> client_source(ResultSink& sink, ValueFormat format, std::size_t columns) {
  sink.begin_copy_in(format, columns);
  return std::unique_ptr<CopySource>(std::make_unique<ClientSource>(sink));
}

Result<std::unique_ptr<CopyTarget>> client_target(ResultSink& sink, ValueFormat format, std::size_t columns) {
  sink.begin_copy_out(format, columns);
  return std::unique_ptr<CopyTarget>(std::make_unique<ClientTarget>(sink));
}

Task<Result<std::unique_ptr<CopySource>>> file_source(runtime::Disk& files, std::string path) {
  auto file = co_await files.open(path, runtime::OpenMode::kReadOnly);
  if (!file.ok()) {
    co_return cannot_open(std::move(file).status(), path, "reading",
                          "COPY FROM instructs the PostgreSQL server process to read");
  }
  co_return std::unique_ptr<CopySource>(std::make_unique<FileSource>(*std::move(file)));
}

Task<Result<std::unique_ptr<CopyTarget>>> file_target(runtime::Disk& files, std::string path) {
  if (!path.starts_with('/')) {
    co_return Status(sql_state::kInvalidName, "relative path not allowed for COPY to file");
  }
  auto file = co_await files.open(path, runtime::OpenMode::kCreateOrOpen);
  if (!file.ok()) {
    co_return cannot_open(std::move(file).status(), path, "writing",
                          "COPY TO instructs the PostgreSQL server process to write");
  }
  PANDO_CO_TRY(co_await (*file)->truncate(0));
  co_return std::unique_ptr<CopyTarget>(std::make_unique<FileTarget>(*std::move(file)));
}

}  // namespace pando::session
