// SPDX-License-Identifier: Apache-2.0

#include <utility>

#include "engine_core.h"
#include "engine_guards.h"

namespace scree {

using detail::EngineIterator;
using detail::Generation;
using detail::Memtable;
using detail::ReaderHold;
using detail::ReadSource;

namespace {

Status engine_closed() { return Status::shutdown_in_progress("the engine is closed"); }
Status absent() { return Status::not_found("no such key"); }

}  // namespace

// Looks in memory only: the value, NotFound for a tombstone, or nothing. `*passed_over` if the key has versions but none as old
// as `at`.
std::optional<Status> EngineCore::get_from_memory(const VersionSet& versions, Sequence at, std::uint32_t index,
                                                  std::string_view key, std::string* value,
                                                  const ebr::Barrier& barrier, bool* passed_over) const {
  for (const std::shared_ptr<Generation>& generation : versions.generations) {
    const Memtable* table = generation->find(index, barrier);
    const Memtable::Chain* chain = table == nullptr ? nullptr : table->find(key, barrier);
    if (chain == nullptr) continue;
    if (const Memtable::VersionType* version = chain->at(at)) {
      if (version->is_tombstone()) return absent();
      value->assign(version->value());
      return Status::ok();
    }
    if (chain->newest() != nullptr) *passed_over = true;
  }
  return std::nullopt;
}

// What was newest at `visible` may be pruned before it is read, and something older be found instead, in an older layer.
// Then visible() has moved on; if it has not, nothing that it sees was pruned.
std::optional<Status> EngineCore::get_newest_from_memory(const VersionSet& versions, std::uint32_t index,
                                                         std::string_view key, std::string* value,
                                                         const ebr::Barrier& barrier) const {
  for (;;) {
    const Sequence visible = clock_.visible();
    SCREE_SYNC_POINT("get:visible");
    bool passed_over = false;
    auto found = get_from_memory(versions, visible, index, key, value, barrier, &passed_over);
    if (!passed_over || clock_.visible() == visible) return found;
  }
}

Status EngineCore::get(const ReadOptions& options, const Index& index, std::string_view key,
                       std::string* value) const {
  if (Status status = check(index); !status.is_ok()) return status;
  if (Status status = check_sizes(key.size(), 0); !status.is_ok()) return status;
  gets_.add();
  std::shared_ptr<detail::TablesHandle> tables;
  {
    const ebr::Barrier barrier;
    const VersionSet* versions = nullptr;
    std::optional<Status> found;
    if (options.snapshot != nullptr) {
      const ReaderHold& hold = options.snapshot->rep_->hold;
      if (&hold.snapshot.clock() != &clock_) return Status::invalid_argument("the snapshot is of another engine");
      versions = hold.versions.get();
      bool passed_over = false;
      found = get_from_memory(*versions, hold.snapshot.sequence(), index.id(), key, value, barrier, &passed_over);
    } else {
      versions = versions_.load(memory_order_acquire, barrier).as_ref();
      if (versions == nullptr) return engine_closed();
      found = get_newest_from_memory(*versions, index.id(), key, value, barrier);
    }
    if (found) {
      if (found->is_ok()) gets_found_.add();
      return *std::move(found);
    }
    if (!versions->in_tables(index.id())) return absent();
    tables = versions->tables;
  }
  const ReadGuard guard(*this);
  const auto view = guard ? tables->view() : nullptr;
  if (view == nullptr) return engine_closed();
  Status status = view->get(index.id(), key, value);
  if (status.is_ok()) gets_found_.add();
  return status;
}

// What a reader needs for one point in time: as protocol docs/protocols/snapshot.md, section "In the engine". Nothing if the engine
// is closed.
std::optional<ReaderHold> EngineCore::hold_reader(const Snapshot* snapshot) {
  if (readers_.fetch_add(1, memory_order_acq_rel) < 0) {
    readers_.fetch_sub(1, memory_order_acq_rel);
    return std::nullopt;
  }
  std::shared_ptr<const void> counted;
  try {
    counted = std::shared_ptr<const void>(
        this, [core = shared_from_this()](const void*) { core->readers_.fetch_sub(1, memory_order_acq_rel); });
  } catch (...) {
    readers_.fetch_sub(1, memory_order_acq_rel);
    throw;
  }
  if (snapshot != nullptr) {
    const ReaderHold& hold = snapshot->rep_->hold;
    return ReaderHold{std::move(counted), hold.versions.clone(), hold.snapshot};
  }
  for (;;) {
    const ebr::Barrier barrier;
    ebr::Arc<VersionSet> versions = versions_.get_arc(memory_order_acquire, barrier);
    if (versions.is_null()) return std::nullopt;
    SnapshotBarrier taken(clock_);
    // A version set without the newest generation lacks commits that the snapshot sees.
    if (versions_.load(memory_order_acquire, barrier) == versions.ptr(barrier)) {
      return ReaderHold{std::move(counted), std::move(versions), std::move(taken)};
    }
  }
}

std::unique_ptr<const Snapshot> EngineCore::snapshot() {
  std::optional<ReaderHold> hold = hold_reader(nullptr);
  if (!hold) return nullptr;
  snapshots_.add();
  return std::unique_ptr<const Snapshot>(new Snapshot(std::make_unique<Snapshot::Rep>(Snapshot::Rep{std::move(*hold)})));
}

std::unique_ptr<Iterator> EngineCore::iterator(const IteratorOptions& options, const Index& index) {
  if (Status status = check(index); !status.is_ok()) return detail::failed_iterator(std::move(status));
  if (options.snapshot != nullptr && &options.snapshot->rep_->hold.snapshot.clock() != &clock_) {
    return detail::failed_iterator(Status::invalid_argument("the snapshot is of another engine"));
  }
  std::optional<ReaderHold> hold = hold_reader(options.snapshot);
  if (!hold) return detail::failed_iterator(engine_closed());
  iterators_.add();
  std::vector<std::unique_ptr<ReadSource>> sources;
  {
    const ebr::Barrier barrier;
    for (const std::shared_ptr<Generation>& generation : hold->versions->generations) {
      if (const Memtable* table = generation->find(index.id(), barrier)) {
        sources.push_back(detail::memtable_source(*table, hold->snapshot.sequence()));
      }
    }
  }
  if (hold->versions->in_tables(index.id())) {
    const ReadGuard guard(*this);
    const auto view = guard ? hold->versions->tables->view() : nullptr;
    if (view == nullptr) return detail::failed_iterator(engine_closed());
    if (auto tables = view->iterate(index.id(), options.lower_bound, options.upper_bound)) {
      sources.push_back(detail::tables_source(std::move(tables)));
    }
  }
  EngineIterator::Bounds bounds;
  if (options.lower_bound != nullptr) bounds.lower = *options.lower_bound;
  if (options.upper_bound != nullptr) bounds.upper = *options.upper_bound;
  return std::make_unique<EngineIterator>(std::move(*hold), std::move(sources), std::move(bounds),
                                          index.kind() == IndexKind::kTree);
}

EngineStats EngineCore::stats() const {
  EngineStats stats;
  stats.commits = commits_.sum();
  stats.operations = operations_.sum();
  stats.gets = gets_.sum();
  stats.gets_found = gets_found_.sum();
  stats.iterators = iterators_.sum();
  stats.snapshots = snapshots_.sum();
  stats.freezes = freezes_.sum();
  stats.flushes = flushes_.sum();
  stats.flushed_entries = flushed_entries_.sum();
  stats.flushed_bytes = flushed_bytes_.sum();
  stats.write_stalls = write_stalls_.sum();
  stats.memtable_bytes = memory_->bytes();
  const WriteGuard guard(*this);
  if (!guard) return stats;
  const LogStats log = log_->stats();
  stats.log_bytes = log.bytes;
  stats.log_writes = log.writes;
  stats.log_syncs = log.syncs;
  const ebr::Barrier barrier;
  stats.generations = versions_.load(memory_order_acquire, barrier)->generations.size();
  return stats;
}

}  // namespace scree
