// SPDX-License-Identifier: Apache-2.0
//
// The nodes of a TreeIndex. Protocol and invariants: docs/protocols/leaf.md.

#pragma once

#include <array>
#include <cstdint>

#include <scree/atomic.h>
#include <scree/lock.h>

namespace scree::detail {

#if SCREE_SMALL_CAPACITIES
inline constexpr unsigned kLeafSlots = 4;
inline constexpr unsigned kInnerChildren = 4;
#else
inline constexpr unsigned kLeafSlots = 14;
inline constexpr unsigned kInnerChildren = 64;
#endif

// A leaf's whole state in one word: which slots are live, in which order, and which was handed out last.
//   bits 0-3   slots handed out so far; kFrozenMark: frozen, nothing changes any more
//   bits 4-7   live entries n
//   bits 8-63  14 nibbles; the first n are the slots of the live entries in key order
// One load is a consistent view of the leaf: a slot is immutable from its publication on and never reused.
class LeafWord {
 public:
  static constexpr std::uint64_t kFrozenMark = 15;

  constexpr LeafWord() = default;
  constexpr explicit LeafWord(std::uint64_t bits) : bits_(bits) {}

  constexpr std::uint64_t bits() const { return bits_; }
  constexpr unsigned handed_out() const { return bits_ & 15; }
  constexpr bool frozen() const { return handed_out() == kFrozenMark; }
  constexpr bool full() const { return handed_out() >= kLeafSlots; }
  constexpr unsigned live() const { return (bits_ >> 4) & 15; }
  constexpr unsigned slot_at(unsigned rank) const { return (bits_ >> (8 + 4 * rank)) & 15; }

  constexpr LeafWord with_slot_handed_out() const { return LeafWord(bits_ + 1); }
  constexpr LeafWord with_inserted(unsigned rank, unsigned slot) const {
    const std::uint64_t order = bits_ >> 8;
    const std::uint64_t low = order & mask(rank);
    const std::uint64_t high = order & ~mask(rank);
    return pack(low | (std::uint64_t{slot} << (4 * rank)) | (high << 4), live() + 1);
  }
  constexpr LeafWord with_removed(unsigned rank) const {
    const std::uint64_t order = bits_ >> 8;
    return pack((order & mask(rank)) | ((order >> 4) & ~mask(rank)), live() - 1);
  }
  constexpr LeafWord with_replaced(unsigned rank, unsigned slot) const {
    const std::uint64_t order = bits_ >> 8;
    return pack((order & ~(std::uint64_t{15} << (4 * rank))) | (std::uint64_t{slot} << (4 * rank)), live());
  }

  // `n` live entries in slots 0 to n - 1, in that order.
  static constexpr LeafWord of_sorted(unsigned n) {
    return LeafWord((std::uint64_t{0xdcba9876543210} & mask(n)) << 8 | (std::uint64_t{n} << 4) | n);
  }

 private:
  static constexpr std::uint64_t mask(unsigned nibbles) { return (std::uint64_t{1} << (4 * nibbles)) - 1; }
  constexpr LeafWord pack(std::uint64_t order, unsigned live) const {
    return LeafWord((order << 8) | (std::uint64_t{live} << 4) | (bits_ & 15));
  }

  std::uint64_t bits_ = 0;
};
static_assert(kLeafSlots <= 14);

template <class Slots>
struct TreeLeaf {
  using Slot = typename Slots::Slot;

  TreeLeaf() noexcept {}  // the slots stay uninitialised until they are handed out

  LeafWord load() const noexcept { return LeafWord(word.load(memory_order_acquire)); }
  const Slot& at(LeafWord w, unsigned rank) const noexcept { return slots[w.slot_at(rank)].slot; }

  // The number of live entries below (or_equal: not above) the probe.
  template <class Compare, class Probe>
  unsigned rank_of(const Compare& compare, LeafWord w, const Probe& probe) const {
    unsigned low = 0;
    unsigned n = w.live();
    while (n != 0) {
      const unsigned half = n / 2;
      if (Slots::less(compare, at(w, low + half), probe)) {
        low += half + 1;
        n -= half + 1;
      } else {
        n = half;
      }
    }
    return low;
  }
  template <class Compare, class Probe>
  bool matches(const Compare& compare, LeafWord w, unsigned rank, const Probe& probe) const {
    return rank < w.live() && !Slots::less(compare, probe, at(w, rank));
  }

  // Stops all writers; returns the state that stays. Only under the parent's lock.
  LeafWord freeze() noexcept { return LeafWord(word.fetch_or(LeafWord::kFrozenMark, memory_order_acq_rel)); }
  // Undoes it: nothing has changed since, and nobody else may thaw.
  void thaw(LeafWord before) noexcept { word.store(before.bits(), memory_order_release); }

  union SlotStorage {
    SlotStorage() noexcept {}
    Slot slot;
  };

  Atomic<std::uint64_t> word{0};
  std::array<SlotStorage, kLeafSlots> slots;
};

// Separators and their number never change; a child pointer changes under `lock` while the node is not dead. Child i
// covers the keys from separator i - 1 (inclusive) to separator i (exclusive).
template <class Slots>
struct TreeInner {
  using Separator = typename Slots::Separator;

  TreeInner(unsigned node_level, unsigned node_children) noexcept : level(node_level), child_count(node_children) {}

  // The child whose range has the probe: the number of separators not above it.
  template <class Compare, class Probe>
  unsigned child_index(const Compare& compare, const Probe& probe) const {
    unsigned low = 0;
    unsigned n = child_count - 1;
    while (n != 0) {
      const unsigned half = n / 2;
      if (Slots::before(compare, probe, separators[low + half].separator)) {
        n = half;
      } else {
        low += half + 1;
        n -= half + 1;
      }
    }
    return low;
  }
  void* child(unsigned index) const noexcept { return children[index].load(memory_order_acquire); }

  union SeparatorStorage {
    SeparatorStorage() noexcept {}
    Separator separator;
  };

  const unsigned level;  // 1: the children are leaves
  const unsigned child_count;
  bool dead = false;  // replaced; guarded by `lock`
  Lock lock;          // of writers that change the structure below; readers never take it
  std::array<SeparatorStorage, kInnerChildren - 1> separators;
  std::array<Atomic<void*>, kInnerChildren> children{};
};

}  // namespace scree::detail
