// SPDX-License-Identifier: Apache-2.0
//
// What VersionedTree and VersionedHash share: an index from keys to version chains. A chain, once inserted, stays as
// long as the index; one without versions is an absent key.

#pragma once

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <scree/commit_clock.h>
#include <scree/detail/version_chain.h>
#include <scree/ebr.h>
#include <scree/snapshot_barrier.h>

namespace scree {

class VersionedBatch;

namespace detail {

template <class V>
struct VersionDeleter {
  void operator()(Version<V>* version) const noexcept { Version<V>::destroy(version); }
};
template <class V>
using PreparedVersion = std::unique_ptr<Version<V>, VersionDeleter<V>>;

template <class Index, class K, class V>
class VersionedIndex {
 public:
  using Chain = VersionChain<V>;
  using VersionType = Version<V>;
  using value_view = typename VersionType::value_view;

  // `clock` outlives the index and is shared by all indexes that commits and snapshots are to span.
  explicit VersionedIndex(CommitClock& clock) : clock_(&clock) {}

  CommitClock& clock() const noexcept { return *clock_; }

  // Each is a commit of its own and returns its number once it is visible. Strictly serializable with every other
  // commit and snapshot of the clock. If it throws, nothing has changed.
  template <class Key, class Value>
  Sequence put(const Key& key, Value&& value) {
    return commit(key, PreparedVersion<V>(VersionType::make(std::forward<Value>(value))));
  }
  template <class Key>
  Sequence erase(const Key& key) {
    return commit(key, PreparedVersion<V>(VersionType::make_tombstone()));
  }

  // Calls `f(value)` with the newest visible value; false if the key is absent. Linearizable; lock-free.
  template <class Key, class F>
  bool read(const Key& key, F&& f) const {
    ebr::Barrier barrier;
    const Chain* chain = index_.peek(key, barrier);
    return chain != nullptr && deliver(newest_visible(*chain), f);
  }
  // The same as of `snapshot`, of this index's clock. Wait-free but for the length of the chain.
  template <class Key, class F>
  bool read(const Key& key, const SnapshotBarrier& snapshot, F&& f) const {
    ebr::Barrier barrier;
    const Chain* chain = index_.peek(key, barrier);
    return chain != nullptr && deliver(chain->at(snapshot.sequence()), f);
  }
  template <class Key>
  std::optional<V> get(const Key& key) const {
    std::optional<V> value;
    read(key, [&](value_view v) { value.emplace(v); });
    return value;
  }
  template <class Key>
  std::optional<V> get(const Key& key, const SnapshotBarrier& snapshot) const {
    std::optional<V> value;
    read(key, snapshot, [&](value_view v) { value.emplace(v); });
    return value;
  }

  // For commits whose number comes from elsewhere, a log: the chain of `key`, inserted empty if need be, and whether it
  // was. It may throw; linking a version into the chain later cannot.
  template <class Key>
  std::pair<Chain&, bool> chain(const Key& key, const ebr::Barrier& barrier) {
    return index_.find_or_insert(key, barrier);
  }
  const Index& index() const noexcept { return index_; }

 private:
  template <class Key>
  Sequence commit(const Key& key, PreparedVersion<V> version) {
    CommitTicket ticket;
    {
      ebr::Barrier barrier;
      Chain& target = chain(key, barrier).first;
      if (target.has_older()) target.prune(barrier, clock_->horizon());
      ticket = clock_->begin();
      version->sequence = ticket.sequence;
      target.link(version.release());
    }
    clock_->complete(ticket);
    return ticket.sequence;
  }

  const VersionType* newest_visible(const Chain& chain) const {
    for (Sequence visible = clock_->visible();;) {
      SCREE_SYNC_POINT("index:visible");
      if (const VersionType* version = chain.at(visible)) return version;
      // Absent, unless the version was pruned since: then visible() has moved on.
      const Sequence now = clock_->visible();
      if (now == visible) return nullptr;
      visible = now;
    }
  }

  template <class F>
  static bool deliver(const VersionType* version, F& f) {
    if (version == nullptr || version->is_tombstone()) return false;
    f(version->value());
    return true;
  }

  CommitClock* clock_;
  Index index_;
};

}  // namespace detail
}  // namespace scree
