// SPDX-License-Identifier: Apache-2.0
//
// The entries of a leaf at one of its words, in the order of keys. Where the next one lies, in the base or in a slot,
// is looked up, not branched on: nothing predicts it.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include <scree/detail/tree_leaf.h>

namespace scree::detail {

template <class Slots>
class LeafView {
 public:
  using Leaf = TreeLeaf<Slots>;
  using Place = typename Slots::Place;

  // Between two entries. One number, so that it stays in one register.
  class Position {
   public:
    constexpr Position() noexcept = default;
    constexpr Position(unsigned rank, unsigned slots) noexcept : bits_(rank | std::uint64_t{slots} << 32) {}

    constexpr unsigned rank() const noexcept { return static_cast<unsigned>(bits_); }  // so many are before it
    constexpr unsigned slots() const noexcept {
      return static_cast<unsigned>(bits_ >> 32);
    }  // so many of those in slots

   private:
    std::uint64_t bits_ = 0;
  };

  // Of no leaf.
  LeafView() noexcept = default;
  // O(slots), but for comparing keys that belong into the same gap of the base; O(base) more where entries of the base
  // are gone or replaced.
  template <class Compare>
  LeafView(const Compare& compare, const Leaf& leaf, LeafWord word) : leaf_(&leaf), hidden_(leaf.hidden(word)) {
    std::uint8_t numbers[kLeafSlots];
    slots_ = leaf.sort_slots(compare, word.live(), sorted_, numbers);
    unsigned base = leaf.base_count();
    if (hidden_ != 0) [[unlikely]] {
      base = 0;
      for (unsigned i = 0; i < leaf.base_count(); ++i) {
        visible_[base] = static_cast<std::uint8_t>(i);
        base += (hidden_ >> i & 1) == 0 ? 1 : 0;
      }
    }
    count_ = base + slots_;
    bases_ = leaf.base_place(0);
    slot_places_ = leaf.slot_place(0);
    for (unsigned i = 0; i < slots_; ++i) in_slot_ |= std::uint64_t{1} << (visible_below(numbers[i] / 2u) + i);
  }

  unsigned count() const noexcept { return count_; }

  Position begin() const noexcept { return {}; }
  Position end() const noexcept { return {count_, slots_}; }
  // Of the first entry that is not below the probe, or the end.
  template <class Compare, class Probe>
  Position lower_bound(const Compare& compare, const Probe& probe) const {
    const LeafPosition at = leaf_->locate(compare, probe);
    // Slots that belong into later gaps come later; those of this gap are compared.
    unsigned slots = 0;
    for (; slots < slots_; ++slots) {
      const unsigned slot = sorted_[slots];
      const unsigned gap = leaf_->gap_of(slot);
      if (gap > at.rank || (gap == at.rank && !Slots::less(compare, leaf_->slot_place(slot), probe))) break;
    }
    return {visible_below(at.rank) + slots, slots};
  }
  // Of the next entry and of the one before: not from the end, or the beginning.
  Position after(Position at) const noexcept { return {at.rank() + 1, at.slots() + in_slot(at.rank())}; }
  Position before(Position at) const noexcept { return {at.rank() - 1, at.slots() - in_slot(at.rank() - 1)}; }

  Place place_at(Position at) const noexcept {
    unsigned base = at.rank() - at.slots();
    if (hidden_ != 0) [[unlikely]]
      base = visible_[base % sizeof(visible_)];
    const std::ptrdiff_t mask = -static_cast<std::ptrdiff_t>(in_slot(at.rank()));
    const std::ptrdiff_t slot = sorted_[at.slots() % kLeafSlots];
    return Slots::select(mask, slot_places_, slot, bases_, base);
  }
  template <class Compare, class Probe>
  bool matches(const Compare& compare, Position at, const Probe& probe) const {
    return at.rank() < count_ && !Slots::greater(compare, place_at(at), probe);
  }

 private:
  unsigned in_slot(unsigned rank) const noexcept { return in_slot_ >> rank & 1; }
  unsigned visible_below(unsigned base) const noexcept {
    return hidden_ == 0 ? base : base - static_cast<unsigned>(std::popcount(hidden_ & Leaf::below(base)));
  }

  const Leaf* leaf_ = nullptr;
  Place bases_, slot_places_;  // the first of each
  std::uint64_t hidden_ = 0;   // a bit for each base entry that is gone or replaced
  std::uint64_t in_slot_ = 0;  // a bit for each rank whose entry is in a slot
  unsigned count_ = 0;
  unsigned slots_ = 0;
  std::uint8_t sorted_[kLeafSlots];      // the live slots
  std::uint8_t visible_[kLeafBase + 1];  // where some are hidden: the base entries that are not
};
static_assert(kLeafBase + kLeafSlots <= 64);

}  // namespace scree::detail
