// SPDX-License-Identifier: Apache-2.0
//
// What a TreeIndex is about to put into a slot.

#pragma once

#include <cassert>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <scree/detail/tree_slot.h>

namespace scree::detail {

// A key as it is sought when it is to be stored: a conversion may change its place in the order, so it comes first.
template <class K, class Key>
decltype(auto) stored_key(const Key& key) {
  if constexpr (kFitsInline<K> && !std::is_same_v<Key, K>) {
    return static_cast<K>(key);
  } else {
    return static_cast<const Key&>(key);
  }
}

// The content of a slot that is not published yet. An entry out of line is destroyed unless it is.
template <class Slots>
class TreeDraft {
  using Slot = typename Slots::Slot;

 public:
  TreeDraft() noexcept = default;
  // Of one that has not been made.
  TreeDraft([[maybe_unused]] TreeDraft&& other) noexcept { assert(!other); }
  TreeDraft& operator=(TreeDraft&&) = delete;
  ~TreeDraft() { discard(); }

  explicit operator bool() const noexcept { return content_.has_value(); }
  const Slot& content() const noexcept { return *content_; }

  // In the stead of what was made before. `probe`: the key's.
  template <class Probe, class Key, class... Args>
  void make([[maybe_unused]] const typename Slots::Memory& memory, [[maybe_unused]] const Probe& probe, const Key& key,
            Args&&... args) {
    discard();
    if constexpr (Slots::kInlineEntry) {
      content_.emplace(Slot{static_cast<typename Slots::Key>(key), typename Slots::Value(std::forward<Args>(args)...)});
    } else {
      const auto payload = payload_of(memory, key, std::forward<Args>(args)...);
      if constexpr (Slots::kInlineKey) {
        content_.emplace(Slot{payload->key(), payload});
      } else if constexpr (Slots::kBytes) {
        content_.emplace(Slot{probe.head, payload});
      } else {
        content_.emplace(Slot{{}, payload});
      }
    }
  }
  // Of an entry out of line, which goes.
  template <class Value>
  void give_back(Value&& value) noexcept {
    auto* const entry = Slots::entry_of(content_->payload);
    entry->give_back_value(std::forward<Value>(value));
    discard();
  }
  // The tree has it.
  void published() noexcept { content_.reset(); }

 private:
  template <class Key, class... Args>
  static typename Slots::Payload payload_of(const typename Slots::Memory& memory, const Key& key, Args&&... args) {
    if constexpr (Slots::kInlineValue) {
      typename Slots::Value value(std::forward<Args>(args)...);  // first, as it may throw
      return {Slots::EntryType::make(memory, key, std::string_view()), value};
    } else {
      return Slots::EntryType::make(memory, key, std::forward<Args>(args)...);
    }
  }
  void discard() noexcept {
    if (content_) Slots::destroy_entry(content_->payload);
    content_.reset();
  }

  std::optional<Slot> content_;
};

// Arguments of which a draft is made, once, if it comes to that. What is not published gives its value back to the
// argument.
template <class Slots, class... Args>
class TreeOffer {
 public:
  explicit TreeOffer(Args&&... args) noexcept : args_(std::forward<Args>(args)...) {}
  TreeOffer(TreeOffer&&) noexcept = default;
  TreeOffer& operator=(TreeOffer&&) = delete;
  ~TreeOffer() { give_back(); }

  // Always for the same key: it is copied, never moved from, as it is needed to search again.
  template <class Probe, class Key>
  const typename Slots::Slot& content(const typename Slots::Memory& memory, const Probe& probe, const Key& key) {
    if (!draft_) {
      std::apply([&](auto&&... args) { draft_.make(memory, probe, key, std::forward<Args>(args)...); }, args_);
    }
    return draft_.content();
  }
  void published() noexcept { draft_.published(); }
  void give_back() noexcept {
    if constexpr (!Slots::kInlineEntry && sizeof...(Args) == 1) {
      if (draft_) draft_.give_back(std::get<0>(std::move(args_)));
    }
  }

 private:
  std::tuple<Args&&...> args_;
  TreeDraft<Slots> draft_;
};

}  // namespace scree::detail
