# SPDX-License-Identifier: Apache-2.0
#
# Finds a shared RocksDB >= 7.8 and defines RocksDB::rocksdb-shared, the name upstream's own package gives it.
# Upstream's package is not used: it insists on every library that a static RocksDB would need, and Debian's
# cannot be loaded because lz4 has no CMake package there.

find_path(RocksDB_INCLUDE_DIR rocksdb/version.h)
find_library(RocksDB_LIBRARY rocksdb)
mark_as_advanced(RocksDB_INCLUDE_DIR RocksDB_LIBRARY)

if(RocksDB_INCLUDE_DIR)
  file(STRINGS "${RocksDB_INCLUDE_DIR}/rocksdb/version.h" lines REGEX "#define ROCKSDB_(MAJOR|MINOR|PATCH) ")
  string(REGEX REPLACE "[^0-9;]" "" lines "${lines}")
  string(REPLACE ";" "." RocksDB_VERSION "${lines}")
endif()

# Callers may be generic and name no version; the floor is this project's.
if(NOT RocksDB_FIND_VERSION)
  set(RocksDB_FIND_VERSION 7.8)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(RocksDB REQUIRED_VARS RocksDB_LIBRARY RocksDB_INCLUDE_DIR
                                  VERSION_VAR RocksDB_VERSION)

if(RocksDB_FOUND AND NOT TARGET RocksDB::rocksdb-shared)
  add_library(RocksDB::rocksdb-shared UNKNOWN IMPORTED)
  set_target_properties(RocksDB::rocksdb-shared PROPERTIES IMPORTED_LOCATION "${RocksDB_LIBRARY}"
                                                           INTERFACE_INCLUDE_DIRECTORIES "${RocksDB_INCLUDE_DIR}")
endif()
