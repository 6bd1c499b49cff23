// SPDX-License-Identifier: Apache-2.0
//
// What the parts of the store share of RocksDB. Included by engine/src/store*.cc only.

#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/slice.h>
#include <rocksdb/status.h>

#include "store.h"

namespace scree::detail {

inline rocksdb::Slice to_slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
inline std::string_view to_view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// The same outcome in Scree's terms: RocksDB's message after `context`, NoSpace kept apart.
Status from_rocksdb(const rocksdb::Status& status, std::string_view context);

// "index-0000000007"; and back, false for any other name.
std::string family_name(std::uint32_t id);
bool parse_family_name(std::string_view name, std::uint32_t* id);

Status damaged_value(std::uint32_t family, std::string_view key);

// The options of every family, and of the database.
rocksdb::Options make_rocksdb_options(const StoreOptions& options);

// Lets a flush wait for compactions; called by RocksDB's background threads.
class CompactionListener;

// The open database. Goes last: families, views, iterators and flushes all hold it.
struct Database {
  std::string directory;
  std::string staging;
  rocksdb::Options options;
  std::shared_ptr<CompactionListener> compactions;
  std::unique_ptr<rocksdb::DB> db;
};

// A handle that may outlive the drop of its family: RocksDB then keeps the data until the handle goes.
struct Family {
  Family(std::shared_ptr<Database> database_, rocksdb::ColumnFamilyHandle* handle_)
      : database(std::move(database_)), handle(handle_) {}
  ~Family();
  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;

  const std::shared_ptr<Database> database;
  rocksdb::ColumnFamilyHandle* const handle;
};

struct FamilyEntry {
  std::uint32_t id = 0;
  bool has_data = false;
  std::shared_ptr<const Family> family;
};

// All families at one moment, ascending by id; replaced whole, never changed.
struct FamilySet {
  const FamilyEntry* find(std::uint32_t id) const noexcept;
  // A copy in which `entry` stands, instead of the one with its id if there is one.
  std::shared_ptr<const FamilySet> with(const FamilyEntry& entry) const;
  std::shared_ptr<const FamilySet> without(std::uint32_t id) const;

  std::vector<FamilyEntry> entries;
};

struct Store::Rep {
  // Creates the family if there is none.
  Status ensure_family(std::uint32_t id);

  std::shared_ptr<Database> database;
  std::shared_ptr<const Family> metadata_family;

  // Held over each ingest, creation and drop, and to take a view.
  mutable std::mutex mutex;
  std::shared_ptr<const FamilySet> families;
  StoreMetadata metadata;
  std::uint64_t next_staged_file = 1;
};

struct StoreView::Rep {
  ~Rep();
  std::shared_ptr<Database> database;
  std::shared_ptr<const FamilySet> families;
  const rocksdb::Snapshot* snapshot = nullptr;
  rocksdb::ReadOptions read_options;
};

// The record of the metadata family, as in engine/FORMAT.md, section "Metadata family".
inline constexpr std::string_view kMetadataKey = "state";
std::string encode_metadata(const StoreMetadata& metadata);
bool decode_metadata(std::string_view record, StoreMetadata* metadata);

}  // namespace scree::detail
