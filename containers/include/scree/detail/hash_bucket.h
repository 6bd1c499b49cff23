// SPDX-License-Identifier: Apache-2.0
//
// HashBucket: what is known of the entries whose hashes begin with the same bits, and the lock of those who change
// them. The entries themselves lie in slots elsewhere: so many more buckets fit into a cache, and a search touches one
// slot that it may not find there. Where the slots are full the bucket goes on in overflow groups, which belong to the
// table and are named by numbers.
//
// Invariants (argued on docs/protocols/hash.md):
//   1. A group changes under its bucket's lock only; what is present in it changes by one store of its state.
//   2. A slot is written while no state that a reader may have loaded says that it is present: where readers take no
//      lock, not before the barriers that began before its last entry's removal have ended.
//   3. A key that is present all the time moves to a later group at most, and is there before it leaves the earlier
//   one.

#pragma once

#include <cstddef>
#include <cstdint>

#include <scree/atomic.h>
#include <scree/detail/hash_state.h>
#include <scree/lock.h>

namespace scree::detail {

template <unsigned kSlots>
struct HashGroup {
  static constexpr std::uint32_t kAll = (std::uint32_t{1} << kSlots) - 1;

  HashState load() const noexcept { return HashState(state.load(memory_order_acquire)); }  // [H1]
  // By whoever holds the lock.
  HashState current() const noexcept { return HashState(state.load(memory_order_relaxed)); }
  void publish(HashState next) noexcept { state.store(next.bits(), memory_order_release); }  // [H2]

  Atomic<std::uint64_t> state{0};
  Fingerprints<kSlots> fingerprints;
};

template <class Slots>
struct alignas(32) HashBucket {
  Lock lock;
  HashGroup<Slots::kPerBucket> group;
};

template <class Slots>
struct alignas(64) HashOverflow {
  HashGroup<Slots::kPerOverflow> group;
  Plain<typename Slots::Slot> slots[Slots::kPerOverflow];
};

}  // namespace scree::detail
