// SPDX-License-Identifier: Apache-2.0
//
// VersionedTree: an ordered index with point-in-time reads, over TreeIndex.

#pragma once

#include <functional>
#include <utility>

#include <scree/detail/versioned_index.h>
#include <scree/tree_index.h>

namespace scree {

// Values of type std::string are kept as bytes and shown as std::string_view. O(log n) per operation and seek, of n
// keys, plus the versions of the key that are newer than the snapshot.
template <class K, class V, class Compare = std::less<>>
class VersionedTree : public detail::VersionedIndex<TreeIndex<K, detail::VersionChain<V>, Compare>, K, V> {
  using Index = TreeIndex<K, detail::VersionChain<V>, Compare>;
  using Base = detail::VersionedIndex<Index, K, V>;

 public:
  using Base::Base;

  // A position among the entries of one snapshot that moves both ways and skips what the snapshot does not see.
  class Cursor {
   public:
    Cursor(const VersionedTree& tree, Sequence sequence, const ebr::Barrier& barrier)
        : inner_(tree.index().cursor(barrier)), sequence_(sequence) {}

    bool valid() const noexcept { return version_ != nullptr; }
    decltype(auto) key() const noexcept { return inner_.key(); }
    typename Base::value_view value() const noexcept { return version_->value(); }
    Sequence sequence() const noexcept { return version_->sequence; }

    void seek_to_first() {
      inner_.seek_to_first();
      settle_forward();
    }
    void seek_to_last() {
      inner_.seek_to_last();
      settle_backward();
    }
    template <class Query>
    void seek(const Query& target) {
      inner_.seek(target);
      settle_forward();
    }
    template <class Query>
    void seek_for_prev(const Query& target) {
      inner_.seek_for_prev(target);
      settle_backward();
    }
    void next() {
      inner_.next();
      settle_forward();
    }
    void prev() {
      inner_.prev();
      settle_backward();
    }

   private:
    bool visible() noexcept {
      version_ = inner_.value().at(sequence_);
      return version_ != nullptr && !version_->is_tombstone();
    }
    void settle_forward() {
      for (; inner_.valid(); inner_.next()) {
        if (visible()) return;
      }
      version_ = nullptr;
    }
    void settle_backward() {
      for (; inner_.valid(); inner_.prev()) {
        if (visible()) return;
      }
      version_ = nullptr;
    }

    typename Index::Cursor inner_;
    Sequence sequence_;
    const typename Base::VersionType* version_ = nullptr;
  };

  // What it shows stays valid until `barrier` ends; `snapshot` outlives the cursor.
  Cursor cursor(const SnapshotBarrier& snapshot, const ebr::Barrier& barrier) const {
    return Cursor(*this, snapshot.sequence(), barrier);
  }

  // Calls `f(key, value)` for the entries from `lower` (inclusive) to `upper` (exclusive), ascending, while it returns
  // true.
  template <class Lower, class Upper, class F>
  void range(const Lower& lower, const Upper& upper, const SnapshotBarrier& snapshot, F&& f) const {
    ebr::Barrier barrier;
    Cursor c = cursor(snapshot, barrier);
    for (c.seek(lower); c.valid() && Compare()(c.key(), upper); c.next()) {
      if (!f(c.key(), c.value())) return;
    }
  }
  // The same, descending.
  template <class Lower, class Upper, class F>
  void reverse_range(const Lower& lower, const Upper& upper, const SnapshotBarrier& snapshot, F&& f) const {
    ebr::Barrier barrier;
    Cursor c = cursor(snapshot, barrier);
    c.seek_for_prev(upper);
    if (c.valid() && !Compare()(c.key(), upper)) c.prev();
    for (; c.valid() && !Compare()(c.key(), lower); c.prev()) {
      if (!f(c.key(), c.value())) return;
    }
  }
};

}  // namespace scree
