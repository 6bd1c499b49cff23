// SPDX-License-Identifier: Apache-2.0
//
// EngineCore: what an open engine consists of, and how its parts refer to each other. Its work is split over
// engine_open.cc (opening, recovery, closing), engine_write.cc, engine_read.cc, engine_flush.cc (freeze, flush, memory).
//
// Locks, in the order in which they may be taken together:
//   catalogue_mutex_   the catalogue; held across a commit that creates or drops an index
//   structure_mutex_   freezes and landing flushes: whoever replaces the version set
//   background_mutex_  what the background thread and those who wait for it share
//   switch_mutex_      the hand-over of a prepared version set to the log's segment switch

#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <scree/commit_clock.h>
#include <scree/ebr.h>
#include <scree/engine.h>
#include <scree/file.h>
#include <scree/log.h>

#include "catalogue.h"
#include "commit_pipeline.h"
#include "counters.h"
#include "engine_iterator.h"
#include "store.h"
#include "version_set.h"

namespace scree {

class EngineCore : public std::enable_shared_from_this<EngineCore> {
 public:
  EngineCore(const Options& options, std::string path);
  ~EngineCore();
  EngineCore(const EngineCore&) = delete;
  EngineCore& operator=(const EngineCore&) = delete;

  // engine_open.cc
  Status open();
  Status close();
  const RecoveryReport& recovery_report() const noexcept { return report_; }

  // engine_write.cc
  Status create_index(std::string_view name, IndexKind kind, Index* index);
  Status open_index(std::string_view name, IndexKind kind, Index* index) const;
  Status drop_index(std::string_view name);
  std::vector<Index> list_indexes() const;
  Status write_one(const WriteOptions& options, const Index& index, std::string_view key, const std::string_view* value);
  Status write(const WriteOptions& options, const WriteBatch& batch, std::uint64_t* sequence);
  Status sync();

  // engine_read.cc
  Status get(const ReadOptions& options, const Index& index, std::string_view key, std::string* value) const;
  std::unique_ptr<Iterator> iterator(const IteratorOptions& options, const Index& index);
  std::unique_ptr<const Snapshot> snapshot();
  EngineStats stats() const;

  // engine_flush.cc
  Status flush();

 private:
  using VersionSet = detail::VersionSet;
  using Generation = detail::Generation;

  // Counts a write that is under way, so that close() can wait for it; refuses when closed.
  class WriteGuard;
  // The same for a read that uses the tables.
  class ReadGuard;

  Status open_directory();
  Status open_identity();
  Status recover(Generation& generation, LogTail* tail);
  Status replay_record(Position end, std::string_view payload, Generation& generation);
  void release();

  Status check(const Index& index) const;
  Status check_sizes(std::size_t key, std::size_t value) const;
  Status commit(std::span<const detail::CommitOperation> operations, std::span<const std::string_view> payload,
                Durability durability, detail::CommitResult* result);
  Status commit_catalogue_change(std::string_view payload, std::uint64_t* sequence);

  class ReaderCount;
  std::optional<detail::ReaderHold> hold_reader(const Snapshot* snapshot);
  std::optional<Status> get_from_memory(const VersionSet& versions, Sequence at, std::uint32_t index,
                                        std::string_view key, std::string* value, const ebr::Barrier& barrier,
                                        bool* passed_over) const;
  std::optional<Status> get_newest_from_memory(const VersionSet& versions, std::uint32_t index, std::string_view key,
                                               std::string* value, const ebr::Barrier& barrier) const;

  Status admit();
  void freeze_if_full(std::size_t generation_bytes);
  Status freeze();
  void on_segment_switch(Position next_begin) noexcept;
  void run_background();
  Status flush_oldest();
  void land_flush(const std::shared_ptr<Generation>& generation);
  std::shared_ptr<Generation> oldest_frozen() const;
  void stop_background();
  ebr::Arc<VersionSet> make_version_set(std::vector<std::shared_ptr<Generation>> generations);

  const Options options_;
  const std::string path_;
  const std::uint64_t instance_;  // tells this engine's index handles from any other's
  FileSystem* const file_system_;
  std::uint64_t store_id_ = 0;
  RecoveryReport report_;

  // In the order of construction; released in the opposite order.
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<detail::Store> tables_;
  CommitClock clock_;
  const std::shared_ptr<detail::MemoryGauge> memory_;
  std::unique_ptr<Log> log_;
  ebr::AtomicArc<VersionSet> versions_;  // null: closed
  std::unique_ptr<detail::CommitPipeline> pipeline_;

  mutable std::mutex catalogue_mutex_;
  detail::Catalogue catalogue_;
  Atomic<Sequence> catalogue_changed_at_{0};

  std::mutex structure_mutex_;
  std::vector<std::weak_ptr<detail::TablesHandle>> tables_handles_;  // of version sets that may still exist

  struct PendingSwitch {
    std::shared_ptr<Generation> next;
    Generation* closed;
    ebr::Arc<VersionSet> versions;  // before the switch: the new set; after it: the old one
    bool done;
  };
  std::mutex switch_mutex_;
  std::optional<PendingSwitch> pending_switch_;

  std::mutex background_mutex_;
  std::condition_variable wake_background_;
  std::condition_variable progress_;  // memory was given back, a flush landed or failed, or the engine closes
  bool stopping_ = false;
  std::uint64_t kicks_ = 0;           // reasons to look for work
  std::uint64_t flush_failures_ = 0;
  Status background_error_;           // of the last attempt; OK after a success
  Sequence flushed_to_ = 0;
  std::thread background_;

  mutable Atomic<std::int64_t> writes_in_flight_{0};  // negative: closed
  mutable Atomic<std::int64_t> reads_in_flight_{0};   // negative: closed
  Atomic<std::int64_t> readers_{0};                   // iterators and snapshots; negative: closed

  mutable detail::StripedCounter commits_, operations_, gets_, gets_found_, iterators_, snapshots_, write_stalls_;
  mutable detail::StripedCounter freezes_, flushes_, flushed_entries_, flushed_bytes_;
};

struct Snapshot::Rep {
  detail::ReaderHold hold;
};

}  // namespace scree
