// SPDX-License-Identifier: Apache-2.0
//
// HashDraft: an entry before it is in a table. It is made before the bucket's lock is taken, as the constructors of
// keys and values may do whatever they like.

#pragma once

#include <cassert>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <scree/detail/hash_slot.h>

namespace scree::detail {

// Made of its arguments once, if it comes to that; what does not come into a table gives key and value back to them.
template <class Slots, class Key, class... Args>
class HashDraft {
  using K = typename Slots::Key;
  using V = typename Slots::Value;
  using Slot = typename Slots::Slot;
  static constexpr bool kOwnsKey = !std::is_same_v<K, std::string> && !std::is_same_v<std::remove_cvref_t<Key>, K>;
  using PutKey =
      std::conditional_t<std::is_same_v<K, std::string>, std::string_view, std::conditional_t<kOwnsKey, K, Key&&>>;

 public:
  explicit HashDraft(Key&& key, Args&&... args) : key_(put_key(key)), args_(std::forward<Args>(args)...) {}
  // Of one that has not been made.
  HashDraft(HashDraft&& other) noexcept(!kOwnsKey || std::is_nothrow_move_constructible_v<K>)
      : key_(static_cast<PutKey&&>(other.key_)), args_(std::move(other.args_)) {
    assert(!other.slot_);
  }
  HashDraft& operator=(HashDraft&&) = delete;
  ~HashDraft() { give_back(); }

  explicit operator bool() const noexcept { return slot_.has_value(); }
  const Slot& slot() const noexcept { return *slot_; }
  // Before it is made: afterwards the entry has it.
  const auto& key() const noexcept { return key_; }

  // Throws what the constructors and the allocation throw; the arguments are as they were then.
  const Slot& make([[maybe_unused]] const typename Slots::Memory& memory, [[maybe_unused]] std::uint64_t hash) {
    if (!slot_) {
      std::apply(
          [&](auto&&... args) {
            if constexpr (!Slots::kInline) {
              slot_.emplace(
                  Slot{Slots::EntryType::make(memory, static_cast<PutKey&&>(key_), std::forward<Args>(args)...), hash});
            } else if constexpr (std::is_constructible_v<V, const std::remove_reference_t<Args>&...>) {
              // Not moved from: there would be no giving it back.
              slot_.emplace(Slot{key_, V(std::as_const(args)...)});
            } else {
              slot_.emplace(Slot{key_, V(std::forward<Args>(args)...)});
            }
          },
          args_);
    }
    return *slot_;
  }
  // A table has it.
  void published() noexcept { slot_.reset(); }
  void give_back() noexcept {
    if constexpr (!Slots::kInline) {
      if (!slot_) return;
      slot_->entry->give_back_key(static_cast<PutKey&&>(key_));
      if constexpr (sizeof...(Args) == 1) slot_->entry->give_back_value(std::get<0>(std::move(args_)));
      Slots::destroy(*slot_);
      slot_.reset();
    }
  }

 private:
  static PutKey put_key(Key& key) {
    if constexpr (std::is_reference_v<PutKey>) {
      return static_cast<Key&&>(key);
    } else {
      return static_cast<PutKey>(std::as_const(key));
    }
  }

  PutKey key_;
  std::tuple<Args&&...> args_;
  std::optional<Slot> slot_;
};

}  // namespace scree::detail
