// SPDX-License-Identifier: Apache-2.0
//
// Memory, freezes and flushes. Protocol: docs/protocols/freeze.md, steps F1-F9.

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine_core.h"
#include "engine_guards.h"
#include "read_source.h"

namespace scree {

using detail::FlushWriter;
using detail::Memtable;
using detail::ReadSource;
using detail::StoreMetadata;
using detail::TablesHandle;

namespace {

// Between attempts to flush when one failed, and between looks at garbage that waits for its grace period.
constexpr std::chrono::milliseconds kRetry{1000};
constexpr std::chrono::milliseconds kGarbage{20};

Status write_memtable(std::uint32_t index, const Memtable& table, Sequence at, FlushWriter& writer) {
  Status status = writer.begin_family(index);
  const std::unique_ptr<ReadSource> source = detail::memtable_source(table, at);
  for (source->seek_to_first(); status.is_ok() && source->valid(); source->next()) {
    status = source->is_tombstone() ? writer.erase(source->key())
                                    : writer.put(source->key(), source->sequence(), source->value());
  }
  return status;
}

}  // namespace

ebr::Arc<EngineCore::VersionSet> EngineCore::make_version_set(std::vector<std::shared_ptr<Generation>> generations) {
  VersionSet set{std::move(generations), nullptr, {}};
  auto view = tables_->view();
  for (const std::uint32_t index : tables_->families()) {
    if (view->has_data(index)) set.indexes_in_tables.push_back(index);
  }
  set.tables = std::make_shared<TablesHandle>(std::move(view));
  std::erase_if(tables_handles_, [](const auto& handle) { return handle.expired(); });
  tables_handles_.push_back(set.tables);
  return ebr::Arc<VersionSet>::make(std::move(set));
}

// Lets a write in when there is memory for it. One that is larger than the whole budget is let in too, once the others
// have left room.
Status EngineCore::admit() {
  if (memory_->bytes() <= options_.memory_budget) return {};
  write_stalls_.add();
  std::unique_lock<std::mutex> lock(background_mutex_);
  const std::uint64_t failures = flush_failures_;
  ++kicks_;
  wake_background_.notify_one();
  progress_.wait(lock, [&] {
    return memory_->bytes() <= options_.memory_budget || flush_failures_ != failures || stopping_;
  });
  if (memory_->bytes() <= options_.memory_budget) return {};
  if (stopping_) return Status::shutdown_in_progress("the engine is closing");
  return background_error_.with_context("no memory is left and the memtables cannot be flushed");
}

void EngineCore::freeze_if_full(std::size_t generation_bytes) {
  if (generation_bytes < options_.memtable_bytes) return;
  const std::unique_lock<std::mutex> lock(structure_mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return;  // somebody is at it
  {
    const ebr::Barrier barrier;
    if (versions_.load(memory_order_acquire, barrier)->active().bytes() < options_.memtable_bytes) return;
  }
  // A failure shows when memory runs out; until then the generation just grows.
  static_cast<void>(freeze().is_ok());
}

// F1-F4, under structure_mutex_: the next generation is published, then the old one's range of positions is closed.
Status EngineCore::freeze() {
  auto next = std::make_shared<Generation>(clock_, memory_);
  Generation* closed = nullptr;
  {
    const ebr::Barrier barrier;
    const VersionSet& now = *versions_.load(memory_order_acquire, barrier);
    VersionSet set = now;
    set.generations.insert(set.generations.begin(), next);
    closed = now.generations.front().get();
    const std::lock_guard<std::mutex> lock(switch_mutex_);
    pending_switch_.emplace(PendingSwitch{next, closed, ebr::Arc<VersionSet>::make(std::move(set)), false});
  }
  Reservation rest;
  Status status = log_->roll(&rest);
  if (status.is_ok()) clock_.complete({rest.previous_end, rest.end});
  std::optional<PendingSwitch> pending;
  {
    const std::lock_guard<std::mutex> lock(switch_mutex_);
    pending.swap(pending_switch_);
  }
  if (!pending->done) return status;
  freezes_.add();
  const std::lock_guard<std::mutex> lock(background_mutex_);
  ++kicks_;
  wake_background_.notify_one();
  return {};
}

// F2-F3, with the log's lock held: no position from `next_begin` on can be reserved before this returns.
void EngineCore::on_segment_switch(Position next_begin) noexcept {
  const std::lock_guard<std::mutex> lock(switch_mutex_);
  if (!pending_switch_ || pending_switch_->done) return;  // a generation may span any number of segments
  PendingSwitch& pending = *pending_switch_;
  pending.next->set_begin(next_begin);
  pending.closed->set_end(next_begin);
  pending.versions = versions_.swap(std::move(pending.versions), ebr::Tag::kNone, memory_order_acq_rel).first;
  pending.done = true;
}

std::shared_ptr<EngineCore::Generation> EngineCore::oldest_frozen() const {
  const ebr::Barrier barrier;
  const auto& generations = versions_.load(memory_order_acquire, barrier)->generations;
  return generations.size() == 1 ? nullptr : generations.back();
}

void EngineCore::run_background() {
  std::unique_lock<std::mutex> lock(background_mutex_);
  std::uint64_t seen = 0;
  bool retry = false;
  while (!stopping_) {
    lock.unlock();
    const bool garbage = ebr::collect();
    lock.lock();
    const auto wanted = [&] { return stopping_ || kicks_ != seen; };
    if (retry) {
      wake_background_.wait_for(lock, kRetry, wanted);
    } else if (garbage) {
      if (!wake_background_.wait_for(lock, kGarbage, wanted)) continue;
    } else {
      wake_background_.wait(lock, wanted);
    }
    if (stopping_) break;
    seen = kicks_;
    lock.unlock();
    Status status;
    try {
      status = flush_oldest();
    } catch (const std::bad_alloc&) {
      status = Status::memory_limit("no memory to flush");
    }
    lock.lock();
    retry = !status.is_ok();
    if (retry) ++flush_failures_;
    background_error_ = std::move(status);
    progress_.notify_all();
  }
}

// F5-F9: all generations that are frozen, oldest first.
Status EngineCore::flush_oldest() {
  if (memory_->bytes() > options_.memory_budget && oldest_frozen() == nullptr) {
    const std::lock_guard<std::mutex> lock(structure_mutex_);
    if (oldest_frozen() == nullptr) {
      if (Status status = freeze(); !status.is_ok()) return status;
    }
  }
  while (const std::shared_ptr<Generation> generation = oldest_frozen()) {
    const Sequence end = generation->end();
    clock_.await_visible(end);
    SCREE_SYNC_POINT("flush:complete");
    StoreMetadata metadata;
    std::vector<std::uint32_t> ids;
    {
      const std::lock_guard<std::mutex> lock(catalogue_mutex_);
      metadata.flushed_to = end;
      metadata.catalogue = catalogue_.encode(end);
      ids = catalogue_.ids(end);
    }
    std::unique_ptr<FlushWriter> writer;
    if (Status status = tables_->new_flush(&writer); !status.is_ok()) return status;
    {
      // The memtables of a frozen generation stay as they are: no barrier is held while their entries are written.
      std::vector<std::pair<std::uint32_t, const Memtable*>> tables;
      {
        const ebr::Barrier barrier;
        generation->for_each([&](std::uint32_t id, const Memtable& table) {
          if (std::binary_search(ids.begin(), ids.end(), id)) tables.emplace_back(id, &table);
        }, barrier);
      }
      for (const auto& [id, table] : tables) {
        if (Status status = write_memtable(id, *table, end, *writer); !status.is_ok()) return status;
      }
    }
    SCREE_SYNC_POINT("flush:written");
    if (Status status = writer->commit(metadata); !status.is_ok()) return status;
    flushes_.add();
    flushed_entries_.add(writer->entries());
    flushed_bytes_.add(writer->bytes());
    SCREE_SYNC_POINT("flush:committed");
    land_flush(generation);

    std::vector<std::uint32_t> dropped;
    {
      const std::lock_guard<std::mutex> lock(catalogue_mutex_);
      dropped = catalogue_.forget_dropped(end);
    }
    // What cannot be removed now is removed when the store is opened next.
    for (const std::uint32_t id : dropped) static_cast<void>(tables_->drop_family(id).is_ok());
    static_cast<void>(log_->purge_before(end).is_ok());
  }
  return {};
}

// F8: readers that hold the old version set go on with the generation and the tables as they were before.
void EngineCore::land_flush(const std::shared_ptr<Generation>& generation) {
  ebr::Arc<VersionSet> old;
  {
    const std::lock_guard<std::mutex> lock(structure_mutex_);
    std::vector<std::shared_ptr<Generation>> remaining;
    {
      const ebr::Barrier barrier;
      remaining = versions_.load(memory_order_acquire, barrier)->generations;
    }
    remaining.pop_back();
    old = versions_.swap(make_version_set(std::move(remaining)), ebr::Tag::kNone, memory_order_acq_rel).first;
    generation->discharge();
  }
  const std::lock_guard<std::mutex> lock(background_mutex_);
  flushed_to_ = generation->end();
  progress_.notify_all();
}

Status EngineCore::flush() {
  const WriteGuard guard(*this);
  if (!guard) return Status::shutdown_in_progress("the engine is closed");
  Position target = 0;
  {
    const std::lock_guard<std::mutex> lock(structure_mutex_);
    const auto active_begin = [&] {
      const ebr::Barrier barrier;
      return versions_.load(memory_order_acquire, barrier)->active().begin();
    };
    bool anything = false;
    {
      const ebr::Barrier barrier;
      const Generation& active = versions_.load(memory_order_acquire, barrier)->active();
      anything = active.bytes() != 0 || catalogue_changed_at_.load(memory_order_acquire) > active.begin();
    }
    if (anything) {
      if (Status status = freeze(); !status.is_ok()) return status;
    }
    target = active_begin();
  }
  std::unique_lock<std::mutex> lock(background_mutex_);
  const std::uint64_t failures = flush_failures_;
  ++kicks_;
  wake_background_.notify_one();
  progress_.wait(lock, [&] { return flushed_to_ >= target || flush_failures_ != failures || stopping_; });
  if (flushed_to_ >= target) return {};
  return stopping_ ? Status::shutdown_in_progress("the engine is closing") : background_error_;
}

void EngineCore::stop_background() {
  {
    const std::lock_guard<std::mutex> lock(background_mutex_);
    stopping_ = true;
    wake_background_.notify_one();
    progress_.notify_all();
  }
  if (background_.joinable()) background_.join();
}

}  // namespace scree
