#pragma once

// What the thread sanitizer cannot see: order that comes from code which is not instrumented, such as a library that
// hands an object from thread to thread. Costs nothing where there is no sanitizer.
//
//   handed_over(object);  library_queue.put(object);
//   object = library_queue.take();  taken_over(object);

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PANDO_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
#endif
#endif

namespace pando {

// What this thread has done happened before what another does after taken_over of the same object.
inline void handed_over(void* object) {
#ifdef PANDO_THREAD_SANITIZER
  __tsan_release(object);
#endif
}

inline void taken_over(void* object) {
#ifdef PANDO_THREAD_SANITIZER
  __tsan_acquire(object);
#endif
}

}  // namespace pando
