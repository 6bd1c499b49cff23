// SPDX-License-Identifier: Apache-2.0
//
// A position in a TreeIndex that moves both ways. It keeps the inner nodes of its descent; these stay a partition of the keys
// whatever happens to the tree, and each leaf below them held, at some time since the cursor loaded its parent, all that
// was in its range. Why no entry is missed or seen twice: docs/protocols/leaf.md, section "Traversal".

#pragma once

#include <array>
#include <cassert>
#include <utility>

#include <scree/detail/tree_structure.h>

namespace scree::detail {

template <class K, class V, class Compare>
class TreeCursor {
  using Structure = TreeStructure<K, V, Compare>;
  using Slots = typename Structure::Slots;
  using Slot = typename Structure::Slot;
  using Leaf = typename Structure::Leaf;
  using Inner = typename Structure::Inner;
  using Path = typename Structure::Path;

 public:
  TreeCursor(const Structure& tree, const ebr::Barrier&) : tree_(&tree) {}

  bool valid() const noexcept { return slot_ != nullptr; }
  decltype(auto) key() const noexcept { return Slots::key(*slot_); }
  const V& value() const noexcept { return Slots::value(*slot_); }

  // O(log n).
  void seek_to_first() {
    enter_edge(kForward);
    settle_first(kForward);
  }
  void seek_to_last() {
    enter_edge(kBackward);
    settle_first(kBackward);
  }
  // The first key >= `target`.
  template <class Query>
  void seek(const Query& target) {
    const auto probe = Slots::probe(target);
    take(tree_->descend(probe, &path_));
    rank_ = static_cast<int>(leaf_->rank_of(tree_->compare(), word_, probe));
    while (rank_ == static_cast<int>(word_.live())) {
      if (!step_leaf(kForward)) return;
      rank_ = static_cast<int>(leaf_->rank_of(tree_->compare(), word_, probe));
    }
    settle();
  }
  // The last key <= `target`.
  template <class Query>
  void seek_for_prev(const Query& target) {
    const auto probe = Slots::probe(target);
    take(tree_->descend(probe, &path_));
    for (;;) {
      const unsigned rank = leaf_->rank_of(tree_->compare(), word_, probe);
      rank_ = static_cast<int>(rank) - (leaf_->matches(tree_->compare(), word_, rank, probe) ? 0 : 1);
      if (rank_ >= 0) return settle();
      if (!step_leaf(kBackward)) return;
    }
  }

  // O(1) amortised. Require valid().
  void next() {
    assert(valid());
    if (++rank_ < static_cast<int>(word_.live())) return settle();
    const Slot last = *slot_;
    while (step_leaf(kForward)) {
      rank_ = 0;
      if (word_.live() == 0) continue;
      const auto probe = Slots::probe_of(last);
      // A leaf's range can have grown towards this cursor: what is not above the last key was passed already.
      if (!less(last, leaf_->at(word_, 0))) {
        rank_ = static_cast<int>(leaf_->rank_of(tree_->compare(), word_, probe));
        if (leaf_->matches(tree_->compare(), word_, static_cast<unsigned>(rank_), probe)) ++rank_;
        if (rank_ == static_cast<int>(word_.live())) continue;
      }
      return settle();
    }
  }
  void prev() {
    assert(valid());
    if (--rank_ >= 0) return settle();
    const Slot last = *slot_;
    while (step_leaf(kBackward)) {
      const auto probe = Slots::probe_of(last);
      rank_ = static_cast<int>(leaf_->rank_of(tree_->compare(), word_, probe)) - 1;
      if (rank_ >= 0) return settle();
    }
  }

 private:
  enum Direction { kForward, kBackward };

  bool less(const Slot& a, const Slot& b) const { return Slots::less(tree_->compare(), a, Slots::probe_of(b)); }

  void take(Leaf* leaf) noexcept {
    leaf_ = leaf;
    word_ = leaf->load();
    slot_ = nullptr;
    prefetch_entries();
  }
  // A walk that reaches a leaf will read its entries, which lie scattered: lets their misses overlap.
  void prefetch_entries() const noexcept {
    if constexpr (!Slots::kInlineEntry) {
      for (unsigned rank = 0; rank < word_.live(); ++rank) __builtin_prefetch(leaf_->at(word_, rank).entry);
    }
  }
  void settle() noexcept { slot_ = &leaf_->at(word_, static_cast<unsigned>(rank_)); }

  void enter_edge(Direction direction) {
    Inner* root = tree_->root();
    path_.top = root->level;
    descend_edge(root, direction);
  }

  void descend_edge(Inner* node, Direction direction) {
    for (;;) {
      const unsigned index = direction == kForward ? 0 : node->child_count - 1;
      path_.at[node->level] = {node, index};
      void* child = node->child(index);
      if (node->level == 1) return take(static_cast<Leaf*>(child));
      node = static_cast<Inner*>(child);
    }
  }

  void settle_first(Direction direction) {
    while (word_.live() == 0) {
      if (!step_leaf(direction)) return;
    }
    rank_ = direction == kForward ? 0 : static_cast<int>(word_.live()) - 1;
    settle();
  }

  // To the neighbouring leaf; false at the end, where the cursor becomes invalid.
  bool step_leaf(Direction direction) {
    slot_ = nullptr;
    for (unsigned level = 1; level <= path_.top; ++level) {
      typename Path::Step& step = path_.at[level];
      if (direction == kForward ? step.index + 1 < step.node->child_count : step.index > 0) {
        step.index = direction == kForward ? step.index + 1 : step.index - 1;
        void* child = step.node->child(step.index);
        if (level == 1) {
          take(static_cast<Leaf*>(child));
        } else {
          descend_edge(static_cast<Inner*>(child), direction);
        }
        return true;
      }
    }
    return false;
  }

  const Structure* tree_;
  Path path_;
  const Leaf* leaf_ = nullptr;
  LeafWord word_;
  int rank_ = 0;
  const Slot* slot_ = nullptr;  // null: not valid
};

}  // namespace scree::detail
