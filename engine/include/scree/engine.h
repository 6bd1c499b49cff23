// SPDX-License-Identifier: Apache-2.0
//
// Engine: a durable store of named indexes. Writes go to a write-ahead log and to in-memory indexes
// (memtables); full memtables are flushed into RocksDB in the background.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <scree/iterator.h>
#include <scree/options.h>
#include <scree/status.h>
#include <scree/write_batch.h>

namespace scree {

class EngineCore;
struct IndexState;

// A handle to one named index of an open engine. Cheap to copy; thread-safe. It stays usable until the index
// is dropped (then operations return NotFound) or the engine closed (ShutdownInProgress).
class Index {
 public:
  Index() = default;  // names no index; operations on it return InvalidArgument

  std::string_view name() const noexcept;
  IndexKind kind() const noexcept;
  std::uint32_t id() const noexcept;  // unique in the store for ever
  bool is_valid() const noexcept { return state_ != nullptr; }

 private:
  friend class EngineCore;
  friend class WriteBatch;
  explicit Index(std::shared_ptr<const IndexState> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<const IndexState> state_;
};

// A point in time of the whole store: every index as of one commit boundary. O(1) to take, no lock, never
// waits for a writer. It holds the versions it can see in memory until it is destroyed. Thread-safe to read through.
class Snapshot {
 public:
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  // Every commit with a sequence number <= this one is seen, none above.
  std::uint64_t sequence() const noexcept;

 private:
  friend class EngineCore;
  struct Rep;
  explicit Snapshot(std::unique_ptr<Rep> rep);
  std::unique_ptr<Rep> rep_;
};

// What recovery found when the engine was opened.
struct RecoveryReport {
  std::uint64_t records_replayed = 0;
  std::uint64_t bytes_replayed = 0;
  std::uint64_t recovered_to = 0;  // the sequence number up to which the store is complete
  std::uint64_t bytes_dropped = 0; // log bytes after the stop that were not applied
  Status damage;                   // OK, or where and why replay stopped
};

// Counters since open, and gauges of now. Figures of one struct need not be of one instant.
struct EngineStats {
  std::uint64_t commits = 0;
  std::uint64_t operations = 0;
  std::uint64_t gets = 0;
  std::uint64_t gets_found = 0;
  std::uint64_t iterators = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t log_writes = 0;
  std::uint64_t log_syncs = 0;
  std::uint64_t freezes = 0;
  std::uint64_t flushes = 0;
  std::uint64_t flushed_entries = 0;
  std::uint64_t flushed_bytes = 0;
  std::uint64_t write_stalls = 0;
  std::uint64_t memtable_bytes = 0;  // gauge: all generations held by the engine
  std::uint64_t generations = 0;     // gauge
};

// Thread-safe throughout.
class Engine {
 public:
  // Opens the store in directory `path`, creating it if so asked; recovers it. One process at a time: Busy if
  // another has it. `*engine` is set only on success.
  static Status open(const Options& options, const std::string& path, std::unique_ptr<Engine>* engine);

  // Closes as by close(); open iterators and snapshots keep the store locked until they end.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Names are 1 to 255 bytes. InvalidArgument if the name exists (create) ; NotFound if it does not (open,
  // drop). open_index with a kind that is not the index's own is InvalidArgument.
  Status create_index(std::string_view name, IndexKind kind, Index* index);
  Status open_index(std::string_view name, IndexKind kind, Index* index);
  Status drop_index(std::string_view name);
  std::vector<Index> list_indexes() const;  // in order of name

  // Writes return once visible and as durable as asked. After an error the write may or may not have
  // happened as a whole, never in part; InvalidArgument, NotFound, NoSpace and Busy mean that it has not.
  Status put(const WriteOptions& options, const Index& index, std::string_view key, std::string_view value);
  Status erase(const WriteOptions& options, const Index& index, std::string_view key);
  // `sequence`, if not null, receives the commit's sequence number.
  Status write(const WriteOptions& options, const WriteBatch& batch, std::uint64_t* sequence = nullptr);

  // NotFound if absent. Linearizable without a snapshot.
  Status get(const ReadOptions& options, const Index& index, std::string_view key, std::string* value) const;

  // Never null: an error shows in the iterator's status().
  std::unique_ptr<Iterator> iterator(const IteratorOptions& options, const Index& index) const;

  // Null only after close().
  std::unique_ptr<const Snapshot> snapshot() const;

  // Makes every write that was acknowledged before the call survive power loss.
  Status sync();
  // Freezes the memtables and returns when all that was in them is in RocksDB.
  Status flush();

  // Busy, with the count in the message, while iterators or snapshots live; nothing is closed then. Otherwise
  // stops background work, makes the log durable and releases the store; later operations return ShutdownInProgress.
  Status close();

  const RecoveryReport& recovery_report() const noexcept;
  EngineStats stats() const;

 private:
  explicit Engine(std::shared_ptr<EngineCore> core);
  std::shared_ptr<EngineCore> core_;
};

}  // namespace scree
