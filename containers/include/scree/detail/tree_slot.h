// SPDX-License-Identifier: Apache-2.0
//
// How a TreeIndex keeps keys and values: heads and payloads of entries in leaves, separators in inner nodes. All are
// trivially copyable, so that a split copies them while readers look on; what does not fit lies out of line and its
// pointer is copied.
//
//   key                                head           payload              separator
//   trivially copyable, <= 16 bytes    the key        value, or pointer    the key
//   std::string in byte order          first 8 bytes  pointer (and value)  8 bytes + pointer to a copy
//   anything else                      none           pointer (and value)  pointer to a copy of the key
//
// The pointer is to an entry, which has what is not in the leaf: the key, the value, or both. A value is in the leaf if
// it is trivially copyable and <= 16 bytes: such as a pointer of the user's and a number beside it.

#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include <scree/atomic.h>
#include <scree/detail/entry.h>
#include <scree/detail/index_memory.h>
#include <scree/detail/sorted_rank.h>

namespace scree::detail {

inline constexpr std::size_t kInlineBytes = 16;

template <class T>
inline constexpr bool kFitsInline = std::is_trivially_copyable_v<T>&& std::is_copy_constructible_v<T> &&
                                    sizeof(T) <= kInlineBytes;

template <class K, class Compare>
inline constexpr bool kByteOrdered = std::is_same_v<K, std::string> &&
                                     (std::is_same_v<Compare, std::less<>> ||
                                      std::is_same_v<Compare, std::less<std::string>>);

// The first 8 bytes as a big-endian number, zero-padded: heads that differ order as their keys do.
inline std::uint64_t byte_head(std::string_view key) noexcept {
  std::uint64_t head = 0;
  if (key.size() >= sizeof(head)) {
    std::memcpy(&head, key.data(), sizeof(head));
  } else if (!key.empty()) {  // an empty view may have no data
    std::memcpy(&head, key.data(), key.size());
  }
  if constexpr (std::endian::native == std::endian::little) head = __builtin_bswap64(head);
  return head;
}

// The key sought by one operation. What is searched for with vectors also says which.
template <class Query>
struct PlainProbe {
  const Query& key;
};
// A number in the order of numbers.
template <class K, class How>
struct NumberProbe {
  static constexpr How kHow{};
  template <class Other>
  NumberProbe<K, Other> by(Other) const noexcept {
    return {key};
  }
  K key;
};
// A byte string in an order of the user's, which takes views.
struct ViewProbe {
  std::string_view key;
};
template <class How>
struct ByteProbe {
  static constexpr How kHow{};
  template <class Other>
  ByteProbe<Other> by(Other) const noexcept {
    return {key, head};
  }
  std::string_view key;
  std::uint64_t head;
};
// The same key, sought in another way if it is one for vectors.
template <class How, class Probe>
auto searched_by(How how, const Probe& probe) noexcept {
  if constexpr (requires { probe.by(how); }) {
    return probe.by(how);
  } else {
    return probe;
  }
}
// Stands below all keys, or above them all: for what is done at an end of the tree.
struct EdgeProbe {
  bool above_all;
  struct {
  } key{};  // of no key's type
};

// A separator's own copy of a byte string.
struct SeparatorBytes {
  std::size_t size;
  std::size_t bytes() const noexcept { return sizeof(SeparatorBytes) + size; }
  std::string_view view() const noexcept { return {reinterpret_cast<const char*>(this + 1), size}; }
};

// All that the parts of a TreeIndex need to know of what it is an index of; they take it as their one parameter.
template <class K, class V, class C, class M = HeapMemory>
struct TreeSlots {
  using Key = K;
  using Value = V;
  using Compare = C;
  using Memory = M;
  static constexpr bool kBytes = kByteOrdered<K, Compare>;
  static constexpr bool kInlineKey = kFitsInline<K>;
  static constexpr bool kInlineValue = kFitsInline<V> && !std::is_same_v<V, Bytes>;
  static constexpr bool kInlineEntry = kInlineKey && kInlineValue;
  static constexpr bool kHasHead = kInlineKey || kBytes;
  static constexpr bool kNumbers =
      Rankable<K> && (std::is_same_v<Compare, std::less<>> || std::is_same_v<Compare, std::less<K>>);
  static constexpr bool kHasNumbers = kNumbers || kBytes;  // for vectors to compare
  // A search among the base entries of a leaf looks at the keys of those that are gone, too: where these lie.
  static constexpr bool kKeysInEntries = !kInlineKey;
  using EntryType = Entry<K, std::conditional_t<kInlineValue, Bytes, V>, Memory>;  // of a key alone: with no bytes

  struct None {};
  struct KeyAndValue {
    EntryType* entry;
    V value;
  };
  using Head = std::conditional_t<kInlineKey, K, std::conditional_t<kBytes, std::uint64_t, None>>;
  using Payload = std::conditional_t<kInlineEntry, V, std::conditional_t<kInlineValue, KeyAndValue, EntryType*>>;
  using Copy = std::conditional_t<kInlineKey, None, std::conditional_t<kBytes, SeparatorBytes*, K*>>;

  // What lies in a leaf of one entry.
  struct Slot {
    Head head;
    Payload payload;
  };
  // Where it lies.
  struct Place {
    const Plain<Head>* head = nullptr;
    const Plain<Payload>* payload = nullptr;

    explicit operator bool() const noexcept { return payload != nullptr; }
    Slot slot() const noexcept {
      if constexpr (kHasHead) return {*head, *payload};
      return {{}, *payload};
    }
  };
  struct Separator {
    Head head;
    Copy copy;
  };
  static_assert(std::is_trivially_copyable_v<Slot> && std::is_trivially_copyable_v<Separator>);

  template <class Query, class How = ChosenAtRunTime>
  static auto probe(const Query& key, How = {}) noexcept {
    if constexpr (kBytes) {
      const std::string_view view(key);
      return ByteProbe<How>{view, byte_head(view)};
    } else if constexpr (kNumbers && std::integral<Query>) {
      static_assert(
          !std::is_signed_v<K> || std::is_signed_v<std::common_type_t<K, Query>>,
          "compared with this type, negative keys would not be in order: convert what is sought to the key's type");
      // Where comparing the two would convert the query to K, it may as well be converted once.
      if constexpr (std::is_same_v<std::common_type_t<K, Query>, K>) {
        return NumberProbe<K, How>{static_cast<K>(key)};
      } else {
        return PlainProbe<Query>{key};
      }
    } else {
      return PlainProbe<Query>{key};
    }
  }
  // The probe of a key that is in the tree; what the payload points to outlives it.
  static auto probe_of(const Slot& slot) noexcept {
    if constexpr (kBytes) {
      return ByteProbe<ChosenAtRunTime>{entry_of(slot.payload)->key(), slot.head};
    } else if constexpr (kNumbers) {
      return NumberProbe<K, ChosenAtRunTime>{slot.head};
    } else if constexpr (std::is_same_v<K, std::string>) {
      return ViewProbe{entry_of(slot.payload)->key()};
    } else if constexpr (kInlineKey) {
      return PlainProbe<K>{slot.head};
    } else {
      return PlainProbe<K>{entry_of(slot.payload)->key()};
    }
  }

  static decltype(auto) key(const Place& place) noexcept {
    if constexpr (kInlineKey) {
      return value_in<K>(*place.head);
    } else {
      return static_cast<key_view_t<K>>(entry_of(*place.payload)->key());
    }
  }
  static value_view_t<V> value(const Plain<Payload>& payload) noexcept {
    if constexpr (kInlineEntry) {
      return value_in<V>(payload);
    } else if constexpr (kInlineValue) {
      return value_in<KeyAndValue>(payload).value;
    } else {
      return static_cast<const EntryType*>(payload)->value();
    }
  }
  // What lies out of line of it.
  static EntryType* entry_of(const Payload& payload) noexcept requires(!kInlineEntry) {
    if constexpr (kInlineValue) {
      return payload.entry;
    } else {
      return payload;
    }
  }

  // Whether both are nothing, or the same entry. Of entries that lie in leaves and move with them: whether their values
  // are the same, byte by byte.
  static bool same(const Place& a, const Place& b) noexcept {
    if (a.payload == b.payload) return true;
    if (!a || !b) return false;
    if constexpr (!kInlineEntry) {
      return entry_of(*a.payload) == entry_of(*b.payload);
    } else if constexpr (std::is_empty_v<V>) {
      return true;
    } else {
      return std::memcmp(static_cast<const void*>(&value_in<V>(*a.payload)),
                         static_cast<const void*>(&value_in<V>(*b.payload)), sizeof(V)) == 0;
    }
  }

  // Of keys as they are shown, or sought.
  template <class A, class B>
  static bool is_below(const Compare& compare, const A& a, const B& b) {
    if constexpr (kBytes) {
      return std::string_view(a) < std::string_view(b);
    } else {
      return compare(a, b);
    }
  }

  static bool less(const Compare&, const Place&, const EdgeProbe& probe) noexcept { return probe.above_all; }
  static bool greater(const Compare&, const Place&, const EdgeProbe& probe) noexcept { return !probe.above_all; }
  static bool above(const Compare&, const Separator&, const EdgeProbe& probe) noexcept { return !probe.above_all; }

  template <class Probe>
  static bool less(const Compare& compare, const Place& place, const Probe& probe) {
    if constexpr (kBytes) {
      return *place.head != probe.head ? *place.head < probe.head : entry_of(*place.payload)->key() < probe.key;
    } else {
      return compare(key(place), probe.key);
    }
  }
  template <class Probe>
  static bool greater(const Compare& compare, const Place& place, const Probe& probe) {
    if constexpr (kBytes) {
      return *place.head != probe.head ? probe.head < *place.head : probe.key < entry_of(*place.payload)->key();
    } else {
      return compare(probe.key, key(place));
    }
  }
  template <class Probe>
  static bool equal(const Compare& compare, const Place& place, const Probe& probe) {
    if constexpr (kBytes) {
      return *place.head == probe.head && entry_of(*place.payload)->key() == probe.key;
    } else if constexpr (kNumbers && requires { probe.kHow; }) {
      return *place.head == probe.key;
    } else {
      return !less(compare, place, probe) && !greater(compare, place, probe);
    }
  }
  static bool less(const Compare& compare, const Place& a, const Place& b) {
    if constexpr (kBytes) {
      return *a.head != *b.head ? *a.head < *b.head : entry_of(*a.payload)->key() < entry_of(*b.payload)->key();
    } else {
      return compare(key(a), key(b));
    }
  }
  template <class Probe>
  static bool above(const Compare& compare, const Separator& separator, const Probe& probe) {
    if constexpr (kBytes) {
      return separator.head != probe.head ? probe.head < separator.head : probe.key < separator.copy->view();
    } else if constexpr (kInlineKey) {
      return compare(probe.key, separator.head);
    } else {
      return compare(probe.key, static_cast<const K&>(*separator.copy));
    }
  }

  // A separator equal to the key at `place`; may throw.
  static Separator make_separator(const Memory& memory, const Place& place) {
    if constexpr (kInlineKey) {
      return {*place.head, {}};
    } else if constexpr (kBytes) {
      const std::string_view view = entry_of(*place.payload)->key();
      void* const block = memory.template allocate<alignof(SeparatorBytes)>(sizeof(SeparatorBytes) + view.size());
      auto* const copy = ::new (block) SeparatorBytes{view.size()};
      if (!view.empty()) std::memcpy(copy + 1, view.data(), view.size());
      return {*place.head, copy};
    } else {
      static_assert(std::is_copy_constructible_v<K>, "keys kept out of line must be copyable: separators own a copy");
      return {{}, make_in<alignof(K)>(memory, sizeof(K), [&](void* block) {
                return ::new (block) K(entry_of(*place.payload)->key());
              })};
    }
  }
  // Or of none: Separator{}.
  static void destroy_separator([[maybe_unused]] const Separator& separator) noexcept {
    if constexpr (!kInlineKey) {
      if (separator.copy != nullptr) destroy_copy(separator.copy);
    }
  }
  // What a separator or an entry takes beside the node that it is in.
  static std::ptrdiff_t separator_bytes([[maybe_unused]] const Separator& separator) noexcept {
    if constexpr (kBytes) {
      return static_cast<std::ptrdiff_t>(Memory::template whole<alignof(SeparatorBytes)>(separator.copy->bytes()));
    } else {
      return kInlineKey ? 0 : static_cast<std::ptrdiff_t>(Memory::template whole<alignof(K)>(sizeof(K)));
    }
  }
  static std::ptrdiff_t entry_bytes([[maybe_unused]] const Payload& payload) noexcept {
    if constexpr (kInlineEntry) {
      return 0;
    } else {
      return static_cast<std::ptrdiff_t>(entry_of(payload)->bytes());
    }
  }
  template <class Barrier>
  static void retire_separator([[maybe_unused]] const Barrier& barrier,
                               [[maybe_unused]] const Separator& separator) noexcept {
    if constexpr (!kInlineKey) {
      barrier.retire(separator.copy, &destroy_copy, static_cast<std::size_t>(separator_bytes(separator)));
    }
  }
  static void destroy_entry([[maybe_unused]] const Payload& payload) noexcept {
    if constexpr (!kInlineEntry) EntryType::destroy(entry_of(payload));
  }
  // The key of an entry that is gone, when the leaf goes in whose base it was.
  static void let_go_of_key(const Payload& payload) noexcept { EntryType::let_go_of_key(entry_of(payload)); }
  template <class Barrier>
  static void retire_key(const Barrier& barrier, const Payload& payload) noexcept {
    barrier.retire(entry_of(payload), &EntryType::let_go_of_key, entry_of(payload)->bytes());
  }
  // The value alone, where searches may still look at the key.
  template <class Barrier>
  static void retire_value(const Barrier& barrier, const Payload& payload) noexcept {
    barrier.retire(entry_of(payload), &EntryType::destroy_value, 0);
  }
  template <class Barrier>
  static void retire_entry([[maybe_unused]] const Barrier& barrier, [[maybe_unused]] const Payload& payload) noexcept {
    if constexpr (!kInlineEntry) barrier.retire(entry_of(payload), &EntryType::destroy, entry_of(payload)->bytes());
  }

 private:
  // Of a separator.
  static void destroy_copy(void* copy) noexcept {
    if constexpr (kBytes) {
      Memory::template free<alignof(SeparatorBytes)>(copy, static_cast<SeparatorBytes*>(copy)->bytes());
    } else {
      std::destroy_at(static_cast<K*>(copy));
      Memory::template free<alignof(K)>(copy, sizeof(K));
    }
  }
};

}  // namespace scree::detail
