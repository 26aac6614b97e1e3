# Third-party libraries, all from Debian 12. Only the adapters named in DESIGN's layer table link them.

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(GTest REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(RocksDB REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ICU REQUIRED COMPONENTS uc i18n)
find_package(Boost 1.81 REQUIRED)
pkg_check_modules(GRPC REQUIRED IMPORTED_TARGET grpc++)
find_library(ABSL_SYNCHRONIZATION absl_synchronization REQUIRED)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)

find_library(PG_QUERY_LIBRARY pg_query REQUIRED)
find_path(PG_QUERY_INCLUDE pg_query.h REQUIRED)
add_library(pg_query INTERFACE)
target_link_libraries(pg_query INTERFACE "${PG_QUERY_LIBRARY}")
target_include_directories(pg_query SYSTEM INTERFACE "${PG_QUERY_INCLUDE}")

# gRPC's headers use abseil's locks inline, which its package does not link.
add_library(grpc INTERFACE)
target_link_libraries(grpc INTERFACE PkgConfig::GRPC "${ABSL_SYNCHRONIZATION}")

find_library(GMP_LIBRARY gmp REQUIRED)
find_path(GMP_INCLUDE gmpxx.h REQUIRED)
add_library(gmp INTERFACE)
target_link_libraries(gmp INTERFACE "${GMP_LIBRARY}")
target_include_directories(gmp SYSTEM INTERFACE "${GMP_INCLUDE}")
