// SPDX-License-Identifier: Apache-2.0
//
// VersionedHash: an unordered index with point-in-time reads, over HashIndex. Reads never wait; a write holds the lock
// of its stripe of the hash space while it inserts a key.

#pragma once

#include <functional>

#include <scree/detail/versioned_index.h>
#include <scree/hash_index.h>

namespace scree {

// Values of type std::string are kept as bytes and shown as std::string_view.
template <class K, class V, class HashFunction = Hash<K>, class Equal = std::equal_to<>>
class VersionedHash : public detail::VersionedIndex<HashIndex<K, detail::VersionChain<V>, HashFunction, Equal>, K, V> {
  using Base = detail::VersionedIndex<HashIndex<K, detail::VersionChain<V>, HashFunction, Equal>, K, V>;

 public:
  using Base::Base;

  // Calls `f(key, value)` for every entry of the snapshot, in no particular order, while it returns true. O(n).
  template <class F>
  void scan(const SnapshotBarrier& snapshot, F&& f) const {
    ebr::Barrier barrier;
    for (auto [key, chain] : this->index().iter(barrier)) {
      const auto* version = chain.at(snapshot.sequence());
      if (version != nullptr && !version->is_tombstone() && !f(key, version->value())) return;
    }
  }
};

}  // namespace scree
