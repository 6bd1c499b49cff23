// SPDX-License-Identifier: Apache-2.0
//
// The words by which readers of a hash table find entries: the state of a group of slots, and a fingerprint of each.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include <scree/atomic.h>

#if defined(__SSE2__) && !SCREE_MODEL
#include <emmintrin.h>
#endif

namespace scree::detail {

// A value; each group of slots has an atomic of its bits, and one store of that is all that makes an entry present,
// absent, or another one.
//
//   bits  0-15   which slots have an entry
//   bits 16-31   which have had one that readers may still look at; of a cache: what was used last
//   bits 32-62   the number of the group that goes on where this one was full; 0: none
//   bit  63      moved: what was here is in the next table, and nothing here changes any more
class HashState {
 public:
  constexpr HashState() noexcept = default;  // empty
  explicit constexpr HashState(std::uint64_t bits) noexcept : bits_(bits) {}
  constexpr std::uint64_t bits() const noexcept { return bits_; }
  friend constexpr bool operator==(HashState, HashState) noexcept = default;

  constexpr std::uint32_t present() const noexcept { return static_cast<std::uint32_t>(bits_ & kSlots); }
  constexpr std::uint32_t used() const noexcept { return static_cast<std::uint32_t>(bits_ >> kUsedShift & kSlots); }
  constexpr std::uint32_t next() const noexcept {
    return static_cast<std::uint32_t>(bits_ >> kNextShift) & ~(std::uint32_t{1} << 31);
  }
  constexpr bool is_moved() const noexcept { return bits_ >> 63 != 0; }
  // Whether a search that has found nothing among the slots is at its end.
  constexpr bool is_all() const noexcept { return bits_ >> kNextShift == 0; }

  constexpr HashState with(unsigned slot) const noexcept { return HashState(bits_ | std::uint64_t{1} << slot); }
  constexpr HashState without(unsigned slot) const noexcept { return HashState(bits_ & ~(std::uint64_t{1} << slot)); }
  constexpr HashState with_used(unsigned slot) const noexcept {
    return HashState(bits_ | std::uint64_t{1} << (kUsedShift + slot));
  }
  constexpr HashState without_used(unsigned slot) const noexcept {
    return HashState(bits_ & ~(std::uint64_t{1} << (kUsedShift + slot)));
  }
  // Of a cache: each bit of a tree over the slots says which half was used longer ago (tree-PLRU, as in caches of
  // processors). `slots`: a power of two.
  constexpr HashState touched(unsigned slot, unsigned slots) const noexcept {
    std::uint64_t bits = bits_;
    for (unsigned node = 1, half = slots / 2; half != 0; half /= 2) {
      const unsigned upper = (slot & half) != 0 ? 1 : 0;
      const std::uint64_t bit = std::uint64_t{1} << (kUsedShift + node);
      bits = upper != 0 ? bits & ~bit : bits | bit;
      node = 2 * node + upper;
    }
    return HashState(bits);
  }
  constexpr unsigned longest_untouched(unsigned slots) const noexcept {
    unsigned node = 1;
    while (node < slots) node = 2 * node + static_cast<unsigned>(bits_ >> (kUsedShift + node) & 1);
    return node - slots;
  }
  constexpr HashState with_next(std::uint32_t group) const noexcept {
    return HashState(bits_ | std::uint64_t{group} << kNextShift);
  }
  constexpr HashState moved() const noexcept { return HashState(bits_ | std::uint64_t{1} << 63); }

 private:
  static constexpr std::uint64_t kSlots = 0xffff;
  static constexpr unsigned kUsedShift = 16, kNextShift = 32;

  std::uint64_t bits_ = 0;
};

// A byte of each slot's hash, eight to a word. That of a slot which has lost its entry is overwritten, later than its
// state: who does not find the entry, as it looks there too late, sees by the state that it has changed.
template <unsigned kSlots>
class Fingerprints {
 public:
  static_assert(kSlots <= 16);

  // Of a mixed hash, whose highest bits say in which bucket it is.
  static constexpr std::uint8_t of(std::uint64_t hash) noexcept { return static_cast<std::uint8_t>(hash); }

  // A bit for each slot with this one, and for each that is not there whatever.
  std::uint32_t matching(std::uint8_t fingerprint) const noexcept {
    if constexpr (kWords == 2) {
      return match(words_[0].load(memory_order_acquire), words_[1].load(memory_order_acquire), fingerprint);  // [F1]
    } else {
      return match(words_[0].load(memory_order_acquire), 0, fingerprint);  // [F1]
    }
  }

  // By whoever holds the bucket's lock.
  std::uint8_t at(unsigned slot) const noexcept {
    return static_cast<std::uint8_t>(words_[slot / 8].load(memory_order_relaxed) >> slot % 8 * 8);
  }
  void set(unsigned slot, std::uint8_t fingerprint) noexcept {
    Atomic<std::uint64_t>& word = words_[slot / 8];
    const unsigned shift = slot % 8 * 8;
    const std::uint64_t others = word.load(memory_order_relaxed) & ~(std::uint64_t{0xff} << shift);
    word.store(others | std::uint64_t{fingerprint} << shift, memory_order_release);  // [F2]
  }

 private:
  static constexpr unsigned kWords = kSlots > 8 ? 2 : 1;

#if defined(__SSE2__) && !SCREE_MODEL
  static std::uint32_t match(std::uint64_t low, std::uint64_t high, std::uint8_t fingerprint) noexcept {
    const __m128i all = _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
    const __m128i equal = _mm_cmpeq_epi8(all, _mm_set1_epi8(static_cast<char>(fingerprint)));
    return static_cast<std::uint32_t>(_mm_movemask_epi8(equal));
  }
#else
  static std::uint32_t match(std::uint64_t low, std::uint64_t high, std::uint8_t fingerprint) noexcept {
    return match(low, fingerprint) | match(high, fingerprint) << 8;
  }
  static std::uint32_t match(std::uint64_t word, std::uint8_t fingerprint) noexcept {
    constexpr std::uint64_t kOnes = 0x0101010101010101, kLow = 0x7f7f7f7f7f7f7f7f;
    const std::uint64_t differs = word ^ kOnes * fingerprint;
    const std::uint64_t equal = ~(((differs & kLow) + kLow) | differs | kLow);  // the high bit of each byte that is 0
    return static_cast<std::uint32_t>((equal >> 7) * 0x0102040810204080 >> 56);
  }
#endif

  Atomic<std::uint64_t> words_[kWords];
};

// Calls `f(slot)` for each bit, lowest first.
template <class F>
void for_each_slot(std::uint32_t slots, const F& f) {
  for (; slots != 0; slots &= slots - 1) f(static_cast<unsigned>(std::countr_zero(slots)));
}
// Until it returns true; whether it did.
template <class F>
bool any_slot(std::uint32_t slots, const F& f) {
  for (; slots != 0; slots &= slots - 1) {
    if (f(static_cast<unsigned>(std::countr_zero(slots)))) return true;
  }
  return false;
}

}  // namespace scree::detail
