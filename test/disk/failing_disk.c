// A library to preload into a server: while the file that PANDO_FAULT_FILE names exists, every write and sync of a
// regular file whose path contains the text in PANDO_FAULT_PATH fails with the error whose name the fault file holds:
// ENOSPC or EIO. (A full disk still syncs, so ENOSPC leaves syncs alone.)

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

// The error to give for this descriptor now; 0 for none.
static int fault(int descriptor, int is_sync) {
  const char* path = getenv("PANDO_FAULT_FILE");
  const char* part = getenv("PANDO_FAULT_PATH");
  if (path == NULL || part == NULL || access(path, F_OK) != 0) {
    return 0;
  }
  char name[64];
  char target[4096];
  snprintf(name, sizeof(name), "/proc/self/fd/%d", descriptor);
  const ssize_t size = readlink(name, target, sizeof(target) - 1);
  if (size <= 0) {
    return 0;
  }
  target[size] = '\0';
  if (target[0] != '/' || strstr(target, part) == NULL) {
    return 0;
  }
  char wanted[16] = "";
  const int file = NEXT(open)(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return 0;
  }
  const ssize_t count = read(file, wanted, sizeof(wanted) - 1);
  close(file);
  if (count <= 0) {
    return 0;
  }
  if (strncmp(wanted, "EIO", 3) == 0) {
    return EIO;
  }
  return is_sync ? 0 : ENOSPC;
}

#define FAIL_IF(descriptor, is_sync)                 \
  const int error = fault((descriptor), (is_sync));  \
  if (error != 0) {                                  \
    errno = error;                                   \
    return -1;                                       \
  }

ssize_t write(int fd, const void* bytes, size_t count) {
  FAIL_IF(fd, 0)
  return NEXT(write)(fd, bytes, count);
}
ssize_t pwrite(int fd, const void* bytes, size_t count, off_t offset) {
  FAIL_IF(fd, 0)
  return NEXT(pwrite)(fd, bytes, count, offset);
}
ssize_t pwrite64(int fd, const void* bytes, size_t count, off64_t offset) {
  FAIL_IF(fd, 0)
  return NEXT(pwrite64)(fd, bytes, count, offset);
}
ssize_t writev(int fd, const struct iovec* parts, int count) {
  FAIL_IF(fd, 0)
  return NEXT(writev)(fd, parts, count);
}
int fsync(int fd) {
  FAIL_IF(fd, 1)
  return NEXT(fsync)(fd);
}
int fdatasync(int fd) {
  FAIL_IF(fd, 1)
  return NEXT(fdatasync)(fd);
}
int fallocate(int fd, int mode, off_t offset, off_t size) {
  FAIL_IF(fd, 0)
  return NEXT(fallocate)(fd, mode, offset, size);
}
int fallocate64(int fd, int mode, off64_t offset, off64_t size) {
  FAIL_IF(fd, 0)
  return NEXT(fallocate64)(fd, mode, offset, size);
}
int posix_fallocate(int fd, off_t offset, off_t size) {
  const int error = fault(fd, 0);
  return error != 0 ? error : NEXT(posix_fallocate)(fd, offset, size);
}
int posix_fallocate64(int fd, off64_t offset, off64_t size) {
  const int error = fault(fd, 0);
  return error != 0 ? error : NEXT(posix_fallocate64)(fd, offset, size);
}
