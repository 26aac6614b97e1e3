# Compiler and linker flags shared by every target.

set(PANDO_SANITIZE "" CACHE STRING "Sanitizers to build with, as for -fsanitize=")
option(PANDO_FUZZ "Build the libFuzzer targets in test/fuzz" OFF)

add_compile_options(
  -Wall
  -Wextra
  -Wpedantic
  -Werror
  -Wthread-safety
  -Wnon-virtual-dtor
  -Woverloaded-virtual
  -Wimplicit-fallthrough
  -Wno-unused-parameter
  -Wno-missing-field-initializers
  -Wno-missing-designated-field-initializers
  -fno-omit-frame-pointer
  # Paths relative to the source tree: the compiler cache then serves every checkout.
  "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")

add_link_options(-fuse-ld=lld)

# Line tables are enough for stack traces and profiles, and keep objects small.
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -gline-tables-only -DPANDO_DEBUG")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -gline-tables-only")
set(CMAKE_C_FLAGS_RELEASE "-O2 -gline-tables-only")

if(PANDO_SANITIZE)
  add_compile_options("-fsanitize=${PANDO_SANITIZE}" -fno-sanitize-recover=all)
  add_link_options("-fsanitize=${PANDO_SANITIZE}")
endif()
if(PANDO_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
