#include "runtime/os/posix_disk.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pando::runtime {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr mode_t kDirectoryMode = 0700;
constexpr std::size_t kZeroBlockBytes = 1_MiB;

class PosixFile final : public File {
 public:
  PosixFile(Bytes path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  ~PosixFile() override { ::close(descriptor_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  Task<Result<Bytes>> read(uint64_t offset, std::size_t size) override {
    Bytes bytes(size, '\0');
    std::size_t done = 0;
    while (done < size) {
      const ssize_t count = ::pread(descriptor_, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
      if (count < 0 && errno == EINTR) {
        continue;
      }
      if (count < 0) {
        co_return failed("read");
      }
      if (count == 0) {
        break;
      }
      done += static_cast<std::size_t>(count);
    }
    bytes.resize(done);
    co_return bytes;
  }

  Task<Status> write(uint64_t offset, Bytes bytes) override { co_return write_all(offset, bytes); }

  Task<Status> allocate(uint64_t size) override {
    struct stat info{};
    if (::fstat(descriptor_, &info) != 0) {
      co_return failed("stat");
    }
    // Fails at once when there is no room, before anything is written.
    if (const int error = ::posix_fallocate(descriptor_, 0, static_cast<off_t>(size)); error != 0) {
      co_return status_of_errno(error, fmt::format("could not write to file \"{}\"", path_));
    }
    // Writing the zeroes turns unwritten extents into written ones, which a later sync then need not convert.
    const Bytes zeroes(kZeroBlockBytes, '\0');
    for (auto offset = static_cast<uint64_t>(info.st_size); offset < size;) {
      const std::size_t count = std::min<uint64_t>(zeroes.size(), size - offset);
      PANDO_CO_TRY(write_all(offset, ByteView(zeroes).substr(0, count)));
      offset += count;
    }
    co_return ::fsync(descriptor_) == 0 ? Status() : failed("fsync");
  }

  Task<Status> truncate(uint64_t size) override {
    co_return ::ftruncate(descriptor_, static_cast<off_t>(size)) == 0 ? Status() : failed("truncate");
  }

  Task<Status> sync() override { co_return ::fdatasync(descriptor_) == 0 ? Status() : failed("fsync"); }

  Task<Result<uint64_t>> size() override {
    struct stat info{};
    if (::fstat(descriptor_, &info) != 0) {
      co_return failed("stat");
    }
    co_return static_cast<uint64_t>(info.st_size);
  }

 private:
  Status failed(const char* verb) const {
    return status_of_errno(errno, fmt::format("could not {} file \"{}\"", verb, path_));
  }

  Status write_all(uint64_t offset, ByteView bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) {
        continue;
      }
      if (count <= 0) {
        // A write of nothing means no room, as PostgreSQL reads it.
        return status_of_errno(count == 0 ? ENOSPC : errno, fmt::format("could not write to file \"{}\"", path_));
      }
      bytes.remove_prefix(static_cast<std::size_t>(count));
      offset += static_cast<uint64_t>(count);
    }
    return Status();
  }

  const Bytes path_;
  const int descriptor_;
};

int open_flags(OpenMode mode) {
  switch (mode) {
    case OpenMode::kReadOnly:
      return O_RDONLY | O_CLOEXEC;
    case OpenMode::kExisting:
      return O_RDWR | O_CLOEXEC;
    case OpenMode::kCreate:
      return O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL;
    case OpenMode::kCreateOrOpen:
      return O_RDWR | O_CLOEXEC | O_CREAT;
  }
  PANDO_UNREACHABLE("an open mode");
}

}  // namespace

Status status_of_errno(int error, Bytes what) {
  SqlState code = sql_state::kIoError;
  if (error == ENOSPC || error == EDQUOT) {
    code = sql_state::kDiskFull;
  } else if (error == ENOENT) {
    code = sql_state::kUndefinedFile;
  }
  return Status(code, "{}: {}", what, std::generic_category().message(error));
}

Task<Result<std::unique_ptr<File>>> PosixDisk::open(Bytes path, OpenMode mode) {
  const int descriptor = ::open(path.c_str(), open_flags(mode), kFileMode);
  if (descriptor < 0) {
    const int error = errno;
    co_return status_of_errno(error,
                              fmt::format("could not {} file \"{}\"", must_exist(mode) ? "open" : "create", path));
  }
  co_return std::unique_ptr<File>(std::make_unique<PosixFile>(std::move(path), descriptor));
}

Task<Status> PosixDisk::create_directory(Bytes path) {
  if (::mkdir(path.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
    const int error = errno;
    co_return status_of_errno(error, fmt::format("could not create directory \"{}\"", path));
  }
  co_return Status();
}

Task<Result<std::vector<Bytes>>> PosixDisk::list(Bytes directory) {
  DIR* stream = ::opendir(directory.c_str());
  if (stream == nullptr) {
    const int error = errno;
    co_return status_of_errno(error, fmt::format("could not open directory \"{}\"", directory));
  }
  std::vector<Bytes> names;
  errno = 0;
  for (const dirent* entry = ::readdir(stream); entry != nullptr; entry = ::readdir(stream)) {
    if (const ByteView name = entry->d_name; name != "." && name != "..") {
      names.emplace_back(name);
    }
  }
  const int error = errno;
  ::closedir(stream);
  if (error != 0) {
    co_return status_of_errno(error, fmt::format("could not read directory \"{}\"", directory));
  }
  std::ranges::sort(names);
  co_return names;
}

Task<Status> PosixDisk::remove(Bytes path) {
  if (::unlink(path.c_str()) != 0) {
    const int error = errno;
    co_return status_of_errno(error, fmt::format("could not remove file \"{}\"", path));
  }
  co_return Status();
}

Task<Status> PosixDisk::rename(Bytes from, Bytes to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    const int error = errno;
    co_return status_of_errno(error, fmt::format("could not rename file \"{}\" to \"{}\"", from, to));
  }
  co_return Status();
}

Task<Status> PosixDisk::sync_directory(Bytes directory) {
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) {
    const int error = errno;
    co_return status_of_errno(error, fmt::format("could not open directory \"{}\"", directory));
  }
  const int error = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  co_return error == 0 ? Status() : status_of_errno(error, fmt::format("could not fsync file \"{}\"", directory));
}

}  // namespace pando::runtime
