// SPDX-License-Identifier: Apache-2.0
//
// A position in a TreeIndex that moves both ways. It keeps the inner nodes of its descent; these stay a partition of
// the keys whatever happens to the tree, and each leaf below them held, at some time since the cursor loaded its
// parent, all that was in its range. Why no entry is missed or seen twice: docs/protocols/leaf.md, section "Traversal".

#pragma once

#include <array>
#include <cassert>
#include <utility>

#include <scree/detail/tree_structure.h>

namespace scree::detail {

template <class Slots>
class TreeCursor {
  using Structure = TreeStructure<Slots>;
  using Slot = typename Structure::Slot;
  using Place = typename Structure::Place;
  using Leaf = typename Structure::Leaf;
  using Inner = typename Structure::Inner;
  using Path = typename Structure::Path;
  using View = typename Structure::View;

 public:
  TreeCursor(const Structure& tree, const ebr::Barrier&) : tree_(&tree) {}

  // False, too, after a call that threw what the comparator did.
  bool valid() const noexcept { return static_cast<bool>(place_); }
  decltype(auto) key() const noexcept { return Slots::key(place_); }
  value_view_t<typename Slots::Value> value() const noexcept { return Slots::value(*place_.payload); }

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
    enter(target, kForward);
    const auto probe = Slots::probe(target);
    for (;;) {
      if (rank_ != view_.count()) return settle();
      if (!step_leaf(kForward)) return;
      rank_ = view_.rank_of(tree_->compare(), probe);
    }
  }
  // The last key <= `target`.
  template <class Query>
  void seek_for_prev(const Query& target) {
    enter(target, kBackward);
    const auto probe = Slots::probe(target);
    for (;;) {
      if (view_.matches(tree_->compare(), rank_, probe)) return settle();
      if (settle_before()) return;
      if (!step_leaf(kBackward)) return;
      rank_ = view_.rank_of(tree_->compare(), probe);
    }
  }

  // O(1) amortised. Require valid().
  void next() {
    assert(valid());
    if (++rank_ == view_.count()) [[unlikely]]
      return next_leaf();
    settle();
    prefetch_entry(rank_ + kEntriesAhead - 1);
  }
  void prev() {
    assert(valid());
    if (!settle_before()) [[unlikely]]
      return previous_leaf();
    prefetch_entry(rank_ - kEntriesAhead + 1);
  }

 private:
  enum Direction { kForward, kBackward };
  static constexpr unsigned kAhead = 2;          // leaves
  static constexpr unsigned kEntriesAhead = 40;  // in a leaf

  // The leaf where the target belongs, and how many of its entries are below it.
  template <class Query>
  void enter(const Query& target, Direction direction) {
    place_ = {};
    with_vectors<Slots::kHasNumbers>([&](auto how) {
      const auto probe = Slots::probe(target, how);
      take(tree_->descend(probe, path_), direction, 0);
      rank_ = view_.rank_of(tree_->compare(), probe);
    });
    prefetch_entries(direction);
  }

  [[gnu::noinline]] void next_leaf() {
    const Slot last = place_.slot();
    while (step_leaf(kForward)) {
      const auto probe = Slots::probe_of(last);
      rank_ = 0;
      // A leaf's range can have grown towards this cursor: what is not above the last key was passed already.
      if (view_.matches(tree_->compare(), rank_, probe)) {
        rank_ = view_.rank_of(tree_->compare(), probe);
        if (view_.matches(tree_->compare(), rank_, probe)) ++rank_;
      }
      if (rank_ != view_.count()) {
        prefetch_entries(kForward);
        return settle();
      }
    }
  }
  [[gnu::noinline]] void previous_leaf() {
    const Slot last = place_.slot();
    while (step_leaf(kBackward)) {
      const auto probe = Slots::probe_of(last);
      rank_ = view_.rank_of(tree_->compare(), probe);
      if (settle_before()) return prefetch_entries(kBackward);
    }
  }
  // `known`: so many of the leaves that come after have been prefetched.
  void take(Leaf* first, Direction direction, unsigned known) {
    prefetch_after(direction, known);
    const Leaf* const leaf = first->current();
    place_ = {};
    view_ = View(tree_->compare(), *leaf, leaf->load());
  }
  // Entries out of line lie scattered: lets the misses of the next ones overlap, but fetches few in vain where a walk
  // ends.
  void prefetch_entry([[maybe_unused]] unsigned rank) const noexcept {
    if constexpr (!Slots::kInlineEntry) {
      if (rank < view_.count()) __builtin_prefetch(Slots::entry_of(*view_.place_at(rank).payload));
    }
  }
  // From the rank on.
  void prefetch_entries(Direction direction) const noexcept {
    if constexpr (!Slots::kInlineEntry) {
      for (unsigned n = 0; n < kEntriesAhead; ++n) prefetch_entry(direction == kForward ? rank_ + n : rank_ - n);
    }
  }
  // A walk will read the next leaves, too: lets their misses overlap with those of this one.
  void prefetch_after(Direction direction, unsigned known) const noexcept {
    const typename Path::Step& step = path_.at[1];
    for (unsigned n = known + 1; n <= kAhead; ++n) {
      const unsigned next = direction == kForward ? step.index + n : step.index - n;
      if (next >= step.node->child_count) return;  // also where it is before the first
      Leaf::prefetch(step.node->child(next));
    }
  }
  void settle() noexcept { place_ = view_.place_at(rank_); }
  // At the entry before; false if there is none in this leaf.
  bool settle_before() noexcept {
    if (rank_ == 0) return false;
    --rank_;
    settle();
    return true;
  }

  void enter_edge(Direction direction) {
    place_ = {};
    Inner* root = tree_->tree()->root.load(memory_order_acquire);  // [T14]
    path_.top = root->level;
    descend_edge(root, direction);
  }

  void descend_edge(Inner* node, Direction direction) {
    for (;;) {
      const unsigned index = direction == kForward ? 0 : node->child_count - 1;
      path_.at[node->level] = {node, index};
      void* child = node->child(index);
      if (node->level == 1) return take(static_cast<Leaf*>(child), direction, 0);
      node = static_cast<Inner*>(child);
    }
  }

  void settle_first(Direction direction) {
    while (view_.count() == 0) {
      if (!step_leaf(direction)) return;
    }
    rank_ = direction == kForward ? 0 : view_.count() - 1;
    prefetch_entries(direction);
    settle();
  }

  // To the neighbouring leaf; false at the end, where the cursor becomes invalid.
  bool step_leaf(Direction direction) {
    place_ = {};
    for (unsigned level = 1; level <= path_.top; ++level) {
      typename Path::Step& step = path_.at[level];
      if (direction == kForward ? step.index + 1 < step.node->child_count : step.index > 0) {
        step.index = direction == kForward ? step.index + 1 : step.index - 1;
        void* child = step.node->child(step.index);
        if (level == 1) {
          take(static_cast<Leaf*>(child), direction, kAhead - 1);
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
  View view_;  // of the leaf
  unsigned rank_ = 0;
  Place place_;  // none: not valid
};

}  // namespace scree::detail
