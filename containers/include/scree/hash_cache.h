// SPDX-License-Identifier: Apache-2.0
//
// HashCache: a HashMap of bounded size. An entry that comes into a bucket without room takes the place of the one there
// that was not used for the longest time, about: buckets have 16 slots, and remember the order of uses as caches of
// processors do (tree-PLRU). Reading, updating and getting an entry use it; contains(), and walks through all, do not.
//
//   Linearizable   each operation on one key
//   Bound          never more entries than max_capacity(). Buckets fill unevenly: some entries are evicted before that
//   Exceptions     as of a HashMap
//
// Protocol: docs/protocols/hash.md.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <scree/detail/hash_slot.h>
#include <scree/ebr.h>
#include <scree/hash_access.h>
#include <scree/hash_function.h>

namespace scree {

// Keys and values are kept and looked up as by a HashIndex (hash_index.h); memory is of the allocator. More operations,
// and what holds for all of them, are those of HashAccess.
template <class K, class V, class HashFunction = Hash<K>, class Equal = std::equal_to<>,
          class Allocator = std::allocator<std::pair<const K, V>>>
class HashCache
    : public HashAccess<
          detail::HashSlots<K, V, HashFunction, Equal, detail::memory_of_t<Allocator>, detail::HashFace::kCache>> {
  using Memory = detail::memory_of_t<Allocator>;
  using Base = HashAccess<detail::HashSlots<K, V, HashFunction, Equal, Memory, detail::HashFace::kCache>>;
  using typename Base::Core;
  using typename Base::Locked;
  using typename Base::Place;
  using typename Base::Refusal;
  using typename Base::Slot;
  using typename Base::Slots;
  template <class Key, class... Args>
  using Draft = typename Base::template Draft<Key, Args...>;
  using Base::awaiter;
  using Base::core_;

 public:
  using allocator_type = Allocator;
  using KeyView = typename Base::KeyView;
  // Called with each entry that is evicted, not with what is removed; when no bucket is locked, by whichever thread
  // made room or moved entries to another table. It must not throw, and may use the cache.
  using Listener = typename Core::Evicted;
  struct Put {
    bool inserted;                           // the key was absent
    std::optional<std::pair<K, V>> evicted;  // in its favour
  };

  // Room for at least and at most so many entries, each rounded up to 16 times a power of two. Throws std::length_error
  // where that is more than there can be, or what allocation throws.
  explicit HashCache(std::size_t min_capacity = 0, std::size_t max_capacity = 256, Listener listener = {},
                     HashFunction hash = HashFunction(), Equal equal = Equal(),
                     const Allocator& allocator = Allocator())
      : Base(min_capacity, max_capacity, std::move(hash), std::move(equal),
             Memory(typename Memory::Allocator(allocator)), std::move(listener)) {}

  Allocator get_allocator() const noexcept { return Allocator(core_.memory().allocator()); }
  std::size_t min_capacity() const { return core_.fewest_slots(); }
  std::size_t max_capacity() const noexcept { return core_.most_slots(); }

  // Inserts the entry; nothing happens if the key is present.
  template <class Q, class Value>
  Put insert(Q&& key, Value&& value) {
    const ebr::Barrier barrier;
    Draft<Q, Value> draft(std::forward<Q>(key), std::forward<Value>(value));
    return *add<false>(draft, nullptr);
  }
  template <class Q, class Value>
  auto insert_async(Q&& key, Value&& value) {
    return add_async<false>(std::forward<Q>(key), std::forward<Value>(value));
  }
  // Inserts the entry, or puts it in the place of the present one with the key.
  template <class Q, class Value>
  Put upsert(Q&& key, Value&& value) {
    const ebr::Barrier barrier;
    Draft<Q, Value> draft(std::forward<Q>(key), std::forward<Value>(value));
    return *add<true>(draft, nullptr);
  }
  template <class Q, class Value>
  auto upsert_async(Q&& key, Value&& value) {
    return add_async<true>(std::forward<Q>(key), std::forward<Value>(value));
  }

 private:
  // What goes with the draft when the bucket is not locked any more.
  struct Gone {
    std::optional<Slot> slot;
    Gone() = default;
    Gone(const Gone&) = delete;
    Gone& operator=(const Gone&) = delete;
    ~Gone() {
      if (slot) Slots::destroy(*slot);
    }
  };
  template <bool kReplace, class Made>
  std::optional<Put> add(Made& draft, Refusal* refusal) {
    const std::uint64_t hash = core_.hash_of_draft(draft);
    const Slot& slot = draft.make(core_.memory(), hash);
    Gone replaced, evicted;
    // A full bucket has the table grow before it evicts, if that is due.
    for (bool may_grow = true;; may_grow = false) {
      Locked held(core_, hash, refusal);
      if (!*held) return std::nullopt;
      if (const Place present = core_.find_held(*held, Slots::key(slot), hash)) {
        Core::touch(*held, present);
        if constexpr (!kReplace) return Put{false, std::nullopt};
        replaced.slot = *present;
        Core::overwrite(present, slot);
        published(draft, replaced.slot);
        break;
      }
      if (core_.put(*held, hash, slot)) {
        published(draft, std::nullopt);
        break;
      }
      if (may_grow) {
        held.release();
        core_.settle(true);
      } else {
        evicted.slot = core_.put_in_place_of_oldest(*held, hash, slot);
        published(draft, std::nullopt);
        break;
      }
    }
    core_.settle(evicted.slot.has_value());
    std::optional<Put> result(Put{!replaced.slot, std::nullopt});
    if (evicted.slot) {
      core_.evict(*evicted.slot);
      result->evicted.emplace(Slots::take(*evicted.slot));
    }
    return result;
  }
  // While the bucket is locked: others may remove and free the entry as soon as they can.
  template <class Made>
  void published(Made& draft, const std::optional<Slot>& replaced) noexcept {
    core_.count_added(draft.slot(), replaced);
    draft.published();
  }
  template <bool kReplace, class Q, class Value>
  auto add_async(Q&& key, Value&& value) {
    Draft<Q, Value> made(std::forward<Q>(key), std::forward<Value>(value));
    return awaiter([this, draft = std::move(made)](const ebr::Barrier&, Refusal& refusal) mutable {
      std::optional<Put> result = add<kReplace>(draft, &refusal);
      if (result) draft.give_back();
      return result;
    });
  }
};

}  // namespace scree
