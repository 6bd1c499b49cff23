// SPDX-License-Identifier: Apache-2.0
//
// How a hash table keeps keys and values. A slot is trivially copyable, so that a resize copies it while readers look
// on; what does not fit lies out of line, where it never moves.
//
//   key and value                                    slot
//   both trivially copyable, of <= 16 bytes each,
//   and with a default constructor                   both; the hash is computed again when it is needed
//   any others                                       pointer to an entry with both, and the hash

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include <scree/atomic.h>
#include <scree/bytes.h>
#include <scree/detail/entry.h>
#include <scree/detail/hash_function.h>
#include <scree/detail/index_memory.h>

namespace scree::detail {

inline constexpr std::size_t kInlineInHash = 16;

// An index is read without locks: what is taken out stays as it was for barriers that have begun, and a value in a slot
// never changes. Of a map and a cache the bucket's lock is taken to read, too. A cache has no room beyond its buckets.
enum class HashFace { kIndex, kMap, kCache };

template <class T>
inline constexpr bool kFitsHashSlot = std::is_trivially_copyable_v<T>&& std::is_copy_constructible_v<T>&&
                                          std::is_copy_assignable_v<T>&& std::is_default_constructible_v<T> &&
                                      !std::is_same_v<T, Bytes> && sizeof(T) <= kInlineInHash;

// All that the parts of a hash table need to know of what it is a table of; they take it as their one parameter.
template <class K, class V, class H, class E, class M, HashFace kFace>
struct HashSlots {
  using Key = K;
  using Value = V;
  using HashFunction = H;
  using Equal = E;
  using Memory = M;
  using KeyView = key_view_t<K>;
  static constexpr bool kReadersLock = kFace != HashFace::kIndex;
  static constexpr bool kBounded = kFace == HashFace::kCache;
  static constexpr bool kInline = kFitsHashSlot<K> && kFitsHashSlot<V>;
  using EntryType = Entry<K, V, Memory>;

  struct KeyAndValue {
    K key;
    [[no_unique_address]] V value;
  };
  struct EntryAndHash {
    EntryType* entry;
    std::uint64_t hash;
  };
  using Slot = std::conditional_t<kInline, KeyAndValue, EntryAndHash>;
  static_assert(std::is_trivially_copyable_v<Slot>);

  static constexpr unsigned kPerBucket =
#if SCREE_SMALL_CAPACITIES
      2;
#else
      16;
#endif
  static constexpr unsigned kPerOverflow =
#if SCREE_SMALL_CAPACITIES
      1;
#else
      sizeof(Slot) <= 16 ? std::min<unsigned>(48 / sizeof(Slot), 8)
                         : 7;  // in one cache line, if there is room for some
#endif

  static KeyView key(const Slot& slot) noexcept {
    if constexpr (kInline) {
      return slot.key;
    } else {
      return slot.entry->key();
    }
  }
  // Key and value, moved out of an entry that is to be removed, where that is safe; if that throws it is as it was.
  static std::pair<Key, Value> take(Plain<Slot>& slot) {
    if constexpr (kInline) {
      return {slot.key, slot.value};
    } else {
      return slot.entry->take();
    }
  }
  static void destroy([[maybe_unused]] const Slot& slot) noexcept {
    if constexpr (!kInline) EntryType::destroy(slot.entry);
  }
  // What it takes beside its slot.
  static std::ptrdiff_t bytes([[maybe_unused]] const Slot& slot) noexcept {
    if constexpr (kInline) {
      return 0;
    } else {
      return static_cast<std::ptrdiff_t>(slot.entry->bytes());
    }
  }
  template <class Barrier>
  static void retire([[maybe_unused]] const Slot& slot, [[maybe_unused]] const Barrier& barrier) noexcept {
    if constexpr (!kInline) barrier.retire(slot.entry, &EntryType::destroy, slot.entry->bytes());
  }
  // As it may be reached from a slot: an entry out of line that readers share may be changed as far as the user lets
  // several threads do that.
  using ValueReference = std::conditional_t<kInline && !kReadersLock, const V&, V&>;
  static const V& value(const Slot& slot) noexcept {
    if constexpr (kInline) {
      return slot.value;
    } else {
      return slot.entry->value();
    }
  }
  static ValueReference value_in_place(Plain<Slot>& slot) noexcept {
    if constexpr (!kInline) {
      return value_in<Slot>(slot).entry->value();
    } else if constexpr (kReadersLock) {
      return slot.value;
    } else {
      return value_in<Slot>(slot).value;
    }
  }
};

}  // namespace scree::detail
