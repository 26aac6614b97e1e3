#include "test/support/memory_disk.h"

#include <algorithm>
#include <utility>

namespace pando::test {
namespace {

constexpr std::size_t kSectorBytes = 512;

// Of the sectors that differ, some reach the disk.
Bytes torn(const Bytes& durable, const Bytes& current, Prng& prng) {
  Bytes mixed = durable;
  mixed.resize(std::max(durable.size(), current.size()), '\0');
  for (std::size_t offset = 0; offset < current.size(); offset += kSectorBytes) {
    if (prng.chance(0.5)) {
      const std::size_t size = std::min(kSectorBytes, current.size() - offset);
      mixed.replace(offset, size, current, offset, size);
    }
  }
  return mixed;
}

}  // namespace

class MemoryDisk::OpenFile final : public runtime::File {
 public:
  OpenFile(MemoryDisk& disk, Bytes path, std::shared_ptr<Contents> contents)
      : disk_(disk), path_(std::move(path)), contents_(std::move(contents)) {}

  Task<Result<Bytes>> read(uint64_t offset, std::size_t size) override {
    PANDO_CO_TRY(disk_.fault(Operation::kRead, path_));
    MutexLock lock(disk_.mutex_);
    const Bytes& bytes = contents_->current;
    co_return offset >= bytes.size() ? Bytes() : bytes.substr(offset, size);
  }
  Task<Status> write(uint64_t offset, Bytes bytes) override {
    PANDO_CO_TRY(disk_.fault(Operation::kWrite, path_));
    MutexLock lock(disk_.mutex_);
    PANDO_CO_TRY(disk_.grow(path_, *contents_, offset + bytes.size()));
    contents_->current.replace(offset, bytes.size(), bytes);
    contents_->dirty.push_back({offset, bytes.size()});
    co_return Status();
  }
  Task<Status> allocate(uint64_t size) override {
    PANDO_CO_TRY(disk_.fault(Operation::kAllocate, path_));
    MutexLock lock(disk_.mutex_);
    PANDO_CO_TRY(disk_.grow(path_, *contents_, size));
    contents_->durable.resize(contents_->current.size(), '\0');
    co_return Status();
  }
  Task<Status> truncate(uint64_t size) override {
    PANDO_CO_TRY(disk_.fault(Operation::kTruncate, path_));
    MutexLock lock(disk_.mutex_);
    contents_->current.resize(size, '\0');
    co_return Status();
  }
  Task<Status> sync() override {
    const Status fault = disk_.fault(Operation::kSync, path_);
    MutexLock lock(disk_.mutex_);
    const std::vector<Range> written = std::exchange(contents_->dirty, {});
    PANDO_CO_TRY(fault);
    contents_->durable.resize(contents_->current.size(), '\0');
    for (const Range& range : written) {
      contents_->durable.replace(range.offset, range.size, contents_->current, range.offset, range.size);
    }
    co_return Status();
  }
  Task<Result<uint64_t>> size() override {
    MutexLock lock(disk_.mutex_);
    co_return contents_->current.size();
  }

 private:
  MemoryDisk& disk_;
  const Bytes path_;
  const std::shared_ptr<Contents> contents_;
};

Status MemoryDisk::fault(Operation operation, const Bytes& path) {
  Fault fault;
  {
    MutexLock lock(mutex_);
    fault = fault_;
  }
  return fault ? fault(operation, path) : Status();
}

Status MemoryDisk::grow(const Bytes& path, Contents& contents, uint64_t size) {
  if (size <= contents.current.size()) {
    return Status();
  }
  uint64_t total = size - contents.current.size();
  for (const auto& [name, file] : names_) {
    total += file->current.size();
  }
  if (total > capacity_) {
    return Status(sql_state::kDiskFull, "could not write to file \"{}\": No space left on device", path);
  }
  contents.current.resize(size, '\0');
  return Status();
}

void MemoryDisk::set_fault(Fault fault) {
  MutexLock lock(mutex_);
  fault_ = std::move(fault);
}

void MemoryDisk::set_capacity(uint64_t bytes) {
  MutexLock lock(mutex_);
  capacity_ = bytes;
}

void MemoryDisk::crash(Prng* prng) {
  MutexLock lock(mutex_);
  names_ = durable_names_;
  for (const auto& [name, file] : names_) {
    file->current = prng == nullptr ? file->durable : torn(file->durable, file->current, *prng);
    file->durable = file->current;
    file->dirty.clear();
  }
}

Bytes& MemoryDisk::contents(const Bytes& path) {
  MutexLock lock(mutex_);
  const auto found = names_.find(path);
  PANDO_ASSERT(found != names_.end(), "no such file");
  return found->second->current;
}

Task<Result<std::unique_ptr<runtime::File>>> MemoryDisk::open(Bytes path, runtime::OpenMode mode) {
  PANDO_CO_TRY(fault(Operation::kOpen, path));
  MutexLock lock(mutex_);
  auto found = names_.find(path);
  if (found == names_.end() && runtime::must_exist(mode)) {
    co_return Status(sql_state::kUndefinedFile, "could not open file \"{}\": No such file or directory", path);
  }
  if (found != names_.end() && mode == runtime::OpenMode::kCreate) {
    co_return Status(sql_state::kIoError, "could not create file \"{}\": File exists", path);
  }
  if (found == names_.end()) {
    found = names_.emplace(path, std::make_shared<Contents>()).first;
  }
  co_return std::unique_ptr<runtime::File>(std::make_unique<OpenFile>(*this, std::move(path), found->second));
}

Task<Status> MemoryDisk::create_directory(Bytes path) { co_return Status(); }

Task<Result<std::vector<Bytes>>> MemoryDisk::list(Bytes directory) {
  MutexLock lock(mutex_);
  std::vector<Bytes> names;
  for (const auto& [name, file] : names_) {
    if (name.starts_with(directory + "/")) {
      names.push_back(name.substr(directory.size() + 1));
    }
  }
  co_return names;
}

Task<Status> MemoryDisk::remove(Bytes path) {
  PANDO_CO_TRY(fault(Operation::kRemove, path));
  MutexLock lock(mutex_);
  if (names_.erase(path) == 0) {
    co_return Status(sql_state::kUndefinedFile, "could not remove file \"{}\": No such file or directory", path);
  }
  co_return Status();
}

Task<Status> MemoryDisk::rename(Bytes from, Bytes to) {
  PANDO_CO_TRY(fault(Operation::kRename, from));
  MutexLock lock(mutex_);
  auto node = names_.extract(from);
  if (node.empty()) {
    co_return Status(sql_state::kUndefinedFile, "could not rename file \"{}\": No such file or directory", from);
  }
  names_.insert_or_assign(std::move(to), std::move(node.mapped()));
  co_return Status();
}

Task<Status> MemoryDisk::sync_directory(Bytes directory) {
  PANDO_CO_TRY(fault(Operation::kSyncDirectory, directory));
  MutexLock lock(mutex_);
  const Bytes prefix = directory + "/";
  std::erase_if(durable_names_, [&](const auto& entry) { return entry.first.starts_with(prefix); });
  for (const auto& [name, file] : names_) {
    if (name.starts_with(prefix)) {
      durable_names_[name] = file;
    }
  }
  co_return Status();
}

}  // namespace pando::test
