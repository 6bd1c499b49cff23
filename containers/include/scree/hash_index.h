// SPDX-License-Identifier: Apache-2.0
//
// HashIndex: an unordered map whose reads take no lock, write nothing shared and never wait. Writers wait for those who
// write to the same bucket, of a dozen entries. A resize keeps nobody waiting.
//
//   Linearizable   each operation on one key
//   Iteration      an entry present throughout is visited exactly once, one inserted or removed meanwhile at most once
//   References     what was obtained under a barrier stays valid until it ends, also if the entry or the index goes
//   Exceptions     if hash, equality, a copy, an allocation or a function that is passed in throws, nothing has
//   changed;
//                  an insert that does not insert leaves its arguments as they were
//
// Protocol: docs/protocols/hash.md.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <scree/detail/hash_core.h>
#include <scree/detail/hash_draft.h>
#include <scree/detail/hash_handles.h>
#include <scree/detail/hash_slot.h>
#include <scree/detail/hash_walk.h>
#include <scree/detail/retry_awaiter.h>
#include <scree/ebr.h>
#include <scree/hash_entry.h>
#include <scree/hash_function.h>
#include <scree/hash_reservation.h>
#include <scree/sync_point.h>

namespace scree {

// Keys and values that are trivially copyable and of at most 16 bytes each lie in the table; others lie out of line,
// where they never move. For K = std::string the keys lie in their entries and are shown as std::string_view; any key
// that converts to one is accepted, and a HashFunction of the user's takes one. For other keys a foreign key type is
// passed on as it is where HashFunction and Equal are both transparent, else converted to K.
//
// All memory that belongs to the index is of the allocator, as for TreeIndex (tree_index.h); but with std::allocator
// large tables are of the system.
template <class K, class V, class HashFunction = Hash<K>, class Equal = std::equal_to<>,
          class Allocator = std::allocator<std::pair<const K, V>>>
class HashIndex {
  using Memory = detail::memory_of_t<Allocator>;
  using Slots = detail::HashSlots<K, V, HashFunction, Equal, Memory, detail::HashFace::kIndex>;
  using Core = detail::HashCore<Slots>;
  using Handles = HashHandles<Core>;
  using Slot = typename Slots::Slot;
  using Place = typename Core::Place;
  using Locked = typename Core::Locked;
  using Refusal = typename Core::Refusal;
  template <class Key, class... Args>
  using Draft = detail::HashDraft<Slots, Key, Args...>;

 public:
  using key_type = K;
  using mapped_type = V;
  using allocator_type = Allocator;
  using KeyView = detail::key_view_t<K>;
  using Occupied = HashOccupied<Core>;
  template <class Key>
  using Entry = HashEntry<Core, Key>;
  using Reservation = HashReservation<Core>;
  class Iterator;
  class Range;

  // `capacity`: room for so many entries stays, as if reserved. Throws as reserve() does.
  explicit HashIndex(std::size_t capacity = 0, HashFunction hash = HashFunction(), Equal equal = Equal(),
                     const Allocator& allocator = Allocator())
      : core_(capacity, std::move(hash), std::move(equal), Memory(typename Memory::Allocator(allocator))) {}
  explicit HashIndex(HashFunction hash, Equal equal = Equal(), const Allocator& allocator = Allocator())
      : HashIndex(0, std::move(hash), std::move(equal), allocator) {}
  explicit HashIndex(const Allocator& allocator) : HashIndex(HashFunction(), Equal(), allocator) {}
  HashIndex(const HashIndex&) = delete;
  HashIndex& operator=(const HashIndex&) = delete;

  Allocator get_allocator() const noexcept { return Allocator(core_.memory().allocator()); }

  // O(1) each, on average. Of those that may wait there is one for coroutines, NAME_async(): to be awaited where it is
  // called, as it refers to its arguments, outside barriers (retry_awaiter.h). A function that is passed to one is
  // called with the bucket locked: it may read the index, not write to it.

  // False if the key is present.
  template <class Q, class Value>
  bool insert(Q&& key, Value&& value) {
    const ebr::Barrier barrier;
    Draft<Q, Value> draft(std::forward<Q>(key), std::forward<Value>(value));
    return *add<false>(barrier, core_.hash_of_draft(draft), draft, nullptr);
  }
  template <class Q, class Value>
  auto insert_async(Q&& key, Value&& value) {
    return add_async<false>(std::forward<Q>(key), std::forward<Value>(value));
  }

  // Inserts, or puts a new entry in the place of the present one, which readers may keep. True if it replaced one.
  template <class Q, class Value>
  bool upsert(Q&& key, Value&& value) {
    const ebr::Barrier barrier;
    Draft<Q, Value> draft(std::forward<Q>(key), std::forward<Value>(value));
    return *add<true>(barrier, core_.hash_of_draft(draft), draft, nullptr);
  }
  template <class Q, class Value>
  auto upsert_async(Q&& key, Value&& value) {
    return add_async<true>(std::forward<Q>(key), std::forward<Value>(value));
  }

  // Inserts each of a range of pairs of a key and a value, as insert() does, those that are not in the cache together;
  // returns how many were absent. What was inserted before something is thrown stays.
  template <std::ranges::forward_range Pairs>
  std::size_t insert_range(Pairs&& pairs) {
    std::size_t inserted = 0;
    auto next = std::ranges::begin(pairs);
    while (next != std::ranges::end(pairs)) {
      const ebr::Barrier barrier;
      std::array<std::uint64_t, Core::kTogether> hashes;
      std::size_t n = 0;
      for (auto ahead = next; ahead != std::ranges::end(pairs) && n != hashes.size(); ++ahead, ++n) {
        const auto& entry = *ahead;
        hashes[n] = core_.hash_of(detail::key_to_put<K>(get<0>(entry)));
      }
      core_.prefetch_to_put(std::span(hashes.data(), n));
      for (std::size_t i = 0; i < n; ++i, ++next) {
        auto&& entry = *next;
        using Reference = decltype(entry);
        Draft<decltype(get<0>(static_cast<Reference>(entry))), decltype(get<1>(static_cast<Reference>(entry)))> draft(
            get<0>(static_cast<Reference>(entry)), get<1>(static_cast<Reference>(entry)));
        if (*add<false>(barrier, hashes[i], draft, nullptr)) ++inserted;
      }
    }
    return inserted;
  }

  // Puts an entry with `f(const V&)` in the place of the present one, in one step. False if the key is absent.
  template <class Q, class F>
  bool update(const Q& key, F&& f) {
    const ebr::Barrier barrier;
    return *change<Change::kUpdate>(barrier, key, f, nullptr);
  }
  template <class Q, class F>
  auto update_async(const Q& key, F f) {
    return awaiter([this, &key, f = std::move(f)](const ebr::Barrier& barrier, Refusal& refusal) mutable {
      return change<Change::kUpdate>(barrier, key, f, &refusal);
    });
  }

  // Leaves the entry alone, removes it, or puts another value in its place, in one step: as `f(const V&)` returns
  // nothing, an optional without a value, or one with a value. False if the key is absent or nothing was to be done.
  template <class Q, class F>
  bool modify(const Q& key, F&& f) {
    const ebr::Barrier barrier;
    return *change<Change::kModify>(barrier, key, f, nullptr);
  }
  template <class Q, class F>
  auto modify_async(const Q& key, F f) {
    return awaiter([this, &key, f = std::move(f)](const ebr::Barrier& barrier, Refusal& refusal) mutable {
      return change<Change::kModify>(barrier, key, f, &refusal);
    });
  }

  // False if the key is absent.
  template <class Q>
  bool remove(const Q& key) {
    return remove_if(key, &always);
  }
  template <class Q>
  auto remove_async(const Q& key) {
    return remove_if_async(key, &always);
  }

  // Removes the entry if it is present and `condition(const V&)` holds for it; both in one step.
  template <class Q, class Condition>
  bool remove_if(const Q& key, Condition&& condition) {
    const ebr::Barrier barrier;
    return *change<Change::kRemove>(barrier, key, condition, nullptr);
  }
  template <class Q, class Condition>
  auto remove_if_async(const Q& key, Condition condition) {
    return awaiter(
        [this, &key, condition = std::move(condition)](const ebr::Barrier& barrier, Refusal& refusal) mutable {
          return change<Change::kRemove>(barrier, key, condition, &refusal);
        });
  }

  // The key's place with its bucket locked, whether there is an entry or none, to look at and to change (hash_entry.h).
  // A key that is given as an lvalue outlives it.
  template <class Key>
  Entry<Key> entry(Key&& key) {
    const ebr::Barrier barrier;
    return *Handles::entry(core_, std::forward<Key>(key), nullptr);
  }
  template <class Key>
  auto entry_async(Key&& key) {
    return awaiter([this, &key](const ebr::Barrier&, Refusal& refusal) {
      return Handles::entry(core_, std::forward<Key>(key), &refusal);
    });
  }
  // The same if it need not wait.
  template <class Key>
  std::optional<Entry<Key>> try_entry(Key&& key) {
    const ebr::Barrier barrier;
    Refusal refusal;
    return Handles::entry(core_, std::forward<Key>(key), &refusal);
  }

  // Calls `f(KeyView, const V&)` on the entry and returns its result, or nothing if the key is absent. For an `f` that
  // returns void: whether it was called.
  template <class Q, class F>
  auto read(const Q& key, F&& f) const {
    using Result = std::invoke_result_t<F, KeyView, const V&>;
    const ebr::Barrier barrier;
    const Place place = find(key);
    if constexpr (std::is_void_v<Result>) {
      if (place) std::forward<F>(f)(Slots::key(*place), Slots::value(*place));
      return static_cast<bool>(place);
    } else {
      std::optional<std::remove_cvref_t<Result>> result;
      if (place) result.emplace(std::forward<F>(f)(Slots::key(*place), Slots::value(*place)));
      return result;
    }
  }

  template <class Q>
  bool contains(const Q& key) const {
    const ebr::Barrier barrier;
    return static_cast<bool>(find(key));
  }

  // The value, valid until `barrier` ends; null if the key is absent.
  template <class Q>
  const V* peek(const Q& key, const ebr::Barrier&) const {
    const Place place = find(key);
    return place ? &Slots::value(*place) : nullptr;
  }
  template <class Q>
  const V* peek(const Q& key, const ebr::Barrier&&) const = delete;

  // Calls `f(i, KeyView, const V&)` for each keys[i] that is present; returns how many are. Each is a read() of its
  // own, in no order; but the time for what is not in the cache is not added up.
  template <class Q, class F>
  std::size_t read_batch(std::span<const Q> keys, F&& f) const {
    const ebr::Barrier barrier;
    std::size_t found = 0;
    for (std::size_t begin = 0; begin < keys.size(); begin += Core::kTogether) {
      const std::size_t n = std::min(Core::kTogether, keys.size() - begin);
      std::array<Place, Core::kTogether> places;
      core_.find_together(
          n, [&](std::size_t i) -> decltype(auto) { return Core::lookup(keys[begin + i]); }, places.data());
      for (std::size_t i = 0; i < n; ++i) {
        if (!places[i]) continue;
        ++found;
        f(begin + i, Slots::key(*places[i]), Slots::value(*places[i]));
      }
    }
    return found;
  }

  // The value of the entry, valid until `barrier` ends, and whether this call inserted it, as V(args...). `args` may be
  // consumed also if another thread inserts the key at the same time. A small value that is trivially copyable cannot
  // be changed by it.
  template <class Q, class... Args>
  std::pair<typename Slots::ValueReference, bool> find_or_insert(Q&& key, const ebr::Barrier&, Args&&... args) {
    Draft<Q, Args...> draft(std::forward<Q>(key), std::forward<Args>(args)...);
    const std::uint64_t hash = core_.hash_of_draft(draft);
    if (const Place place = core_.find(draft.key(), hash)) return {place.value(), false};
    draft.make(core_.memory(), hash);
    const Added added = *publish<false>(hash, draft, nullptr);
    return {added.place.value(), !added.old};
  }
  template <class Q, class... Args>
  std::pair<typename Slots::ValueReference, bool> find_or_insert(Q&& key, const ebr::Barrier&&,
                                                                 Args&&... args) = delete;

  // For a range-for: yields std::pair<KeyView, const V&>, valid until `barrier` ends.
  Range iter(const ebr::Barrier&) const { return Range(core_); }
  Range iter(const ebr::Barrier&&) const = delete;

  // Exact while nobody writes. O(1).
  std::size_t len() const noexcept { return core_.entries(); }
  bool is_empty() const noexcept { return len() == 0; }
  // Bytes of what belongs to it, but for what keys and values own themselves; not what has been retired. Exact while
  // nobody writes. O(log n).
  std::size_t memory_usage() const {
    const ebr::Barrier barrier;
    return sizeof(*this) + core_.bytes();
  }
  // How many slots there are.
  std::size_t capacity() const {
    const ebr::Barrier barrier;
    return core_.capacity();
  }
  // Room for so many entries, all reservations together, is made now, and not given up while they live: or as soon as a
  // resize that is under way is over. O(n) of memory, which the system clears; no entry is moved now. Throws
  // std::length_error where that is more than there can be, or what allocation throws.
  [[nodiscard]] Reservation reserve(std::size_t entries) { return Reservation(core_, entries); }

  // Removes each entry for which `keep(KeyView, const V&)` is false; it is asked once about each that is present
  // throughout, with the bucket locked. How many it was asked about and kept, and how many went. Not in one step. O(n).
  // What it throws, or std::bad_alloc, is passed on; what has been removed before stays so.
  template <class Keep>
  std::pair<std::size_t, std::size_t> retain(Keep&& keep) {
    detail::HashRetaining<Core> retaining(core_);
    return detail::walk_through(
        [&](const ebr::Barrier& barrier) { return retaining.step(barrier, kept_by(keep), nullptr); });
  }
  template <class Keep>
  auto retain_async(Keep keep) {
    return awaiter([retaining = detail::HashRetaining<Core>(core_), keep = std::move(keep)](const ebr::Barrier& barrier,
                                                                                            Refusal& refusal) mutable {
      return retaining.step(barrier, kept_by(keep), &refusal);
    });
  }

  // Removes every entry that is present throughout; of those inserted meanwhile, some. How many it removed. Not in one
  // step. O(n).
  std::size_t clear() {
    detail::HashClearing<Core> clearing(core_);
    return detail::walk_through([&](const ebr::Barrier& barrier) { return clearing.step(barrier, nullptr); });
  }
  auto clear_async() {
    return awaiter(
        [clearing = detail::HashClearing<Core>(core_)](const ebr::Barrier& barrier, Refusal& refusal) mutable {
          return clearing.step(barrier, &refusal);
        });
  }

 private:
  struct Added {
    Place place;
    std::optional<Slot> old;  // what was there
  };

  // Under a barrier.
  template <class Q>
  Place find(const Q& key) const {
    const auto& sought = Core::lookup(key);
    return core_.find(sought, core_.hash_of(sought));
  }
  static bool always(const V&) noexcept { return true; }

  template <class Keep>
  static auto kept_by(Keep& keep) {
    return [&keep](const Place& place) -> bool { return keep(Slots::key(*place), Slots::value(*place)); };
  }

  template <class Try>
  static auto awaiter(Try attempt) {
    return detail::RetryAwaiter<Refusal, Try>(std::move(attempt));
  }

  // Publishes what is made, and finds what was there: which stays, unless it is replaced. Nothing if it is refused.
  template <bool kReplace, class Made>
  std::optional<Added> publish(std::uint64_t hash, Made& draft, Refusal* refusal) {
    Added added;
    bool overflowed;
    const Slot& slot = draft.slot();
    {
      const Locked held(core_, hash, refusal);
      if (!*held) return std::nullopt;
      if (const Place present = core_.find_held(*held, Slots::key(slot), hash)) {
        added = {present, *present};
        if constexpr (!kReplace) return added;
        overflowed = core_.replace(*held, present, hash, slot);
      } else {
        added.place = core_.put(*held, hash, slot);
        overflowed = added.place.group != 0;
      }
    }
    core_.added(slot, added.old, overflowed);
    draft.published();
    return added;
  }
  // True if it did what it is for: an insert (not replacing) that added an entry, or an upsert that replaced one.
  template <bool kReplace, class Made>
  std::optional<bool> add(const ebr::Barrier& barrier, std::uint64_t hash, Made& draft, Refusal* refusal) {
    if constexpr (!kReplace && !Slots::kInline) {
      if (!draft && core_.find(draft.key(), hash)) return false;
    }
    draft.make(core_.memory(), hash);
    SCREE_SYNC_POINT("hash:insert:made");
    const std::optional<Added> added = publish<kReplace>(hash, draft, refusal);
    if (!added) return std::nullopt;
    if (!kReplace) return !added->old;
    if (added->old) Slots::retire(*added->old, barrier);
    return added->old.has_value();
  }
  template <bool kReplace, class Q, class Value>
  auto add_async(Q&& key, Value&& value) {
    Draft<Q, Value> made(std::forward<Q>(key), std::forward<Value>(value));
    return awaiter([this, draft = std::move(made)](const ebr::Barrier& barrier, Refusal& refusal) mutable {
      const std::optional<bool> result = add<kReplace>(barrier, core_.hash_of_draft(draft), draft, &refusal);
      if (!kReplace && result == false) draft.give_back();
      return result;
    });
  }

  // What becomes of a present entry by what the user's function returns: that is the new value; or, as for modify(),
  // whether there is one; or whether the entry is to go.
  enum class Change { kUpdate, kModify, kRemove };
  template <Change kChange, class Q, class F>
  std::optional<bool> change(const ebr::Barrier& barrier, const Q& key, F& f, Refusal* refusal) {
    const auto& sought = Core::lookup(key);
    const std::uint64_t hash = core_.hash_of(sought);
    Locked held(core_, hash, refusal);
    if (!*held) return std::nullopt;
    const Place present = core_.find_held(*held, sought, hash);
    if (!present) return false;
    const Slot old = *present;
    // It is destroyed, as the draft is, when the lock has been released: destructors may use this index.
    auto&& wanted = f(Slots::value(old));
    if constexpr (kChange != Change::kUpdate) {
      if (!wanted) {
        held.release();
        return false;
      }
    }
    if constexpr (kChange == Change::kUpdate) {
      Draft<KeyView, decltype(wanted)> draft(Slots::key(old), std::forward<decltype(wanted)>(wanted));
      put_in_place(barrier, held, present, hash, old, draft);
      return true;
    } else if constexpr (kChange == Change::kModify) {
      if (*wanted) {
        Draft<KeyView, decltype(*std::move(*wanted))> draft(Slots::key(old), *std::move(*wanted));
        put_in_place(barrier, held, present, hash, old, draft);
        return true;
      }
    }
    const bool emptied = core_.remove(*held, present);
    held.release();
    SCREE_SYNC_POINT("hash:remove:unlinked");
    core_.removed(old, emptied);
    Slots::retire(old, barrier);
    return true;
  }
  template <class Made>
  void put_in_place(const ebr::Barrier& barrier, Locked& held, const Place& present, std::uint64_t hash,
                    const Slot& old, Made& draft) {
    bool overflowed;
    try {
      overflowed = core_.replace(*held, present, hash, draft.make(core_.memory(), hash));
    } catch (...) {
      held.release();
      throw;
    }
    held.release();
    core_.added(draft.slot(), old, overflowed);
    draft.published();
    Slots::retire(old, barrier);
  }

  Core core_;
};

// Goes from bucket to bucket in the order of hashes, and shows what is in each when it comes there.
template <class K, class V, class HashFunction, class Equal, class Allocator>
class HashIndex<K, V, HashFunction, Equal, Allocator>::Iterator {
 public:
  using value_type = std::pair<KeyView, const V&>;
  using difference_type = std::ptrdiff_t;

  value_type operator*() const noexcept {
    const Slot& slot = *slots_[at_];
    return {Slots::key(slot), Slots::value(slot)};
  }
  // Throws std::bad_alloc, too.
  Iterator& operator++() {
    if (++at_ == slots_.size()) fill();
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const Iterator& it, std::default_sentinel_t) noexcept { return it.slots_.empty(); }

 private:
  friend class Range;
  explicit Iterator(const Core& core) : core_(&core) { fill(); }

  void fill() {
    slots_.clear();
    at_ = 0;
    while (slots_.empty() && !at_end_) {
      from_ = detail::visit_bucket(*core_, from_, [this](const Slot& slot) { slots_.push_back(&slot); });
      at_end_ = from_ == 0;
    }
  }

  const Core* core_;
  std::vector<const Slot*> slots_;  // of one bucket
  std::size_t at_ = 0;
  std::uint64_t from_ = 0;  // the hash where the next bucket begins
  bool at_end_ = false;
};

template <class K, class V, class HashFunction, class Equal, class Allocator>
class HashIndex<K, V, HashFunction, Equal, Allocator>::Range {
 public:
  Iterator begin() const { return Iterator(*core_); }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  friend class HashIndex;
  explicit Range(const Core& core) noexcept : core_(&core) {}

  const Core* core_;
};

}  // namespace scree
