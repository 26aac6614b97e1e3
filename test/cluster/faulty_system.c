// A machine whose disk hangs and whose clock jumps, as one process sees it: preloaded into a node by processes.py.
//
// The file that PANDO_FAULTY_SYSTEM names holds `struct faults`; whoever runs the node writes it while the node runs.
// Only what Pando's durability and its timestamps rest on is replaced: syncs, and the clock of day.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct faults {
  // Each sync waits as long first, and as long as `disk_hangs` is not zero.
  volatile int64_t sync_delay_us;
  volatile int64_t disk_hangs;
  // Added to the time of day.
  volatile int64_t wall_offset_ms;
};

static const struct faults* faults;

__attribute__((constructor)) static void map_faults(void) {
  const char* path = getenv("PANDO_FAULTY_SYSTEM");
  const int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  void* map = file < 0 ? MAP_FAILED : mmap(NULL, sizeof(struct faults), PROT_READ, MAP_SHARED, file, 0);
  if (map == MAP_FAILED) {
    abort();
  }
  faults = map;
  close(file);
}

static void suffer_disk(void) {
  const int64_t delay_us = faults->sync_delay_us;
  if (delay_us > 0) {
    usleep((useconds_t)delay_us);
  }
  while (faults->disk_hangs != 0) {
    usleep(1000);
  }
}

int fdatasync(int file) {
  suffer_disk();
  return (int)syscall(SYS_fdatasync, file);
}

int fsync(int file) {
  suffer_disk();
  return (int)syscall(SYS_fsync, file);
}

int clock_gettime(clockid_t clock, struct timespec* time) {
  static int (*real)(clockid_t, struct timespec*);
  if (real == NULL) {
    real = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
  }
  const int result = real(clock, time);
  // Before the constructor ran, other libraries' constructors may ask.
  if (result == 0 && clock == CLOCK_REALTIME && faults != NULL && faults->wall_offset_ms != 0) {
    const int64_t ns = time->tv_sec * 1000000000LL + time->tv_nsec + faults->wall_offset_ms * 1000000LL;
    time->tv_sec = ns / 1000000000LL;
    time->tv_nsec = ns % 1000000000LL;
  }
  return result;
}
