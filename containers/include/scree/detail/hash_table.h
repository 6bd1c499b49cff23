// SPDX-License-Identifier: Apache-2.0
//
// HashTable: an array of buckets, one for each value of the highest bits of a hash, with their slots and overflow. A
// resize makes another table beside it and moves one bucket after the other (hash_core.h); both know each other
// meanwhile.

#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <scree/atomic.h>
#include <scree/detail/hash_bucket.h>
#include <scree/detail/hash_phases.h>
#include <scree/detail/hash_pool.h>
#include <scree/detail/zeroed_memory.h>

namespace scree::detail {

template <class Slots>
class HashTable {
 public:
  using Slot = typename Slots::Slot;
  using Memory = typename Slots::Memory;
  using Bucket = HashBucket<Slots>;
  using Overflow = HashOverflow<Slots>;

  // Where an entry is. It stays there while the bucket's lock is held, and so does what it was under a barrier.
  struct Place {
    Plain<Slot>* slot = nullptr;
    std::uint32_t group = 0;  // of the overflow; 0: the bucket's own
    unsigned index = 0;

    explicit operator bool() const noexcept { return slot != nullptr; }
    const Slot& operator*() const noexcept { return value_in<Slot>(*slot); }
    typename Slots::ValueReference value() const noexcept { return Slots::value_in_place(*slot); }
  };

  // All buckets are empty. Throws what allocation throws.
  HashTable(const Memory& memory, unsigned bits)
      : shift_(63 - bits), buckets_(memory, std::size_t{1} << bits), slots_(memory, capacity()) {}
  HashTable(const HashTable&) = delete;
  HashTable& operator=(const HashTable&) = delete;

  unsigned bits() const noexcept { return 63 - shift_; }
  std::size_t buckets() const noexcept { return std::size_t{1} << bits(); }
  std::size_t capacity() const noexcept { return buckets() * Slots::kPerBucket; }
  std::size_t bytes() const noexcept { return buckets_.bytes() + slots_.bytes() + pool_.bytes(); }

  // Of the bucket of hashes which begin as this one does.
  std::size_t index_of(std::uint64_t hash) const noexcept { return hash >> 1 >> shift_; }
  Bucket& bucket(std::size_t index) const noexcept { return buckets_[index]; }
  // The first hash of a bucket.
  std::uint64_t begin_of(std::size_t index) const noexcept { return std::uint64_t{index} << 1 << shift_; }

  // Where `matches(slot)` holds. `seen`: a state of the bucket that has been loaded.
  template <class Matches>
  Place find(std::size_t bucket, HashState seen, std::uint8_t fingerprint, const Matches& matches) const {
    Place place = find_in(buckets_[bucket].group, slots_of(bucket), seen, fingerprint, matches);
    if (!place && !seen.is_all()) [[unlikely]]
      place = find_in_overflow(seen, fingerprint, matches);
    return place;
  }

  // The slot where find() is likely to look.
  void prefetch_slot(std::size_t bucket, std::uint8_t fingerprint) const noexcept {
    const auto& group = buckets_[bucket].group;
    const std::uint32_t likely = group.fingerprints.matching(fingerprint) & group.current().present();
    if (likely != 0) __builtin_prefetch(&slots_of(bucket)[std::countr_zero(likely)]);
  }

  // The slot where put() is likely to put an entry.
  void prefetch_free_slot(std::size_t bucket) const noexcept {
    const unsigned likely = static_cast<unsigned>(std::countr_one(buckets_[bucket].group.current().present()));
    __builtin_prefetch(&slots_of(bucket)[std::min(likely, Slots::kPerBucket - 1)], 1);
  }

  // Calls `f(place)` for all entries that are present. By whoever holds the lock, or of a bucket that does not change
  // but for what `f` does with the entry.
  template <class F>
  void for_each(std::size_t bucket, const F& f) const {
    for (std::uint32_t number = 0;;) {
      number = with_group(bucket, number, [&](auto& group, Plain<Slot>* slots) {
        for_each_slot(group.current().present(), [&](unsigned n) { f(Place{&slots[n], number, n}); });
        return group.current().next();
      });
      if (number == 0) return;
    }
  }
  // The same one by one: the one behind `place`, the first one where that is none; none at the end.
  Place following(std::size_t bucket, const Place& place) const noexcept {
    unsigned from = place ? place.index + 1 : 0;
    for (std::uint32_t number = place.group;; from = 0) {
      std::uint32_t next = 0;
      const Place found = with_group(bucket, number, [&](auto& group, Plain<Slot>* slots) -> Place {
        next = group.current().next();
        const std::uint32_t behind = group.current().present() >> from << from;
        if (behind == 0) return {};
        const auto n = static_cast<unsigned>(std::countr_zero(behind));
        return {&slots[n], number, n};
      });
      if (found || next == 0) return found;
      number = next;
    }
  }
  // As for_each(), of what is present in `seen`, or in what the overflow says when it comes there; of those that are
  // the `same(slot, slot)` one. Under a barrier. Throws std::bad_alloc, too.
  template <class Same, class F>
  void visit(std::size_t bucket, HashState seen, const Same& same, const F& f) const {
    for_each_slot(seen.present(), [&](unsigned n) { f(value_in<Slot>(slots_of(bucket)[n])); });
    if (!seen.is_all()) visit_overflow(bucket, seen, same, f);
  }

  // The following by whoever holds the lock of the bucket, which is not moved.

  // Makes an entry present. Throws what allocation throws, with nothing changed.
  Place put(const Memory& memory, std::size_t bucket, std::uint8_t fingerprint, const Slot& slot, HashPhases& phases) {
    if (const Place place = put_in(bucket, 0, fingerprint, slot, phases)) [[likely]]
      return place;
    if constexpr (Slots::kBounded) return {};
    return put_behind(memory, bucket, 0, fingerprint, slot, phases);
  }
  // Of a cache whose bucket is full: puts an entry in the place of the one that was not used for the longest time,
  // about; which is returned.
  Slot put_in_place_of_oldest(std::size_t bucket, std::uint8_t fingerprint, const Slot& slot) noexcept {
    auto& group = buckets_[bucket].group;
    const HashState state = group.current();
    const unsigned oldest = state.longest_untouched(Slots::kPerBucket);
    Plain<Slot>& place = slots_of(bucket)[oldest];
    const Slot evicted = place;
    place = slot;
    group.fingerprints.set(oldest, fingerprint);
    group.publish(state.touched(oldest, Slots::kPerBucket));
    return evicted;
  }
  // Of a cache: the entry is used now. By who holds the lock, be it shared: that one of two readers is forgotten does
  // not matter.
  void touch(std::size_t bucket, const Place& place) noexcept {
    auto& group = buckets_[bucket].group;
    group.state.store(group.current().touched(place.index, Slots::kPerBucket).bits(), memory_order_relaxed);
  }
  // Where several in a row are put: the last overflow group that one came into, and its bucket.
  struct Last {
    std::size_t bucket = 0;
    std::uint32_t group = 0;
  };
  // The same; does not look for room in front of where the last one went. False if there is none, in a cache.
  bool put_next(const Memory& memory, std::size_t bucket, std::uint8_t fingerprint, const Slot& slot,
                HashPhases& phases, Last& last) {
    if (last.group == 0 || last.bucket != bucket) {
      const Place place = put(memory, bucket, fingerprint, slot, phases);
      last = {bucket, place.group};
      return static_cast<bool>(place);
    }
    if (!put_in(bucket, last.group, fingerprint, slot, phases)) {
      last.group = put_behind(memory, bucket, last.group, fingerprint, slot, phases).group;
    }
    return true;
  }
  // True if nothing is left in its group.
  bool remove(std::size_t bucket, const Place& place, HashPhases& phases) noexcept {
    return with_group(bucket, place.group, [&](auto& group, Plain<Slot>*) {
      take_out(group, group.current(), place.index, phases);
      return group.current().present() == 0;
    });
  }
  // Puts another entry with the same key in the place of one. Throws as put() does. True if it had to go to another
  // group.
  bool replace(const Memory& memory, std::size_t bucket, const Place& place, std::uint8_t fingerprint, const Slot& slot,
               HashPhases& phases) {
    const bool done = with_group(bucket, place.group, [&](auto& group, Plain<Slot>* slots) {
      const HashState state = group.current();
      const unsigned free = free_slot(group, state, phases);
      if (free == kNone) return false;
      fill(group, slots, free, fingerprint, slot);
      take_out(group, state.without_used(free).with(free), place.index, phases);
      return true;
    });
    if (done) return false;
    // Further on, so that who does not find the old one here any more finds the new one there.
    put_behind(memory, bucket, place.group, fingerprint, slot, phases);
    remove(bucket, place, phases);
    return true;
  }
  // What was in it is in the next table from now on. Whoever waits for its lock is told.
  void mark_moved(std::size_t index) noexcept {
    Bucket& bucket = buckets_[index];
    bucket.group.state.store(bucket.group.current().moved().bits(), memory_order_release);  // [C4]
    bucket.lock.kill();
  }
  // Of a bucket that nobody else has come to yet. Its groups stay with it.
  void empty(std::size_t bucket) noexcept {
    for (std::uint32_t number = 0;;) {
      number = with_group(bucket, number, [](auto& group, Plain<Slot>*) {
        const std::uint32_t next = group.current().next();
        group.publish(HashState().with_next(next));
        return next;
      });
      if (number == 0) return;
    }
  }

  // Of the move of a number of groups of buckets, a power of two, to the next table: one that is to be looked at.
  std::size_t next_to_move(std::size_t groups) noexcept {
    return move_next_.fetch_add(1, memory_order_relaxed) & (groups - 1);
  }
  // True if that was the last one.
  bool count_moved(std::size_t groups) noexcept { return moved_.fetch_add(1, memory_order_acq_rel) + 1 == groups; }

  // Destroys the entries of at most so many buckets that are not moved; true if there are no more.
  bool dismantle_some(std::size_t most) noexcept {
    if constexpr (Slots::kInline) {
      return true;
    } else {
      for (; most != 0 && dismantled_ != buckets(); --most) {
        const std::size_t bucket = dismantled_++;
        if (buckets_[bucket].group.current().is_moved()) continue;
        for_each(bucket, [](const Place& place) { Slots::destroy(*place); });
      }
      return dismantled_ == buckets();
    }
  }
  // Everything is moved.
  void dismantled() noexcept { dismantled_ = buckets(); }
  void pin() noexcept { pins_.fetch_add(1, memory_order_relaxed); }
  // True if it is to be destroyed.
  bool let_go() noexcept { return pins_.fetch_sub(1, memory_order_acq_rel) == 1; }

  // Whether it has so much overflow that it is worth moving everything to another one of the same size: of slots that
  // could not be used again in time.
  bool overflows() const noexcept {
    return pool_.made() > 2 * overflow_expected_.load(memory_order_relaxed) + buckets() / 2 + kOverflowOfSmall;
  }
  // What it has now comes of its entries.
  void expect_overflow() noexcept { overflow_expected_.store(pool_.made(), memory_order_relaxed); }

  // While entries move from the table before to this one: that one.
  HashTable* previous() const noexcept { return previous_.load(memory_order_acquire); }           // [H4]
  void set_previous(HashTable* table) noexcept { previous_.store(table, memory_order_release); }  // [H5]
  // Where what was moved from here is.
  HashTable* next() const noexcept { return next_.load(memory_order_acquire); }  // [H6]
  // False if it has one.
  bool set_next(HashTable* table) noexcept {
    HashTable* none = nullptr;
    return next_.compare_exchange_strong(none, table, memory_order_acq_rel, memory_order_relaxed);  // [H7]
  }

 private:
  static constexpr unsigned kNone = ~0u;
  static constexpr std::uint32_t kOverflowOfSmall = 16;

  Plain<Slot>* slots_of(std::size_t bucket) const noexcept { return &slots_[bucket * Slots::kPerBucket]; }
  // Calls `f(group, its slots)` for the group with this number.
  template <class F>
  decltype(auto) with_group(std::size_t bucket, std::uint32_t number, const F& f) const {
    return number == 0 ? f(buckets_[bucket].group, slots_of(bucket)) : f(pool_[number].group, pool_[number].slots);
  }
  std::uint32_t next_of(std::size_t bucket, std::uint32_t number) const noexcept {
    return with_group(bucket, number, [](auto& group, Plain<Slot>*) { return group.current().next(); });
  }

  // Among what is present in `seen`, or, where that changes meanwhile, in what it has become: an entry may have been
  // replaced, and its fingerprint be gone.
  template <class Group, class Matches>
  static Place find_in(const Group& group, Plain<Slot>* slots, HashState& seen, std::uint8_t fingerprint,
                       const Matches& matches) {
    for (;;) {
      std::uint32_t left = group.fingerprints.matching(fingerprint) & seen.present();
      for (; left != 0; left &= left - 1) {
        const auto n = static_cast<unsigned>(std::countr_zero(left));
        if (matches(value_in<Slot>(slots[n]))) return {&slots[n], 0, n};
      }
      if constexpr (Slots::kReadersLock) return {};
      const HashState now = group.load();
      if (now == seen) [[likely]]
        return {};
      seen = now;
    }
  }
  template <class Matches>
  [[gnu::noinline]] Place find_in_overflow(HashState seen, std::uint8_t fingerprint, const Matches& matches) const {
    for (std::uint32_t number = seen.next(); number != 0; number = seen.next()) {
      Overflow& overflow = pool_[number];
      seen = overflow.group.load();
      Place place = find_in(overflow.group, overflow.slots, seen, fingerprint, matches);
      if (!place) continue;
      place.group = number;
      return place;
    }
    return {};
  }
  template <class Same, class F>
  [[gnu::noinline]] void visit_overflow(std::size_t bucket, HashState seen, const Same& same, const F& f) const {
    // An update may have put an entry that was visited further on. What was visited: by its place and state then.
    std::vector<std::pair<std::uint32_t, HashState>> visited;
    visited.emplace_back(0, seen);
    const auto was_visited = [&](const Slot& slot) {
      return std::any_of(visited.begin(), visited.end(), [&](const auto& of) {
        return with_group(bucket, of.first, [&](auto&, Plain<Slot>* slots) {
          return any_slot(of.second.present(), [&](unsigned n) { return same(value_in<Slot>(slots[n]), slot); });
        });
      });
    };
    for (std::uint32_t number = seen.next(); number != 0; number = seen.next()) {
      Overflow& overflow = pool_[number];
      seen = overflow.group.load();
      for_each_slot(seen.present(), [&](unsigned n) {
        const Slot& slot = value_in<Slot>(overflow.slots[n]);
        if (!was_visited(slot)) f(slot);
      });
      visited.emplace_back(number, seen);
    }
  }

  template <class Group>
  static unsigned free_slot([[maybe_unused]] const Group& group, HashState state,
                            [[maybe_unused]] HashPhases& phases) noexcept {
    const std::uint32_t free = Group::kAll & ~state.present();
    if constexpr (Slots::kReadersLock) return free != 0 ? static_cast<unsigned>(std::countr_zero(free)) : kNone;
    if (const std::uint32_t untouched = free & ~state.used(); untouched != 0) [[likely]] {
      return static_cast<unsigned>(std::countr_zero(untouched));
    }
    unsigned found = kNone;
    any_slot(free, [&](unsigned n) {
      if (phases.is_over(group.fingerprints.at(n))) found = n;
      return found != kNone;
    });
    return found;
  }
  template <class Group>
  static void fill(Group& group, Plain<Slot>* slots, unsigned n, std::uint8_t fingerprint, const Slot& slot) noexcept {
    slots[n] = slot;
    group.fingerprints.set(n, fingerprint);
  }
  template <class Group>
  static void take_out(Group& group, HashState state, unsigned n, [[maybe_unused]] HashPhases& phases) noexcept {
    if constexpr (Slots::kReadersLock) {
      group.publish(state.without(n));
    } else {
      group.publish(state.without(n).with_used(n));
      group.fingerprints.set(n, phases.label());
    }
  }
  // None if it has no room.
  Place put_in(std::size_t bucket, std::uint32_t number, std::uint8_t fingerprint, const Slot& slot,
               HashPhases& phases) {
    return with_group(bucket, number, [&](auto& group, Plain<Slot>* slots) -> Place {
      const HashState state = group.current();
      const unsigned free = free_slot(group, state, phases);
      if (free == kNone) return {};
      fill(group, slots, free, fingerprint, slot);
      if constexpr (Slots::kBounded) {
        group.publish(state.with(free).touched(free, Slots::kPerBucket));
      } else {
        group.publish(state.without_used(free).with(free));
      }
      return {&slots[free], number, free};
    });
  }
  // Into a group after that one, or a new one.
  [[gnu::noinline]] Place put_behind(const Memory& memory, std::size_t bucket, std::uint32_t number,
                                     std::uint8_t fingerprint, const Slot& slot, HashPhases& phases) {
    while (const std::uint32_t next = next_of(bucket, number)) {
      if (const Place place = put_in(bucket, next, fingerprint, slot, phases)) return place;
      number = next;
    }
    const std::uint32_t fresh = pool_.make(memory);
    Overflow& overflow = pool_[fresh];
    fill(overflow.group, overflow.slots, 0, fingerprint, slot);
    overflow.group.state.store(HashState().with(0).bits(), memory_order_relaxed);
    with_group(bucket, number, [&](auto& last, Plain<Slot>*) { last.publish(last.current().with_next(fresh)); });
    if constexpr (!Slots::kReadersLock) phases.ran_short();
    return {&overflow.slots[0], fresh, 0};
  }

  const unsigned shift_;  // after one by 1: a shift by 64 is none
  const ZeroedArray<Bucket, Memory> buckets_;
  const ZeroedArray<Plain<Slot>, Memory> slots_;
  Atomic<HashTable*> previous_{nullptr};
  Atomic<HashTable*> next_{nullptr};
  Atomic<std::uint32_t> pins_{1};
  Atomic<std::uint32_t> overflow_expected_{0};  // groups
  // Of the move to the next table: which group of buckets is looked at next, and how many are moved.
  Atomic<std::size_t> move_next_{0};
  Atomic<std::size_t> moved_{0};
  std::size_t dismantled_ = 0;  // buckets; by whoever reclaims it
  HashPool<Overflow, Memory> pool_;
};

}  // namespace scree::detail
