// SPDX-License-Identifier: Apache-2.0
//
// The entries of a leaf at one of its words, in the order of keys: a list of their numbers, so that a walk need not ask
// at each step whether the next one lies in the base or in a slot, which nothing could predict.

#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include <scree/detail/sorted_rank.h>
#include <scree/detail/tree_leaf.h>

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
      order_ = kInOrder;
    } else {
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
  template <class Compare, class Probe>
  bool matches(const Compare& compare, unsigned rank, const Probe& probe) const {
    return rank < count_ && !Slots::greater(compare, place_at(rank), probe);
  }

 private:
  static constexpr std::size_t kMost = kLeafBase + kLeafSlots;
  static_assert(kMost <= 64);
  using Order = std::array<std::uint8_t, kMost>;
  static constexpr Order kInOrder = [] {
    Order order;
    std::iota(order.begin(), order.end(), std::uint8_t{0});
    return order;
  }();

  template <class How, class Compare>
  void sort(How how, const Compare& compare) {
    std::uint64_t in_slots = 0;  // a bit for each rank whose entry is in a slot
    std::array<std::uint8_t, kLeafSlots> rank_of_slot;
    leaf_->rank_slots(how, compare, live_, [&](unsigned slot, unsigned gap, unsigned below) {
      const unsigned rank = visible_below(gap) + below;
      rank_of_slot[slot] = static_cast<std::uint8_t>(rank);
      in_slots |= std::uint64_t{1} << rank;
    });
    // The base goes where the slots do not: the next one of it is written at each rank, and kept where it belongs.
    std::uint64_t base = ~hidden_;
    for (unsigned rank = 0; rank < count_; ++rank) {
      order_[rank] = static_cast<std::uint8_t>(std::countr_zero(base));
      base &= base - (~in_slots >> rank & 1);
    }
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
  std::uint64_t hidden_ = 0;  // a bit for each base entry that is gone or replaced
  Order order_;               // of count_ entries
};

}  // namespace scree::detail
