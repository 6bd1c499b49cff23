// SPDX-License-Identifier: Apache-2.0
//
// Ranges of a TreeIndex: from one bound to the other, ascending or (kReverse) descending.

#pragma once

#include <cstddef>
#include <iterator>
#include <type_traits>
#include <utility>

#include <scree/bound.h>
#include <scree/detail/tree_cursor.h>

namespace scree::detail {

// To the first entry within a lower bound, or (kReverse) to the last within an upper one.
template <bool kReverse, class Slots, class Near>
void seek_bound(TreeCursor<Slots>& cursor, const typename Slots::Compare& compare, const Near& near) {
  if constexpr (std::is_same_v<Near, Unbounded>) {
    kReverse ? cursor.seek_to_last() : cursor.seek_to_first();
  } else {
    if (near.kind == BoundKind::kUnbounded) return seek_bound<kReverse>(cursor, compare, unbounded);
    kReverse ? cursor.seek_for_prev(near.key) : cursor.seek(near.key);
    if (near.kind == BoundKind::kIncluded || !cursor.valid()) return;
    if constexpr (kReverse) {
      if (!Slots::is_below(compare, cursor.key(), near.key)) cursor.prev();
    } else {
      if (!Slots::is_below(compare, near.key, cursor.key())) cursor.next();
    }
  }
}

// Whether a key is above an upper bound, or (kReverse) below a lower one.
template <bool kReverse, class Slots, class Key, class Far>
bool is_beyond(const typename Slots::Compare& compare, const Key& key, const Far& far) {
  if constexpr (std::is_same_v<Far, Unbounded>) {
    return false;
  } else {
    switch (far.kind) {
      case BoundKind::kIncluded:
        return kReverse ? Slots::is_below(compare, key, far.key) : Slots::is_below(compare, far.key, key);
      case BoundKind::kExcluded:
        return kReverse ? !Slots::is_below(compare, far.key, key) : !Slots::is_below(compare, key, far.key);
      default:
        return false;
    }
  }
}

// From where a cursor is to the other bound, for range-for: pairs of key and reference to value.
template <bool kReverse, class Slots, class Far>
class TreeRange {
  using Cursor = TreeCursor<Slots>;
  using Compare = typename Slots::Compare;

 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = std::pair<key_view_t<typename Slots::Key>, value_view_t<typename Slots::Value>>;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = value_type;

    explicit Iterator(TreeRange* range) : range_(range) {}
    value_type operator*() const { return {range_->cursor_.key(), range_->cursor_.value()}; }
    Iterator& operator++() {
      kReverse ? range_->cursor_.prev() : range_->cursor_.next();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return range_->at_end(); }

   private:
    TreeRange* range_;
  };

  TreeRange(const Compare& compare, Cursor cursor, Far far)
      : compare_(&compare), cursor_(std::move(cursor)), far_(std::move(far)) {}

  // Single pass.
  Iterator begin() { return Iterator(this); }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  bool at_end() const { return !cursor_.valid() || is_beyond<kReverse, Slots>(*compare_, cursor_.key(), far_); }

  const Compare* compare_;
  Cursor cursor_;
  Far far_;
};

}  // namespace scree::detail
