// SPDX-License-Identifier: Apache-2.0
//
// HashCore: the tables of a hash container, and what becomes of them. A resize publishes another table and moves the
// buckets of the one before to it, a few with each change; a bucket is in force until it is moved. Nobody waits for a
// resize: who finds a bucket that cannot be moved, as it is locked or memory is short, goes on with it where it is.
//
// Invariants (argued on docs/protocols/hash.md):
//   1. An entry whose bucket in the previous table is not moved is there; else it is in the current table, or, where
//      its bucket there is moved, in a later one.
//   2. Buckets of the current table that no moved bucket leads to are empty, and nobody comes to them.
//   3. A moved bucket never changes again, and its lock is killed.

#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include <scree/atomic.h>
#include <scree/detail/hash_holder.h>
#include <scree/detail/hash_refusal.h>
#include <scree/detail/hash_slot.h>
#include <scree/detail/hash_table.h>
#include <scree/detail/index_counters.h>
#include <scree/ebr.h>
#include <scree/sync_point.h>

namespace scree::detail {

template <class S>
class HashCore {
 public:
  using Slots = S;
  using Key = typename Slots::Key;
  using Slot = typename Slots::Slot;
  using Memory = typename Slots::Memory;
  using HashFunction = typename Slots::HashFunction;
  using Equal = typename Slots::Equal;
  using Table = HashTable<Slots>;
  using Refusal = HashRefusal<HashCore>;
  using Bucket = typename Table::Bucket;
  using Place = typename Table::Place;
  // Of a cache: what is called with each entry that is evicted.
  struct Nothing {};
  using Evicted =
      std::conditional_t<Slots::kBounded, std::function<void(typename Slots::KeyView, const typename Slots::Value&)>,
                         Nothing>;

  // A bucket whose lock is held, and which is in force; or none.
  struct Held {
    Table* table = nullptr;
    std::size_t bucket = 0;
    LockMode mode = LockMode::kExclusive;
    [[no_unique_address]] HashHolder holder{};

    explicit operator bool() const noexcept { return table != nullptr; }
    // Its entries, one by one.
    Place first() const noexcept { return table->following(bucket, {}); }
    Place following(const Place& place) const noexcept { return table->following(bucket, place); }
    // Where the hashes of the next bucket begin; 0: it is the last.
    std::uint64_t end_of_hashes() const noexcept {
      return bucket + 1 == table->buckets() ? 0 : table->begin_of(bucket + 1);
    }
  };

  // For the time of a scope. None if it is refused.
  class Locked {
   public:
    Locked(HashCore& core, std::uint64_t hash, Refusal* refusal, LockMode mode = LockMode::kExclusive)
        : held_(core.hold(hash, refusal, mode)) {}
    ~Locked() { release(); }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;
    const Held& operator*() const noexcept { return held_; }
    // Before the end of the scope.
    void release() noexcept {
      if (held_) HashCore::release(std::exchange(held_, Held()));
    }

   private:
    Held held_;
  };
  static constexpr std::size_t kTogether = 16;

  // `capacity`: as of a reservation that stays. Throws what reserve() does.
  HashCore(std::size_t capacity, HashFunction hash, Equal equal, const Memory& memory) requires(!Slots::kBounded)
      : hash_(std::move(hash)),
        equal_(std::move(equal)),
        memory_(memory),
        table_(make_table(bits_for(capacity, kFewestBits))),
        reserved_(capacity) {}
  // Of a cache: so many slots at least and at most, both rounded up to a whole table.
  HashCore(std::size_t fewest, std::size_t most, HashFunction hash, Equal equal, const Memory& memory,
           Evicted evicted) requires(Slots::kBounded)
      : hash_(std::move(hash)),
        equal_(std::move(equal)),
        memory_(memory),
        evicted_(std::move(evicted)),
        most_bits_(bits_of_slots(std::max(most, fewest))),
        table_(make_table(bits_of_slots(fewest))),
        reserved_(most_in(bits_of_slots(fewest))) {}
  // By whom nobody else uses it any more. Entries that readers may look at without locks go when barriers that have
  // begun end.
  ~HashCore() {
    const ebr::Barrier barrier;
    Table* const table = table_.load(memory_order_acquire);
    Table* const previous = table->previous();
    for (Table* const last : {previous, table}) {
      if (last == nullptr) continue;
      if constexpr (Slots::kReadersLock) {
        last->dismantle_some(last->buckets());
        let_go(*last);
      } else {
        retire(last, barrier);
      }
    }
  }
  HashCore(const HashCore&) = delete;
  HashCore& operator=(const HashCore&) = delete;

  const Memory& memory() const noexcept { return memory_; }
  std::size_t entries() const noexcept { return counters_.entries(); }

  // What a caller's key is looked up as.
  template <class Q>
  static decltype(auto) lookup(const Q& key) {
    return lookup_key<Key, HashFunction, Equal>(key);
  }
  template <class Q>
  std::uint64_t hash_of(const Q& key) const {
    if constexpr (Avalanching<HashFunction>) {
      return hash_(key);
    } else {
      return mix_hash(static_cast<std::uint64_t>(hash_(key)));
    }
  }
  template <class Draft>
  std::uint64_t hash_of_draft(const Draft& draft) const {
    return draft ? hash_of_slot(draft.slot()) : hash_of(draft.key());
  }
  std::uint64_t hash_of_slot(const Slot& slot) const {
    if constexpr (Slots::kInline) {
      return hash_of(slot.key);
    } else {
      return slot.hash;
    }
  }
  template <class Q>
  auto matches(const Q& key, [[maybe_unused]] std::uint64_t hash) const {
    return [this, &key, hash](const Slot& slot) {
      if constexpr (!Slots::kInline) {
        if (slot.hash != hash) return false;
      }
      return static_cast<bool>(equal_(Slots::key(slot), key));
    };
  }

  bool is_same_key(const Slot& a, const Slot& b) const {
    if constexpr (!Slots::kInline) {
      if (a.hash != b.hash) return false;
    }
    return static_cast<bool>(equal_(Slots::key(a), Slots::key(b)));
  }
  // Of what was taken out, outside locks.
  static void dispose(const Slot& slot, const ebr::Barrier& barrier) noexcept {
    if constexpr (Slots::kReadersLock) {
      Slots::destroy(slot);
    } else {
      Slots::retire(slot, barrier);
    }
  }

  // A reader, under a barrier. Takes no lock, writes nothing.
  template <class Q>
  Place find(const Q& key, std::uint64_t hash) const {
    const Seen seen = look(hash);
    return seen.table->find(seen.bucket, seen.state, fingerprint(hash), matches(key, hash));
  }
  // Several at once, at most kTogether: all wait for their misses together. `key_of(i)`: the i-th key.
  template <class KeyOf>
  void find_together(std::size_t n, const KeyOf& key_of, Place* places) const {
    std::array<std::uint64_t, kTogether> hashes;
    const Table& table = *table_.load(memory_order_acquire);  // [C1]
    for (std::size_t i = 0; i < n; ++i) {
      hashes[i] = hash_of(key_of(i));
      __builtin_prefetch(&table.bucket(table.index_of(hashes[i])));
    }
    for (std::size_t i = 0; i < n; ++i) table.prefetch_slot(table.index_of(hashes[i]), fingerprint(hashes[i]));
    for (std::size_t i = 0; i < n; ++i) {
      places[i] = find(key_of(i), hashes[i]);
      if constexpr (!Slots::kInline) {
        if (places[i]) __builtin_prefetch((*places[i]).entry);
      }
    }
  }

  // Has what put() of these hashes will touch loaded into the cache.
  void prefetch_to_put(std::span<const std::uint64_t> hashes) const noexcept {
    const Table& table = *table_.load(memory_order_acquire);  // [C1]
    for (const std::uint64_t hash : hashes) __builtin_prefetch(&table.bucket(table.index_of(hash)), 1);
    for (const std::uint64_t hash : hashes) table.prefetch_free_slot(table.index_of(hash));
  }

  // Locks the bucket where the hash belongs. Waits for it; with a `refusal` it says there for which lock it would have
  // had to, and holds none. Under a barrier.
  Held hold(std::uint64_t hash, Refusal* refusal = nullptr, LockMode mode = LockMode::kExclusive) {
    if (refusal == nullptr) HashHolder::check(this);
    for (;;) {
      Table* const table = table_.load(memory_order_acquire);  // [C1]
      if (Table* const previous = table->previous()) [[unlikely]] {
        const std::size_t bucket = previous->index_of(hash);
        if (!previous->bucket(bucket).group.load().is_moved()) {
          const Held held = take(*previous, bucket, refusal, mode);
          if (!held) {
            if (refusal != nullptr && *refusal) return held;
            continue;
          }
          if (mode == LockMode::kShared || !move(*previous, *table, hash)) return begun(held, refusal);
        }
      }
      const Held held = take(*table, table->index_of(hash), refusal, mode);
      if (held) [[likely]]
        return begun(held, refusal);
      if (refusal != nullptr && *refusal) return held;
    }
  }
  static void release(const Held& held) noexcept {
    held.holder.ends();
    Lock& lock = held.table->bucket(held.bucket).lock;
    if (held.mode == LockMode::kShared) {
      lock.unlock_shared();
    } else {
      lock.unlock();
    }
  }

  // By whoever holds it.
  template <class Q>
  Place find_held(const Held& held, const Q& key, std::uint64_t hash) const {
    return held.table->find(held.bucket, held.table->bucket(held.bucket).group.current(), fingerprint(hash),
                            matches(key, hash));
  }
  // Of a cache: none if the bucket is full.
  Place put(const Held& held, std::uint64_t hash, const Slot& slot) {
    return held.table->put(memory_, held.bucket, fingerprint(hash), slot, phases_);
  }
  // Of a cache: in the place of the one that was not used for the longest time, about; that is returned.
  Slot put_in_place_of_oldest(const Held& held, std::uint64_t hash, const Slot& slot) noexcept {
    return held.table->put_in_place_of_oldest(held.bucket, fingerprint(hash), slot);
  }
  // The entry has been used.
  static void touch(const Held& held, const Place& place) noexcept {
    if constexpr (Slots::kBounded) held.table->touch(held.bucket, place);
  }
  // Outside locks: of one that was evicted. It is not destroyed.
  void evict(const Slot& slot) noexcept {
    counters_.add(-1, -Slots::bytes(slot));
    if (evicted_) evicted_(Slots::key(slot), Slots::value(slot));
  }
  // How many slots there may be.
  std::size_t most_slots() const noexcept { return std::size_t{Slots::kPerBucket} << most_bits_; }
  std::size_t fewest_slots() const noexcept {
    return std::size_t{Slots::kPerBucket} << bits_for(reserved_.load(memory_order_relaxed), kFewestBits);
  }
  // In the place of one with an equal key, where readers take locks.
  static void overwrite(const Place& place, const Slot& slot) noexcept requires(Slots::kReadersLock) {
    *place.slot = slot;
  }
  // True if it had to go to another group.
  bool replace(const Held& held, const Place& place, std::uint64_t hash, const Slot& slot) {
    return held.table->replace(memory_, held.bucket, place, fingerprint(hash), slot, phases_);
  }
  // True if nothing is left in its group.
  bool remove(const Held& held, const Place& place) noexcept { return held.table->remove(held.bucket, place, phases_); }

  // After what was done: an entry was put in, perhaps in the place of an old one.
  void count_added(const Slot& slot, const std::optional<Slot>& old) noexcept {
    if (!old) {
      counters_.add(1, Slots::bytes(slot));
    } else if constexpr (!Slots::kInline) {
      counters_.add(0, Slots::bytes(slot) - Slots::bytes(*old));
    }
  }
  // The same, outside locks, and what is then to be done; `overflowed`: the bucket was full.
  void added(const Slot& slot, const std::optional<Slot>& old, bool overflowed) noexcept {
    count_added(slot, old);
    settle(overflowed);
    if constexpr (!Slots::kReadersLock) {
      if (overflowed) [[unlikely]]
        phases_.hurry();
    }
  }
  // Outside locks: an entry was removed, perhaps the last of its bucket.
  void removed(const Slot& slot, bool emptied) noexcept {
    counters_.add(-1, -Slots::bytes(slot));
    settle(emptied);
  }
  // Outside locks, under a barrier: moves some buckets of the previous table, or begins a resize if `look`, which is
  // worth it where a bucket was full or has become empty, and one is due.
  void settle(bool look) noexcept {
    Table& table = *table_.load(memory_order_acquire);  // [C1]
    if (table.previous() != nullptr) [[unlikely]] {
      help(table);
    } else if (look) [[unlikely]] {
      resize_if_due(table);
    }
  }

  // As settle(), where there may be no barrier; or, if this thread has no memory for its first one, another one does.
  void settle_soon(bool look) noexcept {
    try {
      const ebr::Barrier barrier;
      settle(look);
    } catch (...) {
    }
  }

  // Until so many are given back, no table is begun that has no room for all that is reserved. Where a resize is under
  // way, the next one begins with its end. Throws std::length_error, and what allocation throws; then nothing is
  // reserved. Under a barrier.
  void reserve(std::size_t entries) {
    if (entries > kMostEntries || reserved_.fetch_add(entries, memory_order_relaxed) > kMostEntries - entries) {
      if (entries <= kMostEntries) reserved_.fetch_sub(entries, memory_order_relaxed);
      throw std::length_error(kTooMany);
    }
    Table& table = *table_.load(memory_order_acquire);  // [C1]
    try {
      if (table.previous() == nullptr) begin_resize_if_due(table);
    } catch (...) {
      reserved_.fetch_sub(entries, memory_order_relaxed);
      throw;
    }
  }
  // On any thread, outside locks. The table may shrink now.
  void give_back(std::size_t entries) noexcept {
    reserved_.fetch_sub(entries, memory_order_relaxed);
    settle_soon(true);
  }

  // The bucket of `hash` that is in force, as a reader finds it, and a state of it at a moment when it is.
  struct Seen {
    const Table* table;
    std::size_t bucket;
    HashState state;
  };
  Seen look(std::uint64_t hash) const noexcept {
    const Table* table = table_.load(memory_order_acquire);  // [C1]
    SCREE_SYNC_POINT("hash:find:table");
    if (const Table* const previous = table->previous()) [[unlikely]] {
      const std::size_t bucket = previous->index_of(hash);
      const HashState state = previous->bucket(bucket).group.load();
      if (!state.is_moved()) return {previous, bucket, state};
    }
    for (;;) {
      const std::size_t bucket = table->index_of(hash);
      const HashState state = table->bucket(bucket).group.load();
      SCREE_SYNC_POINT("hash:find:state");
      if (!state.is_moved()) [[likely]]
        return {table, bucket, state};
      table = table->next();
    }
  }

  // A table that is pinned under a barrier stays, for whoever waits for one of its locks outside barriers.
  static void pin(Table& table) noexcept { table.pin(); }
  static void let_go(Table& table) noexcept {
    if (table.let_go()) destroy(&table);
  }

  // Under a barrier.
  std::size_t bytes() const noexcept {
    const Table& table = *table_.load(memory_order_acquire);
    const Table* const previous = table.previous();
    const std::size_t of_table = Memory::template whole<alignof(Table)>(sizeof(Table));
    return counters_.bytes() + of_table + table.bytes() + (previous != nullptr ? of_table + previous->bytes() : 0);
  }
  // Under a barrier.
  std::size_t capacity() const noexcept { return table_.load(memory_order_acquire)->capacity(); }

 private:
  static constexpr unsigned kFewestBits = 0, kMostBits = 40;
  static constexpr unsigned kMovedWithEach = 2;   // groups of buckets, with each change
  static constexpr unsigned kMostShrinkBits = 2;  // at a time: all buckets that become one are locked together
  // A table has at most 29/32 as many entries as slots, and one that has become 8 times too large shrinks. A cache
  // grows earlier, as its full buckets evict.
  static constexpr std::size_t kFullParts = Slots::kBounded ? 16 : 29, kFullOf = 32, kSparse = 8;
  static constexpr const char* kTooMany = "a hash container has no room for so many entries";
  static constexpr std::size_t kMostEntries = (std::size_t{Slots::kPerBucket} << kMostBits) / kFullOf * kFullParts;
  static constexpr std::size_t kBucketsPerPiece = 8192;
  static constexpr std::size_t kHeavy = std::size_t{1} << 20;  // have it collected soon

  static std::uint8_t fingerprint(std::uint64_t hash) noexcept { return Fingerprints<Slots::kPerBucket>::of(hash); }

  Table* make_table(unsigned bits) {
    return make_in<alignof(Table)>(memory_, sizeof(Table),
                                   [&](void* block) { return ::new (block) Table(memory_, bits); });
  }
  static void destroy(Table* table) noexcept {
    std::destroy_at(table);
    Memory::template free<alignof(Table)>(table, sizeof(Table));
  }

  // None if the bucket is moved, or it is refused.
  static Held take(Table& table, std::size_t bucket, Refusal* refusal, LockMode mode) noexcept {
    Lock& lock = table.bucket(bucket).lock;
    const bool shared = mode == LockMode::kShared;
    bool held;
    if (refusal == nullptr) {
      held = shared ? lock.lock_shared() : lock.lock();
    } else {
      held = shared ? lock.try_lock_shared() : lock.try_lock();
      if (!held && !lock.is_killed()) refusal->refuse(table, lock);
    }
    return held ? Held{&table, bucket, mode} : Held();
  }
  // In checked builds, a thread that has waited for it must not wait for another one.
  Held begun([[maybe_unused]] Held held, [[maybe_unused]] const Refusal* refusal) const {
    if (refusal == nullptr) held.holder = HashHolder(this);
    return held;
  }

  // A resize moves groups of buckets: one of the smaller table, and those of the larger which it corresponds to.
  static std::size_t groups(const Table& from, const Table& to) noexcept {
    return std::min(from.buckets(), to.buckets());
  }

  // Moves the group of `hash`, of whose buckets in `from` the caller holds that of `hash`. True if it did: that lock is
  // released then. False if another bucket is locked, or something failed; nothing has changed then.
  bool move(Table& from, Table& to, std::uint64_t hash) noexcept {
    if (to.bits() >= from.bits()) return move_buckets(from, to, from.index_of(hash), 1);
    const std::size_t own = from.index_of(hash);
    const std::size_t many = from.buckets() / to.buckets();
    const std::size_t first = to.index_of(hash) * many;
    std::size_t n = first;
    while (n != first + many && (n == own || from.bucket(n).lock.try_lock())) ++n;
    if (n == first + many && move_buckets(from, to, first, many)) return true;
    while (n-- != first) {
      if (n != own) from.bucket(n).lock.unlock();
    }
    return false;
  }
  // Of buckets whose locks are held. Nobody comes to those that they go to before they are marked.
  bool move_buckets(Table& from, Table& to, std::size_t first, std::size_t many) noexcept {
    std::vector<Slot> evicted;  // of a cache, where several buckets become one
    try {
      typename Table::Last last;
      for (std::size_t n = first; n < first + many; ++n) {
        from.for_each(n, [&](const Place& place) {
          const std::uint64_t hash = hash_of_slot(*place);
          const bool is_in = to.put_next(memory_, to.index_of(hash), fingerprint(hash), *place, phases_, last);
          if (!is_in) evicted.push_back(*place);
        });
      }
    } catch (...) {
      // Not by the hashes again: that might be what failed.
      const std::size_t begin = first * to.buckets() / from.buckets();
      const std::size_t end = std::max((first + many) * to.buckets() / from.buckets(), begin + 1);
      for (std::size_t n = begin; n < end; ++n) to.empty(n);
      return false;
    }
    SCREE_SYNC_POINT("hash:move:copied");
    for (std::size_t n = first; n < first + many; ++n) from.mark_moved(n);
    if (from.count_moved(groups(from, to))) finish(from, to);
    if constexpr (Slots::kBounded) {
      for (const Slot& slot : evicted) {
        evict(slot);
        Slots::destroy(slot);
      }
    }
    return true;
  }
  // The last group is moved.
  void finish(Table& from, Table& to) noexcept {
    to.expect_overflow();
    to.set_previous(nullptr);  // [C6]
    resize_if_due(to);         // as others may have wanted meanwhile
    from.dismantled();
    const ebr::Barrier barrier;
    retire(&from, barrier);
  }

  [[gnu::noinline]] void help(Table& to) noexcept {
    Table* const from = to.previous();
    if (from == nullptr) return;
    const Table& smaller = from->bits() < to.bits() ? *from : to;
    for (unsigned n = 0; n < kMovedWithEach; ++n) {
      const std::uint64_t hash = smaller.begin_of(from->next_to_move(smaller.buckets()));
      Bucket& bucket = from->bucket(from->index_of(hash));
      if (bucket.group.load().is_moved() || !bucket.lock.try_lock()) continue;
      if (!move(*from, to, hash)) bucket.lock.unlock();
    }
  }

  // Where memory is short, the next change tries again.
  [[gnu::noinline]] void resize_if_due(Table& table) noexcept {
    try {
      begin_resize_if_due(table);
    } catch (...) {
    }
  }
  void begin_resize_if_due(Table& table) {
    const std::size_t entries = std::max(counters_.entries(), reserved_.load(memory_order_relaxed));
    unsigned bits = table.bits();
    if (entries > most_in(bits)) {
      bits = bits_for(entries, bits);
      if (bits == table.bits()) return;
    } else if (entries < most_in(bits) / kSparse && bits > kFewestBits) {
      for (unsigned n = 0; n < kMostShrinkBits && bits > kFewestBits && entries < most_in(bits) / (kSparse / 2); ++n) {
        --bits;
      }
    } else if (!table.overflows()) {
      return;
    }
    resize(table, bits);
  }
  // Begins to, unless somebody else does.
  void resize(Table& table, unsigned bits) {
    if (table.next() != nullptr) return;
    Table* const fresh = make_table(bits);
    fresh->set_previous(&table);
    if (!table.set_next(fresh)) return destroy(fresh);  // [C2]
    SCREE_SYNC_POINT("hash:resize:chosen");
    table_.store(fresh, memory_order_release);  // [C3]
    SCREE_SYNC_POINT("hash:resize:published");
  }
  unsigned bits_for(std::size_t entries, unsigned bits) const {
    if (entries > kMostEntries) throw std::length_error(kTooMany);
    while (bits < most_bits_ && entries > most_in(bits)) ++bits;
    return bits;
  }
  static unsigned bits_of_slots(std::size_t slots) {
    if (slots > std::size_t{Slots::kPerBucket} << kMostBits) throw std::length_error(kTooMany);
    return static_cast<unsigned>(std::bit_width((std::max<std::size_t>(slots, 1) - 1) / Slots::kPerBucket));
  }
  static std::size_t most_in(unsigned bits) noexcept {
    return (std::size_t{Slots::kPerBucket} << bits) * kFullParts / kFullOf;
  }

  // Frees the table, in pieces, once no barrier can reach it; with the entries of buckets that are not moved.
  static void retire(Table* table, const ebr::Barrier& barrier) noexcept {
    barrier.retire(table, &HashCore::dismantle, kHeavy);
  }
  static void dismantle(void* retired) noexcept {
    auto* const table = static_cast<Table*>(retired);
    if (table->dismantle_some(kBucketsPerPiece)) return let_go(*table);
    const ebr::Barrier barrier;
    retire(table, barrier);
  }

  const HashFunction hash_;
  const Equal equal_;
  [[no_unique_address]] Memory memory_;
  [[no_unique_address]] Evicted evicted_;
  const unsigned most_bits_ = kMostBits;
  alignas(64) Atomic<Table*> table_;
  HashPhases phases_;
  Atomic<std::size_t> reserved_{0};
  IndexCounters counters_;
};

}  // namespace scree::detail
