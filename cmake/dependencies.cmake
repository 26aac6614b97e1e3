# Third-party libraries, all from Debian 12. Only the adapters named in DESIGN's layer table link them.

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(GTest REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(RocksDB REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ICU REQUIRED COMPONENTS uc i18n)
find_package(Boost 1.81 REQUIRED)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)

find_library(PG_QUERY_LIBRARY pg_query REQUIRED)
find_path(PG_QUERY_INCLUDE pg_query.h REQUIRED)
add_library(pg_query INTERFACE)
target_link_libraries(pg_query INTERFACE "${PG_QUERY_LIBRARY}")
target_include_directories(pg_query SYSTEM INTERFACE "${PG_QUERY_INCLUDE}")
