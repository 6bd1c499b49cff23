// SPDX-License-Identifier: Apache-2.0
//
// What a Bag consists of: slots, the inline ones, which are used again and again, and blocks of slots that are used
// once. The protocol, its steps (numbered in brackets here) and the argument for each memory order are on
// docs/protocols/bag.md.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include <scree/atomic.h>
#include <scree/detail/ebr_thread.h>
#include <scree/sync_point.h>

#if SCREE_MODEL
#include <scree_model/platform.h>
#endif

namespace scree::detail {

#if SCREE_SMALL_CAPACITIES
inline constexpr std::uint32_t kBagInline = 2, kBagBlock = 2;
#else
inline constexpr std::uint32_t kBagInline = 32, kBagBlock = 64;
#endif

// A slot's word. Bits 0-1: its state. Bits 2-63: how often it has become full; at one per nanosecond they last a
// century. While it is writing or reading, it belongs to the thread that made it so; nobody waits for that thread.
class BagWord {
 public:
  constexpr explicit BagWord(std::uint64_t bits) noexcept : bits_(bits) {}

  constexpr bool is_empty() const noexcept { return (bits_ & kState) == kEmpty; }
  constexpr bool is_full() const noexcept { return (bits_ & kState) == kFull; }
  // Of a slot that is used once: it has been used. That is final.
  constexpr bool is_over() const noexcept { return is_empty() && pushes() != 0; }
  constexpr std::uint64_t pushes() const noexcept { return bits_ / kOnePush; }
  constexpr std::uint64_t bits() const noexcept { return bits_; }

  constexpr BagWord emptied() const noexcept { return BagWord(bits_ & ~kState); }
  constexpr BagWord claimed() const noexcept { return BagWord(emptied().bits_ | kWriting); }
  constexpr BagWord filled() const noexcept { return BagWord((emptied().bits_ + kOnePush) | kFull); }
  constexpr BagWord taken() const noexcept { return BagWord(emptied().bits_ | kReading); }
  // Used up without having held anything.
  static constexpr BagWord skipped() noexcept { return BagWord(kOnePush); }

 private:
  static constexpr std::uint64_t kEmpty = 0, kWriting = 1, kFull = 2, kReading = 3, kState = 3, kOnePush = 4;

  std::uint64_t bits_;
};

// One that belongs to the caller, or none.
template <class Slot>
struct BagClaim {
  explicit operator bool() const noexcept { return slot != nullptr; }

  Slot* slot = nullptr;
  BagWord word{0};  // what it was before; nobody else changes it
};

template <class T>
class BagSlot {
 public:
  using Claim = BagClaim<BagSlot>;

  BagSlot() noexcept {}
  ~BagSlot() {}
  BagSlot(const BagSlot&) = delete;
  BagSlot& operator=(const BagSlot&) = delete;

  // empty -> writing. Acquire: who emptied it is done with the memory.
  Claim claim() noexcept {
    std::uint64_t bits = word_.load(memory_order_relaxed);
    const BagWord before(bits);
    if (!before.is_empty()) return {};
    const std::uint64_t claimed = before.claimed().bits();
    if (!word_.compare_exchange_strong(bits, claimed, memory_order_acquire, memory_order_relaxed)) return {};  // [B1]
    return {this, before};
  }

  // By who claimed it, when it was `before`: writing -> full. Where T's constructor throws, it becomes `otherwise`.
  template <class... Args>
  void fill(BagWord before, BagWord otherwise, Args&&... args) {
    SCREE_SYNC_POINT("bag:claimed");
    try {
      std::construct_at(&value_, std::forward<Args>(args)...);
    } catch (...) {
      word_.store(otherwise.bits(), memory_order_release);  // [B5]
      throw;
    }
    word_.store(before.filled().bits(), memory_order_release);  // [B2]
  }

  // full -> reading, if it is full; else none. `seen` is what it was at last. Acquire: what the pusher wrote, and,
  // where it is not full, all that was done before it was emptied. Release: who sees that this element is gone sees
  // what its taker did.
  Claim take(BagWord& seen) noexcept {
    std::uint64_t bits = word_.load(memory_order_acquire);  // [B6]
    while (BagWord(bits).is_full()) {
      const std::uint64_t taken = BagWord(bits).taken().bits();
      if (word_.compare_exchange_strong(bits, taken, memory_order_acq_rel, memory_order_acquire)) {  // [B3]
        return {this, BagWord(bits)};
      }
    }
    seen = BagWord(bits);
    return {};
  }

  // By who took it, when it was `before`: reading -> empty. Where `use(T&)` throws, the element is back: reading ->
  // full, which is a push.
  template <class Use>
  void hand_out(BagWord before, Use&& use) {
    SCREE_SYNC_POINT("bag:taken");
    try {
      use(value_);
    } catch (...) {
      word_.store(before.filled().bits(), memory_order_release);  // [B2]
      throw;
    }
    release(before);
  }
  // The same, but the element is the user's, also where `use(T&&)` throws.
  template <class Use>
  void give_away(BagWord before, Use&& use) {
    SCREE_SYNC_POINT("bag:taken");
    struct Release {
      ~Release() { slot.release(before); }
      BagSlot& slot;
      const BagWord before;
    } const at_end{*this, before};
    use(std::move(value_));
  }

  // Of a slot that is used once and belongs to the caller. Relaxed: nothing was ever there.
  void skip() noexcept { word_.store(BagWord::skipped().bits(), memory_order_relaxed); }  // [B12]

  BagWord word() const noexcept { return BagWord(word_.load(memory_order_acquire)); }  // [B6]
  // 1 if it is full; `pushes` grows by its count.
  std::size_t count(std::uint64_t& pushes) const noexcept {
    const BagWord seen = word();
    pushes += seen.pushes();
    return seen.is_full() ? 1 : 0;
  }

  // By one thread alone.
  T& value() noexcept { return value_; }

 private:
  void release(BagWord before) noexcept {
    std::destroy_at(&value_);
    word_.store(before.emptied().bits(), memory_order_release);  // [B4]
  }

  Atomic<std::uint64_t> word_{0};
  union {
    T value_;
  };
};

// The slots in the Bag itself. `place` is where the calling thread found a slot last: a pair of a push and a pop stays
// there, and writes nothing but the slot.
template <class T, std::uint32_t kSlots>
class BagInline {
  static_assert(std::has_single_bit(kSlots));

 public:
  using Claim = typename BagSlot<T>::Claim;

  // Claims the slot at `place`, or takes what is in it.
  Claim claim_at(std::uint32_t place) noexcept { return slots_[place % kSlots].claim(); }
  Claim take_at(std::uint32_t place) noexcept {
    BagWord seen(0);
    return slots_[place % kSlots].take(seen);
  }

  // Claims an empty one, wherever it is. None if there is none.
  Claim claim(std::uint32_t& place) noexcept {
    for (std::uint32_t n = place; n != place + kSlots; ++n) {
      if (const Claim claim = slots_[n % kSlots].claim()) {
        place = n % kSlots;
        return claim;
      }
    }
    return {};
  }
  // Takes a full one, wherever it is. Begins below `place`, where this thread pushed before. None if there is none;
  // then `pushes` grows by the counts of all.
  Claim take(std::uint32_t& place, std::uint64_t& pushes) noexcept {
    const std::uint32_t first = place + kSlots - 1;
    for (std::uint32_t n = first; n != first + kSlots; ++n) {
      BagWord seen(0);
      if (const Claim taken = slots_[n % kSlots].take(seen)) {
        place = n % kSlots;
        return taken;
      }
      pushes += seen.pushes();
    }
    return {};
  }

  // How many are full; `pushes` grows by the counts of all.
  std::size_t count(std::uint64_t& pushes) const noexcept {
    std::size_t full = 0;
    for (const BagSlot<T>& slot : slots_) full += slot.count(pushes);
    return full;
  }

  BagSlot<T>& operator[](std::uint32_t n) noexcept { return slots_[n]; }
  const BagSlot<T>& operator[](std::uint32_t n) const noexcept { return slots_[n]; }

 private:
  BagSlot<T> slots_[kSlots];
};

// Where the next older block is. Bit 0: the block that this link is in is being unlinked, and the link never changes
// again.
template <class Block>
class BagLink {
 public:
  Block* get() const noexcept { return pointer(word_.load(memory_order_acquire)); }  // [B9]
  // By the maker of the block that it is in, before that is linked.
  void set(Block* block) noexcept { word_.store(word(block), memory_order_relaxed); }

  // Release: the block, and what this thread did before. False if there is another one, or the link is marked.
  bool link(Block* expected, Block* fresh) noexcept {
    std::uintptr_t bits = word(expected);
    return word_.compare_exchange_strong(bits, word(fresh), memory_order_release, memory_order_relaxed);  // [B10]
  }
  // Release: who no longer finds the block sees what the takers of its elements did; and what comes after it.
  bool unlink(Block* block, Block* next) noexcept {
    std::uintptr_t bits = word(block);
    return word_.compare_exchange_strong(bits, word(next), memory_order_release, memory_order_relaxed);  // [B11]
  }
  // Returns the block that it names for good. Relaxed: what a link names is published by who wrote it.
  Block* mark() noexcept {
    word_.fetch_or(kMarked, memory_order_relaxed);  // [B13]
    return get();
  }

 private:
  static constexpr std::uintptr_t kMarked = 1;

  static std::uintptr_t word(const Block* block) noexcept { return reinterpret_cast<std::uintptr_t>(block); }
  static Block* pointer(std::uintptr_t bits) noexcept {
    return reinterpret_cast<Block*>(bits & ~kMarked);  // NOLINT(performance-no-int-to-ptr)
  }

  Atomic<std::uintptr_t> word_{0};
};

// Slots that are used once each, in order: no pusher needs to look for one, and when all are over nobody will ever put
// anything into it again.
template <class T, std::uint32_t kSlots>
class BagBlock {
 public:
  using Claim = typename BagSlot<T>::Claim;

  // The next older block.
  BagLink<BagBlock>& next() noexcept { return next_; }
  const BagLink<BagBlock>& next() const noexcept { return next_; }
  // By its maker alone, before it is linked, over `older` or over nothing.
  void link_over(BagBlock* older) noexcept {
    next_.set(older);
    ordinal_ = older == nullptr ? 1 : older->ordinal_ + 1;
  }
  // 1 or more; descends from block to block.
  std::uint64_t ordinal() const noexcept { return ordinal_; }

  // The next slot, for the caller to fill; none if there is none left.
  Claim claim() noexcept {
    if (claimed_.load(memory_order_relaxed) >= kSlots) return {};
    const std::uint32_t n = claimed_.fetch_add(1, memory_order_relaxed);  // [B7]
    return n < kSlots ? Claim{&slots_[n]} : Claim{};
  }

  // Uses up what is left. (The counter passes the number of slots by as many for each thread that seals at once, and by
  // one for each that claims: no more.)
  void seal() noexcept {
    if (claimed_.load(memory_order_relaxed) >= kSlots) return;
    for (std::uint32_t n = claimed_.fetch_add(kSlots, memory_order_relaxed); n < kSlots; ++n) {  // [B7]
      SCREE_SYNC_POINT("bag:sealing");
      slots_[n].skip();
    }
  }

  // Takes a full slot, if there is one; else none, and `pushes` grows by the counts of all.
  Claim take(std::uint64_t& pushes) noexcept {
    const std::uint32_t begin = over_.load(memory_order_acquire);  // [B8]
    // What pushers write is not looked at before it is needed.
    std::uint32_t end = kSlots;
    bool asked = false;
    Claim taken;
    std::uint32_t over = begin;
    pushes += begin;
    for (std::uint32_t n = begin; n < end; ++n) {
      BagWord seen(0);
      taken = slots_[n].take(seen);
      if (taken) break;
      pushes += seen.pushes();
      if (n == over && seen.is_over() && seen.pushes() == 1) ++over;
      if (!asked && seen.pushes() == 0) {
        end = used();
        asked = true;
      }
    }
    if (over != begin) over_.store(over, memory_order_release);  // [B8]
    return taken;
  }

  // How many are full; `pushes` grows by the counts of all.
  std::size_t count(std::uint64_t& pushes) const noexcept {
    std::size_t full = 0;
    const std::uint32_t begin = over_.load(memory_order_acquire);  // [B8]
    pushes += begin;
    for (std::uint32_t n = begin, end = used(); n < end; ++n) full += slots_[n].count(pushes);
    return full;
  }

  // Nothing is in it, and nothing will ever be. That is final.
  bool is_over() const noexcept {
    for (std::uint32_t n = over_.load(memory_order_acquire); n < kSlots; ++n) {  // [B8]
      if (!slots_[n].word().is_over()) return false;
    }
    return true;
  }

  // The slots from here on have never been claimed, as far as the caller knows.
  std::uint32_t used() const noexcept {
    const std::uint32_t claimed = claimed_.load(memory_order_relaxed);
    return claimed < kSlots ? claimed : kSlots;
  }
  BagSlot<T>& operator[](std::uint32_t n) noexcept { return slots_[n]; }
  const BagSlot<T>& operator[](std::uint32_t n) const noexcept { return slots_[n]; }

 private:
  BagLink<BagBlock> next_;
  Plain<std::uint64_t> ordinal_ = 0;
  Atomic<std::uint32_t> claimed_{0};
  // So many slots at the beginning are over, and each was full or skipped once: their counts add up to it.
  alignas(64) Atomic<std::uint32_t> over_{0};
  BagSlot<T> slots_[kSlots];
};

// Where the calling thread begins to look for a slot, in any Bag. Threads begin far from one another, so that each
// finds its own slots, in a cache line of its own, as long as there are few.
#if SCREE_MODEL
struct BagPlace {
  std::uint32_t place = 0;
};
inline std::uint32_t& bag_place() noexcept { return scree::model::per_thread<BagPlace>().place; }
#else
inline constexpr std::uint32_t kNoBagPlace = ~std::uint32_t{0};
[[gnu::tls_model("initial-exec")]] inline constinit thread_local std::uint32_t this_bag_place = kNoBagPlace;

[[gnu::noinline]] inline void choose_bag_place() noexcept {
  // Every eighth of 32 in turn: 0, 4, 2, 6, 1, 5, 3, 7.
  const std::uint32_t n = ebr::detail::domain().next_thread_number();
  this_bag_place = 4 * ((n & 1) * 4 + (n & 2) + (n & 4) / 4);
}
inline std::uint32_t& bag_place() noexcept {
  if (this_bag_place == kNoBagPlace) [[unlikely]]
    choose_bag_place();
  return this_bag_place;
}
#endif

}  // namespace scree::detail
