// SPDX-License-Identifier: Apache-2.0
//
// HashMap: an unordered map whose values are changed in place, under the lock of their bucket, of a dozen entries.
// Whoever reads or writes an entry waits for those who write to the same bucket; readers share it. A resize keeps
// nobody waiting.
//
//   Linearizable   each operation on one key
//   Iteration      an entry present throughout is met exactly once, one inserted or removed meanwhile at most once
//   References     are valid within the function that is passed in, or as long as a handle lives (hash_entry.h)
//   Exceptions     if hash, equality, a copy or an allocation throws, nothing has changed, and an insert that does not
//                  insert leaves its arguments as they were; what a function that is passed in throws is passed on
//
// Protocol: docs/protocols/hash.md.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <scree/detail/hash_slot.h>
#include <scree/ebr.h>
#include <scree/hash_access.h>
#include <scree/hash_entry.h>
#include <scree/hash_function.h>
#include <scree/hash_reservation.h>

namespace scree {

template <class, class, class, class>
class HashSet;

// Keys and values are kept and looked up as by a HashIndex (hash_index.h); memory is of the allocator. More operations,
// and what holds for all of them, are those of HashAccess.
template <class K, class V, class HashFunction = Hash<K>, class Equal = std::equal_to<>,
          class Allocator = std::allocator<std::pair<const K, V>>>
class HashMap
    : public HashAccess<
          detail::HashSlots<K, V, HashFunction, Equal, detail::memory_of_t<Allocator>, detail::HashFace::kMap>> {
  using Memory = detail::memory_of_t<Allocator>;
  using Base = HashAccess<detail::HashSlots<K, V, HashFunction, Equal, Memory, detail::HashFace::kMap>>;
  using typename Base::Core;
  using typename Base::Handles;
  using typename Base::Locked;
  using typename Base::Place;
  using typename Base::Refusal;
  using typename Base::Slot;
  using typename Base::Slots;
  template <class Key, class... Args>
  using Draft = typename Base::template Draft<Key, Args...>;
  using Base::awaiter;
  using Base::core_;
  using Base::now;

 public:
  using allocator_type = Allocator;
  template <class Key>
  using Entry = HashEntry<Core, Key>;
  using Reservation = HashReservation<Core>;

  // `capacity`: room for so many entries stays, as if reserved. Throws as reserve() does.
  explicit HashMap(std::size_t capacity = 0, HashFunction hash = HashFunction(), Equal equal = Equal(),
                   const Allocator& allocator = Allocator())
      : Base(capacity, std::move(hash), std::move(equal), Memory(typename Memory::Allocator(allocator))) {}
  explicit HashMap(HashFunction hash, Equal equal = Equal(), const Allocator& allocator = Allocator())
      : HashMap(0, std::move(hash), std::move(equal), allocator) {}
  explicit HashMap(const Allocator& allocator) : HashMap(HashFunction(), Equal(), allocator) {}

  Allocator get_allocator() const noexcept { return Allocator(core_.memory().allocator()); }

  // False if the key is present.
  template <class Q, class Value>
  bool insert(Q&& key, Value&& value) {
    const ebr::Barrier barrier;
    Draft<Q, Value> draft(std::forward<Q>(key), std::forward<Value>(value));
    return *add(draft, nullptr);
  }
  template <class Q, class Value>
  auto insert_async(Q&& key, Value&& value) {
    Draft<Q, Value> made(std::forward<Q>(key), std::forward<Value>(value));
    return awaiter([this, draft = std::move(made)](const ebr::Barrier&, Refusal& refusal) mutable {
      const std::optional<bool> result = add(draft, &refusal);
      if (result == false) draft.give_back();
      return result;
    });
  }

  // Calls `change(V&)` on the value; where there is none, inserts `make()`. True if it was there.
  template <class Q, class Make, class Change>
  bool upsert(Q&& key, Make&& make, Change&& change) {
    const ebr::Barrier barrier;
    return *insert_or_change(std::forward<Q>(key), make, change, nullptr);
  }
  template <class Q, class Make, class Change>
  auto upsert_async(Q&& key, Make make, Change change) {
    return awaiter([this, &key, make = std::move(make), change = std::move(change)](const ebr::Barrier&,
                                                                                    Refusal& refusal) mutable {
      return insert_or_change(std::forward<Q>(key), make, change, &refusal);
    });
  }

  // Puts this key in the place of the present one that is equal to it, and returns that; nothing if it is absent.
  template <class Q>
  std::optional<K> replace(Q&& key) {
    const ebr::Barrier barrier;
    return *replace_key(std::forward<Q>(key), nullptr);
  }
  template <class Q>
  auto replace_async(Q&& key) {
    return awaiter(
        [this, &key](const ebr::Barrier&, Refusal& refusal) { return replace_key(std::forward<Q>(key), &refusal); });
  }

  // The key's place, whether there is an entry or none (hash_entry.h). A key that is given as an lvalue outlives it.
  template <class Key>
  Entry<Key> entry(Key&& key) {
    return now([&](Refusal* refusal) { return Handles::entry(core_, std::forward<Key>(key), refusal); });
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

  // Room for so many entries, all reservations together, is made now, and not given up while they live; or as soon as a
  // resize that is under way is over. Throws std::length_error where that is more than there can be, or what allocation
  // throws.
  Reservation reserve(std::size_t entries) { return Reservation(core_, entries); }

 private:
  template <class, class, class, class>
  friend class HashSet;

  template <class Made>
  std::optional<bool> add(Made& draft, Refusal* refusal) {
    const std::uint64_t hash = core_.hash_of_draft(draft);
    const Slot& slot = draft.make(core_.memory(), hash);
    bool overflowed;
    {
      const Locked held(core_, hash, refusal);
      if (!*held) return std::nullopt;
      if (core_.find_held(*held, Slots::key(slot), hash)) return false;
      overflowed = core_.put(*held, hash, slot).group != 0;
      core_.count_added(slot, std::nullopt);  // now: others may remove and free it as soon as they can
      draft.published();
    }
    core_.settle(overflowed);
    return true;
  }
  template <class Q, class Make, class Change>
  std::optional<bool> insert_or_change(Q&& key, Make& make, Change& change, Refusal* refusal) {
    // A reference to the key: it is moved from only where it goes in.
    std::optional<Entry<Q&&>> entry = Handles::template entry<Q&&>(core_, std::forward<Q>(key), refusal);
    if (!entry) return std::nullopt;
    const bool present = entry->is_occupied();
    if (present) {
      change(entry->value());
    } else {
      entry->or_insert_with(make);
    }
    return present;
  }
  template <class Q>
  std::optional<std::optional<K>> replace_key(Q&& key, Refusal* refusal) {
    std::optional<std::optional<K>> result;
    Slot old;
    {
      const auto& sought = detail::key_to_put<K>(key);
      const std::uint64_t hash = core_.hash_of(sought);
      const Locked held(core_, hash, refusal);
      if (!*held) return result;
      const Place place = core_.find_held(*held, sought, hash);
      result.emplace();
      if (!place) return result;
      result->emplace(Slots::key(*place));  // a copy may fail: before anything changes
      Draft<Q, V> draft(std::forward<Q>(key), std::move(place.value()));
      const Slot& fresh = draft.make(core_.memory(), hash);
      old = *place;
      Core::overwrite(place, fresh);
      core_.count_added(fresh, old);
      draft.published();
    }
    Slots::destroy(old);
    return result;
  }
};

}  // namespace scree
