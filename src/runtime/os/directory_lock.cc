#include "runtime/os/directory_lock.h"

#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "runtime/os/posix_disk.h"

namespace pando::runtime {
namespace {

constexpr const char* kLockFile = "/LOCK.pando";
constexpr mode_t kLockFileMode = 0600;

// What the holder wrote: its process id. Empty when it has not yet.
Bytes read_holder(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t count = ::pread(descriptor, text.data(), text.size(), 0);
  Bytes holder(text.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  while (!holder.empty() && holder.back() == '\n') {
    holder.pop_back();
  }
  return holder;
}

}  // namespace

Result<DirectoryLock> DirectoryLock::acquire(const Bytes& directory) {
  const Bytes path = directory + kLockFile;
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kLockFileMode);
  if (descriptor < 0) {
    return status_of_errno(errno, fmt::format("could not create lock file \"{}\"", path));
  }
  DirectoryLock lock(descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return status_of_errno(errno, fmt::format("could not lock file \"{}\"", path));
    }
    const Bytes holder = read_holder(descriptor);
    return Status(sql_state::kLockFileExists, "database directory \"{}\" is already in use by process {}", directory,
                  holder.empty() ? "unknown" : holder);
  }
  const Bytes pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(descriptor, 0) != 0 || ::pwrite(descriptor, pid.data(), pid.size(), 0) < 0) {
    return status_of_errno(errno, fmt::format("could not write lock file \"{}\"", path));
  }
  return lock;
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

DirectoryLock& DirectoryLock::operator=(DirectoryLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

DirectoryLock::~DirectoryLock() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

}  // namespace pando::runtime
