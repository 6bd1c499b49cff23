// SPDX-License-Identifier: Apache-2.0
//
// A leaf of a TreeIndex: sorted entries that never change, the base, and a few slots for what was written since. One
// word says which slots count. Protocol and invariants: docs/protocols/leaf.md.

#pragma once

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

#include <scree/atomic.h>
#include <scree/detail/platform.h>
#include <scree/detail/sorted_rank.h>

#if defined(__x86_64__) && !SCREE_MODEL && !SCREE_UNDER_TSAN
#define SCREE_LEAF_BY_SSE2 1
#else
#define SCREE_LEAF_BY_SSE2 0
#endif

namespace scree::detail {

#if SCREE_SMALL_CAPACITIES
inline constexpr unsigned kLeafBase = 4, kLeafSlots = 2;
#else
inline constexpr unsigned kLeafBase = 48, kLeafSlots = 16;
#endif
static_assert(kLeafBase < 64 && kLeafSlots <= 16);

// A leaf's whole state beside what never changes:
//   bits 0-4    slots handed out so far; a slot is handed out once
//   bit 5       frozen: the word never changes again
//   bits 8-23   the slots that are entries
//   bits 24-39  the slots that say that a base entry is gone
// Each step hands out a slot or takes a bit away for good, so a leaf never has the same word twice.
class LeafWord {
 public:
  constexpr LeafWord() = default;
  constexpr explicit LeafWord(std::uint64_t bits) : bits_(bits) {}
  static constexpr std::uint64_t kFrozen = 32;

  constexpr std::uint64_t bits() const { return bits_; }
  constexpr unsigned handed_out() const { return bits_ & 31; }
  constexpr bool frozen() const { return (bits_ & kFrozen) != 0; }
  constexpr unsigned live() const { return (bits_ >> kLive) & kAll; }
  constexpr unsigned gone() const { return (bits_ >> kGone) & kAll; }
  constexpr bool is_live(unsigned slot) const { return (live() >> slot & 1) != 0; }

  constexpr LeafWord with_slot_handed_out() const { return LeafWord(bits_ + 1); }
  constexpr LeafWord with_live(unsigned slot) const { return LeafWord(bits_ | bit(kLive, slot)); }
  constexpr LeafWord with_gone(unsigned slot) const { return LeafWord(bits_ | bit(kGone, slot)); }
  // The slot counts no more, whatever it was.
  constexpr LeafWord without(unsigned slot) const { return LeafWord(bits_ & ~bit(kLive, slot) & ~bit(kGone, slot)); }

 private:
  static constexpr unsigned kLive = 8, kGone = 24, kAll = 0xffff;
  static constexpr std::uint64_t bit(unsigned field, unsigned slot) { return std::uint64_t{1} << (field + slot); }

  std::uint64_t bits_ = 0;
};

// Where a key belongs among a leaf's base entries.
struct LeafPosition {
  unsigned rank;  // so many of them are below the key
  bool exact;     // the next one has it
};

// Layout: this header; heads of the base and of the slots; payloads of both. So a search finds what it needs in one run
// of lines, which are fetched at once, and an entry has one number, wherever it lies.
template <class Slots>
class alignas(64) TreeLeaf {
 public:
  using Head = typename Slots::Head;
  using Payload = typename Slots::Payload;
  using Slot = typename Slots::Slot;
  using Place = typename Slots::Place;
  static constexpr int kNone = -1;

  // With room for `base` entries and `slots` slots; the maker fills the base before anybody else sees the leaf.
  static TreeLeaf* make(const typename Slots::Memory& memory, unsigned base, unsigned slots) {
    return ::new (memory.allocate_node(bytes(base, slots))) TreeLeaf(base, slots);
  }
  // Not its entries.
  static void destroy(void* leaf) noexcept { Slots::Memory::free_node(leaf, static_cast<TreeLeaf*>(leaf)->bytes()); }
  std::size_t bytes() const noexcept { return bytes(base_, slots_); }

  LeafWord load() const noexcept { return LeafWord(word_.load(memory_order_acquire)); }  // [T1]
  // On failure `word` becomes the present one.
  bool replace_word(LeafWord& word, LeafWord desired) noexcept {
    std::uint64_t bits = word.bits();
    const bool replaced =
        word_.compare_exchange_strong(bits, desired.bits(), memory_order_acq_rel, memory_order_acquire);  // [T2]
    if (replaced) return true;
    word = LeafWord(bits);
    return false;
  }
  // Stops all writers, for good; returns the word that stays.
  LeafWord freeze() noexcept {
    return LeafWord(word_.fetch_or(LeafWord::kFrozen, memory_order_acq_rel) | LeafWord::kFrozen);  // [T3]
  }
  // What took the place of this leaf, which is frozen: null as long as nothing did.
  TreeLeaf* copy() const noexcept {
    TreeLeaf* const copy = copy_.load(memory_order_acquire);  // [T4]
    return copy == claimed() ? nullptr : copy;
  }
  // The leaf that has what this one had: itself or the last of its copies.
  TreeLeaf* current() noexcept {
    TreeLeaf* leaf = this;
    while (leaf->load().frozen()) {
      TreeLeaf* const next = leaf->copy();
      if (next == nullptr) break;
      leaf = next;
    }
    return leaf;
  }
  // Of a frozen leaf. False if there is a copy, or the leaf is claimed.
  bool attach(TreeLeaf* copy) noexcept {
    TreeLeaf* none = nullptr;
    return copy_.compare_exchange_strong(none, copy, memory_order_acq_rel, memory_order_acquire);  // [T5]
  }
  // For a structural change: nobody else attaches a copy. False if there is one, or another claim.
  bool claim() noexcept { return attach(claimed()); }
  bool is_claimed() const noexcept { return copy_.load(memory_order_acquire) == claimed(); }  // [T6]
  // By who has claimed it: a copy, or null, which gives it up.
  void resolve(TreeLeaf* copy) noexcept { copy_.store(copy, memory_order_release); }  // [T7]

  bool has_room(LeafWord word) const noexcept { return word.handed_out() < slots_; }
  unsigned base_count() const noexcept { return base_; }

  // O(log n) at most.
  template <class Compare, class Probe>
  LeafPosition locate(const Compare& compare, const Probe& probe) const {
    if constexpr (requires { probe.head; }) {
      const unsigned low = rank_from_end<RankOf::kBelow>(probe.kHow, heads(), base_, probe.head);
      if (low == base_ || heads()[low] != probe.head) return {low, false};
      return search(compare, low, sorted_rank<RankOf::kNotAbove>(probe.kHow, heads(), base_, probe.head), probe);
    } else if constexpr (Slots::kNumbers && requires { probe.kHow; }) {
      const unsigned rank = rank_from_end<RankOf::kBelow>(probe.kHow, heads(), base_, probe.key);
      return {rank, rank < base_ && heads()[rank] == probe.key};
    } else {
      return search(compare, 0, base_, probe);
    }
  }

  // The slot that says at `word` what there is of the key, an entry or that it is gone; kNone if the base does.
  template <class Compare, class Probe>
  int slot_of(const Compare& compare, LeafWord word, LeafPosition at, const Probe& probe) const {
    if (at.exact) {
      const unsigned found = slots_at(place_byte(at), word.live() | word.gone());
      return found == 0 ? kNone : std::countr_zero(found);
    }
    unsigned found = slots_at(place_byte(at), word.live());
    if constexpr (Slots::kNumbers && requires { probe.kHow; }) {
      if (found != 0) found = lanes_among<LanesThat::kEqual>(probe.kHow, heads() + base_, slots_, found, probe.key);
      return found == 0 ? kNone : std::countr_zero(found);
    }
    for (; found != 0; found &= found - 1) {
      const int slot = std::countr_zero(found);
      if (Slots::equal(compare, slot_place(static_cast<unsigned>(slot)), probe)) return slot;
    }
    return kNone;
  }
  // Where the key's entry is, if there is one.
  Place place_of(LeafWord word, LeafPosition at, int slot) const noexcept {
    if (slot == kNone) return at.exact ? base_place(at.rank) : Place{};
    return word.is_live(static_cast<unsigned>(slot)) ? slot_place(static_cast<unsigned>(slot)) : Place{};
  }

  // Of entry i of the base, and of slot i: entry base_count() + i.
  Place base_place(unsigned i) const noexcept { return {heads() + i, payloads() + i}; }
  Place slot_place(unsigned i) const noexcept { return base_place(base_ + i); }

  // How many base entries are below the key in a published slot.
  unsigned gap_of(unsigned slot) const noexcept { return place_in(slot) & ~kOver; }

  // By the owner of a slot that was handed out and is not published.
  void write(unsigned slot, LeafPosition at, const Slot& content) noexcept {
    write(slot, at);
    set(base_ + slot, content.head, content.payload);
  }
  // For one that says that a base entry is gone.
  void write(unsigned slot, LeafPosition at) noexcept {
#if SCREE_LEAF_BY_SSE2
    places_[slot].store(place_byte(at), memory_order_relaxed);
#else
    places_[slot] = place_byte(at);
#endif
  }

  // How many entries there are at `word`.
  unsigned count(LeafWord word) const noexcept {
    return base_ - static_cast<unsigned>(std::popcount(over_base(word.live() | word.gone()))) +
           static_cast<unsigned>(std::popcount(word.live()));
  }

  // Calls `f(place)` for each entry, in no order.
  template <class F>
  void for_each(LeafWord word, F&& f) const {
    for (unsigned left = word.live(); left != 0; left &= left - 1)
      f(slot_place(static_cast<unsigned>(std::countr_zero(left))));
    const std::uint64_t hidden = this->hidden(word);
    for (unsigned i = 0; i < base_; ++i) {
      if ((hidden >> i & 1) == 0) f(base_place(i));
    }
  }

  // The same for the base entries that are gone or replaced.
  template <class F>
  void for_each_hidden(LeafWord word, F&& f) const {
    for (std::uint64_t left = hidden(word); left != 0; left &= left - 1) {
      f(base_place(static_cast<unsigned>(std::countr_zero(left))));
    }
  }
  // A bit for each base entry that is gone or replaced.
  std::uint64_t hidden(LeafWord word) const noexcept {
    std::uint64_t hidden = 0;
    for (unsigned left = over_base(word.live() | word.gone()); left != 0; left &= left - 1) {
      hidden |= std::uint64_t{1} << (place_in(static_cast<unsigned>(std::countr_zero(left))) & ~kOver);
    }
    return hidden;
  }
  // A bit for each base entry below number `n`.
  static constexpr std::uint64_t below(unsigned n) noexcept { return (std::uint64_t{1} << n) - 1; }

  // Calls `f(slot, gap, rank)` for each slot of `live`; so many of them have lesser keys.
  template <class How, class Compare, class F>
  void rank_slots(How how, const Compare& compare, unsigned live, F&& f) const {
    for (unsigned left = live; left != 0; left &= left - 1) {
      const auto slot = static_cast<unsigned>(std::countr_zero(left));
      const unsigned gap = gap_of(slot);
      unsigned below;
      if constexpr (Slots::kNumbers && std::is_same_v<How, Avx512>) {
        below = lanes_among<LanesThat::kBelow>(how, heads() + base_, slots_, live, heads()[base_ + slot]);
      } else {
        // Those before the gap; and of those within it all if this one is over its end, else those with lesser keys.
        below = slots_before(gap, live);
        const unsigned same = slots_at(static_cast<std::uint8_t>(gap), live);
        below |= is_over(slot) ? same : lesser(how, compare, same & ~(1u << slot), slot);
      }
      f(slot, gap, static_cast<unsigned>(std::popcount(below)));
    }
  }
  // Whether the slots of `live` are the first ones, above the base, and in order: so they are where keys arrive so.
  template <class Compare>
  bool slots_follow_base(const Compare& compare, unsigned live) const {
    if ((live & (live + 1)) != 0 || slots_at(static_cast<std::uint8_t>(base_), live) != live) return false;
    for (unsigned slot = 1; (live >> slot & 1) != 0; ++slot) {
      if (!Slots::less(compare, slot_place(slot - 1), slot_place(slot))) return false;
    }
    return true;
  }
  // How many of the slots of `live` have keys below the probe, which belongs at `at`.
  template <class Compare, class Probe>
  unsigned slots_below(const Compare& compare, unsigned live, LeafPosition at, const Probe& probe) const {
    unsigned below = static_cast<unsigned>(std::popcount(slots_before(at.rank, live)));
    for (unsigned same = slots_at(static_cast<std::uint8_t>(at.rank), live); same != 0; same &= same - 1) {
      below += Slots::less(compare, slot_place(static_cast<unsigned>(std::countr_zero(same))), probe) ? 1 : 0;
    }
    return below;
  }

  // By the maker: entries that lie one behind another, from the base entry i on.
  void set_base(unsigned i, unsigned n, const Place& first) noexcept {
    if constexpr (Slots::kHasHead) std::copy_n(first.head, n, field<Plain<Head>>(sizeof(TreeLeaf)) + i);
    std::copy_n(first.payload, n, field<Plain<Payload>>(payloads_at()) + i);
  }

  // As many lines as most leaves have.
  static void prefetch(const void* leaf) noexcept { prefetch_lines(leaf, bytes(kLeafBase * 3 / 4, kLeafSlots)); }

 private:
  // In the byte of a slot that is in the place of a base entry; the others are in the gap before it.
  static constexpr std::uint8_t kOver = 128;
  static constexpr std::size_t kHeadBytes = Slots::kHasHead ? sizeof(Head) : 0;

  TreeLeaf(unsigned base, unsigned slots) noexcept
      : base_(static_cast<std::uint16_t>(base)), slots_(static_cast<std::uint16_t>(slots)) {
    assert(base <= kLeafBase && slots <= kLeafSlots);
  }

  static TreeLeaf* claimed() noexcept { return reinterpret_cast<TreeLeaf*>(std::uintptr_t{1}); }  // NOLINT

  static constexpr std::size_t aligned(std::size_t offset, std::size_t alignment) {
    return (offset + alignment - 1) / alignment * alignment;
  }
  static constexpr std::size_t payloads_at(std::size_t entries) {
    return aligned(sizeof(TreeLeaf) + entries * kHeadBytes, alignof(Payload));
  }
  static constexpr std::size_t bytes(std::size_t base, std::size_t slots) {
    return payloads_at(base + slots) + (base + slots) * sizeof(Payload);
  }
  template <class T>
  T* field(std::size_t offset) noexcept {
    return reinterpret_cast<T*>(reinterpret_cast<char*>(this) + offset);
  }
  template <class T>
  const T* field(std::size_t offset) const noexcept {
    return reinterpret_cast<const T*>(reinterpret_cast<const char*>(this) + offset);
  }
  std::size_t payloads_at() const noexcept { return payloads_at(std::size_t{base_} + slots_); }
  const Plain<Head>* heads() const noexcept { return field<Plain<Head>>(sizeof(TreeLeaf)); }
  const Plain<Payload>* payloads() const noexcept { return field<Plain<Payload>>(payloads_at()); }
  void set(unsigned i, const Head& head, const Payload& payload) noexcept {
    if constexpr (Slots::kHasHead) field<Plain<Head>>(sizeof(TreeLeaf))[i] = head;
    field<Plain<Payload>>(payloads_at())[i] = payload;
  }

  // Among the base entries [low, high), outside of which none is equal.
  template <class Compare, class Probe>
  LeafPosition search(const Compare& compare, unsigned low, unsigned high, const Probe& probe) const {
    low = rank_between(low, high, [&](unsigned i) { return Slots::less(compare, base_place(i), probe); });
    return {low, low < base_ && !Slots::greater(compare, base_place(low), probe)};
  }

  // Of a published slot, or one of the calling thread's.
  unsigned place_in(unsigned slot) const noexcept {
#if SCREE_LEAF_BY_SSE2
    return places_[slot].load(memory_order_relaxed);
#else
    return places_[slot];
#endif
  }
  static std::uint8_t place_byte(LeafPosition at) noexcept {
    return static_cast<std::uint8_t>(at.rank | (at.exact ? kOver : 0u));
  }
  // Those of the published slots `among` whose byte is `place`. Bytes of others may be written at this moment: with
  // vectors they are loaded, too, and masked out.
  unsigned slots_at(std::uint8_t place, unsigned among) const noexcept {
#if SCREE_LEAF_BY_SSE2
    const __m128i all = _mm_load_si128(reinterpret_cast<const __m128i*>(places_));
    const __m128i same = _mm_cmpeq_epi8(all, _mm_set1_epi8(static_cast<char>(place)));
    return static_cast<unsigned>(_mm_movemask_epi8(same)) & among;
#else
    unsigned found = 0;
    for (unsigned left = among; left != 0; left &= left - 1) {
      const auto slot = static_cast<unsigned>(std::countr_zero(left));
      if (place_in(slot) == place) found |= 1u << slot;
    }
    return found;
#endif
  }
  unsigned over_base(unsigned among) const noexcept {
#if SCREE_LEAF_BY_SSE2
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_load_si128(reinterpret_cast<const __m128i*>(places_)))) & among;
#else
    unsigned found = 0;
    for (unsigned left = among; left != 0; left &= left - 1) {
      const int slot = std::countr_zero(left);
      if ((place_in(slot) & kOver) != 0) found |= 1u << slot;
    }
    return found;
#endif
  }
  // Those of the published slots `among` whose gap comes before.
  unsigned slots_before(unsigned gap, unsigned among) const noexcept {
#if SCREE_LEAF_BY_SSE2
    const __m128i all = _mm_load_si128(reinterpret_cast<const __m128i*>(places_));
    const __m128i gaps = _mm_and_si128(all, _mm_set1_epi8(static_cast<char>(~kOver)));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmplt_epi8(gaps, _mm_set1_epi8(static_cast<char>(gap))))) &
           among;
#else
    unsigned found = 0;
    for (unsigned left = among; left != 0; left &= left - 1) {
      if (gap_of(static_cast<unsigned>(std::countr_zero(left))) < gap) found |= left & -left;
    }
    return found;
#endif
  }
  bool is_over(unsigned slot) const noexcept { return (place_in(slot) & kOver) != 0; }
  // Those of the slots `others` that have a lesser key than slot `slot`.
  template <class How, class Compare>
  unsigned lesser(How how, const Compare& compare, unsigned others, unsigned slot) const {
    if (others == 0) return 0;
    if constexpr (Slots::kNumbers) {
      return lanes_among<LanesThat::kBelow, Head>(how, heads() + base_, slots_, others, heads()[base_ + slot]);
    } else {
      unsigned found = 0;
      for (unsigned left = others; left != 0; left &= left - 1) {
        const auto other = static_cast<unsigned>(std::countr_zero(left));
        if (Slots::less(compare, slot_place(other), slot_place(slot))) found |= left & -left;
      }
      return found;
    }
  }

  Atomic<std::uint64_t> word_{0};
  const std::uint16_t base_;
  const std::uint16_t slots_;
  Atomic<TreeLeaf*> copy_{nullptr};
  // Of each slot: how many base entries are below its key, and whether the next one has the key. Vectors load also
  // those that are being written at this moment.
#if SCREE_LEAF_BY_SSE2
  alignas(16) Atomic<std::uint8_t> places_[16];
#else
  alignas(16) Plain<std::uint8_t> places_[16] = {};
#endif
};

}  // namespace scree::detail
