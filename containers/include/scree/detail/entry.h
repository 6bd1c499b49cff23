// SPDX-License-Identifier: Apache-2.0
//
// Entry: a key and its value in one allocation that never moves. The indexes move pointers to entries, never
// entries, so that a reader under a barrier never sees a moved-from object.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <scree/atomic.h>
#include <scree/bytes.h>
#include <scree/detail/index_memory.h>

namespace scree::detail {

// What an index shows of a key of type K: a reference or, for byte strings, a view of bytes kept inline.
template <class K>
struct KeyView {
  using type = const K&;
};
template <>
struct KeyView<std::string> {
  using type = std::string_view;
};
template <class K>
using key_view_t = typename KeyView<K>::type;

// An entry goes as a whole, destroy(), or in two steps where its key is still looked at when its value is not: then
// each of destroy_value() and let_go_of_key() is called once, in any order, by whatever threads.
template <class K, class V, class Memory = HeapMemory>
class Entry {
 public:
  // Throws what allocation and the constructors throw; nothing is moved from `key` then unless its own constructor did.
  template <class Key, class... Args>
  static Entry* make(const Memory& memory, Key&& key, Args&&... args) {
    return make_in<alignof(Entry)>(memory, sizeof(Entry), [&](void* block) {
      return ::new (block) Entry(std::forward<Key>(key), std::forward<Args>(args)...);
    });
  }
  static void destroy(void* entry) noexcept {
    std::destroy_at(&static_cast<Entry*>(entry)->value_);
    free(static_cast<Entry*>(entry));
  }
  static void destroy_value(void* entry) noexcept {
    std::destroy_at(&static_cast<Entry*>(entry)->value_);
    let_go_of_key(entry);
  }
  static void let_go_of_key(void* entry) noexcept {
    // Release and acquire: what the other one did comes before the end.
    auto* const self = static_cast<Entry*>(entry);
    if (self->half_gone_.exchange(true, memory_order_acq_rel)) free(self);  // [T17]
  }

  const K& key() const noexcept { return key_; }
  V& value() noexcept { return value_; }
  const V& value() const noexcept { return value_; }

  // An entry that was never published gives what was moved into it back to the arguments, where that cannot fail.
  template <class Key>
  void give_back_key(Key&& key) noexcept {
    if constexpr (std::is_rvalue_reference_v<Key&&> && std::is_nothrow_assignable_v<Key&&, K&&>) {
      key = std::move(key_);
    }
  }
  template <class Value>
  void give_back_value(Value&& value) noexcept {
    if constexpr (std::is_rvalue_reference_v<Value&&> && std::is_nothrow_assignable_v<Value&&, V&&>) {
      value = std::move(value_);
    }
  }

  // Key and value, moved out; if that throws, the entry is as it was unless the value's own constructor changed it.
  std::pair<K, V> take() {
    if constexpr (std::is_nothrow_move_constructible_v<V> || !std::is_copy_constructible_v<K>) {
      return {std::move_if_noexcept(key_), std::move(value_)};
    } else {
      return {std::as_const(key_), std::move(value_)};
    }
  }

  // As allocated.
  std::size_t bytes() const noexcept { return Memory::template whole<alignof(Entry)>(sizeof(Entry)); }

 private:
  template <class Key, class... Args>
  explicit Entry(Key&& key, Args&&... args) : key_(std::forward<Key>(key)) {
    try {
      ::new (static_cast<void*>(std::addressof(value_))) V(std::forward<Args>(args)...);
    } catch (...) {
      give_back_key(std::forward<Key>(key));
      throw;
    }
  }
  ~Entry() {}

  static void free(Entry* entry) noexcept {
    entry->~Entry();
    Memory::template free<alignof(Entry)>(entry, sizeof(Entry));
  }

  K key_;
  union {
    V value_;
  };
  Atomic<bool> half_gone_{false};
};

// Byte-string keys lie behind the value in the same allocation.
template <class V, class Memory>
class Entry<std::string, V, Memory> {
 public:
  template <class... Args>
  static Entry* make(const Memory& memory, std::string_view key, Args&&... args) {
    Entry* const entry = make_in<alignof(Entry)>(memory, sizeof(Entry) + key.size(), [&](void* block) {
      return ::new (block) Entry(key.size(), std::forward<Args>(args)...);
    });
    if (!key.empty()) std::memcpy(reinterpret_cast<char*>(entry + 1), key.data(), key.size());
    return entry;
  }
  static void destroy(void* entry) noexcept {
    std::destroy_at(&static_cast<Entry*>(entry)->value_);
    free(static_cast<Entry*>(entry));
  }
  static void destroy_value(void* entry) noexcept {
    std::destroy_at(&static_cast<Entry*>(entry)->value_);
    let_go_of_key(entry);
  }
  static void let_go_of_key(void* entry) noexcept {
    auto* const self = static_cast<Entry*>(entry);
    if ((self->size_and_half_gone_.fetch_or(kHalfGone, memory_order_acq_rel) & kHalfGone) != 0) free(self);  // [T17]
  }

  std::string_view key() const noexcept { return {reinterpret_cast<const char*>(this + 1), key_size()}; }
  V& value() noexcept { return value_; }
  const V& value() const noexcept { return value_; }

  // The key was copied, so there is only the value to give back.
  template <class Key>
  void give_back_key(Key&&) noexcept {}
  template <class Value>
  void give_back_value(Value&& value) noexcept {
    if constexpr (std::is_rvalue_reference_v<Value&&> && std::is_nothrow_assignable_v<Value&&, V&&>) {
      value = std::move(value_);
    }
  }

  // Key and value, which is moved out.
  std::pair<std::string, V> take() { return {std::string(key()), std::move(value_)}; }

  std::size_t bytes() const noexcept { return Memory::template whole<alignof(Entry)>(size()); }

 private:
  static constexpr std::size_t kHalfGone = ~(~std::size_t{0} >> 1);

  template <class... Args>
  explicit Entry(std::size_t key_size, Args&&... args)
      : size_and_half_gone_(key_size), value_(std::forward<Args>(args)...) {}
  ~Entry() {}

  static void free(Entry* entry) noexcept {
    const std::size_t size = entry->size();
    entry->~Entry();
    Memory::template free<alignof(Entry)>(entry, size);
  }
  std::size_t size() const noexcept { return sizeof(Entry) + key_size(); }
  std::size_t key_size() const noexcept { return size_and_half_gone_.load(memory_order_relaxed) & ~kHalfGone; }

  Atomic<std::size_t> size_and_half_gone_;
  union {
    V value_;
  };
};

// Byte-string values lie at the end of the allocation.
template <class K, class Memory>
class Entry<K, Bytes, Memory> {
 public:
  template <class Key>
  static Entry* make(const Memory& memory, Key&& key, std::string_view value) {
    if (value.size() > ~std::uint32_t{0}) throw std::length_error("a value of 4 GiB or more");
    Entry* const entry = make_in<alignof(Entry)>(memory, sizeof(Entry) + value.size(), [&](void* block) {
      return ::new (block) Entry(std::forward<Key>(key), static_cast<std::uint32_t>(value.size()));
    });
    if (!value.empty()) std::memcpy(reinterpret_cast<char*>(entry + 1), value.data(), value.size());
    return entry;
  }
  static void destroy(void* entry) noexcept {
    const std::size_t size = static_cast<Entry*>(entry)->size();
    static_cast<Entry*>(entry)->~Entry();
    Memory::template free<alignof(Entry)>(entry, size);
  }
  static void destroy_value(void* entry) noexcept { let_go_of_key(entry); }
  static void let_go_of_key(void* entry) noexcept {
    if (static_cast<Entry*>(entry)->half_gone_.exchange(true, memory_order_acq_rel)) destroy(entry);  // [T17]
  }

  const K& key() const noexcept { return key_; }
  std::string_view value() const noexcept { return {reinterpret_cast<const char*>(this + 1), value_size_}; }

  // The value was copied.
  template <class Value>
  void give_back_value(Value&&) noexcept {}

  std::size_t bytes() const noexcept { return Memory::template whole<alignof(Entry)>(size()); }

 private:
  template <class Key>
  Entry(Key&& key, std::uint32_t value_size) : key_(std::forward<Key>(key)), value_size_(value_size) {}
  ~Entry() = default;

  std::size_t size() const noexcept { return sizeof(Entry) + value_size_; }

  K key_;
  const std::uint32_t value_size_;
  Atomic<bool> half_gone_{false};
};

// Both: the key's bytes, then the value's.
template <class Memory>
class Entry<std::string, Bytes, Memory> {
 public:
  static Entry* make(const Memory& memory, std::string_view key, std::string_view value) {
    if (key.size() >= kHalfGone) throw std::length_error("a key of 2 GiB or more");
    if (value.size() > ~std::uint32_t{0}) throw std::length_error("a value of 4 GiB or more");
    void* const block = memory.template allocate<alignof(Entry)>(sizeof(Entry) + key.size() + value.size());
    auto* const entry = ::new (block) Entry(key.size(), value.size());
    char* const bytes = reinterpret_cast<char*>(entry + 1);
    if (!key.empty()) std::memcpy(bytes, key.data(), key.size());
    if (!value.empty()) std::memcpy(bytes + key.size(), value.data(), value.size());
    return entry;
  }
  static void destroy(void* entry) noexcept {
    const std::size_t size = static_cast<Entry*>(entry)->size();
    static_cast<Entry*>(entry)->~Entry();
    Memory::template free<alignof(Entry)>(entry, size);
  }
  static void destroy_value(void* entry) noexcept { let_go_of_key(entry); }
  static void let_go_of_key(void* entry) noexcept {
    auto* const self = static_cast<Entry*>(entry);
    if ((self->key_size_and_half_gone_.fetch_or(kHalfGone, memory_order_acq_rel) & kHalfGone) != 0) {  // [T17]
      destroy(entry);
    }
  }

  std::string_view key() const noexcept { return {reinterpret_cast<const char*>(this + 1), key_size()}; }
  std::string_view value() const noexcept {
    return {reinterpret_cast<const char*>(this + 1) + key_size(), value_size_};
  }

  template <class Value>
  void give_back_value(Value&&) noexcept {}

  std::size_t bytes() const noexcept { return Memory::template whole<alignof(Entry)>(size()); }

 private:
  static constexpr std::uint32_t kHalfGone = std::uint32_t{1} << 31;

  Entry(std::size_t key_size, std::size_t value_size) noexcept
      : key_size_and_half_gone_(static_cast<std::uint32_t>(key_size)),
        value_size_(static_cast<std::uint32_t>(value_size)) {}
  ~Entry() = default;

  std::size_t size() const noexcept { return sizeof(Entry) + key_size() + value_size_; }
  std::size_t key_size() const noexcept { return key_size_and_half_gone_.load(memory_order_relaxed) & ~kHalfGone; }

  Atomic<std::uint32_t> key_size_and_half_gone_;
  const std::uint32_t value_size_;
};

}  // namespace scree::detail
