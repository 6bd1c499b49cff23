// SPDX-License-Identifier: Apache-2.0
//
// How a TreeIndex keeps keys: slots of leaves and separators of inner nodes. Both are trivially copyable, so that a
// split copies them while readers look on; what does not fit lies out of line and its pointer is copied.
//
//   key                                slot                    separator
//   trivially copyable, <= 16 bytes    the key                 the key
//   std::string in byte order          8-byte head + pointer   8-byte head + pointer to a copy of the key
//   anything else                      pointer                 pointer to a copy of the key

#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

#include <scree/detail/entry.h>

namespace scree::detail {

inline constexpr std::size_t kInlineBytes = 16;

template <class T>
inline constexpr bool kFitsInline = std::is_trivially_copyable_v<T> && sizeof(T) <= kInlineBytes;

template <class K, class Compare>
inline constexpr bool kByteOrdered =
    std::is_same_v<K, std::string> &&
    (std::is_same_v<Compare, std::less<>> || std::is_same_v<Compare, std::less<std::string>>);

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

// The key sought by one operation.
template <class Query>
struct PlainProbe {
  const Query& key;
};
// A byte string in an order of the user's, which takes views.
struct ViewProbe {
  std::string_view key;
};
struct ByteProbe {
  std::string_view key;
  std::uint64_t head;
};

// A separator's own copy of a byte string.
struct SeparatorBytes {
  std::size_t size;
  std::string_view view() const noexcept { return {reinterpret_cast<const char*>(this + 1), size}; }
};

template <class K, class V, class Compare>
struct TreeSlots {
  static constexpr bool kBytes = kByteOrdered<K, Compare>;
  static constexpr bool kInlineKey = kFitsInline<K>;
  static constexpr bool kInlineEntry = kInlineKey && kFitsInline<V>;
  using EntryType = Entry<K, V>;

  struct InlineSlot {
    K key;
    V value;
  };
  struct KeyedSlot {
    K key;
    EntryType* entry;
  };
  struct HeadSlot {
    std::uint64_t head;
    EntryType* entry;
  };
  struct PointerSlot {
    EntryType* entry;
  };
  template <bool Inline, bool Keyed, bool Bytes, class = void>
  struct ChooseSlot {
    using type = PointerSlot;
  };
  template <bool Bytes, class D>
  struct ChooseSlot<true, true, Bytes, D> {
    using type = InlineSlot;
  };
  template <bool Bytes, class D>
  struct ChooseSlot<false, true, Bytes, D> {
    using type = KeyedSlot;
  };
  template <class D>
  struct ChooseSlot<false, false, true, D> {
    using type = HeadSlot;
  };
  using Slot = typename ChooseSlot<kInlineEntry, kInlineKey, kBytes>::type;

  struct HeadSeparator {
    std::uint64_t head;
    SeparatorBytes* copy;
  };
  struct PointerSeparator {
    K* copy;
  };
  struct KeySeparator {
    K key;
  };
  using Separator =
      std::conditional_t<kInlineKey, KeySeparator, std::conditional_t<kBytes, HeadSeparator, PointerSeparator>>;

  static_assert(std::is_trivially_copyable_v<Slot> && std::is_trivially_copyable_v<Separator>);

  template <class Query>
  static auto probe(const Query& key) noexcept {
    if constexpr (kBytes) {
      const std::string_view view(key);
      return ByteProbe{view, byte_head(view)};
    } else {
      return PlainProbe<Query>{key};
    }
  }
  // The probe of a key that is in the tree.
  static auto probe_of(const Slot& slot) noexcept {
    if constexpr (kBytes) {
      return ByteProbe{slot.entry->key(), slot.head};
    } else if constexpr (std::is_same_v<K, std::string>) {
      return ViewProbe{slot.entry->key()};
    } else {
      return PlainProbe<K>{key(slot)};
    }
  }

  static decltype(auto) key(const Slot& slot) noexcept {
    if constexpr (kInlineKey) {
      return static_cast<const K&>(slot.key);
    } else {
      return static_cast<key_view_t<K>>(slot.entry->key());
    }
  }
  static const V& value(const Slot& slot) noexcept {
    if constexpr (kInlineEntry) {
      return slot.value;
    } else {
      return static_cast<const EntryType*>(slot.entry)->value();
    }
  }

  template <class Probe>
  static bool less(const Compare& compare, const Slot& slot, const Probe& probe) {
    if constexpr (kBytes) {
      return slot.head != probe.head ? slot.head < probe.head : slot.entry->key() < probe.key;
    } else {
      return compare(key(slot), probe.key);
    }
  }
  template <class Probe>
  static bool less(const Compare& compare, const Probe& probe, const Slot& slot)
    requires(!std::is_same_v<Probe, Slot>)
  {
    if constexpr (kBytes) {
      return slot.head != probe.head ? probe.head < slot.head : probe.key < slot.entry->key();
    } else {
      return compare(probe.key, key(slot));
    }
  }
  template <class Probe>
  static bool before(const Compare& compare, const Probe& probe, const Separator& separator) {
    if constexpr (kBytes) {
      return separator.head != probe.head ? probe.head < separator.head : probe.key < separator.copy->view();
    } else if constexpr (kInlineKey) {
      return compare(probe.key, separator.key);
    } else {
      return compare(probe.key, static_cast<const K&>(*separator.copy));
    }
  }

  // A separator equal to the key in `slot`; may throw.
  static Separator make_separator(const Slot& slot) {
    if constexpr (kInlineKey) {
      return {slot.key};
    } else if constexpr (kBytes) {
      const std::string_view view = slot.entry->key();
      auto* copy = static_cast<SeparatorBytes*>(::operator new(sizeof(SeparatorBytes) + view.size()));
      copy->size = view.size();
      if (!view.empty()) std::memcpy(copy + 1, view.data(), view.size());
      return {slot.head, copy};
    } else {
      static_assert(std::is_copy_constructible_v<K>, "keys kept out of line must be copyable: separators own a copy");
      return {new K(slot.entry->key())};
    }
  }
  static void destroy_separator(const Separator& separator) noexcept {
    if constexpr (kBytes) {
      ::operator delete(separator.copy);
    } else if constexpr (!kInlineKey) {
      delete separator.copy;
    }
  }
  template <class Barrier>
  static void retire_separator(const Barrier& barrier, const Separator& separator) noexcept {
    if constexpr (kBytes) {
      barrier.retire(separator.copy, [](void* p) { ::operator delete(p); },
                     sizeof(SeparatorBytes) + separator.copy->size);
    } else if constexpr (!kInlineKey) {
      barrier.retire(separator.copy);
    }
  }
  static void destroy_entry(const Slot& slot) noexcept {
    if constexpr (!kInlineEntry) EntryType::destroy(slot.entry);
  }
  template <class Barrier>
  static void retire_entry(const Barrier& barrier, const Slot& slot) noexcept {
    if constexpr (!kInlineEntry) barrier.retire(slot.entry, &EntryType::destroy, slot.entry->bytes());
  }
};

}  // namespace scree::detail
