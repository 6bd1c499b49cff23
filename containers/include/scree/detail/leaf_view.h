// SPDX-License-Identifier: Apache-2.0
//
// The entries of a leaf at one of its words, in the order of keys: a list of their numbers, so that a walk need not ask
// at each step whether the next one lies in the base or in a slot, which nothing could predict.

#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <scree/detail/bit_list.h>
#include <scree/detail/tree_leaf.h>
#include <scree/detail/vectors.h>

namespace scree::detail {

template <class Slots>
class LeafView {
 public:
  using Leaf = TreeLeaf<Slots>;
  using Place = typename Slots::Place;

  // Of no leaf.
  LeafView() noexcept = default;
  // O(entries), but for comparing keys that belong into the same gap of the base.
  template <class Compare>
  LeafView(const Compare& compare, const Leaf& leaf, LeafWord word)
      : leaf_(&leaf), first_(leaf.base_place(0)), live_(word.live()), hidden_(leaf.hidden(word)) {
    count_ = leaf.count(word);
    if (hidden_ == 0 && (live_ == 0 || leaf.slots_follow_base(compare, live_))) {
      order_ = kAllNumbers;
      in_order_ = true;
    } else if (count_ != 0) {
      with_vectors<Slots::kHasNumbers>([&](auto how) { sort(how, compare); });
    }
  }

  unsigned count() const noexcept { return count_; }

  // How many entries are below the probe.
  template <class Compare, class Probe>
  unsigned rank_of(const Compare& compare, const Probe& probe) const {
    const LeafPosition at = leaf_->locate(compare, probe);
    return visible_below(at.rank) + leaf_->slots_below(compare, live_, at, probe);
  }
  Place place_at(unsigned rank) const noexcept { return {first_.head + order_[rank], first_.payload + order_[rank]}; }
  // The entries [begin, end) go into the base of a leaf that nobody else sees yet, from its entry `to` on.
  void copy(unsigned begin, unsigned end, Leaf& leaf, unsigned to) const noexcept {
    if (in_order_) {
      if (begin != end) leaf.set_base(to, end - begin, place_at(begin));
    } else {
      for (unsigned rank = begin; rank != end; ++rank) leaf.set_base(to++, 1, place_at(rank));
    }
  }
  template <class Compare, class Probe>
  bool matches(const Compare& compare, unsigned rank, const Probe& probe) const {
    return rank < count_ && !Slots::greater(compare, place_at(rank), probe);
  }

 private:
  static_assert(kLeafBase + kLeafSlots <= 64);

  template <class How, class Compare>
  void sort(How how, const Compare& compare) {
    std::uint64_t in_slots = 0;  // a bit for each rank whose entry is in a slot
    std::array<std::uint8_t, kLeafSlots> rank_of_slot;
    leaf_->rank_slots(how, compare, live_, [&](unsigned slot, unsigned gap, unsigned below) {
      const unsigned rank = visible_below(gap) + below;
      rank_of_slot[slot] = static_cast<std::uint8_t>(rank);
      in_slots |= std::uint64_t{1} << rank;
    });
    // The base goes where the slots do not.
    const std::uint64_t base = ~hidden_ & Leaf::below(leaf_->base_count());
    list_bits(how, base, ~in_slots & ~std::uint64_t{0} >> (64 - count_), order_.data());
    for (unsigned left = live_; left != 0; left &= left - 1) {
      const auto slot = static_cast<unsigned>(std::countr_zero(left));
      order_[rank_of_slot[slot]] = static_cast<std::uint8_t>(leaf_->base_count() + slot);
    }
  }

  unsigned visible_below(unsigned base) const noexcept {
    return base - static_cast<unsigned>(std::popcount(hidden_ & Leaf::below(base)));
  }

  const Leaf* leaf_ = nullptr;
  Place first_;        // the leaf's entry number 0
  unsigned live_ = 0;  // the slots that are entries
  unsigned count_ = 0;
  bool in_order_ = false;               // entries are numbered as they are ordered
  std::uint64_t hidden_ = 0;            // a bit for each base entry that is gone or replaced
  std::array<std::uint8_t, 64> order_;  // of count_ entries
};

}  // namespace scree::detail
